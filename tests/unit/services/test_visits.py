"""Scans meet the schedule."""

from __future__ import annotations

import datetime as dt

import pytest

from trialimg.endpoints.settings import PlannedVisit
from trialimg.services.images import SeriesRecord
from trialimg.services.visits import Schedule, match_visits, study_day

REFERENCE = dt.date(2025, 1, 15)
SCHEDULE = Schedule(PlannedVisit("BL", 1, -28, 1), (PlannedVisit("W06", 43, 36, 50), PlannedVisit("W12", 85, 78, 92)))


def series(day: int | None) -> SeriesRecord:
    """A series of study day 1 (the reference date), 2, ... or -1, -2, ... before it."""
    date = None if day is None else REFERENCE + dt.timedelta(days=day - 1 if day > 0 else day)
    return SeriesRecord("S1", f"study{day}", f"series{day}", "for", "CT", date, "", (), 512, 512, (0.8, 0.8), 5.0)


def matched(*days: int | None):
    return match_visits([series(day) for day in days], REFERENCE, SCHEDULE, "S1")


@pytest.mark.parametrize(("offset", "day"), [(0, 1), (1, 2), (-1, -1), (-28, -28), (42, 43)])
def test_there_is_no_day_0(offset, day):
    assert study_day(REFERENCE + dt.timedelta(days=offset), REFERENCE) == day


@pytest.mark.parametrize(
    ("day", "visit"),
    [(-28, "BL"), (1, "BL"), (36, "W06"), (50, "W06"), (85, "W12"), (-29, "UNS-2024-12-17"), (51, "UNS-2025-03-06")],
)
def test_both_ends_of_a_window_belong_to_it(day, visit):
    visits, _ = matched(day)
    assert [v.timepoint.id for v in visits] == [visit]


def test_baseline_comes_first_then_by_date_whatever_the_order_of_files():
    visits, findings = matched(84, 60, -3, 43)
    assert [(v.timepoint.id, v.timepoint.order, v.day) for v in visits] == [
        ("BL", 0, -3),
        ("W06", 1, 43),
        ("UNS-2025-03-15", 2, 60),
        ("W12", 3, 84),
    ]
    assert [f.code for f in findings] == ["off_schedule"]


def test_scans_on_two_days_of_one_window_are_one_assessment():
    visits, _ = matched(-3, 41, 45)
    followup = visits[1].timepoint
    assert (followup.first_date, followup.date) == (dt.date(2025, 2, 24), dt.date(2025, 2, 28))
    assert followup.progression_date == dt.date(2025, 2, 24)


def test_a_missed_visit_is_a_finding_only_once_a_later_one_came():
    assert [f.code for f in matched(-3, 85)[1]] == ["missed_visit"]
    assert [f.code for f in matched(-3, 43)[1]] == []


def test_without_baseline_nothing_takes_its_place():
    visits, findings = matched(43)
    assert [v.timepoint.order for v in visits] == [1]
    assert [f.code for f in findings] == ["missed_visit"]


def test_a_series_without_date_is_set_aside_with_its_reason():
    visits, findings = matched(-3, None)
    assert [v.timepoint.id for v in visits] == ["BL"]
    assert [(f.code, f.severity.value) for f in findings] == [("no_date", "excluded")]
