"""A worklist begins with what is overdue, goes on by the day on which things are due, else keeps the drawn order."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import TRIAL, Trial, entry, single
from tests.unit.protocol.texts import broken
from trialimg.core.access import Role
from trialimg.services import reading
from trialimg.services.reading_results import worklist
from trialimg.services.records import Place
from trialimg.services.trials import Change, amend_protocol

FIRST, LATER = ("C01", "C02", "C03"), ("C04", "C05", "C06")
DAY = dt.timedelta(days=1)


def text(days: str = "14", *, version: str = "1.0") -> str:
    """One reader, who reads a case within so many days; the order is drawn by chance."""
    protocol = broken("endpoints:", f"oversight: {{reading_days: {days}}}\nendpoints:", single(repeat_pct="0"))
    return broken('version: "1.0"', f'version: "{version}"', protocol)


def two_waves(between: dt.timedelta, days: str = "14") -> Trial:
    """Three cases given out, and three more some time after."""
    trial = Trial(text=text(days))
    trial.trained("rita")
    trial.receive(*FIRST)
    trial.assign()
    trial.records.clock.moment += between
    trial.also("ana", Role.ANALYST)
    trial.people["ana"] = trial.people["ana/analyst"]
    trial.receive(*LATER)
    trial.assign()
    return trial


def listed(trial: Trial, after: dt.timedelta = dt.timedelta(0)) -> list[dict]:
    trial.records.clock.moment += after
    trial.also("rita", Role.RADIOLOGIST)
    return worklist(trial.records, trial.actor("rita/radiologist"), TRIAL)


def test_what_is_due_earlier_comes_first_and_one_day_keeps_the_drawn_order():
    rows = listed(two_waves(3 * DAY))
    assert [row["due_on"] for row in rows] == sorted(row["due_on"] for row in rows)
    assert len({row["due_on"] for row in rows}) == 2
    assert [row["order"] for row in rows] == [1, 2, 3, 4, 5, 6]


def test_a_read_that_was_begun_keeps_the_day_on_which_it_was_given_out():
    trial = two_waves(3 * DAY)
    alias = listed(trial, after=2 * DAY)[0]["alias"]
    rita = trial.actor("rita/radiologist")
    reading.open_case(trial.records, rita, TRIAL, alias)
    reading.save_draft(trial.records, rita, TRIAL, alias, step="BL", entry=entry("40"))
    rows = listed(trial)
    assert (rows[0]["alias"], rows[0]["state"]) == (alias, "in_progress")


def test_a_shorter_time_in_an_amended_protocol_brings_later_cases_to_the_front():
    trial = Trial(text=text("60"))
    trial.trained("rita")
    trial.receive(*FIRST)
    trial.assign()
    amended = text("7", version="2.0")
    amend_protocol(trial.records, trial.actor("ana"), amended, Change("faster", dt.date(2026, 1, 1)))
    trial.trained("rita", version="2.0")
    trial.receive(*LATER)
    trial.assign()
    assert [row["order"] for row in listed(trial)] == [4, 5, 6, 1, 2, 3]
    overdue = listed(trial, after=10 * DAY)
    assert [row["is_overdue"] for row in overdue] == [True] * 3 + [False] * 3


def test_what_is_overdue_stands_before_what_is_due_on_the_same_day():
    """The first wave is due in the morning, the second on that evening; it is noon."""
    trial = two_waves(dt.timedelta(hours=6))
    first = dt.datetime.fromisoformat(given(trial, 1))
    noon = first + 14 * DAY + dt.timedelta(hours=3)
    rows = listed(trial, after=noon - trial.records.clock.moment)
    assert len({row["due_on"] for row in rows}) == 1
    assert [row["is_overdue"] for row in rows] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("days", ["null", "30"])
def test_without_different_days_the_drawn_order_is_all(days):
    rows = listed(two_waves(dt.timedelta(minutes=1), days))
    assert [row["order"] for row in rows] == [1, 2, 3, 4, 5, 6]


def given(trial: Trial, order: int) -> str:
    with trial.records.store.reading() as transaction:
        found = transaction.find("assignment", Place(trial=TRIAL, person="rita"))
        return next(one.body["since"] for one in found if one.body["order"] == order)
