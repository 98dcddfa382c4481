"""The chest and upper abdomen of one made-up person: where its organs lie and how dense they are.

The body's frame has x to the left, y to the back, z to the head, in mm; z = 0 is the top of the right diaphragm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trialimg.imaging.phantom_shapes import (
    Capsule,
    FloatArray,
    Points,
    capsule_mm,
    common,
    ellipsoid_mm,
    joined,
    oval_mm,
)

__all__ = ["Anatomy", "Pad", "Tissue"]

LUNG_TOP_MM = 186.0


@dataclass(frozen=True)
class Tissue:
    """Mean densities of one person at one contrast phase, HU."""

    lung: float = -868.0
    fat: float = -102.0
    muscle: float = 56.0
    blood: float = 158.0
    heart: float = 118.0
    liver: float = 106.0
    spleen: float = 122.0
    kidney: float = 168.0
    marrow: float = 190.0
    cortex: float = 620.0
    cartilage: float = 115.0
    stomach: float = 22.0
    air: float = -985.0
    outside: float = -1000.0


@dataclass(frozen=True)
class Pad:
    """A cushion of fat that a node lies in; it may bulge into the lung."""

    centre_mm: tuple[float, float, float]
    radius_mm: float


@dataclass(frozen=True)
class Anatomy:
    """One person's proportions; 1 is the average adult."""

    width: float = 1.0
    depth: float = 1.0
    fat_mm: float = 14.0
    """Thickness of the fat under the skin at the flank."""
    heart: float = 1.0
    liver: float = 1.0
    spleen: float = 1.0
    left_dome_mm: float = -14.0
    spine_bend: float = 0.0
    """Sideways bow of the spine, mm at the middle of the chest."""
    tissue: Tissue = Tissue()
    pads: tuple[Pad, ...] = ()
    texture_phase: tuple[float, ...] = (0.1, 0.4, 0.7, 0.9)

    def body(self, wall: Points) -> FloatArray:
        """The skin."""
        x, y, z = wall
        rise = np.clip((z - 90.0) / 90.0, 0.0, 1.0)
        half_width = self.width * (144.0 + 12.0 * rise) + 1.3 * self.fat_mm
        half_depth = self.depth * (99.0 - 4.0 * rise) + self.fat_mm
        return oval_mm(x, y - 8.0, half_width, half_depth + 0 * half_width)

    def cavity(self, wall: Points) -> FloatArray:
        """The inside of the rib cage, from the apex down."""
        x, y, z = wall
        rise = np.clip((z - 55.0) / (LUNG_TOP_MM - 55.0), 0.0, 1.0)
        taper = np.sqrt(np.maximum(1.0 - rise * rise * (0.25 + 0.75 * rise), 1e-4))
        flare = np.clip((20.0 - z) / 120.0, 0.0, 1.0)
        half_width = self.width * (127.0 * taper - 5.0 * flare)
        half_depth = self.depth * 85.0 * (0.25 + 0.75 * taper)
        ribs = oval_mm(x, y - 16.0 * rise * rise, half_width, half_depth)
        return common(ribs, z - LUNG_TOP_MM)

    def diaphragm_height(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Height of the diaphragm's upper face, mm."""
        right = _dome(x + 66.0 * self.width, y + 8.0, 78.0 * self.width, 82.0 * self.depth)
        left = self.left_dome_mm + _dome(x - 70.0 * self.width, y + 4.0, 70.0 * self.width, 80.0 * self.depth)
        middle = -15.0 + _dome(x - 16.0, y + 34.0, 62.0 * self.width, 70.0 * self.depth)
        height: FloatArray = np.maximum(np.maximum(right, left), middle)
        return height

    def above_diaphragm(self, inner: Points) -> FloatArray:
        """Positive above the diaphragm; about a distance, as the dome is steep only at its rim."""
        x, y, z = inner
        return 0.8 * (z - self.diaphragm_height(x, y))

    def mediastinum(self, inner: Points) -> FloatArray:
        """Everything between the lungs: heart, great vessels, oesophagus, fat, and the tissue beside the spine."""
        x, y, z = inner
        beside_spine = (x - self._bow(z), y, z)
        return joined(
            ellipsoid_mm(beside_spine, (0.0, 74.0, 60.0), (33.0, 32.0, 900.0)),
            ellipsoid_mm(inner, (2.0, -8.0, 122.0), (38.0, 58.0, 84.0)),
            ellipsoid_mm(inner, (0.0, 18.0, 40.0), (36.0, 46.0, 120.0)),
            ellipsoid_mm(inner, (-4.0, -64.0, 70.0), (17.0, 40.0, 130.0)),
            self.heart_sac(inner) - 5.0,
            *(ellipsoid_mm(inner, pad.centre_mm, (pad.radius_mm,) * 3) for pad in self.pads),
        )

    def belly(self, cavity_mm: FloatArray, above_mm: FloatArray) -> FloatArray:
        """The cavity below the diaphragm, from the distances to rib cage and diaphragm."""
        return common(cavity_mm + 1.0, above_mm + 3.0)

    def heart_sac(self, inner: Points) -> FloatArray:
        """Heart with its muscle."""
        s = self.heart
        body = ellipsoid_mm(inner, (24.0, -31.0, 25.0), (61.0 * s, 44.0 * s, 42.0 * s), -0.5)
        atria = ellipsoid_mm(inner, (-8.0, -12.0, 48.0), (44.0 * s, 34.0 * s, 34.0 * s))
        return joined(body, atria)

    def chambers(self, inner: Points) -> FloatArray:
        """The blood inside of the heart, with the wall between the ventricles left out."""
        s = self.heart
        left = ellipsoid_mm(inner, (46.0, -20.0, 30.0), (33.0 * s, 19.0 * s, 30.0 * s), -0.6)
        right = ellipsoid_mm(inner, (14.0, -52.0, 28.0), (40.0 * s, 17.0 * s, 32.0 * s), -0.3)
        atria = ellipsoid_mm(inner, (-22.0, -18.0, 46.0), (24.0 * s, 22.0 * s, 30.0 * s))
        behind = ellipsoid_mm(inner, (8.0, 6.0, 52.0), (33.0 * s, 15.0 * s, 20.0 * s))
        return joined(left, right, atria, behind)

    def liver_mm(self, inner: Points, belly_mm: FloatArray) -> FloatArray:
        """Both lobes, under the diaphragm."""
        s = self.liver
        right = ellipsoid_mm(inner, (-72.0, 8.0, -62.0), (92.0 * s, 92.0, 82.0 * s))
        left = ellipsoid_mm(inner, (2.0, -48.0, -42.0), (82.0 * s, 40.0, 42.0 * s), -0.15)
        cleft = ellipsoid_mm(inner, (16.0, 10.0, -88.0), (40.0, 58.0, 62.0))
        return common(joined(right, left), -cleft, belly_mm + 1.5)

    def spleen_mm(self, inner: Points, belly_mm: FloatArray) -> FloatArray:
        s = self.spleen
        outer = ellipsoid_mm(inner, (100.0 * self.width, 40.0, -52.0), (31.0 * s, 52.0 * s, 46.0 * s), 0.45)
        hilum = ellipsoid_mm(inner, (66.0, 26.0, -58.0), (26.0, 40.0, 46.0), 0.45)
        return common(outer, -hilum, belly_mm + 2.0)

    def stomach_mm(self, inner: Points, belly_mm: FloatArray) -> FloatArray:
        fundus = ellipsoid_mm(inner, (62.0, 0.0, -44.0), (40.0, 42.0, 34.0), 0.2)
        trunk = ellipsoid_mm(inner, (48.0, -42.0, -86.0), (46.0, 30.0, 40.0))
        return common(joined(fundus, trunk), belly_mm + 3.0)

    def gullet(self, inner: Points) -> FloatArray:
        """The oesophagus, behind the trachea and then towards the stomach."""
        x, y, z = inner
        lean = np.clip(60.0 - z, 0.0, 400.0) * 0.06
        across, along = (x - 4.0 - lean) / 1.2, y - 34.0
        tube: FloatArray = np.sqrt(across * across + along * along) - 6.5
        return tube

    def great_vessels(self) -> tuple[Capsule, ...]:
        """Aorta, caval veins, pulmonary trunk and its branches to both hila."""
        aorta = [
            (-2, -22, 60),
            (-14, -30, 84),
            (-14, -28, 104),
            (-4, -14, 122),
            (12, 6, 129),
            (22, 26, 122),
            (25, 38, 104),
            (24, 42, 60),
            (18, 44, 10),
            (8, 42, -40),
            (5, 40, -120),
        ]
        cava = [(-34, -14, 160), (-33, -16, 110), (-30, -18, 62)]
        lower_cava = [(-24, 2, 22), (-24, 20, -12), (-22, 26, -60), (-20, 30, -120)]
        trunk = [(22, -44, 62), (22, -34, 82), (20, -16, 90)]
        right_artery = [(20, -16, 90), (-10, -4, 84), (-44, 4, 80), (-58, 10, 68)]
        left_artery = [(20, -16, 90), (38, 2, 94), (54, 12, 88), (60, 18, 72)]
        arch = (
            [(-2, -8, 128), (-12, -6, 150), (-20, -4, 178)],
            [(8, 2, 132), (14, 4, 178)],
            [(17, 14, 132), (27, 16, 178)],
        )
        veins = [(-8, 6, 58), (-50, 10, 52)], [(20, 8, 58), (56, 12, 54)], [(-30, -20, 148), (26, -16, 160)]
        return (
            *_tube(aorta, 15.0, 11.0), *_tube(cava, 8.5, 9.5), *_tube(lower_cava, 12.0, 11.0),
            *_tube(trunk, 13.5, 13.0), *_tube(right_artery, 11.0, 7.0), *_tube(left_artery, 11.0, 7.0),
            *_tube(arch[0], 6.0, 5.0), *_tube(arch[1], 4.0, 4.0), *_tube(arch[2], 5.0, 4.5),
            *_tube(veins[0], 8.0, 6.0), *_tube(veins[1], 7.0, 6.0), *_tube(veins[2], 6.0, 6.0),
        )  # fmt: skip

    def airways(self) -> tuple[Capsule, ...]:
        """Trachea and bronchi as far as the hila."""
        windpipe = [(1, 8, 190), (0, 12, 130), (0, 16, 100)]
        right = [(0, 16, 100), (-30, 18, 84), (-46, 20, 66)]
        left = [(0, 16, 100), (26, 20, 84), (52, 24, 72)]
        upper = [(-30, 18, 84), (-58, 8, 96)], [(44, 22, 76), (66, 10, 92)]
        lower = [(-46, 20, 66), (-60, 32, 36)], [(52, 24, 72), (64, 36, 44)]
        return (
            *_tube(windpipe, 9.0, 9.0), *_tube(right, 7.5, 6.0), *_tube(left, 6.8, 5.5),
            *_tube(upper[0], 4.0, 3.0), *_tube(upper[1], 4.0, 3.0),
            *_tube(lower[0], 4.5, 2.8), *_tube(lower[1], 4.5, 2.8),
        )  # fmt: skip

    def hila(self) -> tuple[tuple[float, float, float], ...]:
        """Where the vessels of the right and of the left lung begin."""
        return (-56.0, 12.0, 70.0), (58.0, 18.0, 74.0)

    def spine_centre_mm(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """x and y of the vertebral bodies' centre: a sideways bow and the chest's curve to the back."""
        level = np.clip((z - 60.0) / 140.0, -1.0, 1.0)
        return self._bow(z), 64.0 - 10.0 * level * level + 0 * z

    def _bow(self, z: FloatArray) -> FloatArray:
        level = np.clip((z - 60.0) / 130.0, -1.0, 1.0)
        bow: FloatArray = self.spine_bend * (1 - level * level)
        return bow

    def organ_depth_mm(self, organ: str, points: Points) -> FloatArray:
        """How far points (organ coordinates) lie inside of an organ; negative outside.

        Raises
        ------
        KeyError
            For an organ that cannot carry a lesion.
        """
        cavity, above = self.cavity(points), self.above_diaphragm(points)
        if organ == "liver":
            return -self.liver_mm(points, self.belly(cavity, above))
        return -common(cavity, -above, -self.mediastinum(points))

    def vessel_gap_mm(self, points: Points) -> FloatArray:
        """Distance from points (organ coordinates) to the nearest of heart, vessels, airways, gullet and spine."""
        x, y, z = points
        spine_x, spine_y = self.spine_centre_mm(z)
        spine = np.sqrt((x - spine_x) ** 2 + (y - spine_y) ** 2) - 20.0
        tubes = (*self.great_vessels(), *self.airways())
        return joined(spine, self.heart_sac(points), self.gullet(points), *(capsule_mm(points, tube) for tube in tubes))


def _dome(x: FloatArray, y: FloatArray, reach_x_mm: float, reach_y_mm: float) -> FloatArray:
    """A dome of height 0 at its top, falling ever more steeply."""
    xa, yb = x / reach_x_mm, y / reach_y_mm
    r2 = xa * xa + yb * yb
    fall: FloatArray = -26.0 * r2 - 34.0 * r2 * r2
    return fall


def _tube(path: list[tuple[int, int, int]], first_radius_mm: float, last_radius_mm: float) -> tuple[Capsule, ...]:
    steps = len(path) - 1
    radii = [first_radius_mm + (last_radius_mm - first_radius_mm) * i / steps for i in range(len(path))]
    return tuple(Capsule(_point(a), _point(b), radii[i], radii[i + 1]) for i, (a, b) in enumerate(pairwise(path)))


def _point(place: tuple[int, int, int]) -> tuple[float, float, float]:
    x, y, z = place
    return float(x), float(y), float(z)
