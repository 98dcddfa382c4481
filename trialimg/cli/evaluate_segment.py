"""`trialimg evaluate segment`: a segmenter held against true masks, beside the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.model_choice import ALLOW_UNLICENSED, DEVICE, MODEL_DIGEST, ModelChoice
from trialimg.cli.output import json_option, print_json
from trialimg.core.errors import IntakeError

if TYPE_CHECKING:
    from trialimg.services.evaluate_segmentation import Comparison, EvaluationSettings
    from trialimg.services.evaluation_summary import Summary
    from trialimg.services.ports import Segmenter
    from trialimg.stats.results import Estimate

__all__ = ["segment"]

_PATH = click.Path(path_type=Path)
BASELINES = ("ellipsoid", "classical")
SHOWN = ("dice", "surface_dice", "hd95_mm", "long_axis_error_pct", "volume_error_pct", "uls23")


@dataclass(frozen=True)
class _Reader:
    """Whose prompts the segmenters are given."""

    prompt: str
    seed: int
    steady: bool

    @property
    def settings(self) -> EvaluationSettings:
        from trialimg.imaging.reader_prompts import PromptKind, ReaderHand
        from trialimg.services.evaluate_segmentation import EvaluationSettings

        hand = ReaderHand(length_sd=0.0, least_sd_mm=0.0, seed=self.seed) if self.steady else ReaderHand(seed=self.seed)
        return EvaluationSettings(prompt=PromptKind(self.prompt), hand=hand)


@click.command("segment")
@click.argument("dataset", type=_PATH)
@gathered(
    "choice", ModelChoice,
    click.option("--model", required=True, metavar="NAME_OR_PATH", help="What is judged, as in `trialimg segment`."),
    MODEL_DIGEST, ALLOW_UNLICENSED, DEVICE,
)  # fmt: skip
@gathered(
    "reader", _Reader,
    click.option(
        "--prompt", type=click.Choice(["line", "line+short", "click", "box"]), default="line", show_default=True,
        help="What a reader would draw.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of hand and intervals."),
    click.option("--steady", is_flag=True, help="Draw what the true mask measures, without a reader's unsteady hand."),
)  # fmt: skip
@click.option("--subject", "subjects", multiple=True, metavar="ID", help="Only this subject; may be repeated.")
@click.option("--out", type=_PATH, help="Folder for lesions.csv, summary.json and dice.svg.")
@json_option
def segment(
    dataset: Path, choice: ModelChoice, reader: _Reader, subjects: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Dice, surfaces, diameters and volumes of a segmenter on a DATASET, beside the ellipsoid and the classical one.

    DATASET is a folder in nnU-Net's raw layout, one with an inventory.csv, or a CSV of image,mask[,subject,modality].
    """
    from trialimg import bootstrap
    from trialimg.cli.progress import progress_bars
    from trialimg.services.evaluate_segmentation import evaluate_segmenters
    from trialimg.services.evaluation_summary import summarise

    judged = choice.segmenter()
    segmenters: dict[str, Segmenter] = {judged.name: judged}
    segmenters |= {name: bootstrap.segmenter(name) for name in BASELINES if name != judged.name}
    cases = [case for case in bootstrap.lesion_set(dataset) if not subjects or case.subject in subjects]
    if absent := sorted(set(subjects) - {case.subject for case in cases}):
        raise IntakeError(f"{dataset}: the data set has no subject {', '.join(absent)}")
    if out is not None:
        bootstrap.make_folder(out)
    with progress_bars() as progress:
        comparison = evaluate_segmenters(cases, segmenters, bootstrap.open_case, reader.settings, progress=progress)
    summary = summarise(comparison, seed=reader.seed)
    written = bootstrap.write_evaluation(comparison, summary, out) if out is not None else ()
    if as_json:
        print_json({"comparison": comparison, "summary": summary, "files": [str(path) for path in written]})
        return
    _print(comparison, summary)
    for path in written:
        click.echo(str(path))


def _print(comparison: Comparison, summary: Summary) -> None:
    """A table of means with intervals, the paired gains in Dice, and what was left out."""
    from rich.console import Console
    from rich.table import Table

    from trialimg.services.evaluation_summary import METRICS

    words = {metric.name: metric.words for metric in METRICS}
    table = Table()
    for heading in ("Group", "Segmenter", "Lesions", "Subjects", "No mask", *(words[name] for name in SHOWN), "s"):
        table.add_column(heading, justify="left" if heading in ("Group", "Segmenter") else "right")
    before = ""
    for row in summary.groups:
        if before and row.group != before:
            table.add_section()
        counts = (str(row.lesions), str(row.subjects), str(row.failures))
        metrics = (_interval(row.metrics[name], between="\n") for name in SHOWN)
        name = row.group or "(not said)"
        table.add_row("" if row.group == before else name, row.model, *counts, *metrics, f"{row.median_seconds:.2f}")
        before = row.group
    console = Console(soft_wrap=True, highlight=False, width=180)
    console.print(table)
    for gain in summary.differences:
        console.print(f"Dice of {gain.model} minus {gain.than}, {gain.group}: {_interval(gain.metrics['dice'])}")
    for name, reason in comparison.left_out.items():
        console.print(f"left out: {name}: {reason}")
    for failed in (score for score in comparison.scores if score.failure):
        console.print(f"no mask: {failed.case}, lesion {failed.lesion}, {failed.model}: {failed.failure}")


def _interval(estimate: Estimate, *, between: str = " ") -> str:
    """A mean with its interval, to as many places as its size allows."""
    if estimate.value is None:
        return "-"
    places = 1 if abs(estimate.value) >= 10 else 2 if abs(estimate.value) >= 1 else 3
    text = f"{estimate.value:.{places}f}"
    if estimate.lower is None or estimate.upper is None:
        return text
    return f"{text}{between}({estimate.lower:.{places}f}, {estimate.upper:.{places}f})"
