"""Indicators of a model in use: worked by hand, judged against their limits, silent where too little is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from statsmodels.stats.proportion import proportion_confint

from trialimg.core.errors import InvalidValueError
from trialimg.services.model_evidence import Fate, Judged
from trialimg.services.model_indicators import Indicator, Light, Validation, indicators
from trialimg.services.model_limits import HealthLimits

NOW = "2026-06-30T12:00:00.000000+00:00"
LIMITS = HealthLimits()
VALID = Validation("2026-05-01T12:00:00.000000+00:00", "trialimg 1")
ONE = Judged("", "T/C1", "line", "m@1", Fate.UNCHANGED, 20.0, 20.0, 1.0, 0.5, 2.0)


def days_ago(days: float) -> str:
    return (dt.datetime.fromisoformat(NOW) - dt.timedelta(days=days)).isoformat()


def answers(count: int, days: float = 10, **more) -> list[Judged]:
    return [replace(ONE, at=days_ago(days), case=f"T/C{number}", **more) for number in range(count)]


def by_name(found: list[Judged], limits: HealthLimits = LIMITS, validation=VALID) -> dict[str, Indicator]:
    ordered = sorted(found, key=lambda one: one.at)
    return {one.name: one for one in indicators(ordered, limits, now=NOW, validation=validation, software="trialimg 1")}


def test_without_a_single_answer_nothing_is_judged_and_nothing_is_red():
    found = by_name([], validation=None)
    assert {one.light for name, one in found.items() if name != "cases"} == {Light.DARK}
    assert found["cases"].light is Light.AMBER
    assert found["validated_days"].why == "not_used"
    assert found["dice"].why == "not_recorded"


def test_shares_are_counted_over_those_that_could_be_so():
    """6 unchanged, 3 changed, 2 left, 1 failed: 3 of 9 taken, 2 of 11 answered, 1 of 12 asked."""
    found = by_name(
        [
            *answers(6),
            *answers(3, fate=Fate.CHANGED, dice=0.8),
            *answers(2, fate=Fate.LEFT, accepted_mm=None, dice=None),
            *answers(1, fate=Fate.FAILED, proposed_mm=None, accepted_mm=None, dice=None),
        ]
    )
    for name, events, n in (("edited_pct", 3, 9), ("rejected_pct", 2, 11), ("failed_pct", 1, 12)):
        lower, upper = proportion_confint(events, n, method="beta")
        figure = found[name].figure
        assert (figure.value, figure.n) == (pytest.approx(100 * events / n), n)
        assert (figure.lower, figure.upper) == (pytest.approx(100 * lower), pytest.approx(100 * upper))


def test_a_share_is_red_only_where_its_interval_lies_beyond_amber():
    """4 of 10 left is 40 % (12 to 74 %): beyond red, but amber is inside; 40 of 100 (30 to 50 %) is red."""
    few = [*answers(6), *answers(4, fate=Fate.LEFT)]
    assert by_name(few)["rejected_pct"].light is Light.AMBER
    assert by_name(few * 10)["rejected_pct"].light is Light.RED
    assert by_name(answers(100))["rejected_pct"].light is Light.GREEN


def test_a_low_dice_is_red_and_fewer_answers_than_asked_for_are_not_judged():
    assert by_name(answers(20, dice=0.7, fate=Fate.CHANGED))["dice"].light is Light.RED
    assert by_name(answers(20, dice=0.8, fate=Fate.CHANGED))["dice"].light is Light.AMBER
    few = by_name(answers(9, dice=0.1, fate=Fate.CHANGED))["dice"]
    assert (few.light, few.why, few.figure.value) == (Light.DARK, "too_few", pytest.approx(0.1))


def test_a_bias_is_the_mean_difference_with_its_interval_and_counts_either_way():
    """Proposed minus accepted: -3 and -1 mm in turn: mean -2, SD 1.0206, t(24) 2.0639."""
    found = [
        replace(
            ONE, at=days_ago(5), case=f"C{n}", fate=Fate.CHANGED, proposed_mm=20.0, accepted_mm=23.0 if n % 2 else 21.0
        )
        for n in range(24)
    ]
    bias = by_name(found)["bias_mm"]
    half = 2.068658 * (24 / 23) ** 0.5 / 24**0.5
    assert bias.figure.value == pytest.approx(-2.0)
    assert (bias.figure.lower, bias.figure.upper) == (
        pytest.approx(-2 - half, abs=1e-5),
        pytest.approx(-2 + half, abs=1e-5),
    )
    assert bias.light is Light.AMBER
    wider = HealthLimits(bias_red_mm=Decimal("1.9"))
    assert by_name(found, wider)["bias_mm"].light is Light.RED
    assert by_name(found)["bias_pct"].figure.value == pytest.approx(100 * (-1 / 21 - 3 / 23) / 2)


def test_latency_is_its_95th_percentile_with_the_median_beside_it():
    slow = [replace(one, seconds=float(n)) for n, one in enumerate(answers(21))]
    seconds = by_name(slow)["seconds"]
    assert (seconds.figure.value, seconds.figure.detail) == (19.0, {"p50": 10.0})
    assert seconds.light is Light.RED


def test_energy_is_the_mean_of_cases_at_the_stated_power():
    """Two lines of 2 s in one case, one in another: 3 s a case at 12 W: 0.01 Wh."""
    found = [*answers(2), *answers(1)]
    energy = by_name(found, HealthLimits(watts=Decimal(12), min_answers=1))["energy_wh"]
    assert energy.figure.value == pytest.approx(3 * 12 / 3600)
    assert energy.figure.detail == {"cpu_seconds": 3.0, "watts": 12.0}


def test_intervals_that_miss_too_often_are_red_and_without_intervals_nothing_is_said():
    assert by_name(answers(20))["coverage_pct"].why == "not_recorded"
    inside = answers(30, interval_mm=(18.0, 22.0))
    beside = answers(30, interval_mm=(21.0, 22.0))
    assert by_name(inside)["coverage_pct"].figure.value == 100
    assert by_name(inside)["coverage_pct"].light is Light.GREEN
    assert by_name([*inside, *beside])["coverage_pct"].light is Light.RED


def with_thickness(count: int, days: float, slice_mm: float) -> list[Judged]:
    return [replace(one, facts={"slice_mm": slice_mm + n % 3 / 100}) for n, one in enumerate(answers(count, days))]


def test_thicker_slices_than_before_are_drift():
    before = with_thickness(200, 200, 1.0)
    assert by_name([*before, *with_thickness(100, 10, 1.0)])["psi_slice_mm"].light is Light.GREEN
    moved = by_name([*before, *with_thickness(100, 10, 5.0)])["psi_slice_mm"]
    assert moved.light is Light.RED
    assert moved.figure.detail["ks_d"] == 1
    assert moved.figure.detail["ks_p"] < 1e-30


def test_drift_is_silent_without_a_reference_or_with_few_answers():
    assert by_name(with_thickness(100, 10, 1.0))["psi_slice_mm"].why == "no_reference"
    assert by_name([*with_thickness(100, 200, 1.0), *with_thickness(10, 10, 5.0)])["psi_slice_mm"].why == "too_few"
    assert by_name(answers(40))["psi_slice_mm"].why == "not_recorded"


def of_site(site: str, unchanged: int, changed: int) -> list[Judged]:
    groups = {"site": site}
    return [*answers(unchanged, groups=groups), *answers(changed, groups=groups, fate=Fate.CHANGED)]


def test_a_group_whose_answers_are_changed_more_often_is_a_gap():
    """Site 02: 10 of 40, all others 90 of 100: 65 points fewer."""
    gap = by_name([*of_site("01", 90, 10), *of_site("02", 10, 30)])["gap_site"]
    assert gap.light is Light.RED
    assert abs(gap.figure.value) == pytest.approx(65)
    assert {one.group: (one.unchanged, one.n) for one in gap.groups} == {"01": (90, 100), "02": (10, 40)}


def test_a_small_group_is_counted_and_not_shown():
    gap = by_name([*of_site("01", 20, 0), *of_site("02", 20, 0), *of_site("03", 0, 9)])["gap_site"]
    assert [one.group for one in gap.groups] == ["01", "02"]
    assert gap.suppressed == 1


def test_what_the_records_do_not_know_is_said_and_not_guessed():
    found = by_name(of_site("01", 20, 0))
    assert (found["gap_sex"].light, found["gap_sex"].why) == (Light.DARK, "not_recorded")
    assert found["gap_site"].why == "too_few"  # one group alone has no other to compare with


@pytest.mark.parametrize(
    ("at", "software", "light", "why"),
    [
        (30, "trialimg 1", Light.GREEN, ""),
        (30, "trialimg 0", Light.AMBER, "other_software"),
        (200, "trialimg 1", Light.AMBER, ""),
        (400, "trialimg 1", Light.RED, ""),
    ],
)
def test_a_validation_grows_old(at, software, light, why):
    found = by_name(answers(1), validation=Validation(days_ago(at), software))["validated_days"]
    assert (found.light, found.why, round(found.figure.value)) == (light, why, at)


def test_a_model_in_use_that_was_never_validated_is_red():
    assert by_name(answers(1), validation=None)["validated_days"].light is Light.RED


def test_the_course_has_one_point_for_each_month_with_answers():
    trend = by_name([*answers(4, 100), *answers(2, 10, fate=Fate.CHANGED, dice=0.6)])["dice"].trend
    assert [(one.month, one.value, one.n) for one in trend] == [("2026-03", 1.0, 4), ("2026-06", 0.6, 2)]


def test_limits_that_contradict_themselves_are_refused_at_once():
    with pytest.raises(InvalidValueError) as refused:
        HealthLimits(dice_amber=Decimal("0.5"), failed_red_pct=Decimal(1), min_group=0)
    assert {fault.where for fault in refused.value.faults} == {"dice", "failed_pct", "min_group"}
