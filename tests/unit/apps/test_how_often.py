"""How often a candidate is a new lesion is said in words that promise no more than was counted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from apps.trialimg_dashboard.views.reading_candidates import how_often
from apps.trialimg_dashboard.words import text


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (0.0, "about 1 in 20"),
        (0.05, "about 1 in 20"),
        (0.08, "about 1 in 12"),
        (0.14, "about 1 in 7"),
        (0.151, "about 2 in 10"),
        (0.34, "about 3 in 10"),
        (0.94, "about 9 in 10"),
        (0.97, "nearly all"),
        (1.0, "nearly all"),
    ],
)
def test_a_share_is_said_in_words(score, words):
    assert how_often(SimpleNamespace(t=lambda key, **values: text(key, "en", **values)), score) == words
