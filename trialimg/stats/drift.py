"""Whether what comes in now is still what came in before: stability index and largest distance of two samples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, ks_2samp

from trialimg.core.errors import Fault, ProtocolError, ReadingError

__all__ = ["Distance", "Stability", "kolmogorov_smirnov", "population_stability"]

Vector = npt.NDArray[np.float64]
FEWEST_BINS = 2
PSEUDO_COUNT = 0.5
"""Added to the count of every bin, so that an empty bin does not make the index infinite."""


@dataclass(frozen=True)
class Stability:
    """How far the shares of a present sample in the bins of a former one have moved."""

    psi: float
    edges: tuple[float, ...]
    """Inner limits between bins, each a value of the former sample; an equal value belongs to the bin above."""
    reference: tuple[int, ...]
    """Values of the former sample in each bin."""
    current: tuple[int, ...]
    chance: float
    """What the index exceeds in 5 % of samples of these sizes where nothing has moved."""


@dataclass(frozen=True)
class Distance:
    """The largest distance between two distribution functions."""

    d: float
    p: float
    n_reference: int
    n_current: int
    method: str = "two-sample Kolmogorov-Smirnov, two-sided"


def population_stability(
    reference: Sequence[float], current: Sequence[float], *, bins: int = 10, confidence: float = 0.95
) -> Stability:
    """The population stability index of a present sample against a former one.

    Parameters
    ----------
    bins
        Bins of about equal count in the former sample; fewer where its values tie.
    confidence
        Of `Stability.chance`.

    Raises
    ------
    ReadingError
        If a sample is empty, or holds a value that is not a number.
    ProtocolError
        If fewer than two bins are asked for.

    Notes
    -----
    PSI = sum over bins of (q - p) ln(q / p), with p and q the shares of the former and the present sample, each count
    raised by a half. Where nothing moved, PSI / (1/n + 1/m) follows about a chi-square distribution with one degree of
    freedom less than there are bins: small samples exceed the customary 0.1 and 0.25 by chance alone.

    References
    ----------
    Siddiqi N. Credit risk scorecards. Wiley 2006 (0.1 and 0.25). Yurdakul B. Statistical properties of population
    stability index. Western Michigan University 2018 (distribution).
    """
    if bins < FEWEST_BINS:
        raise ProtocolError(f"a stability index needs {FEWEST_BINS} bins or more, not {bins}")
    before, now = _sample(reference, "reference"), _sample(current, "current")
    edges = np.unique(np.quantile(before, np.arange(1, bins) / bins, method="higher"))
    edges = edges[edges > before.min()]
    if not len(edges):  # one value throughout: moved, or not
        edges = np.array([before.min(), np.nextafter(before.max(), math.inf)])
    counts = [np.bincount(np.searchsorted(edges, one, side="right"), minlength=len(edges) + 1) for one in (before, now)]
    p, q = ((one + PSEUDO_COUNT) / (one.sum() + PSEUDO_COUNT * len(one)) for one in counts)
    scale = 1 / len(before) + 1 / len(now)
    return Stability(
        psi=float(((q - p) * np.log(q / p)).sum()),
        edges=tuple(edges.tolist()),
        reference=tuple(int(c) for c in counts[0]),
        current=tuple(int(c) for c in counts[1]),
        chance=float(chi2.ppf(confidence, len(edges)) * scale),
    )


def kolmogorov_smirnov(reference: Sequence[float], current: Sequence[float]) -> Distance:
    """The two-sample Kolmogorov-Smirnov test of a present sample against a former one, two-sided.

    Raises
    ------
    ReadingError
        If a sample is empty, or holds a value that is not a number.

    References
    ----------
    Hodges JL. The significance probability of the Smirnov two-sample test. Ark Mat 1958. Exact up to 10,000 values
    where that can be computed, else by its limiting distribution.
    """
    before, now = _sample(reference, "reference"), _sample(current, "current")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        found = ks_2samp(before, now, method="auto")
    return Distance(float(found.statistic), float(found.pvalue), len(before), len(now))


def _sample(values: Sequence[float], name: str) -> Vector:
    faults = tuple(
        Fault(f"{name} {place}", "not_a_number", f"{value} is not a number")
        for place, value in enumerate(values, start=1)
        if not math.isfinite(value)
    )
    if faults or not len(values):
        raise ReadingError(f"the {name} sample is empty or holds what is no number", faults)
    return np.asarray(values, dtype=float)
