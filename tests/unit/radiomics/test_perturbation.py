"""A lesion sampled and outlined another time: the same body, moved as far as was asked, from the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.core.errors import GeometryError, InvalidValueError
from trialimg.radiomics.perturbation import Perturbation, perturbed
from trialimg.volume import Geometry, Mask, Volume

SPACING_MM = (0.8, 0.8, 2.0)
STILL = {"rotation_deg": 0.0, "translation_voxels": 0.0, "contour_sd_mm": 0.0}


@pytest.fixture
def scan() -> tuple[Volume, Mask]:
    """An ellipsoid of 12, 9 and 10 mm half axes, 100 HU bright, in an image whose axes are turned."""
    turn = np.deg2rad(20)
    direction = (np.cos(turn), -np.sin(turn), 0, np.sin(turn), np.cos(turn), 0, 0, 0, 1)
    geometry = Geometry((80, 70, 30), SPACING_MM, (-30.0, 12.0, 200.0), tuple(map(float, direction)))
    k, j, i = np.indices(geometry.shape)
    x, y, z = (i - 40) * 0.8, (j - 33) * 0.8, (k - 14) * 2.0
    inside = (x / 12) ** 2 + (y / 9) ** 2 + (z / 10) ** 2 <= 1
    array = np.where(inside, 100.0, -50.0).astype(np.float32)
    return Volume(array, geometry, "CT"), Mask((3 * inside).astype(np.uint8), geometry)


def volume_mm3(mask: Mask) -> float:
    return float(np.count_nonzero(mask.array)) * mask.geometry.voxel_volume_mm3


def centre_lps_mm(mask: Mask) -> np.ndarray:
    return mask.geometry.to_lps(np.argwhere(mask.array > 0)[:, ::-1].mean(axis=0))


def test_where_nothing_moves_the_lesion_is_what_it_was(scan):
    image, mask = scan
    (found, region), _ = perturbed(image, mask, 3, Perturbation(2, **STILL))
    assert volume_mm3(region) == volume_mm3(mask)
    assert centre_lps_mm(region) == pytest.approx(centre_lps_mm(mask), abs=1e-6)
    assert set(np.unique(found.array[region.array > 0])) == {100.0}
    assert region.labels == (1,)


def test_the_grid_turns_and_shifts_as_far_as_was_asked_and_the_body_stays_where_it_is(scan):
    image, mask = scan
    how = Perturbation(20, seed=4, rotation_deg=10.0, translation_voxels=0.5, contour_sd_mm=0.0)
    angles, shifts = [], []
    for found, region in perturbed(image, mask, 3, how):
        assert volume_mm3(region) == pytest.approx(volume_mm3(mask), rel=0.03)  # a voxel's layer is 15 % of it
        away_mm = np.abs(image.geometry.matrix.T @ (centre_lps_mm(region) - centre_lps_mm(mask)))
        assert (away_mm <= np.array(SPACING_MM) / 2).all()  # a voxel belongs to a region or does not
        assert found.array[region.array > 0].mean() > 80  # partial volume at the border alone
        turned = image.geometry.matrix.T @ found.geometry.matrix
        angles.append(np.rad2deg(np.arctan2(turned[1, 0], turned[0, 0])))
        offset = image.geometry.to_index(found.geometry.to_lps((np.asarray(found.geometry.size) - 1) / 2))
        shifts.append(offset - (np.argwhere(mask.array)[:, ::-1].min(0) + np.argwhere(mask.array)[:, ::-1].max(0)) / 2)
        assert found.geometry.spacing_mm == SPACING_MM
        assert any("linear" in step for step in found.history)
    assert max(map(abs, angles)) <= 10.0 and np.ptp(angles) > 10.0
    assert np.abs(shifts).max() <= 0.5 * np.sqrt(2) + 1e-6 and np.ptp(shifts) > 0.5


def test_the_contour_moves_in_and_out_about_as_far_as_was_asked_and_not_on_the_whole(scan):
    image, mask = scan
    still = Perturbation(6, **STILL)
    moved = Perturbation(6, **{**STILL, "contour_sd_mm": 1.0})
    (_, before), *_ = perturbed(image, mask, 3, still)
    shares, sizes = [], []
    for _, region in perturbed(image, mask, 3, moved):
        both = np.count_nonzero((region.array > 0) & (before.array > 0))
        shares.append(2 * both / (np.count_nonzero(region.array) + np.count_nonzero(before.array)))
        sizes.append(volume_mm3(region) / volume_mm3(before))
    assert all(0.75 < share < 0.98 for share in shares)
    assert np.mean(sizes) == pytest.approx(1.0, abs=0.12)


def test_the_seed_gives_the_same_again_and_another_seed_something_else(scan):
    image, mask = scan

    def drawn(count: int, seed: int) -> list[bytes]:
        return [region.array.tobytes() for _, region in perturbed(image, mask, 3, Perturbation(count, seed=seed))]

    once, again, other = (drawn(3, seed) for seed in (1, 1, 2))
    assert once == again
    assert not set(once) & set(other)
    assert drawn(5, 1)[:3] == once, "more perturbations do not change the first"


def test_what_cannot_be_perturbed_is_refused(scan):
    image, mask = scan
    with pytest.raises(GeometryError, match="label 2"):
        list(perturbed(image, mask, 2, Perturbation(2)))
    with pytest.raises(InvalidValueError):
        Perturbation(1)
    with pytest.raises(InvalidValueError):
        Perturbation(contour_sd_mm=-1.0)
