"""A line drawn around a part of a lesion is a claim: what is impossible is refused."""

from __future__ import annotations

import pytest

from apps.trialimg_dashboard.viewer.contours import Contour

GEOMETRY = {
    "shape": [3, 40, 50],
    "orientation": [1, 0, 0, 0, 1, 0],
    "pixel_spacing": [0.9, 0.7],
    "positions": [[0, 0, 0], [0, 0, 2], [0, 0, 4]],
}
SHOWN = {"a": GEOMETRY}
ITEM = {
    "series": "a",
    "slice": 1,
    "label": "T01",
    "operation": "add",
    "points": [[1, 0, 2], [10, 0, 2], [10, 12, 2]],
    "pixel_mm": 0.6,
}


def test_what_was_drawn_arrives_as_it_is():
    contour = Contour.from_browser(ITEM, SHOWN)
    assert (contour.series, contour.slice, contour.label, contour.adds) == ("a", 1, "T01", True)
    assert contour.points_lps_mm == ((1, 0, 2), (10, 0, 2), (10, 12, 2))
    assert not Contour.from_browser(ITEM | {"operation": "cut"}, SHOWN).adds


@pytest.mark.parametrize(
    "change",
    [
        {"series": "b"},
        {"slice": 3},
        {"slice": -1},
        {"slice": 0},
        {"operation": "erase"},
        {"operation": ["add"]},
        {"label": ""},
        {"label": 7},
        {"points": []},
        {"points": [[0, 0, 2]] * 2},
        {"points": [[0, 0, 2]] * 6000},
        {"points": [[0, 0]] * 3},
        {"points": [[0, 0, float("nan")]] * 3},
        {"points": [[0, 0, 2], [10, 0, 2], [400, 0, 2]]},
        {"points": None},
        {"points": "text"},
    ],
)
def test_what_cannot_have_been_drawn_is_refused(change):
    with pytest.raises(ValueError):
        Contour.from_browser(ITEM | change, SHOWN)


def test_nothing_may_be_left_out():
    for key in ("series", "slice", "label", "operation", "points"):
        with pytest.raises(ValueError):
            Contour.from_browser({name: value for name, value in ITEM.items() if name != key}, SHOWN)
