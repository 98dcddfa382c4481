"""What batches (scanners, sites) add to measured quantities and stretch in them, estimated once and taken away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import Fault, ReadingError

__all__ = ["LEAST_OF_BATCH", "LEAST_QUANTITIES", "Combat", "fit_combat"]

Array = npt.NDArray[np.float64]
LEAST_OF_BATCH = 10
"""Measurements of a batch below which its location and scale are not estimated."""
LEAST_QUANTITIES = 5
"""Quantities below which nothing can be borrowed from the others."""
_TOLERANCE = 1e-10
_MOST_STEPS = 1000
_FLAT = 1e-12
METHOD = "ComBat, location and scale, parametric empirical Bayes (Johnson, Li, Rabinovic 2007)"


@dataclass(frozen=True, eq=False)
class Combat:
    """What was estimated from one set of measurements; others are harmonised with the same numbers."""

    batches: tuple[str, ...]
    counts: tuple[int, ...]
    """Measurements of each batch that it was estimated from."""
    location: Array
    """Overall mean of each quantity, shape (quantity,)."""
    slopes: Array
    """Of what is kept, shape (kept, quantity)."""
    scale: Array
    """Standard deviation within batches, shape (quantity,)."""
    shift: Array
    """Of each batch, in standard deviations, shape (batch, quantity)."""
    stretch: Array
    """Of each batch: standard deviation relative to the whole, shape (batch, quantity)."""

    def applied(self, values: Array, batches: Sequence[str], kept: Array | None = None) -> Array:
        """Measurements as they would be without their batches.

        Parameters
        ----------
        values
            Shape (measurement, quantity), the quantities as they were estimated.
        kept
            Shape (measurement, kept), as they were estimated.

        Raises
        ------
        ReadingError
            Names every batch that nothing was estimated of.
        """
        unknown = sorted(set(batches) - set(self.batches))
        if unknown:
            faults = tuple(Fault(one, "unknown_batch", "nothing was estimated of it") for one in unknown)
            raise ReadingError(f"{len(unknown)} batch(es) were not among those that were estimated", faults)
        place = [self.batches.index(one) for one in batches]
        expected = self.location + (0.0 if kept is None else np.asarray(kept, float) @ self.slopes)
        standard = (np.asarray(values, float) - expected) / self.scale
        return np.asarray(expected + self.scale * (standard - self.shift[place]) / self.stretch[place])


def fit_combat(values: Array, batches: Sequence[str], kept: Array | None = None) -> Combat:
    """How far each batch shifts and stretches each quantity, drawn towards what it does to all of them.

    Parameters
    ----------
    values
        Shape (measurement, quantity), no value missing, every quantity varying within batches.
    batches
        Of each measurement.
    kept
        Differences that are no batch's doing and stay, as columns of numbers, shape (measurement, kept): the organ of
        a lesion, never the outcome that the quantities are to be held against.

    Raises
    ------
    ReadingError
        For one batch only, batches or quantities that are too few, a quantity that does not vary, or differences to
        be kept that cannot be told from batches.

    References
    ----------
    Johnson WE, Li C, Rabinovic A. Adjusting batch effects in microarray expression data using empirical Bayes methods.
    Biostatistics 2007. Orlhac F et al. A guide to ComBat harmonization of imaging biomarkers in multicenter studies. J
    Nucl Med 2022.
    """
    data = np.asarray(values, float)
    names, counts = _require_batches(data, batches)
    member = np.array([[one == name for name in names] for one in batches], float)
    extra = np.zeros((len(data), 0)) if kept is None else np.asarray(kept, float)
    design = np.hstack([member, extra])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ReadingError("what is to be kept cannot be told from the batches: some of it comes in one batch alone")
    coefficients = np.linalg.lstsq(design, data, rcond=None)[0]
    of_batches, slopes = coefficients[: len(names)], coefficients[len(names) :]
    location = np.asarray(counts) / len(data) @ of_batches
    scale = np.sqrt(((data - design @ coefficients) ** 2).mean(axis=0))
    _require_scale(scale, location)
    standard = (data - location - extra @ slopes) / scale
    drawn = [_drawn(standard[member[:, place] == 1]) for place in range(len(names))]
    shift, variance = (np.array(part) for part in zip(*drawn, strict=True))
    return Combat(names, counts, location, slopes, scale, shift, np.sqrt(variance))


def _drawn(own: Array) -> tuple[Array, Array]:
    """Shift and variance of one batch: its own estimates, drawn towards those of all quantities in it."""
    n, mean, variance = len(own), own.mean(axis=0), own.var(axis=0, ddof=1)
    middle, spread = mean.mean(), mean.var(ddof=1)
    centre, width = variance.mean(), variance.var(ddof=1)
    if not centre > 0:
        raise ReadingError("there is a batch in which no quantity varies; leave it out")
    if width <= _FLAT * centre**2:  # every quantity is stretched alike: nothing is left to be drawn
        return (n * spread * mean + variance * middle) / (n * spread + variance), variance
    shape, rate = (2 * width + centre**2) / width, (centre * width + centre**3) / width
    shift, found = mean, variance
    for _ in range(_MOST_STEPS):
        moved = (n * spread * mean + found * middle) / (n * spread + found)
        squares = ((own - moved) ** 2).sum(axis=0)
        next_found = (rate + squares / 2) / (n / 2 + shape - 1)
        change = max(float(np.abs(moved - shift).max()), float((np.abs(next_found - found) / next_found).max()))
        shift, found = moved, next_found
        if change < _TOLERANCE:
            return shift, found
    raise ReadingError("the batches' shifts and stretches do not settle; look for outlying measurements")


def _require_batches(data: Array, batches: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if data.ndim != 2 or len(data) != len(batches) or not np.isfinite(data).all():
        raise ReadingError("harmonisation needs a batch for each measurement, and numbers without gaps")
    if data.shape[1] < LEAST_QUANTITIES:
        raise ReadingError(f"{data.shape[1]} quantities are too few to harmonise; {LEAST_QUANTITIES} are needed")
    counted = Counter(batches)
    faults = tuple(
        Fault(name or "(none)", "small_batch", f"{n} measurement(s); {LEAST_OF_BATCH} are needed")
        for name, n in sorted(counted.items())
        if n < LEAST_OF_BATCH or not name
    )
    if faults:
        raise ReadingError(f"{len(faults)} batch(es) are too small to harmonise; merge or leave them out", faults)
    if len(counted) == 1:
        raise ReadingError(f"all measurements are of one batch, {next(iter(counted))}; there is nothing to harmonise")
    names = tuple(sorted(counted))
    return names, tuple(counted[name] for name in names)


def _require_scale(scale: Array, location: Array) -> None:
    flat = np.flatnonzero(scale <= _FLAT * np.maximum(1.0, np.abs(location)))
    if len(flat):
        faults = tuple(Fault(f"quantity {place + 1}", "constant", "does not vary within batches") for place in flat)
        raise ReadingError(f"{len(flat)} quantity(ies) do not vary within batches; leave them out", faults)
