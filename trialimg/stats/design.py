"""Covariates as the columns of a model: numbers as they are, categories against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import Fault, ReadingError

__all__ = ["Design", "category", "design_of", "in_order"]


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of a model."""

    names: tuple[str, ...]
    """Of the columns, as R names them: a category's column is the covariate followed by the category."""
    matrix: npt.NDArray[np.float64]
    """Shape (row, column)."""
    terms: tuple[tuple[str, tuple[int, ...]], ...]
    """Each covariate with its columns."""
    references: tuple[tuple[str, str], ...] = ()
    """Each categorical covariate with the category that the others are compared with."""


def design_of(
    covariates: Mapping[str, Sequence[float | str]], *, references: Mapping[str, str | None] | None = None
) -> Design:
    """The columns of the covariates, in their order.

    Parameters
    ----------
    covariates
        Name to one value per row. Words are categories; numbers are numbers unless ``references`` names them.
    references
        Covariate to the category that others are compared with; None is the first by name.

    Raises
    ------
    ReadingError
        Names every reference that is no category of its covariate, and every covariate with one category.
    """
    chosen = dict(references or {})
    faults = [Fault(name, "unknown_factor", "is not among the covariates") for name in chosen if name not in covariates]
    names: list[str] = []
    columns: list[npt.NDArray[np.float64]] = []
    terms: list[tuple[str, tuple[int, ...]]] = []
    used: list[tuple[str, str]] = []
    for name, values in covariates.items():
        first = len(names)
        if name not in chosen and not any(isinstance(value, str) for value in values):
            names.append(name)
            columns.append(np.asarray(values, np.float64))
        else:
            words = [category(value) for value in values]
            levels = sorted(set(words), key=in_order)
            reference = chosen.get(name) or levels[0]
            if reference not in levels:
                faults.append(Fault(name, "unknown_reference", f"has no category {reference!r}; {', '.join(levels)}"))
            if len(levels) < 2:
                faults.append(Fault(name, "constant", f"has one category in every row: {levels[0]}"))
            used.append((name, reference))
            for level in levels:
                if level != reference:
                    names.append(f"{name}{level}")
                    columns.append(np.array([float(word == level) for word in words]))
        terms.append((name, tuple(range(first, len(names)))))
    if faults:
        raise ReadingError(f"{len(faults)} covariate(s) cannot be used: {faults[0]}", tuple(faults))
    matrix = np.column_stack(columns) if columns else np.zeros((0, 0))
    return Design(tuple(names), matrix, tuple(terms), tuple(used))


def category(value: float | str) -> str:
    """What a value is called as a category: a number in full, without a needless ``.0``."""
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def in_order(word: str) -> tuple[int, float, str]:
    """Sorts categories: numbers by size before words by name."""
    try:
        return 0, float(word), word
    except ValueError:
        return 1, 0.0, word
