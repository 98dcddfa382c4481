"""Timepoints and subjects that only a table of assessments names."""

from __future__ import annotations

import datetime as dt

import pytest

from trialimg.core.errors import ReadingError
from trialimg.criteria.registry import criterion
from trialimg.services.respond_dates import with_assessed_dates
from trialimg.services.respond_lesions import SubjectReading, read_lesions

LESIONS = """subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,40
S1,W12,2024-03-25,T1,target,non_nodal,liver,measured,20
"""


def completed(rows: str, name: str = "gcig", lesions: str = LESIONS) -> tuple[SubjectReading, ...]:
    readings = read_lesions(lesions, "lesions.csv", may_be_empty=True)
    return with_assessed_dates(f"subject,timepoint,date,ca125\n{rows}", "facts.csv", criterion(name), readings)


def test_a_dated_timepoint_takes_its_place_between_the_others() -> None:
    (reading,) = completed("S1,W06,2024-02-12,100\nS1,W12,2024-03-25,90\n")
    assert [(t.id, t.order) for t in reading.timepoints] == [("BL", 0), ("W06", 1), ("W12", 2)]
    assert [o.timepoint for o in reading.tracks[0].observations] == [reading.timepoints[0], reading.timepoints[2]]


def test_lines_without_a_date_change_nothing() -> None:
    (reading,) = completed("S1,W06,,100\n")
    assert [t.id for t in reading.timepoints] == ["BL", "W12"]


def test_a_subject_without_lesions_is_added_where_the_criterion_needs_none() -> None:
    header = LESIONS.splitlines()[0] + "\n"
    (reading,) = completed("S2,D22,2024-01-23,100\nS2,BL,2024-01-01,400\n", lesions=header)
    assert (reading.subject, [t.id for t in reading.timepoints]) == ("S2", ["BL", "D22"])
    assert reading.timepoints[1].date == dt.date(2024, 1, 23)


def test_an_empty_table_of_lesions_is_a_fault_elsewhere() -> None:
    with pytest.raises(ReadingError):
        read_lesions(LESIONS.splitlines()[0] + "\n", "lesions.csv")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("S1,W12,2024-03-26,100\n", "other_date"),
        ("S1,W13,2024-03-25,100\n", "same_date"),
        ("S1,SCR,2023-12-01,100\n", "before_baseline"),
        ("S1,W06,2024-13-01,100\n", "bad_value"),
    ],
)
def test_dates_that_contradict_are_refused(rows: str, code: str) -> None:
    with pytest.raises(ReadingError) as refused:
        completed(rows)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_a_stranger_stays_a_stranger_where_lesions_are_needed() -> None:
    readings = read_lesions(LESIONS, "lesions.csv")
    text = "subject,timepoint,date,steroids\nS9,BL,2024-01-01,off\n"
    assert with_assessed_dates(text, "facts.csv", criterion("rano2"), readings) == readings
