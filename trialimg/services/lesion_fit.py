"""Whether lesions were measured where they are to be expected: a reader may take one lesion for another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trialimg.core.links import Link, LinkKind
from trialimg.core.prompts import PointLps
from trialimg.imaging import match_regions
from trialimg.imaging.match_regions import MatchSettings, Region

__all__ = ["Extent", "Misfit", "as_read", "misfits"]

_STEPS = 9
"""Points across a ball; enough for shares of overlap to a few percent."""
_BY = f"trialimg.match@{match_regions.VERSION}"


@dataclass(frozen=True)
class Extent:
    """About where a lesion lies: a ball as wide as its long axis."""

    name: str
    centre_lps_mm: PointLps
    radius_mm: float


@dataclass(frozen=True)
class Misfit:
    """A lesion that was measured elsewhere than where it was to be expected."""

    lesion: str
    fits: str
    """The lesion that is expected there; empty where none is."""
    link: Link
    """What the software proposes instead, with its score."""
    away_mm: float
    """From the place where the lesion itself is expected."""


def misfits(expected: Sequence[Extent], measured: Sequence[Extent]) -> tuple[Misfit, ...]:
    """The lesions of a visit that fit the place of another one better, or no place that is known.

    Parameters
    ----------
    expected
        Lesions of earlier visits, brought into this visit's frame.
    measured
        Lesions of this visit, by the names that the reader gave them; one that is not among the expected ones is new.

    Notes
    -----
    The assignment of `imaging.match_regions`, on balls: distance of centres over radius and registration error,
    overlap, ratio of volumes.
    """
    places = {one.name: one for one in expected}
    links = match_regions.match_regions(
        [_ball(one) for one in expected], [_ball(one) for one in measured], MatchSettings(), proposed_by=_BY
    )
    holds = {name: link for link in links for name in link.later}
    found = []
    for one in measured:
        link = holds[one.name]
        if one.name in places and one.name not in link.earlier:
            away_mm = math.dist(one.centre_lps_mm, places[one.name].centre_lps_mm)
            found.append(Misfit(one.name, "".join(link.earlier[:1]), link, away_mm))
    return tuple(found)


def as_read(misfit: Misfit) -> Link:
    """The link that the reader gave by choosing the lesion before measuring it."""
    return Link(LinkKind.PERSIST, (misfit.lesion,), (misfit.lesion,), 1.0)


def _ball(one: Extent) -> Region:
    radius_mm = max(one.radius_mm, 0.5)
    ticks = np.linspace(-radius_mm, radius_mm, _STEPS)
    offsets = np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)
    inside = offsets[np.linalg.norm(offsets, axis=1) <= radius_mm * (1 + 1e-9)]
    reach_mm = float(ticks[1] - ticks[0]) * math.sqrt(3) / 2
    return Region(one.name, inside + np.asarray(one.centre_lps_mm), 4 / 3 * math.pi * radius_mm**3 / 1000, reach_mm)
