"""Which region of an earlier visit is which of a later one: born, gone, split, merged, or the same.

References
----------
Kuhn HW, The Hungarian method for the assignment problem, Naval Res Logist Q 1955.
Jaqaman K et al., Robust single-particle tracking in live-cell time-lapse sequences, Nat Methods 2008 (birth and death
as alternatives with a cost; merging and splitting in a second pass over what is left).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from trialimg.core.links import Link, LinkKind
from trialimg.volume import Geometry, Mask

__all__ = ["VERSION", "MatchSettings", "Region", "match_regions", "regions_of", "related"]

VERSION = "1"
"""Changes whenever the same regions may be linked in another way."""

FloatArray = npt.NDArray[np.float64]

_FORBIDDEN = 1e6


@dataclass(frozen=True)
class MatchSettings:
    """What the alternatives cost."""

    registration_error_mm: float = 5.0
    """How far apart two centres may lie because the alignment is not perfect."""
    birth: float = 1.6
    """A pair that costs more than a birth and a death together is no pair."""
    death: float = 1.6
    part_inside: float = 0.5
    """Share of a part that lies within the registration error of the whole, for a split or a merge."""


@dataclass(frozen=True, eq=False)
class Region:
    """A lesion's voxels, in the frame of the later visit."""

    name: str
    points_lps_mm: FloatArray
    """Centres of its voxels, shape (n, 3), n >= 1."""
    volume_ml: float
    reach_mm: float
    """Half the diagonal of a voxel."""

    @classmethod
    def of(cls, name: str, mask: Mask) -> Region:
        """The whole region of a mask that holds one."""
        return _region(name, np.argwhere(mask.array > 0), mask.geometry)

    @cached_property
    def centre_lps_mm(self) -> FloatArray:
        centre: FloatArray = self.points_lps_mm.mean(axis=0)
        return centre

    @property
    def radius_mm(self) -> float:
        """Of the ball with the same volume."""
        return float(np.cbrt(3 * 1000 * self.volume_ml / (4 * np.pi)))

    def inside(self, other: Region, within_mm: float = 0.0) -> float:
        """Share of this region that lies in another one, or within some mm of it."""
        reach = max(within_mm, other.reach_mm)
        away, _ = other._tree.query(self.points_lps_mm, distance_upper_bound=reach * (1 + 1e-9))
        return float(np.mean(np.isfinite(away)))

    @cached_property
    def extent_mm(self) -> float:
        """No voxel of it is farther from its centre."""
        return float(np.linalg.norm(self.points_lps_mm - self.centre_lps_mm, axis=1).max()) + self.reach_mm

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points_lps_mm)


def regions_of(mask: Mask, names: dict[int, str]) -> tuple[Region, ...]:
    """The labels of a mask as regions, in order of label; labels without a name or voxel are left out."""
    return tuple(
        _region(names[label], np.argwhere(mask.array == label), mask.geometry)
        for label in mask.labels
        if label in names
    )


def _region(name: str, voxels_kji: npt.NDArray[np.intp], grid: Geometry) -> Region:
    points = grid.to_lps(voxels_kji[:, ::-1])
    reach_mm = float(np.linalg.norm(grid.spacing_mm)) / 2
    return Region(name, points, len(points) * grid.voxel_volume_mm3 / 1000, reach_mm)


def match_regions(
    earlier: Sequence[Region], later: Sequence[Region], settings: MatchSettings, *, proposed_by: str
) -> tuple[Link, ...]:
    """One link for every region of both visits.

    Parameters
    ----------
    earlier
        Lesions of the earlier visit, brought into the later visit's frame.
    later
        Regions of the later visit.

    Notes
    -----
    A pair costs ``distance of centres / (radius + registration error) + 1 - overlap + |log of the volumes' ratio|``;
    overlap is the share of the smaller region in the larger one. The cheapest assignment in which every region has a
    partner, or a birth or death, is taken. Of those left alone, a region that lies for the most part where a lesion was
    is what remains of it; others that lie for the most part in a region which has a partner become parts of a split or
    a merge. ``score = 1 - cost / (birth + death)``; of a birth or
    death it is half the best possible partner's cost over the same, at most 1.
    """
    pairs = _assigned(earlier, later, settings)
    pairs |= _in_place(earlier, later, pairs, settings)
    lone_earlier = [region for i, region in enumerate(earlier) if i not in pairs]
    lone_later = [region for j, region in enumerate(later) if j not in pairs.values()]
    pieces = _held(lone_later, {i: earlier[i] for i in pairs}, settings)
    sources = _held(lone_earlier, {i: later[j] for i, j in pairs.items() if i not in pieces}, settings)
    families = [([earlier[i], *sources.get(i, ())], [later[j], *pieces.get(i, ())]) for i, j in pairs.items()]
    told = {id(region) for family in families for side in family for region in side}
    links = [related(before, after, settings, proposed_by) for before, after in families]
    links += [_alone(LinkKind.DEATH, r, later, settings, proposed_by) for r in lone_earlier if id(r) not in told]
    links += [_alone(LinkKind.BIRTH, r, earlier, settings, proposed_by) for r in lone_later if id(r) not in told]
    return tuple(links)


def related(before: Sequence[Region], after: Sequence[Region], settings: MatchSettings, proposed_by: str) -> Link:
    """The link between regions that are known to be one another: a split, a merge, the same, or gone."""
    if not after:
        return Link(LinkKind.DEATH, _names(before), (), 1.0, {}, proposed_by)
    kind = LinkKind.MERGE if len(before) > 1 else LinkKind.SPLIT if len(after) > 1 else LinkKind.PERSIST
    reasons = _reasons(_union(before), _union(after), settings)
    score = max(0.0, 1 - reasons["cost"] / (settings.birth + settings.death))
    return Link(kind, _names(before), _names(after), score, reasons, proposed_by)


def _assigned(earlier: Sequence[Region], later: Sequence[Region], settings: MatchSettings) -> dict[int, int]:
    """The cheapest partners; a region whose birth or death is cheaper has none."""
    n, m = len(earlier), len(later)
    costs = np.full((n + m, n + m), _FORBIDDEN)
    for i, j in product(range(n), range(m)):
        costs[i, j] = _reasons(earlier[i], later[j], settings)["cost"]
    costs[np.arange(n), m + np.arange(n)] = settings.death
    costs[n + np.arange(m), np.arange(m)] = settings.birth
    costs[n:, m:] = 0.0
    rows, columns = linear_sum_assignment(costs)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if i < n and j < m}


def _in_place(
    earlier: Sequence[Region], later: Sequence[Region], pairs: dict[int, int], settings: MatchSettings
) -> dict[int, int]:
    """Partners among those left alone, where the later region lies for the most part in the earlier one.

    What remains of a lesion after treatment may be so small that a death and a birth would be cheaper.
    """
    shares = [
        (later[j].inside(earlier[i]), i, j)
        for i, j in product(range(len(earlier)), range(len(later)))
        if i not in pairs and j not in pairs.values()
    ]
    found: dict[int, int] = {}
    for share, i, j in sorted(shares, key=lambda one: (-one[0], -later[one[2]].volume_ml)):
        if share >= settings.part_inside and i not in found and j not in found.values():
            found[i] = j
    return found


def _reasons(earlier: Region, later: Region, settings: MatchSettings) -> dict[str, float]:
    """The cost of a pair and what it consists of."""
    distance_mm = float(np.linalg.norm(earlier.centre_lps_mm - later.centre_lps_mm))
    reach_mm = max(earlier.radius_mm, later.radius_mm) + settings.registration_error_mm
    small, large = sorted((earlier, later), key=lambda region: region.volume_ml)
    overlap = small.inside(large) if distance_mm <= small.extent_mm + large.extent_mm else 0.0
    log_ratio = float(np.log(later.volume_ml / earlier.volume_ml))
    cost = distance_mm / reach_mm + 1 - overlap + abs(log_ratio)
    return {"cost": cost, "distance_mm": distance_mm, "overlap": overlap, "log_volume_ratio": log_ratio}


def _held(alone: Sequence[Region], holders: dict[int, Region], settings: MatchSettings) -> dict[int, list[Region]]:
    """Which of the regions left alone lie in which region that has a partner."""
    found: dict[int, list[Region]] = {}
    for region in alone:
        shares = {i: region.inside(holder, settings.registration_error_mm) for i, holder in holders.items()}
        best = max(shares, key=lambda i: shares[i], default=None)
        if best is not None and shares[best] >= settings.part_inside:
            found.setdefault(best, []).append(region)
    return found


def _union(regions: Sequence[Region]) -> Region:
    points = np.concatenate([region.points_lps_mm for region in regions])
    return Region("+".join(_names(regions)), points, sum(r.volume_ml for r in regions), regions[0].reach_mm)


def _alone(kind: LinkKind, region: Region, others: Sequence[Region], settings: MatchSettings, proposed_by: str) -> Link:
    """A birth or death; the nearer the best partner came to being one, the lower its score."""
    costs = [_reasons(region, other, settings)["cost"] for other in others]
    reasons = {"next_best": min(costs)} if costs else {}
    score = min(1.0, reasons.get("next_best", np.inf) / (settings.birth + settings.death) / 2)
    own = (region.name,)
    before, after = (own, ()) if kind is LinkKind.DEATH else ((), own)
    return Link(kind, before, after, score, reasons, proposed_by)


def _names(regions: Sequence[Region]) -> tuple[str, ...]:
    return tuple(region.name for region in regions)
