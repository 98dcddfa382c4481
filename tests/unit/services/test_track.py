"""Lesions followed over the studies of one subject, on bodies whose lesions are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.imaging import GRID, Ball, BrightSegmenter, body_with
from trialimg.core.errors import GeometryError
from trialimg.core.links import LinkKind
from trialimg.services.track import Study, Tracked, TrackRules, track
from trialimg.volume import Geometry, Mask

SHIFTED = TrackRules(deformable=False)
FIRST: Ball = ((40.0, -20.0, 60.0), 26.0)
SECOND: Ball = ((-45.0, 40.0, 96.0), 30.0)
THIRD: Ball = ((0.0, -60.0, 60.0), 22.0)


def mask_of(balls: tuple[Ball, ...], *, one_label: bool = False) -> Mask:
    k, j, i = np.indices(GRID.shape)
    points = GRID.to_lps(np.stack([i, j, k], axis=-1))
    array = np.zeros(GRID.shape, np.uint8)
    for number, (centre, diameter_mm) in enumerate(balls, start=1):
        array[np.linalg.norm(points - np.array(centre), axis=-1) <= diameter_mm / 2] = 1 if one_label else number
    return Mask(array, GRID)


def study(name: str, *balls: Ball, outlined: bool = True) -> Study:
    return Study(name, body_with(balls), mask_of(balls) if outlined else None)


def events(found: Tracked, name: str) -> set[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return {(link.kind.value, link.earlier, link.later) for link in found.links[name]}


def smaller(ball: Ball, diameter_mm: float) -> Ball:
    return ball[0], diameter_mm


def test_outlined_lesions_keep_their_names_and_new_ones_get_their_own():
    found = track([study("a", FIRST, SECOND), study("b", smaller(SECOND, 24), THIRD)], BrightSegmenter(), SHIFTED)
    assert events(found, "b") == {("death", ("L1",), ()), ("persist", ("L2",), ("L2",)), ("birth", (), ("L3",))}
    second = found.lesions[1]
    assert second.sightings["b"].measurement.long_axis_mm < second.sightings["a"].measurement.long_axis_mm
    assert second.sightings["b"].displacement_mm < 6
    assert found.lesions[2].sightings["b"].displacement_mm is None


@pytest.mark.long
def test_a_lesion_that_was_gone_for_a_visit_comes_back_under_its_name():
    studies = [study("a", FIRST, SECOND), study("b", SECOND), study("c", FIRST, SECOND)]
    found = track(studies, BrightSegmenter(), SHIFTED)
    assert ("return", ("L1",), ("L1",)) in events(found, "c")
    assert list(found.lesions[0].sightings) == ["a", "c"]
    assert len(found.lesions) == 2


def test_without_a_mask_each_lesion_is_found_again_by_the_segmenter():
    segmenter = BrightSegmenter()
    found = track([study("a", FIRST, SECOND), study("b", FIRST, outlined=False)], segmenter, SHIFTED)
    assert events(found, "b") == {("persist", ("L1",), ("L1",)), ("death", ("L2",), ())}
    assert {link.proposed_by for link in found.links["b"]} == {"bright@1"}
    written = found.mask("b", GRID)
    truth = mask_of((FIRST,)).array > 0
    assert written.labels == (1,)
    assert np.count_nonzero((written.array == 1) != truth) < 0.1 * np.count_nonzero(truth)


def test_two_lesions_that_grew_into_one_mass_are_merged_and_the_larger_lends_its_name():
    near, beside = ((30.0, -20.0, 60.0), 18.0), ((46.0, -20.0, 60.0), 22.0)
    whole = ((40.0, -20.0, 60.0), 44.0)
    found = track([study("a", near, beside), study("b", whole, outlined=False)], BrightSegmenter(), SHIFTED)
    (link,) = found.links["b"]
    assert (link.kind, link.earlier, link.later) == (LinkKind.MERGE, ("L2", "L1"), ("L2",))
    assert found.lesions[0].merged_into == "L2"


def test_a_lesion_in_pieces_keeps_its_name_for_one_of_them_and_names_the_other_after_itself():
    whole = ((40.0, -20.0, 60.0), 40.0)
    pieces = ((28.0, -20.0, 60.0), 17.0), ((53.0, -20.0, 60.0), 14.0)
    found = track([study("a", whole), study("b", *pieces)], BrightSegmenter(), SHIFTED)
    (link,) = found.links["b"]
    assert (link.kind, link.earlier, link.later) == (LinkKind.SPLIT, ("L1",), ("L1", "L2"))
    assert found.lesions[1].split_from == "L1"


def test_the_parts_of_a_mask_with_one_label_are_lesions_and_that_is_said():
    one = Study("a", body_with((FIRST, SECOND)), mask_of((FIRST, SECOND), one_label=True))
    found = track([one, study("b", FIRST, SECOND)], BrightSegmenter(), SHIFTED)
    assert len(found.lesions) == 2
    assert any("2 connected part(s) are taken as lesions" in text for text in found.warnings)


def test_a_place_that_the_later_scan_does_not_show_is_said_not_guessed():
    low = Geometry((64, 56, 12), GRID.spacing_mm, GRID.origin_lps_mm)
    part = Study("b", body_with((FIRST, SECOND), low))
    found = track([study("a", FIRST, ((-45.0, 40.0, 120.0), 30.0)), part], BrightSegmenter(), SHIFTED)
    assert any(text.startswith("L2: its place is not shown in b") for text in found.warnings)
    assert not any("L2" in link.earlier for link in found.links["b"])


def test_nothing_to_follow_and_a_strange_grid_are_refused():
    empty = replace(study("a"), mask=Mask(np.zeros(GRID.shape, np.uint8), GRID))
    with pytest.raises(GeometryError, match="no lesion to follow"):
        track([empty, study("b")], BrightSegmenter(), SHIFTED)
    other = Geometry(GRID.size, GRID.spacing_mm, (0.0, 0.0, 0.0))
    strange = Study("a", body_with((FIRST,)), Mask(mask_of((FIRST,)).array, other))
    with pytest.raises(GeometryError, match="different grids"):
        track([strange, study("b")], BrightSegmenter(), SHIFTED)


def test_what_nobody_outlined_is_offered_as_a_candidate_never_as_a_lesion():
    found = track([study("a", FIRST), study("b", FIRST, THIRD, outlined=False)], BrightSegmenter(), SHIFTED)
    (place, *_) = found.candidates["b"]
    assert place.centre_lps_mm == pytest.approx(THIRD[0], abs=5.0)
    assert [lesion.id for lesion in found.lesions] == ["L1"]
    assert events(found, "b") == {("persist", ("L1",), ("L1",))}


def test_where_a_lesion_was_before_it_went_is_no_candidate():
    found = track([study("a", FIRST, SECOND), study("b", FIRST, outlined=False)], BrightSegmenter(), SHIFTED)
    assert found.candidates["b"] == ()
