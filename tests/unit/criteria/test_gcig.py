"""GCIG: CA-125 by day, alone and together with RECIST."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from trialimg.core.responses import CriterionAssessment, OverallResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria import gcig
from trialimg.criteria.gcig import Facts, Rules, Sample, combined, judge_ca125


def ca125(*values: tuple[int, str | None], rules: Rules | None = None) -> list[str]:
    """Words of values by day, the first that of baseline; ULN 35 U/mL."""
    samples = [Sample(f"D{day}", day, None if value is None else Decimal(value)) for day, value in values]
    return [word.value for word, _ in judge_ca125(samples, rules or Rules())]


def assessed(**facts: Facts) -> tuple[CriterionAssessment, ...]:
    """Samples by day (``D28``), the first that of baseline."""
    first = dt.date(2024, 1, 1)
    visits = [Timepoint(n, order, first + dt.timedelta(days=int(n[1:]))) for order, n in enumerate(facts)]
    return gcig.assess((), (), visits, facts=facts)


class TestResponse:
    def test_half_less_held_four_weeks_within_variability(self) -> None:
        assert ca125((0, "400"), (22, "190"), (50, "195")) == ["PR", "PR"]
        samples = [Sample("BL", 0, Decimal(400)), Sample("A", 22, Decimal(190)), Sample("B", 50, Decimal(195))]
        (_, why), _ = judge_ca125(samples, Rules())
        assert "CA-125 190 U/mL <= 0.50 x baseline 400 U/mL = 200 U/mL; from A held to B, 28 days" in why.sentence

    @pytest.mark.parametrize(
        ("second", "day", "word"), [("209", 50, "PR"), ("209.1", 50, "SD"), ("195", 49, "SD"), ("195", 50, "PR")]
    )
    def test_limits_of_rise_and_time(self, second: str, day: int, word: str) -> None:
        assert ca125((0, "400"), (22, "190"), (day, second))[0] == word

    def test_a_rise_between_breaks_it(self) -> None:
        assert ca125((0, "400"), (22, "190"), (36, "220"), (50, "195"))[0] == "SD"

    def test_changes_within_normal_do_not_matter_and_make_it_complete(self) -> None:
        assert ca125((0, "400"), (22, "10"), (50, "34")) == ["CR", "CR"]

    @pytest.mark.parametrize(("baseline", "word"), [("70", "PR"), ("69.9", "NE")])
    def test_evaluable_from_twice_normal(self, baseline: str, word: str) -> None:
        low = str(Decimal(baseline) / 2)
        rules = Rules(uln=Decimal(35))
        expected = "CR" if word == "PR" else word
        assert ca125((0, baseline), (22, low), (50, low), rules=rules)[0] == expected


class TestProgression:
    def test_never_normal_twice_the_nadir(self) -> None:
        assert ca125((0, "200"), (60, "90"), (120, "180"), (128, "185"))[1:] == ["PD", "PD"]
        assert ca125((0, "200"), (60, "90"), (120, "179.9"), (128, "185"))[1] == "SD"

    def test_once_normal_twice_the_limit(self) -> None:
        assert ca125((0, "200"), (60, "20"), (120, "70"), (127, "71"))[1:] == ["PD", "PD"]
        assert "PD" not in ca125((0, "200"), (60, "20"), (120, "69"), (127, "71"))

    def test_normal_at_baseline_twice_the_limit(self) -> None:
        assert ca125((0, "30"), (60, "70"), (67, "70")) == ["PD", "PD"]

    @pytest.mark.parametrize(("day", "word"), [(126, "SD"), (127, "PD")])
    def test_a_week_lies_between_the_two(self, day: int, word: str) -> None:
        assert ca125((0, "200"), (60, "90"), (120, "180"), (day, "185"))[1] == word

    def test_a_second_value_below_refutes_it(self) -> None:
        assert "PD" not in ca125((0, "200"), (60, "90"), (120, "180"), (128, "179"))


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(
        "fact",
        [
            Facts(Decimal(100), mouse_antibody=True),
            Facts(Decimal(100), days_since_surgery=27),
            Facts(Decimal(100), same_assay=False),
            Facts(),
        ],
    )
    def test_a_value_under_interference_is_none(self, fact: Facts) -> None:
        (answer,) = assessed(D0=Facts(Decimal(400)), D28=fact)
        assert answer.parts["ca125"].value == "NE"

    def test_a_baseline_taken_too_early_is_none(self) -> None:
        for days, word in ((14, "PR"), (15, "NE")):
            first, _ = assessed(
                D0=Facts(Decimal(400), days_before_start=days), D28=Facts(Decimal(100)), D60=Facts(Decimal(100))
            )
            assert first.parts["ca125"].value == word


@pytest.mark.parametrize(
    ("recist", "marker", "word"),
    [
        ("CR", "CR", "CR"),
        ("CR", "PR", "PR"),
        ("CR", "SD", "PR"),
        ("PR", "CR", "PR"),
        ("PR", "SD", "PR"),
        ("SD", "PR", "PR"),
        ("SD", "SD", "SD"),
        ("SD", "NE", "SD"),
        ("NE", "PR", "PR"),
        ("NE", "NE", "NE"),
        ("PD", "CR", "PD"),
        ("PR", "PD", "PD"),
    ],
)
def test_recist_and_ca125_together(recist: str, marker: str, word: str) -> None:
    assert combined(OverallResponse(recist), OverallResponse(marker)).value == word


def test_progression_by_ca125_may_not_count_beside_a_response() -> None:
    rules = Rules(recist_bars_ca125_pd=True)
    assert combined(OverallResponse.PR, OverallResponse.PD, rules) is OverallResponse.PR
    assert combined(OverallResponse.SD, OverallResponse.PD, rules) is OverallResponse.PD
