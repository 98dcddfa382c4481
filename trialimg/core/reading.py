"""Who reads, what a read is, and how two reads become one answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import TimepointAssessment

__all__ = [
    "Case",
    "Charge",
    "Discordance",
    "Read",
    "ReadStage",
    "Reader",
    "ReaderKind",
    "Seat",
    "Stage",
    "Verdict",
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
    kind: ReaderKind

    def may_take(self, seat: Seat) -> bool:
        """An algorithm may be a reader, never the adjudicator."""
        return not (self.kind is ReaderKind.DEVICE and seat is Seat.ADJUDICATOR)


class ReadStage(Enum):
    """How far a read has come; it moves one way."""

    DRAFT = "draft"
    LOCKED = "locked"
    SIGNED = "signed"


@dataclass(frozen=True)
class Read:
    """Everything one reader said about one case, once; corrected only by a read that supersedes it."""

    case: str
    reader: Reader
    seat: Seat
    designations: tuple[Designation, ...]
    tracks: tuple[Track, ...]
    assessments: tuple[TimepointAssessment, ...]
    stage: ReadStage = ReadStage.DRAFT
    supersedes: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.reader.may_take(self.seat):
            raise ValueError(f"case {self.case}: {self.reader.id} is a device and cannot adjudicate")
        if self.supersedes is not None and not self.reason:
            raise ValueError(f"case {self.case}: a read that supersedes another needs its reason")


@dataclass(frozen=True)
class Discordance:
    """One variable in which two reads of a case differ enough to be adjudicated."""

    case: str
    variable: str
    first: str
    second: str


@dataclass(frozen=True)
class Verdict:
    """The adjudicator's choice of one of two reads, with a reason; never an average."""

    case: str
    chosen: Seat
    because: str

    def __post_init__(self) -> None:
        if self.chosen is Seat.ADJUDICATOR:
            raise ValueError(f"case {self.case}: the verdict chooses one of the two reads")
        if not self.because:
            raise ValueError(f"case {self.case}: a verdict needs its reason")


class Stage(Enum):
    """How far a case has come; it moves one way."""

    RECEIVED = "received"
    READING = "reading"
    ADJUDICATION = "adjudication"
    FINAL = "final"


@dataclass(frozen=True)
class Case:
    """One subject's imaging in one trial: the unit of reading and of billing."""

    id: str
    subject: str
    protocol_digest: str
    timepoints: tuple[str, ...]
    stage: Stage = Stage.RECEIVED

    def advanced_to(self, stage: Stage) -> Case:
        """The case at a later stage.

        Raises
        ------
        ValueError
            If the stage is not later than the present one.
        """
        order = list(Stage)
        if order.index(stage) <= order.index(self.stage):
            raise ValueError(f"case {self.id} is {self.stage.value} and cannot go back to {stage.value}")
        return Case(self.id, self.subject, self.protocol_digest, self.timepoints, stage)


@dataclass(frozen=True)
class Charge:
    """What a signed stage change costs; one key, one charge, however often it is derived."""

    case: str
    item: str

    @property
    def key(self) -> str:
        return f"{self.case}/{self.item}"
