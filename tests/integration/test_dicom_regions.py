"""Contours and segmentations out of DICOM, as masks on an image's grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.dicom_files import OBLIQUE, ORIGIN, save, segmentation, stack, structure_set
from trialimg.adapters.dicom.source import DicomSource, read_dicom_mask, read_regions
from trialimg.core.errors import GeometryError, IntakeError
from trialimg.volume import Geometry, Volume

PIXELS = np.zeros((6, 16, 20), np.int16)
GRID = Geometry((20, 16, 6), (0.5, 0.75, 2.0), ORIGIN)


def ring(low: tuple[float, float], high: tuple[float, float], k: float, grid: Geometry = GRID) -> np.ndarray:
    """A rectangle between two corners (column, row), at a height in slices, as points in LPS mm."""
    (a, b), (c, d) = low, high
    return grid.to_lps([(a, b, k), (c, b, k), (c, d, k), (a, d, k)])


def regions(folder: Path, contours: dict[str, list[np.ndarray]], grid: Geometry = GRID, **kind: str):
    (path,) = save([structure_set(contours, **kind)], folder, name="contours{}")
    return read_regions(path, grid, where="contours")


class TestContours:
    def test_a_contour_fills_its_slice(self, tmp_path):
        mask = regions(tmp_path, {"lesion": [ring((2.5, 3.5), (6.5, 5.5), 4)]})["lesion"]
        assert {tuple(index) for index in np.argwhere(mask.array)} == {(4, j, i) for j in (4, 5) for i in (3, 4, 5, 6)}
        assert mask.names == ((1, "lesion"),)

    def test_slices_in_any_orientation(self, tmp_path):
        save(stack(PIXELS, orientation=OBLIQUE), tmp_path / "image")
        source = DicomSource()
        image = source.volume(source.index(tmp_path / "image").series[0], tmp_path / "image")
        mask = regions(tmp_path, {"a": [ring((2.5, 3.5), (6.5, 5.5), 4, image.geometry)]}, image.geometry)["a"]
        assert np.argwhere(mask.array).min(axis=0).tolist() == [4, 4, 3]
        assert mask.array.sum() == 8

    def test_holes_islands_and_the_same_written_as_xor(self, tmp_path):
        contours = [ring((1.5, 1.5), (9.5, 9.5), 2), ring((3.5, 3.5), (6.5, 6.5), 2), ring((12.5, 2.5), (14.5, 4.5), 2)]
        mask = regions(tmp_path / "1", {"lesion": contours})["lesion"]
        assert mask.array[2].sum() == 64 - 9 + 4
        again = regions(tmp_path / "2", {"lesion": contours}, kind="CLOSEDPLANAR_XOR")["lesion"]
        assert np.array_equal(again.array, mask.array)

    @pytest.mark.parametrize("off", [-0.49, -0.2, 0.2, 0.49])
    def test_a_contour_within_half_a_slice_belongs_to_it(self, tmp_path, off):
        mask = regions(tmp_path, {"lesion": [ring((2.5, 3.5), (6.5, 5.5), 3 + off)]})["lesion"]
        assert np.flatnonzero(mask.array.any(axis=(1, 2))).tolist() == [3]

    def test_points_and_open_lines_are_no_regions(self, tmp_path):
        with pytest.raises(IntakeError, match="no closed contour"):
            regions(tmp_path, {"axis": [ring((1, 1), (3, 3), 2)]}, kind="OPEN_PLANAR")

    def test_regions_keep_their_order_and_equal_names_are_told_apart(self, tmp_path):
        square = [ring((2.5, 3.5), (6.5, 5.5), 4)]
        found = regions(tmp_path, {"z": square, "node#1": square, "node#2": square})
        assert list(found) == ["z", "node (2)", "node (3)"]

    @pytest.mark.parametrize(
        ("what", "contours", "message"),
        [
            ("beyond the stack", [ring((2.5, 3.5), (6.5, 5.5), 9)], "outside of the image"),
            ("beside the slices", [ring((30, 3.5), (40, 5.5), 2)], "outside of the image"),
            ("across slices", [GRID.to_lps([(2, 2, 1), (6, 2, 1), (6, 2, 4), (2, 2, 4)])], "across slices"),
            ("from a finer stack", [ring((2.5, 3.5), (6.5, 5.5), k) for k in (3, 3.3)], "finer stack"),
            ("every second slice", [ring((2.5, 3.5), (6.5, 5.5), k) for k in (1, 3, 5)], "none between"),
            ("smaller than a voxel", [ring((2.6, 3.6), (2.9, 3.9), 3)], "no voxel centre"),
        ],
    )
    def test_contours_that_were_not_drawn_on_the_image_are_refused(self, tmp_path, what, contours, message):
        with pytest.raises(GeometryError, match=message) as refused:
            regions(tmp_path, {"lesion": contours})
        assert "region lesion" in str(refused.value)

    def test_a_region_up_to_the_border_is_whole(self, tmp_path):
        mask = regions(tmp_path, {"all": [ring((-0.5, -0.5), (19.5, 15.5), k) for k in range(6)]})["all"]
        assert mask.array.all()

    def test_contours_without_an_image_are_refused(self, tmp_path):
        (path,) = save([structure_set({"a": [ring((1, 1), (3, 3), 2)]})], tmp_path)
        with pytest.raises(GeometryError, match="need the image"):
            read_regions(path, None, where="contours")

    def test_the_index_names_the_series_and_the_regions(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        drawn = structure_set({"lesion": [ring((2.5, 3.5), (6.5, 5.5), 4)]})
        save([drawn], tmp_path, name="contours{}")
        index = DicomSource().index(tmp_path)
        (contour_set,) = index.contour_sets
        assert contour_set.names == ("lesion",)
        assert contour_set.series_uid == index.series[0].series_uid
        assert contour_set.file.path == "contours0"


PART = np.zeros((1, 16, 20), np.uint8)
PART[0, 4:6, 3:7] = 1
OTHER = np.zeros((1, 16, 20), np.uint8)
OTHER[0, 9:12, 3:7] = 1


class TestSegmentations:
    def segments(self, folder: Path, data, grid: Geometry | None = GRID):
        (path,) = save([data], folder, name="seg{}")
        return read_regions(path, grid, where="seg")

    def test_sparse_frames_fall_on_their_slices(self, tmp_path):
        data = segmentation(np.concatenate([PART, OTHER]), slices=[5, 2], segments=[1, 1])
        mask = self.segments(tmp_path, data)["part 1"]
        assert np.array_equal(mask.array[5], PART[0])
        assert np.array_equal(mask.array[2], OTHER[0])
        assert mask.array.sum() == PART.sum() + OTHER.sum()

    def test_its_own_grid_spans_the_frames_left_out(self, tmp_path):
        data = segmentation(np.concatenate([PART, OTHER, PART]), slices=[5, 2, 3], segments=[1, 1, 1])
        mask = self.segments(tmp_path, data, None)["part 1"]
        assert mask.geometry.size == (20, 16, 4)
        assert mask.geometry.origin_lps_mm == (ORIGIN[0], ORIGIN[1], ORIGIN[2] + 4.0)
        assert [bool(plane.any()) for plane in mask.array] == [True, True, False, True]

    def test_frames_that_would_span_an_endless_grid_are_refused(self, tmp_path):
        data = segmentation(np.repeat(PART, 3, axis=0), slices=[0, 1, 10_000_000], segments=[1, 1, 1])
        with pytest.raises(IntakeError, match="voxels; at most"):
            self.segments(tmp_path, data, None)

    def test_its_own_grid_is_not_guessed_where_frames_may_be_missing(self, tmp_path):
        data = segmentation(np.concatenate([PART, OTHER]), slices=[5, 2], segments=[1, 1])  # 6 mm apart, 2 mm thick
        with pytest.raises(IntakeError, match="distance between slices is not stated; give the image"):
            self.segments(tmp_path / "unsaid", data, None)
        data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 3.0
        assert self.segments(tmp_path / "said", data, None)["part 1"].geometry.size == (20, 16, 3)

    def test_a_smaller_frame_falls_on_its_place_in_the_image(self, tmp_path):
        small = PART[:, 3:8, 2:9]
        data = segmentation(small, slices=[4], segments=[1], offset_mm=(2 * 0.5, 3 * 0.75))
        assert np.array_equal(self.segments(tmp_path, data)["part 1"].array[4], PART[0])

    def test_segments_may_overlap(self, tmp_path):
        data = segmentation(np.concatenate([PART, PART]), slices=[4, 4], segments=[1, 2])
        found = self.segments(tmp_path, data)
        assert np.array_equal(found["part 1"].array, found["part 2"].array)
        with pytest.raises(IntakeError, match="'part 1' and 'part 2' overlap"):
            read_dicom_mask(tmp_path / "seg0", GRID)
        assert read_dicom_mask(tmp_path / "seg0", GRID, region="part 2").array.sum() == PART.sum()

    def test_segments_apart_become_labels_with_names(self, tmp_path):
        data = segmentation(np.concatenate([OTHER, PART]), slices=[4, 4], segments=[2, 1])
        save([data], tmp_path, name="seg{}")
        mask = read_dicom_mask(tmp_path / "seg0", GRID)
        assert mask.names == ((1, "part 1"), (2, "part 2"))
        assert np.array_equal(mask.array[4], PART[0] + 2 * OTHER[0])

    def test_a_fraction_of_a_half_is_inside(self, tmp_path):
        frames = np.zeros((1, 16, 20), np.uint8)
        frames[0, 0, :4] = (99, 100, 150, 200)
        data = segmentation(frames, slices=[0], segments=[1], kind="FRACTIONAL", MaximumFractionalValue=200)
        assert np.flatnonzero(self.segments(tmp_path, data)["part 1"].array).tolist() == [1, 2, 3]

    def test_a_label_map_is_taken_apart_without_background_and_undeclared_values(self, tmp_path):
        frames = PART * 3 + OTHER * 7
        data = segmentation(frames, slices=[1], segments=[3], kind="LABELMAP", PixelPaddingValue=7)
        found = self.segments(tmp_path, data)
        assert list(found) == ["part 3"]
        assert np.array_equal(found["part 3"].array[1], PART[0])

    @pytest.mark.parametrize(
        ("what", "grid", "message"),
        [
            ("other pixels", Geometry((20, 16, 6), (0.6, 0.75, 2.0), ORIGIN), "spacing by"),
            ("half a pixel aside", Geometry((20, 16, 6), (0.5, 0.75, 2.0), (-10.25, 20.0, 30.0)), "origin by 0.250 mm"),
            ("half a slice above", Geometry((20, 16, 6), (0.5, 0.75, 2.0), (-10.0, 20.0, 31.0)), "origin by 1.000 mm"),
            ("a shorter stack", Geometry((20, 16, 3), (0.5, 0.75, 2.0), ORIGIN), "outside of the image"),
        ],
    )
    def test_a_segmentation_of_another_grid_is_refused(self, tmp_path, what, grid, message):
        with pytest.raises(GeometryError, match=message):
            self.segments(tmp_path, segmentation(PART, slices=[4], segments=[1]), grid)

    def test_an_image_stacked_the_other_way_is_the_same_grid(self, tmp_path):
        top = (ORIGIN[0], ORIGIN[1], ORIGIN[2] + 10.0)
        downwards = Geometry((20, 16, 6), (0.5, 0.75, 2.0), top, (1, 0, 0, 0, 1, 0, 0, 0, -1))
        mask = self.segments(tmp_path, segmentation(PART, slices=[4], segments=[1]), downwards)["part 1"]
        assert np.array_equal(mask.array[1], PART[0])

    def test_the_source_checks_that_the_file_is_the_one_indexed(self, tmp_path):
        save(stack(PIXELS), tmp_path / "image")
        (path,) = save([segmentation(PART, slices=[4], segments=[1])], tmp_path, name="seg{}")
        source = DicomSource()
        index = source.index(tmp_path)
        image = Volume(PIXELS, GRID)
        assert source.contours(index.contour_sets[0], image, tmp_path)["part 1"].array.sum() == PART.sum()
        path.write_bytes(path.read_bytes() + b"\0\0")
        with pytest.raises(IntakeError, match="not the one that was indexed"):
            source.contours(index.contour_sets[0], image, tmp_path)


def test_a_file_that_holds_no_regions(tmp_path):
    save(stack(PIXELS), tmp_path)
    with pytest.raises(IntakeError, match="neither an RT Structure Set nor a Segmentation"):
        read_dicom_mask(tmp_path / "i0", GRID)
    (tmp_path / "text").write_text("no DICOM")
    with pytest.raises(IntakeError, match="not a DICOM file"):
        read_dicom_mask(tmp_path / "text", GRID)
    with pytest.raises(IntakeError, match="no such file"):
        read_dicom_mask(tmp_path / "absent", GRID)


def test_a_region_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    save([structure_set({"a": [ring((1, 1), (5, 5), 2)], "b": [ring((1, 1), (5, 5), 3)]})], tmp_path)
    with pytest.raises(IntakeError, match="no region 'c'; it has a, b"):
        read_dicom_mask(tmp_path / "i0", GRID, region="c")
