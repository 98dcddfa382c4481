"""Which new lesions are measured and added up, where a criterion measures new lesions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Lesion, Observation, Track
from trialimg.core.trial import Timepoint

__all__ = ["Limits", "new_targets"]


@dataclass(frozen=True)
class Limits:
    """Which new lesions can be measured, and how many of them."""

    size: Callable[[Observation], Decimal | None]
    """What the largest are found by; None: not measured."""
    measurable: Callable[[Observation], bool]
    places: Callable[[Lesion], Mapping[str, int]]
    """The groups that a lesion takes a place in (its organ, all of them), each with the places there are."""
    when_first_seen: bool
    """Only at the timepoint at which it is first there; else whenever it becomes measurable."""


def new_targets(
    tracks: Sequence[Track], timepoints: Sequence[Timepoint], present: Sequence[frozenset[str]], limits: Limits
) -> Mapping[str, int]:
    """The new lesions that are measured, each with the index of the timepoint it is measured from.

    Of those that can be taken at one timepoint the largest come first.

    Parameters
    ----------
    present
        The new lesions that are there at each timepoint, baseline first.
    """
    taken: dict[str, int] = {}
    filled: Counter[str] = Counter()
    for index, timepoint in enumerate(timepoints):
        earlier = present[index - 1] if index and limits.when_first_seen else frozenset()
        for track in _by_size(tracks, timepoint, present[index] - earlier - taken.keys(), limits):
            places = limits.places(track.lesion)
            if all(filled[group] < most for group, most in places.items()):
                taken[track.lesion.id] = index
                filled.update(places.keys())
    return taken


def _by_size(
    tracks: Sequence[Track], timepoint: Timepoint, names: frozenset[str] | set[str], limits: Limits
) -> list[Track]:
    """Those of some lesions that can be measured now, the largest first."""
    sized: list[tuple[Decimal, str, Track]] = []
    for track in tracks:
        seen = track.at(timepoint.id) if track.lesion.id in names else None
        size = limits.size(seen) if seen is not None else None
        if seen is not None and size is not None and limits.measurable(seen):
            sized.append((-size, track.lesion.id, track))
    return [track for _, _, track in sorted(sized, key=lambda item: item[:2])]
