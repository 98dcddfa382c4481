"""Table of concordance: how far two readings of the same subjects agree on best response and date of progression."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_endpoints import Discrepancies, discrepancies
from trialimg.services.analyse_rates import estimate_document
from trialimg.services.figures.courses import Imprint
from trialimg.services.figures.tones import in_order
from trialimg.services.tables import Row, read_table
from trialimg.services.tabulation.table import SummaryTable, TableRow, counted_share, interval_of
from trialimg.stats.kappa import cohen_kappa, cross_table, gwet_ac1
from trialimg.stats.rates import rate
from trialimg.stats.results import Estimate

__all__ = ["PairedReading", "Readings", "concordance_table", "readings_of_table"]

COLUMNS = ("subject", "first_best", "second_best", "first_progression", "second_progression")
NOBODY = "no subjects"


@dataclass(frozen=True)
class PairedReading:
    """What two readings say of one subject; a date of None: no progression."""

    subject: str
    best: tuple[str, str]
    progression: tuple[dt.date | None, dt.date | None]


@dataclass(frozen=True)
class Readings:
    """The same subjects, read twice."""

    pairs: tuple[PairedReading, ...]
    first_name: str = "central"
    second_name: str = "investigator"


def readings_of_table(text: str, source: str, *, first_name: str, second_name: str) -> Readings:
    """The pairs in a CSV with a row per subject.

    Raises
    ------
    ReadingError
        With every fault of the table.
    """
    table = read_table(text, source, required=COLUMNS)
    pairs = tuple(_pair(row) for row in table.rows)
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s); no table was made", tuple(table.faults))
    return Readings(pairs, first_name, second_name)


def _pair(row: Row) -> PairedReading:
    return PairedReading(
        row.text("subject", required=True),
        (row.text("first_best", required=True), row.text("second_best", required=True)),
        (row.day("first_progression"), row.day("second_progression")),
    )


def concordance_table(
    readings: Readings, *, confidence: float = 0.95, tolerance_days: int = 0, imprint: Imprint
) -> SummaryTable:
    """Agreement on the best response, with a cross table, and how the dates of progression fall.

    Parameters
    ----------
    tolerance_days
        Two dates of progression no further apart are one.
    """
    pairs = readings.pairs
    first, second = ([pair.best[side] for pair in pairs] for side in (0, 1))
    words = in_order({*first, *second})
    counts = cross_table(first, second, categories=words).tolist() if pairs else []
    dates = [[pair.progression[side] for pair in pairs] for side in (0, 1)]
    found = discrepancies(dates[0], dates[1], tolerance_days=tolerance_days)
    estimates = _estimates(first, second, words, confidence)
    crossed = tuple(
        TableRow(f"{readings.first_name} {word}", (*(str(int(n)) for n in row), str(int(sum(row)))))
        for word, row in zip(words, counts, strict=True)
    )
    width = len(words) + 1
    blank = ("",) * (width - 1)
    agreement = tuple(TableRow(name, (*blank, _said(e, scale))) for name, (e, scale) in estimates.items())
    return SummaryTable(
        "concordance",
        f"Concordance of {readings.first_name} and {readings.second_name}",
        (*(f"{readings.second_name}\n{word}" for word in words), f"All\n(n = {len(pairs)})"),
        (
            ("Best overall response", crossed),
            ("Agreement on best response", agreement),
            ("Progression", tuple(TableRow(n, (*blank, c)) for n, c in _progression(readings, found, tolerance_days))),
        ),
        (_footnote(readings, confidence, tolerance_days), *imprint.footnotes),
        numbers={
            "n": len(pairs),
            **{name: estimate_document(e) for name, (e, _) in estimates.items() if e is not None},
            "progression": {name: getattr(found, name) for name in Discrepancies.__dataclass_fields__},
            "early_discrepancy_rate": found.early_rate,
            "late_discrepancy_rate": found.late_rate,
        },
    )


def _estimates(
    first: Sequence[str], second: Sequence[str], words: Sequence[str], confidence: float
) -> dict[str, tuple[Estimate | None, int]]:
    """Each with the factor at which it is printed."""
    if not first:
        return {"Agreement, %": (None, 100), "Cohen's kappa": (None, 1), "Gwet's AC1": (None, 1)}
    table = cross_table(first, second, categories=words)
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    ac1 = gwet_ac1(table, confidence=confidence) if len(words) > 1 else None
    return {
        "Agreement, %": (rate(agreed, len(first), confidence=confidence, method="wilson"), 100),
        "Cohen's kappa": (cohen_kappa(table, confidence=confidence), 1),
        "Gwet's AC1": (ac1, 1),
    }


def _said(estimate: Estimate | None, factor: int) -> str:
    if estimate is None or estimate.value is None:
        return "not estimable"
    digits = 1 if factor > 1 else 3

    def text(value: float) -> str:
        return f"{factor * value:.{digits}f}".replace("-", "\N{MINUS SIGN}")

    return f"{text(estimate.value)} ({interval_of(estimate.lower, estimate.upper, text, 'not estimable')})"


def _progression(readings: Readings, found: Discrepancies, tolerance_days: int) -> list[tuple[str, str]]:
    n = len(readings.pairs)
    same = "on the same date" if not tolerance_days else f"no more than {tolerance_days} days apart"
    counts = (
        (f"Both, {same}", found.same),
        (f"Both, {readings.second_name} later", found.later),
        (f"Both, {readings.second_name} earlier", found.earlier),
        (f"Only {readings.second_name}", found.investigator_only),
        (f"Only {readings.first_name}", found.central_only),
        ("Neither", found.neither),
    )
    rates = (("Early discrepancy rate, %", found.early_rate), ("Late discrepancy rate, %", found.late_rate))
    said = [(name, "no progression to compare" if share is None else f"{100 * share:.1f}") for name, share in rates]
    return [*((name, counted_share(count, n)) for name, count in counts), *said]


def _footnote(readings: Readings, confidence: float, tolerance_days: int) -> str:
    return (
        f"Rows: {readings.first_name}; columns: {readings.second_name}. In brackets {100 * confidence:g} % limits: "
        "Wilson (agreement), large-sample (kappa, AC1). Early discrepancy rate: of the progressions called by "
        f"{readings.second_name}, those that {readings.first_name} calls later or never; late discrepancy rate: of all "
        f"discrepancies, those in which {readings.second_name} is later. Tolerance: {tolerance_days} days."
    )
