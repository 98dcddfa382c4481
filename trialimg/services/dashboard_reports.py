"""Reports that are made when they are taken: of a data cut, and of one case; every taking is in the ledger."""

from __future__ import annotations

from collections.abc import Callable

from trialimg.core.access import Actor
from trialimg.core.errors import ReadingError
from trialimg.services.dashboard_downloads import taken
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.results import SubjectResult, TrialResult
from trialimg.services.results_file import read_result
from trialimg.services.review_record import ReviewRecord, review_record
from trialimg.services.review_report import CaseRecord, case_record, review_result

__all__ = ["fetch_case_report", "fetch_report"]


def fetch_report(
    records: Records,
    actor: Actor,
    trial: str,
    cut: str,
    *,
    run: FinishedRun,
    render: Callable[[TrialResult, ReviewRecord | None], bytes],
) -> bytes:
    """The endpoint report of a data cut, once it is in the ledger that it was taken; no arms for a blinded sponsor.

    Parameters
    ----------
    run
        The run that the cases were made from; it knows the subjects' dates.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ReadingError
        If there is no such cut, or its cases have changed since they were locked.
    IntegrityError
        If the run is of another trial.
    """
    found = review_result(read_result(run.results_of(trial)), records, actor, trial, cut=cut)
    record = review_record(records, actor, trial, cut=cut)
    return taken(records, actor, trial, file=f"{trial}-{cut}-report.pdf", content=render(found, record))


def fetch_case_report(
    records: Records,
    actor: Actor,
    trial: str,
    subject: str,
    *,
    run: FinishedRun,
    render: Callable[[TrialResult, SubjectResult, CaseRecord | None], bytes],
) -> bytes:
    """The report of one subject's case by the signed reads, once it is in the ledger that it was taken.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ReadingError
        If no case is final, or the run does not know the subject.
    IntegrityError
        If the run is of another trial.
    """
    found = review_result(read_result(run.results_of(trial)), records, actor, trial)
    one = next((result for result in found.subjects if result.subject.id == subject), None)
    if one is None:
        raise ReadingError(f"{run.folder}: this run knows no subject {subject!r}")
    record = case_record(records, actor, trial, subject)
    return taken(records, actor, trial, file=f"{trial}-{subject}-case.pdf", content=render(found, one, record))
