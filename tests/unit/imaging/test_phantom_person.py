"""People drawn at random, and whether there is room for what grows in them."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.imaging.phantom_person import COVERED_Z_MM, Bed, Want, draw_person, draw_shape
from trialimg.imaging.phantom_shapes import capsule_mm

WANTS = (Want(Bed.NODE, 16.0), Want(Bed.LIVER, 17.0), Want(Bed.PLEURA, 24.0), Want(Bed.LUNG, 14.0), Want(Bed.LUNG, 6.0))
SEEDS = range(12)


@pytest.fixture(scope="module")
def people():
    return [draw_person(WANTS, np.random.default_rng([41, seed])) for seed in SEEDS]


def at(point):
    return tuple(np.array([v]) for v in point)


def test_lesions_never_touch_one_another(people):
    for _, places in people:
        for a in range(len(WANTS)):
            for b in range(a):
                gap = np.linalg.norm(np.subtract(places[a], places[b])) - WANTS[a].reach_mm - WANTS[b].reach_mm
                assert gap > 0


def test_lesions_lie_wholly_within_what_every_scan_shows(people):
    for _, places in people:
        for want, (_, _, z) in zip(WANTS, places, strict=True):
            assert COVERED_Z_MM[0] + want.reach_mm <= z <= COVERED_Z_MM[1] - want.reach_mm


def test_liver_and_lung_lesions_lie_inside_of_their_organ(people):
    for person, places in people:
        for want, place in zip(WANTS, places, strict=True):
            if want.bed in (Bed.LIVER, Bed.LUNG):
                assert person.anatomy.organ_depth_mm(want.bed.value, at(place))[0] > want.reach_mm


def test_pleural_masses_meet_the_chest_wall_and_nothing_else(people):
    for person, places in people:
        x, y, z = at(places[2])
        wall = -person.anatomy.cavity((x, y, z))[0]
        assert 0.7 * 24.0 < wall < 24.0
        assert person.anatomy.above_diaphragm((x, y, z))[0] > 24.0


def test_nodes_lie_in_the_mediastinum_beside_the_vessels_and_not_in_them(people):
    for person, places in people:
        assert person.anatomy.mediastinum(at(places[0]))[0] < 0
        assert person.anatomy.vessel_gap_mm(at(places[0]))[0] > 0.8 * 16.0


def test_no_vessel_of_lung_or_liver_comes_nearer_to_a_lesion_than_5_mm(people):
    for person, places in people:
        for want, place in zip(WANTS[1:], places[1:], strict=True):
            gaps = [capsule_mm(at(place), vessel)[0] for vessel in (*person.lung_vessels, *person.liver_vessels)]
            assert min(gaps) > want.reach_mm + 5.0


def test_vessels_start_thick_and_get_thinner(people):
    person, _ = people[0]
    assert len(person.lung_vessels) > 300
    assert all(vessel.end_radius_mm < vessel.start_radius_mm for vessel in person.lung_vessels)
    x, y, z = at(person.lung_vessels[0].start_mm)
    assert capsule_mm((x, y, z), person.lung_vessels[0])[0] == pytest.approx(-person.lung_vessels[0].start_radius_mm)


def test_people_differ_and_the_same_number_draws_the_same_person(people):
    assert len({person.anatomy for person, _ in people}) == len(people)
    again = draw_person(WANTS, np.random.default_rng([41, 0]))
    assert again == people[0]


@pytest.mark.parametrize("bed", list(Bed))
def test_forms_are_solid_and_nodes_longer_than_wide(bed):
    for seed in SEEDS:
        shape = draw_shape(bed, np.random.default_rng(seed))
        rows = np.array(shape.rotation).reshape(3, 3)
        assert np.allclose(rows @ rows.T, np.eye(3))
        assert sum(abs(bump.amplitude) for bump in shape.bumps) < 0.3
        if bed is Bed.NODE:
            assert shape.semi[1] < 0.8
