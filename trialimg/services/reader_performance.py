"""How the readers of a trial do: agreement between them and with themselves, over time, against the trial's limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, ReadStage, Seat
from trialimg.protocol.analysis import Statistics
from trialimg.protocol.load import read_protocol
from trialimg.review.performance import (
    ControlPoint,
    Count,
    DoubleRead,
    ReaderCounts,
    RepeatRead,
    adjudication_by_variable,
    adjudication_rate,
    control_chart,
    counts_by_reader,
    counts_by_reader_and_month,
    pair_matrix,
    repeat_agreement,
)
from trialimg.review.performance_limits import ReaderLimits
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import READ, CaseFile, load_cases
from trialimg.services.records import EntryQuery, RecordVersion
from trialimg.services.trials import protocol_of
from trialimg.stats.kappa import cohen_kappa, cross_table
from trialimg.stats.rates import rate
from trialimg.stats.reliability import intraclass_correlation
from trialimg.stats.results import Estimate

__all__ = [
    "Crossed",
    "Estimate",
    "PairFigures",
    "ReadPair",
    "ReaderFigures",
    "ReaderReport",
    "ReadsOfTrial",
    "crossed_limits",
    "reader_report",
    "reads_in",
    "reads_of",
    "report_of",
    "standing_read",
]


@dataclass(frozen=True)
class Crossed:
    """A limit of the trial that a reader's figure has crossed."""

    limit: str
    """Name of the limit in the protocol."""
    allowed: str
    found: str


@dataclass(frozen=True)
class ReaderFigures:
    """One reader."""

    reader: str
    counts: ReaderCounts
    adjudication_rate: Estimate
    endorsement_rate: Estimate
    disagreement_index: Estimate
    repeat_agreement: Estimate
    repeat_kappa: Estimate | None
    """None: no repeated case yet."""
    months: tuple[ControlPoint, ...]
    """Disagreement index month by month, within limits if nothing drifts."""
    crossed: tuple[Crossed, ...]


@dataclass(frozen=True)
class PairFigures:
    """Two readers in the cases that they read together."""

    readers: tuple[str, str]
    cases: int
    adjudication_rate: Estimate
    endorsed: tuple[int, int]
    """Decided cases in which each of them was chosen."""
    kappa: Estimate
    """Of best overall response."""


@dataclass(frozen=True)
class ReaderReport:
    """All readers of a trial."""

    trial: str
    cases: int
    """Efficacy cases that two readers signed."""
    adjudication_rate: Estimate
    by_variable: Mapping[str, Estimate]
    kappa: Estimate | None
    """Of best overall response, first against second seat over all pairs; None: no case yet."""
    icc_baseline_sum: Estimate | None
    """Of the sum of diameters at baseline, each case with readers of its own (ICC1); None: fewer than two cases, or
    cases that do not vary."""
    icc_best_change: Estimate | None
    """Of the best change from baseline in percent."""
    readers: tuple[ReaderFigures, ...]
    pairs: tuple[PairFigures, ...]
    limits: ReaderLimits


@dataclass(frozen=True)
class ReadPair:
    """What two readers said of a case."""

    double: DoubleRead
    best_response: tuple[str, str]
    baseline_sum_mm: tuple[Decimal | None, Decimal | None]
    best_change_pct: tuple[Decimal | None, Decimal | None]


@dataclass(frozen=True)
class ReadsOfTrial:
    """Everything that the figures rest on."""

    pairs: tuple[ReadPair, ...]
    repeats: tuple[RepeatRead, ...]


def reader_report(records: Records, actor: Actor, trial: str) -> ReaderReport:
    """The figures of every reader of a trial as they stand now.

    Raises
    ------
    AccessError
        If the actor may not see how readers do.
    ProtocolError
        If there is no such trial.
    """
    with records.look(actor, Action.VIEW_READERS, trial=trial) as transaction:
        protocol = read_protocol(protocol_of(transaction, trial).body["text"])
        reads = reads_of(transaction, trial)
    return report_of(trial, reads, protocol.oversight.reader_limits, protocol.statistics)


def reads_of(transaction: Transaction, trial: str) -> ReadsOfTrial:
    """Every efficacy case that two people signed, and every repeat that was signed; withdrawn cases are left out."""
    return reads_in(transaction, trial, load_cases(transaction, trial))


def reads_in(transaction: Transaction, trial: str, files: Iterable[CaseFile]) -> ReadsOfTrial:
    """The same of certain cases of a trial."""
    asked = EntryQuery(trial=trial, action="sign_read", object_kind=READ)
    months = {entry.sequence: entry.at[: len("YYYY-MM")] for entry in transaction.entries(asked)}
    pairs: list[ReadPair] = []
    repeats: list[RepeatRead] = []
    for file in files:
        if file.review.is_withdrawn or file.review.kind is not CaseKind.EFFICACY:
            continue
        if (pair := _pair(file, months)) is not None:
            pairs.append(pair)
        repeats += _repeats(file)
    return ReadsOfTrial(tuple(pairs), tuple(repeats))


def report_of(trial: str, reads: ReadsOfTrial, limits: ReaderLimits, statistics: Statistics) -> ReaderReport:
    """The figures that these reads give."""
    doubles = [pair.double for pair in reads.pairs]
    count = _Shares(statistics)
    words = [pair.best_response for pair in reads.pairs]
    read, months = counts_by_reader(doubles), counts_by_reader_and_month(doubles)
    repeats: dict[str, list[RepeatRead]] = defaultdict(list)
    for repeat in reads.repeats:
        repeats[repeat.reader].append(repeat)
    none = ReaderCounts(0, 0, 0, 0)
    figures = tuple(
        _figures((reader, read.get(reader, none)), months.get(reader, {}), repeats[reader], limits, count)
        for reader in sorted({*read, *repeats})
    )
    return ReaderReport(
        trial,
        len(doubles),
        count(adjudication_rate(doubles)),
        {variable: count(found) for variable, found in adjudication_by_variable(doubles).items()},
        count.kappa(words),
        count.icc([pair.baseline_sum_mm for pair in reads.pairs]),
        count.icc([pair.best_change_pct for pair in reads.pairs]),
        figures,
        tuple(_pairs(reads.pairs, count)),
        limits,
    )


def crossed_limits(
    counts: ReaderCounts, repeats: Count, repeat_kappa: Estimate | None, limits: ReaderLimits
) -> tuple[Crossed, ...]:
    """Every limit that a reader's figures have crossed; with too few cases there is nothing to judge."""
    index, adjudicated = counts.disagreement_index, counts.adjudication_rate
    has_cases, has_repeats = counts.cases >= limits.min_cases, repeats.of >= limits.min_repeats
    shares = (
        (has_cases and index.exceeds(limits.max_disagreement_index_pct), "max_disagreement_index_pct", index),
        (has_cases and adjudicated.exceeds(limits.max_adjudication_rate_pct), "max_adjudication_rate_pct", adjudicated),
        (has_repeats and repeats.falls_below(limits.min_repeat_agreement_pct), "min_repeat_agreement_pct", repeats),
    )
    found = [
        Crossed(name, f"{getattr(limits, name)} %", f"{count.events} of {count.of}")
        for is_crossed, name, count in shares
        if is_crossed
    ]
    kappa = repeat_kappa.value if repeat_kappa and has_repeats else None
    if kappa is not None and limits.min_repeat_kappa is not None and kappa < float(limits.min_repeat_kappa):
        found.append(Crossed("min_repeat_kappa", str(limits.min_repeat_kappa), f"{kappa:.2f}"))
    return tuple(found)


@dataclass(frozen=True)
class _Shares:
    """Counts as estimates, with the interval that the protocol asks for."""

    statistics: Statistics

    def __call__(self, count: Count) -> Estimate:
        confidence = float(self.statistics.confidence)
        return rate(count.events, count.of, confidence=confidence, method=self.statistics.rate_interval)

    def kappa(self, words: Sequence[tuple[str, str]]) -> Estimate | None:
        if not words:
            return None
        table = cross_table([first for first, _ in words], [second for _, second in words])
        return cohen_kappa(table, confidence=float(self.statistics.confidence))

    def icc(self, values: Iterable[tuple[Decimal | None, Decimal | None]]) -> Estimate | None:
        """None where there are fewer than two cases, or the cases do not vary: then nothing tells them apart."""
        known = [(a, b) for a, b in values if a is not None and b is not None]
        if len({a + b for a, b in known}) < 2:
            return None
        pairs = [(float(a), float(b)) for a, b in known]
        return intraclass_correlation(pairs, form="ICC1", confidence=float(self.statistics.confidence))


def _figures(
    of: tuple[str, ReaderCounts],
    months: Mapping[str, ReaderCounts],
    repeats: Sequence[RepeatRead],
    limits: ReaderLimits,
    count: _Shares,
) -> ReaderFigures:
    reader, counts = of
    agreed = repeat_agreement(repeats).get(reader, Count(0, 0))
    kappa = count.kappa([(repeat.first, repeat.again) for repeat in repeats])
    return ReaderFigures(
        reader,
        counts,
        count(counts.adjudication_rate),
        count(counts.endorsement_rate),
        count(counts.disagreement_index),
        count(agreed),
        kappa,
        control_chart({month: its.disagreement_index for month, its in months.items()}),
        crossed_limits(counts, agreed, kappa, limits),
    )


def _pairs(pairs: Sequence[ReadPair], count: _Shares) -> Iterator[PairFigures]:
    for readers, counts in pair_matrix([pair.double for pair in pairs]).items():
        words = [
            pair.best_response if pair.double.readers == readers else pair.best_response[::-1]
            for pair in pairs
            if set(pair.double.readers) == set(readers)
        ]
        one, other = (counts[reader] for reader in readers)
        kappa = count.kappa(words)
        if kappa is not None:
            chosen = (one.endorsed, other.endorsed)
            yield PairFigures(readers, one.cases, count(one.adjudication_rate), chosen, kappa)


def _pair(file: CaseFile, months: Mapping[int, str]) -> ReadPair | None:
    """The two signed reads of a case; None where there are not two.

    Parameters
    ----------
    months
        Sequence of the entry that signed a read to its month.
    """
    reads = [standing_read(file, seat) for seat in (Seat.FIRST, Seat.SECOND)]
    first, second = reads
    if first is None or second is None:
        return None
    choices = set(file.review.choices.values())
    differed = tuple(one.variable for one in file.review.discordances)
    double = DoubleRead(
        file.id,
        first.place.person,
        second.place.person,
        max(months[read.entry] for read in (first, second)),
        differed,
        choices.pop() if differed and len(choices) == 1 else None,
    )
    return ReadPair(
        double,
        (_best_response(first), _best_response(second)),
        (_baseline_sum_mm(first), _baseline_sum_mm(second)),
        (_best_change_pct(first), _best_change_pct(second)),
    )


def standing_read(file: CaseFile, seat: Seat) -> RecordVersion | None:
    """The signed read of a seat; None where there is none."""
    assignment = file.seat(seat)
    read = file.reads.get(assignment.id) if assignment else None
    return read if read and read.place.state == ReadStage.SIGNED.value else None


def _repeats(file: CaseFile) -> Iterator[RepeatRead]:
    for assignment in file.assignments.values():
        again = file.reads.get(assignment.id)
        first = standing_read(file, Seat(assignment.body["seat"])) if assignment.body["repeat"] else None
        if first and again and again.place.state == ReadStage.SIGNED.value:
            yield RepeatRead(file.id, again.place.person, _best_response(first), _best_response(again))


def _best_response(read: RecordVersion) -> str:
    return str(read.body["answer"]["compared"]["best_response"])


def _baseline_sum_mm(read: RecordVersion) -> Decimal | None:
    sums = [one["sums"]["baseline_mm"] for one in read.body["answer"]["timepoints"]]
    return Decimal(sums[0]) if sums and sums[0] is not None else None


def _best_change_pct(read: RecordVersion) -> Decimal | None:
    changes = [one["sums"]["change_from_baseline_pct"] for one in read.body["answer"]["timepoints"]]
    return min((Decimal(change) for change in changes if change is not None), default=None)
