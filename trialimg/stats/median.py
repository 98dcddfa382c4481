"""The middle of a sample, with limits that suppose no distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from scipy.stats import binom

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["sample_median"]

_METHOD = "median, binomial limits"


def sample_median(values: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """The median, between the order statistics that hold the population's with the asked confidence or more.

    Raises
    ------
    ReadingError
        If a value is not a number.
    ProtocolError
        If the confidence is not between 0 and 1.

    Notes
    -----
    The limits are the r-th value from either end, with r the largest for which P(X < r) <= (1 - confidence) / 2,
    X binomial (n, 1/2). Below six values no two of them hold it with 95 %: there are no limits.

    References
    ----------
    Conover WJ. Practical nonparametric statistics, 3rd ed. Wiley 1999, section 3.2.
    """
    require_confidence(confidence)
    faults = tuple(
        Fault(f"value {place}", "not_a_number", f"{value} is not a number")
        for place, value in enumerate(values, start=1)
        if not math.isfinite(value)
    )
    if faults:
        raise ReadingError("a median is made of numbers", faults)
    ordered, n = sorted(values), len(values)
    if not ordered:
        return Estimate(None, None, None, confidence, _METHOD, 0, 0, ("no_values: nothing has no middle",))
    rank = int(binom.ppf((1 - confidence) / 2, n, 0.5))  # the smallest r with P(X <= r) >= the tail
    lower, upper = (ordered[rank - 1], ordered[n - rank]) if rank >= 1 else (None, None)
    digest = digest_of([float(value) for value in values])
    return Estimate(median(ordered), lower, upper, confidence, _METHOD, n, 0, data_digest=digest)
