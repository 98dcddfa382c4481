"""Agreement with known answers is measured, not assumed."""

from __future__ import annotations

import datetime as dt

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import Lesion, LesionKind, Observation, Role, Seen, length_mm
from trialimg.core.responses import (
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Subject, Timepoint
from trialimg.imaging.measure import LesionMeasurement
from trialimg.services.results import LesionResult, SubjectResult, TimepointResult
from trialimg.services.truth import TRUTH_COLUMNS, check_truth

W06 = Timepoint("W06", 1, dt.date(2025, 3, 1))
LINE = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))


def found(long_axis_mm: float = 21.0, *, seen: Seen = Seen.MEASURED, overall: str = "PR", fragments: int = 1):
    """One subject with one lesion at one follow-up."""
    measurement = LesionMeasurement(1, long_axis_mm, 10.0, 10.0, 4.0, 22.0, 200.0, 3, LINE, LINE, (), "c")
    diameter = length_mm(long_axis_mm) if seen is Seen.MEASURED else None
    lesion = Lesion("S1/T01", LesionKind.NON_NODAL, "liver", "T01")
    result = LesionResult(
        Observation(lesion, W06, seen, diameter, "why"), Role.TARGET, "series", measurement, fragments, 4.4, 22.0
    )
    assessment = TimepointAssessment(
        W06, TargetResponse.PR, NonTargetResponse.NOT_APPLICABLE, NewLesionResponse.NO, OverallResponse(overall),
        Sums(None, None, None), (),
    )  # fmt: skip
    return [SubjectResult(Subject("S1"), (TimepointResult(W06, 43, assessment, (result,)),), None, ())]


def table(*rows: dict[str, str]) -> str:
    lines = [",".join(TRUTH_COLUMNS)]
    lines += [",".join(row.get(column, "") for column in TRUTH_COLUMNS) for row in rows]
    return "\n".join(lines)


LESION = {
    "record": "lesion", "subject": "S1", "timepoint": "W06", "lesion": "T01", "seen": "measured",
    "long_axis_mm": "20.0", "volume_ml": "4.0", "fragments": "1",
}  # fmt: skip
RESPONSE = {"record": "timepoint", "subject": "S1", "timepoint": "W06", "target": "PR", "overall": "PR"}


def test_errors_are_in_mm_and_in_voxels_and_blanks_are_not_compared():
    check = check_truth(table(LESION, RESPONSE), found(21.0), {"series": 2.0})
    assert check.median_abs_long_axis_error_mm == pytest.approx(1.0)
    assert check.median_abs_long_axis_error_voxels == pytest.approx(0.5)
    assert check.median_volume_error_pct == pytest.approx(10.0)
    assert (check.responses_compared, check.responses_equal) == (3, 3)  # seen, target, overall
    assert check.disagreements == ()


def test_a_wrong_answer_is_listed_with_both_words():
    check = check_truth(table(LESION, RESPONSE), found(overall="SD"), {"series": 2.0})
    assert check.responses_equal == 2
    (wrong,) = check.disagreements
    assert (wrong.subject, wrong.timepoint, wrong.category, wrong.truth, wrong.found) == (
        "S1", "W06", "overall", "PR", "SD",
    )  # fmt: skip


def test_a_timepoint_that_the_run_does_not_have_is_a_disagreement_not_a_blank():
    late = {**RESPONSE, "timepoint": "W12"}
    check = check_truth(table(LESION, late), found(), {"series": 2.0})
    assert [(d.timepoint, d.found) for d in check.disagreements] == [("W12", "(none)"), ("W12", "(none)")]


def test_a_lesion_that_was_not_seen_as_it_is_counts_as_a_disagreement_without_a_length_error():
    two = ({**LESION, "seen": "absent", "long_axis_mm": "", "volume_ml": ""}, {**LESION, "lesion": "T02"}, LESION)
    check = check_truth(table(*two), found(), {"series": 2.0})
    assert check.lesions_compared == 1
    assert [(d.category, d.truth, d.found) for d in check.disagreements] == [
        ("T01 seen", "absent", "measured"),
        ("T02 seen", "measured", "(not found)"),
    ]


def test_a_split_lesion_has_no_one_long_axis_to_compare():
    with pytest.raises(ReadingError, match="shares no measured lesion"):
        check_truth(table({**LESION, "fragments": "2"}, RESPONSE), found(fragments=2), {"series": 2.0})


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ReadingError, match="make the sample anew"):
        check_truth("subject,site\nS1,01\n", found(), {"series": 2.0})
