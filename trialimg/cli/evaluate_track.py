"""`trialimg evaluate track`: links between visits held against follow-ups whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trialimg.services.evaluate_pairs import PairErrors
    from trialimg.services.evaluate_tracking import Share, TrackingScore
    from trialimg.volume import Volume

__all__ = ["track"]

_PATH = click.Path(path_type=Path)


@click.command("track")
@click.argument("dataset", type=_PATH, nargs=-1)
@click.option("--draws", type=click.IntRange(min=1), default=5, show_default=True, help="Follow-ups of each scan.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first follow-up.")
@click.option("--lesions", type=click.IntRange(min=4), default=12, show_default=True, help="At baseline.")
@click.option(
    "--local", type=click.Choice(["warp", "shift"]), default="warp", show_default=True,
    help="How the surroundings of each lesion are aligned beyond the body.",
)  # fmt: skip
@json_option
def track(dataset: tuple[Path, ...], draws: int, seed: int, lesions: int, local: str, as_json: bool) -> None:
    """Link and event F1 on simulated follow-ups of the CTs in DATASET; of two phantoms where none is given.

    DATASET is one CT or more (a folder with one DICOM series, NIfTI, NRRD, MetaImage in HU), or a JSON file of lesion
    pairs in the form of the Deep Lesion Tracker's, on which foretold centres are judged.
    """
    from trialimg import bootstrap
    from trialimg.cli.progress import progress_bars
    from trialimg.imaging.synthetic_followup import FollowUpSettings
    from trialimg.services.evaluate_pairs import pair_errors, read_pairs
    from trialimg.services.evaluate_tracking import evaluate_tracking, phantom_backgrounds
    from trialimg.services.track import TrackRules

    pairs = [path for path in dataset if path.suffix.lower() == ".json"]
    errors = {str(path): pair_errors(read_pairs(_text(path), str(path))) for path in pairs}
    scans = {str(path): _ct(path) for path in dataset if path not in pairs}
    score = None
    if scans or not dataset:
        with progress_bars() as progress:
            score = evaluate_tracking(
                scans or phantom_backgrounds(2, seed=seed),
                bootstrap.segmenter("classical"),
                TrackRules(deformable=local == "warp"),
                settings=FollowUpSettings(lesions=lesions),
                seeds=range(seed, seed + draws),
                progress=progress,
            )
    if as_json:
        print_json({"follow_ups": score, "pairs": errors})
        return
    if score is not None:
        _print_score(score)
    for name, found in errors.items():
        _print_pairs(name, found)


def _text(path: Path) -> str:
    from trialimg.core.errors import IntakeError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise IntakeError(f"{path}: cannot be read as UTF-8 text ({fault})") from fault


def _ct(path: Path) -> Volume:
    """A CT; files that do not say their unit are taken for HU."""
    from dataclasses import replace

    from trialimg import bootstrap
    from trialimg.volume import Unit

    return replace(bootstrap.open_image(path), modality="CT", unit=Unit.HU)


def _print_score(score: TrackingScore) -> None:
    click.echo(f"{len(score.cases)} simulated follow-ups, {score.lesions} lesions at baseline")
    click.echo(f"link F1:  {_share(score.link_f1)}")
    click.echo(f"event F1: {_share(score.event_f1)}")
    for kind, share in score.event_f1_by_kind.items():
        click.echo(f"  {kind}: {_share(share)}")
    for case in score.cases:
        for words in case.missed:
            click.echo(f"{case.background}, seed {case.seed}: {words}")


def _print_pairs(name: str, found: tuple[PairErrors, ...]) -> None:
    click.echo(name)
    for one in found:
        click.echo(
            f"  {one.method}: n {one.n}, mean {one.mean_mm:.1f} mm, median {one.median_mm:.1f} mm, "
            f"within 10 mm {_share(one.within_10_mm)}"
        )


def _share(share: Share) -> str:
    if share.value is None:
        return "-"
    if share.lower is None or share.upper is None:
        return f"{share.value:.3f}"
    return f"{share.value:.3f} ({share.lower:.3f}, {share.upper:.3f})"
