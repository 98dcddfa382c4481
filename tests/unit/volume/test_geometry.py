"""Where voxels lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from trialimg.core.errors import GeometryError
from trialimg.volume import Geometry
from trialimg.volume.volume import geometry_of

COS, SIN = math.cos(0.3), math.sin(0.3)
OBLIQUE = Geometry((10, 12, 7), (0.7, 0.9, 5.0), (-20.0, 30.0, 400.0), (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1))


def sitk_twin(geometry: Geometry) -> sitk.Image:
    image = sitk.Image(geometry.size, sitk.sitkUInt8)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_lps_mm)
    image.SetDirection(geometry.direction)
    return image


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-5, 15)] * 3))
def test_patient_coordinates_are_those_of_simpleitk_and_come_back(index):
    point = OBLIQUE.to_lps(index)
    assert point == pytest.approx(sitk_twin(OBLIQUE).TransformContinuousIndexToPhysicalPoint(index), abs=1e-9)
    assert OBLIQUE.to_index(point) == pytest.approx(index, abs=1e-9)


def test_a_grid_read_from_simpleitk_is_the_same_grid():
    assert OBLIQUE.differences(geometry_of(sitk_twin(OBLIQUE))) == ()


def test_arrays_are_slices_rows_columns():
    assert OBLIQUE.shape == (7, 12, 10)


def test_a_cut_keeps_its_place():
    part = OBLIQUE.cropped((2, 3, 1), (8, 9, 5))
    assert part.size == (6, 6, 4)
    assert part.to_lps((0, 0, 0)) == pytest.approx(OBLIQUE.to_lps((2, 3, 1)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (10, 12, 8)}, "size"),
        ({"spacing_mm": (0.7, 0.9, 5.1)}, "spacing by 0, 0, -0.1 mm"),
        ({"origin_lps_mm": (-20.0, 30.0, 401.0)}, "origin by 1.000 mm"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}, "direction by up to"),
    ],
)
def test_a_difference_is_named_with_its_size(change, words):
    facts = {"size": OBLIQUE.size, "spacing_mm": OBLIQUE.spacing_mm, "origin_lps_mm": OBLIQUE.origin_lps_mm}
    other = Geometry(**{**facts, "direction": OBLIQUE.direction, **change})
    with pytest.raises(GeometryError, match="mask and image lie on different grids") as refusal:
        OBLIQUE.require_same(other, "mask", "image")
    assert words in str(refusal.value)


def test_the_noise_of_stored_decimals_makes_no_other_grid():
    nudged = Geometry(OBLIQUE.size, (0.7000001, 0.9, 5.0), (-20.0001, 30.0, 400.0), OBLIQUE.direction)
    OBLIQUE.require_same(nudged, "mask", "image")


def test_a_point_belongs_to_the_grid_up_to_half_a_voxel_around_its_centres():
    grid = Geometry((4, 4, 4), (1, 1, 1), (0, 0, 0))
    assert grid.contains((-0.49, 0, 3.49))
    assert not grid.contains((-0.51, 0, 0))
    with pytest.raises(GeometryError, match=r"prompt \(9.0, 0.0, 0.0\) mm lies outside .* \[-0.5, 3.5\]"):
        grid.require_point((9, 0, 0), "prompt")


@pytest.mark.parametrize(
    "facts",
    [
        {"size": (0, 1, 1)},
        {"spacing_mm": (0.0, 1, 1)},
        {"spacing_mm": (float("nan"), 1, 1)},
        {"origin_lps_mm": (float("inf"), 0, 0)},
        {"direction": (1, 0, 0, 1, 0, 0, 0, 0, 1)},
    ],
)
def test_a_grid_that_cannot_be_is_refused(facts):
    with pytest.raises(GeometryError):
        Geometry(**{"size": (2, 2, 2), "spacing_mm": (1, 1, 1), "origin_lps_mm": (0, 0, 0), **facts})


def test_bounds_hold_every_corner_of_an_oblique_grid():
    low, high = OBLIQUE.bounds_lps_mm()
    corners = OBLIQUE.to_lps([(-0.5, -0.5, -0.5), (9.5, 11.5, 6.5), (9.5, -0.5, 0), (-0.5, 11.5, 3)])
    assert np.all(corners >= low - 1e-9)
    assert np.all(corners <= high + 1e-9)
