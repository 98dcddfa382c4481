"""What a summary table consists of: rows in groups, cells in words, footnotes; nothing about pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trialimg.services.figures.scales import DAYS_PER_MONTH
from trialimg.stats.results import Estimate

__all__ = [
    "NOT_ESTIMABLE",
    "NOT_REACHED",
    "SummaryTable",
    "TableRow",
    "counted_share",
    "interval_of",
    "months",
    "p_text",
    "percent",
    "points",
]

NOT_REACHED = "not reached"
NOT_ESTIMABLE = "not estimable"
_MINUS = "\N{MINUS SIGN}"
_SMALLEST_P = 0.0001


@dataclass(frozen=True)
class TableRow:
    """One line: its name, and a cell for every column; a cell without a number holds the reason."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class SummaryTable:
    """One table, complete: whoever writes it decides nothing and estimates nothing."""

    name: str
    title: str
    columns: tuple[str, ...]
    """Headings; a line break stands between an arm and its number of subjects."""
    groups: tuple[tuple[str, tuple[TableRow, ...]], ...]
    """Name of the group (blank: none) and its rows."""
    footnotes: tuple[str, ...]
    subtitle: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """The estimates as they were given."""

    @property
    def rows(self) -> tuple[TableRow, ...]:
        return tuple(row for _, rows in self.groups for row in rows)


def counted_share(count: int, of: int) -> str:
    """``12 (24.0 %)``; only the count where there is nothing to divide by."""
    return f"{count} ({100 * count / of:.1f} %)" if of else f"{count} (no subjects)"


def percent(estimate: Estimate) -> str:
    """A share in percent."""
    return NOT_ESTIMABLE if estimate.value is None else points(estimate.value)


def points(share: float) -> str:
    """A share, or a difference of shares, in hundredths with a true minus sign."""
    return f"{100 * share:.1f}".replace("-", _MINUS)


def months(days: float | None, absent: str = NOT_REACHED) -> str:
    """Days in months with one decimal."""
    return absent if days is None else f"{days / DAYS_PER_MONTH:.1f}"


def interval_of(
    lower: float | None, upper: float | None, said: Callable[[float], str], absent: str = NOT_REACHED
) -> str:
    """``lower to upper``, each in words where it does not exist."""
    if lower is None and upper is None:
        return absent
    return " to ".join(absent if limit is None else said(limit) for limit in (lower, upper))


def p_text(p: float | None) -> str:
    """Four decimals; below a ten-thousandth only that."""
    if p is None:
        return NOT_ESTIMABLE
    return f"< {_SMALLEST_P}" if p < _SMALLEST_P else f"{p:.4f}"
