"""A person drawn at random, and places in that person where lesions can grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom import Person
from trialimg.imaging.phantom_anatomy import Anatomy, Pad, Tissue
from trialimg.imaging.phantom_lesion import Bump, LesionShape
from trialimg.imaging.phantom_pose import Pose, Wobble
from trialimg.imaging.phantom_shapes import FloatArray, Points, joined
from trialimg.imaging.phantom_vessels import grow, liver_trees, lung_trees

__all__ = ["COVERED_Z_MM", "Bed", "Want", "draw_person", "draw_pose", "draw_shape"]

COVERED_Z_MM = (-64.0, 127.0)
"""Heights of the anatomy that every scan shows, whatever the pose."""
_APART_MM = 8.0


class Bed(Enum):
    """What a lesion grows in."""

    LUNG = "lung"
    PLEURA = "pleura"
    """Lung, broad against the chest wall."""
    LIVER = "liver"
    NODE = "lymph node"
    """Fat of the mediastinum."""


_CANDIDATES = 6000
_CHEST = ((-125.0, 125.0), (-85.0, 85.0), COVERED_Z_MM)
_NEIGHBOURHOOD = {
    Bed.LUNG: _CHEST,
    Bed.PLEURA: _CHEST,
    Bed.LIVER: ((-125.0, 60.0), (-85.0, 85.0), (COVERED_Z_MM[0], 0.0)),
    Bed.NODE: ((-60.0, 60.0), (-75.0, 50.0), (64.0, COVERED_Z_MM[1])),
}


@dataclass(frozen=True)
class Want:
    """A lesion looking for its place: no part of it will ever be farther from its centre than its reach."""

    bed: Bed
    reach_mm: float


def draw_person(wants: Sequence[Want], rng: np.random.Generator) -> tuple[Person, tuple[PointLps, ...]]:
    """A person with room for these lesions, and the centre of each in the body's frame.

    Nodes get a cushion of fat around them, and no vessel of lung or liver runs through a lesion's place.
    """
    anatomy = _draw_anatomy(rng)
    places: dict[int, Pad] = {}
    nodes_first = sorted(range(len(wants)), key=lambda i: (wants[i].bed is not Bed.NODE, -wants[i].reach_mm))
    for index in nodes_first:
        want = wants[index]
        centre = _place(anatomy, want, tuple(places.values()), rng)
        places[index] = Pad(centre, want.reach_mm)
        if want.bed is Bed.NODE:
            anatomy = replace(anatomy, pads=(*anatomy.pads, Pad(centre, want.reach_mm + 4.0)))
    clear = tuple(places.values())
    lung = grow(anatomy, lung_trees(anatomy, rng), clear, rng)
    liver = grow(anatomy, liver_trees(rng), clear, rng)
    return Person(anatomy, lung, liver), tuple(places[i].centre_mm for i in range(len(wants)))


def draw_pose(rng: np.random.Generator) -> Pose:
    """How a person lies and breathes on one day."""
    tilt = rng.uniform(-0.025, 0.025, 3)
    shift = (float(rng.uniform(-9, 9)), float(rng.uniform(-8, 8)), float(rng.uniform(-25, 25)))
    wobbles = tuple(
        Wobble(
            _triple(2 * np.pi / rng.uniform(170, 320, 3)),
            _triple(rng.uniform(0, 2 * np.pi, 3)),
            _triple(rng.uniform(-1.6, 1.6, 3)),
        )
        for _ in range(3)
    )
    return Pose(shift, _rotation(tilt), float(rng.uniform(-6, 6)), wobbles)


def draw_shape(bed: Bed, rng: np.random.Generator) -> LesionShape:
    """A lesion's form: nodes are bean-like and smooth, lung masses lobed."""
    flat = {Bed.NODE: (0.62, 0.75), Bed.LIVER: (0.82, 0.96)}.get(bed, (0.74, 0.92))
    semi = (1.0, float(rng.uniform(*flat)), float(rng.uniform(0.78, 0.95)))
    tilt = np.array([rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), rng.uniform(0, np.pi)])
    rough = {Bed.NODE: 0.5, Bed.LIVER: 0.7}.get(bed, 1.0)
    bumps = tuple(
        Bump(_triple(_direction(rng)), float(rough * rng.uniform(0.5, 1.0) * size), degree)
        for degree, size in ((2, 0.035), (3, 0.06), (3, 0.05), (5, 0.035))
    )
    return LesionShape(semi, _rotation(tilt), bumps)


def _draw_anatomy(rng: np.random.Generator) -> Anatomy:
    usual = Tissue()
    tissue = replace(
        usual,
        lung=float(rng.uniform(-885, -850)),
        blood=float(rng.uniform(145, 175)),
        liver=float(rng.uniform(100, 116)),
        spleen=float(rng.uniform(115, 132)),
        muscle=float(rng.uniform(50, 62)),
        marrow=float(rng.uniform(150, 230)),
    )
    return Anatomy(
        width=float(rng.uniform(0.95, 1.05)),
        depth=float(rng.uniform(0.95, 1.07)),
        fat_mm=float(rng.uniform(7, 20)),
        heart=float(rng.uniform(0.92, 1.04)),
        liver=float(rng.uniform(0.96, 1.06)),
        spleen=float(rng.uniform(0.85, 1.1)),
        left_dome_mm=float(rng.uniform(-20, -8)),
        spine_bend=float(rng.uniform(-7, 7)),
        tissue=tissue,
        texture_phase=tuple(float(v) for v in rng.uniform(0, 1, 4)),
    )


def _place(anatomy: Anatomy, want: Want, taken: Sequence[Pad], rng: np.random.Generator) -> PointLps:
    """A random place that suits; the roomiest one where none suits fully."""
    (x0, x1), (y0, y1), (z0, z1) = _NEIGHBOURHOOD[want.bed]
    x = rng.uniform(x0, x1, _CANDIDATES)
    y = rng.uniform(y0, y1, _CANDIDATES)
    z = rng.uniform(max(z0, COVERED_Z_MM[0] + want.reach_mm), min(z1, COVERED_Z_MM[1] - want.reach_mm), _CANDIDATES)
    room = _room(anatomy, want, (x, y, z))
    for pad in taken:
        gap = np.sqrt(sum((p - c) ** 2 for p, c in zip((x, y, z), pad.centre_mm, strict=True)))
        room = np.minimum(room, gap - pad.radius_mm - want.reach_mm - _APART_MM)
    suits = np.flatnonzero(room >= 0)
    best = int(suits[0]) if suits.size else int(np.argmax(room))
    return float(x[best]), float(y[best]), float(z[best])


def _room(anatomy: Anatomy, want: Want, points: Points) -> FloatArray:
    """Free room around points for the lesion, mm; negative where it does not suit."""
    reach = want.reach_mm
    if want.bed is Bed.LIVER:
        return anatomy.organ_depth_mm("liver", points) - reach - 3.0
    wall = -anatomy.cavity(points)
    if want.bed is Bed.NODE:
        inside = -anatomy.mediastinum(points) - 0.3 * reach
        return joined(anatomy.vessel_gap_mm(points) - 0.92 * reach, wall - reach - 6.0, inside)
    right, left = (_gap(points, hilum) for hilum in anatomy.hila())
    hila = joined(right, left)
    elsewhere = joined(anatomy.above_diaphragm(points), anatomy.mediastinum(points))
    room = joined(elsewhere - reach - 4.0, hila - reach - 16.0, anatomy.vessel_gap_mm(points) - reach)
    if want.bed is Bed.PLEURA:
        return joined(room, 2.5 - np.abs(wall - 0.88 * reach))
    return joined(room, wall - reach - 4.0)


def _gap(points: Points, place: PointLps) -> FloatArray:
    x, y, z = (p - c for p, c in zip(points, place, strict=True))
    distance: FloatArray = np.sqrt(x * x + y * y + z * z)
    return distance


def _rotation(angles: FloatArray) -> tuple[float, ...]:
    """Turns about x, then y, then z, as a 3 x 3 matrix row by row."""
    (ca, cb, cc), (sa, sb, sc) = np.cos(angles), np.sin(angles)
    rows = (
        (cb * cc, sa * sb * cc - ca * sc, ca * sb * cc + sa * sc),
        (cb * sc, sa * sb * sc + ca * cc, ca * sb * sc - sa * cc),
        (-sb, sa * cb, ca * cb),
    )
    return tuple(float(v) for row in rows for v in row)


def _direction(rng: np.random.Generator) -> FloatArray:
    vector = rng.standard_normal(3)
    unit: FloatArray = vector / np.sqrt(np.sum(vector * vector))
    return unit


def _triple(values: FloatArray) -> PointLps:
    return float(values[0]), float(values[1]), float(values[2])
