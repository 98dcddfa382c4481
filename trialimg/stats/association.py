"""How one measured quantity goes with an outcome, and which quantities say the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform
from scipy.stats import mannwhitneyu, norm, rankdata

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.cox import Histories
from trialimg.stats.observations import require_length
from trialimg.stats.partial_likelihood import PartialLikelihood, Spans
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["Clusters", "area_under_curve", "correlation_clusters", "hazard_per_sd"]

Vector = npt.NDArray[np.float64]
FEW_EVENTS = 10
"""Events (or subjects of the smaller group) below which an effect is a hint at most."""
_AUC = "area under the ROC curve, DeLong on the logit scale, Mann-Whitney p"
_HAZARD = "log hazard ratio per standard deviation, Cox with Efron's ties, Wald"
_FLAT = 1e-12
LEAST_FOR_LIMITS = 2
LEAST_FOR_RANKS = 3


@dataclass(frozen=True, eq=False)
class Clusters:
    """Quantities grouped by how closely they rise and fall together."""

    names: tuple[str, ...]
    """In the order in which neighbours are alike."""
    rho: Vector
    """Spearman's correlation, shape (name, name), in the same order."""
    number: tuple[int, ...]
    """Cluster of each name, from 1 in their order."""
    representatives: tuple[str, ...]
    """Of each cluster, the one that is closest to all others of it."""
    n: int


def hazard_per_sd(
    values: Sequence[float], days: Sequence[float], events: Sequence[bool | int], *, confidence: float = 0.95
) -> Estimate:
    """The log hazard ratio of one standard deviation of a quantity, by Cox's model of it alone.

    Raises
    ------
    ReadingError
        For unequal lengths, times or events that cannot be, values that are not numbers, or no event at all.

    Notes
    -----
    Without limits and p where the hazard has no finite maximum (every event at the highest, or the lowest, value), or
    the quantity does not vary.
    """
    require_confidence(confidence)
    sample = _numbers(values)
    require_length(len(sample), days, "times")
    histories = Histories(days, events)
    histories.require()
    n, count = len(sample), sum(bool(event) for event in events)
    digest = digest_of([sample.tolist(), [float(day) for day in days], [int(event) for event in events]])
    sd = float(sample.std(ddof=1)) if n > 1 else 0.0
    if sd <= _FLAT * max(1.0, float(np.abs(sample).max())):
        return Estimate(None, None, None, confidence, _HAZARD, n, count, ("constant: the quantity does not vary",))
    spans = Spans(
        np.full(n, -np.inf), np.asarray(days, float), np.asarray(events, bool),
        ((sample - sample.mean()) / sd)[:, None], np.zeros(n, np.int64), np.ones(n),
    )  # fmt: skip
    warnings = (f"few_events: {count} events",) if count < FEW_EVENTS else ()
    try:
        maximum = PartialLikelihood(spans, ties="efron", names=("quantity",)).maximum()
    except ReadingError as fault:
        said = (f"not_estimable: {fault}",)
        return Estimate(None, None, None, confidence, _HAZARD, n, count, said, data_digest=digest)
    effect, se = float(maximum.coefficients[0]), math.sqrt(float(maximum.covariance[0, 0]))
    half, p = float(norm.ppf((1 + confidence) / 2)) * se, float(2 * norm.sf(abs(effect) / se))
    ends = effect - half, effect + half
    return Estimate(effect, *ends, confidence, _HAZARD, n, count, warnings, se, p, digest)


def area_under_curve(values: Sequence[float], positive: Sequence[bool | int], *, confidence: float = 0.95) -> Estimate:
    """How often a quantity is higher in one with the outcome than in one without; ties count half.

    Raises
    ------
    ReadingError
        For unequal lengths, values that are not numbers, or an outcome that all or none have.

    Notes
    -----
    0.5: the quantity does not go with the outcome. p is that of the Mann-Whitney test, exact where there are no ties
    and the smaller group has 8 or fewer. Without limits where the groups do not overlap.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988. Pepe MS. The statistical evaluation of medical tests.
    Oxford 2003, 5.2 (limits on the logit scale).
    """
    require_confidence(confidence)
    sample = _numbers(values)
    require_length(len(sample), positive, "outcomes")
    has = np.asarray([bool(one) for one in positive])
    with_it, without = sample[has], sample[~has]
    m, n = len(with_it), len(without)
    if not m or not n:
        raise ReadingError(f"all or none of {m + n} have the outcome; there is nothing to compare")
    digest = digest_of([sample.tolist(), [int(one) for one in has]])
    ranks = rankdata(sample)
    above = (ranks[has] - rankdata(with_it)) / n  # of each with it, the share without it that lies below
    below = 1 - (ranks[~has] - rankdata(without)) / m
    area = float(above.mean())
    p = float(mannwhitneyu(with_it, without, alternative="two-sided", method="auto").pvalue)
    variance = sum(float(part.var(ddof=1)) / len(part) for part in (above, below) if len(part) > 1)
    warnings = (f"few_subjects: {min(m, n)} in the smaller group",) if min(m, n) < FEW_EVENTS else ()
    if min(m, n) < LEAST_FOR_LIMITS or not 0 < area < 1:
        said = (*warnings, "no_limits: the groups do not overlap, or one of them has one subject")
        return Estimate(area, None, None, confidence, _AUC, m + n, m, said, p=p, data_digest=digest)
    se, centre = math.sqrt(variance), math.log(area / (1 - area))
    half = float(norm.ppf((1 + confidence) / 2)) * se / (area * (1 - area))
    lower, upper = (1 / (1 + math.exp(-(centre + side * half))) for side in (-1, 1))
    return Estimate(area, lower, upper, confidence, _AUC, m + n, m, warnings, se, p, digest)


def correlation_clusters(
    names: Sequence[str], table: Sequence[Sequence[float]] | Vector, *, at: float = 0.9
) -> Clusters:
    """Quantities in groups within which Spearman's correlation, either way, is about ``at`` or more.

    Parameters
    ----------
    table
        Shape (subject, name), no value missing, every column varying.
    at
        Average correlation between two groups from which they are one (average linkage of 1 - abs(rho)).

    Raises
    ------
    ReadingError
        For fewer than three subjects, a value that is not a number, or a column that does not vary.
    """
    values = np.asarray(table, dtype=float)
    if values.ndim != 2 or values.shape[1] != len(names) or len(values) < LEAST_FOR_RANKS:
        raise ReadingError(f"correlations need {LEAST_FOR_RANKS} subjects or more, and a column for each name")
    ranks = rankdata(values, axis=0)
    flat = [name for name, column in zip(names, values.T, strict=True) if not np.ptp(column) > 0]
    if flat or not np.isfinite(values).all():
        faults = tuple(Fault(name, "constant", "does not vary") for name in flat)
        raise ReadingError("a column does not vary or holds what is no number; leave it out", faults)
    if len(names) == 1:
        return Clusters(tuple(names), np.ones((1, 1)), (1,), tuple(names), len(values))
    rho = np.clip(np.corrcoef(ranks, rowvar=False), -1, 1)
    apart = np.clip(1 - np.abs(rho), 0, 1)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), method="average")
    order = leaves_list(tree)
    found = fcluster(tree, t=1 - at, criterion="distance")[order]
    number = np.cumsum(np.r_[True, found[1:] != found[:-1]])
    closeness = np.abs(rho)[np.ix_(order, order)]
    members = [np.flatnonzero(number == one) for one in range(1, number[-1] + 1)]
    ordered = tuple(names[place] for place in order)
    chosen = tuple(ordered[own[closeness[np.ix_(own, own)].mean(axis=1).argmax()]] for own in members)
    return Clusters(ordered, rho[np.ix_(order, order)], tuple(int(n) for n in number), chosen, len(values))


def _numbers(values: Sequence[float]) -> Vector:
    faults = tuple(
        Fault(f"value {place}", "not_a_number", f"{value} is not a number")
        for place, value in enumerate(values, start=1)
        if not math.isfinite(value)
    )
    if faults or not len(values):
        raise ReadingError("an association is made of numbers", faults)
    return np.asarray(values, dtype=float)
