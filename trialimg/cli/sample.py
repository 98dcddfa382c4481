"""`trialimg sample`: a synthetic trial whose true answers are known."""

from __future__ import annotations

from pathlib import Path

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.progress import progress_bars

__all__ = ["sample"]


@click.command("sample")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make; new or empty.")
@click.option("--subjects", type=click.IntRange(1), default=10, show_default=True, help="Subjects; ten are all kinds.")
@click.option("--timepoints", type=click.IntRange(2), default=4, show_default=True, help="Visits, baseline included.")
@click.option("--seed", type=click.IntRange(0), default=2024, show_default=True, help="Same seed, same bytes.")
@json_option
def sample(out: Path, subjects: int, timepoints: int, seed: int, as_json: bool) -> None:
    """Write a synthetic trial as DICOM, with the site's annotations and the true answers.

    The images are computed, nobody's. `trialimg run protocols/nsclc_recist11.yaml OUT` reads the trial.
    """
    from trialimg import bootstrap

    with progress_bars() as progress:
        summary = bootstrap.write_sample(out, subjects=subjects, timepoints=timepoints, seed=seed, progress=progress)
    if as_json:
        print_json({"out": str(out), **vars(summary)})
        return
    click.echo(
        f"{summary.subjects} subjects, {summary.series} CT series, {summary.images} images, "
        f"{summary.bytes / 1e6:.1f} MB in {out}"
    )
    click.echo(f"digest: {summary.digest}")
