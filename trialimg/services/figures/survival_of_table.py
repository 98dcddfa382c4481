"""Kaplan-Meier of anybody's table: groups, and a panel for each stratum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_survival import TimeColumns, strata_of
from trialimg.services.analyse_table import Selection
from trialimg.services.figures.courses import Imprint
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.kaplan_meier import Curves, Endpoint, kaplan_meier_figure
from trialimg.stats.design import in_order
from trialimg.stats.log_rank import log_rank
from trialimg.stats.results import ChiSquare, SurvivalCurve
from trialimg.stats.survival import kaplan_meier

__all__ = ["Limits", "survival_of_table"]

EVERYONE = "All subjects"


@dataclass(frozen=True)
class Limits:
    """Of the curves: their scale, and their coverage."""

    scale: str = "log-log"
    confidence: float = 0.95


def survival_of_table(
    data: Selection,
    columns: TimeColumns,
    strata: Sequence[str],
    endpoint: Endpoint,
    *,
    limits: Limits,
    imprint: Imprint,
) -> Figure:
    """A curve per group; with strata a panel each, and the log-rank test across them."""
    rows = strata_of(data, strata)
    parts = [("", data)]
    if rows is not None:
        named = " / ".join(strata)
        parts = [(f"{named}: {s}", data.where([r == s for r in rows])) for s in sorted(set(rows), key=in_order)]
    panels = [Curves(_curves(part, columns, limits), stratum) for stratum, part in parts]
    return kaplan_meier_figure(panels, test=_test(data, columns, rows), endpoint=endpoint, imprint=imprint)


def _curves(part: Selection, columns: TimeColumns, limits: Limits) -> tuple[SurvivalCurve, ...]:
    groups = columns.groups or (EVERYONE,)
    found = []
    for group in groups:
        chosen = part if columns.by is None else part.where([str(cell) == group for cell in part.columns[columns.by]])
        days, events = chosen.columns[columns.time], chosen.columns[columns.event]
        found.append(kaplan_meier(days, events, label=group, confidence=limits.confidence, limits=limits.scale))
    return tuple(found)


def _test(data: Selection, columns: TimeColumns, rows: list[str] | None) -> ChiSquare | None:
    """Of equal hazards; None where there is nothing to compare."""
    if columns.by is None or len(columns.groups) < 2:
        return None
    days, events, groups = (data.columns[name] for name in (columns.time, columns.event, columns.by))
    try:
        return log_rank(days, events, groups, strata=rows)
    except ReadingError:
        return None
