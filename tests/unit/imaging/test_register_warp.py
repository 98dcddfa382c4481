"""The surroundings of a lesion bent as they were, on a body whose bend is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk

from tests.fakes.imaging import body_with
from trialimg.core.errors import GeometryError
from trialimg.imaging.register import Alignment
from trialimg.imaging.register_images import isotropic
from trialimg.imaging.register_start import best_start
from trialimg.imaging.register_warp import LocalWarp, register_deformably
from trialimg.volume import Unit, Volume

PLACE = (40.0, -20.0, 72.0)
BALLS = tuple(((x, y, z), 14.0) for x in (10.0, 45.0, 75.0) for y in (-50.0, -5.0, 30.0) for z in (40.0, 72.0, 104.0))


def bend_at(point: tuple[float, float, float]) -> np.ndarray:
    """A smooth swelling about a place: from points of the later scan to the earlier one."""
    offset = np.subtract(point, PLACE)
    return np.add(point, np.array([5.0, -3.0, 0.0]) * math.exp(-float(offset @ offset) / (2 * 25.0**2)))


@pytest.fixture(scope="module")
def earlier() -> Volume:
    return body_with(BALLS)


@pytest.fixture(scope="module")
def warp(earlier: Volume) -> LocalWarp:
    image = earlier.to_sitk()
    k, j, i = np.indices(earlier.geometry.shape)
    points = earlier.geometry.to_lps(np.stack([i, j, k], axis=-1))
    offset = points - np.array(PLACE)
    weight = np.exp(-np.sum(offset**2, axis=-1) / (2 * 25.0**2))
    field = sitk.GetImageFromArray(weight[..., None] * np.array([5.0, -3.0, 0.0]), isVector=True)
    field.CopyInformation(image)
    moved = sitk.Resample(image, image, sitk.DisplacementFieldTransform(field), sitk.sitkLinear, -1000.0)
    later = Volume.from_sitk(moved, modality="CT", unit=Unit.HU)
    return register_deformably(later, earlier, Alignment(), centre_lps_mm=PLACE, shift_radius_mm=40.0)


def test_a_bend_that_no_shift_explains_is_found(warp: LocalWarp):
    places = [(PLACE[0] + x, PLACE[1] + y, PLACE[2]) for x in (-20.0, 0.0, 20.0) for y in (-20.0, 0.0, 20.0)]
    errors = [np.linalg.norm(np.subtract(warp.apply(p), bend_at(p))) for p in places]
    shifted = [np.linalg.norm(np.subtract(warp.body.apply(p), bend_at(p))) for p in places]
    assert warp.reason == ""
    assert np.mean(errors) < 1.6  # voxels are 4 x 4 x 6 mm
    assert np.mean(errors) < np.mean(shifted)


def test_there_and_back_is_where_one_was(warp: LocalWarp):
    for point in (PLACE, (60.0, 0.0, 60.0), (-80.0, 40.0, 72.0)):
        assert warp.inverse_apply(warp.apply(point)) == pytest.approx(point, abs=0.03)


def test_the_warp_fades_to_nothing_at_the_edge_of_its_cube(warp: LocalWarp):
    low, edges = np.array(warp.origin_lps_mm), np.array(warp.edges_mm)
    face = (float(low[0] + 0.5), PLACE[1], PLACE[2])
    assert np.linalg.norm(np.subtract(warp.apply(face), warp.body.apply(face))) < 0.2
    outside = tuple((low + edges + 5.0).tolist())
    assert warp.apply(outside) == pytest.approx(warp.body.apply(outside))


def test_where_there_is_nothing_to_go_by_the_reason_is_said(earlier: Volume):
    outside = register_deformably(earlier, earlier, Alignment(), centre_lps_mm=(900.0, 0.0, 0.0), shift_radius_mm=40.0)
    assert outside.reason == "the place lies at the edge of the scan"
    assert outside.apply((1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)


def test_a_map_that_folds_has_no_inverse():
    folding = LocalWarp(Alignment(), (-60.0, -60.0, -60.0), (120.0, 120.0, 120.0), (300.0, -300.0) * 324)
    with pytest.raises(GeometryError, match="cannot be inverted"):
        folding.inverse_apply((3.0, 0.0, 0.0))


def test_a_scan_turned_by_thirty_degrees_is_found_from_many_starts(earlier: Volume):
    image = sitk.Cast(earlier.to_sitk(), sitk.sitkFloat32)
    centre = (0.0, 0.0, 69.0)
    pose = sitk.Euler3DTransform(centre, 0.0, 0.0, 0.52, (12.0, -8.0, 6.0))
    moved = sitk.Resample(image, image, pose, sitk.sitkLinear, -1000.0)
    turned = Volume.from_sitk(moved, modality="CT", unit=Unit.HU)
    found = best_start(isotropic(turned, 10.0), isotropic(earlier, 10.0))
    errors = [np.linalg.norm(np.subtract(found.TransformPoint(p), pose.TransformPoint(p))) for p, _ in BALLS]
    assert max(errors) < 8.0  # voxels are 10 mm
