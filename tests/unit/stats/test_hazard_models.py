"""Hazard models: a second route on made data, what must not matter, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.competing_risks import cumulative_incidence, gray_test
from trialimg.stats.cox import Histories, cox
from trialimg.stats.cox_residuals import concordance
from trialimg.stats.design import Design, design_of
from trialimg.stats.fine_gray import fine_gray
from trialimg.stats.log_rank import log_rank
from trialimg.stats.partial_likelihood import Spans
from trialimg.stats.survival import kaplan_meier


def made(seed: int, n: int = 120, *, tied: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, events and two covariates of a trial with a known effect."""
    random = np.random.default_rng(seed)
    x = np.column_stack([random.integers(0, 2, n), random.normal(60, 10, n)])
    time = random.exponential(np.exp(-0.6 * x[:, 0] + 0.02 * (x[:, 1] - 60))) * 300
    censored = random.exponential(400, n)
    stop = np.minimum(time, censored)
    return (np.ceil(stop / 20) if tied else stop), (time <= censored).astype(int), x


def design(x: np.ndarray) -> Design:
    return design_of({"arm": x[:, 0].tolist(), "age": x[:, 1].tolist()})


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(4))
def test_coefficients_agree_with_another_library(seed: int, ties: str) -> None:
    stop, event, x = made(seed)
    strata = (x[:, 1] > 62).astype(int)
    found = cox(Histories(stop.tolist(), event.tolist(), strata=strata.astype(str).tolist()), design(x), ties=ties)
    other = PHReg(stop, x, status=event, ties=ties, strata=strata).fit()
    assert [t.coef for t in found.terms] == pytest.approx(other.params, abs=1e-6)
    assert [t.se for t in found.terms] == pytest.approx(other.bse, abs=1e-6)


def test_late_entry_agrees_with_another_library() -> None:
    stop, event, x = made(7, tied=False)
    start = stop * np.random.default_rng(8).uniform(0, 0.8, len(stop))
    found = cox(Histories(stop.tolist(), event.tolist(), start=start.tolist()), design(x))
    other = PHReg(stop, x, status=event, ties="efron", entry=start).fit()
    assert [t.coef for t in found.terms] == pytest.approx(other.params, abs=1e-6)


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_order_of_rows_and_unit_of_time_do_not_matter(ties: str) -> None:
    stop, event, x = made(3)
    order = np.random.default_rng(1).permutation(len(stop))
    there = cox(Histories(stop.tolist(), event.tolist()), design(x), ties=ties)
    back = cox(Histories((stop[order] / 30.4375).tolist(), event[order].tolist()), design(x[order]), ties=ties)
    assert [t.coef for t in back.terms] == pytest.approx([t.coef for t in there.terms], abs=1e-9)
    assert back.loglik == pytest.approx(there.loglik, abs=1e-8)


def test_without_ties_the_ways_of_treating_them_agree() -> None:
    stop, event, x = made(5, tied=False)
    fits = [
        cox(Histories(stop.tolist(), event.tolist()), design(x), ties=ties) for ties in ("efron", "breslow", "exact")
    ]
    for other in fits[1:]:
        assert [t.coef for t in other.terms] == pytest.approx([t.coef for t in fits[0].terms], abs=1e-9)


def test_splitting_a_subject_in_time_changes_nothing() -> None:
    stop, event, x = made(11)
    cut = 6.0
    late = stop > cut
    start = np.concatenate([np.zeros(len(stop)), np.full(late.sum(), cut)])
    stops = np.concatenate([np.where(late, cut, stop), stop[late]])
    events = np.concatenate([np.where(late, 0, event), event[late]])
    whole = cox(Histories(stop.tolist(), event.tolist()), design(x))
    split = cox(Histories(stops.tolist(), events.tolist(), start=start.tolist()), design(np.concatenate([x, x[late]])))
    assert [t.coef for t in split.terms] == pytest.approx([t.coef for t in whole.terms], abs=1e-9)
    assert split.loglik == pytest.approx(whole.loglik, abs=1e-9)


def test_every_subject_twice_in_one_cluster_has_the_variance_of_once() -> None:
    stop, event, x = made(13, tied=False)
    once = cox(Histories(stop.tolist(), event.tolist()), design(x), ties="breslow", robust=True)
    names = [str(i) for i in range(len(stop))]
    twice = cox(
        Histories(np.tile(stop, 2).tolist(), np.tile(event, 2).tolist(), cluster=names * 2),
        design(np.tile(x, (2, 1))),
        ties="breslow",
    )
    assert [t.coef for t in twice.terms] == pytest.approx([t.coef for t in once.terms], abs=1e-9)
    assert [t.se for t in twice.terms] == pytest.approx([t.se for t in once.terms], abs=1e-9)


def test_the_score_test_of_one_group_is_the_log_rank_test() -> None:
    stop, event, x = made(17, tied=False)
    arm = x[:, :1]
    model = cox(Histories(stop.tolist(), event.tolist()), design_of({"arm": arm[:, 0].tolist()}))
    test = log_rank(stop.tolist(), event.tolist(), arm[:, 0].astype(str).tolist())
    assert model.score.chi2 == pytest.approx(test.chi2, abs=1e-9)


def test_categories_are_compared_with_their_reference() -> None:
    found = design_of({"stage": ["II", "III", "IV", "II"]}, references={"stage": "III"})
    assert found.names == ("stageII", "stageIV")
    assert found.matrix.tolist() == [[1, 0], [0, 0], [0, 1], [1, 0]]
    assert design_of({"dose": [10.0, 2.0, 2.0]}, references={"dose": None}).names == ("dose10",)
    close = design_of({"site": [1234567.0, 1234568.0, 0.1]}, references={"site": None})
    assert close.names == ("site1234567", "site1234568")


def test_separation_is_refused_not_estimated() -> None:
    stop, event = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 0, 0, 0]
    with pytest.raises(ReadingError, match="separation in marker") as refusal:
        cox(Histories(stop, event), design_of({"marker": [1.0, 1, 1, 1, 0, 0, 0, 0]}))
    assert refusal.value.faults[0].code == "separation"


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_strong_effect_is_not_taken_for_separation(unit: float) -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=200)
    stop = random.exponential(np.exp(-3 * x))
    found = cox(Histories(stop.tolist(), [1] * 200), design_of({"x": (x * unit).tolist()}))
    assert found.terms[0].coef * unit == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize(
    ("covariates", "code"),
    [
        ({"a": [1.0, 1, 1, 1, 1, 1]}, "constant"),
        ({"a": [1.0, 2, 3, 1, 2, 4], "b": [2.0, 4, 6, 2, 4, 8]}, "not_independent"),
        ({"a": ["x"] * 6}, "constant"),
    ],
)
def test_a_covariate_without_an_effect_of_its_own_is_refused(covariates: dict[str, list[float]], code: str) -> None:
    with pytest.raises(ReadingError) as refusal:
        cox(Histories([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 1]), design_of(covariates))
    assert refusal.value.faults[0].code == code


def test_histories_that_cannot_be_are_refused() -> None:
    x = design_of({"a": [1.0, 2, 3]})
    with pytest.raises(ReadingError, match="at least one event"):
        cox(Histories([1, 2, 3], [0, 0, 0]), x)
    with pytest.raises(ReadingError) as refusal:
        cox(Histories([1, 2, 3], [1, 1, 0], start=[0, 2, 5]), x)
    assert [f.where for f in refusal.value.faults] == ["entry 2", "entry 3"]
    with pytest.raises(ReadingError, match="3 times, but 2 strata"):
        cox(Histories([1, 2, 3], [1, 1, 0], strata=["x", "y"]), x)
    with pytest.raises(ProtocolError, match="efron, breslow, exact"):
        cox(Histories([1, 2, 3], [1, 1, 0]), x, ties="peto")
    with pytest.raises(ProtocolError, match="no robust variance"):
        cox(Histories([1, 2, 3], [1, 1, 0]), x, ties="exact", robust=True)


def test_a_stratum_of_one_and_few_events_are_warned_of() -> None:
    found = cox(
        Histories([1, 2, 3, 4, 5], [1, 1, 1, 0, 1], strata=["a", "a", "a", "a", "b"]),
        design_of({"x": [1.0, 3, 2, 4, 9]}),
    )
    assert [w.split(":")[0] for w in found.warnings] == ["lone_subject", "few_events"]


def test_events_at_one_time_cannot_test_proportional_hazards() -> None:
    found = cox(Histories([5, 5, 7, 7], [1, 1, 0, 0]), design_of({"x": [1.0, 0, 1, 0]}))
    assert found.proportionality == ()
    assert found.terms[0].coef == pytest.approx(0, abs=1e-9)


def test_fewer_clusters_than_coefficients_are_refused() -> None:
    stop, event, x = made(19)
    with pytest.raises(ReadingError, match="more clusters than coefficients"):
        cox(Histories(stop.tolist(), event.tolist(), cluster=["one"] * len(stop)), design(x))


def competing(seed: int, n: int = 150) -> tuple[list[float], list[int], list[str], np.ndarray]:
    random = np.random.default_rng(seed)
    arm = random.integers(0, 2, n)
    days = np.ceil(random.exponential(200, n) / 10)
    states = random.choice([0, 1, 2], n, p=[0.3, 0.4, 0.3])
    return days.tolist(), states.tolist(), ["AB"[a] for a in arm], arm


def test_incidences_and_survival_make_one() -> None:
    days, states, _, _ = competing(1)
    one, two = (cumulative_incidence(days, states, cause=cause, label="all") for cause in (1, 2))
    free = kaplan_meier(days, [int(s > 0) for s in states], label="all")
    heights = dict(zip(free.time_days, free.survival, strict=True))
    for day, a, b in zip(one.time_days, one.incidence, two.incidence, strict=True):
        assert a + b + heights[day] == pytest.approx(1, abs=1e-12)


def test_with_one_cause_an_incidence_is_one_minus_kaplan_meier() -> None:
    days, states, groups, arm = competing(2)
    events = [int(s == 1) for s in states]
    curve, free = cumulative_incidence(days, events, cause=1, label="all"), kaplan_meier(days, events, label="all")
    se = dict(zip(free.time_days, free.se, strict=True))
    heights = dict(zip(free.time_days, free.survival, strict=True))
    for day, value, error in zip(curve.time_days, curve.incidence, curve.se, strict=True):
        assert value == pytest.approx(1 - heights[day], abs=1e-12)
        if heights[day] > 0:
            assert error == pytest.approx(se[day], abs=1e-12)
    model = cox(Histories(days, events), design_of({"arm": arm.tolist()}), ties="breslow")
    other = fine_gray(days, events, design_of({"arm": arm.tolist()}), cause=1)
    assert other.terms[0].coef == pytest.approx(model.terms[0].coef, abs=1e-9)
    assert gray_test(days, events, groups, cause=1).df == 1


def test_grays_test_does_not_depend_on_the_names_of_the_groups() -> None:
    days, states, groups, _ = competing(3)
    other = ["z" if g == "A" else "a" for g in groups]
    there, back = gray_test(days, states, groups, cause=1), gray_test(days, states, other, cause=1)
    assert there.chi2 == pytest.approx(back.chi2, abs=1e-10)
    assert there.chi2 == pytest.approx(gray_test([d * 7 for d in days], states, groups, cause=1).chi2, abs=1e-10)


def test_competing_risks_that_cannot_be_are_refused() -> None:
    with pytest.raises(ReadingError) as refusal:
        cumulative_incidence([1, 2, 3], [0, -1, 1.5], cause=1, label="all")  # type: ignore[list-item]
    assert [f.code for f in refusal.value.faults] == ["bad_state", "bad_state"]
    with pytest.raises(ReadingError, match="nobody in arm B"):
        cumulative_incidence([], [], cause=1, label="arm B")
    with pytest.raises(ReadingError, match="two groups"):
        gray_test([1, 2], [1, 2], ["A", "A"], cause=1)
    with pytest.raises(ReadingError, match="there is none"):
        fine_gray([1, 2, 3], [2, 0, 2], design_of({"a": [1.0, 2, 3]}), cause=1)
    assert cumulative_incidence([1, 2], [2, 0], cause=1, label="arm A").warnings[0].startswith("no_event:")


def test_a_common_incidence_of_one_leaves_grays_test_undefined() -> None:
    with pytest.raises(ReadingError, match="is undefined"):
        gray_test([1, 3, 5, 1, 9, 5], [1, 0, 1, 1, 1, 1], ["B", "A", "A", "B", "A", "A"], cause=1)


def counted_pairs(spans: Spans, predictor: np.ndarray, groups: np.ndarray) -> tuple[float, float] | None:
    """Concordance and its standard error, pair by pair."""
    won, told = np.zeros(spans.n), np.zeros(spans.n)
    for first in np.flatnonzero(spans.event):
        for other in range(spans.n):
            time, end = spans.stop[first], spans.stop[other]
            outlives = end > time or (end == time and not spans.event[other])
            if outlives and spans.start[other] < time and spans.stratum[other] == spans.stratum[first]:
                score = (1 + np.sign(predictor[first] - predictor[other])) / 2
                for row in (first, other):
                    won[row] += score
                    told[row] += 1
    if not told.any():
        return None
    value, pairs = won.sum() / told.sum(), told.sum() / 2
    influence = np.bincount(groups, weights=(won - value * told) / pairs)
    return float(value), float(np.sqrt(np.square(influence).sum()))


@pytest.mark.parametrize("seed", range(40))
def test_concordance_is_what_counting_every_pair_gives(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 40))
    start = random.integers(0, 6, n).astype(float) if seed % 2 else np.full(n, -1.0)
    spans = Spans(
        start,
        start + random.integers(1, 8, n),
        random.random(n) < random.random(),
        np.zeros((n, 1)),
        random.integers(0, 1 + seed % 3, n),
        np.ones(n),
    )
    predictor = random.integers(0, 5, n) * 0.3 if seed % 4 else random.normal(size=n)
    groups = random.integers(0, 5, n) if seed % 5 == 0 else np.arange(n)
    wanted, found = counted_pairs(spans, predictor, groups), concordance(spans, predictor, groups)
    assert found == (None if wanted is None else pytest.approx(wanted, abs=1e-12))
