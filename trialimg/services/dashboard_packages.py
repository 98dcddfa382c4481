"""What a data cut gives beside its table: datasets and figures, made from what was locked, noted when taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

from trialimg.core.access import Action, Actor
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.export import study_of_run
from trialimg.services.cdisc.from_records import final_reads_within
from trialimg.services.dashboard_courses import courses_within
from trialimg.services.dashboard_downloads import taken
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.kaplan_meier import survival_of_trial
from trialimg.services.figures.spider import spider
from trialimg.services.figures.swimmer import swimmer
from trialimg.services.figures.waterfall import waterfall
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.records import RecordVersion
from trialimg.services.trials import require_trial
from trialimg.services.trials_data_cut import intact_cut

__all__ = ["fetch_datasets", "fetch_figures"]


def fetch_datasets(
    records: Records,
    actor: Actor,
    trial: str,
    cut: str,
    *,
    run: FinishedRun,
    pack: Callable[[Study, dt.datetime], bytes],
) -> bytes:
    """SDTM and ADaM of the cases of a data cut, once it is in the ledger that they were taken.

    While the trial is blinded no dataset says in which arm anybody is.

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
    run.results_of(trial)
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        locked = intact_cut(transaction, trial, cut)
        only = _cases(locked)
        study = final_reads_within(transaction, study_of_run(run), trial, only=only)
        if require_trial(transaction, trial).body["blinded"]:
            study = _without_arms(study)
    made = pack(study, dt.datetime.fromisoformat(locked.body["cut_at"]))
    return taken(records, actor, trial, file=f"{trial}-{cut}-cdisc.zip", content=made)


def fetch_figures(
    records: Records, actor: Actor, trial: str, cut: str, *, pack: Callable[[Sequence[Figure]], bytes]
) -> bytes:
    """Waterfall, spider, swimmer and survival of the cases of a data cut, by the reads that hold; no arm in them.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ReadingError
        If there is no such cut, or its cases have changed since they were locked.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        locked = intact_cut(transaction, trial, cut)
        told = f"{cut}, {locked.body['cut_at'][:10]}"
        courses = courses_within(transaction, trial, only=_cases(locked), data_cut=told)
    figures = [make(courses) for make in (waterfall, spider, swimmer)]
    if any(course.progression_free for course in courses.courses):
        figures.append(survival_of_trial(courses))
    return taken(records, actor, trial, file=f"{trial}-{cut}-figures.zip", content=pack(figures))


def _cases(cut: RecordVersion) -> frozenset[str]:
    return frozenset(one["case"] for one in cut.body["cases"])


def _without_arms(study: Study) -> Study:
    courses = tuple(replace(one, subject=replace(one.subject, arm="")) for one in study.courses)
    return replace(study, courses=courses, demographics=())
