from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from trialimg.imaging.contour import filled, outlines

SHAPE = (12, 15)


def square(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (high, low), (high, high), (low, high)])


def test_a_pixel_is_inside_when_its_centre_is():
    assert filled([square(2.4, 5.6)], SHAPE).sum() == 9  # centres 3, 4, 5
    assert filled([square(2.6, 5.4)], SHAPE).sum() == 9
    assert filled([square(3.1, 3.9)], SHAPE).sum() == 0


def test_a_centre_on_an_edge_belongs_to_the_right_and_below():
    inside = np.argwhere(filled([square(2.0, 5.0)], SHAPE))
    assert (inside.min(), inside.max()) == (2, 4)


def test_the_first_coordinate_is_the_column():
    mask = filled([[(7.5, 1.5), (9.5, 1.5), (9.5, 2.5), (7.5, 2.5)]], SHAPE)
    assert np.argwhere(mask).tolist() == [[2, 8], [2, 9]]  # (row, column)


def test_neighbours_that_share_an_edge_through_centres_share_no_pixel_and_leave_none():
    left = [(1.0, 1.0), (5.0, 1.0), (5.0, 8.0), (1.0, 8.0)]
    right = [(5.0, 1.0), (9.0, 1.0), (9.0, 8.0), (5.0, 8.0)]
    whole = [(1.0, 1.0), (9.0, 1.0), (9.0, 8.0), (1.0, 8.0)]
    a, b = filled([left], SHAPE), filled([right], SHAPE)
    assert not (a & b).any()
    assert np.array_equal(a | b, filled([whole], SHAPE))
    assert filled([whole], SHAPE).sum() == 8 * 7  # the area in pixels: no edge is counted twice


def test_a_polygon_within_another_is_a_hole():
    mask = filled([square(0.5, 9.5), square(3.5, 6.5)], SHAPE)
    assert mask.sum() == 81 - 9
    assert not mask[5, 5]


def test_a_keyhole_is_the_same_as_a_hole():
    outer = [(0.5, 0.5), (9.5, 0.5), (9.5, 9.5), (0.5, 9.5)]
    inner = [(3.5, 3.5), (3.5, 6.5), (6.5, 6.5), (6.5, 3.5)]
    keyhole = [*outer, outer[0], *inner, inner[0]]  # out along a bridge, round the hole, back along the bridge
    assert np.array_equal(filled([keyhole], SHAPE), filled([outer, inner], SHAPE))


def test_what_lies_outside_of_the_slice_is_cut_off():
    assert filled([square(-4.5, 2.5)], SHAPE).sum() == 9
    assert filled([square(20.0, 30.0)], SHAPE).sum() == 0
    assert filled([square(-5.0, 30.0)], SHAPE).all()


def test_the_direction_and_the_start_of_a_polygon_do_not_matter():
    polygon = np.array([(1.2, 1.7), (8.1, 2.4), (6.3, 9.9), (2.2, 7.3)])
    expected = filled([polygon], SHAPE)
    assert np.array_equal(filled([polygon[::-1]], SHAPE), expected)
    assert np.array_equal(filled([np.roll(polygon, 2, axis=0)], SHAPE), expected)
    assert np.array_equal(filled([np.vstack([polygon, polygon[:1]])], SHAPE), expected)  # closed explicitly


@pytest.mark.parametrize("radius", [3.0, 8.0, 15.5])
def test_a_disc_has_the_area_of_a_disc_whatever_its_place(radius):
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    disc = radius * np.column_stack((np.cos(turn), np.sin(turn)))
    places = np.random.default_rng(3).uniform(20, 21, (200, 2))
    areas = [filled([disc + place], (41, 41)).sum() for place in places]
    assert np.mean(areas) == pytest.approx(np.pi * radius**2, rel=0.01)  # 200 places: standard error below 0.5 %


def test_outlines_run_between_the_pixels_inside_and_outside_and_close():
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[4, 6] = 1
    (line,) = outlines(mask)
    assert line[0] == line[-1]
    assert set(line) == {(6.0, 3.5), (6.5, 4.0), (6.0, 4.5), (5.5, 4.0)}


def test_a_region_at_the_border_has_a_closed_outline_too():
    (line,) = outlines(np.ones((3, 4)))
    assert line[0] == line[-1]
    assert min(line) == (-0.5, 0.0)


def test_a_ring_has_two_outlines_and_nothing_has_none():
    ring = np.ones((5, 5))
    ring[2, 2] = 0
    assert len(outlines(ring)) == 2
    assert outlines(np.zeros((5, 5))) == ()


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.booleans()))
def test_filling_the_outlines_gives_the_mask_back(mask):
    assert np.array_equal(filled(outlines(mask), mask.shape), mask)
