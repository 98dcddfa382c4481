"""Times and events as they come in: what cannot be is refused, every entry at once."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized

from trialimg.core.errors import Fault, ReadingError

__all__ = ["require_length", "require_spans", "require_times"]


def require_times(days: Sequence[float], events: Sequence[bool | int]) -> None:
    """Refuse times that are negative or not a number, and events that are not 0 or 1.

    Raises
    ------
    ReadingError
        Names every such entry.
    """
    if len(days) != len(events):
        raise ReadingError(f"{len(days)} times, but {len(events)} events; one of each is needed per subject")
    faults = [
        Fault(f"entry {place}", "bad_time", f"a time is 0 days or more, not {day}")
        for place, day in enumerate(days, start=1)
        if not (math.isfinite(day) and day >= 0)
    ]
    faults += [
        Fault(f"entry {place}", "bad_event", f"an event is 1 or 0, not {event}")
        for place, event in enumerate(events, start=1)
        if event not in (0, 1)
    ]
    _refuse(faults)


def require_spans(starts: Sequence[float], stops: Sequence[float]) -> None:
    """Refuse spans of observation that end no later than they begin.

    Raises
    ------
    ReadingError
        Names every such entry.
    """
    require_length(len(stops), starts, "starts")
    _refuse(
        [
            Fault(f"entry {place}", "bad_span", f"observation must end after it begins, not from {start} to {stop}")
            for place, (start, stop) in enumerate(zip(starts, stops, strict=True), start=1)
            if not start < stop
        ]
    )


def require_length(expected: int, values: Sized, what: str) -> None:
    """Refuse a column that is not as long as the times.

    Raises
    ------
    ReadingError
        Says both lengths.
    """
    if len(values) != expected:
        raise ReadingError(f"{expected} times, but {len(values)} {what}; one of each is needed per subject")


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise ReadingError(f"{len(faults)} entries cannot be analysed; first: {faults[0]}", tuple(faults))
