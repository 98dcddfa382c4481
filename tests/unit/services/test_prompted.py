"""A line becomes a lesion with its measurements; where nothing lies under it, nothing is made up."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.imaging import GRID, body_with
from tests.fakes.store import MemoryBlobStore
from trialimg.bootstrap import segmenter
from trialimg.core.errors import IntakeError, ModelError
from trialimg.services.prompted import KeptMasks, around, kept_outlines, outlines_on, proposed_axes, series_volume
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Mask, Unit, Volume

CENTRE, DIAMETER_MM = (0.0, -20.0, 60.0), 40.0
LINE = ((-20.0, -20.0, 60.0), (20.0, -20.0, 60.0))


class Nothing:
    """A segmenter that never finds anything."""

    def segment(self, volume, prompt):
        return Mask(np.zeros(volume.geometry.shape, np.uint8), volume.geometry)


@pytest.fixture(scope="module")
def series():
    kept = KeptSeries(MemoryBlobStore())
    kept.keep("2.25.1", encode(body_with(((CENTRE, DIAMETER_MM),))))
    return kept


@pytest.fixture(scope="module")
def answered(series):
    masks = KeptMasks(MemoryBlobStore())
    return proposed_axes(series, masks, segmenter("classical"), uid="2.25.1", line=LINE), masks


def length_mm(points):
    return float(np.linalg.norm(np.subtract(*points)))


def test_a_line_across_a_ball_is_answered_by_its_diameter_volume_and_density(answered):
    axes, _ = answered
    assert length_mm(axes.long_axis_lps_mm) == pytest.approx(DIAMETER_MM, abs=6)  # pixels of 4 mm, slices of 6 mm
    assert length_mm(axes.short_axis_lps_mm) == pytest.approx(DIAMETER_MM, abs=8)
    assert float(axes.volume_ml) == pytest.approx(np.pi * DIAMETER_MM**3 / 6 / 1000, rel=0.25)
    assert float(axes.mean_hu) == pytest.approx(200, abs=15)
    assert np.mean(axes.long_axis_lps_mm, axis=0) == pytest.approx(CENTRE, abs=6)


def test_the_mask_is_kept_under_the_digest_that_the_answer_names(answered):
    axes, masks = answered
    mask = masks.mask(axes.digest)
    assert mask is not None
    assert mask.array.sum() * 4 * 4 * 6 / 1000 == pytest.approx(float(axes.volume_ml), abs=0.001)
    assert masks.mask("sha256:0") is None


def test_its_outlines_lie_on_the_slices_of_the_series(answered, series):
    axes, masks = answered
    geometry = series.geometry("2.25.1")
    found = outlines_on(masks.mask(axes.digest), geometry)
    assert set(found) <= set(range(geometry["shape"][0]))
    for number, lines in found.items():
        for line in lines:
            assert {point[2] for point in line} == {geometry["positions"][number][2]}


def test_where_nothing_is_found_the_reader_is_told_to_measure(series):
    masks = MemoryBlobStore()
    with pytest.raises(ModelError, match="by hand"):
        proposed_axes(series, KeptMasks(masks), Nothing(), uid="2.25.1", line=LINE)
    assert masks.blobs == {}


def test_images_that_are_not_kept_cannot_be_prompted(series):
    with pytest.raises(IntakeError, match="not here"):
        series_volume(series, "2.25.404")


def test_density_is_known_for_ct_alone(series):
    kept = KeptSeries(MemoryBlobStore())
    body = body_with(((CENTRE, DIAMETER_MM),))
    kept.keep("2.25.2", encode(Volume(body.array, GRID, "MR", Unit.ARBITRARY)))
    axes = proposed_axes(kept, KeptMasks(MemoryBlobStore()), segmenter("classical"), uid="2.25.2", line=LINE)
    assert axes.mean_hu == ""


def test_only_the_slices_around_the_line_are_read_and_the_answer_is_the_same(series, answered):
    whole, masks = answered
    read: list[str] = []

    class Counting(MemoryBlobStore):
        def get(self, key):
            read.append(key)
            return series.store.get(key)

    counted = KeptSeries(Counting())
    mid = tuple((x, y, 0.0) for x, y, _ in LINE)  # at the lower rim of the image
    with pytest.raises(ModelError):
        proposed_axes(counted, masks, Nothing(), uid="2.25.1", line=mid)
    assert len(read) < series.geometry("2.25.1")["shape"][0]
    axes = proposed_axes(KeptSeries(Counting()), masks, segmenter("classical"), uid="2.25.1", line=LINE)
    assert axes == whole


def test_the_segmenter_sees_the_line_with_its_surroundings_and_no_more():
    body = body_with(())
    part = around(body, LINE)
    low, high = part.geometry.to_lps([(0, 0, 0), tuple(n - 1 for n in part.geometry.size)])
    assert (low <= np.subtract(CENTRE, (60, 60, 60)) + 6).all()
    assert (high >= np.add(CENTRE, (60, 60, 60)) - 6).all()
    assert np.prod(part.geometry.size) < np.prod(GRID.size)
    at_the_rim = around(body, ((-126.0, -110.0, 0.0), (-116.0, -110.0, 0.0)))
    assert at_the_rim.geometry.origin_lps_mm == GRID.origin_lps_mm


def test_outlines_of_a_kept_mask_are_those_of_the_mask_and_a_stranger_has_none(answered, series):
    axes, masks = answered
    found = kept_outlines(masks, axes.digest, series, "2.25.1")
    assert found == outlines_on(masks.mask(axes.digest), series.geometry("2.25.1"))
    empty = KeptMasks(MemoryBlobStore())
    assert kept_outlines(empty, axes.digest, series, "2.25.1") == {}
    empty.keep(masks.mask(axes.digest))
    assert kept_outlines(empty, axes.digest, series, "2.25.1") == found  # that there was none is not remembered
