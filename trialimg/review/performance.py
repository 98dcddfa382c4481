"""How readers do, by counts alone: how often two reads differ, and which of them the adjudicator chose.

Notes
-----
A case counts for both of its readers. It is *adjudicated* when a trigger of the reading design fired, and *decided*
when the adjudicator has signed which read stands; the other reader is then the one who was not chosen.

References
----------
Ford RR, O'Neal M, Moskowitz SC, Fraunberger J. Adjudication rates between readers in blinded independent central review
of oncology studies. Journal of Clinical Trials 2016; 6:5. Cohen KL, Gönen M, Ford RR. Monitoring reader metrics in
blinded independent central review of oncology studies. Journal of Clinical Trials 2015; 5:230.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.core.reading import Seat

__all__ = [
    "ControlPoint",
    "Count",
    "DoubleRead",
    "ReaderCounts",
    "RepeatRead",
    "adjudication_by_variable",
    "adjudication_rate",
    "control_chart",
    "counts_by_reader",
    "counts_by_reader_and_month",
    "pair_matrix",
    "repeat_agreement",
]

_Key = TypeVar("_Key", str, tuple[str, str])


@dataclass(frozen=True)
class Count:
    """How many of how many; with nothing to count there is no share."""

    events: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.of:
            raise InvalidValueError(Fault("events", "out_of_range", f"{self.events} of {self.of}"))

    def exceeds(self, percent: int) -> bool:
        """Whether the share is above a percentage; no share is above none."""
        return 100 * self.events > percent * self.of

    def falls_below(self, percent: int) -> bool:
        """Whether the share is below a percentage; no share is below none."""
        return 100 * self.events < percent * self.of


@dataclass(frozen=True)
class DoubleRead:
    """One case read by two: in what they differed, and whose read was chosen."""

    case: str
    first: str
    """User who sat in the first seat."""
    second: str
    month: str
    """``YYYY-MM`` of the later of the two signatures."""
    differed: tuple[str, ...] = ()
    """Variables whose triggers fired; empty: the case was not adjudicated."""
    chosen: Seat | None = None
    """Seat whose read the adjudicator chose; None: not adjudicated, or not decided yet."""

    def __post_init__(self) -> None:
        faults = []
        if self.first == self.second:
            faults.append(Fault("second", "same_reader", f"{self.first} cannot sit in both seats"))
        if self.chosen is Seat.ADJUDICATOR:
            faults.append(Fault("chosen", "not_a_read", "one of the two reads is chosen, never a third"))
        if self.chosen is not None and not self.differed:
            faults.append(Fault("chosen", "not_adjudicated", "nothing differed, so there was nothing to choose"))
        if faults:
            raise InvalidValueError(*faults)

    @property
    def readers(self) -> tuple[str, str]:
        """Both readers, in order of seat."""
        return self.first, self.second

    @property
    def preferred(self) -> str | None:
        """The reader whose read was chosen."""
        return {Seat.FIRST: self.first, Seat.SECOND: self.second, None: None}[self.chosen]


@dataclass(frozen=True)
class RepeatRead:
    """A case that one reader read twice without knowing, with both best responses."""

    case: str
    reader: str
    first: str
    again: str


@dataclass(frozen=True)
class ReaderCounts:
    """What is counted of one reader, or of one reader in one month."""

    cases: int
    adjudicated: int
    decided: int
    endorsed: int
    """Decided cases in which the adjudicator chose this reader."""

    @property
    def adjudication_rate(self) -> Count:
        """Cases of this reader that were adjudicated."""
        return Count(self.adjudicated, self.cases)

    @property
    def endorsement_rate(self) -> Count:
        """Decided cases in which this reader was chosen."""
        return Count(self.endorsed, self.decided)

    @property
    def disagreement_index(self) -> Count:
        """Cases in which the adjudicator chose the other reader, of all cases that this reader read.

        Notes
        -----
        RDI (%) = 100 * (cases in which the adjudicator disagreed with the reader) / (all cases that the reader read).
        It joins the adjudication rate with the endorsement rate: a reader who often differs and is mostly right, and
        one who seldom differs and is mostly wrong, are told apart. Cases whose adjudication is pending count in the
        denominator as read; the index is therefore a lower bound until they are decided.

        References
        ----------
        Sharma M, Bohnsack O, O'Connor M, Shao Y, Enus N, Karve S, Fotinos-Hoyer AK. RDI as a method for reviewer
        performance monitoring in BICR setup for improving data quality. Journal of Clinical Oncology 2019; e18082.
        """
        return Count(self.decided - self.endorsed, self.cases)


@dataclass(frozen=True)
class ControlPoint:
    """One month of a control chart."""

    month: str
    count: Count
    lower: float
    upper: float
    """Limits within which a month lies if nothing changed, as shares between 0 and 1."""

    @property
    def is_out(self) -> bool:
        """Whether something other than chance is likely."""
        return bool(self.count.of) and not self.lower <= self.count.events / self.count.of <= self.upper


def adjudication_rate(reads: Iterable[DoubleRead]) -> Count:
    """Double-read cases that went to the adjudicator."""
    reads = tuple(reads)
    return Count(sum(bool(read.differed) for read in reads), len(reads))


def adjudication_by_variable(reads: Iterable[DoubleRead]) -> dict[str, Count]:
    """Double-read cases that differed in each variable in which any did; a case may differ in several."""
    reads = tuple(reads)
    variables = sorted({variable for read in reads for variable in read.differed})
    return {variable: Count(sum(variable in read.differed for read in reads), len(reads)) for variable in variables}


def counts_by_reader(reads: Iterable[DoubleRead]) -> dict[str, ReaderCounts]:
    """The counts of every reader, in order of name."""
    return {reader: _counts(reader, its) for reader, its in _grouped(reads, lambda read: read.readers).items()}


def counts_by_reader_and_month(reads: Iterable[DoubleRead]) -> dict[str, dict[str, ReaderCounts]]:
    """The counts of every reader in every month in which the reader signed, in order of time."""
    by_reader = _grouped(reads, lambda read: read.readers)
    return {
        reader: {month: _counts(reader, some) for month, some in _grouped(its, lambda read: (read.month,)).items()}
        for reader, its in by_reader.items()
    }


def pair_matrix(reads: Iterable[DoubleRead]) -> dict[tuple[str, str], dict[str, ReaderCounts]]:
    """For every two readers who read cases together, the counts of each of them in those cases."""
    by_pair = _grouped(reads, lambda read: [(min(read.readers), max(read.readers))])
    return {pair: {reader: _counts(reader, its) for reader in pair} for pair, its in by_pair.items()}


def repeat_agreement(repeats: Iterable[RepeatRead]) -> dict[str, Count]:
    """Repeated cases in which the reader gave the same best response again, by reader."""
    found: dict[str, list[bool]] = defaultdict(list)
    for repeat in repeats:
        found[repeat.reader].append(repeat.first == repeat.again)
    return {reader: Count(sum(same), len(same)) for reader, same in sorted(found.items())}


def control_chart(by_month: Mapping[str, Count], *, sigmas: float = 3.0) -> tuple[ControlPoint, ...]:
    """Whether a share drifts: each month against the limits of a p-chart around the share of all months.

    Parameters
    ----------
    sigmas
        Half width of the limits in standard deviations of a month's share.

    References
    ----------
    Cohen KL, Gönen M, Ford RR. Monitoring reader metrics in blinded independent central review of oncology studies.
    Journal of Clinical Trials 2015; 5:230 (p-charts for central readers).
    """
    total = sum(count.of for count in by_month.values())
    if not total:
        return ()
    centre = sum(count.events for count in by_month.values()) / total
    points = []
    for month, count in sorted(by_month.items()):
        half = sigmas * math.sqrt(centre * (1 - centre) / count.of) if count.of else math.inf
        points.append(ControlPoint(month, count, max(0.0, centre - half), min(1.0, centre + half)))
    return tuple(points)


def _counts(reader: str, reads: Sequence[DoubleRead]) -> ReaderCounts:
    decided = [read for read in reads if read.preferred is not None]
    return ReaderCounts(
        cases=len(reads),
        adjudicated=sum(bool(read.differed) for read in reads),
        decided=len(decided),
        endorsed=sum(read.preferred == reader for read in decided),
    )


def _grouped(reads: Iterable[DoubleRead], keys: Callable[[DoubleRead], Iterable[_Key]]) -> dict[_Key, list[DoubleRead]]:
    """Reads under each of their keys, in order of key."""
    found: dict[_Key, list[DoubleRead]] = defaultdict(list)
    for read in reads:
        for key in keys(read):
            found[key].append(read)
    return {key: found[key] for key in sorted(found)}
