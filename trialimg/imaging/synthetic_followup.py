"""A follow-up that never was: a real scan bent and stretched as a body is, with lesions whose fate is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from trialimg.core.errors import GeometryError
from trialimg.core.links import LinkKind
from trialimg.imaging.synthetic_lesion import blended, coverage_of, drawn_solid, turned_about
from trialimg.volume import Mask, Volume

__all__ = ["Event", "FollowUp", "FollowUpSettings", "Motion", "simulated_follow_up"]

FloatArray = npt.NDArray[np.float64]

Event = tuple[LinkKind, frozenset[int], frozenset[int]]
"""What happened, to which labels of baseline, and which labels of the follow-up it led to."""

_BODY_ABOVE_HU = -300.0
_RIM_MM = 9.0
_GAP_MM = 6.0
_TRIES = 4000
_PARTS_APART = 0.3
"""Centres of the parts of a split lesion from its own, in units of its diameter."""
_INVERSE_ROUNDS = 50


@dataclass(frozen=True)
class FollowUpSettings:
    """What happens between two visits; shares are of baseline's lesions."""

    lesions: int = 12
    new: float = 0.20
    gone: float = 0.15
    split: float = 0.05
    merged: float = 0.05
    diameters_mm: tuple[float, float] = (8.0, 34.0)
    growth: tuple[float, float] = (0.6, 1.5)
    """Factor of the diameter of a lesion that persists."""
    tilt_rad: float = 0.1
    shift_mm: float = 15.0
    stretch: float = 0.03
    bend_mm: float = 7.0
    """Standard deviation of the spline's coefficients, with knots 65 mm apart."""
    noise_hu: float = 12.0


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Two visits of one body, and the truth about them."""

    baseline: Volume
    baseline_mask: Mask
    follow: Volume
    follow_mask: Mask
    links: frozenset[tuple[int, int]]
    """Label of baseline, label of the follow-up, of every lesion or part that is the same."""
    events: frozenset[Event]
    """Every birth, death, split and merge."""


@dataclass(frozen=True)
class Motion:
    """From points of the follow-up to those of baseline: a bend, then a turn with shift and stretch."""

    body: Any
    bend: Any

    def to_sitk(self) -> Any:
        """The same as `SimpleITK.CompositeTransform`."""
        return sitk.CompositeTransform([self.body, self.bend])

    def inverse_apply(self, point_lps_mm: npt.ArrayLike) -> FloatArray:
        """The point of the follow-up that a point of baseline moved to, to 0.01 mm.

        Raises
        ------
        GeometryError
            If the bend folds there.
        """
        target = np.array(self.body.GetInverse().TransformPoint(np.asarray(point_lps_mm, dtype=float).tolist()))
        guess = target
        for _ in range(_INVERSE_ROUNDS):
            miss = target - np.array(self.bend.TransformPoint(guess.tolist()))
            if np.linalg.norm(miss) < 0.01:
                return guess
            guess = guess + miss
        raise GeometryError("this motion folds the body; bend it less")

    @classmethod
    def drawn(cls, random: np.random.Generator, image: Any, settings: FollowUpSettings) -> Motion:
        """A motion about the middle of an image."""
        centre = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
        turn = sitk.Euler3DTransform(centre, *random.uniform(-settings.tilt_rad, settings.tilt_rad, 3).tolist())
        stretch = np.eye(3) + random.uniform(-settings.stretch, settings.stretch, (3, 3))
        body = sitk.AffineTransform(3)
        body.SetCenter(centre)
        body.SetMatrix((np.reshape(turn.GetMatrix(), (3, 3)) @ stretch).ravel().tolist())
        body.SetTranslation(random.uniform(-settings.shift_mm, settings.shift_mm, 3).tolist())
        mesh = [max(2, round(n * s / 65.0)) for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
        bend = sitk.BSplineTransformInitializer(image, mesh, 3)
        bend.SetParameters(random.normal(0, settings.bend_mm, len(bend.GetParameters())).tolist())
        return cls(body, bend)


@dataclass(frozen=True)
class _Ball:
    """Where a lesion lies at one visit, and how large it is."""

    centre_lps_mm: FloatArray
    diameter_mm: float


@dataclass(eq=False)
class _Story:
    baseline: list[_Ball] = field(default_factory=list)
    follow: list[_Ball] = field(default_factory=list)
    links: set[tuple[int, int]] = field(default_factory=set)
    events: set[Event] = field(default_factory=set)

    def add(self, kind: LinkKind, before: list[_Ball], after: list[_Ball]) -> None:
        """One lesion's fate; labels count from 1."""
        first = range(len(self.baseline) + 1, len(self.baseline) + len(before) + 1)
        then = range(len(self.follow) + 1, len(self.follow) + len(after) + 1)
        self.baseline += before
        self.follow += after
        self.links |= {(i, j) for i in first for j in then}
        if kind is not LinkKind.PERSIST:
            self.events.add((kind, frozenset(first), frozenset(then)))


def simulated_follow_up(background: Volume, settings: FollowUpSettings, *, seed: int) -> FollowUp:
    """A CT with lesions put into it, and the same body at a later visit.

    Parameters
    ----------
    background
        CT in HU.

    Raises
    ------
    GeometryError
        If the body in it has no room for so many lesions.
    """
    random = np.random.default_rng(seed)
    image = sitk.Cast(background.to_sitk(), sitk.sitkFloat32)
    motion = Motion.drawn(random, image, settings)
    moved = sitk.Resample(image, image, motion.to_sitk(), sitk.sitkLinear, -1000.0)
    later = sitk.GetArrayFromImage(moved)
    later += random.normal(0, settings.noise_hu, later.shape).astype(np.float32)
    places = _places(random, background, motion, later, settings)
    story = _told(random, places, motion, settings)
    order = random.permutation(len(story.follow)) + 1  # labels of the follow-up tell nothing
    shapes = int(random.integers(1 << 31))
    earlier = sitk.GetArrayFromImage(image)
    masks = [
        _painted(np.random.default_rng([shapes, number]), array, background, balls, labels)
        for number, (array, balls, labels) in enumerate(
            ((earlier, story.baseline, range(1, len(story.baseline) + 1)), (later, story.follow, order.tolist()))
        )
    ]
    new = {number: int(label) for number, label in enumerate(order.tolist(), start=1)}
    return FollowUp(
        Volume(earlier, background.geometry, background.modality, background.unit),
        masks[0],
        Volume(later, background.geometry, background.modality, background.unit),
        masks[1],
        frozenset((i, new[j]) for i, j in story.links),
        frozenset((kind, before, frozenset(new[j] for j in after)) for kind, before, after in story.events),
    )


def _told(random: np.random.Generator, places: Iterator[_Ball], motion: Motion, settings: FollowUpSettings) -> _Story:
    """The fate of every lesion, each share of them to the nearest whole lesion, chance deciding between the two."""
    story = _Story()

    def count(share: float) -> int:
        return int(np.floor(share * settings.lesions + random.random()))

    splits, merges, deaths, births = (count(s) for s in (settings.split, settings.merged, settings.gone, settings.new))
    for _ in range(splits):
        whole = _large(places)
        story.add(LinkKind.SPLIT, [whole], [_carried(part, motion, 1.0) for part in _parted(random, whole)])
    for _ in range(merges):
        whole = _large(places)
        story.add(LinkKind.MERGE, _parted(random, whole), [_carried(whole, motion, 1.0)])
    for _ in range(deaths):
        story.add(LinkKind.DEATH, [next(places)], [])
    for _ in range(births):
        story.add(LinkKind.BIRTH, [], [_carried(next(places), motion, 1.0)])
    while len(story.baseline) < settings.lesions:
        ball = next(places)
        story.add(LinkKind.PERSIST, [ball], [_carried(ball, motion, random.uniform(*settings.growth))])
    return story


def _large(places: Iterator[_Ball]) -> _Ball:
    """The next place, for a lesion that is large enough to have parts."""
    ball = next(places)
    return _Ball(ball.centre_lps_mm, max(ball.diameter_mm, 22.0))


def _parted(random: np.random.Generator, whole: _Ball) -> list[_Ball]:
    direction = random.normal(size=3)
    step = direction / np.linalg.norm(direction) * whole.diameter_mm * _PARTS_APART
    return [
        _Ball(whole.centre_lps_mm + side * step, whole.diameter_mm * random.uniform(0.42, 0.55)) for side in (-1, 1)
    ]


def _carried(ball: _Ball, motion: Motion, growth: float) -> _Ball:
    return _Ball(motion.inverse_apply(ball.centre_lps_mm), ball.diameter_mm * growth)


def _places(
    random: np.random.Generator,
    background: Volume,
    motion: Motion,
    later: npt.NDArray[np.float32],
    settings: FollowUpSettings,
) -> Iterator[_Ball]:
    """Balls within the body at both visits, apart from one another."""
    grid = background.geometry
    inside = _body(np.asarray(background.array), grid.spacing_mm)
    inside_later = _body(later, grid.spacing_mm)
    candidates = np.argwhere(inside)
    taken: list[_Ball] = []
    for _ in range(_TRIES):
        centre = grid.to_lps(candidates[random.integers(len(candidates))][::-1].astype(float))
        diameter_mm = float(random.uniform(*settings.diameters_mm))
        try:
            moved = motion.inverse_apply(centre)
        except GeometryError:  # a fold at the edge of the scan
            continue
        k, j, i = np.rint(grid.to_index(moved))[::-1].astype(int).tolist()
        if not all(0 <= n < size for n, size in zip((k, j, i), grid.shape, strict=True)) or not inside_later[k, j, i]:
            continue
        room = [float(np.linalg.norm(centre - one.centre_lps_mm)) - one.diameter_mm / 2 for one in taken]
        if all(gap > diameter_mm / 2 + _GAP_MM for gap in room):
            taken.append(_Ball(centre, diameter_mm))
            yield taken[-1]
    raise GeometryError("the body has no room for so many lesions; ask for fewer or smaller ones")


def _body(hu: npt.NDArray[Any], spacing_mm: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
    """Body with its lungs, without its rim."""
    tissue = ndimage.binary_opening(hu > _BODY_ABOVE_HU)
    parts, _ = ndimage.label(tissue)
    body = parts == np.argmax(np.bincount(parts[tissue]))
    filled = np.stack([ndimage.binary_fill_holes(one) for one in body])
    x, y, z = spacing_mm
    deep: npt.NDArray[np.bool_] = ndimage.distance_transform_edt(np.pad(filled, 1), sampling=(z, y, x)) > _RIM_MM
    return deep[1:-1, 1:-1, 1:-1]


def _painted(
    random: np.random.Generator, hu: npt.NDArray[np.float32], background: Volume, balls: list[_Ball], labels: Any
) -> Mask:
    """Put the lesions into an image, which is changed in place; their regions."""
    grid = background.geometry
    regions = np.zeros(grid.shape, np.uint16)
    voxel = grid.spacing_mm[2], grid.spacing_mm[1], grid.spacing_mm[0]
    for ball, label in zip(balls, labels, strict=True):
        centre = grid.to_index(ball.centre_lps_mm)[::-1]
        reach = np.ceil(ball.diameter_mm / np.asarray(voxel)) + 2
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach) + 1, grid.shape).astype(int)
        part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        shape = hu[part].shape
        semi = ball.diameter_mm / 2 * random.uniform(0.8, 1.2, 3)
        solid = drawn_solid(random, shape, centre - low, semi, rotation=turned_about(random, 0.3), voxel=voxel)
        share = coverage_of(solid, ball.diameter_mm / 2 / float(np.mean(voxel)), (0.5, 0.5, 0.5))
        around = float(np.median(hu[part]))
        value = random.normal(35, 12) if around < -500 else around + random.choice([-1, 1]) * random.uniform(35, 80)
        hu[part] = blended(hu[part], share, value)
        regions[part][solid.region] = label
    return Mask(regions, grid)
