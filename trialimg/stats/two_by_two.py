"""Two arms, with or without the event: the counts, their exact test, their odds ratio and chi-square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2 as chi_square
from scipy.stats import hypergeom

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import ChiSquare, Estimate

__all__ = ["TwoByTwo", "exact_p", "fisher_exact", "pearson_chi_square", "require_counts"]

AS_LIKELY = 1 + 1e-7
"""Tables as likely as the observed one within round-off count as equally extreme, as in R."""
LARGEST_LOG_ODDS = 700.0
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoByTwo:
    """Subjects with the event and subjects, of two arms."""

    events_1: int
    n_1: int
    events_2: int
    n_2: int
    stratum: str = ""

    @property
    def n(self) -> int:
        """Subjects of both arms."""
        return self.n_1 + self.n_2

    @property
    def events(self) -> int:
        """Subjects with the event of both arms."""
        return self.events_1 + self.events_2

    @property
    def rates(self) -> tuple[float, float]:
        """The proportion in each arm; both must have subjects."""
        return self.events_1 / self.n_1, self.events_2 / self.n_2

    @property
    def digest(self) -> str:
        """Names these counts."""
        return digest_of([self.events_1, self.n_1, self.events_2, self.n_2, self.stratum])


def require_counts(table: TwoByTwo, *, may_be_empty: bool = False) -> None:
    """Refuse counts that no two arms can have.

    Raises
    ------
    ReadingError
        Names every arm whose counts are not whole numbers with ``0 <= events <= n``, and every arm without a subject.
    """
    where = f"stratum {table.stratum}, " if table.stratum else ""
    faults = []
    for arm, events, n in ((1, table.events_1, table.n_1), (2, table.events_2, table.n_2)):
        place = f"{where}arm {arm}"
        if any(isinstance(count, bool) or not isinstance(count, Integral) for count in (events, n)):
            faults.append(Fault(place, "not_whole", f"both counts must be whole numbers, not {events} of {n}"))
        elif n == 0 and events == 0 and not may_be_empty:
            faults.append(Fault(place, "empty_arm", "there is nobody in this arm"))
        elif not 0 <= events <= n:
            faults.append(Fault(place, "out_of_range", f"{events} events cannot happen to {n} subjects"))
    if faults:
        raise ReadingError("the two arms cannot be compared", tuple(faults))


def fisher_exact(table: TwoByTwo, *, confidence: float = 0.95) -> Estimate:
    """The conditional maximum-likelihood odds ratio of the two arms, with exact limits and Fisher's p-value.

    Returns
    -------
    Estimate
        ``value`` and ``upper`` are None where the odds ratio or its limit is infinite; the warnings say so.

    Raises
    ------
    ReadingError
        For counts that `require_counts` refuses.

    References
    ----------
    Fisher RA. The logic of inductive inference. JRSS 1935. Cornfield J. A statistical problem arising from
    retrospective studies. Proc. 3rd Berkeley Symposium 1956.
    """
    require_confidence(confidence)
    require_counts(table)
    support, log_weights, seen = _conditional(table)
    tail = (1 - confidence) / 2
    at_least = support >= seen
    value = _odds_at(lambda w: float(w @ support), float(seen), support, log_weights)
    lower = 0.0 if seen == support[0] else _odds_at(lambda w: float(w[at_least].sum()), tail, support, log_weights)
    at_most = support <= seen
    upper = None
    if seen != support[-1]:
        upper = _odds_at(lambda w: float(w[at_most].sum()), tail, support, log_weights)
    infinite = seen == support[-1]
    return Estimate(
        value=(0.0 if seen == support[0] else value) if not infinite else None,
        lower=lower,
        upper=upper,
        confidence=confidence,
        method="conditional maximum-likelihood odds ratio, exact limits, Fisher's exact test",
        n=table.n,
        events=table.events,
        warnings=("infinite: the odds ratio has no upper bound",) if infinite else (),
        p=exact_p(np.exp(log_weights), int(seen - support[0])),
        data_digest=table.digest,
    )


def pearson_chi_square(table: TwoByTwo) -> ChiSquare:
    """Whether the two rates differ, by Pearson's chi-square without continuity correction.

    Raises
    ------
    ReadingError
        For counts that `require_counts` refuses, and where nobody or everybody has the event.
    """
    require_counts(table)
    if table.events in (0, table.n):
        who = "nobody" if table.events == 0 else "everybody"
        raise ReadingError(f"a chi-square needs subjects with and without the event; {who} has it")
    share = table.events / table.n
    rate_1, rate_2 = table.rates
    variance = share * (1 - share) * (1 / table.n_1 + 1 / table.n_2)
    statistic = (rate_1 - rate_2) ** 2 / variance
    smallest = min(n * p for n in (table.n_1, table.n_2) for p in (share, 1 - share))
    few = (f"few_expected: a cell expects {smallest:.1f}, under 5; use Fisher's exact test",) if smallest < 5 else ()
    p = float(chi_square.sf(statistic, 1))
    return ChiSquare(statistic, 1, p, table.n, table.events, "Pearson chi-square, uncorrected", few, table.digest)


def exact_p(probabilities: Vector, observed: int) -> float:
    """The two-sided p-value of one outcome: how likely it and every outcome no likelier are together."""
    share = probabilities / probabilities.sum()
    return min(1.0, float(share[share <= share[observed] * AS_LIKELY].sum()))


def _conditional(table: TwoByTwo) -> tuple[Vector, Vector, int]:
    """Events that the first arm can have given the margins, the log of their weights at odds ratio 1, and the seen."""
    lowest, highest = max(0, table.events - table.n_2), min(table.n_1, table.events)
    support = np.arange(lowest, highest + 1, dtype=np.float64)
    return support, hypergeom.logpmf(support, table.n, table.n_1, table.events), table.events_1


def _odds_at(reached: Callable[[Vector], float], target: float, support: Vector, log_weights: Vector) -> float | None:
    """The odds ratio at which a quantity of the conditional distribution has a certain value."""

    def gap(log_odds: float) -> float:
        tilted = log_weights + support * log_odds
        weights = np.exp(tilted - tilted.max())
        return reached(weights / weights.sum()) - target

    ends = (-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    if gap(ends[0]) * gap(ends[1]) >= 0:
        return None
    return float(np.exp(brentq(gap, *ends, xtol=1e-15, rtol=1e-14)))
