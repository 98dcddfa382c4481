"""Reading designs: which seats a case needs, and which designs contradict themselves."""

from __future__ import annotations

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.core.reading import CaseKind, Seat
from trialimg.review.design import ConfirmationCause, ReadingDesign, Resolution, Trigger, TriggerVariable

BEST = Trigger(TriggerVariable.BEST_RESPONSE)
PROGRESSION = Trigger(TriggerVariable.PROGRESSION_DATE, tolerance_days=14)


def test_a_single_read_needs_one_seat() -> None:
    assert ReadingDesign(readers=1).seats == (Seat.FIRST,)


def test_a_double_read_with_triggers_needs_an_adjudicator() -> None:
    design = ReadingDesign(readers=2, adjudication=(BEST, PROGRESSION))
    assert design.seats == (Seat.FIRST, Seat.SECOND, Seat.ADJUDICATOR)


@pytest.mark.parametrize(
    ("settings", "place", "code"),
    [
        ({"readers": 0}, "readers", "out_of_range"),
        ({"readers": 3, "adjudication": (BEST,)}, "readers", "out_of_range"),
        ({"readers": 1, "adjudication": (BEST,)}, "adjudication", "needs_two_readers"),
        ({"readers": 2}, "adjudication", "no_adjudication"),
        ({"repeat_pct": 101}, "repeat_pct", "out_of_range"),
        ({"repeat_pct": -1}, "repeat_pct", "out_of_range"),
        ({"readers": 2, "adjudication": (BEST, BEST)}, "adjudication[1].variable", "duplicate"),
    ],
)
def test_a_design_that_contradicts_itself_is_refused(settings: dict[str, object], place: str, code: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        ReadingDesign(**settings)  # type: ignore[arg-type]
    assert [(fault.where, fault.code) for fault in refusal.value.faults] == [(place, code)]


def test_every_contradiction_is_named_at_once() -> None:
    with pytest.raises(InvalidValueError) as refusal:
        ReadingDesign(readers=1, adjudication=(BEST, BEST), repeat_pct=200)
    assert [fault.code for fault in refusal.value.faults] == ["needs_two_readers", "out_of_range", "duplicate"]


@pytest.mark.parametrize("variable", [v for v in TriggerVariable if not v.is_date])
def test_only_a_date_has_a_tolerance_in_days(variable: TriggerVariable) -> None:
    with pytest.raises(InvalidValueError, match="not a date"):
        Trigger(variable, tolerance_days=7)


def test_a_tolerance_is_not_negative() -> None:
    with pytest.raises(InvalidValueError, match="0 days or more"):
        Trigger(TriggerVariable.RESPONSE_DATE, tolerance_days=-1)


def test_a_consensus_needs_no_adjudicator_but_two_readers() -> None:
    design = ReadingDesign(readers=2, adjudication=(BEST,), resolution=Resolution.CONSENSUS)
    assert design.seats == (Seat.FIRST, Seat.SECOND)
    with pytest.raises(InvalidValueError, match="readers is 1"):
        ReadingDesign(resolution=Resolution.CONSENSUS)


@pytest.mark.parametrize(
    ("settings", "place", "code"),
    [
        ({"case_kinds": ()}, "case_kinds", "empty"),
        ({"case_kinds": (CaseKind.EFFICACY, CaseKind.EFFICACY)}, "case_kinds[1]", "duplicate"),
        ({"case_kinds": (CaseKind.EFFICACY, CaseKind.PROGRESSION)}, "confirmation", "one_of_two"),
        ({"confirmation": (ConfirmationCause.CROSSOVER,)}, "confirmation", "one_of_two"),
    ],
)
def test_kinds_of_case_that_cannot_be_are_refused(settings: dict[str, object], place: str, code: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        ReadingDesign(**settings)  # type: ignore[arg-type]
    assert [(fault.where, fault.code) for fault in refusal.value.faults] == [(place, code)]
