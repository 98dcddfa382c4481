"""Simulated follow-ups tell the truth about what they show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from tests.fakes.imaging import body_with
from trialimg.core.errors import GeometryError
from trialimg.core.links import LinkKind
from trialimg.imaging.synthetic_followup import FollowUp, FollowUpSettings, simulated_follow_up

SETTINGS = FollowUpSettings(lesions=6, diameters_mm=(14.0, 22.0), split=0.17, merged=0.17, bend_mm=3.0)


@pytest.fixture(scope="module")
def truth() -> FollowUp:
    return simulated_follow_up(body_with(()), SETTINGS, seed=4)


def test_every_region_has_one_story(truth: FollowUp):
    linked = {i for i, _ in truth.links}, {j for _, j in truth.links}
    dead = {label for kind, before, _ in truth.events if kind is LinkKind.DEATH for label in before}
    born = {label for kind, _, after in truth.events if kind is LinkKind.BIRTH for label in after}
    assert linked[0] | dead == set(truth.baseline_mask.labels)
    assert linked[1] | born == set(truth.follow_mask.labels)
    assert not linked[0] & dead
    assert not linked[1] & born
    assert len(truth.baseline_mask.labels) >= SETTINGS.lesions


def test_the_same_seed_gives_the_same_follow_up_and_another_one_another(truth: FollowUp):
    again = simulated_follow_up(body_with(()), SETTINGS, seed=4)
    assert np.array_equal(again.follow.array, truth.follow.array)
    assert (again.links, again.events) == (truth.links, truth.events)
    other = simulated_follow_up(body_with(()), SETTINGS, seed=5)
    assert not np.array_equal(other.follow_mask.array, truth.follow_mask.array)


def test_lesions_stand_out_where_their_mask_is(truth: FollowUp):
    plain = simulated_follow_up(body_with(()), SETTINGS, seed=4).baseline.array
    background = body_with(()).array
    inside = truth.baseline_mask.array > 0
    assert np.abs(plain - background)[inside].mean() > 15
    away = ~ndimage.binary_dilation(inside, np.ones((3, 3, 3)), iterations=3)
    assert np.array_equal(plain[away], background[away].astype(np.float32))


def test_a_body_without_room_is_refused():
    with pytest.raises(GeometryError, match="no room"):
        simulated_follow_up(body_with(()), FollowUpSettings(lesions=60, diameters_mm=(40.0, 50.0)), seed=1)
