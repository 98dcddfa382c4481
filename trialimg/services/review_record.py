"""What the records say of a whole central review: how its cases came through, how its readers did, how long it took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from trialimg.core.access import Action, Actor, Role
from trialimg.core.reading import CaseKind, Seat, Stage
from trialimg.services.figures.adjudication import ReviewedCase
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reader_performance import ReaderReport, ReadsOfTrial, reads_in, report_of, standing_read
from trialimg.services.reading_file import ASSIGNMENT, CASE, CaseFile, load_cases, protocol_in_force
from trialimg.services.records import EntryQuery
from trialimg.services.tabulation.concordance import PairedReading, Readings
from trialimg.services.trials_data_cut import intact_cut

__all__ = ["ReviewRecord", "Turnaround", "review_record", "reviewed_case"]

_SEATS = (Seat.FIRST, Seat.SECOND)
_NAMES = {Seat.FIRST: "radiologist 1", Seat.SECOND: "radiologist 2"}
_SECONDS_OF_DAY = 86400
_READER = "Reader"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Turnaround:
    """How many days something took."""

    what: str
    median_days: float
    least_days: float
    most_days: float
    n: int
    people: int = 0
    """Whose work it was; 0: it is not about people."""


@dataclass(frozen=True)
class ReviewRecord:
    """What the records say of a review beside its answers; its readers stand as letters."""

    data_cut: str
    """Name of the cut whose cases these are; empty: all efficacy cases."""
    readers_per_case: int
    cases: tuple[ReviewedCase, ...]
    readings: Readings
    """Both signed reads of every case that has two, by seat."""
    performance: ReaderReport
    turnarounds: tuple[Turnaround, ...]
    """From receipt to the final result; then from assignment to signature, the adjudicator's and each reader's."""


def review_record(records: Records, actor: Actor, trial: str, *, cut: str | None = None) -> ReviewRecord:
    """How the cases of a trial came through its review, and how its readers did; nobody's name stands in it.

    A sponsor gets the figures of all readers together, for they say how far the results may be relied on, and none of a
    single person: neither a reader's own, nor the adjudicator's where there is only one.

    Parameters
    ----------
    cut
        Name of a data cut: only the cases that it locked, as they were locked. None: every efficacy case.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ProtocolError
        If there is no such trial.
    ReadingError
        If there is no such cut, or its cases have changed since they were locked.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        protocol = protocol_in_force(transaction, trial)
        only = None if cut is None else {one["case"] for one in intact_cut(transaction, trial, cut).body["cases"]}
        files = list(_files(transaction, trial, only))
        reads = reads_in(transaction, trial, files)
        letters = _letters(reads, files)
        performance = report_of(trial, _lettered(reads, letters), protocol.oversight.reader_limits, protocol.statistics)
        turnarounds = tuple(_turnarounds(transaction, files, letters))
        if actor.role is Role.SPONSOR:
            performance = replace(performance, readers=(), pairs=())
            turnarounds = tuple(one for one in turnarounds if one.people > 1 or not one.people)
        return ReviewRecord(
            cut or "",
            protocol.reading.readers,
            tuple(reviewed_case(file) for file in files),
            Readings(tuple(_paired(files)), _NAMES[Seat.FIRST], _NAMES[Seat.SECOND]),
            performance,
            turnarounds,
        )


def _files(transaction: Transaction, trial: str, only: Collection[str] | None) -> Iterator[CaseFile]:
    files = load_cases(transaction, trial, only=only)
    return (file for file in files if file.review.kind is CaseKind.EFFICACY)


def _letters(reads: ReadsOfTrial, files: Sequence[CaseFile]) -> Mapping[str, str]:
    """A letter for every reader of the trial; which is whose stands in the records alone."""
    people = {reader for pair in reads.pairs for reader in pair.double.readers}
    people |= {repeat.reader for repeat in reads.repeats}
    people |= {one.place.person for file in files for one in file.assignments.values() if _is_reading(one.body["seat"])}
    return {
        person: f"{_READER} {_LETTERS[place] if place < len(_LETTERS) else place + 1}"
        for place, person in enumerate(sorted(people))
    }


def _is_reading(seat: str) -> bool:
    return seat in {one.value for one in _SEATS}


def _lettered(reads: ReadsOfTrial, letters: Mapping[str, str]) -> ReadsOfTrial:
    pairs = (
        replace(pair, double=replace(pair.double, first=letters[pair.double.first], second=letters[pair.double.second]))
        for pair in reads.pairs
    )
    return ReadsOfTrial(tuple(pairs), tuple(replace(repeat, reader=letters[repeat.reader]) for repeat in reads.repeats))


def reviewed_case(file: CaseFile) -> ReviewedCase:
    """How far a case has come, and in what its two reads differ."""
    twice = all(standing_read(file, seat) is not None for seat in _SEATS)
    is_reread = any(read.reopened_from for read in file.review.reads.values())
    choices = set(file.review.choices.values())
    chosen = choices.pop().value if file.review.stage is Stage.FINAL and len(choices) == 1 else ""
    differs = tuple(one.variable for one in file.review.discordances) if twice and not is_reread else None
    because = file.verdicts[-1].body["because"]["code"] if chosen else ""
    return ReviewedCase(
        file.body["code"], twice, differs, chosen, is_withdrawn=file.review.is_withdrawn, because=because
    )


def _paired(files: Sequence[CaseFile]) -> Iterator[PairedReading]:
    for file in files:
        first, second = (standing_read(file, seat) for seat in _SEATS)
        if first is None or second is None or file.review.is_withdrawn:
            continue
        one, other = (read.body["answer"]["compared"] for read in (first, second))
        yield PairedReading(
            file.body["subject"],
            (one["best_response"], other["best_response"]),
            (_day(one["progression_date"]), _day(other["progression_date"])),
        )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _turnarounds(
    transaction: Transaction, files: Sequence[CaseFile], letters: Mapping[str, str]
) -> Iterator[Turnaround]:
    """Those that anything is known of."""
    ends = {entry.object_id: entry.at for entry in transaction.entries(_finalised(files))} if files else {}
    final = [file for file in files if file.review.stage is Stage.FINAL and file.id in ends]
    spans = {"Receipt of a case to its final result": [("", _days(f.body["received_at"], ends[f.id])) for f in final]}
    spans |= {f"{name}: assignment to signature": [] for name in ("Adjudicator", *letters.values())}
    for file in files:
        for key, assignment in file.assignments.items():
            days, person = _days_to_sign(transaction, key), assignment.place.person
            if days is not None and not assignment.body["repeat"]:
                name = letters[person] if _is_reading(assignment.body["seat"]) else "Adjudicator"
                spans[f"{name}: assignment to signature"].append((person, days))
    for what, found in spans.items():
        if found:
            taken, people = [days for _, days in found], {person for person, _ in found} - {""}
            yield Turnaround(what, median(taken), min(taken), max(taken), len(taken), len(people))


def _finalised(files: Sequence[CaseFile]) -> EntryQuery:
    return EntryQuery(trial=files[0].trial, action="finalise_case", object_kind=CASE)


def _days_to_sign(transaction: Transaction, assignment: str) -> float | None:
    """From the first time it was given out to the first signature under it; None: there is none yet."""
    since = {one.place.state: one.body["since"] for one in reversed(transaction.versions(ASSIGNMENT, assignment))}
    return _days(since["assigned"], since["signed"]) if {"assigned", "signed"} <= since.keys() else None


def _days(start: str, end: str) -> float:
    return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)).total_seconds() / _SECONDS_OF_DAY
