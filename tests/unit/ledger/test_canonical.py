"""One value, one byte string; and the strict way back."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import InvalidValueError
from trialimg.ledger.canonical import LARGEST_INTEGER, canonical, parse, shaped

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_a_value_comes_back_from_its_bytes(value):
    assert parse(canonical(value)) == value


@given(st.dictionaries(TEXT, SCALARS, min_size=2), st.randoms())
def test_the_order_of_keys_makes_no_difference(mapping, random):
    keys = list(mapping)
    random.shuffle(keys)
    assert canonical({key: mapping[key] for key in keys}) == canonical(mapping)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None, "x"]}, b'{"a":[true,null,"x"],"b":1}'),
        ((1, (2,)), b"[1,[2]]"),
        (MappingProxyType({"k": {}}), b'{"k":{}}'),
        ('€$\u000f\nA\'B"\\\\"/', b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),  # RFC 8785, 3.2.2
    ],
)
def test_bytes_are_these(value, expected):
    assert canonical(value) == expected


def test_keys_are_sorted_as_rfc_8785_shows():
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    expected = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]  # RFC 8785, 3.2.3
    assert list(json.loads(canonical(dict.fromkeys(keys, "x")))) == expected


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ({"a": [1, {"b": 1.5}]}, "$.a[1].b", "no_canonical_form"),
        ({"a": float("nan")}, "$.a", "no_canonical_form"),
        ([Decimal("1.0")], "$[0]", "no_canonical_form"),
        (dt.date(2026, 1, 1), "$", "no_canonical_form"),
        ({1: "a"}, "$", "bad_key"),
        ({"a": 2**53}, "$.a", "large_integer"),
        ("\ud800", "$", "surrogate"),
        ({"\ud800": 1, "b": [1]}, "$", "surrogate"),
        ({1, 2}, "$", "no_canonical_form"),
    ],
)
def test_what_has_no_one_text_is_refused_with_its_place(value, path, code):
    with pytest.raises(InvalidValueError) as refused:
        canonical(value)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [(path, code)]


def test_a_value_within_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(InvalidValueError, match="too_deep"):
        canonical(loop)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'"\\u0041"',
        b"1.0",
        b"1e3",
        b"NaN",
        b"-0",
        b"[1]\n",
        b"",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b"1" * 5000,
        b'{"\\ud83d":1}',
        '{"\ufb33":1,"\U0001f600":1}'.encode(),  # in order of code points, not of UTF-16
        b"9007199254740992",
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data):
    with pytest.raises(InvalidValueError):
        parse(data)


def test_a_shape_names_every_key_that_is_wrong():
    with pytest.raises(InvalidValueError) as refused:
        shaped({"a": True, "c": 1}, {"a": int, "b": str})
    assert {(fault.where, fault.code) for fault in refused.value.faults} == {
        ("a", "bad_type"),
        ("b", "missing_key"),
        ("c", "unknown_key"),
    }
    with pytest.raises(InvalidValueError, match="not a JSON object"):
        shaped([], {})
    assert shaped({"a": 1}, {"a": int}) == {"a": 1}
