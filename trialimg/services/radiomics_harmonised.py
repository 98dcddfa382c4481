"""Features without what their sites or scanners add to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ReadingError
from trialimg.services.radiomics_table import FeatureTable, Harmonised, LesionFeatures
from trialimg.stats.harmonisation import METHOD, Combat, fit_combat

__all__ = ["harmonised"]

Array = npt.NDArray[np.float64]


def harmonised(table: FeatureTable, *, by: str) -> FeatureTable:
    """The same table as if every lesion were of one batch.

    Shifts and stretches are estimated from the lesions at baseline alone and applied to every visit: no value that was
    measured under treatment, and no outcome, has a part in them. Differences between organs stay.

    Parameters
    ----------
    by
        What a batch is, in words: ``site``, or the column's name.

    Raises
    ------
    ReadingError
        If there is one batch only, one is too small or first comes after baseline, or organs cannot be told from
        batches.
    """
    first = [one for one in table.lesions if one.order == 0]
    if not first:
        raise ReadingError(f"{table.source}: no lesion has features at baseline; there is nothing to estimate from")
    names = [name for name in table.features if _is_usable(name, first)]
    organs = tuple(sorted({one.organ for one in first}))
    values = np.array([[one.values[name] for name in names] for one in first])
    model = fit_combat(values, [one.batch for one in first], _kept(first, organs))
    known = [one for one in table.lesions if one.organ in organs]
    done = tuple(_applied(one, names, model, organs) for one in known)
    note = Harmonised(
        METHOD,
        by,
        dict(zip(model.batches, model.counts, strict=True)),
        organs if len(organs) > 1 else (),
        tuple(name for name in table.features if name not in names),
        len(table.lesions) - len(known),
    )
    return replace(table, lesions=done, harmonised=note)


def _is_usable(name: str, first: Sequence[LesionFeatures]) -> bool:
    """Whether a feature is known in every lesion, and varies in some batch."""
    if not all(name in one.values for one in first):
        return False
    by_batch = groupby(sorted(first, key=attrgetter("batch")), key=attrgetter("batch"))
    return any(np.ptp([one.values[name] for one in own]) > 0 for _, own in by_batch)


def _kept(lesions: Sequence[LesionFeatures], organs: Sequence[str]) -> Array | None:
    """A column for each organ after the first; None where there is one."""
    if len(organs) == 1:
        return None
    return np.array([[one.organ == organ for organ in organs[1:]] for one in lesions], float)


def _applied(one: LesionFeatures, names: Sequence[str], model: Combat, organs: Sequence[str]) -> LesionFeatures:
    row = np.array([[one.values.get(name, np.nan) for name in names]])
    found = model.applied(row, [one.batch], _kept([one], organs))[0]
    values = {name: float(value) for name, value in zip(names, found, strict=True) if np.isfinite(value)}
    return replace(one, values=values)
