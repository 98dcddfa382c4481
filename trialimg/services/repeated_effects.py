"""The fixed effects of repeated measurements: their columns, and what each effect comes to in terms of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_table import Selection
from trialimg.stats.design import Design, category, design_of

__all__ = ["Frame", "RepeatedColumns", "lines_frame", "visits_frame"]

Vector = npt.NDArray[np.float64]
Effects = tuple[tuple[str, Vector], ...]


@dataclass(frozen=True)
class RepeatedColumns:
    """Which columns hold the measurements, whose they are, and when they were made."""

    response: str
    subject: str
    visit: str
    by: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Frame:
    """The columns of the fixed effects, and what is needed to speak of a visit in a group."""

    names: tuple[str, ...]
    matrix: Vector
    moments: tuple[float, ...]
    effects: Effects
    """Each effect with the combinations of coefficients that are 0 without it, shape (combination, coefficient)."""
    visits: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """The reference first."""
    adjusted: Vector | None = None
    """Covariates at which means are given: numbers at their mean, categories in equal shares."""

    def mean(self, visit: int, group: int) -> Vector:
        """The combination of coefficients that is the adjusted mean of a group at a visit, by their places."""
        cell = _cell(len(self.visits), max(1, len(self.groups)), visit, group)
        return cell if self.adjusted is None else np.concatenate([cell, self.adjusted])


def _design(data: Selection, names: Sequence[str], factors: Mapping[str, str | None]) -> Design:
    return design_of({n: data.columns[n] for n in names}, references={n: r for n, r in factors.items() if n in names})


def _grouping(data: Selection, by: str | None, factors: Mapping[str, str | None]) -> Design:
    return _design(data, [by], {by: factors.get(by)}) if by is not None else _design(data, [], {})


def visits_frame(data: Selection, columns: RepeatedColumns, factors: Mapping[str, str | None]) -> Frame:
    """Visits as categories, each with an effect of its own in each group."""
    visit = design_of({columns.visit: data.columns[columns.visit]}, references={columns.visit: None})
    levels = (visit.references[0][1], *(name.removeprefix(columns.visit) for name in visit.names))
    group = _grouping(data, columns.by, factors)
    extra = _design(data, columns.covariates, factors)
    one = np.ones((data.n, 1))
    parts, names = [one, visit.matrix], ["(Intercept)", *visit.names]
    if group.names:
        parts += [group.matrix, *(visit.matrix * column[:, None] for column in group.matrix.T)]
        names += [*group.names, *(f"{v}:{g}" for g in group.names for v in visit.names)]
    if extra.names:
        parts.append(extra.matrix)
        names += extra.names
    groups = (group.references[0][1], *(n.removeprefix(columns.by or "") for n in group.names)) if group.names else ()
    moments = tuple(float(levels.index(category(cell))) for cell in data.columns[columns.visit])
    cells = len(levels) * max(1, len(groups))
    effects = _between_cells(columns, len(levels), max(1, len(groups))) + _of_covariates(extra, cells)
    return Frame(
        tuple(names), np.hstack(parts), moments, _padded(effects, len(names)), levels, groups, _adjusted(extra)
    )


def _cell(visits: int, groups: int, visit: int, group: int) -> Vector:
    """The coefficients that make the mean of a group at a visit, but for the covariates."""
    at_visit, in_group = np.eye(visits)[visit][1:], np.eye(groups)[group][1:]
    return np.concatenate([[1.0], at_visit, in_group, np.outer(in_group, at_visit).ravel()])


def _between_cells(columns: RepeatedColumns, visits: int, groups: int) -> list[tuple[str, Vector]]:
    """Visits averaged over groups, groups averaged over visits (each with the same weight), and how they cross."""
    cells = np.array([[_cell(visits, groups, v, g) for g in range(groups)] for v in range(visits)])
    at_visits, in_groups = cells.mean(axis=1), cells.mean(axis=0)
    found = [(columns.visit, at_visits[1:] - at_visits[0])]
    if columns.by is not None and groups > 1:
        crossed = np.eye(visits * groups)[visits + groups - 1 :]
        found += [(columns.by, in_groups[1:] - in_groups[0]), (f"{columns.visit}:{columns.by}", crossed)]
    return found


def _of_covariates(extra: Design, before: int) -> list[tuple[str, Vector]]:
    size = before + len(extra.names)
    return [(name, np.eye(size)[[before + place for place in places]]) for name, places in extra.terms]


def _padded(effects: Sequence[tuple[str, Vector]], size: int) -> Effects:
    """With zeros for the coefficients that follow."""
    return tuple((name, np.pad(rows, ((0, 0), (0, size - rows.shape[1])))) for name, rows in effects if len(rows))


def _adjusted(extra: Design) -> Vector:
    found = np.zeros(len(extra.names))
    factors = {name for name, _ in extra.references}
    for name, places in extra.terms:
        for place in places:
            found[place] = 1 / (len(places) + 1) if name in factors else extra.matrix[:, place].mean()
    return found


def lines_frame(data: Selection, columns: RepeatedColumns, factors: Mapping[str, str | None]) -> Frame:
    """Visits as times, with a line for each group.

    Raises
    ------
    ReadingError
        If a visit is not a number.
    """
    times = data.columns[columns.visit]
    if any(isinstance(cell, str) for cell in times):
        raise ReadingError(f"{data.source}: lines over time need numbers in column {columns.visit}")
    moments = np.asarray(times, float)
    parts, names = [np.ones((data.n, 1)), moments[:, None]], ["(Intercept)", columns.visit]
    group = _grouping(data, columns.by, factors)
    if group.names:
        parts += [group.matrix, moments[:, None] * group.matrix]
        names += [*group.names, *(f"{columns.visit}:{name}" for name in group.names)]
    effects = _between_lines(columns, len(group.names))
    extra = _design(data, columns.covariates, factors)
    if extra.names:
        effects += _of_covariates(extra, len(names))
        parts.append(extra.matrix)
        names += extra.names
    return Frame(tuple(names), np.hstack(parts), tuple(map(float, moments)), _padded(effects, len(names)))


def _between_lines(columns: RepeatedColumns, others: int) -> list[tuple[str, Vector]]:
    """The mean slope of the groups, their levels at time 0, and their slopes."""
    units = np.eye(2 + 2 * others)
    levels, slopes = units[2 : 2 + others], units[2 + others :]
    found = [(columns.visit, units[1:2] + slopes.sum(axis=0, keepdims=True) / (others + 1))]
    if columns.by is not None:
        found += [(columns.by, levels), (f"{columns.visit}:{columns.by}", slopes)]
    return found
