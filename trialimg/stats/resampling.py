"""Means of values that come in clusters (lesions of subjects), with intervals by drawing the clusters anew.

References
----------
Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge 1997, section 2.4 (percentile) and 3.8
(hierarchical data). Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B 2007;69:369.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.stats.results import Estimate

__all__ = ["clustered_mean"]

METHOD = "mean; subjects drawn with replacement, percentile interval"
FEW_CLUSTERS = 10


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable], *, draws: int = 2000, seed: int = 0, confidence: float = 0.95
) -> Estimate:
    """The mean of all values, with the interval that drawing whole clusters with replacement gives.

    Parameters
    ----------
    values
        One number each; a difference of pairs gives the interval of the mean difference.
    clusters
        To which cluster (subject) each belongs.

    Raises
    ------
    ReadingError
        If a value is not a finite number, or the lengths differ.

    Notes
    -----
    Value None without any value; limits None with a single cluster, which says nothing about others.
    """
    if len(values) != len(clusters):
        raise ReadingError(f"{len(values)} values, but {len(clusters)} clusters; one of each is needed")
    if wrong := [place for place, value in enumerate(values, start=1) if not math.isfinite(value)]:
        raise ReadingError(f"values {', '.join(map(str, wrong[:5]))} are no finite numbers; leave them out and say so")
    digest = digest_of([[float(value), str(cluster)] for value, cluster in zip(values, clusters, strict=True)])
    if not values:
        return Estimate(None, None, None, confidence, METHOD, 0, 0, ("there is no value",), data_digest=digest)
    sums, counts = _by_cluster(values, clusters)
    mean = math.fsum(values) / len(values)
    if len(counts) == 1:
        warning = "a single subject: there is no interval"
        return Estimate(mean, None, None, confidence, METHOD, len(values), 0, (warning,), data_digest=digest)
    few = (f"{len(counts)} subjects: the interval is likely too short",) if len(counts) < FEW_CLUSTERS else ()
    times = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), draws)
    means = (times @ sums) / (times @ counts)
    lower, upper = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    se = float(means.std(ddof=1))
    return Estimate(mean, lower, upper, confidence, METHOD, len(values), 0, few, se=se, data_digest=digest)


def _by_cluster(
    values: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sum and number of the values of each cluster, in order of appearance."""
    places = {cluster: place for place, cluster in enumerate(dict.fromkeys(clusters))}
    index = np.array([places[cluster] for cluster in clusters])
    sums = np.bincount(index, weights=np.asarray(values, dtype=np.float64))
    return sums.astype(np.float64), np.bincount(index).astype(np.float64)
