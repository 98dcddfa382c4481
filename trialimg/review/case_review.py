"""A case under blinded central review: who may do what next, and which read counts in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from trialimg.core.errors import ReadingError
from trialimg.core.reading import CaseKind, Discordance, Reader, ReadStage, Seat, Stage
from trialimg.review.answers import ReadAnswer
from trialimg.review.design import Amendment, Disclosure, ReadingDesign, Resolution
from trialimg.review.read_review import GLOBAL, ReadReview
from trialimg.review.triggers import discordances

__all__ = ["CaseReview", "steps_of"]


def steps_of(design: ReadingDesign, kind: CaseKind, timepoints: tuple[str, ...]) -> tuple[str, ...]:
    """What a reader locks one after another: the timepoints, then the global read of an efficacy case."""
    has_global = design.global_read and kind is CaseKind.EFFICACY
    return (*timepoints, GLOBAL) if has_global else timepoints


@dataclass(frozen=True)
class CaseReview:
    """One case; every step returns the next state, or refuses to be taken out of order."""

    id: str
    design: ReadingDesign
    timepoints: tuple[str, ...]
    """In order of date."""
    kind: CaseKind = CaseKind.EFFICACY
    reads: Mapping[Seat, ReadReview] = field(default_factory=dict)
    """The read that stands in each seat; earlier ones are superseded."""
    adjudicator: str = ""
    choices: Mapping[str, Seat] = field(default_factory=dict)
    """Who has chosen which read."""
    barred: frozenset[str] = frozenset()
    """People who may not see it: they read it, or another kind of case of this subject, before."""
    is_withdrawn: bool = False

    @property
    def stage(self) -> Stage:
        """How far the case has come."""
        if self.is_withdrawn:
            return Stage.WITHDRAWN
        if not self.reads:
            return Stage.RECEIVED
        if not self._is_read:
            return Stage.READING
        return Stage.FINAL if self.accepted is not None else Stage.ADJUDICATION

    @property
    def _is_read(self) -> bool:
        reads = [self.reads.get(seat) for seat in self.design.reading_seats]
        return all(r is not None and r.stage is ReadStage.SIGNED and not r.reopened_from for r in reads)

    @property
    def discordances(self) -> tuple[Discordance, ...]:
        """In what the two signed reads differ by the triggers of the design; empty before both are signed."""
        answers = [read.answer for seat in self.design.reading_seats if (read := self.reads.get(seat))]
        if not self._is_read or len(answers) != len((Seat.FIRST, Seat.SECOND)):
            return ()
        first, second = answers
        if first is None or second is None:
            return ()
        return discordances(self.id, self.kind, self.design, first=first, second=second)

    @property
    def accepted(self) -> Seat | None:
        """The seat whose read is the case's answer: the first where reads agree, else the chosen one; None: not yet."""
        if not self._is_read:
            return None
        if not self.discordances:
            return Seat.FIRST
        chosen = set(self.choices.values())
        return chosen.pop() if len(chosen) == 1 and set(self.choices) == set(self._choosers) else None

    @property
    def _choosers(self) -> tuple[str, ...]:
        if self.design.resolution is Resolution.CONSENSUS:
            return tuple(self.reads[seat].reader.id for seat in self.design.reading_seats)
        return (self.adjudicator,)

    def assigned(self, seat: Seat, reader: Reader, *, number: int = 1) -> CaseReview:
        """The case with somebody in a seat.

        Parameters
        ----------
        number
            Of the read that begins: more than 1 where somebody else began one that was taken away.

        Raises
        ------
        ReadingError
            If the design has no such seat, it is taken, the person holds another seat of the case or may not see it,
            or the case is past that step.
        """
        self._require_use()
        self._require(seat in self.design.seats, f"its design has no {seat.value} seat")
        self._require(reader.may_take(seat), f"{reader.id} is an algorithm and cannot adjudicate")
        self._require(reader.id not in self.barred, f"{reader.id} has seen this subject before in another read")
        self._require(reader.id not in self._people, f"{reader.id} holds another seat of it")
        if seat is Seat.ADJUDICATOR:
            self._require(not self.adjudicator, "it has an adjudicator already")
            return replace(self, adjudicator=reader.id)
        self._require(seat not in self.reads, f"its {seat.value} seat is taken")
        steps = steps_of(self.design, self.kind, self.timepoints)
        return self._with(seat, ReadReview(self.id, reader, steps, _is_sequential(self.design), number))

    @property
    def _people(self) -> frozenset[str]:
        return frozenset({read.reader.id for read in self.reads.values()} | {self.adjudicator} - {""})

    def revoked(self, seat: Seat) -> CaseReview:
        """The case with a seat free again; who sat there may not come back to it.

        Raises
        ------
        ReadingError
            If nobody sits there, or the read is signed (then it can only be corrected), or the choice is made.
        """
        self._require_use()
        if seat is Seat.ADJUDICATOR:
            self._require(bool(self.adjudicator), "it has no adjudicator")
            self._require(not self.choices, "its verdict is signed")
            return replace(self, adjudicator="", barred=self.barred | {self.adjudicator})
        self._require(seat in self.reads, f"nobody sits in its {seat.value} seat")
        self._require(self.reads[seat].stage is not ReadStage.SIGNED, f"its {seat.value} read is signed")
        rest = {at: read for at, read in self.reads.items() if at is not seat}
        return replace(self, reads=rest, barred=self.barred | {self.reads[seat].reader.id})

    def with_locked(self, by: str, step: str) -> CaseReview:
        """The case with one more step of this person's read locked; ReadingError as `ReadReview.with_locked`."""
        seat = self._seat_of(by)
        return self._with(seat, self.reads[seat].with_locked(by, step))

    def completed(self, by: str, answer: ReadAnswer) -> CaseReview:
        """The case with this person's read locked as a whole; ReadingError as `ReadReview.completed`."""
        seat = self._seat_of(by)
        return self._with(seat, self.reads[seat].completed(by, answer))

    def signed(self, by: str) -> CaseReview:
        """The case with this person's read signed; ReadingError as `ReadReview.signed`."""
        seat = self._seat_of(by)
        return self._with(seat, self.reads[seat].signed(by))

    def reopened(self, seat: Seat, step: str) -> CaseReview:
        """The case with a read that may be corrected from a step on; a choice that rested on it is void.

        Raises
        ------
        ReadingError
            If nobody sits there, or as `ReadReview.reopened`.
        """
        self._require_use()
        self._require(seat in self.reads, f"nobody has read it in the {seat.value} seat")
        return replace(self._with(seat, self.reads[seat].reopened(step)), choices={})

    def corrected(self, by: str) -> CaseReview:
        """The case with a new read in the place of this person's; ReadingError as `ReadReview.corrected`."""
        seat = self._seat_of(by)
        return self._with(seat, self.reads[seat].corrected(by))

    def chosen(self, by: str, seat: Seat) -> CaseReview:
        """The case with the choice of one of its two reads by this person.

        Raises
        ------
        ReadingError
            If the two reads are not both signed, do not differ, the choice is made, or it is not this person's.
        """
        self._require_use()
        self._require(self._is_read, "both reads must be signed before one is chosen")
        self._require(self.stage is Stage.ADJUDICATION, "there is nothing to choose: it is final")
        self._require(by in self._choosers, "somebody else chooses between its reads")
        self._require(seat in self.reads, "a verdict chooses one of the two reads")
        return replace(self, choices={**self.choices, by: seat})

    def extended(self, timepoints: tuple[str, ...]) -> CaseReview:
        """The case with further timepoints: whoever has read it goes on with them, and the case is open again.

        Raises
        ------
        ReadingError
            If there is no new timepoint among them, or one that it had is missing.
        """
        self._require_use()
        self._require(set(timepoints) > set(self.timepoints), "a case is extended by timepoints that it does not have")
        steps = steps_of(self.design, self.kind, timepoints)
        reads = {seat: read.extended(steps) for seat, read in self.reads.items()}
        return replace(self, timepoints=timepoints, reads=reads, choices={})

    def amended(self, design: ReadingDesign, *, is_named: bool = False) -> CaseReview:
        """The case under an amended design: the same where the amendment does not reach it, else read anew.

        Parameters
        ----------
        is_named
            The amendment names a read of this case among those that are done again.

        Raises
        ------
        ReadingError
            If it is to be read anew by more or fewer readers than it has.
        """
        untouched = {Amendment.NONE: bool(self.reads), Amendment.UNSIGNED: self._has_signature, Amendment.ALL: False}
        if self.is_withdrawn or (untouched[design.amendment] and not is_named):
            return self
        seats = set(design.reading_seats)
        self._require(set(self.reads) <= seats, "it has a second reader, whom the amended design has no seat for")
        steps = steps_of(design, self.kind, self.timepoints)
        is_sequential = _is_sequential(design)
        anew = {seat: read.begun_anew(steps, is_sequential=is_sequential) for seat, read in self.reads.items()}
        return replace(self, design=design, reads=anew, choices={})

    @property
    def _has_signature(self) -> bool:
        return any(read.stage is ReadStage.SIGNED for read in self.reads.values())

    def withdrawn(self) -> CaseReview:
        """The case of a subject who withdrew consent."""
        return replace(self, is_withdrawn=True)

    def _seat_of(self, by: str) -> Seat:
        self._require_use()
        seat = next((seat for seat, read in self.reads.items() if read.reader.id == by), None)
        if seat is None:
            raise ReadingError(f"case {self.id}: {by} is not a reader of it")
        return seat

    def _with(self, seat: Seat, read: ReadReview) -> CaseReview:
        return replace(self, reads={**self.reads, seat: read})

    def _require_use(self) -> None:
        self._require(not self.is_withdrawn, "the subject withdrew consent; nothing of it is used any more")

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ReadingError(f"case {self.id}: {otherwise}")


def _is_sequential(design: ReadingDesign) -> bool:
    return design.disclosure is Disclosure.SEQUENTIAL_LOCKED
