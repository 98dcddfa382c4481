"""How often something happened: a proportion with its confidence limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral

from scipy.stats import beta, binomtest, norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.results import Estimate

__all__ = ["RATE_METHODS", "binomial_p", "rate", "require_confidence"]

Limits = Callable[[int, int, float], tuple[float, float]]


def rate(events: int, n: int, *, confidence: float = 0.95, method: str = "clopper_pearson") -> Estimate:
    """The proportion of ``n`` subjects with the event, and its two-sided limits.

    Parameters
    ----------
    events, n
        Subjects with the event, subjects in the denominator. With ``n = 0`` there is no value, only a warning.
    confidence
        Coverage asked for, between 0 and 1.
    method
        ``clopper_pearson`` (exact, never below the asked coverage) or ``wilson`` (score).

    Raises
    ------
    ReadingError
        If the counts are not whole numbers with ``0 <= events <= n``.
    ProtocolError
        If the confidence or the method cannot be followed.

    References
    ----------
    Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
    Biometrika 1934. Wilson EB. Probable inference, the law of succession, and statistical inference. JASA 1927.
    """
    require_confidence(confidence)
    if method not in RATE_METHODS:
        known = ", ".join(RATE_METHODS)
        raise ProtocolError(f"no interval for a proportion is called {method!r}; choose one of {known}")
    if fault := _count_fault(events, n):
        raise ReadingError(f"a proportion cannot be made of {events} events in {n} subjects: {fault.message}", (fault,))
    words, limits = RATE_METHODS[method]
    if n == 0:
        return Estimate(None, None, None, confidence, words, 0, 0, ("no_subjects: nobody is in the denominator",))
    lower, upper = limits(events, n, confidence)
    return Estimate(events / n, lower, upper, confidence, words, n, events, data_digest=digest_of([events, n]))


def binomial_p(events: int, n: int, *, null_rate: float, alternative: str = "two-sided") -> float:
    """How likely so extreme a count is if the true rate were ``null_rate``, exactly.

    Parameters
    ----------
    alternative
        ``two-sided`` (every count no likelier than the observed one), ``greater`` or ``less``.

    Raises
    ------
    ReadingError
        If the counts are not whole numbers with ``0 <= events <= n``, or there is no subject.
    ProtocolError
        If the rate or the alternative cannot be followed.
    """
    if not 0 < null_rate < 1:
        raise ProtocolError(f"a rate to test against lies between 0 and 1, not {null_rate}")
    if alternative not in ("two-sided", "greater", "less"):
        raise ProtocolError(f"an alternative is two-sided, greater or less, not {alternative!r}")
    if fault := _count_fault(events, n) or (_NOBODY if n == 0 else None):
        raise ReadingError(f"{events} events in {n} subjects cannot be tested: {fault.message}", (fault,))
    return float(binomtest(events, n, null_rate, alternative).pvalue)


def require_confidence(confidence: float) -> None:
    """Refuse a coverage that is not between 0 and 1.

    Raises
    ------
    ProtocolError
        Names the value.
    """
    if not 0 < confidence < 1:
        raise ProtocolError(f"a confidence level lies between 0 and 1, not {confidence}; 0.95 is usual")


def _clopper_pearson(events: int, n: int, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    lower = 0.0 if events == 0 else float(beta.ppf(tail, events, n - events + 1))
    upper = 1.0 if events == n else float(beta.ppf(1 - tail, events + 1, n - events))
    return lower, upper


def _wilson(events: int, n: int, confidence: float) -> tuple[float, float]:
    z = float(norm.ppf((1 + confidence) / 2))
    share = events / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    lower = 0.0 if events == 0 else centre - half
    upper = 1.0 if events == n else centre + half
    return lower, upper


def _count_fault(events: int, n: int) -> Fault | None:
    if any(isinstance(count, bool) or not isinstance(count, Integral) for count in (events, n)):
        return Fault("counts", "not_whole", "both counts must be whole numbers")
    if n < 0 or not 0 <= events <= n:
        return Fault("counts", "out_of_range", "the events must lie between 0 and the number of subjects")
    return None


_NOBODY = Fault("counts", "no_subjects", "nobody is in the denominator")

RATE_METHODS: dict[str, tuple[str, Limits]] = {
    "clopper_pearson": ("Clopper-Pearson exact", _clopper_pearson),
    "wilson": ("Wilson score", _wilson),
}
"""Name in a protocol file to the words of a report and the limits of (events, n, confidence)."""
