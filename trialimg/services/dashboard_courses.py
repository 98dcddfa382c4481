"""Each subject's course as charts need it: what the central reads say, or what a run of the software found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, Stage
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import full
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
from trialimg.services.reading_file import CASE, READ
from trialimg.services.records import Place
from trialimg.services.trials import protocol_of

__all__ = ["Course", "CoursePoint", "courses_of_reads", "courses_with_cases"]


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
        protocol = full(read_protocol(protocol_of(transaction, trial).body["text"]))
        found = []
        for case in transaction.find(CASE, Place(trial=trial, state=Stage.FINAL.value)):
            result = case.body["result"]
            if result is None or case.body["kind"] != CaseKind.EFFICACY.value:
                continue
            read = transaction.current(READ, result["read"])
            if read is not None:
                found.append(_of_read(case.body, read.body["answer"]))
    arms = tuple(dict.fromkeys(course.arm for course in found if course.arm))
    return TrialCourses(
        trial,
        protocol["response"]["criterion"],
        tuple(found),
        arms,
        thresholds=thresholds_of_protocol(protocol),
        imprint=Imprint(source="final central reads"),
    )


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
