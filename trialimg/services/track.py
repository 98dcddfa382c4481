"""Lesions followed over the studies of one subject: each keeps its name, and every link says what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from trialimg.core.errors import GeometryError
from trialimg.core.links import Link, LinkKind
from trialimg.core.prompts import PointLps
from trialimg.imaging import match_regions, register
from trialimg.imaging.match_regions import MatchSettings, Region, related
from trialimg.imaging.measure import LesionMeasurement, measure
from trialimg.imaging.new_lesions import Candidate, new_lesion_candidates
from trialimg.imaging.register import Alignment
from trialimg.imaging.register_warp import LocalWarp, register_deformably
from trialimg.services.ports import Segmenter
from trialimg.services.propagation import (
    around,
    carried_around,
    centre_of,
    find_again,
    offset_in,
    radius_of,
)
from trialimg.volume import Geometry, Mask, Volume

__all__ = ["Followed", "Sighting", "Study", "TrackRules", "Tracked", "track"]

_TOUCHING = np.ones((3, 3, 3))


@dataclass(frozen=True, eq=False)
class Study:
    """One image of a subject, and its lesions where somebody outlined them."""

    name: str
    image: Volume
    mask: Mask | None = None


@dataclass(frozen=True)
class TrackRules:
    """How lesions are looked for and linked."""

    affine: bool = True
    deformable: bool = True
    """Whether the surroundings of each lesion are warped, or only shifted."""
    margin_mm: float = 30.0
    """How far around its expected place a lesion is looked for."""
    matching: MatchSettings = field(default_factory=MatchSettings)


@dataclass(frozen=True, eq=False)
class Sighting:
    """A lesion in one study."""

    study: str
    mask: Mask
    """Label 1, on the part of the study's grid around it."""
    measurement: LesionMeasurement
    centre_lps_mm: PointLps
    expected_lps_mm: PointLps | None = None
    """Where the alignment put it; None where it was first seen."""

    @property
    def displacement_mm(self) -> float | None:
        """How far it was found from where it was expected."""
        if self.expected_lps_mm is None:
            return None
        return float(np.linalg.norm(np.subtract(self.centre_lps_mm, self.expected_lps_mm)))


@dataclass(frozen=True, eq=False)
class Followed:
    """One lesion for life."""

    id: str
    label: int
    """Its label in every mask that is written."""
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    """By study; none where it was not seen."""
    split_from: str = ""
    merged_into: str = ""

    @property
    def last(self) -> Sighting:
        return list(self.sightings.values())[-1]


@dataclass(frozen=True, eq=False)
class Tracked:
    """What became of a subject's lesions."""

    lesions: tuple[Followed, ...]
    links: Mapping[str, tuple[Link, ...]]
    """By later study; ``earlier`` names lesions, ``later`` the lesions that its regions became."""
    alignments: Mapping[str, Alignment]
    """Of each later study to an earlier one."""
    candidates: Mapping[str, tuple[Candidate, ...]]
    """Places to look at for new lesions, by study that nobody outlined; none of them is a lesion yet."""
    warnings: tuple[str, ...]

    def mask(self, study: str, grid: Geometry) -> Mask:
        """The lesions of a study, one label a lesion, on its whole grid."""
        array = np.zeros(grid.shape, np.uint16)
        for lesion in self.lesions:
            if (seen := lesion.sightings.get(study)) is not None:
                i, j, k = offset_in(seen.mask.geometry, grid)
                slices, rows, columns = seen.mask.array.shape
                array[k : k + slices, j : j + rows, i : i + columns][seen.mask.array > 0] = lesion.label
        present = tuple((lesion.label, lesion.id) for lesion in self.lesions if study in lesion.sightings)
        return Mask(array, grid, present)


def track(studies: Sequence[Study], segmenter: Segmenter, rules: TrackRules) -> Tracked:
    """Follow every lesion of the first study, and every one that is outlined later, through all studies.

    Parameters
    ----------
    studies
        In order of time, two at least; the first with a mask. Where a later study has a mask, its regions are linked
        with the lesions known so far; where it has none, each lesion is carried over and found again.

    Raises
    ------
    GeometryError
        If the first study has no lesion, or a mask does not lie on its image's grid.
    ModelError
        If the segmenter cannot run.
    """
    for study in studies:
        if study.mask is not None:
            study.mask.geometry.require_same(study.image.geometry, f"the mask of {study.name}", "its image")
    return _Tracker(segmenter, rules, {study.name: study for study in studies}).run()


@dataclass(eq=False)
class _Tracker:
    segmenter: Segmenter
    rules: TrackRules
    studies: Mapping[str, Study]
    lesions: list[Followed] = field(default_factory=list)
    links: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    bodies: dict[tuple[str, str], Alignment] = field(default_factory=dict)
    candidates: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def run(self) -> Tracked:
        first, *later = self.studies.values()
        for region in self._outlined(first).values():
            self._begin(first, region)
        if not self.lesions:
            raise GeometryError(f"{first.name}: the mask holds no lesion to follow")
        for study in later:
            self._advance(study)
        alignments = {study.name: self._most_used(study) for study in later}
        return Tracked(tuple(self.lesions), self.links, alignments, self.candidates, tuple(self.warnings))

    def _advance(self, study: Study) -> None:
        """Take one more study in."""
        warps = {lesion.id: self._warp(lesion, study) for lesion in self.lesions if not lesion.merged_into}
        expected = {
            lesion.id: warps[lesion.id].inverse_apply(centre_of(lesion.last.mask))
            for lesion in self.lesions
            if lesion.id in warps
        }
        seen = {name: at for name, at in expected.items() if study.image.geometry.contains(at)}
        for name in expected.keys() - seen.keys():
            self.warnings.append(f"{name}: its place is not shown in {study.name}; nothing is said of it there")
        known = [lesion for lesion in self.lesions if lesion.id in seen]
        if study.mask is not None:
            masks, links = self._matched(known, warps, study)
        else:
            masks, links = self._found_again(known, warps, study)
            expected_regions = [carried_around(one.last.mask, warps[one.id], study.image.geometry) for one in known]
            self.candidates[study.name] = self._offered(study, [*masks.values(), *expected_regions])
        self._settle(study, masks, links, seen)

    def _offered(self, study: Study, known: Sequence[Mask]) -> tuple[Candidate, ...]:
        """What the study before does not explain, away from known lesions and from where they were."""
        earlier = list(self.studies.values())[list(self.studies).index(study.name) - 1]
        return new_lesion_candidates(study.image, earlier.image, self._body(study, earlier), known)

    def _matched(
        self, known: Sequence[Followed], warps: Mapping[str, Alignment | LocalWarp], study: Study
    ) -> tuple[dict[str, Mask], tuple[Link, ...]]:
        """The outlined regions of a study, linked with the lesions known so far."""
        masks = self._outlined(study)
        earlier = [_carried_region(lesion, warps[lesion.id], study.image.geometry) for lesion in known]
        later = [Region.of(name, mask) for name, mask in masks.items()]
        by = f"trialimg.match@{match_regions.VERSION}"
        return masks, match_regions.match_regions(earlier, later, self.rules.matching, proposed_by=by)

    def _found_again(
        self, known: Sequence[Followed], warps: Mapping[str, Alignment | LocalWarp], study: Study
    ) -> tuple[dict[str, Mask], tuple[Link, ...]]:
        """Each lesion looked for where it should be; regions of two lesions that share voxels are one mass."""
        masks: dict[str, Mask] = {}
        links: list[Link] = []
        by = f"{self.segmenter.name}@{self.segmenter.version}"
        found = {lesion.id: self._find(lesion, warps[lesion.id], study) for lesion in known}
        for group in _sharing(known, found):
            earlier = [_carried_region(lesion, warps[lesion.id], study.image.geometry) for lesion in group]
            parts = _parts(_united([found[lesion.id] for lesion in group], study.image.geometry))
            if len(group) > 1 and len(parts) > 1:
                parts = [_united(parts, study.image.geometry)]
            names = [f"{study.name} {group[0].id}.{number}" for number in range(1, len(parts) + 1)]
            masks |= dict(zip(names, parts, strict=True))
            later = [Region.of(name, masks[name]) for name in names]
            links.append(related(earlier, later, self.rules.matching, by))
        return masks, tuple(links)

    def _find(self, lesion: Followed, warp: Alignment | LocalWarp, study: Study) -> Mask:
        seen = lesion.last
        pair = (self.studies[seen.study].image, seen.mask)
        return around(find_again(self.segmenter, study.image, pair, warp, margin_mm=self.rules.margin_mm))

    def _settle(
        self, study: Study, masks: Mapping[str, Mask], links: Sequence[Link], expected: Mapping[str, PointLps]
    ) -> None:
        """Give every region its lesion's name, and new lesions a name of their own."""
        told: list[Link] = []
        for link in links:
            names = []
            for number, region in enumerate(link.later):
                if number == 0 and link.earlier:
                    keeper = link.earlier[0]
                    self._see(keeper, study, masks[region], expected[keeper])
                    names.append(keeper)
                else:
                    names.append(self._begin(study, masks[region], split_from="".join(link.earlier)).id)
            for gone in link.earlier[1:]:
                self._change(gone, merged_into=link.earlier[0])
            told.append(self._worded(link, tuple(names), study))
        self.links[study.name] = tuple(told)

    def _worded(self, link: Link, names: tuple[str, ...], study: Study) -> Link:
        """The link between lesions; one that was gone for a visit has come back."""
        kind = link.kind
        if kind is LinkKind.PERSIST:
            earlier = list(self.studies)[: list(self.studies).index(study.name)]
            lesion = self._lesion(link.earlier[0])
            if earlier[-1] not in lesion.sightings:
                kind = LinkKind.RETURN
        return replace(link, kind=kind, later=names)

    def _begin(self, study: Study, region: Mask, *, split_from: str = "") -> Followed:
        label = len(self.lesions) + 1
        sighting = Sighting(study.name, region, _measured(region, study.image.geometry), centre_of(region))
        self.lesions.append(Followed(f"L{label}", label, {study.name: sighting}, split_from))
        return self.lesions[-1]

    def _see(self, name: str, study: Study, region: Mask, expected: PointLps) -> None:
        measured = _measured(region, study.image.geometry)
        sighting = Sighting(study.name, region, measured, centre_of(region), expected)
        self._change(name, sightings={**self._lesion(name).sightings, study.name: sighting})

    def _change(self, name: str, **changes: object) -> None:
        place = next(i for i, lesion in enumerate(self.lesions) if lesion.id == name)
        self.lesions[place] = replace(self.lesions[place], **changes)  # type: ignore[arg-type]

    def _lesion(self, name: str) -> Followed:
        return next(lesion for lesion in self.lesions if lesion.id == name)

    def _warp(self, lesion: Followed, study: Study) -> Alignment | LocalWarp:
        """From the study to the one in which the lesion was last seen."""
        seen = lesion.last
        body = self._body(study, self.studies[seen.study])
        centre = body.inverse_apply(centre_of(seen.mask))
        radius_mm = radius_of(seen.mask) + self.rules.margin_mm
        images = study.image, self.studies[seen.study].image
        if not self.rules.deformable:
            return register.register_locally(*images, body, centre_lps_mm=centre, radius_mm=radius_mm)
        warp = register_deformably(*images, body, centre_lps_mm=centre, shift_radius_mm=radius_mm)
        if warp.reason:
            self.warnings.append(f"{lesion.id} in {study.name}: shifted, not warped: {warp.reason}")
        return warp

    def _body(self, study: Study, earlier: Study) -> Alignment:
        key = study.name, earlier.name
        if key not in self.bodies:
            found = register.register_body(study.image, earlier.image, affine=self.rules.affine)
            self.bodies[key] = found
            if found.reason:
                self.warnings.append(f"{study.name} on {earlier.name}: check the alignment: {found.reason}")
        return self.bodies[key]

    def _most_used(self, study: Study) -> Alignment:
        """The body's alignment with the latest earlier study."""
        return next(found for (later, _), found in reversed(self.bodies.items()) if later == study.name)

    def _outlined(self, study: Study) -> dict[str, Mask]:
        """The lesions of a mask: its labels, or the connected parts of a mask of one label."""
        if study.mask is None or study.mask.is_empty:
            return {}
        labels = study.mask.labels
        if len(labels) > 1:
            named = dict(study.mask.names)
            return {f"{study.name} {named.get(n, n)}": around(study.mask.only(n)) for n in labels}
        parts = _parts(study.mask.only(labels[0]))
        self.warnings.append(f"{study.name}: one label; its {len(parts)} connected part(s) are taken as lesions")
        return {f"{study.name} {number}": part for number, part in enumerate(parts, start=1)}


def _carried_region(lesion: Followed, warp: Alignment | LocalWarp, grid: Geometry) -> Region:
    """The lesion in the frame of a later study, with the volume that it had."""
    region = Region.of(lesion.id, carried_around(lesion.last.mask, warp, grid))
    return replace(region, volume_ml=Region.of(lesion.id, lesion.last.mask).volume_ml)


def _parts(mask: Mask) -> list[Mask]:
    """Connected parts, largest first, each on the grid around it."""
    labels, count = ndimage.label(mask.array > 0, _TOUCHING)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    order = sorted(range(1, count + 1), key=lambda label: (-sizes[label - 1], label))
    return [around(Mask((labels == label).astype(np.uint8), mask.geometry)) for label in order]


def _united(masks: Sequence[Mask], grid: Geometry) -> Mask:
    """Regions of one scan as one region, on the smallest part of its grid that holds them."""
    corners = np.array([offset_in(mask.geometry, grid) for mask in masks])
    ends = corners + np.array([mask.geometry.size for mask in masks])
    low, high = corners.min(axis=0).tolist(), ends.max(axis=0).tolist()
    whole = grid.cropped((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    array = np.zeros(whole.shape, np.uint8)
    for mask in masks:
        i, j, k = offset_in(mask.geometry, whole)
        slices, rows, columns = mask.array.shape
        array[k : k + slices, j : j + rows, i : i + columns] |= (mask.array > 0).astype(np.uint8)
    return Mask(array, whole)


def _sharing(known: Sequence[Followed], found: Mapping[str, Mask]) -> list[list[Followed]]:
    """Lesions in groups whose regions share most of the smaller one; most groups are one lesion."""
    groups: list[list[Followed]] = []
    for lesion in known:
        held = [group for group in groups if any(_is_shared(found[lesion.id], found[one.id]) for one in group)]
        groups = [group for group in groups if group not in held]
        groups.append([one for group in held for one in group] + [lesion])
    return [sorted(group, key=lambda one: -np.count_nonzero(one.last.mask.array)) for group in groups]


def _is_shared(one: Mask, other: Mask) -> bool:
    if one.is_empty or other.is_empty:
        return False
    a, b = (np.round(Region.of("", mask).points_lps_mm, 2) for mask in (one, other))
    shared = len({tuple(p) for p in a.tolist()} & {tuple(p) for p in b.tolist()})
    return 2 * shared > min(len(a), len(b))


def _measured(region: Mask, grid: Geometry) -> LesionMeasurement:
    """Measured within the whole scan, so that slices count from its first."""
    found = measure(region, 1)
    return replace(found, slice_index=found.slice_index + offset_in(region.geometry, grid)[2])
