"""How readers do and how cases came through their reads, as one page shows both: out of one pass over the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind
from trialimg.services.figures.adjudication import ReviewedCase
from trialimg.services.journal import Records
from trialimg.services.reader_performance import ReaderReport, reads_in, report_of
from trialimg.services.reading_file import CaseFile, load_cases, protocol_in_force
from trialimg.services.review_record import reviewed_case

__all__ = ["ReadersSeen", "readers_seen"]

_TWICE = 2


@dataclass(frozen=True)
class ReadersSeen:
    """What the page of readers shows."""

    report: ReaderReport
    cases: tuple[ReviewedCase, ...]
    """How far every efficacy case has come; none where one reader reads each case."""


def readers_seen(records: Records, actor: Actor, trial: str) -> ReadersSeen:
    """The figures of every reader of a trial, and the way of its cases from receipt to the read that holds.

    Raises
    ------
    AccessError
        If the actor may not see how readers do.
    ProtocolError
        If there is no such trial.
    """
    cases: list[ReviewedCase] = []

    def noted(files: Iterator[CaseFile]) -> Iterator[CaseFile]:
        for file in files:
            if file.review.kind is CaseKind.EFFICACY:
                cases.append(reviewed_case(file))
            yield file

    with records.look(actor, Action.VIEW_READERS, trial=trial) as transaction:
        protocol = protocol_in_force(transaction, trial)
        reads = reads_in(transaction, trial, noted(load_cases(transaction, trial)))
    report = report_of(trial, reads, protocol.oversight.reader_limits, protocol.statistics)
    is_read_twice = len(protocol.reading.reading_seats) >= _TWICE
    return ReadersSeen(report, tuple(cases) if is_read_twice else ())
