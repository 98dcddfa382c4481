"""Images and masks on their grids."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from trialimg.core.errors import GeometryError, IntegrityError
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.packing import pack_mask, unpack_mask
from trialimg.volume.resample import Interpolator, resample, resample_mask

GRID = Geometry((5, 4, 3), (1.0, 2.0, 5.0), (-10.0, 20.0, 30.0))


def ramp() -> Volume:
    """A volume whose value is the x coordinate in mm."""
    x = GRID.to_lps([(i, 0, 0) for i in range(5)])[:, 0]
    return Volume(np.broadcast_to(x, GRID.shape).astype(np.float32).copy(), GRID)


def test_an_array_that_does_not_fit_its_grid_is_refused():
    with pytest.raises(GeometryError, match="does not fit"):
        Volume(np.zeros((5, 4, 3)), GRID)


def test_through_simpleitk_and_back():
    volume = ramp()
    back = Volume.from_sitk(volume.to_sitk())
    assert np.array_equal(back.array, volume.array)
    assert GRID.differences(back.geometry) == ()


def test_a_mask_holds_labels_only():
    with pytest.raises(GeometryError, match="unsigned"):
        Mask(np.zeros(GRID.shape, np.int16), GRID)  # type: ignore[arg-type]
    half = sitk.GetImageFromArray(np.full((2, 2, 2), 0.5, np.float32))
    with pytest.raises(GeometryError, match="fractions"):
        Mask.from_sitk(half)
    negative = sitk.GetImageFromArray(np.full((2, 2, 2), -1, np.int16))
    with pytest.raises(GeometryError, match="from 0 to 65535"):
        Mask.from_sitk(negative)


def test_labels_are_listed_without_background():
    array = np.zeros(GRID.shape, np.uint8)
    array[0, 0, 0], array[1, 1, 1] = 7, 2
    mask = Mask(array, GRID)
    assert (mask.labels, mask.is_empty, mask.only(7).array.sum()) == ((2, 7), False, 1)
    assert Mask(np.zeros(GRID.shape, np.uint8), GRID).is_empty


def test_a_cut_shows_the_same_voxels_at_the_same_place():
    part = ramp().cropped((1, 1, 0), (4, 3, 2))
    assert part.array[0, 0, 0] == part.geometry.to_lps((0, 0, 0))[0]


def test_resampling_keeps_values_at_their_place_and_says_so():
    finer = Geometry((9, 7, 3), (0.5, 1.0, 5.0), GRID.origin_lps_mm)
    moved = resample(ramp(), finer, Interpolator.LINEAR, outside=-1000)
    expected = finer.to_lps([(i, 0, 0) for i in range(9)])[:, 0]
    assert moved.array[1, 2] == pytest.approx(expected, abs=1e-4)
    assert moved.history == ("resampled to (9, 7, 3) voxels of (0.5, 1.0, 5.0) mm, linear",)


def test_outside_of_the_image_is_what_the_caller_says():
    far = Geometry((2, 2, 2), (1, 1, 1), (500, 500, 500))
    assert np.all(resample(ramp(), far, Interpolator.NEAREST, outside=-1000).array == -1000)
    full = Mask(np.ones(GRID.shape, np.uint8), GRID)
    assert resample_mask(full, far).is_empty


def test_a_moved_mask_keeps_whole_labels_and_its_volume():
    grid = Geometry((40, 40, 20), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))
    k, j, i = np.indices(grid.shape)
    ball = (i - 20) ** 2 + (j - 20) ** 2 + (2 * k - 20) ** 2 <= 100
    mask = Mask((ball * 3).astype(np.uint8), grid)
    shifted = resample_mask(mask, grid, transform=sitk.TranslationTransform(3, (0.5, 0.25, 0.5)))
    assert shifted.labels == (3,)
    assert np.count_nonzero(shifted.array) == pytest.approx(np.count_nonzero(ball), rel=0.04)  # voxels on the surface


def test_a_packed_mask_comes_back_and_has_one_form():
    array = np.zeros(GRID.shape, np.uint16)
    array[1, 2, 3] = 300
    mask = Mask(array, GRID, ((300, "T01"),))
    back = unpack_mask(pack_mask(mask))
    assert np.array_equal(back.array, array)
    assert (back.geometry, back.names) == (GRID, ((300, "T01"),))
    assert pack_mask(back) == pack_mask(mask)


@pytest.mark.parametrize("data", [b"", b"{}", b"not json\nxx", b'{"size":[1,1,1]}\nxx'])
def test_bytes_that_are_no_mask_are_refused(data):
    with pytest.raises(IntegrityError):
        unpack_mask(data)
