"""YAML as data: what is read exactly, and what is refused because it could surprise."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.protocol.document import Mark, read_document


def data(text: str) -> Any:
    document = read_document(text)
    assert document.faults == []
    return document.data


def codes(text: str) -> list[tuple[int, str, str]]:
    return [(fault.mark.line, fault.key, fault.code) for fault in read_document(text).faults]


def test_plain_values_are_read() -> None:
    assert data("a: [1, -2, 0.7, 1.0e+3, true, False, null, ~, '01', text, 2024-05-01]\n") == {
        "a": [1, -2, 0.7, 1000.0, True, False, None, None, "01", "text", "2024-05-01"]
    }


def test_every_key_and_entry_knows_its_place() -> None:
    document = read_document("a:\n  b:\n    - {c: 1, d: 2}\n    - 5\n")
    assert document.marks["a.b"] == Mark(2, 3)
    assert document.marks["a.b[0].d"] == Mark(3, 14)
    assert document.marks["a.b[1]"] == Mark(4, 7)
    assert document.mark_of("a.b[0].missing.deeper") == Mark(3, 7)
    assert document.mark_of("nowhere") == Mark(1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [(3, "a", "duplicate_key")]),
        ("a:\n  b: 1\n  b: 2\nc: {d: 1, d: 2}\n", [(3, "a.b", "duplicate_key"), (4, "c.d", "duplicate_key")]),
        ("a: &x 1\nb: *x\n", [(1, "", "alias"), (2, "", "alias")]),
        ("a: !!python/object/apply:os.system [echo]\n", [(1, "", "tag")]),
        ("a: !!float 1\n", [(1, "", "tag")]),
        ("<<: {a: 1}\n", [(1, "", "key_not_text")]),
        ("1: a\ntrue: b\n? [x]\n: c\n", [(1, "", "key_not_text"), (2, "", "key_not_text"), (3, "", "key_not_text")]),
        ("sites: [NO, yes, on]\n", [(1, "sites[0]", "ambiguous"), (1, "sites[1]", "ambiguous"),
                                    (1, "sites[2]", "ambiguous")]),
        ("a: 010\n", [(1, "a", "ambiguous")]),
        ("a: 0x1F\n", [(1, "a", "ambiguous")]),
        ("a: 1_000\n", [(1, "a", "ambiguous")]),
        ("a: 12:30:45\n", [(1, "a", "ambiguous")]),
        ("a: .inf\nb: .nan\n", [(1, "a", "ambiguous"), (2, "b", "ambiguous")]),
        ("a: 0.12345678901234567890\n", [(1, "a", "too_precise")]),
        ("a: 1\n---\nb: 2\n", [(2, "", "not_yaml")]),
        ("a: [1, 2\nb: 3\n", [(2, "", "not_yaml")]),
        ("a: 1\n  b: 2\n", [(2, "", "not_yaml")]),
        ("a: 1\nb: \x07\n", [(2, "", "not_yaml")]),
        ("a: " + "[" * 40 + "]" * 40, [(1, "", "too_deep")]),
        ("a: " + "x" * 300_000, [(1, "", "too_large")]),
    ],
)  # fmt: skip
def test_what_could_surprise_is_refused(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert codes(text) == expected


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    begin = time.process_time()
    assert {code for _, _, code in codes("\n".join(lines))} == {"alias"}
    assert time.process_time() - begin < 5  # expanded, it would be 9^30 values


def test_deep_nesting_is_refused_before_a_tree_is_built() -> None:
    assert codes("[" * 100_000) == [(1, "", "too_deep")]


@given(st.decimals(min_value=-10_000, max_value=10_000, places=6))
def test_a_number_keeps_the_value_that_is_written(number: Decimal) -> None:
    read = data(f"a: {number:f}\n")["a"]
    assert Decimal(repr(read)) == number


@given(st.text(alphabet="0123456789.eE+-", min_size=1, max_size=24))
def test_a_number_is_exact_or_refused(text: str) -> None:
    document = read_document(f"a: {text}\n")
    if document.faults or not isinstance(document.data, dict):
        return
    value = document.data["a"]
    if isinstance(value, int | float):
        assert Decimal(repr(value)) == Decimal(text)
