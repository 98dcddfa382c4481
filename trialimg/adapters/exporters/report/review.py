"""How the cases of a central review came through it, how its readers agreed, and how long they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.printed import PrintedFigure, printed
from trialimg.adapters.exporters.report.analyses import Section, summary_grid
from trialimg.adapters.exporters.report.grid import Grid
from trialimg.adapters.exporters.wording import ABSENT, interval, rate_text
from trialimg.services.figures.adjudication import adjudication_flow
from trialimg.services.figures.courses import Imprint
from trialimg.services.reader_performance import ReaderFigures, ReaderReport
from trialimg.services.review_record import ReviewRecord, Turnaround
from trialimg.services.tabulation.concordance import concordance_table
from trialimg.stats.results import Estimate

__all__ = ["ReviewPages", "review_pages"]

_TWO = 2


@dataclass(frozen=True)
class ReviewPages:
    """What the report says of the review as such."""

    flow: PrintedFigure | None
    """None where every case has one reader."""
    concordance: Section | None
    sections: tuple[Section, ...]


def review_pages(record: ReviewRecord, imprint: Imprint, confidence: float) -> ReviewPages:
    """The review as figure and tables; with one reader a case there is nothing to compare."""
    turnaround = _turnaround(record.turnarounds)
    if record.readers_per_case < _TWO:
        return ReviewPages(None, None, (Section("Agreement", None, "", _ONE_READER), turnaround))
    table = concordance_table(record.readings, confidence=confidence, imprint=imprint)
    sections = (_agreement(record.performance), _readers(record.performance), _because(record), turnaround)
    return ReviewPages(
        printed(adjudication_flow(record.cases, imprint=imprint)),
        Section(table.title, summary_grid(table), "cross", " ".join(table.footnotes)),
        sections,
    )


_ONE_READER = "None: by the protocol one reader reads each case, so there are no two reads to compare."


def _agreement(report: ReaderReport) -> Section:
    rows = [("Cases that two readers signed", str(report.cases)), ("Adjudicated", rate_text(report.adjudication_rate))]
    rows += [
        (f"\N{HORIZONTAL ELLIPSIS} for {name.replace('_', ' ')}", rate_text(found))
        for name, found in report.by_variable.items()
    ]
    rows += [
        ("Cohen's kappa of best response", _value(report.kappa)),
        ("ICC of the sum at baseline", _value(report.icc_baseline_sum)),
        ("ICC of the best change of the sum", _value(report.icc_best_change)),
    ]
    note = (
        "In brackets the limits at the protocol's confidence. A case may differ in several things. Kappa: first "
        "against second read; ICC: one-way, single measurement, over the cases in which both readers have a sum "
        "(Shrout and Fleiss). A dash: too few cases, or nothing varied."
    )
    return Section("Agreement of two readers", Grid(("Figure", "Found"), tuple(rows)), "arms", note)


def _value(found: Estimate | None) -> str:
    return ABSENT if found is None else interval(found, lambda value: f"{value:.2f}", absent=ABSENT)


def _readers(report: ReaderReport) -> Section:
    if not report.readers:
        return Section(
            "Readers", None, "", "No figures of single readers: nobody signed, or they are not for a sponsor."
        )
    head = ("Reader", "Cases", "Adjudicated", "Chosen by adjudicator", "Disagreement index", "Same in repeats")
    rows = tuple((one.reader, str(one.counts.cases), *_shares(one)) for one in report.readers)
    crossed = [
        f"{one.reader}: {limit.limit.replace('_', ' ')} {limit.allowed}, found {limit.found}"
        for one in report.readers
        for limit in one.crossed
    ]
    note = (
        "Readers stand as letters; who they are is in the records. Disagreement index: cases in which the adjudicator "
        "chose the other read, of all cases read. "
        + (f"Limits of the protocol crossed: {'; '.join(crossed)}." if crossed else _uncrossed(report))
    )
    return Section("Readers", Grid(head, rows), "readers", note)


def _shares(one: ReaderFigures) -> Iterator[str]:
    for share in (one.adjudication_rate, one.endorsement_rate, one.disagreement_index, one.repeat_agreement):
        yield rate_text(share)


def _uncrossed(report: ReaderReport) -> str:
    fewest = report.limits.min_cases
    judged = sum(one.counts.cases >= fewest for one in report.readers)
    had = f"{judged} of {len(report.readers)} readers have the {fewest} cases from which they are judged"
    return f"No limit of the protocol is crossed; {had}."


def _because(record: ReviewRecord) -> Section:
    title = "Adjudications by reason"
    settled = [one for one in record.cases if one.chosen and not one.is_withdrawn]
    if not settled:
        return Section(title, None, "", "None: no case was settled by adjudication.")
    reasons = sorted({one.because for one in settled})
    rows = tuple(tuple(_reason(reason, record)) for reason in reasons)
    head = ("Reason of the choice", "Cases", "Radiologist 1 chosen", "Radiologist 2 chosen")
    return Section(title, Grid(head, rows), "", "")


def _reason(reason: str, record: ReviewRecord) -> Iterator[str]:
    chosen = [one.chosen for one in record.cases if one.chosen and not one.is_withdrawn and one.because == reason]
    yield reason.replace("_", " ").capitalize()
    yield from (str(len(chosen)), str(chosen.count("first")), str(chosen.count("second")))


def _turnaround(found: tuple[Turnaround, ...]) -> Section:
    title, head = "Turnaround", ("Step", "n", "Median days", "Range")
    if not found:
        return Section(title, None, "", "None: nothing was signed yet.")
    rows = tuple(
        (one.what, str(one.n), f"{one.median_days:.1f}", f"{one.least_days:.1f} to {one.most_days:.1f}")
        for one in found
    )
    note = "Days of 24 hours. Of a read that was corrected, to its first signature."
    return Section(title, Grid(head, rows), "turnaround", note)
