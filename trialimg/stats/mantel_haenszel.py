"""Two arms compared across strata: the Cochran-Mantel-Haenszel test, the common odds ratio and risk difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2 as chi_square
from scipy.stats import hypergeom, norm
from statsmodels.stats.contingency_tables import StratifiedTable

from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import ChiSquare, Estimate
from trialimg.stats.two_by_two import TwoByTwo, exact_p, require_counts

__all__ = ["MantelHaenszel", "mantel_haenszel"]


@dataclass(frozen=True)
class MantelHaenszel:
    """Two arms compared across strata."""

    test: ChiSquare
    """Without continuity correction: the statistic of SAS."""
    corrected: ChiSquare
    """With it: the default of R."""
    exact_p: float
    """Two-sided, conditional on all margins."""
    odds_ratio: Estimate
    risk_difference: Estimate


def mantel_haenszel(tables: Sequence[TwoByTwo], *, confidence: float = 0.95) -> MantelHaenszel:
    """Whether two arms differ in how often the event happened, and by how much, given the strata.

    Parameters
    ----------
    tables
        One per stratum. A stratum of one subject, or with nobody in one arm, says nothing and is left out with a
        warning.

    Raises
    ------
    ReadingError
        For counts that no two arms can have, and where no stratum says anything.

    References
    ----------
    Mantel N, Haenszel W. JNCI 1959. Robins J, Breslow N, Greenland S. Biometrics 1986 (variance of the log odds
    ratio). Sato T. Biometrics 1989 (variance of the risk difference).
    """
    require_confidence(confidence)
    for table in tables:
        require_counts(table, may_be_empty=True)
    kept = [t for t in tables if t.n_1 and t.n_2]
    if not any(0 < t.events < t.n for t in kept):
        raise ReadingError(
            "no stratum has both arms, and subjects both with and without the event: there is nothing to compare"
        )
    warnings = tuple(
        f"one_arm_stratum: stratum {t.stratum or place} has nobody in one arm; its {t.n} subject(s) are left out"
        for place, t in enumerate(tables, start=1)
        if t not in kept
    )
    test, corrected = (_test(kept, warnings, corrected=flag) for flag in (False, True))
    return MantelHaenszel(
        test,
        corrected,
        _exact_p(kept),
        _odds_ratio(kept, confidence, warnings),
        _difference(kept, confidence, warnings),
    )


def _stratified(tables: Sequence[TwoByTwo]) -> StratifiedTable:
    return StratifiedTable([[[t.events_1, t.n_1 - t.events_1], [t.events_2, t.n_2 - t.events_2]] for t in tables])


def _digest(tables: Sequence[TwoByTwo]) -> str:
    return digest_of([table.digest for table in tables])


def _test(tables: Sequence[TwoByTwo], warnings: tuple[str, ...], *, corrected: bool) -> ChiSquare:
    excess = abs(sum(t.events_1 - t.n_1 * t.events / t.n for t in tables))
    found = _stratified(tables).test_null_odds(correction=corrected and excess >= 0.5)
    method = "Cochran-Mantel-Haenszel, " + ("continuity-corrected" if corrected else "uncorrected")
    n, events = sum(t.n for t in tables), sum(t.events for t in tables)
    statistic = float(found.statistic)
    return ChiSquare(statistic, 1, float(chi_square.sf(statistic, 1)), n, events, method, warnings, _digest(tables))


def _exact_p(tables: Sequence[TwoByTwo]) -> float:
    """Of the events of the first arm summed over the strata, by convolution of their hypergeometric laws."""
    law, lowest = np.ones(1), 0
    for t in tables:
        low, high = max(0, t.events - t.n_2), min(t.n_1, t.events)
        law = np.convolve(law, hypergeom.pmf(np.arange(low, high + 1), t.n, t.n_1, t.events))
        lowest += low
    return exact_p(law, sum(t.events_1 for t in tables) - lowest)


def _odds_ratio(tables: Sequence[TwoByTwo], confidence: float, warnings: tuple[str, ...]) -> Estimate:
    method = "Mantel-Haenszel common odds ratio, Robins-Breslow-Greenland variance"
    n, events = sum(t.n for t in tables), sum(t.events for t in tables)
    with_1 = sum(t.events_1 * (t.n_2 - t.events_2) / t.n for t in tables)
    with_2 = sum(t.events_2 * (t.n_1 - t.events_1) / t.n for t in tables)
    if with_1 == 0 or with_2 == 0:
        said = "infinite: the odds ratio has no upper bound" if with_2 == 0 else "zero: the odds ratio is 0"
        value = None if with_2 == 0 else 0.0
        return Estimate(
            value, None, None, confidence, method, n, events, (*warnings, said), None, None, _digest(tables)
        )
    both = _stratified(tables)
    lower, upper = both.oddsratio_pooled_confint(alpha=1 - confidence)
    value, se = float(both.oddsratio_pooled), float(both.logodds_pooled_se)
    p = float(2 * norm.sf(abs(math.log(value)) / se))
    return Estimate(value, float(lower), float(upper), confidence, method, n, events, warnings, se, p, _digest(tables))


def _difference(tables: Sequence[TwoByTwo], confidence: float, warnings: tuple[str, ...]) -> Estimate:
    weights = [t.n_1 * t.n_2 / t.n for t in tables]
    total = math.fsum(weights)
    value = math.fsum(w * (t.rates[0] - t.rates[1]) for w, t in zip(weights, tables, strict=True)) / total
    skew = math.fsum(
        (t.n_1**2 * t.events_2 - t.n_2**2 * t.events_1 + t.n_1 * t.n_2 * (t.n_2 - t.n_1) / 2) / t.n**2 for t in tables
    )
    spread = math.fsum(
        (t.events_1 * (t.n_2 - t.events_2) + t.events_2 * (t.n_1 - t.events_1)) / (2 * t.n) for t in tables
    )
    se = math.sqrt(max(0.0, value * skew + spread)) / total
    z = float(norm.ppf((1 + confidence) / 2))
    p = float(2 * norm.sf(abs(value) / se)) if se > 0 else None
    return Estimate(
        value=value,
        lower=max(-1.0, value - z * se),
        upper=min(1.0, value + z * se),
        confidence=confidence,
        method="Mantel-Haenszel common risk difference, Sato variance",
        n=sum(t.n for t in tables),
        events=sum(t.events for t in tables),
        warnings=warnings,
        se=se,
        p=p,
        data_digest=_digest(tables),
    )
