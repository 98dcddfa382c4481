"""How a trial's images are read: how many readers, in what order, and what sends a case to the adjudicator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.core.reading import Seat

__all__ = ["Disclosure", "ReadOrder", "ReadingDesign", "Trigger", "TriggerVariable"]

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
    adjudication: tuple[Trigger, ...] = ()
    """Differences that send a case to the adjudicator; needs two readers."""
    repeat_pct: int = 0
    """Cases given to the same reader a second time without saying so, in percent; measures repeatability."""
    device_drafts: bool = True
    """Whether a reader starts from the measurements that the software proposes."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    @property
    def seats(self) -> tuple[Seat, ...]:
        """The places that a case may need a reader for."""
        seats = (Seat.FIRST, Seat.SECOND)[: self.readers]
        return (*seats, Seat.ADJUDICATOR) if self.adjudication else seats

    def _faults(self) -> Iterator[Fault]:
        if self.readers not in (1, 2):
            yield Fault("readers", "out_of_range", f"a case has 1 or 2 readers, not {self.readers}")
        if self.readers == 1 and self.adjudication:
            message = "adjudication compares two reads, but readers is 1"
            yield Fault("adjudication", "needs_two_readers", message)
        if self.readers == 2 and not self.adjudication:
            message = "two readers and no adjudication: nothing says which read counts where they differ"
            yield Fault("adjudication", "no_adjudication", message)
        if not 0 <= self.repeat_pct <= _PERCENT:
            yield Fault("repeat_pct", "out_of_range", f"a percentage lies in 0..100, not {self.repeat_pct}")
        seen: set[TriggerVariable] = set()
        for position, trigger in enumerate(self.adjudication):
            if trigger.variable in seen:
                message = f"{trigger.variable.value} is a trigger already"
                yield Fault(f"adjudication[{position}].variable", "duplicate", message)
            seen.add(trigger.variable)
