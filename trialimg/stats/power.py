"""How large a trial has to be: response rates of one and two arms, exactly, and events of a log-rank test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, hypergeom, norm

from trialimg.core.errors import Fault, ProtocolError
from trialimg.stats.two_by_two import AS_LIKELY

__all__ = ["Plan", "events_power", "log_rank_events", "one_arm", "one_arm_power", "two_arms", "two_arms_power"]

MOST_SUBJECTS = 2000
SAW_TOOTH = 30
"""How many sizes further an exact power is watched for falling below what is asked."""
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """The size of a trial, with what it reaches."""

    n: int
    """Subjects (or events) in all."""
    power: float
    alpha: float
    """Reached exactly; the level asked for where it cannot be known."""
    method: str
    n_1: int | None = None
    n_2: int | None = None
    critical: int | None = None
    """Responders from which the null hypothesis of one arm is rejected."""
    warnings: tuple[str, ...] = ()


def one_arm_power(n: int, *, null_rate: float, rate: float, alpha: float) -> Plan:
    """The power of an exact one-sided test that a response rate is higher than a null rate.

    Raises
    ------
    ProtocolError
        Names every figure that cannot be.
    """
    _require(rates={"null_rate": null_rate, "rate": rate}, shares={"alpha": alpha}, counts={"n": n})
    if rate <= null_rate:
        raise ProtocolError(f"the rate {rate:g} must lie above the null rate {null_rate:g}")
    critical = int(binom.ppf(1 - alpha, n, null_rate)) + 1
    while critical > 0 and binom.sf(critical - 2, n, null_rate) <= alpha:
        critical -= 1
    power, reached = float(binom.sf(critical - 1, n, rate)), float(binom.sf(critical - 1, n, null_rate))
    return Plan(n, power, reached, "exact binomial test, one-sided", critical=critical)


def one_arm(*, null_rate: float, rate: float, alpha: float, power: float) -> Plan:
    """The smallest number of subjects from which on that test keeps the power.

    Raises
    ------
    ProtocolError
        Names every figure that cannot be; or says that more than 2000 subjects would be needed.

    Notes
    -----
    The power of an exact test rises in a saw-tooth: a size may reach it, and a larger one miss it. The size returned
    is the smallest after which none misses it up to 30 subjects more.
    """
    _require(rates={"null_rate": null_rate, "rate": rate}, shares={"alpha": alpha, "power": power}, counts={})
    reached = 0
    for n in range(1, MOST_SUBJECTS + 1):
        plan = one_arm_power(n, null_rate=null_rate, rate=rate, alpha=alpha)
        reached = reached + 1 if plan.power >= power else 0
        if reached > SAW_TOOTH:
            return one_arm_power(n - SAW_TOOTH, null_rate=null_rate, rate=rate, alpha=alpha)
    raise ProtocolError(f"more than {MOST_SUBJECTS} subjects would be needed; the rates lie too close together")


def two_arms_power(n_1: int, n_2: int, *, rate_1: float, rate_2: float, alpha: float) -> Plan:
    """The power of Fisher's exact test, two-sided, that two response rates differ; summed over all outcomes.

    Raises
    ------
    ProtocolError
        Names every figure that cannot be.
    """
    _require(rates={"rate_1": rate_1, "rate_2": rate_2}, shares={"alpha": alpha}, counts={"n_1": n_1, "n_2": n_2})
    refused = _fisher_refuses(n_1, n_2, alpha)
    power = _power(refused, n_1, n_2, rate_1, rate_2)
    highest = max(_power(refused, n_1, n_2, rate, rate) for rate in np.linspace(0.01, 0.99, 99))
    return Plan(n_1 + n_2, power, highest, "Fisher's exact test, two-sided", n_1, n_2)


def _power(refused: Vector, n_1: int, n_2: int, rate_1: float, rate_2: float) -> float:
    """How likely an outcome is that the test rejects."""
    return float(binom.pmf(np.arange(n_1 + 1), n_1, rate_1) @ refused @ binom.pmf(np.arange(n_2 + 1), n_2, rate_2))


def _fisher_refuses(n_1: int, n_2: int, alpha: float) -> Vector:
    """1 where the test rejects, shape (responders of arm 1, of arm 2)."""
    refused = np.zeros((n_1 + 1, n_2 + 1))
    for total in range(n_1 + n_2 + 1):
        first = np.arange(max(0, total - n_2), min(n_1, total) + 1)
        chance = hypergeom.pmf(first, n_1 + n_2, n_1, total)
        order = np.argsort(chance, kind="stable")
        ordered, running = chance[order], np.cumsum(chance[order])
        last = np.searchsorted(ordered, chance * AS_LIKELY, side="right") - 1
        refused[first, total - first] = running[last] <= alpha
    return refused


def two_arms(*, rate_1: float, rate_2: float, alpha: float, power: float, ratio: float = 1.0) -> Plan:
    """A small trial in which Fisher's exact test reaches the power: none of up to 30 subjects fewer an arm does.

    Parameters
    ----------
    ratio
        Subjects of arm 1 per subject of arm 2.

    Raises
    ------
    ProtocolError
        Names every figure that cannot be; or says that too many subjects would be needed.
    """
    _require(
        rates={"rate_1": rate_1, "rate_2": rate_2},
        shares={"alpha": alpha, "power": power},
        counts={},
        positive={"ratio": ratio},
    )
    if rate_1 == rate_2:
        raise ProtocolError("two equal rates cannot be told apart by any number of subjects")

    def reached(n_2: int) -> float:
        n_1 = max(1, math.ceil(ratio * n_2))
        return _power(_fisher_refuses(n_1, n_2, alpha), n_1, n_2, rate_1, rate_2)

    low, high = 1, 2
    while reached(high) < power:
        low, high = high, high * 2
        if high * (1 + ratio) > MOST_SUBJECTS:
            raise ProtocolError(f"more than {MOST_SUBJECTS} subjects would be needed; the rates lie too close together")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    first = high
    for smaller in range(high - 1, max(0, high - SAW_TOOTH), -1):
        first = smaller if reached(smaller) >= power else first
    return two_arms_power(max(1, math.ceil(ratio * first)), first, rate_1=rate_1, rate_2=rate_2, alpha=alpha)


def log_rank_events(
    *, hazard_ratio: float, alpha: float, power: float, ratio: float = 1.0, sided: int = 2, method: str = "schoenfeld"
) -> Plan:
    """The events that a log-rank test of two arms needs.

    Parameters
    ----------
    alpha
        Of the whole test; half of it on each side of a two-sided one.
    ratio
        Subjects of arm 1 per subject of arm 2.
    method
        ``schoenfeld`` or ``freedman``.

    Raises
    ------
    ProtocolError
        Names every figure that cannot be.

    References
    ----------
    Schoenfeld DA. Sample-size formula for the proportional-hazards regression model. Biometrics 1983. Freedman LS.
    Tables of the number of patients required in clinical trials using the logrank test. Stat Med 1982.
    """
    drift = _drift_per_event(hazard_ratio, ratio, method)
    _require(rates={}, shares={"alpha": alpha, "power": power}, counts={"sided": sided})
    quantile = float(norm.ppf(1 - alpha / sided) + norm.ppf(power))
    needed = quantile**2 / drift**2
    events = max(1, math.ceil(needed - 1e-9))
    reached = events_power(events, hazard_ratio=hazard_ratio, alpha=alpha, ratio=ratio, sided=sided, method=method)
    return Plan(events, reached.power, alpha, reached.method)


def events_power(
    events: int, *, hazard_ratio: float, alpha: float, ratio: float = 1.0, sided: int = 2, method: str = "schoenfeld"
) -> Plan:
    """The power that so many events give a log-rank test; parameters and errors as for `log_rank_events`."""
    _require(rates={}, shares={"alpha": alpha}, counts={"events": events, "sided": sided})
    drift = _drift_per_event(hazard_ratio, ratio, method)
    power = float(norm.cdf(math.sqrt(events) * drift - norm.ppf(1 - alpha / sided)))
    words = f"log-rank events, {method.capitalize()}, {'two' if sided == 2 else 'one'}-sided"
    return Plan(events, power, alpha, words)


def _drift_per_event(hazard_ratio: float, ratio: float, method: str) -> float:
    _require(rates={}, shares={}, counts={}, positive={"hazard_ratio": hazard_ratio, "ratio": ratio})
    if hazard_ratio == 1:
        raise ProtocolError("a hazard ratio of 1 cannot be told from 1 by any number of events")
    if method == "schoenfeld":
        return abs(math.log(hazard_ratio)) * math.sqrt(ratio) / (1 + ratio)
    if method == "freedman":
        return math.sqrt(ratio) * abs(1 - hazard_ratio) / (1 + ratio * hazard_ratio)
    raise ProtocolError(f"no formula for events is called {method!r}; choose schoenfeld or freedman")


def _require(
    *,
    rates: dict[str, float],
    shares: dict[str, float],
    counts: dict[str, int],
    positive: dict[str, float] | None = None,
) -> None:
    faults = [Fault(k, "bad_rate", f"lies between 0 and 1, not {v}") for k, v in rates.items() if not 0 < v < 1]
    faults += [Fault(k, "bad_share", f"lies between 0 and 1, not {v}") for k, v in shares.items() if not 0 < v < 1]
    faults += [
        Fault(k, "bad_count", f"is a whole number of 1 to {MOST_SUBJECTS}, not {v}")
        for k, v in counts.items()
        if not 1 <= v <= MOST_SUBJECTS
    ]
    faults += [
        Fault(k, "bad_number", f"is a number above 0, not {v}")
        for k, v in (positive or {}).items()
        if not (math.isfinite(v) and v > 0)
    ]
    if faults:
        raise ProtocolError(f"{len(faults)} figure(s) of the design cannot be: {faults[0]}", tuple(faults))
