"""What tracking scores are made of: right, too much and missed links and events; errors of foretold centres."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.fakes.imaging import BrightSegmenter, body_with
from trialimg.core.errors import IntakeError
from trialimg.imaging.synthetic_followup import FollowUpSettings
from trialimg.services.evaluate_pairs import pair_errors, read_pairs
from trialimg.services.evaluate_tracking import evaluate_tracking
from trialimg.services.track import TrackRules


def pair(source: str, target: str, *, at: float, guess: float, true: float) -> dict[str, object]:
    """A lesion on the x axis, in voxels of 2 mm."""
    return {
        "source": source, "target": target, "source spacing": [2.0, 2.0, 2.0], "target spacing": [2.0, 2.0, 2.0],
        "source center": [at, 0, 0], "target center": [true, 0, 0], "predict target center": [guess, 0, 0],
    }  # fmt: skip


def errors_of(*pairs: dict[str, object]) -> dict[str, tuple[int, float]]:
    text = json.dumps({str(n): one for n, one in enumerate(pairs)})
    return {one.method: (one.n, one.mean_mm) for one in pair_errors(read_pairs(text, "here"))}


def test_centres_are_compared_in_millimetres():
    found = errors_of(pair("1_a", "1_b", at=0, guess=3, true=7))
    assert found["affine guess"] == (1, 8.0)
    assert found["corrected by other lesions"] == (1, 8.0)  # there is no other
    assert found["corrected, pairs with other lesions"] == (0, 0.0)


def test_a_guess_is_corrected_by_what_it_missed_other_lesions_by_never_by_its_own_miss():
    near = pair("1_a", "1_b", at=0, guess=0, true=4), pair("1_a", "1_b", at=0, guess=10, true=14)
    assert errors_of(*near)["corrected by other lesions"] == (
        2,
        4.0,
    )  # half of 8 mm: shrunk as by one that missed nothing
    elsewhere = pair("1_a", "1_b", at=0, guess=0, true=4), pair("1_a", "1_c", at=0, guess=10, true=14)
    assert errors_of(*elsewhere)["corrected by other lesions"] == (2, 8.0)


def test_lesions_of_one_scan_are_told_apart_all_at_once():
    # the first guess is nearer to the second lesion; together they are cheaper the right way round
    both = pair("1_a", "1_b", at=0, guess=6, true=0), pair("1_a", "1_b", at=20, guess=22, true=10)
    method = "assigned to one of the lesions seen, pairs with other lesions"
    assert errors_of(*both)[method] == (2, 0.0)


@pytest.mark.parametrize("text", ["", "[]", '{"1": {}}', '{"1": 3}'])
def test_what_holds_no_pairs_is_refused(text: str):
    with pytest.raises(IntakeError, match="not a file of lesion pairs"):
        read_pairs(text, "pairs.json")


@pytest.mark.long
def test_a_simulated_follow_up_is_scored_and_its_misses_are_said():
    settings = FollowUpSettings(lesions=5, diameters_mm=(14.0, 22.0), bend_mm=3.0, tilt_rad=0.05)
    score = evaluate_tracking(
        {"body": body_with(())}, BrightSegmenter(), TrackRules(deformable=False), settings=settings, seeds=range(2)
    )
    assert [case.seed for case in score.cases] == [0, 1]
    right, much, missed = np.sum([case.links for case in score.cases], axis=0)
    assert score.link_f1.value == pytest.approx(2 * right / (2 * right + much + missed))
    assert score.link_f1.lower <= score.link_f1.value <= score.link_f1.upper
    assert score.link_f1.value > 0.8
    for case in score.cases:
        assert (case.events[1:] == (0, 0)) == (case.missed == ())
        assert sum(case.events) == sum(sum(one) for one in case.by_kind.values())
