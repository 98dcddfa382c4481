"""`trialimg report`: the endpoint report of a finished run or a central review, and the report of one subject."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json
from trialimg.cli.reviewed import Reviewed
from trialimg.cli.sign_in import database_option, home_option, person_option, role_option

if TYPE_CHECKING:
    from trialimg.services.results import SubjectResult, TrialResult
    from trialimg.services.review_record import ReviewRecord
    from trialimg.services.review_report import CaseRecord

__all__ = ["report"]


class _Review(Reviewed):
    """The central review whose reads are reported, if any."""

    def instead_of(
        self, result: TrialResult, subject: str | None
    ) -> tuple[TrialResult, CaseRecord | None, ReviewRecord | None]:
        """The results of the records, and what they say of one case or of all; the run's own where none is named."""
        from trialimg.services.review_record import review_record
        from trialimg.services.review_report import case_record, review_result

        if self.trial is None:
            if self.cut is not None:
                raise click.UsageError("--cut belongs to --trial")
            return result, None, None
        with self.desk() as desk:
            found = review_result(result, desk.records, desk.actor, self.trial, cut=self.cut)
            if subject is not None:
                return found, case_record(desk.records, desk.actor, self.trial, subject), None
            return found, None, review_record(desk.records, desk.actor, self.trial, cut=self.cut)


@click.command("report")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@click.option("--case", "subject", metavar="SUBJECT", help="The report of this subject instead of the trial's.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder of finished work; default: RUN_FOLDER/work.")
@gathered(
    "review", _Review,
    click.option("--trial", help="Take the final reads of this trial's records instead of the run's own."),
    click.option("--cut", metavar="NAME", help="With --trial: the cases of this data cut alone."),
    home_option, database_option, person_option, role_option,
)  # fmt: skip
@json_option
def report(run_folder: Path, out: Path, subject: str | None, work: Path | None, review: _Review, as_json: bool) -> None:
    """The endpoint report of a finished run as HTML and PDF, or the report of one subject of it.

    With --trial the signed reads of a central review take the place of the run's own. A sponsor to whom the trial is
    blinded gets all subjects as one group.
    """
    from trialimg import bootstrap

    result, record, reviewed = review.instead_of(bootstrap.finished_result(run_folder, work), subject)
    one = _subject(result, subject, run_folder) if subject is not None else None
    bootstrap.make_folder(out)
    if one is not None:
        files = bootstrap.case_report(result, one, out, record)
    else:
        files = bootstrap.endpoint_report(result, out, reviewed)
    if as_json:
        print_json({"trial": result.trial, "subject": subject, "files": [str(path) for path in files]})
    else:
        for path in files:
            click.echo(str(path))


def _subject(result: TrialResult, subject: str, run_folder: Path) -> SubjectResult:
    found = next((one for one in result.subjects if one.subject.id == subject), None)
    if found is None:
        known = ", ".join(one.subject.id for one in result.subjects[:5])
        raise click.UsageError(f"{run_folder} has no subject {subject!r}; it has {known} ...")
    return found
