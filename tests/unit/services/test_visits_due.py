"""A visit is due while its window is open, overdue once it has closed, and never expected after a progression."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, single
from tests.fakes.people import at_desk
from tests.unit.protocol.texts import VALID, broken
from trialimg.core.access import Role
from trialimg.core.errors import AccessError
from trialimg.protocol.load import read_protocol
from trialimg.services.cases import withdraw_consent
from trialimg.services.reading_results import worklist
from trialimg.services.response import schedule
from trialimg.services.visits_due import expected_visits, visits_due_now

PLANNED = schedule(read_protocol(VALID))
DAY_1 = dt.date(2026, 1, 6)
"""W06: days 36 to 50, W12: days 78 to 92."""


def case(*visits: str) -> dict[str, object]:
    timepoints = [{"id": one, "date": DATES[one].isoformat()} for one in visits]
    return {"subject": "S1", "code": "C1", "reference_date": DAY_1.isoformat(), "timepoints": timepoints}


def on(day: int) -> dt.date:
    return DAY_1 + dt.timedelta(days=day - 1)


@pytest.mark.parametrize(
    ("day", "received", "due", "overdue", "next_day"),
    [
        (1, ("BL",), (), (), None),
        (35, ("BL",), (), (), None),
        (36, ("BL",), ("W06",), (), 50),
        (50, ("BL",), ("W06",), (), 50),
        (51, ("BL",), (), ("W06",), 50),
        (51, ("BL", "W06"), (), (), None),
        (78, ("BL",), ("W12",), ("W06",), 50),
        (78, ("BL", "W06"), ("W12",), (), 92),
        (93, ("BL",), (), ("W06", "W12"), 50),
        (93, ("BL", "W06", "W12"), (), (), None),
        (2, (), (), ("BL",), 1),
        (1, (), ("BL",), (), 1),
    ],
)
def test_what_is_expected_of_a_subject_by_a_day(day, received, due, overdue, next_day):
    found = expected_visits(case(*received), PLANNED, on(day))
    assert (found.due, found.overdue) == (due, overdue)
    assert found.next_on == (on(next_day) if next_day else None)


def test_the_baseline_is_due_before_day_1_and_there_is_no_day_0():
    before = expected_visits(case(), PLANNED, DAY_1 - dt.timedelta(days=1))
    assert before.due == ("BL",)
    assert expected_visits(case(), PLANNED, DAY_1 - dt.timedelta(days=29)).due == ()
    assert expected_visits(case(), PLANNED, DAY_1 - dt.timedelta(days=28)).due == ("BL",)


def test_visits_that_begin_after_the_last_day_are_not_expected_and_earlier_ones_are():
    found = expected_visits(case("BL"), PLANNED, on(100), on(60))
    assert (found.due, found.overdue) == ((), ("W06",))


def later(trial: Trial, day: dt.date) -> None:
    """The clock goes on, and everybody signs in again."""
    trial.records.clock.moment = dt.datetime.combine(day, dt.time(8), dt.UTC)
    trial.people["ana"] = at_desk(trial.records, f"ana-{day}", Role.ANALYST)


def test_the_trial_counts_received_due_and_overdue_and_says_of_whom_nothing_can_be_told():
    trial = Trial()
    trial.receive("C0001", timepoints=("BL",))
    trial.receive("C0002", timepoints=("BL", "W06"))
    later(trial, DATES["BL"] + dt.timedelta(days=60))
    lines, counts = visits_due_now(trial.records, trial.actor("ana"), TRIAL)
    assert [(one.case, one.due, one.overdue) for one in lines] == [("C0001", (), ("W06",)), ("C0002", (), ())]
    assert (counts.received, counts.due, counts.overdue, counts.unknown) == (3, 0, 1, 0)
    withdraw_consent(trial.records, trial.actor("ana"), TRIAL, "S-C0001", reason="asked for")
    assert visits_due_now(trial.records, trial.actor("ana"), TRIAL)[1].overdue == 0


def test_nobody_but_who_sees_the_trial_as_a_whole_sees_what_is_due():
    trial = Trial()
    for role in (Role.RADIOLOGIST, Role.ADJUDICATOR, Role.SPONSOR, Role.SITE, Role.ADMINISTRATOR):
        other, _ = at_desk(trial.records, f"x-{role.value}", role, trial=TRIAL)
        with pytest.raises(AccessError):
            visits_due_now(trial.records, other, TRIAL)


def test_after_a_progression_that_the_central_read_holds_no_later_visit_is_missed():
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001", timepoints=("BL", "W06"))
    trial.assign()
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "30", "W06": "50"})
    assert trial.state("C0001") == "final"
    later(trial, DATES["BL"] + dt.timedelta(days=120))
    (line,), counts = visits_due_now(trial.records, trial.actor("ana"), TRIAL)
    assert (line.due, line.overdue, counts.overdue) == ((), (), 0)


READ_BY = broken("endpoints:", "oversight: {reading_days: 14}\nendpoints:", single())


@pytest.mark.parametrize(("days", "is_overdue"), [(0, False), (13, False), (14, True), (40, True)])
def test_a_read_that_is_not_signed_in_time_is_marked_in_the_worklist(days, is_overdue):
    trial = Trial(text=READ_BY)
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    given = trial.records.clock.moment
    trial.records.clock.moment += dt.timedelta(days=days)
    trial.also("rita", Role.RADIOLOGIST)
    (row,) = worklist(trial.records, trial.actor("rita/radiologist"), TRIAL)
    assert row["due_on"] == (given + dt.timedelta(days=14)).date().isoformat()
    assert row["is_overdue"] is is_overdue


def test_where_the_protocol_says_nothing_no_read_is_overdue():
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    trial.records.clock.moment += dt.timedelta(days=400)
    trial.also("rita", Role.RADIOLOGIST)
    (row,) = worklist(trial.records, trial.actor("rita/radiologist"), TRIAL)
    assert (row["due_on"], row["is_overdue"]) == ("", False)
