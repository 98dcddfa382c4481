"""Proportions: what is refused, what is warned of, and what an exact interval promises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.rates import rate


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 200))
    return draw(st.integers(0, n)), n


def test_a_rate_carries_its_counts_method_and_confidence() -> None:
    estimate = rate(3, 12, confidence=0.9)
    assert estimate.value == 0.25
    assert (estimate.events, estimate.n, estimate.confidence) == (3, 12, 0.9)
    assert estimate.method == "Clopper-Pearson exact"


def test_nobody_in_the_denominator_gives_a_warning_and_no_number() -> None:
    estimate = rate(0, 0)
    assert (estimate.value, estimate.lower, estimate.upper) == (None, None, None)
    assert estimate.warnings[0].startswith("no_subjects:")


def test_no_event_and_only_events_have_one_sided_ends_at_0_and_1() -> None:
    assert rate(0, 10).lower == 0.0
    assert rate(10, 10).upper == 1.0
    assert rate(0, 10, method="wilson").lower == 0.0
    assert rate(10, 10, method="wilson").upper == 1.0


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, -1), (2.5, 5), (True, 5)])
def test_impossible_counts_are_refused(events: int, n: int) -> None:
    with pytest.raises(ReadingError, match="cannot be made"):
        rate(events, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, float("nan")])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ProtocolError, match="between 0 and 1"):
        rate(1, 5, confidence=confidence)


def test_an_unknown_method_names_the_known_ones() -> None:
    with pytest.raises(ProtocolError, match="clopper_pearson, wilson"):
        rate(1, 5, method="wald")


@given(counts())
def test_clopper_pearson_limits_leave_half_of_the_error_on_each_side(case: tuple[int, int]) -> None:
    events, n = case
    estimate = rate(events, n)
    assert estimate.lower is not None
    assert estimate.upper is not None
    if events > 0:
        assert binom.sf(events - 1, n, estimate.lower) == pytest.approx(0.025, abs=1e-9)
    if events < n:
        assert binom.cdf(events, n, estimate.upper) == pytest.approx(0.025, abs=1e-9)


@given(counts())
def test_failures_mirror_successes(case: tuple[int, int]) -> None:
    events, n = case
    there, back = rate(events, n), rate(n - events, n)
    assert there.lower is not None
    assert back.upper is not None
    assert there.lower == pytest.approx(1 - back.upper, abs=1e-12)
