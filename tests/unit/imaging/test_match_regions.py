"""Lesions linked from visit to visit, as a reader would say it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from trialimg.core.links import Link, LinkKind
from trialimg.imaging.match_regions import MatchSettings, Region, match_regions, regions_of
from trialimg.volume import Geometry, Mask

SETTINGS = MatchSettings()


def ball(name: str, centre: tuple[float, float, float], diameter_mm: float) -> Region:
    """A ball of 1 mm voxels."""
    r = diameter_mm / 2
    axis = np.arange(-np.ceil(r), np.ceil(r) + 1)
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = points[np.linalg.norm(points, axis=1) <= r]
    return Region(name, points + np.array(centre), len(points) / 1000, np.sqrt(3) / 2)


def linked(earlier: list[Region], later: list[Region]) -> dict[tuple[LinkKind, tuple[str, ...], tuple[str, ...]], Link]:
    return {
        (link.kind, link.earlier, link.later): link
        for link in match_regions(earlier, later, SETTINGS, proposed_by="test@1")
    }


A, B, C = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0), (0.0, 70.0, 0.0)


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ([("a", A, 20)], [("x", A, 20)], {("persist", ("a",), ("x",))}),
        ([("a", A, 20), ("b", B, 12)], [("x", B, 13), ("y", A, 15)],
         {("persist", ("a",), ("y",)), ("persist", ("b",), ("x",))}),
        ([("a", A, 20)], [("x", (4.0, 3.0, 0.0), 14)], {("persist", ("a",), ("x",))}),
        ([("a", A, 20)], [("x", A, 20), ("new", B, 10)], {("persist", ("a",), ("x",)), ("birth", (), ("new",))}),
        ([("a", A, 20), ("b", B, 12)], [("x", A, 20)], {("persist", ("a",), ("x",)), ("death", ("b",), ())}),
        ([("a", A, 20)], [("x", B, 20)], {("death", ("a",), ()), ("birth", (), ("x",))}),
        ([("a", A, 30)], [("x", (-8.0, 0.0, 0.0), 14), ("y", (8.0, 0.0, 0.0), 13)], {("split", ("a",), ("x", "y"))}),
        ([("a", (-8.0, 0.0, 0.0), 14), ("b", (8.0, 0.0, 0.0), 13)], [("x", A, 30)], {("merge", ("a", "b"), ("x",))}),
        ([("a", A, 40)], [("x", (5.0, 0.0, 0.0), 8)], {("persist", ("a",), ("x",))}),
        ([("a", A, 8)], [("x", A, 40)], {("death", ("a",), ()), ("birth", (), ("x",))}),
        ([], [("x", A, 8)], {("birth", (), ("x",))}),
        ([("a", A, 8)], [], {("death", ("a",), ())}),
        ([], [], set()),
    ],
    ids=["same", "two that cross in order", "smaller and moved", "one new", "one gone", "elsewhere is another",
         "split", "merged", "a remnant in its place", "too large to be the same",
         "first at all", "last of all", "nothing"],
)  # fmt: skip
def test_what_became_of_lesions(earlier, later, expected):
    found = linked([ball(*one) for one in earlier], [ball(*one) for one in later])
    assert {(kind.value, before, after) for kind, before, after in found} == expected


def test_every_region_has_exactly_one_link():
    rng = np.random.default_rng(3)
    earlier = [ball(f"a{i}", tuple(rng.uniform(-60, 60, 3)), rng.uniform(6, 30)) for i in range(12)]
    later = [ball(f"b{i}", tuple(rng.uniform(-60, 60, 3)), rng.uniform(6, 30)) for i in range(12)]
    links = match_regions(earlier, later, SETTINGS, proposed_by="test@1")
    assert sorted(name for link in links for name in link.earlier) == sorted(r.name for r in earlier)
    assert sorted(name for link in links for name in link.later) == sorted(r.name for r in later)


def test_the_order_of_lesions_does_not_matter():
    earlier = [ball("a", A, 20), ball("b", B, 12), ball("c", C, 30)]
    later = [ball("x", A, 18), ball("y", (0.0, 62.0, 0.0), 12), ball("z", (0.0, 78.0, 0.0), 11)]
    expected = {(k.value, b, frozenset(a)) for k, b, a in linked(earlier, later)}
    for one, other in itertools.product(itertools.permutations(earlier), itertools.permutations(later)):
        assert {(k.value, b, frozenset(a)) for k, b, a in linked(list(one), list(other))} == expected


def test_a_link_says_the_numbers_it_rests_on():
    (link,) = linked([ball("a", A, 20)], [ball("x", (3.0, 4.0, 0.0), 20)]).values()
    assert link.reasons["distance_mm"] == pytest.approx(5.0)
    assert link.reasons["log_volume_ratio"] == 0.0
    assert link.reasons["cost"] == pytest.approx(5 / (10 + 5) + 1 - link.reasons["overlap"], abs=0.01)
    assert link.score == pytest.approx(1 - link.reasons["cost"] / 3.2)
    assert link.proposed_by == "test@1"


def test_the_farther_a_lesion_went_the_lower_its_score():
    moved = [linked([ball("a", A, 20)], [ball("x", (away, 0.0, 0.0), 20)]) for away in (0, 3, 6, 9)]
    scores = [link.score for links in moved for link in links.values()]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0)


def test_labels_of_a_mask_become_regions_with_their_place_and_volume():
    grid = Geometry((6, 5, 4), (2.0, 2.0, 5.0), (10.0, 20.0, 30.0))
    array = np.zeros(grid.shape, np.uint8)
    array[1, 2, 3:5] = 7
    (region,) = regions_of(Mask(array, grid), {7: "T01", 9: "gone"})
    assert region.centre_lps_mm == pytest.approx((10 + 2 * 3.5, 24, 35))
    assert region.volume_ml == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("kind", "earlier", "later"),
    [(LinkKind.BIRTH, ("a",), ("x",)), (LinkKind.SPLIT, ("a",), ("x",)), (LinkKind.DEATH, (), ()),
     (LinkKind.MERGE, ("a",), ("x", "y")), (LinkKind.PERSIST, ("a", "b"), ("x",))],
)  # fmt: skip
def test_an_event_with_the_wrong_number_of_lesions_cannot_be_built(kind, earlier, later):
    with pytest.raises(ValueError, match="no such event"):
        Link(kind, earlier, later, 0.5)


def test_only_a_person_confirms():
    link = Link(LinkKind.BIRTH, (), ("x",), 0.5, {}, "test@1")
    assert link.confirmed("rita").confirmed_by == "rita"
    with pytest.raises(ValueError, match="person"):
        link.confirmed("")
