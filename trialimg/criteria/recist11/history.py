"""One reader's record of one subject, checked for contradictions before it is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Designation, NewLesionStatus, NonTargetStatus, Observation, Role, Seen, Track
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.facts import Facts

__all__ = ["History", "checked"]

_STATUS_OF: Mapping[Role, type] = {Role.NON_TARGET: NonTargetStatus, Role.NEW: NewLesionStatus}


@dataclass(frozen=True)
class History:
    """Lesions by role, timepoints in order, facts by timepoint."""

    tracks: tuple[Track, ...]
    roles: Mapping[str, Role]
    timepoints: tuple[Timepoint, ...]
    facts: Mapping[str, Facts]

    def of(self, role: Role) -> tuple[Track, ...]:
        """The tracks followed in a role."""
        return tuple(track for track in self.tracks if self.roles[track.lesion.id] is role)


def checked(
    tracks: tuple[Track, ...],
    designations: tuple[Designation, ...],
    timepoints: tuple[Timepoint, ...],
    facts: Mapping[str, Facts],
) -> History:
    """The record as a whole.

    Raises
    ------
    ReadingError
        Naming every contradiction at once.
    """
    roles = _roles(tracks, designations)
    faults = [
        *_timepoint_faults(timepoints),
        *_designation_faults(designations),
        *_track_faults(tracks, roles, {timepoint.id for timepoint in timepoints}),
        *_circles(tracks),
    ]
    if faults:
        raise ReadingError(f"{len(faults)} contradiction(s) in the reading, nothing was judged", tuple(faults))
    return History(tracks, roles, timepoints, facts)


def _roles(tracks: tuple[Track, ...], designations: tuple[Designation, ...]) -> dict[str, Role]:
    """Role by lesion; a fragment without one of its own takes its parent's."""
    roles = {designation.lesion.id: designation.role for designation in designations}
    parents = {track.lesion.id: track.lesion.split_from for track in tracks}
    for lesion in parents:
        parent, steps = parents[lesion], 0
        while lesion not in roles and parent is not None and steps < len(parents):
            if parent in roles:
                roles[lesion] = roles[parent]
            parent, steps = parents.get(parent), steps + 1
    return roles


def _timepoint_faults(timepoints: tuple[Timepoint, ...]) -> Iterator[Fault]:
    if not timepoints or timepoints[0].order != 0:
        yield Fault("timepoints", "no_baseline", "the first timepoint must be baseline (order 0)")
    for earlier, later in pairwise(timepoints):
        if later.order <= earlier.order or later.date < earlier.date:
            yield Fault(later.id, "out_of_order", f"{later.id} does not come after {earlier.id} in order and date")
    if len({timepoint.id for timepoint in timepoints}) != len(timepoints):
        yield Fault("timepoints", "duplicate", "two timepoints have one id")


def _designation_faults(designations: tuple[Designation, ...]) -> Iterator[Fault]:
    readers = sorted({designation.reader for designation in designations})
    if len(readers) > 1:
        yield Fault("designations", "two_readers", f"one reader at a time, not {', '.join(readers)}")
    first: dict[str, Role] = {}
    for designation in designations:
        name = designation.lesion.id
        if first.setdefault(name, designation.role) is not designation.role:
            text = f"{name} is followed as {first[name].value} and as {designation.role.value}"
            yield Fault(name, "two_roles", text)


def _track_faults(tracks: tuple[Track, ...], roles: Mapping[str, Role], known: set[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for track in tracks:
        name = track.lesion.id
        if name in seen:
            yield Fault(name, "duplicate", f"two tracks of {name}")
        seen.add(name)
        if name not in roles:
            yield Fault(name, "no_role", f"{name} is neither target, non-target nor new")
        for observation in track.observations:
            yield from _observation_faults(observation, roles.get(name), known)


def _observation_faults(observation: Observation, role: Role | None, known: set[str]) -> Iterator[Fault]:
    name, where, status = observation.lesion.id, observation.timepoint.id, observation.status
    if where not in known:
        yield Fault(name, "unknown_timepoint", f"{name} was observed at {where}, which is not listed")
    if status is not None and role is not None and not isinstance(status, _STATUS_OF.get(role, ())):
        text = f"{name} at {where} is a {role.value} lesion, which cannot be {status.value!r}"
        yield Fault(name, "status_of_another_role", text)
    if role is Role.NEW and observation.timepoint.order == 0 and observation.seen in (Seen.MEASURED, Seen.TOO_SMALL):
        yield Fault(name, "new_at_baseline", f"{name} is called new, but was seen at baseline")


def _circles(tracks: tuple[Track, ...]) -> Iterator[Fault]:
    splits = {track.lesion.id: track.lesion.split_from for track in tracks if track.lesion.split_from}
    merges = {track.lesion.id: o.merged_into for track in tracks for o in track.observations if o.merged_into}
    for links, word in ((splits, "split"), (merges, "merge")):
        for start in links:
            reached, here = {start}, links.get(start)
            while here is not None and here not in reached:
                reached.add(here)
                here = links.get(here)
            if here == start:
                yield Fault(start, "circle", f"the {word}s of {start} lead back to itself")
