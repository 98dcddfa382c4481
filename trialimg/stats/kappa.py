"""How far readers agree on categories, beyond what chance alone would give.

References
----------
Cohen J. Educ Psychol Meas 1960; Psychol Bull 1968 (weights). Fleiss JL, Cohen J, Everitt BS. Large sample standard
errors of kappa and weighted kappa. Psychol Bull 1969. Fleiss JL. Psychol Bull 1971. Gwet KL. Computing inter-rater
reliability and its variance in the presence of high agreement. Br J Math Stat Psychol 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.design import in_order
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["KAPPA_WEIGHTS", "cohen_kappa", "cross_table", "fleiss_kappa", "gwet_ac1"]

Vector = npt.NDArray[np.float64]
NO_SPREAD = 1e-12


def cross_table(first: Sequence[str], second: Sequence[str], *, categories: Sequence[str] | None = None) -> Vector:
    """How often the first reader's category met each of the second's, shape (first, second).

    Parameters
    ----------
    categories
        In their order, which matters for weights; None: all that occur, numbers by size, words by name.

    Raises
    ------
    ReadingError
        If the readers have unequal numbers of answers, or an answer is not among the categories.
    """
    if len(first) != len(second):
        raise ReadingError(f"{len(first)} answers of one reader, but {len(second)} of the other; they must be paired")
    names = list(categories) if categories is not None else sorted({*first, *second}, key=in_order)
    strangers = sorted({*first, *second} - set(names))
    if strangers:
        raise ReadingError(
            f"answers that are no category: {', '.join(strangers)}; the categories are {', '.join(names)}"
        )
    table = np.zeros((len(names), len(names)))
    for a, b in zip(first, second, strict=True):
        table[names.index(a), names.index(b)] += 1
    return table


def cohen_kappa(
    table: Sequence[Sequence[float]] | Vector, *, weights: str = "unweighted", confidence: float = 0.95
) -> Estimate:
    """Agreement of two readers beyond chance.

    Parameters
    ----------
    table
        Counts, shape (first reader's category, second reader's); categories in their order.
    weights
        Credit for partial agreement: ``unweighted`` none, ``linear``, ``quadratic``.

    Raises
    ------
    ReadingError
        If the table is not square, empty, or holds a count that cannot be.
    ProtocolError
        If the weights or the confidence cannot be followed.

    Notes
    -----
    The standard error is that of Fleiss, Cohen and Everitt, for the interval; the p-value is left out, as a test
    that agreement is no better than chance says little about readers. ``psych::cohen.kappa`` (2.2.9) prints another
    variance of a weighted kappa: it weighs the row means by the wrong margin.
    """
    require_confidence(confidence)
    if weights not in KAPPA_WEIGHTS:
        raise ProtocolError(f"no weights are called {weights!r}; choose one of {', '.join(KAPPA_WEIGHTS)}")
    counts = _require_table(table)
    n, size = float(counts.sum()), len(counts)
    share = counts / n
    credit = KAPPA_WEIGHTS[weights](size)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, expected = float((credit * share).sum()), float(rows @ credit @ columns)
    method = f"Cohen's kappa, {weights}, Fleiss-Cohen-Everitt standard error"
    digest = digest_of(counts.tolist())
    if expected >= 1 - 1e-15:
        said = "one_category: both readers used one category throughout; agreement beyond chance is undefined"
        return Estimate(None, None, None, confidence, method, int(n), 0, (said,), data_digest=digest)
    value = (observed - expected) / (1 - expected)
    mean_credit = (credit @ columns)[:, None] + (rows @ credit)[None, :]
    spread = (share * (credit - mean_credit * (1 - value)) ** 2).sum() - (value - expected * (1 - value)) ** 2
    se = float(np.sqrt(max(0.0, spread) / n)) / (1 - expected)
    half = float(norm.ppf((1 + confidence) / 2)) * se
    agreed = int(np.trace(counts))
    lower, upper, warned = value - half, value + half, _width_said(half)
    return Estimate(value, lower, upper, confidence, method, int(n), agreed, warned, se=se, data_digest=digest)


def _width_said(half: float) -> tuple[str, ...]:
    """A warning where every case is alike, so that nothing is known of how kappa spreads."""
    said = "no_variance: every case is alike, so the standard error is 0 and the limits have no width"
    return (said,) if half <= NO_SPREAD else ()


def fleiss_kappa(counts: Sequence[Sequence[int]] | Vector, *, confidence: float = 0.95) -> Estimate:
    """Agreement of several readers beyond chance.

    Parameters
    ----------
    counts
        How many readers put each case in each category, shape (case, category); equally many readers for each.

    Raises
    ------
    ReadingError
        Names every case with another number of readers; and refuses fewer than two readers or no case.
    ProtocolError
        If the confidence cannot be followed.

    Notes
    -----
    Limits by the jackknife over cases: Fleiss's own standard error holds only where there is no agreement at all.
    """
    require_confidence(confidence)
    table, readers = _require_counts(counts)
    value = _fleiss(table, readers)
    method = f"Fleiss' kappa, {readers} readers, jackknife over cases"
    digest = digest_of(table.tolist())
    n = len(table)
    if value is None:
        said = "one_category: every reader used one category throughout; agreement beyond chance is undefined"
        return Estimate(None, None, None, confidence, method, n, 0, (said,), data_digest=digest)
    without = [_fleiss(np.delete(table, case, axis=0), readers) for case in range(n)] if n > 2 else [None]
    known = [one for one in without if one is not None]
    if len(known) < n:
        said = "no_interval: leaving a case out leaves one category; too few cases for limits"
        return Estimate(value, None, None, confidence, method, n, 0, (said,), data_digest=digest)
    se = float(np.sqrt((n - 1) / n * ((np.array(known) - np.mean(known)) ** 2).sum()))
    half = float(student.ppf((1 + confidence) / 2, n - 1)) * se
    lower, upper, warned = value - half, value + half, _width_said(half)
    return Estimate(value, lower, upper, confidence, method, n, 0, warned, se=se, data_digest=digest)


def gwet_ac1(table: Sequence[Sequence[float]] | Vector, *, confidence: float = 0.95) -> Estimate:
    """Agreement of two readers beyond chance, steady where one category prevails.

    Parameters
    ----------
    table
        Counts, shape (first reader's category, second reader's).

    Raises
    ------
    ReadingError
        If the table is not square, empty, or holds a count that cannot be.
    ProtocolError
        If the confidence cannot be followed.
    """
    require_confidence(confidence)
    counts = _require_table(table)
    n, size = float(counts.sum()), len(counts)
    if size < 2:
        raise ReadingError("agreement needs two categories; there is one")
    share = counts / n
    prevalence = (share.sum(axis=0) + share.sum(axis=1)) / 2
    observed, expected = float(np.trace(share)), float((prevalence * (1 - prevalence)).sum() / (size - 1))
    value = (observed - expected) / (1 - expected)
    pairs = (prevalence[:, None] + prevalence[None, :]) / 2
    agreed = np.eye(size)
    pull = (agreed - expected) / (1 - expected) - 2 * (1 - value) * ((1 - pairs) / (size - 1) - expected) / (
        1 - expected
    )
    se = float(np.sqrt((share * (pull - value) ** 2).sum() / (n - 1))) if n > 1 else 0.0
    half = float(student.ppf((1 + confidence) / 2, max(1.0, n - 1))) * se
    return Estimate(
        value=value,
        lower=value - half,
        upper=min(1.0, value + half),
        confidence=confidence,
        method="Gwet's AC1",
        n=int(n),
        events=int(np.trace(counts)),
        warnings=_width_said(half),
        se=se,
        data_digest=digest_of(counts.tolist()),
    )


def _fleiss(table: Vector, readers: int) -> float | None:
    agreed = (table * (table - 1)).sum(axis=1) / (readers * (readers - 1))
    by_chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return None if by_chance >= 1 - 1e-15 else float((agreed.mean() - by_chance) / (1 - by_chance))


def _require_table(table: Sequence[Sequence[float]] | Vector) -> Vector:
    counts = np.asarray(table, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ReadingError(f"agreement needs a square table of counts, not one of shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
        raise ReadingError("a table of agreement holds whole numbers of 0 or more")
    if counts.sum() == 0:
        raise ReadingError("agreement needs cases; the table is empty")
    return counts


def _require_counts(counts: Sequence[Sequence[int]] | Vector) -> tuple[Vector, int]:
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or not len(table):
        raise ReadingError("agreement needs cases; the table is empty")
    readers = table.sum(axis=1)
    expected = int(readers[0])
    faults = tuple(
        Fault(f"case {place}", "readers", f"has {total:g} readers where the first case has {expected}")
        for place, total in enumerate(readers, start=1)
        if total != expected
    )
    if faults:
        raise ReadingError(f"{len(faults)} case(s) were not read by all readers; first: {faults[0]}", faults)
    if expected < 2:
        raise ReadingError("agreement needs two readers at least")
    return table, expected


def _unweighted(size: int) -> Vector:
    return np.eye(size)


def _linear(size: int) -> Vector:
    steps = np.arange(size)
    return np.asarray(1 - np.abs(steps[:, None] - steps[None, :]) / max(1, size - 1))


def _quadratic(size: int) -> Vector:
    steps = np.arange(size)
    return np.asarray(1 - (steps[:, None] - steps[None, :]) ** 2 / max(1, size - 1) ** 2)


KAPPA_WEIGHTS: dict[str, Callable[[int], Vector]] = {
    "unweighted": _unweighted,
    "linear": _linear,
    "quadratic": _quadratic,
}
