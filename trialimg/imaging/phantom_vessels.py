"""Branching vessels of lung and liver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.imaging.phantom_anatomy import Anatomy, Pad
from trialimg.imaging.phantom_shapes import Capsule, FloatArray

__all__ = ["Tree", "grow", "liver_trees", "lung_trees"]

_THINNEST_MM = 0.7
_CLEAR_MM = 5.0
"""A vessel this near to a small lesion could be taken for it."""


@dataclass(frozen=True)
class Tree:
    """Where a vessel enters an organ, and which way and how thick it starts."""

    root_mm: tuple[float, float, float]
    direction: tuple[float, float, float]
    radius_mm: float
    step_mm: float
    organ: str


def lung_trees(anatomy: Anatomy, rng: np.random.Generator) -> tuple[Tree, ...]:
    """Lobar vessels from both hila, spread outwards, more of them to the back and down."""
    trees = []
    for side, hilum in zip((-1.0, 1.0), anatomy.hila(), strict=True):
        for lean_y in (-1.7, -0.6, 0.2, 1.0):
            for lean_z in (-2.6, -1.0, 0.1, 1.4):
                away = (side * 0.9, lean_y + float(rng.uniform(-0.2, 0.2)), lean_z + float(rng.uniform(-0.2, 0.2)))
                root = (hilum[0] + side * 2.0, hilum[1], hilum[2] + 8.0 * lean_z)
                radius = float(rng.uniform(2.2, 3.2))
                trees.append(Tree(root, away, radius, float(rng.uniform(18.0, 26.0)), "lung"))
    return tuple(trees)


def liver_trees(rng: np.random.Generator) -> tuple[Tree, ...]:
    """Three hepatic veins from the cava, and the portal branches from the porta."""
    veins = [(-0.9, -0.1, -0.55), (-0.5, -0.8, -0.6), (0.5, -0.75, -0.3)]
    portal = [(-0.9, 0.35, 0.1), (-0.8, -0.4, -0.25), (0.6, -0.7, 0.35)]
    return (
        *(Tree((-27.0, 4.0, -16.0), d, float(rng.uniform(3.6, 4.4)), 24.0, "liver") for d in veins),
        *(Tree((-30.0, 2.0, -66.0), d, float(rng.uniform(4.4, 5.4)), 24.0, "liver") for d in portal),
    )


def grow(
    anatomy: Anatomy, trees: Sequence[Tree], clear: Sequence[Pad], rng: np.random.Generator
) -> tuple[Capsule, ...]:
    """All branches of the trees, each ending where it leaves its organ or meets a place to be kept clear."""
    found: list[Capsule] = []
    for tree in trees:
        tips = np.array([tree.root_mm])
        ways = _unit(np.array([tree.direction]))
        radius, step = tree.radius_mm, tree.step_mm
        while len(tips) and radius > _THINNEST_MM:
            ends = tips + ways * step * rng.uniform(0.75, 1.25, (len(tips), 1))
            thinner = radius * 0.86
            keep = _free(anatomy, tree, (tips, ends), clear, radius)
            found += [
                Capsule(_triple(a), _triple(b), radius, thinner) for a, b in zip(tips[keep], ends[keep], strict=True)
            ]
            tips, ways = _forked(ends[keep], ways[keep], rng)
            radius, step = thinner * 0.88, step * 0.86
    return tuple(found)


def _forked(tips: FloatArray, ways: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Two branches from every tip, leaning apart."""
    aside = _unit(np.cross(ways, rng.standard_normal(ways.shape)))
    lean = rng.uniform(0.35, 0.75, (len(ways), 2))
    pair = [_unit(ways + aside * lean[:, :1]), _unit(ways - aside * lean[:, 1:])]
    return np.concatenate([tips, tips]), np.concatenate(pair)


def _free(
    anatomy: Anatomy, tree: Tree, branches: tuple[FloatArray, FloatArray], clear: Sequence[Pad], radius_mm: float
) -> npt.NDArray[np.bool_]:
    """Which branches (from tips to ends) stay inside of their organ and away from the places to be kept clear."""
    tips, ends = branches
    x, y, z = ends.T
    free: npt.NDArray[np.bool_] = anatomy.organ_depth_mm(tree.organ, (x, y, z)) > 2.0 + radius_mm
    along = ends - tips
    for pad in clear:
        to_pad = np.array(pad.centre_mm) - tips
        share = np.clip(np.sum(to_pad * along, axis=1) / np.sum(along * along, axis=1), 0.0, 1.0)
        gap = np.sqrt(np.sum((to_pad - share[:, None] * along) ** 2, axis=1)) - pad.radius_mm
        free = free & (gap > _CLEAR_MM + radius_mm)
    return free


def _unit(vectors: FloatArray) -> FloatArray:
    unit: FloatArray = vectors / np.maximum(np.sqrt(np.sum(vectors**2, axis=-1, keepdims=True)), 1e-9)
    return unit


def _triple(point: FloatArray) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
