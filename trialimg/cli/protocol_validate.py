"""`trialimg protocol validate`: a protocol's dry run on a synthetic cohort whose answers are known."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.progress import progress_bars
from trialimg.cli.sign_in import database_option, desk_of, home_option, person_option
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.ports import Progress
    from trialimg.services.run import RunOutcome
    from trialimg.services.trials_validation import ValidationReport

__all__ = ["validate"]

_FOUND = 1


@click.command("validate")
@click.argument("protocol", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--subjects", type=click.IntRange(1), default=3, show_default=True, help="Subjects of the cohort.")
@click.option("--timepoints", type=click.IntRange(2), help="Visits of each; default: all of the schedule.")
@click.option("--seed", type=click.IntRange(0), default=2024, show_default=True, help="Same seed, same cohort.")
@click.option("--conclusion", help="What you conclude: sign in, sign the report, and keep it in the records.")
@home_option
@database_option
@person_option
@json_option
@click.pass_context
def validate(
    context: click.Context, protocol: Path, subjects: int, timepoints: int | None, seed: int, conclusion: str | None,
    home: Path, database: str | None, user: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Run a PROTOCOL twice on a synthetic cohort and compare with its known answers; exit code 1 if a check fails.

    The known answers are those of RECIST 1.1 as published: a protocol that judges otherwise departs from them, and the
    conclusion has to say why that is right.
    """
    from trialimg import bootstrap
    from trialimg.protocol.load import load_protocol
    from trialimg.services.trials_validation import keep_validation

    visits = timepoints or 1 + len(load_protocol(protocol).schedule.visits)
    with tempfile.TemporaryDirectory() as scratch, progress_bars() as progress:
        report = _dry_run(protocol, Path(scratch), (subjects, visits, seed), progress)
    if conclusion is not None:
        folder = home.expanduser()
        bootstrap.make_folder(folder)
        with desk_of(bootstrap.records(folder, database), user, None, Role.ANALYST) as desk:
            keep_validation(desk.records, desk.actor, desk.proof, report, conclusion=conclusion)
    if as_json:
        print_json({"passed": report.passed, "report": report, "conclusion": conclusion})
    else:
        _print_report(report)
    if not report.passed:
        context.exit(_FOUND)


def _dry_run(protocol: Path, scratch: Path, size: tuple[int, int, int], progress: Progress) -> ValidationReport:
    """Two runs that share nothing but the cohort."""
    from trialimg import bootstrap
    from trialimg.services.trials_validation import validation_of

    subjects, visits, seed = size
    cohort = bootstrap.write_sample(
        scratch / "cohort", subjects=subjects, timepoints=visits, seed=seed, progress=progress
    )

    def one_run(name: str) -> RunOutcome:
        out = scratch / name
        bootstrap.make_folder(out)
        run = bootstrap.trial_run(protocol, scratch / "cohort", out / "work", device="cpu", workers=1)
        return run(out, progress=progress)

    return validation_of(one_run("first"), one_run("second"), cohort, environment=bootstrap.environment())


def _print_report(report: ValidationReport) -> None:
    click.echo(f"{report.trial} version {report.version}, {report.protocol_digest}, {report.software}")
    for check in report.checks:
        said = "passed" if check.passed else "FAILED"
        click.echo(f"{said}  {check.name}: expected {check.expected}, found {check.found}")
