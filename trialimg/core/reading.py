"""Who reads, how far a case and its reads have come, and how two reads become one answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trialimg.core.responses import Firing

__all__ = [
    "Attribution",
    "Because",
    "CaseKind",
    "Charge",
    "Discordance",
    "ReadStage",
    "Reader",
    "ReaderKind",
    "Seat",
    "Stage",
    "Verdict",
    "VerdictReason",
]


class ReaderKind(Enum):
    """A person, or an algorithm that reads as one."""

    PERSON = "person"
    DEVICE = "device"


class Seat(Enum):
    """The place a reader takes in a case."""

    FIRST = "first"
    SECOND = "second"
    ADJUDICATOR = "adjudicator"


@dataclass(frozen=True)
class Reader:
    """Someone or something that reads."""

    id: str
    kind: ReaderKind = ReaderKind.PERSON

    def may_take(self, seat: Seat) -> bool:
        """An algorithm may be a reader, never the adjudicator."""
        return not (self.kind is ReaderKind.DEVICE and seat is Seat.ADJUDICATOR)


class CaseKind(Enum):
    """What a case is read for; the reads of one kind are never those of another."""

    EFFICACY = "efficacy"
    ELIGIBILITY = "eligibility"
    """Whether the subject has the disease at baseline that the trial asks for; decided before it enters."""
    PROGRESSION = "progression"
    """Whether a progression that someone called is one; decided while the subject is treated."""


class ReadStage(Enum):
    """How far a read has come; it moves one way."""

    DRAFT = "draft"
    LOCKED = "locked"
    SIGNED = "signed"
    SUPERSEDED = "superseded"
    """Another read has taken its place; what it says stays as it was."""


class Stage(Enum):
    """How far a case has come; only a signed request with its reason takes it back to reading."""

    RECEIVED = "received"
    READING = "reading"
    ADJUDICATION = "adjudication"
    """Both reads are signed and differ: the adjudicator, or both readers together, must choose one."""
    FINAL = "final"
    WITHDRAWN = "withdrawn"
    """The subject withdrew consent: nothing is read or given out any more, the trail stays."""


class Attribution(Enum):
    """Who a number is by."""

    HUMAN = "human"
    MACHINE = "machine"
    """Proposed by the software and accepted by a person as it was."""
    MACHINE_THEN_HUMAN = "machine-then-human"
    """Proposed by the software and changed by a person."""


@dataclass(frozen=True)
class Discordance:
    """One variable in which two reads of a case differ enough to be adjudicated."""

    case: str
    variable: str
    first: str
    second: str
    rule: Firing
    """The comparison that was made, with its numbers."""


class VerdictReason(Enum):
    """Why one read was preferred."""

    MEASUREMENT = "measurement"
    LESION_SELECTION = "lesion_selection"
    NON_TARGET = "non_target"
    """Progression, or disappearance, of non-target disease."""
    NEW_LESION = "new_lesion"
    EVALUABILITY = "evaluability"
    OTHER = "other"


@dataclass(frozen=True)
class Because:
    """A reason as a code that can be counted and a text that can be read."""

    code: VerdictReason
    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a verdict needs its reason in words")


@dataclass(frozen=True)
class Verdict:
    """The choice of one of two reads, with a reason; never an average, never a third measurement."""

    case: str
    chosen: Seat
    because: Because

    def __post_init__(self) -> None:
        if self.chosen is Seat.ADJUDICATOR:
            raise ValueError(f"case {self.case}: the verdict chooses one of the two reads")


@dataclass(frozen=True)
class Charge:
    """What a signed stage change costs; one key, one charge, however often it is derived."""

    case: str
    item: str

    @property
    def key(self) -> str:
        return f"{self.case}/{self.item}"
