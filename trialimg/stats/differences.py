"""How much more often something happened in one arm than in the other: rate differences with their limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from scipy.optimize import bisect, brentq
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.rates import rate, require_confidence
from trialimg.stats.results import Estimate
from trialimg.stats.two_by_two import TwoByTwo, require_counts

__all__ = ["DIFFERENCE_METHODS", "STRATUM_WEIGHTS", "rate_difference", "stratified_rate_difference"]

Limits = Callable[[TwoByTwo, float], tuple[float, float]]


def rate_difference(table: TwoByTwo, *, method: str = "miettinen_nurminen", confidence: float = 0.95) -> Estimate:
    """The rate in the first arm minus the rate in the second.

    Raises
    ------
    ReadingError
        For counts that no two arms can have, or an arm without subjects.
    ProtocolError
        If the confidence or the method cannot be followed.

    References
    ----------
    Miettinen O, Nurminen M. Comparative analysis of two rates. Stat Med 1985. Newcombe RG. Interval estimation for
    the difference between independent proportions. Stat Med 1998 (method 10). Mee RW. Confidence bounds for the
    difference between two probabilities. Biometrics 1984.
    """
    require_confidence(confidence)
    if method not in DIFFERENCE_METHODS:
        known = ", ".join(DIFFERENCE_METHODS)
        raise ProtocolError(f"no interval for a difference is called {method!r}; choose one of {known}")
    require_counts(table)
    words, limits = DIFFERENCE_METHODS[method]
    lower, upper = limits(table, confidence)
    rate_1, rate_2 = table.rates
    said = "no_variance: both rates are 0 or 1, where these limits have no width; take miettinen-nurminen"
    warnings = (said,) if lower == upper else ()
    gap = rate_1 - rate_2
    return Estimate(gap, lower, upper, confidence, words, table.n, table.events, warnings, data_digest=table.digest)


def stratified_rate_difference(
    tables: Sequence[TwoByTwo], *, weights: str = "cmh", confidence: float = 0.95
) -> Estimate:
    """The weighted mean of the strata's rate differences, with score limits.

    Parameters
    ----------
    tables
        One per stratum. A stratum in which an arm has nobody is left out, and named in the warnings.
    weights
        ``cmh``: n1 n2 / (n1 + n2); ``sample_size``: n1 + n2; ``equal``.

    Raises
    ------
    ReadingError
        For counts that no two arms can have, or where no stratum has subjects in both arms.
    ProtocolError
        If the confidence or the weights cannot be followed.

    References
    ----------
    Miettinen O, Nurminen M. Comparative analysis of two rates. Stat Med 1985, section on stratified analysis.
    """
    require_confidence(confidence)
    if weights not in STRATUM_WEIGHTS:
        known = ", ".join(STRATUM_WEIGHTS)
        raise ProtocolError(f"no weights of strata are called {weights!r}; choose one of {known}")
    for table in tables:
        require_counts(table, may_be_empty=True)
    kept = [table for table in tables if table.n_1 and table.n_2]
    if not kept:
        raise ReadingError("a stratified difference needs a stratum with subjects in both arms; there is none")
    words, weigh = STRATUM_WEIGHTS[weights]
    total = sum(map(weigh, kept))
    shares = [weigh(table) / total for table in kept]
    value = math.fsum(w * (t.rates[0] - t.rates[1]) for w, t in zip(shares, kept, strict=True))
    lower, upper = _score_limits(kept, shares, confidence, unbiased=True)
    left_out = tuple(
        f"one_arm_stratum: stratum {t.stratum or place} has nobody in one arm; its {t.n} subjects are left out"
        for place, t in enumerate(tables, start=1)
        if t not in kept
    )
    return Estimate(
        value=value,
        lower=lower,
        upper=upper,
        confidence=confidence,
        method=f"Miettinen-Nurminen score, stratified, {words}",
        n=sum(t.n for t in kept),
        events=sum(t.events for t in kept),
        warnings=left_out,
        data_digest=digest_of([table.digest for table in tables]),
    )


def _miettinen_nurminen(table: TwoByTwo, confidence: float) -> tuple[float, float]:
    return _score_limits([table], [1.0], confidence, unbiased=True)


def _mee(table: TwoByTwo, confidence: float) -> tuple[float, float]:
    return _score_limits([table], [1.0], confidence, unbiased=False)


def _newcombe(table: TwoByTwo, confidence: float) -> tuple[float, float]:
    rate_1, rate_2 = table.rates
    (lower_1, upper_1), (lower_2, upper_2) = (
        _wilson(events, n, confidence) for events, n in ((table.events_1, table.n_1), (table.events_2, table.n_2))
    )
    gap = rate_1 - rate_2
    below = math.hypot(rate_1 - lower_1, upper_2 - rate_2)
    above = math.hypot(upper_1 - rate_1, rate_2 - lower_2)
    return max(-1.0, gap - below), min(1.0, gap + above)


def _wilson(events: int, n: int, confidence: float) -> tuple[float, float]:
    estimate = rate(events, n, confidence=confidence, method="wilson")
    return estimate.lower or 0.0, estimate.upper or 0.0


def _wald(table: TwoByTwo, confidence: float) -> tuple[float, float]:
    return _wald_limits(table, confidence, correction=0.0)


def _wald_corrected(table: TwoByTwo, confidence: float) -> tuple[float, float]:
    gap = abs(table.rates[0] - table.rates[1])
    return _wald_limits(table, confidence, correction=min(0.5 * (1 / table.n_1 + 1 / table.n_2), gap))


def _wald_limits(table: TwoByTwo, confidence: float, *, correction: float) -> tuple[float, float]:
    z = float(norm.ppf((1 + confidence) / 2))
    rate_1, rate_2 = table.rates
    se = math.sqrt(rate_1 * (1 - rate_1) / table.n_1 + rate_2 * (1 - rate_2) / table.n_2)
    half = z * se + correction
    return max(-1.0, rate_1 - rate_2 - half), min(1.0, rate_1 - rate_2 + half)


def _score_limits(
    tables: Sequence[TwoByTwo], shares: Sequence[float], confidence: float, *, unbiased: bool
) -> tuple[float, float]:
    """The differences that a score test of this level does not refuse."""
    z = float(norm.ppf((1 + confidence) / 2))
    observed = math.fsum(w * (t.rates[0] - t.rates[1]) for w, t in zip(shares, tables, strict=True))

    def deviation(difference: float) -> float:
        """Observed minus supposed difference in standard errors under the supposed one."""
        variance = math.fsum(
            w**2 * _variance_under(t, difference, unbiased=unbiased) for w, t in zip(shares, tables, strict=True)
        )
        gap = observed - difference
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    lower = _where(lambda supposed: deviation(supposed) - z, observed, -1.0)
    upper = _where(lambda supposed: deviation(supposed) + z, observed, 1.0)
    return lower, upper


def _where(excess: Callable[[float], float], start: float, end: float) -> float:
    """The root between the estimate and an end of the scale; the end itself where the test never refuses."""
    inner = end * (1 - 1e-15)
    if abs(start) >= 1 and start == end:
        return end
    if math.copysign(1, excess(inner)) == math.copysign(1, excess(start)):
        return end
    return float(brentq(excess, start, inner, xtol=1e-15, rtol=1e-14))


def _variance_under(table: TwoByTwo, difference: float, *, unbiased: bool) -> float:
    """Variance of the observed difference if the true one were this; rates by restricted maximum likelihood."""
    rate_2 = _restricted_rate(table, difference)
    rate_1 = min(1.0, max(0.0, rate_2 + difference))
    variance = rate_1 * (1 - rate_1) / table.n_1 + rate_2 * (1 - rate_2) / table.n_2
    return variance * table.n / (table.n - 1) if unbiased else variance


def _restricted_rate(table: TwoByTwo, difference: float) -> float:
    """The second arm's likeliest rate when the first arm's lies exactly this much above it."""
    lowest, highest = max(0.0, -difference), min(1.0, 1 - difference)
    missed_1, missed_2 = table.n_1 - table.events_1, table.n_2 - table.events_2

    def slope(rate_2: float) -> float:
        rate_1 = rate_2 + difference
        gains = _over(table.events_1, rate_1) + _over(table.events_2, rate_2)
        losses = _over(missed_1, 1 - rate_1) + _over(missed_2, 1 - rate_2)
        return gains - losses if math.isfinite(gains) or math.isfinite(losses) else 0.0

    if highest <= lowest or slope(lowest) <= 0:
        return lowest
    if slope(highest) >= 0:
        return highest
    return float(bisect(slope, lowest, highest, xtol=1e-17, rtol=1e-15))


def _over(count: int, probability: float) -> float:
    if count == 0:
        return 0.0
    return count / probability if probability > 0 else math.inf


DIFFERENCE_METHODS: dict[str, tuple[str, Limits]] = {
    "miettinen_nurminen": ("Miettinen-Nurminen score", _miettinen_nurminen),
    "mee": ("Mee score", _mee),
    "newcombe": ("Newcombe hybrid score (method 10)", _newcombe),
    "wald": ("Wald", _wald),
    "wald_corrected": ("Wald with continuity correction", _wald_corrected),
}
"""Name in a protocol file or on the command line to the words of a report and the limits."""

STRATUM_WEIGHTS: dict[str, tuple[str, Callable[[TwoByTwo], float]]] = {
    "cmh": ("Mantel-Haenszel weights", lambda t: t.n_1 * t.n_2 / t.n),
    "sample_size": ("weights by sample size", lambda t: float(t.n)),
    "equal": ("equal weights", lambda _: 1.0),
}
