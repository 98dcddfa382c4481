"""What was not there before is offered; what was there, or only moved a little, is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.imaging import GRID, Ball, body_with
from trialimg.imaging.new_lesions import CandidateSettings, candidate_score, new_lesion_candidates
from trialimg.imaging.register import Alignment
from trialimg.volume import Geometry, Mask, Unit, Volume

KNOWN: Ball = ((40.0, -60.0, 60.0), 26.0)
NEW: Ball = ((-20.0, 50.0, 72.0), 22.0)


def ball_mask(ball: Ball) -> Mask:
    k, j, i = np.indices(GRID.shape)
    points = GRID.to_lps(np.stack([i, j, k], axis=-1))
    return Mask((np.linalg.norm(points - np.array(ball[0]), axis=-1) <= ball[1] / 2).astype(np.uint8), GRID)


def again(volume: Volume) -> Volume:
    """The same body with other noise."""
    noise = np.random.default_rng(11).normal(0, 5, volume.array.shape)
    return Volume((volume.array + noise).astype(np.float32), volume.geometry, volume.modality, volume.unit)


def candidates(follow: Volume, baseline: Volume, *known: Ball, alignment: Alignment | None = None):
    return new_lesion_candidates(follow, baseline, alignment or Alignment(), [ball_mask(one) for one in known])


def test_a_new_ball_is_the_first_place_to_look_at():
    found = candidates(again(body_with((KNOWN, NEW))), body_with((KNOWN,)), KNOWN)
    assert found[0].centre_lps_mm == pytest.approx(NEW[0], abs=4.0)
    assert found[0].is_brighter
    assert found[0].diameter_mm == pytest.approx(NEW[1], abs=10.0)  # its blurred rim stands out too
    assert found[0].score > 0.5


def test_where_nothing_is_new_nothing_is_offered():
    assert candidates(again(body_with((KNOWN,))), body_with((KNOWN,)), KNOWN) == ()


def test_a_lesion_that_is_known_is_not_offered():
    outlined = (NEW[0], 34.0)  # with its blurred rim
    assert candidates(again(body_with((KNOWN, NEW))), body_with((KNOWN,)), KNOWN, outlined) == ()


def test_what_moved_within_the_error_of_registration_is_not_new():
    moved = ((KNOWN[0][0] + 4.0, *KNOWN[0][1:]), KNOWN[1])
    assert candidates(again(body_with((moved,))), body_with((KNOWN,))) == ()


def test_the_alignment_is_followed():
    x, y, z = GRID.origin_lps_mm
    higher = Geometry(GRID.size, GRID.spacing_mm, (x, y, z + 30.0))
    later = again(body_with((KNOWN, NEW)))
    later = Volume(later.array, higher, later.modality, later.unit)
    found = candidates(later, body_with((KNOWN,)), alignment=Alignment(translation_mm=(0.0, 0.0, -30.0)))
    assert found[0].centre_lps_mm == pytest.approx(np.add(NEW[0], (0, 0, 30)), abs=4.0)


def test_a_dark_place_is_offered_too():
    dark = body_with((KNOWN,))
    array = dark.array.copy()
    array[ball_mask(NEW).array > 0] -= 60
    found = candidates(again(Volume(array, GRID, "CT", Unit.HU)), body_with((KNOWN,)), KNOWN)
    assert found[0].centre_lps_mm == pytest.approx(NEW[0], abs=4.0)
    assert not found[0].is_brighter


def test_values_of_another_scale_are_brought_to_one_first():
    def as_mr(volume: Volume, factor: float) -> Volume:
        return Volume((volume.array + 1000) * factor, volume.geometry, "MR", Unit.ARBITRARY)

    found = candidates(as_mr(again(body_with((KNOWN, NEW))), 0.3), as_mr(body_with((KNOWN,)), 1.0), KNOWN)
    assert found[0].centre_lps_mm == pytest.approx(NEW[0], abs=4.0)


def test_scans_that_share_nothing_have_no_candidates():
    apart = Alignment(translation_mm=(0.0, 0.0, 900.0))
    assert candidates(body_with((NEW,)), body_with(()), alignment=apart) == ()


def test_more_are_found_than_are_offered():
    balls = tuple(((x, y, 72.0), 16.0) for x in (-60.0, -20.0, 20.0) for y in (40.0, -65.0))
    few = new_lesion_candidates(
        again(body_with(balls)), body_with(()), Alignment(), [], settings=CandidateSettings(most=2)
    )
    assert len(few) == 2
    assert few[0].score >= few[1].score


@pytest.mark.parametrize("better", [{"contrast_sds": 9.0}, {"diameter_mm": 15.0}, {"compactness": 0.9}])
def test_more_contrast_size_and_roundness_make_a_candidate_likelier(better):
    plain = {"contrast_sds": 5.0, "diameter_mm": 8.0, "compactness": 0.5}
    assert 0 < candidate_score(**plain) < candidate_score(**{**plain, **better}) < 1
