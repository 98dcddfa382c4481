"""Whatever the text, the answer is a protocol or a list of faults in that text; never another error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protocol.texts import VALID, broken
from trialimg.core.errors import ProtocolError
from trialimg.protocol.faults import ProtocolFault
from trialimg.protocol.load import read_protocol

LINES = VALID.splitlines()
PIECES = [
    "",
    " ",
    ":",
    "-",
    "{",
    "}",
    "[",
    "]",
    '"',
    "#",
    "&a ",
    "*a",
    "!!int ",
    "\t",
    "null",
    "1",
    "-0.5",
    "é",
    "\n",
    "\\ud800",
]


LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, section 5.4."""


def answers(text: str) -> None:
    try:
        protocol = read_protocol(text)
    except ProtocolError as refusal:
        assert refusal.faults
        for fault in refusal.faults:
            assert isinstance(fault, ProtocolFault)
            assert 1 <= fault.line <= len(LINE_BREAK.findall(text)) + 1
            assert fault.code
            assert fault.message
    else:
        assert protocol.digest.startswith("sha256:")


@pytest.mark.long
@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(VALID) - 1), st.integers(0, 12), st.sampled_from(PIECES))
def test_a_protocol_with_a_piece_replaced(start: int, length: int, piece: str) -> None:
    answers(VALID[:start] + piece + VALID[start + length :])


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(len(LINES))), st.integers(0, len(LINES)))
def test_a_protocol_with_its_lines_shuffled(order: list[int], kept: int) -> None:
    answers("\n".join(LINES[index] for index in order[:kept]))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_at_all(text: str) -> None:
    answers(text)


@pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "1e400", "9" * 400])
def test_a_monstrous_number_in_quotes_costs_nothing(number: str) -> None:
    answers(broken("price: 2000", f'price: "{number}"'))
    answers(broken("pr_decrease: 0.30", f'pr_decrease: "{number}"'))
