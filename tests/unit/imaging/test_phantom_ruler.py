"""The perfect ruler against solids whose sections are known on paper, and against a naive ruler."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trialimg.core.errors import GeometryError
from trialimg.imaging.phantom_lesion import Bump, LesionShape, LesionSolid
from trialimg.imaging.phantom_ruler import outline_mm, read_diameters, sized

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
LOBED = LesionShape(
    (1.0, 0.8, 0.9),
    (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0),
    (Bump((0.6, 0.8, 0.0), 0.06, 3), Bump((0.0, 0.6, 0.8), 0.05, 5), Bump((1.0, 0.0, 0.0), 0.04, 2)),
)


def ellipsoid(semi: tuple[float, float, float], centre: tuple[float, float, float], rotation=UPRIGHT) -> LesionSolid:
    return LesionSolid(LesionShape(semi, rotation), centre, 1.0, 40.0)


def test_ellipsoid_cut_through_its_centre_has_its_own_axes():
    reading = read_diameters(ellipsoid((15.0, 10.0, 8.0), (3.3, -7.1, 20.0)), [15.0, 20.0, 25.0])
    assert reading.long_axis_mm == pytest.approx(30.0, abs=0.02)
    assert reading.short_axis_mm == pytest.approx(20.0, abs=0.02)
    assert reading.slice_index == 1
    assert {round(end[0], 1) for end in reading.long_axis_lps_mm} == {-11.7, 18.3}


def test_slices_beside_the_centre_shorten_the_reading_as_geometry_says():
    # the nearest plane is 2.5 mm off the centre of a solid of 8 mm half height: sqrt(1 - (2.5/8)^2) of the full axis
    reading = read_diameters(ellipsoid((15.0, 10.0, 8.0), (0.0, 0.0, 2.5)), [0.0, 5.0])
    assert reading.long_axis_mm == pytest.approx(30.0 * math.sqrt(1 - (2.5 / 8) ** 2), abs=0.02)


def test_tilted_ellipsoid_is_measured_in_the_axial_plane_not_along_its_own_axis():
    tilt = math.radians(30)
    rotation = (math.cos(tilt), 0.0, math.sin(tilt), 0.0, 1.0, 0.0, -math.sin(tilt), 0.0, math.cos(tilt))
    reading = read_diameters(ellipsoid((20.0, 9.0, 8.0), (0.0, 0.0, 0.0), rotation), [0.0])
    in_plane = 2 / math.sqrt((math.cos(tilt) / 20) ** 2 + (math.sin(tilt) / 8) ** 2)
    assert reading.long_axis_mm == pytest.approx(in_plane, abs=0.02)
    assert reading.short_axis_mm == pytest.approx(18.0, abs=0.02)


def test_lobed_solid_agrees_with_a_naive_ruler_on_a_fine_raster():
    solid = LesionSolid(LOBED, (0.4, -0.3, 0.0), 14.0, 40.0)
    step = 0.2
    axis = np.arange(-20.0, 20.0, step)
    inside = solid.distance_mm((axis[None, :], axis[:, None], np.zeros((1, 1)))) < 0
    edge = inside & ~(np.roll(inside, 1, 0) & np.roll(inside, -1, 0) & np.roll(inside, 1, 1) & np.roll(inside, -1, 1))
    points = np.argwhere(edge) * step
    gaps = points[:, None, :] - points[None, :, :]
    naive = np.sqrt((gaps**2).sum(axis=2)).max()
    # pixel centres lie inside of the surface by up to one step at either end
    assert read_diameters(solid, [0.0]).long_axis_mm == pytest.approx(naive + step / 2, abs=step)


def test_short_axis_is_the_longest_chord_across_inside_of_the_lesion():
    solid = LesionSolid(LOBED, (0.0, 0.0, 0.0), 14.0, 40.0)
    reading = read_diameters(solid, [0.0])
    start, end = (np.array(point[:2]) for point in reading.long_axis_lps_mm)
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    longest = 0.0
    for share in np.linspace(0.02, 0.98, 97):
        line = (start + share * (end - start))[:, None] + across[:, None] * np.arange(-20, 20, 0.02)
        inside = solid.distance_mm((line[0], line[1], np.zeros(line.shape[1]))) < 0
        longest = max(longest, 0.02 * inside.sum())
    assert reading.short_axis_mm == pytest.approx(longest, abs=0.06)
    assert reading.short_axis_mm < reading.long_axis_mm


@pytest.mark.parametrize("short", [False, True])
def test_sizing_gives_exactly_the_wanted_diameter_on_the_slices_there_are(short):
    solid = sized(LesionSolid(LOBED, (0.0, 0.0, 1.7), 5.0, 40.0), 23.4, [-10.0, -5.0, 0.0, 5.0, 10.0], short=short)
    reading = read_diameters(solid, [-10.0, -5.0, 0.0, 5.0, 10.0])
    assert (reading.short_axis_mm if short else reading.long_axis_mm) == pytest.approx(23.4, abs=0.02)


def test_lesion_between_two_slices_is_refused():
    with pytest.raises(GeometryError, match="no slice meets"):
        read_diameters(ellipsoid((1.5, 1.5, 1.5), (0.0, 0.0, 2.5)), [0.0, 5.0])


def test_outline_runs_on_the_surface():
    solid = LesionSolid(LOBED, (5.0, 6.0, 7.0), 14.0, 40.0)
    outline = outline_mm(solid, 10.0, points=36)
    assert outline is not None
    z = np.full(len(outline), 10.0)
    assert np.abs(solid.distance_mm((outline[:, 0], outline[:, 1], z))).max() < 1e-6
    assert outline_mm(solid, 40.0, points=36) is None
