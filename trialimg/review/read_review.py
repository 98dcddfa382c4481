"""How far one reader has come with one case: what may be seen, changed, locked and signed next."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trialimg.core.errors import ReadingError
from trialimg.core.reading import Reader, ReaderKind, ReadStage
from trialimg.review.answers import ReadAnswer

__all__ = ["GLOBAL", "ReadReview"]

GLOBAL = "GLOBAL"
"""The step after all timepoints, at which a reader looks at them together."""


@dataclass(frozen=True)
class ReadReview:
    """One read of one case; every step returns the next, or refuses to be taken out of order."""

    case: str
    reader: Reader
    steps: tuple[str, ...]
    """Timepoints in order of date, then `GLOBAL` where the design asks for it."""
    is_sequential: bool = True
    number: int = 1
    """1, and one more for each correction."""
    locked: tuple[str, ...] = ()
    """Steps that are locked, in the order in which they were."""
    stage: ReadStage = ReadStage.DRAFT
    reopened_from: str = ""
    """The first step that a signed request lets the reader correct; empty where there is no such request."""
    answer: ReadAnswer | None = None
    """What the read comes to; exists once the whole read is locked."""

    @property
    def visible(self) -> tuple[str, ...]:
        """The steps whose images and entries the reader may see now."""
        if self.stage is not ReadStage.DRAFT:
            return tuple(step for step in self.steps if step in self.locked)
        open_steps = [step for step in self.steps if step not in self.locked]
        due = open_steps[:1] if self.is_sequential or open_steps == [GLOBAL] else set(open_steps) - {GLOBAL}
        return tuple(step for step in self.steps if step in self.locked or step in due)

    def drafted(self, by: str, step: str) -> ReadReview:
        """The same read, if this person may change this step now.

        Raises
        ------
        ReadingError
            If it is another's read, the step is locked or not yet visible, or the whole read is locked.
        """
        self._require_own(by)
        self._require(self.stage is ReadStage.DRAFT, f"the read is {self.stage.value}; only a correction changes it")
        self._require(step in self.steps, f"there is no timepoint {step!r}; known: {', '.join(self.steps)}")
        self._require(step not in self.locked, f"{step} is locked; only a correction changes it")
        due = self.visible[-1] if self.visible else ""
        self._require(step in self.visible, f"{step} is not shown before {due} is locked")
        return self

    def with_locked(self, by: str, step: str) -> ReadReview:
        """The read with one more step locked.

        Raises
        ------
        ReadingError
            As `drafted`.
        """
        return replace(self.drafted(by, step), locked=(*self.locked, step))

    def completed(self, by: str, answer: ReadAnswer) -> ReadReview:
        """The read locked as a whole.

        Raises
        ------
        ReadingError
            If it is another's read, locked already, or a step is still open.
        """
        self._require_own(by)
        self._require(self.stage is ReadStage.DRAFT, f"the read is {self.stage.value} already")
        still_open = [step for step in self.steps if step not in self.locked]
        self._require(not still_open, f"{', '.join(still_open)} not locked yet")
        return replace(self, stage=ReadStage.LOCKED, answer=answer)

    def signed(self, by: str) -> ReadReview:
        """The read signed by the one who made it.

        Raises
        ------
        ReadingError
            If it is another's read or a device's, not locked as a whole, or signed already.
        """
        self._require_own(by)
        self._require(self.reader.kind is ReaderKind.PERSON, "an algorithm cannot sign")
        self._require(self.stage is ReadStage.LOCKED, f"the read is {self.stage.value}; lock it before signing, once")
        return replace(self, stage=ReadStage.SIGNED)

    def reopened(self, step: str) -> ReadReview:
        """The same read, which its reader may now correct from a step on.

        Raises
        ------
        ReadingError
            If the step is not locked (there is nothing to reopen), or the read is reopened already.
        """
        self._require(step in self.locked, f"{step or 'nothing'} is not locked, so there is nothing to reopen")
        self._require(not self.reopened_from, f"reopened from {self.reopened_from} already")
        return replace(self, reopened_from=step)

    def corrected(self, by: str) -> ReadReview:
        """The read that takes this one's place: the steps before the reopened one stay locked.

        Raises
        ------
        ReadingError
            If it is another's read, or no signed request has reopened it.
        """
        self._require_own(by)
        self._require(bool(self.reopened_from), "nobody reopened this read; ask for it, with the reason")
        before = self.steps[: self.steps.index(self.reopened_from)]
        kept = tuple(step for step in self.locked if step in before)
        return ReadReview(self.case, self.reader, self.steps, self.is_sequential, self.number + 1, kept)

    def extended(self, steps: tuple[str, ...]) -> ReadReview:
        """The read of a case to which timepoints were added: what was locked before the first of them stays so."""
        first_new = next(at for at, step in enumerate(steps) if step not in self.steps)
        kept = tuple(step for step in self.locked if step in steps[:first_new])
        if self.stage is ReadStage.DRAFT and kept == self.locked:
            return replace(self, steps=steps)
        return ReadReview(self.case, self.reader, steps, self.is_sequential, self.number + 1, kept)

    def begun_anew(self, steps: tuple[str, ...], *, is_sequential: bool) -> ReadReview:
        """A read by the same person from the beginning, as an amended design has it."""
        return ReadReview(self.case, self.reader, steps, is_sequential, self.number + 1)

    def _require_own(self, by: str) -> None:
        self._require(by == self.reader.id, "this read is another person's")

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise ReadingError(f"case {self.case}: {otherwise}")
