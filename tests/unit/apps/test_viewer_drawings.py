"""The browser's word is a claim: what is impossible is refused, and every diameter is computed again."""

from __future__ import annotations

import pytest

from apps.trialimg_dashboard.viewer.component import Drawing, DrawingKind, Pane
from apps.trialimg_dashboard.viewer.words import LANGUAGES

GEOMETRY = {
    "shape": [3, 40, 50],
    "orientation": [1, 0, 0, 0, 1, 0],
    "pixel_spacing": [0.9, 0.7],
    "positions": [[0, 0, 0], [0, 0, 2], [0, 0, 4]],
}
PANES = [Pane("a", "Baseline", "token", GEOMETRY)]
ITEM = {
    "uid": "u",
    "series": "a",
    "slice": 1,
    "label": "T01",
    "kind": "bidirectional",
    "points": [[1, 0, 2], [1, 2, 2], [0, 0, 2], [3, 0, 2]],
    "pixel_mm": 0.6,
}


def test_diameters_come_from_the_points_longest_first():
    drawing = Drawing.from_browser(ITEM | {"long_mm": 99}, PANES)
    assert drawing.diameters_mm == (3.0, 2.0)
    assert Drawing.from_browser(drawing.for_browser(), PANES) == drawing


def test_a_length_has_one_diameter():
    drawing = Drawing.from_browser(ITEM | {"kind": "length", "points": [[0, 0, 2], [3, 4, 2]]}, PANES)
    assert (drawing.kind, drawing.diameters_mm) == (DrawingKind.LENGTH, (5.0,))


@pytest.mark.parametrize(
    "change",
    [
        {"series": "b"},
        {"slice": 3},
        {"slice": 0},
        {"slice": -1},
        {"kind": "area"},
        {"kind": "length"},
        {"points": [[0, 0, 2]] * 3},
        {"points": [[0, 0, float("nan")]] * 4},
        {"points": [[0, 0, 2], [0, 0, 2], [0, 0, 2], [400, 0, 2]]},
        {"points": "text"},
        {"points": None},
        {"label": ""},
        {"label": "x" * 1000},
        {"uid": 7},
        {"pixel_mm": 0},
        {"pixel_mm": float("inf")},
        {"pixel_mm": None},
    ],
)
def test_what_cannot_have_been_drawn_is_refused(change):
    with pytest.raises(ValueError):
        Drawing.from_browser(ITEM | change, PANES)


def test_nothing_may_be_left_out():
    for key in ITEM:
        with pytest.raises(ValueError):
            Drawing.from_browser({name: value for name, value in ITEM.items() if name != key}, PANES)


def test_every_language_has_every_text():
    texts = {language: set(words) for language, words in LANGUAGES.items()}
    assert texts["en"] == texts["zh"]
    assert all(len(words["keys"]) == len(LANGUAGES["en"]["keys"]) for words in LANGUAGES.values())
