"""Two scans of one body brought together, on a phantom whose pose is known."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from trialimg.imaging.register import Alignment, register_body, register_locally
from trialimg.volume import Geometry, Unit, Volume

GRID = Geometry((60, 50, 30), (5.0, 5.0, 8.0), (-150.0, -125.0, 0.0))
PLACES = ((-60.0, 10.0, 100.0), (50.0, -30.0, 150.0), (20.0, 40.0, 60.0))


def body(pose: sitk.Transform) -> Volume:
    """Body, two lungs, spine and a few dense balls, seen after the points of the grid went through ``pose``."""
    k, j, i = np.indices(GRID.shape)
    points = GRID.to_lps(np.stack([i, j, k], axis=-1).reshape(-1, 3))
    moved = np.array([pose.TransformPoint(p) for p in points.tolist()])
    x, y, z = moved.T
    hu = np.where((x / 130) ** 2 + (y / 95) ** 2 < 1, 40.0, -1000.0)
    for side in (-60, 60):
        hu[((x - side) / 45) ** 2 + ((y + 10) / 60) ** 2 + ((z - 130) / 90) ** 2 < 1] = -850
    hu[(x / 18) ** 2 + ((y - 60) / 15) ** 2 < 1] = 300
    for a, b, c in PLACES:
        hu[(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 < 14**2] = 60
    noise = np.random.default_rng(1).normal(0, 10, hu.shape)
    return Volume((hu + noise).reshape(GRID.shape).astype(np.float32), GRID, "CT", Unit.HU)


@pytest.fixture(scope="module")
def earlier() -> Volume:
    return body(sitk.Transform(3, sitk.sitkIdentity))


@pytest.mark.parametrize("affine", [False, True])
def test_a_known_pose_is_found_within_a_millimetre_or_two(earlier, affine):
    pose = sitk.Euler3DTransform((0.0, 0.0, 120.0), 0.02, -0.03, 0.06, (14.0, -9.0, 12.0))
    alignment = register_body(body(pose), earlier, affine=affine)
    errors = [np.linalg.norm(np.subtract(alignment.apply(p), pose.TransformPoint(p))) for p in PLACES]
    before = [np.linalg.norm(np.subtract(p, pose.TransformPoint(p))) for p in PLACES]
    assert max(errors) < 2.0  # voxels are 5 x 5 x 8 mm
    assert min(before) > 10


def test_there_and_back_is_where_one_was(earlier):
    pose = sitk.Euler3DTransform((0.0, 0.0, 120.0), 0.0, 0.0, 0.1, (5.0, 0.0, 0.0))
    alignment = register_body(body(pose), earlier, affine=True)
    assert alignment.inverse_apply(alignment.apply(PLACES[0])) == pytest.approx(PLACES[0], abs=1e-6)


def test_the_same_scans_give_the_same_digits(earlier):
    later = body(sitk.TranslationTransform(3, (6.0, 4.0, -5.0)))
    assert register_body(later, earlier, affine=True) == register_body(later, earlier, affine=True)


def test_a_shift_that_the_body_step_left_over_is_found_around_the_lesion(earlier):
    shift = sitk.TranslationTransform(3, (6.0, -4.0, 3.0))
    local = register_locally(body(shift), earlier, Alignment(), centre_lps_mm=PLACES[1], radius_mm=45.0)
    assert local.apply(PLACES[1]) == pytest.approx(shift.TransformPoint(PLACES[1]), abs=1.5)
    assert local.similarity is not None
    assert local.similarity > 0.8


def test_a_shift_larger_than_breathing_is_not_believed(earlier):
    far = body(sitk.TranslationTransform(3, (40.0, 0.0, 0.0)))
    local = register_locally(far, earlier, Alignment(), centre_lps_mm=PLACES[1], radius_mm=45.0)
    assert np.linalg.norm(local.translation_mm) <= 10.0


def test_outside_of_the_scan_nothing_is_refined(earlier):
    start = Alignment(translation_mm=(1.0, 2.0, 3.0))
    assert register_locally(earlier, earlier, start, centre_lps_mm=(900.0, 0.0, 0.0), radius_mm=20.0) is start


def test_an_alignment_survives_its_json():
    alignment = Alignment((1.0, 0.1, 0.0, -0.1, 1.0, 0.0, 0.0, 0.0, 1.0), (1.0, 2.0, 3.0), 0.5)
    facts = {
        "matrix": [*alignment.matrix],
        "translation_mm": [*alignment.translation_mm],
        "similarity": 0.5,
        "reason": "",
    }
    assert Alignment.from_dict(facts) == alignment


@pytest.mark.parametrize(
    ("size", "hu", "told"),
    [
        ((60, 50, 30), -1000.0, "the second scan is uniform"),
        ((60, 50, 2), None, "the second scan is too thin to be aligned (2 of at least 4 voxels)"),
    ],
)
def test_a_scan_that_nothing_can_be_aligned_with_is_told_and_left_where_it_is(earlier, size, hu, told):
    grid = Geometry(size, GRID.spacing_mm, GRID.origin_lps_mm)
    values = earlier.array[: size[2]] if hu is None else np.full(grid.shape, hu, np.float32)
    alignment = register_body(earlier, Volume(values, grid, "CT", Unit.HU), affine=True)
    assert alignment == Alignment(reason=told)
