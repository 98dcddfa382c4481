"""What every image source promises."""

from __future__ import annotations

import datetime as dt
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import dicom_files
from tests.fakes.imaging import World
from trialimg.adapters.dicom.source import DicomSource
from trialimg.core.errors import IntakeError
from trialimg.services.images import ContourSet, FileRecord
from trialimg.services.ports import ImageSource
from trialimg.volume import Mask

SQUARE = np.array([(-9.0, 21.0), (-7.0, 21.0), (-7.0, 23.0), (-9.0, 23.0)])


@dataclass(frozen=True)
class Material:
    """A source of one whole series with contours, and one that is broken."""

    source: ImageSource
    root: Path


def dicom_material(folder: Path) -> Material:
    pixels = np.arange(6 * 8 * 10, dtype=np.int16).reshape(6, 8, 10)
    dicom_files.save(dicom_files.stack(pixels), folder / "whole")
    broken = dicom_files.stack(pixels, series=2)
    dicom_files.save([*broken[:2], *broken[3:]], folder / "broken")
    contour = np.column_stack((SQUARE, np.full(4, 32.0)))
    dicom_files.save([dicom_files.structure_set({"lesion": [contour]})], folder, name="contours{}.dcm")
    return Material(DicomSource(), folder)


def fake_material(folder: Path) -> Material:
    world = World()
    whole = world.add("S1", dt.date(2024, 1, 31), ((0.0, 0.0, 60.0), 30.0))
    world.add("S1", dt.date(2024, 3, 31), broken="a hole")
    volume = world.volumes[whole.series_uid]
    inside = Mask((volume.array > 150).astype(np.uint8), volume.geometry, ((1, "lesion"),))
    file = FileRecord("contours", "sha256:contours")
    world.contour_sets.append(ContourSet("S1", whole.series_uid, whole.frame_of_reference_uid, file, ("lesion",)))
    world.regions[file.path] = {"lesion": inside}
    return Material(world, folder)


@pytest.fixture(params=[dicom_material, fake_material], ids=["dicom", "fake"])
def material(request: pytest.FixtureRequest, tmp_path: Path) -> Material:
    return request.param(tmp_path)


def test_looking_twice_finds_the_same_in_the_same_order(material):
    first = material.source.index(material.root)
    assert first == material.source.index(material.root)
    assert len(first.series) == 2


def test_files_are_named_from_the_root_and_known_by_their_digest(material):
    index = material.source.index(material.root)
    records = [file for series in index.series for file in series.files]
    records += [contour_set.file for contour_set in index.contour_sets]
    assert len({record.digest for record in records}) == len(records)
    assert all(record.digest.startswith("sha256:") for record in records)
    assert not any(Path(record.path).is_absolute() or "\\" in record.path for record in records)


def test_the_voxels_lie_on_the_grid_that_the_record_describes(material):
    series = whole(material)
    volume = material.source.volume(series, material.root)
    assert volume.array.shape[1:] == (series.rows, series.columns)
    assert volume.geometry.in_plane_spacing_mm == series.pixel_spacing_mm
    assert volume.modality == series.modality


def test_a_series_that_is_not_whole_is_refused_with_a_reason(material):
    with pytest.raises(IntakeError) as refused:
        material.source.volume(material.source.index(material.root).series[1], material.root)
    assert [fault.code for fault in refused.value.faults] == ["missing_slices"]


def test_contours_become_named_masks_on_the_images_grid(material):
    (contour_set,) = material.source.index(material.root).contour_sets
    image = material.source.volume(whole(material), material.root)
    regions = material.source.contours(contour_set, image, material.root)
    assert tuple(regions) == contour_set.names == ("lesion",)
    regions["lesion"].geometry.require_same(image.geometry, "region", "image")
    assert regions["lesion"].labels == (1,)


def test_contours_name_the_series_they_were_drawn_on(material):
    index = material.source.index(material.root)
    assert index.contour_sets[0].series_uid == whole(material).series_uid
    assert index.contour_sets[0].frame_of_reference_uid == whole(material).frame_of_reference_uid


def test_a_source_travels_to_another_process(material):
    travelled = pickle.loads(pickle.dumps(material.source))
    assert travelled.index(material.root) == material.source.index(material.root)


def whole(material: Material):
    return material.source.index(material.root).series[0]
