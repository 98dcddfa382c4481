"""The anatomy painted into thin slices, from the skin inwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trialimg.imaging.phantom_anatomy import Anatomy
from trialimg.imaging.phantom_shapes import Capsule, FloatArray, capsule_mm, common, coverage, ellipsoid_mm, joined
from trialimg.imaging.phantom_slab import Slab

__all__ = ["paint_anatomy", "paint_vessels"]

_WIDE = 260.0


def paint_anatomy(slab: Slab, anatomy: Anatomy) -> None:
    """Body wall, bones, lungs, mediastinum and upper abdomen; lung vessels come after."""
    _paint_wall(slab, anatomy)
    _paint_cavities(slab, anatomy)
    _paint_mediastinum(slab, anatomy)
    _paint_belly(slab, anatomy)
    _paint_spine(slab, anatomy)


def paint_vessels(slab: Slab, vessels: Sequence[Capsule], value_hu: float) -> None:
    """Tubes of one density; those thinner than a pixel fade."""
    x, y, z = slab.inner
    for vessel in vessels:
        part = slab.window(vessel.low_mm, vessel.high_mm)
        if part is None:
            continue
        thin = min(1.0, 2 * vessel.start_radius_mm / slab.pixel_mm)
        share = thin * coverage(capsule_mm((x[part], y[part], z[part]), vessel), slab.pixel_mm)
        hu = slab.hu[part]
        np.maximum(hu, hu + share * (value_hu - hu), out=hu)


def _paint_wall(slab: Slab, anatomy: Anatomy) -> None:
    tissue, (x, y, z) = anatomy.tissue, slab.wall
    skin = anatomy.body(slab.wall)
    inside = slab.cavity_mm
    slab.paint(skin, 25.0)
    slab.paint(skin + 2.2, tissue.fat + 5.0 * slab.mottle)
    flank = np.clip(np.abs(x) / 150.0, 0.0, 1.0)
    belly_fat = np.clip((30.0 - z) / 140.0, 0.0, 1.0) * np.clip(-y / 100.0, 0.0, 1.0)
    fat_mm = anatomy.fat_mm * (0.55 + 0.3 * flank + 0.6 * belly_fat)
    muscle = skin + 2.2 + fat_mm
    slab.paint(muscle, tissue.muscle + 6.0 * slab.mottle)
    _paint_muscle_seams(slab, anatomy, muscle, inside)
    _paint_ribs(slab, anatomy, inside)
    _paint_breastbone_and_shoulder_blades(slab, anatomy)


def _paint_muscle_seams(slab: Slab, anatomy: Anatomy, muscle: FloatArray, inside: FloatArray) -> None:
    """Fat between the muscle layers, beside the long muscles of the back, and in the armpits."""
    x, y, _ = slab.wall
    middle = 0.5 * (inside - muscle)
    layers = np.abs(middle) - 1.1
    beside_back = common(np.abs(np.abs(x) - 46.0 - 0.2 * (y - 80.0)) - 1.2, 74.0 - y)
    slab.paint(common(joined(layers, beside_back), 8.0 - inside, muscle + 3.0), anatomy.tissue.fat + 30.0)
    for side in (-1.0, 1.0):
        centre = (side * 132.0 * anatomy.width, -4.0, 136.0)
        for part in slab.around((centre[0] - 30, -60.0, 80.0), (centre[0] + 30, 50.0, 200.0)):
            part.paint(ellipsoid_mm(part.wall, centre, (19.0, 46.0, 52.0), side * 0.25), anatomy.tissue.fat)


def _paint_ribs(slab: Slab, anatomy: Anatomy, inside: FloatArray) -> None:
    tissue, (x, y, z) = anatomy.tissue, slab.wall
    front = np.clip(0.5 - y / (180.0 * anatomy.depth), 0.0, 1.0)
    depth, height = (inside - 5.5) / 3.8, _off_segment_mm(z + 104.0 * front) / 6.2
    rib = (np.sqrt(depth * depth + height * height) - 1.0) * 4.2
    rib = common(rib, 20.0 - np.abs(x))
    cartilage = np.clip((front - 0.80) / 0.06, 0.0, 1.0)
    slab.paint(rib, tissue.cortex * 0.75 * (1 - cartilage) + tissue.cartilage * cartilage)
    slab.paint(rib + 2.2, tissue.marrow * (1 - cartilage) + tissue.cartilage * cartilage)


def _paint_breastbone_and_shoulder_blades(slab: Slab, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue
    front = -84.0 * anatomy.depth
    for part in slab.around((-26.0, front - 20.0, 30.0), (26.0, front + 30.0, 170.0)):
        x, y, z = part.wall
        rise = np.clip((z - 55.0) / 130.0, 0.0, 1.0)
        plate, across = (y - (front - 6.0 + 34.0 * rise * rise)) / 6.0, x / (16.0 + 8.0 * rise)
        bone = common(5.0 * (np.sqrt(plate * plate + across * across) - 1.0), np.abs(z - 98.0) - 62.0)
        part.paint(bone, 0.6 * tissue.cortex)
        part.paint(bone + 2.0, tissue.marrow * 0.8)
    for side in (-1.0, 1.0):
        centre = (side * 104.0 * anatomy.width, 80.0 * anatomy.depth, 132.0)
        for part in slab.around((centre[0] - 50, centre[1] - 50, 70.0), (centre[0] + 50, centre[1] + 50, 200.0)):
            blade = ellipsoid_mm(part.wall, centre, (46.0, 4.6, 62.0), -side * 0.75)
            part.paint(blade, 0.7 * tissue.cortex)
            part.paint(blade + 2.0, tissue.marrow)


def _paint_cavities(slab: Slab, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue
    inside, over = slab.cavity_mm, slab.above_mm
    slab.paint(common(inside, over - 1.5, -over - 2.5), tissue.muscle)
    slab.paint(anatomy.belly(inside, over), tissue.fat + 8.0)
    hang = np.clip((slab.wall[1] + 80.0) / 160.0, 0.0, 1.0)
    slab.paint(common(inside, -over), tissue.lung + 45.0 * hang * hang + 14.0 * slab.mottle)


def _paint_mediastinum(slab: Slab, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue
    for part in slab.around((-80.0, -_WIDE, -_WIDE), (100.0, _WIDE, _WIDE)):
        hollow = common(part.cavity_mm, -part.above_mm)
        part.paint(common(hollow, anatomy.mediastinum(part.inner)), tissue.fat + 6.0 * part.mottle)
    for part in slab.around((-70.0, -100.0, -30.0), (90.0, 60.0, 90.0)):
        above = 2.0 - part.above_mm
        mottle = 4.0 * part.mottle
        part.paint(common(anatomy.heart_sac(part.inner), above), tissue.heart + mottle)
        part.paint(common(anatomy.chambers(part.inner), above), tissue.blood + mottle)
    for part in slab.around((-20.0, 10.0, -140.0), (40.0, 50.0, 200.0)):
        part.paint(common(anatomy.gullet(part.inner), -part.above_mm - 6.0), 48.0)
    _paint_hila(slab, anatomy)
    paint_vessels(slab, anatomy.great_vessels(), tissue.blood)
    for wall_mm, value_hu in ((1.4, 30.0), (0.0, tissue.air)):
        for airway in anatomy.airways():
            for part in slab.around(airway.low_mm, airway.high_mm):
                part.paint(capsule_mm(part.inner, airway) - wall_mm, value_hu)


def _paint_hila(slab: Slab, anatomy: Anatomy) -> None:
    for side, (x0, y0, z0) in zip((-1.0, 1.0), anatomy.hila(), strict=True):
        for part in slab.around((x0 - 20, y0 - 25, z0 - 35), (x0 + 20, y0 + 25, z0 + 35)):
            fat = ellipsoid_mm(part.inner, (x0 - side * 4.0, y0, z0), (11.0, 15.0, 24.0))
            part.paint(fat, anatomy.tissue.fat + 30.0)


def _paint_belly(slab: Slab, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue
    for part in slab.around((-_WIDE, -_WIDE, -_WIDE), (_WIDE, _WIDE, 8.0)):
        mottle, belly = 4.0 * part.mottle, anatomy.belly(part.cavity_mm, part.above_mm)
        stomach = anatomy.stomach_mm(part.inner, belly)
        part.paint(stomach, 70.0)
        part.paint(stomach + 4.5, tissue.stomach)
        part.paint(common(stomach + 5.0, part.inner[1] + 26.0), tissue.air)
        _paint_bowel_and_pancreas(part, belly)
        for side in (-1.0, 1.0):
            kidney = ellipsoid_mm(part.inner, (side * 64.0, 52.0, -112.0 - 6.0 * side), (27.0, 25.0, 56.0), side * 0.5)
            part.paint(kidney, tissue.kidney)
        part.paint(anatomy.spleen_mm(part.inner, belly), tissue.spleen + mottle)
        part.paint(anatomy.liver_mm(part.inner, belly), tissue.liver + 1.3 * mottle)
        gall = ellipsoid_mm(part.inner, (-50.0, -46.0, -96.0), (17.0, 20.0, 26.0))
        part.paint(common(gall, belly + 4.0), 12.0)
        for tube in anatomy.great_vessels():
            if tube.end_mm[2] < 40.0:
                part.paint(common(capsule_mm(part.inner, tube), part.inner[2]), tissue.blood)


def _paint_bowel_and_pancreas(slab: Slab, belly_mm: FloatArray) -> None:
    """What lies behind and below the stomach, and the muscle that the diaphragm hangs on."""
    pancreas = joined(
        ellipsoid_mm(slab.inner, (34.0, 12.0, -82.0), (40.0, 10.0, 12.0), 0.3),
        ellipsoid_mm(slab.inner, (-2.0, 2.0, -92.0), (20.0, 14.0, 16.0)),
    )
    slab.paint(common(pancreas, belly_mm + 6.0), 88.0)
    colon = ellipsoid_mm(slab.inner, (86.0, -34.0, -72.0), (19.0, 24.0, 22.0), 0.4)
    slab.paint(common(colon, belly_mm + 4.0), 60.0)
    slab.paint(common(colon + 3.0, belly_mm + 7.0), 25.0)
    slab.paint(common(colon + 3.5, slab.inner[1] + 40.0, belly_mm + 7.0), -900.0)
    for side, adrenal_z in ((-1.0, -66.0), (1.0, -72.0)):
        x, y, z = (p - c for p, c in zip(slab.inner, (side * 30.0, 36.0, adrenal_z), strict=True))
        limb = common(np.abs(np.abs(x) - 0.5 * (y + 8.0)) - 2.0, np.abs(y) - 9.0, np.abs(z) - 14.0)
        slab.paint(common(limb, belly_mm + 6.0), 80.0)
        crus = ellipsoid_mm(slab.inner, (side * 17.0 + 4.0, 40.0, -60.0), (5.0, 15.0, 76.0), side * -0.5)
        slab.paint(common(crus, slab.inner[2]), 62.0)


def _paint_spine(slab: Slab, anatomy: Anatomy) -> None:
    tissue = anatomy.tissue
    for part in slab.around((-60.0, 30.0, -_WIDE), (60.0, 140.0, _WIDE)):
        x, y, z = part.wall
        centre_x, centre_y = anatomy.spine_centre_mm(z)
        x, y = x - centre_x, y - centre_y
        level = np.abs(_off_segment_mm(z))
        column = np.sqrt((x / 1.12) ** 2 + y * y) - 15.5
        bone = common(column, level - 9.4)
        part.paint(column, 92.0)
        part.paint(bone, 0.55 * tissue.cortex)
        part.paint(bone + 2.2, tissue.marrow)
        _paint_arch(part, tissue.cortex, (x, y, level))


def _off_segment_mm(z_mm: FloatArray) -> FloatArray:
    """Height above the middle of the nearest vertebra (or its rib); vertebrae are higher towards the belly."""
    segments_per_mm = 0.0415 + 5.6e-5 * np.clip(z_mm, -150.0, 260.0)
    turn = z_mm * (0.0415 + 2.8e-5 * z_mm)
    off: FloatArray = (turn - np.floor(turn) - 0.5) / segments_per_mm
    return off


def _paint_arch(part: Slab, cortex_hu: float, spine: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """Arch around the canal, spinous and transverse processes.

    ``spine`` is x and y from the vertebral body's centre, and the distance from its level.
    """
    x, y, level = spine
    canal = np.sqrt((x / 1.2) ** 2 + (y - 24.0) ** 2) - 8.0
    arch = common(canal - 4.5, level - 8.5)
    spinous = common(np.abs(x) - 3.2, np.abs(y - 43.0) - 13.0, level - 9.0)
    transverse = common(np.abs(y - 24.0 - 0.25 * np.abs(x)) - 4.5, np.abs(np.abs(x) - 22.0) - 12.0, level - 6.0)
    bone = joined(arch, spinous, transverse)
    part.paint(bone, 0.65 * cortex_hu)
    part.paint(bone + 2.4, 0.35 * cortex_hu)
    part.paint(canal, 32.0)
