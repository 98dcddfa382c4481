"""A line drawn by hand changes a lesion's mask in one slice; the mask before it stays, and is named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import IntakeError, ReadingError
from trialimg.services.outlining import Region, outlined
from trialimg.services.prompted import KeptMasks
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((50, 40, 12), (0.8, 1.1, 3.0), (-12.0, 30.0, -90.0), (0.0, -1.0, 0.0, 0.8, 0.0, 0.6, -0.6, 0.0, 0.8))
"""Turned, pixels that are not square."""
VOXEL_ML = 0.8 * 1.1 * 3.0 / 1000


@pytest.fixture
def series():
    array = np.full(GRID.shape, 20, np.int16)
    array[4, 10:20, 10:20] = 120
    kept = KeptSeries(MemoryBlobStore())
    kept.keep("2.25.1", encode(Volume(array, GRID, "CT", Unit.HU)))
    return kept


@pytest.fixture
def masks():
    return KeptMasks(MemoryBlobStore())


def square(k, first, behind):
    """Corners half way between pixel centres: rows and columns from ``first`` up to before ``behind``."""
    low, high = first - 0.5, behind - 0.5
    corners = ((low, low), (high, low), (high, high), (low, high))
    return tuple(tuple(map(float, GRID.to_lps((i, j, k)))) for i, j in corners)


def region(k, first, behind, *, adds=True):
    return Region("2.25.1", k, square(k, first, behind), adds)


def mask_of(k, first, behind, grid=GRID):
    array = np.zeros(grid.shape, np.uint8)
    array[k, first:behind, first:behind] = 1
    return Mask(array, grid)


def evidence(masks, mask, **more):
    return {"digest": masks.keep(mask), "series_uid": "2.25.1", **more}


def whole(mask):
    """A mask of a part, on the grid of the image."""
    offset = np.rint(GRID.to_index(mask.geometry.origin_lps_mm)).astype(int)
    array = np.zeros(GRID.shape, bool)
    i, j, k = offset
    n, rows, columns = mask.array.shape
    array[k : k + n, j : j + rows, i : i + columns] = mask.array != 0
    return array


def test_a_line_around_nothing_begins_a_lesion_of_the_readers_own(series, masks):
    axes = outlined(series, masks, region(4, 10, 20), before={})
    assert whole(masks.mask(axes.digest)).sum() == 100
    assert (axes.outline, axes.edited_from) == ("by_hand", "")
    assert float(axes.volume_ml) == pytest.approx(100 * VOXEL_ML, abs=0.0005)
    assert axes.mean_hu == "120.0"


def test_what_is_added_joins_what_the_software_found(series, masks):
    before = evidence(masks, mask_of(4, 10, 20))
    axes = outlined(series, masks, region(5, 12, 30), before=before)
    array = whole(masks.mask(axes.digest))
    assert (array[4].sum(), array[5].sum()) == (100, 18 * 18)
    assert (axes.outline, axes.edited_from) == ("edited", before["digest"])
    assert masks.mask(before["digest"]).array.sum() == 100  # what the software drew is still there


def test_what_is_cut_goes_from_its_slice_alone(series, masks):
    array = np.zeros(GRID.shape, np.uint8)
    array[3:6, 10:20, 10:20] = 1
    before = evidence(masks, Mask(array, GRID))
    axes = outlined(series, masks, region(4, 15, 39, adds=False), before=before)
    assert [int(one.sum()) for one in whole(masks.mask(axes.digest))[3:6]] == [100, 75, 100]


def test_a_mask_on_a_part_of_the_image_is_found_in_its_place(series, masks):
    part = GRID.cropped((5, 5, 3), (45, 35, 8))
    before = evidence(masks, mask_of(1, 5, 15, part))  # rows and columns 10 to 19 of slice 4
    axes = outlined(series, masks, region(4, 15, 25), before=before)
    expected = np.zeros(GRID.shape, bool)
    expected[4, 10:20, 10:20] = True
    expected[4, 15:25, 15:25] = True
    assert (whole(masks.mask(axes.digest)) == expected).all()


def test_the_axes_are_those_of_the_new_mask_where_the_patient_lies(series, masks):
    axes = outlined(series, masks, region(7, 10, 30), before={})
    points = GRID.to_index(axes.long_axis_lps_mm)
    assert points[:, 2] == pytest.approx([7, 7], abs=1e-6)
    length = np.linalg.norm(np.subtract(*axes.long_axis_lps_mm))
    assert length == pytest.approx(np.hypot(19 * 0.8, 19 * 1.1) + np.sqrt(0.8 * 1.1) / 2, abs=0.01)


def test_further_changes_still_name_the_softwares_own_mask(series, masks):
    first = evidence(masks, mask_of(4, 10, 20))
    once = outlined(series, masks, region(4, 15, 25), before=first)
    before = {"digest": once.digest, "series_uid": "2.25.1", "outline": once.outline, "edited_from": once.edited_from}
    again = outlined(series, masks, region(5, 10, 12), before=before)
    assert (again.outline, again.edited_from) == ("edited", first["digest"])


def test_what_a_person_began_stays_theirs(series, masks):
    once = outlined(series, masks, region(4, 10, 20), before={})
    before = {"digest": once.digest, "series_uid": "2.25.1", "outline": once.outline}
    again = outlined(series, masks, region(4, 18, 22), before=before)
    assert (again.outline, again.edited_from) == ("by_hand", "")


@pytest.mark.parametrize("k", [0, 11])
def test_the_first_and_the_last_slice_can_be_outlined_too(series, masks, k):
    axes = outlined(series, masks, region(k, 10, 20), before={})
    assert whole(masks.mask(axes.digest))[k].sum() == 100


def test_a_line_beyond_the_rim_encloses_what_there_is(series, masks):
    axes = outlined(series, masks, region(4, -2, 6), before={})
    assert whole(masks.mask(axes.digest))[4, :6, :6].all()
    assert whole(masks.mask(axes.digest)).sum() == 36


def test_a_lesion_cannot_be_cut_away_altogether(series, masks):
    kept = dict(masks.store.blobs)
    with pytest.raises(ReadingError, match="nothing of the lesion"):
        outlined(series, masks, region(4, 5, 30, adds=False), before={})
    assert masks.store.blobs == kept
    before = evidence(masks, mask_of(4, 10, 20))
    with pytest.raises(ReadingError, match="nothing of the lesion"):
        outlined(series, masks, region(4, 5, 30, adds=False), before=before)


def test_an_outline_of_other_images_is_not_changed_on_these(series, masks):
    other = evidence(masks, mask_of(4, 10, 20)) | {"series_uid": "2.25.2"}
    with pytest.raises(ReadingError, match="another series"):
        outlined(series, masks, region(4, 5, 30), before=other)
    finer = Geometry((50, 40, 12), (0.4, 0.55, 3.0), GRID.origin_lps_mm, GRID.direction)
    with pytest.raises(ReadingError, match="another grid"):
        outlined(series, masks, region(4, 5, 30), before=evidence(masks, mask_of(4, 10, 20, finer)))


def test_images_that_are_not_kept_cannot_be_outlined(masks):
    with pytest.raises(IntakeError, match="not here"):
        outlined(KeptSeries(MemoryBlobStore()), masks, region(4, 5, 30), before={})
