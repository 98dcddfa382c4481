"""Answers to lines drawn again: as far apart as the segmenter follows the hand, and doubted where that is far."""

from __future__ import annotations

from itertools import count, cycle

import numpy as np
import pytest

from tests.fakes.imaging import BrightSegmenter, body_with
from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import IntakeError
from trialimg.imaging.reader_prompts import ReaderHand
from trialimg.services.prompted import KeptMasks, proposed_axes
from trialimg.services.redrawn_answers import AnsweredLine, Doubt, redrawn_answers
from trialimg.services.uncertainty import UncertaintySettings
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Geometry, Mask

UID, CENTRE, DIAMETER_MM = "2.25.1", (0.0, -20.0, 60.0), 40.0
LINE = ((-20.0, -20.0, 60.0), (20.0, -20.0, 60.0))
FINE = Geometry((64, 64, 60), (1.6, 1.6, 2.0), (-51.0, -71.0, 0.0))


class AsDrawn(BrightSegmenter):
    """Follows the line: a ball over it, whatever the image shows."""

    def segment(self, image, prompt):
        ends = np.array([prompt.start_lps_mm, prompt.end_lps_mm])
        k, j, i = np.indices(image.geometry.shape)
        places = image.geometry.to_lps(np.stack([i, j, k], axis=-1).reshape(-1, 3))
        away = np.linalg.norm(places - ends.mean(axis=0), axis=1)
        ball = away <= np.linalg.norm(ends[0] - ends[1]) / 2
        return Mask(ball.reshape(image.geometry.shape).astype(np.uint8), image.geometry)


class Seldom(AsDrawn):
    """Finds nothing at every second line."""

    finds = cycle((True, False))

    def segment(self, image, prompt):
        found = super().segment(image, prompt)
        return found if next(self.finds) else Mask(np.zeros_like(found.array), found.geometry)


@pytest.fixture(scope="module")
def series():
    kept = KeptSeries(MemoryBlobStore())
    kept.keep(UID, encode(body_with(((CENTRE, DIAMETER_MM),), FINE)))
    return kept


def asked(series, segmenter, *, seconds=0.0, clock=lambda: 0.0, **hand):
    masks = KeptMasks(MemoryBlobStore())
    axes = proposed_axes(series, masks, segmenter, uid=UID, line=LINE)
    line = AnsweredLine(UID, LINE, axes.digest, seconds)
    settings = UncertaintySettings(hand=ReaderHand(**hand))
    return redrawn_answers(series, masks, segmenter, line=line, settings=settings, clock=clock), axes


def test_a_segmenter_that_looks_at_the_image_alone_gives_one_answer_and_no_doubt(series):
    found, axes = asked(series, BrightSegmenter())
    assert (found.answers, found.empty, found.doubts) == (8, 0, ())
    assert found.agreement == 1.0
    assert found.long_mm[0] == found.long_mm[1] == pytest.approx(np.linalg.norm(np.subtract(*axes.long_axis_lps_mm)))
    assert found.volume_ml[0] == pytest.approx(float(axes.volume_ml), abs=0.001)


def test_a_segmenter_that_follows_the_line_is_as_unsteady_as_the_hand(series):
    steady, axes = asked(series, AsDrawn(), length_sd=0.01, least_sd_mm=0.2)
    shaky, _ = asked(series, AsDrawn(), length_sd=0.1)
    first_mm = float(np.linalg.norm(np.subtract(*axes.long_axis_lps_mm)))
    assert steady.long_mm[0] <= first_mm <= steady.long_mm[1]
    assert steady.doubts == ()
    assert shaky.long_mm[1] - shaky.long_mm[0] > 2 * (steady.long_mm[1] - steady.long_mm[0])
    assert shaky.agreement < steady.agreement
    assert {Doubt.LONG_AXIS, Doubt.VOLUME, Doubt.SHAPE} <= set(shaky.doubts)


def test_the_same_line_is_redrawn_in_the_same_way(series):
    assert asked(series, AsDrawn())[0] == asked(series, AsDrawn())[0]


def test_lines_that_find_nothing_are_counted_and_doubted_and_stay_out_of_the_range(series):
    found, _ = asked(series, Seldom())
    assert (found.answers, found.empty) == (8, 4)
    assert found.long_mm[0] > 30
    assert {Doubt.EMPTY, Doubt.SHAPE} <= set(found.doubts)


def every(seconds):
    """A clock that is looked at twice for each answer."""
    ticks = count()
    return lambda: next(ticks) * seconds


def test_a_slow_segmenter_is_asked_less_often(series):
    assert asked(series, BrightSegmenter(), clock=every(0.2))[0].answers == 6
    assert asked(series, BrightSegmenter(), seconds=1.5)[0].answers == 8


@pytest.mark.parametrize("seconds", [1.5, 4.0, 5.0])
def test_a_large_lesion_has_the_fewest_answers_that_make_a_range(series, seconds):
    found, _ = asked(series, AsDrawn(), seconds=seconds, clock=every(seconds))
    assert found.answers == 3
    assert found.long_mm[0] < found.long_mm[1]


def test_one_that_would_take_longer_than_anybody_waits_has_none(series):
    assert asked(series, BrightSegmenter(), seconds=10.0, clock=every(10.0))[0] is None
    assert asked(series, BrightSegmenter(), seconds=21.0)[0] is None


def test_an_answer_whose_outline_is_gone_has_no_range(series):
    line = AnsweredLine(UID, LINE, "sha256:0", 0.1)
    with pytest.raises(IntakeError, match="outline"):
        redrawn_answers(series, KeptMasks(MemoryBlobStore()), BrightSegmenter(), line=line)
