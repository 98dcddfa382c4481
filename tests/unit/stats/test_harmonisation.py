"""ComBat: against a second one, written number by number from the paper; what cannot be estimated is refused."""

from __future__ import annotations

from statistics import fmean, variance

import numpy as np
import pytest

from trialimg.core.errors import ReadingError
from trialimg.stats.harmonisation import fit_combat

SITES = ["a"] * 12 + ["b"] * 10 + ["c"] * 14
SHIFT, STRETCH = {"a": 0.0, "b": 1.5, "c": -0.7}, {"a": 1.0, "b": 1.8, "c": 0.6}


def measured(seed: int = 3, sites: list[str] = SITES) -> np.ndarray:
    """Six quantities of lesions at three sites, each of which shifts and stretches them in its own way."""
    random = np.random.default_rng(seed)
    plain = random.normal(size=(len(sites), 6))
    skew = random.normal(1.0, 0.1, size=(3, 6))
    for number, site in enumerate(sites):
        own = skew["abc".index(site)]
        plain[number] = plain[number] * STRETCH[site] * own + SHIFT[site] * own
    return np.round(plain * [1.0, 2.0, 5.0, 0.1, 30.0, 1.0] + [0.0, 10.0, -5.0, 1.0, 300.0, 7.0], 4)


def by_the_paper(table: np.ndarray, sites: list[str]) -> list[list[float]]:
    """Johnson, Li, Rabinovic 2007, section 3.1 to 3.3, without covariates: plain loops over plain numbers."""
    rows, count = table.tolist(), len(sites)
    names, quantities = sorted(set(sites)), range(table.shape[1])
    of = {name: [place for place, site in enumerate(sites) if site == name] for name in names}
    means = {name: [fmean(rows[i][g] for i in of[name]) for g in quantities] for name in names}
    alpha = [sum(len(of[name]) * means[name][g] for name in names) / count for g in quantities]
    sigma = [(sum((rows[i][g] - means[sites[i]][g]) ** 2 for i in range(count)) / count) ** 0.5 for g in quantities]
    z = [[(rows[i][g] - alpha[g]) / sigma[g] for g in quantities] for i in range(count)]
    answer = [[0.0] * len(quantities) for _ in rows]
    for name in names:
        n = len(of[name])
        gamma = [fmean(z[i][g] for i in of[name]) for g in quantities]
        delta = [variance([z[i][g] for i in of[name]]) for g in quantities]
        gamma_bar, tau = fmean(gamma), variance(gamma)
        v, s = fmean(delta), variance(delta)
        shape, rate = (v * v + 2 * s) / s, (v**3 + v * s) / s
        for g in quantities:
            shift, spread = gamma[g], delta[g]
            for _ in range(500):
                shift = (n * tau * gamma[g] + spread * gamma_bar) / (n * tau + spread)
                squares = sum((z[i][g] - shift) ** 2 for i in of[name])
                spread = (rate + squares / 2) / (n / 2 + shape - 1)
            for i in of[name]:
                answer[i][g] = sigma[g] / spread**0.5 * (z[i][g] - shift) + alpha[g]
    return answer


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_it_does_what_the_paper_says(seed) -> None:
    values = measured(seed)
    found = fit_combat(values, SITES).applied(values, SITES)
    assert found == pytest.approx(np.array(by_the_paper(values, SITES)), rel=1e-8)


def test_sites_are_brought_together_and_drawn_towards_what_they_do_to_all() -> None:
    values = measured()
    model = fit_combat(values, SITES)
    found = model.applied(values, SITES)
    apart = [abs(np.ptp([values[np.array(SITES) == site, 0].mean() for site in "abc"]))]
    apart += [abs(np.ptp([found[np.array(SITES) == site, 0].mean() for site in "abc"]))]
    assert apart[1] < 0.1 * apart[0]
    own = (values[12:22] - model.location) / model.scale
    assert np.ptp(model.shift[1]) < np.ptp(own.mean(axis=0))
    assert (model.batches, model.counts) == (("a", "b", "c"), (12, 10, 14))


def test_another_unit_of_a_quantity_gives_the_same_in_that_unit() -> None:
    values = measured()
    scaled = values * [1, 1000, 1, 1, 1, 1] + [0, 5, 0, 0, 0, 0]
    once, twice = (fit_combat(one, SITES).applied(one, SITES) for one in (values, scaled))
    assert twice[:, 1] == pytest.approx(1000 * once[:, 1] + 5, rel=1e-9)
    assert twice[:, 0] == pytest.approx(once[:, 0], rel=1e-9)


def test_what_was_not_estimated_from_does_not_change_what_is_found() -> None:
    """The numbers come from the first visits; a later visit is harmonised with them alone."""
    values = measured()
    model = fit_combat(values, SITES)
    later = np.vstack([values, 100 * values[:3]])
    assert model.applied(later, [*SITES, "a", "b", "c"])[: len(values)] == pytest.approx(model.applied(values, SITES))


def test_a_difference_that_is_kept_stays_and_one_that_is_not_is_taken_for_the_site() -> None:
    """Half of site a's lesions are of the lung, a fifth of the others'; lung is 10 standard deviations higher."""
    lung = np.array([[number % (2 if site == "a" else 5) == 0] for number, site in enumerate(SITES)], float)
    plain = np.random.default_rng(9).normal(size=(len(SITES), 6))
    values = plain + 10 * lung
    kept = fit_combat(values, SITES, lung).applied(values, SITES, lung)
    effect = [kept[lung[:, 0] == 1].mean() - kept[lung[:, 0] == 0].mean()]
    effect.append(values[lung[:, 0] == 1].mean() - values[lung[:, 0] == 0].mean())
    assert effect[0] == pytest.approx(effect[1], rel=0.05)
    assert np.corrcoef(kept.ravel(), values.ravel())[0, 1] > 0.99
    with pytest.raises(ReadingError, match="cannot be told"):
        fit_combat(values, SITES, np.array([[site == "a"] for site in SITES], float))


def test_what_cannot_be_estimated_is_refused_with_its_reason() -> None:
    values = measured()
    with pytest.raises(ReadingError, match="too small") as refused:
        fit_combat(values[3:], SITES[3:])
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [("a", "small_batch")]
    with pytest.raises(ReadingError, match="one batch"):
        fit_combat(values[:12], SITES[:12])
    with pytest.raises(ReadingError, match="too few to harmonise"):
        fit_combat(values[:, :4], SITES)
    flat = values.copy()
    flat[:, 2] = 1.0
    with pytest.raises(ReadingError, match="do not vary"):
        fit_combat(flat, SITES)
    with pytest.raises(ReadingError, match="gaps"):
        fit_combat(np.where(values == values[0, 0], np.nan, values), SITES)
    with pytest.raises(ReadingError) as refused:
        fit_combat(values, SITES).applied(values[:1], ["d"])
    assert refused.value.faults[0].where == "d"
