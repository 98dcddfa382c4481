"""`trialimg run`: the main job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.progress import progress_bars

if TYPE_CHECKING:
    from trialimg.services.outputs import RunOutcome
    from trialimg.services.ports import Progress
    from trialimg.services.run import TrialRun
    from trialimg.services.sdtm_run import SdtmRun

__all__ = ["run"]


@click.command("run")
@click.argument("protocol", type=click.Path(path_type=Path))
@click.argument("studies", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the report and the tables.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for finished work; default: OUT/work.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where a network runs; default: the protocol's."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Subjects worked on at once.")
@click.option("--from-sdtm", "sdtm", type=click.Path(path_type=Path), help="SDTM tables of others, instead of STUDIES.")
@click.option(
    "--table", "tables", multiple=True, metavar="NAME=FILE", help="With --from-sdtm: RS=rs_onco.csv; repeatable."
)
@click.option("--arms", type=click.Path(path_type=Path), help="With --from-sdtm: blinded labels (code,label).")
@click.option(
    "--perturb", type=click.IntRange(2, 100), metavar="N",
    help="Measure each lesion's features N times more, turned, shifted and outlined a little otherwise.",
)  # fmt: skip
@click.option("--perturb-seed", type=click.IntRange(0), default=0, show_default=True, help="Of --perturb.")
@json_option
def run(protocol: Path, out: Path, work: Path | None, as_json: bool, **source: Any) -> None:
    """From a folder of DICOM to an endpoint report, as the PROTOCOL says.

    STUDIES holds the DICOM files, annotations.csv and subjects.csv. Finished work is kept: run again and only
    what changed is computed. With --from-sdtm the report is made of TU, TR and RS (XPT, Dataset-JSON, CSV or Parquet)
    that somebody else made.
    """
    from trialimg import bootstrap

    asked = _Source(**source)
    trial = _trial(protocol, work or out / "work", asked)
    bootstrap.make_folder(out)
    with progress_bars() as progress:
        outcome = trial(out, progress=progress)
        further = _perturbed(trial, asked, out, progress)
    if as_json:
        print_json({**_summary(outcome, out), **further})
    else:
        _print_summary(outcome, out)


@dataclass(frozen=True)
class _Source:
    """What the job is to work on, and how."""

    studies: Path | None
    sdtm: Path | None
    tables: tuple[str, ...]
    arms: Path | None
    device: str | None
    workers: int
    perturb: int | None
    perturb_seed: int


def _trial(protocol: Path, work: Path, source: _Source) -> TrialRun | SdtmRun:
    """The job that was asked for."""
    from trialimg import bootstrap

    if (source.studies is None) is (source.sdtm is None):
        raise click.UsageError("give either STUDIES, a folder of images, or --from-sdtm, a folder of tables")
    if source.sdtm is not None and source.perturb is not None:
        raise click.UsageError("--perturb needs images; tables have none")
    if source.sdtm is not None:
        return bootstrap.sdtm_run(protocol, source.sdtm, work, tables=_named(source.tables), arms=source.arms)
    if source.studies is None or source.tables or source.arms is not None:
        raise click.UsageError("--table and --arms belong to --from-sdtm")
    return bootstrap.trial_run(protocol, source.studies, work, device=source.device, workers=source.workers)


def _perturbed(trial: TrialRun | SdtmRun, source: _Source, out: Path, progress: Progress) -> dict[str, str]:
    """Where the perturbed features were written, where they were asked for."""
    from trialimg.radiomics.perturbation import Perturbation
    from trialimg.services.run import TrialRun

    if source.perturb is None or not isinstance(trial, TrialRun):
        return {}
    how = Perturbation(source.perturb, source.perturb_seed)
    return {"perturbed_features": str(trial.perturbed(out, how, progress=progress))}


def _named(tables: tuple[str, ...]) -> dict[str, str]:
    """Dataset to file."""
    named: dict[str, str] = {}
    for given in tables:
        name, sign, file = given.partition("=")
        if not sign or not name or not file:
            raise click.UsageError(f"--table {given!r} is not NAME=FILE, e.g. RS=rs_onco.csv")
        if name.upper() in named:
            raise click.UsageError(f"--table {name.upper()} stands twice")
        named[name.upper()] = file
    return named


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
