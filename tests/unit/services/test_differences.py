"""What differs between two records."""

from __future__ import annotations

import pytest

from trialimg.services.differences import Difference, differences, leaves


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, ()),
        ({"a": [1, 2]}, {"a": [1]}, (Difference("a[1]", "2", None),)),
        ({"a": None}, {"a": 0}, (Difference("a", "null", "0"),)),
        ({"a": []}, {"a": ["x"]}, (Difference("a", "(none)", None), Difference("a[0]", None, "x"))),
        ({}, {"a": {"b": "x"}}, (Difference("a.b", None, "x"),)),
    ],
)
def test_settings_are_compared_by_their_place(before, after, expected):
    assert differences(before, after) == expected


def test_every_single_value_has_its_path():
    body = {"a": {"b": [1, {"c": None}]}, "d": False, "e": {}}
    assert leaves(body) == {"a.b[0]": "1", "a.b[1].c": "null", "d": "false", "e": "(none)"}
