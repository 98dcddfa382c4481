"""What is sent to a viewer is the image: its values, its place, its outlines."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import IntakeError
from trialimg.services.decoded_slices import DecodedSlices
from trialimg.services.viewing import KeptSeries, encode, outlines_lps_mm
from trialimg.volume import Geometry, Mask, Unit, Volume

TURNED = Geometry((4, 3, 2), (0.7, 0.9, 2.5), (10.0, -20.0, 30.0), (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))


def decoded(series):
    return np.stack([np.frombuffer(gzip.decompress(one), "<i2") for one in series.slices]).reshape(
        series.geometry["shape"]
    )


def test_whole_numbers_are_sent_as_they_are():
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 1000
    series = encode(Volume(array, TURNED, "CT"))
    assert series.geometry["step"] == 1.0
    assert (decoded(series) == array).all()


def test_other_values_keep_four_digits():
    array = np.random.default_rng(1).uniform(0, 25, (2, 3, 4))
    series = encode(Volume(array, TURNED, "PT"))
    assert np.abs(decoded(series) * series.geometry["step"] - array).max() <= series.geometry["step"] / 2 < 0.001


def test_the_first_pixels_place_and_the_directions_are_those_of_the_grid():
    geometry = encode(Volume(np.zeros((2, 3, 4), np.int16), TURNED, "CT")).geometry
    assert geometry["pixel_spacing"] == [0.9, 0.7]
    row, column = np.reshape(geometry["orientation"], (2, 3))
    place = np.array(geometry["positions"][1]) + 2 * 0.7 * row + 1 * 0.9 * column
    assert place == pytest.approx(TURNED.to_lps((2, 1, 1)))


def test_an_image_without_numbers_is_refused():
    with pytest.raises(IntakeError, match="not numbers"):
        encode(Volume(np.full((2, 3, 4), np.nan), TURNED, "PT"))


def test_a_kept_series_comes_back_and_a_stranger_does_not():
    kept = KeptSeries(MemoryBlobStore())
    series = encode(Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), TURNED, "CT"))
    assert not kept.has("s1")
    kept.keep("s1", series)
    assert kept.has("s1")
    assert kept.geometry("s1") == series.geometry
    assert kept.slice("s1", 1) == series.slices[1]
    assert kept.slice("s1", 2) is None
    assert kept.geometry("s2") is None


def test_outlines_run_around_the_mask_in_patient_coordinates():
    array = np.zeros((2, 3, 4), np.uint8)
    array[1, 1, 2] = 1
    ((number, lines),) = outlines_lps_mm(Mask(array, TURNED)).items()
    assert number == 1
    corners = [TURNED.to_lps(place) for place in ((1.5, 1, 1), (2.5, 1, 1), (2, 0.5, 1), (2, 1.5, 1))]
    for corner in corners:
        assert np.linalg.norm(np.array(lines[0]) - corner, axis=1).min() < 0.01


def test_an_empty_mask_has_no_outline_and_a_hole_has_one_of_its_own():
    array = np.zeros((2, 9, 9), np.uint8)
    grid = Geometry((9, 9, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert outlines_lps_mm(Mask(array, grid)) == {}
    array[0, 2:7, 3:8] = 1
    array[0, 4, 5] = 0
    lines = outlines_lps_mm(Mask(array, grid))[0]
    assert len(lines) == 2
    assert {(min(x for x, *_ in line), max(x for x, *_ in line)) for line in lines} == {(2.5, 7.5), (4.5, 5.5)}


def test_a_forgotten_series_leaves_nothing_behind():
    kept = KeptSeries(MemoryBlobStore())
    for name in ("s1", "s2"):
        kept.keep(name, encode(Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), TURNED, "CT")))
    assert kept.forget("s1") == 3
    assert not kept.has("s1")
    assert len(kept.store.blobs) == 3
    assert kept.forget("s1") == 0


def test_unit_and_frame_of_reference_are_kept_the_frame_as_a_digest():
    volume = Volume(np.ones((2, 3, 4), np.float32), TURNED, "PT", Unit.SUV_BW)
    geometry = encode(volume, frame_of_reference_uid="2.25.7").geometry
    assert geometry["unit"] == "g/ml{SUVbw}"
    assert geometry["frame"].startswith("sha256:")
    assert encode(volume).geometry["frame"] == ""
    kept = KeptSeries(MemoryBlobStore())
    kept.keep("s1", encode(volume))
    assert kept.volume("s1").unit is Unit.SUV_BW


class CountingStore(MemoryBlobStore):
    """Counts what is read; each of these series has one blob more than slices: its geometry."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def get(self, key):
        self.read += len(self.blobs[key]) > 0 if key in self.blobs else 0
        return super().get(key)


def numbered(count: int) -> Volume:
    grid = Geometry((4, 3, count), (0.7, 0.9, 2.5), (10.0, -20.0, 30.0))
    return Volume(np.arange(12 * count, dtype=np.int16).reshape(count, 3, 4), grid, "CT", Unit.HU)


def test_slices_at_hand_are_not_read_again_and_are_the_same_voxels():
    store = CountingStore()
    kept = KeptSeries(store, DecodedSlices())
    kept.keep("s", encode(numbered(8)))
    before = store.read
    kept.read_ahead("s", (2, 3, 4, 99))
    assert store.read - before == 1 + 3  # the geometry, and the slices that there are
    first = kept.volume("s", range(1, 6))
    assert store.read - before == 1 + 3 + 1 + 2
    assert np.array_equal(first.array, KeptSeries(store).volume("s", range(1, 6)).array)
    assert np.array_equal(first.array, numbered(8).array[1:6])


def test_without_a_place_at_hand_nothing_is_read_ahead():
    store = CountingStore()
    kept = KeptSeries(store)
    kept.keep("s", encode(numbered(3)))
    before = store.read
    kept.read_ahead("s", (0, 1))
    assert store.read - before <= 1


def test_a_part_is_what_the_whole_is_cropped_to_and_no_other_slice_is_read():
    store = CountingStore()
    kept = KeptSeries(store)
    kept.keep("s", encode(numbered(8)))
    box = (1, 0, 2), (4, 2, 5)
    before = store.read
    part = kept.volume("s", part=lambda _: box)
    assert store.read - before == 1 + 3
    whole = kept.volume("s").cropped(*box)
    assert np.array_equal(part.array, whole.array)
    assert part.geometry == whole.geometry


def test_a_series_that_was_removed_is_not_at_hand_either():
    kept = KeptSeries(MemoryBlobStore(), DecodedSlices())
    kept.keep("s", encode(numbered(3)))
    assert kept.volume("s") is not None
    kept.forget("s")
    assert kept.volume("s") is None
    assert kept.at_hand.get("s", 0) is None
