"""Competing risks: how likely each cause is to have come first by a time, and whether groups differ in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2 as chi_square
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.observations import require_length, require_times
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import ChiSquare

__all__ = ["CumulativeIncidence", "cumulative_incidence", "gray_test", "require_states"]

Vector = npt.NDArray[np.float64]
FEW_EVENTS_PER_GROUP = 5


@dataclass(frozen=True)
class CumulativeIncidence:
    """How likely one cause is to have come first; one entry per distinct time of any event."""

    label: str
    cause: int
    n: int
    events: int
    """Of this cause."""
    time_days: tuple[float, ...]
    n_risk: tuple[int, ...]
    n_event: tuple[int, ...]
    """Of this cause."""
    incidence: tuple[float, ...]
    variance: tuple[float, ...]
    """Aalen's, as ``cmprsk::cuminc`` gives it."""
    se: tuple[float, ...]
    """By the infinitesimal jackknife, as ``survival::survfit`` gives it; the limits rest on it."""
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    confidence: float
    method: str
    warnings: tuple[str, ...]
    data_digest: str

    def at(self, day: float) -> tuple[float, float, float]:
        """Incidence, variance and standard error on a day."""
        place = int(np.searchsorted(self.time_days, day, side="right")) - 1
        return (0.0, 0.0, 0.0) if place < 0 else (self.incidence[place], self.variance[place], self.se[place])


def require_states(days: Sequence[float], states: Sequence[int]) -> None:
    """Refuse times that are negative or not a number, and states that are not whole numbers of 0 or more.

    Raises
    ------
    ReadingError
        Names every such entry.
    """
    require_times(days, [0] * len(days))
    require_length(len(days), states, "states")
    faults = tuple(
        Fault(f"entry {place}", "bad_state", f"a state is 0 (censored), 1, 2 ..., not {state}")
        for place, state in enumerate(states, start=1)
        if not (state >= 0 and int(state) == state)
    )
    if faults:
        raise ReadingError(f"{len(faults)} entries cannot be analysed; first: {faults[0]}", faults)


def cumulative_incidence(
    days: Sequence[float], states: Sequence[int], *, cause: int, label: str, confidence: float = 0.95
) -> CumulativeIncidence:
    """The Aalen-Johansen estimate of one cause's incidence.

    Parameters
    ----------
    states
        0: censored; otherwise the number of the cause that came first.

    Raises
    ------
    ReadingError
        For times and states that cannot be, or nobody.
    ProtocolError
        If the confidence cannot be followed.

    References
    ----------
    Aalen OO, Johansen S. Scand J Stat 1978. Marubini E, Valsecchi MG. Analysing survival data from clinical trials,
    1995, chapter 10 (variance). Limits on the scale of the logarithm.
    """
    require_confidence(confidence)
    require_states(days, states)
    if not len(days):
        raise ReadingError(f"an incidence needs subjects; there is nobody in {label}")
    time, state = np.asarray(days, float), np.asarray(states, int)
    moments = np.unique(time[state > 0])
    at_risk = np.array([(time >= t).sum() for t in moments], float)
    own = np.array([((time == t) & (state == cause)).sum() for t in moments], float)
    other = np.array([((time == t) & (state > 0) & (state != cause)).sum() for t in moments], float)
    after = np.cumprod(1 - (own + other) / np.maximum(at_risk, 1))
    before = np.concatenate([[1.0], after[:-1]]) if len(moments) else after
    incidence = np.cumsum(before * own / np.maximum(at_risk, 1))
    variance = _aalen_variance(incidence, before, after, _Counts(at_risk, own, other))
    se = _jackknife_se(time, state, moments, cause=cause)
    lower, upper = _log_limits(incidence, se, float(norm.ppf((1 + confidence) / 2)))
    return CumulativeIncidence(
        label=label,
        cause=cause,
        n=len(time),
        events=int(own.sum()),
        time_days=tuple(map(float, moments)),
        n_risk=tuple(map(int, at_risk)),
        n_event=tuple(map(int, own)),
        incidence=tuple(map(float, incidence)),
        variance=tuple(map(float, variance)),
        se=tuple(map(float, se)),
        lower=lower,
        upper=upper,
        confidence=confidence,
        method="Aalen-Johansen, infinitesimal-jackknife standard error, log limits",
        warnings=() if own.any() else (f"no_event: nobody in {label} had cause {cause} first",),
        data_digest=digest_of([list(map(float, days)), list(map(int, states))]),
    )


@dataclass(frozen=True, eq=False)
class _Counts:
    at_risk: Vector
    own: Vector
    other: Vector


def _aalen_variance(incidence: Vector, before: Vector, after: Vector, counts: _Counts) -> Vector:
    """Of the incidence at each moment; unchanged between events of the cause."""
    if not len(incidence):
        return incidence
    at_risk, own, other = counts.at_risk, counts.own, counts.other
    spread = [before**2 * _untied(part, at_risk) * part / at_risk**2 for part in (own, other)]
    alive = after > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # where nobody is left, nothing later depends on it
        drift = (incidence[None, :] - incidence[:, None]) / after[None, :]
    drift = np.where(alive[None, :], drift, 0.0)
    past = np.tri(len(incidence))
    total = ((1 + drift) ** 2 * past) @ spread[0] + (drift**2 * past) @ np.where(alive, spread[1], 0.0)
    last = np.maximum.accumulate(np.where(own > 0, np.arange(len(own)), -1))
    return np.where(last >= 0, total[last], 0.0)


def _untied(events: Vector, at_risk: Vector) -> Vector:
    """How much smaller tied events make a binomial variance."""
    return np.where(events > 1, 1 - (events - 1) / np.maximum(at_risk - 1, 1), 1.0)


def _jackknife_se(time: Vector, state: npt.NDArray[np.int64], moments: Vector, *, cause: int) -> Vector:
    """Root of the sum over subjects of the squared change that a little more weight on each would make."""
    total = np.zeros(len(moments))
    survival, sway, change = 1.0, np.zeros(len(time)), np.zeros(len(time))
    for place, moment in enumerate(moments):
        here = (time >= moment).astype(float)
        died, failed = (
            ((time == moment) & (state > 0)).astype(float),
            ((time == moment) & (state == cause)).astype(float),
        )
        n = here.sum()
        hazard, own = died.sum() / n, failed.sum() / n
        change += survival * (sway * own + (failed - here * own) / n)
        if hazard < 1:
            sway -= (died - here * hazard) / (n * (1 - hazard))
        survival *= 1 - hazard
        total[place] = np.sqrt((change**2).sum())
    return total


def _log_limits(incidence: Vector, se: Vector, z: float) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    pairs = [
        (value * np.exp(-z * error / value), min(1.0, value * np.exp(z * error / value))) if value > 0 else (None, None)
        for value, error in zip(incidence, se, strict=True)
    ]
    return tuple(low for low, _ in pairs), tuple(high for _, high in pairs)


def gray_test(
    days: Sequence[float],
    states: Sequence[int],
    groups: Sequence[str],
    *,
    cause: int,
    strata: Sequence[str] | None = None,
) -> ChiSquare:
    """Whether groups differ in the incidence of one cause.

    Raises
    ------
    ReadingError
        For times and states that cannot be, no event of the cause, or fewer than two groups.

    References
    ----------
    Gray RJ. A class of k-sample tests for comparing the cumulative incidence of a competing risk. Ann Stat 1988.
    """
    require_states(days, states)
    require_length(len(days), groups, "group names")
    layers = np.asarray(["all"] * len(days) if strata is None else list(strata))
    require_length(len(days), layers, "strata")
    names = sorted(set(groups))
    time, state, group = np.asarray(days, float), np.asarray(states, int), np.asarray(groups)
    if len(names) < 2 or not (state == cause).any():
        raise ReadingError(f"Gray's test of cause {cause} needs two groups and an event of this cause")
    score, variance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for layer in np.unique(layers):
        inside = layers == layer
        part = _gray_sums(time[inside], state[inside], np.array([group[inside] == name for name in names]), cause)
        score, variance = score + part[0], variance + part[1]
    kept, df = variance[:-1, :-1], len(names) - 1
    if np.linalg.matrix_rank(kept) < df:
        raise ReadingError(f"the variance of Gray's test of cause {cause} is 0: too few events to compare groups")
    value = float(score[:-1] @ np.linalg.solve(kept, score[:-1]))
    events = int((state == cause).sum())
    few = (
        (f"few_events: {events} events in {len(names)} groups; the p-value is poor",) if events < 5 * len(names) else ()
    )
    method = f"Gray's test of cause {cause}" + (", stratified" if strata is not None else "")
    digest = digest_of([list(map(float, days)), list(map(int, states)), list(map(str, groups)), layers.tolist()])
    return ChiSquare(value, df, float(chi_square.sf(value, df)), len(time), events, method, few, digest)


def _gray_sums(time: Vector, state: npt.NDArray[np.int64], member: Vector, cause: int) -> tuple[Vector, Vector]:
    """Scores of the groups and their variance within one stratum.

    The compensators of the groups' incidences are compared under one common incidence F; each group's counting
    process adds the square of what its jump does to the score, now (``direct``) and through F later (``later``).
    """
    moments = np.unique(time[state > 0])
    by_group = [_group_path(time[rows], state[rows], moments, cause) for rows in member]
    at_risk, own, other, before, after, incidence_before = (np.array(part) for part in zip(*by_group, strict=True))
    present = at_risk > 0
    reach = np.where(present, at_risk / np.where(present, before, 1.0), 0.0)
    total, failed = reach.sum(axis=0), own.sum(axis=0)
    pooled = np.cumsum(failed / np.where(total > 0, total, 1.0))
    pooled_before = np.concatenate([[0.0], pooled[:-1]])
    if (pooled_before[total > 0] >= 1 - 1e-12).any():
        raise ReadingError(
            f"Gray's test of cause {cause} is undefined: its common incidence is 1 before the last event"
        )
    free = reach * (1 - incidence_before)
    score = (own - failed * free / np.where(total > 0, free.sum(axis=0), 1.0)).sum(axis=1)
    share = reach / np.where(total > 0, total, 1.0)
    direct = np.eye(len(member))[:, :, None] * reach[None] - reach[:, None] * share[None]
    growth = failed / np.where(total > 0, total * (1 - pooled_before), 1.0)
    running = np.cumsum(direct * growth, axis=2)
    later = running[:, :, -1:] - running
    survival = np.where(after > 0, after, np.inf)
    towards = np.where(after > 0, 1 - (1 - pooled) / survival, 1.0)
    tied = np.where(failed > 1, 1 - (failed - 1) / np.maximum(total * before - 1, 1e-300), 1.0)
    spread = np.where(present, tied * before * failed / np.where(present, total * at_risk, 1.0), 0.0)
    first = direct + towards * later
    lost = np.where(after > 0, (1 - pooled) / survival, 0.0) * later
    rival = np.where(present, _untied(other, at_risk) * before**2 * other / np.maximum(at_risk, 1) ** 2, 0.0)
    variance = np.einsum("ikt,jkt,kt->ij", first, first, spread) + np.einsum("ikt,jkt,kt->ij", lost, lost, rival)
    return score, variance


def _group_path(
    time: Vector, state: npt.NDArray[np.int64], moments: Vector, cause: int
) -> tuple[Vector, Vector, Vector, Vector, Vector, Vector]:
    """At risk, events of the cause, of others; survival before and after; incidence before, at each moment."""
    at_risk = np.array([(time >= t).sum() for t in moments], float)
    own = np.array([((time == t) & (state == cause)).sum() for t in moments], float)
    other = np.array([((time == t) & (state > 0) & (state != cause)).sum() for t in moments], float)
    crowd = np.maximum(at_risk, 1)
    after = np.cumprod(1 - (own + other) / crowd)
    before = np.concatenate([[1.0], after[:-1]])
    incidence = np.cumsum(before * own / crowd)
    return at_risk, own, other, before, after, np.concatenate([[0.0], incidence[:-1]])
