"""Each subject's course as charts need it: what the central reads say, or what a run of the software found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, Stage
from trialimg.protocol.model import full
from trialimg.services.central_survival import progression_free_of
from trialimg.services.figures.courses import (
    Course,
    CoursePoint,
    Imprint,
    TrialCourses,
    courses_of_run,
    thresholds_of_protocol,
)
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import CASE, READ, protocol_in_force, protocol_under
from trialimg.services.records import Place, RecordVersion

__all__ = ["Course", "CoursePoint", "courses_of_reads", "courses_with_cases", "courses_within"]


def courses_of_reads(records: Records, actor: Actor, trial: str) -> TrialCourses:
    """The final efficacy cases, by the read that holds.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    ProtocolError
        If there is no such trial.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        return courses_within(transaction, trial)


def courses_within(
    transaction: Transaction, trial: str, *, only: Collection[str] | None = None, data_cut: str = ""
) -> TrialCourses:
    """The same within a look at the records.

    Parameters
    ----------
    only
        Ids of the cases that are taken, such as those of a data cut; None: every final one.
    data_cut
        Name of the cut, as it stands below the figures.

    Raises
    ------
    ProtocolError
        If there is no such trial.
    """
    protocol = full(protocol_in_force(transaction, trial))
    protocol_of = cache(partial(protocol_under, transaction, trial))
    final = transaction.find(CASE, Place(trial=trial, state=Stage.FINAL.value))
    wanted = {case.body["result"]["read"]: case for case in final if _is_told(case, only)}
    reads = {read.id: read for read in transaction.find(READ, Place(trial=trial)) if read.id in wanted}
    found = []
    for name, case in wanted.items():
        if (read := reads.pop(name, None)) is not None:
            free = progression_free_of(case.body, read.body, protocol_of(case.body["protocol_digest"]))
            found.append(replace(_of_read(case.body, read.body["answer"]), progression_free=free))
    arms = tuple(dict.fromkeys(course.arm for course in found if course.arm))
    return TrialCourses(
        trial,
        protocol["response"]["criterion"],
        tuple(found),
        arms,
        thresholds=thresholds_of_protocol(protocol),
        imprint=Imprint(data_cut, source="final central reads; deaths are not among their records"),
        confidence=float(protocol["statistics"]["confidence"]),
        rate_method=protocol["statistics"]["rate_interval"],
    )


def _is_told(case: RecordVersion, only: Collection[str] | None) -> bool:
    is_efficacy = case.body["result"] is not None and case.body["kind"] == CaseKind.EFFICACY.value
    return is_efficacy and (only is None or case.id in only)


def courses_with_cases(run: FinishedRun, cases: Mapping[str, str]) -> TrialCourses:
    """What the run found, for every subject with a usable baseline.

    Parameters
    ----------
    cases
        Subject to code of the case.
    """
    told = courses_of_run(run)
    known = (replace(one, case=cases.get(one.subject, "")) for one in told.courses if one.is_usable)
    return replace(told, courses=tuple(known))


def _of_read(case: Mapping[str, Any], answer: Mapping[str, Any]) -> Course:
    start = dt.date.fromisoformat(case["timepoints"][0]["date"])
    points = tuple(
        CoursePoint(
            one["timepoint"]["id"],
            (dt.date.fromisoformat(one["timepoint"]["date"]) - start).days,
            _number(one["sums"]["change_from_baseline_pct"]),
            one["overall"],
            has_new_lesion=one.get("new_lesion") == "unequivocal",
        )
        for one in answer["timepoints"]
    )
    compared = answer["compared"]
    progressed = compared["progression_date"]
    return Course(
        case["subject"],
        case["code"],
        compared["best_response"],
        _least(points),
        points,
        (dt.date.fromisoformat(progressed) - start).days if progressed else None,
        is_confirmed_by_people=True,
    )


def _least(points: tuple[CoursePoint, ...]) -> float | None:
    return min((point.change_pct for point in points if point.change_pct is not None), default=None)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
