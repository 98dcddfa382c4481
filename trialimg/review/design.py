"""How a trial's images are read: how many readers, in what order, and what happens where two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.core.reading import CaseKind, Seat

__all__ = [
    "Amendment",
    "ConfirmationCause",
    "Disclosure",
    "ReadOrder",
    "ReadingDesign",
    "Resolution",
    "Trigger",
    "TriggerVariable",
]

_PERCENT = 100


class ReadOrder(Enum):
    """The order in which a reader gets the cases."""

    AS_RECEIVED = "as_received"
    RANDOMISED = "randomised"
    """By the stored seed."""


class Disclosure(Enum):
    """How a reader comes to see the timepoints of a case."""

    SEQUENTIAL_LOCKED = "sequential_locked"
    """One after another in order of date; each is locked before the next is shown."""
    ALL_AT_ONCE = "all_at_once"


class Resolution(Enum):
    """Who settles a case in which a trigger is true; one of the two reads is chosen, whoever it is."""

    ADJUDICATION = "adjudication"
    """A third person, who sees both reads and not whose they are."""
    CONSENSUS = "consensus"
    """Both readers together: the case is settled when both have signed the same choice."""


class Amendment(Enum):
    """Which cases are read anew under an amended protocol; the others keep the version that they were read by."""

    NONE = "none"
    """Only those that nobody has yet."""
    UNSIGNED = "unsigned"
    """Those without any signed read."""
    ALL = "all"


class ConfirmationCause(Enum):
    """What may ask for a confirmation-of-progression read; readers are not told."""

    SITE_PROGRESSION = "site_progression"
    """The site called progression, and treatment waits for the answer."""
    CROSSOVER = "crossover"
    """The subject is to change treatment on progression."""


class TriggerVariable(Enum):
    """What two reads may differ in."""

    BEST_RESPONSE = "best_response"
    TIMEPOINT_RESPONSE = "timepoint_response"
    PROGRESSION_DATE = "progression_date"
    RESPONSE_DATE = "response_date"
    LESION_CHOICE = "lesion_choice"
    """The readers chose different target lesions."""
    EVALUABILITY = "evaluability"
    """One reader could judge the case, the other could not."""

    @property
    def is_date(self) -> bool:
        return self in (TriggerVariable.PROGRESSION_DATE, TriggerVariable.RESPONSE_DATE)


@dataclass(frozen=True)
class Trigger:
    """A difference between two reads that sends the case to the adjudicator."""

    variable: TriggerVariable
    """What the reads differ in."""
    tolerance_days: int = 0
    """Dates that lie no more than this apart count as equal, in days; 0 for anything but a date."""

    def __post_init__(self) -> None:
        if self.tolerance_days < 0:
            message = f"a tolerance is 0 days or more, not {self.tolerance_days}"
            raise InvalidValueError(Fault("tolerance_days", "out_of_range", message))
        if self.tolerance_days and not self.variable.is_date:
            message = f"{self.variable.value} is not a date, so it has no tolerance in days"
            raise InvalidValueError(Fault("tolerance_days", "not_applicable", message))


@dataclass(frozen=True)
class ReadingDesign:
    """Who reads a case, and how two reads become one answer."""

    readers: int = 1
    """Independent reads of every case: 1 or 2."""
    order: ReadOrder = ReadOrder.RANDOMISED
    """Order in which a reader gets the cases."""
    seed: int = 1
    """Seed of the randomised order and of the choice of repeated cases."""
    disclosure: Disclosure = Disclosure.SEQUENTIAL_LOCKED
    """How a reader comes to see the timepoints of a case."""
    global_read: bool = False
    """Whether the reader looks at all timepoints together once more, when each of them is locked."""
    adjudication: tuple[Trigger, ...] = ()
    """Differences that one of the two reads must be chosen for; needs two readers."""
    resolution: Resolution = Resolution.ADJUDICATION
    """Who chooses."""
    case_kinds: tuple[CaseKind, ...] = (CaseKind.EFFICACY,)
    """What cases are read for; each kind is read apart from the others."""
    confirmation: tuple[ConfirmationCause, ...] = ()
    """What may ask for a confirmation-of-progression read; needs `progression` among the kinds of case."""
    shared_readers: bool = False
    """Whether the reader of a subject's eligibility or progression case may read its efficacy case too."""
    amendment: Amendment = Amendment.NONE
    """Which cases are read anew when an amended protocol with this design comes into force."""
    repeat_pct: int = 0
    """Cases given to the same reader a second time without saying so, in percent; measures repeatability."""
    device_drafts: bool = True
    """Whether a reader starts from the measurements that the software proposes."""
    new_lesion_candidates: bool = True
    """Whether a reader is shown the places that the software takes for possible new lesions; needs device_drafts."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    @property
    def reading_seats(self) -> tuple[Seat, ...]:
        """The places from which a case is read."""
        return (Seat.FIRST, Seat.SECOND)[: self.readers]

    @property
    def shows_candidates(self) -> bool:
        """A reader who starts from a blank is shown no candidates either."""
        return self.device_drafts and self.new_lesion_candidates

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The places that a case may need a person for."""
        has_adjudicator = bool(self.adjudication) and self.resolution is Resolution.ADJUDICATION
        return (*self.reading_seats, Seat.ADJUDICATOR) if has_adjudicator else self.reading_seats

    def _faults(self) -> Iterator[Fault]:
        if self.readers not in (1, 2):
            yield Fault("readers", "out_of_range", f"a case has 1 or 2 readers, not {self.readers}")
        if self.readers == 1 and self.adjudication:
            message = "adjudication compares two reads, but readers is 1"
            yield Fault("adjudication", "needs_two_readers", message)
        if self.readers == 1 and self.resolution is Resolution.CONSENSUS:
            yield Fault("resolution", "needs_two_readers", "a consensus is of two readers, but readers is 1")
        if self.readers == 2 and not self.adjudication:
            message = "two readers and no adjudication: nothing says which read counts where they differ"
            yield Fault("adjudication", "no_adjudication", message)
        if not 0 <= self.repeat_pct <= _PERCENT:
            yield Fault("repeat_pct", "out_of_range", f"a percentage lies in 0..100, not {self.repeat_pct}")
        yield from self._faults_of_triggers()
        yield from self._faults_of_kinds()

    def _faults_of_triggers(self) -> Iterator[Fault]:
        seen: set[TriggerVariable] = set()
        for position, trigger in enumerate(self.adjudication):
            if trigger.variable in seen:
                message = f"{trigger.variable.value} is a trigger already"
                yield Fault(f"adjudication[{position}].variable", "duplicate", message)
            seen.add(trigger.variable)

    def _faults_of_kinds(self) -> Iterator[Fault]:
        if not self.case_kinds:
            yield Fault("case_kinds", "empty", "a trial reads at least one kind of case")
        for key, words in (("case_kinds", self.case_kinds), ("confirmation", self.confirmation)):
            for position, word in enumerate(words):
                if word in words[:position]:
                    yield Fault(f"{key}[{position}]", "duplicate", f"{word.value} is named already")
        if (CaseKind.PROGRESSION in self.case_kinds) is not bool(self.confirmation):
            message = "progression cases and what asks for them go together: give both, or neither"
            yield Fault("confirmation", "one_of_two", message)
