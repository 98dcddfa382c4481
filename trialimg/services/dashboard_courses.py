"""Each subject's course as charts need it: what the central reads say, or what a run of the software found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, Stage
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.reading_file import CASE, READ
from trialimg.services.records import Place

__all__ = ["Course", "CoursePoint", "courses_of_reads", "courses_of_run"]


@dataclass(frozen=True)
class CoursePoint:
    """One visit after baseline."""

    timepoint: str
    day: int
    """Days since the reference date (of a run), or since baseline."""
    change_pct: float | None
    """Of the sum of diameters from baseline; None where there is no sum."""
    response: str


@dataclass(frozen=True)
class Course:
    """One subject."""

    subject: str
    case: str
    """Code of the case; empty where the subject has none."""
    best_response: str
    best_change_pct: float | None
    points: tuple[CoursePoint, ...]
    progression_day: int | None
    is_confirmed_by_people: bool
    """Whether it rests on signed reads, not on the software alone."""


def courses_of_reads(records: Records, actor: Actor, trial: str) -> tuple[Course, ...]:
    """The final efficacy cases, by the read that holds.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        found = []
        for case in transaction.find(CASE, Place(trial=trial, state=Stage.FINAL.value)):
            result = case.body["result"]
            if result is None or case.body["kind"] != CaseKind.EFFICACY.value:
                continue
            read = transaction.current(READ, result["read"])
            if read is not None:
                found.append(_of_read(case.body, read.body["answer"]))
        return tuple(found)


def courses_of_run(run: FinishedRun, cases: Mapping[str, str]) -> tuple[Course, ...]:
    """What the run found, for every subject with a usable baseline.

    Parameters
    ----------
    cases
        Subject to code of the case.
    """
    subjects = (one for one in run.results()["subjects"] if one["endpoints"] is not None)
    return tuple(_of_subject(one, cases.get(one["subject"]["id"], "")) for one in subjects)


def _of_read(case: Mapping[str, Any], answer: Mapping[str, Any]) -> Course:
    start = dt.date.fromisoformat(case["timepoints"][0]["date"])
    points = tuple(
        CoursePoint(
            one["timepoint"]["id"],
            (dt.date.fromisoformat(one["timepoint"]["date"]) - start).days,
            _number(one["sums"]["change_from_baseline_pct"]),
            one["overall"],
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


def _of_subject(one: Mapping[str, Any], case: str) -> Course:
    endpoints = one["endpoints"]
    start = dt.date.fromisoformat(one["subject"]["reference_date"] or one["timepoints"][0]["timepoint"]["date"])
    points = tuple(_points(one["timepoints"], start))
    change = _number(endpoints["burden"]["best_change_pct"]) if endpoints["burden"] else None
    progressed = endpoints["progression_date"]
    return Course(
        one["subject"]["id"],
        case,
        endpoints["best"]["response"],
        change,
        points,
        (dt.date.fromisoformat(progressed) - start).days if progressed else None,
        is_confirmed_by_people=False,
    )


def _points(timepoints: list[Mapping[str, Any]], start: dt.date) -> Iterator[CoursePoint]:
    for one in timepoints:
        if (judged := one["assessment"]) is None:
            continue
        now, before = _number(judged["sums"]["sum_mm"]), _number(judged["sums"]["baseline_mm"])
        change = 100 * (now - before) / before if now is not None and before else None
        day = (dt.date.fromisoformat(one["timepoint"]["date"]) - start).days
        yield CoursePoint(one["timepoint"]["id"], day, change, judged["overall"])


def _least(points: tuple[CoursePoint, ...]) -> float | None:
    return min((point.change_pct for point in points if point.change_pct is not None), default=None)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
