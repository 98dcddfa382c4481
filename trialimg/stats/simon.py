"""Simon's two-stage design of a one-arm trial, by searching every design.

References
----------
Simon R. Optimal two-stage designs for phase II clinical trials. Controlled Clin Trials 1989.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from trialimg.core.errors import ProtocolError

__all__ = ["TwoStage", "simon_designs", "two_stage"]

Vector = npt.NDArray[np.float64]
MOST_SUBJECTS = 200


@dataclass(frozen=True)
class TwoStage:
    """Stop after the first stage with ``r1`` responders or fewer; fail with ``r`` or fewer in all."""

    r1: int
    n1: int
    r: int
    n: int
    alpha: float
    """Reached exactly, as is the power."""
    power: float
    expected_n: float
    """If the null rate is true."""
    early_stop: float
    """How likely the trial stops after the first stage if the null rate is true."""


def two_stage(r1: int, n1: int, r: int, n: int, *, null_rate: float, rate: float) -> TwoStage:
    """What a given design reaches.

    Raises
    ------
    ProtocolError
        If the numbers make no design.
    """
    if not (0 <= r1 < n1 < n and r1 <= r < n):
        raise ProtocolError(f"r1={r1}, n1={n1}, r={r}, n={n} make no design: 0 <= r1 < n1 < n and r1 <= r < n")
    _require_rates(null_rate, rate)
    stop = float(binom.cdf(r1, n1, null_rate))
    alpha, power = (_success(r1, n1, r, n - n1, p) for p in (null_rate, rate))
    return TwoStage(r1, n1, r, n, alpha, power, n1 + (1 - stop) * (n - n1), stop)


def simon_designs(*, null_rate: float, rate: float, alpha: float, power: float) -> tuple[TwoStage, TwoStage]:
    """The optimal design (fewest subjects expected under the null rate) and the minimax one (fewest in all).

    Raises
    ------
    ProtocolError
        If the rates, the level or the power cannot be; or no design of at most 200 subjects reaches them.
    """
    _require_rates(null_rate, rate)
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ProtocolError(f"level and power lie between 0 and 1, not {alpha} and {power}")
    best: TwoStage | None = None
    minimax: TwoStage | None = None
    for n in range(2, MOST_SUBJECTS + 1):
        if best is not None and n > best.n and _least_expected(n, null_rate, rate, power) >= best.expected_n:
            break
        bound = math.inf if best is None else best.expected_n
        found = _best_of_size(n, (null_rate, rate), alpha=alpha, power=power, bound=bound)
        if found is not None:
            minimax = minimax or found
            best = found if best is None or found.expected_n < best.expected_n - 1e-12 else best
    if best is None or minimax is None:
        raise ProtocolError(f"no two-stage design of at most {MOST_SUBJECTS} subjects reaches this level and power")
    return best, minimax


def _least_expected(n: int, null_rate: float, rate: float, power: float) -> float:
    """No design of this size can expect fewer: the first stage alone must keep the power."""
    least = math.inf
    for n1 in range(1, n):
        r1 = int(binom.ppf(1 - power, n1, rate))
        r1 = r1 if binom.cdf(r1, n1, rate) <= 1 - power else r1 - 1
        stop = float(binom.cdf(r1, n1, null_rate)) if r1 >= 0 else 0.0
        least = min(least, n1 + (1 - stop) * (n - n1))
    return least


def _best_of_size(n: int, rates: tuple[float, float], *, alpha: float, power: float, bound: float) -> TwoStage | None:
    """Of all first stages, the one that expects fewest, fewer than the bound; with the smallest limit that holds."""
    null_rate, rate = rates
    best: TwoStage | None = None
    for n1 in range(1, n):
        keep = binom.cdf(np.arange(n1), n1, rate) <= 1 - power
        expected = n1 + binom.sf(np.arange(n1), n1, null_rate) * (n - n1)
        stages = np.flatnonzero(keep & (expected < bound - 1e-12))
        if not len(stages):
            continue
        false, true = (_success_table(n1, n - n1, p) for p in rates)
        for r1 in map(int, stages):
            limits = np.flatnonzero(false[r1 + 1] <= alpha)
            if len(limits) and true[r1 + 1, limits[0]] >= power and expected[r1] < bound - 1e-12:
                best = two_stage(r1, n1, max(int(limits[0]), r1), n, null_rate=null_rate, rate=rate)
                bound = best.expected_n
    return best


def _success_table(n1: int, n2: int, p: float) -> Vector:
    """How likely the trial goes on with so many responders or more, and ends above a limit; (from, limit)."""
    counts, limits = np.arange(n1 + 1), np.arange(n1 + n2 + 1)
    beyond = binom.sf(np.arange(-n1, n1 + n2 + 1), n2, p)  # by how many more than a limit needs, from -n1 on
    joint = binom.pmf(counts, n1, p)[:, None] * beyond[limits[None, :] - counts[:, None] + n1]
    return np.asarray(np.cumsum(joint[::-1], axis=0)[::-1])


def _success(r1: int, n1: int, r: int, n2: int, p: float) -> float:
    counts = np.arange(r1 + 1, n1 + 1)
    return float(binom.pmf(counts, n1, p) @ binom.sf(r - counts, n2, p))


def _require_rates(null_rate: float, rate: float) -> None:
    if not 0 < null_rate < rate < 1:
        raise ProtocolError(f"rates must satisfy 0 < null rate < rate < 1, not {null_rate} and {rate}")
