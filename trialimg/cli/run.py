"""`trialimg run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.progress import progress_bars

if TYPE_CHECKING:
    from trialimg.services.run import RunOutcome

__all__ = ["run"]


@click.command("run")
@click.argument("protocol", type=click.Path(path_type=Path))
@click.argument("studies", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the report and the tables.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for finished work; default: OUT/work.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where a network runs; default: the protocol's."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Subjects worked on at once.")
@json_option
def run(
    protocol: Path, studies: Path, out: Path, work: Path | None, device: str | None, workers: int, as_json: bool
) -> None:
    """From a folder of DICOM to an endpoint report, as the PROTOCOL says.

    STUDIES holds the DICOM files, annotations.csv and subjects.csv. Finished work is kept: run again and only
    what changed is computed.
    """
    from trialimg import bootstrap

    trial = bootstrap.trial_run(protocol, studies, work or out / "work", device=device, workers=workers)
    bootstrap.make_folder(out)
    with progress_bars() as progress:
        outcome = trial(out, progress=progress)
    if as_json:
        print_json(_summary(outcome, out))
    else:
        _print_summary(outcome, out)


def _summary(outcome: RunOutcome, out: Path) -> dict[str, Any]:
    result = outcome.result
    return {
        "trial": result.trial,
        "protocol_digest": result.protocol_digest,
        "manifest_digest": outcome.manifest_digest,
        "report": str(out / "report.html"),
        "files": [str(path) for path in outcome.files],
        "subjects": len(result.subjects),
        "findings": len(result.findings),
        "objective_response": dict(result.cohort.objective_response),
        "truth": result.truth,
        "work": {"computed": outcome.tally.computed, "reused": outcome.tally.reused},
    }


def _print_summary(outcome: RunOutcome, out: Path) -> None:
    """The short table that a person reads first."""
    from rich.console import Console
    from rich.table import Table

    result = outcome.result
    table = Table(title=f"{result.trial}: {result.title}")
    for name in ("Subject", "Arm", "Visits", "Best response", "Confirmed", "Best change", "PFS"):
        table.add_column(name, justify="left" if name in ("Subject", "Arm") else "right")
    for subject in result.subjects:
        table.add_row(*_row(subject))
    console = Console()
    console.print(table)
    for arm, estimate in result.cohort.objective_response:
        if estimate.value is not None and estimate.lower is not None and estimate.upper is not None:
            limits = f"{100 * estimate.confidence:g} % CI {100 * estimate.lower:.1f} to {100 * estimate.upper:.1f}"
            console.print(
                f"objective response, {arm}: {estimate.events}/{estimate.n} = {100 * estimate.value:.1f} % ({limits})"
            )
    if result.truth is not None:
        truth = result.truth
        error = f"{truth.median_abs_long_axis_error_voxels:.2f} voxel ({truth.median_abs_long_axis_error_mm:.2f} mm)"
        equal = f"{truth.responses_equal} of {truth.responses_compared} equal"
        console.print(f"known answers: {equal}; long axis off by {error} in the median")
    computed, reused = sum(outcome.tally.computed.values()), sum(outcome.tally.reused.values())
    console.print(f"findings: {len(result.findings)}; steps computed: {computed}, found done: {reused}")
    console.print(f"digest:   {outcome.manifest_digest}", soft_wrap=True)
    console.print(f"report:   {out / 'report.html'}", soft_wrap=True)


def _row(subject: Any) -> tuple[str, ...]:
    endpoints = subject.endpoints
    if endpoints is None:
        return subject.subject.id, subject.subject.arm, str(len(subject.timepoints)), "no baseline", "", "", ""
    change, survival = endpoints.burden.best_change_pct, endpoints.progression_free_survival
    return (
        subject.subject.id,
        subject.subject.arm,
        str(len(subject.timepoints)),
        endpoints.best.response.value,
        endpoints.confirmed.response.value,
        "" if change is None else f"{change:+.1f} %",
        "" if survival is None else f"{survival.days} d{'' if survival.event else '+'}",
    )
