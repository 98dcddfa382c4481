"""What a spreadsheet would run is made harmless, numbers stay numbers, everything else stays as it is."""

from __future__ import annotations

import pytest

from trialimg.services.spreadsheet import harmless


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\uff1d1+1",
        "=HYPERLINK(1)",
        "-S1",
    ],
)
def test_a_formula_gets_an_apostrophe(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["-12.5", "+3", "-1e-3", ".5", "-0", "", "PR", "2026-01-05", "S-C0001", "a=b", "NON-CR/NON-PD", "12 mm"]
)
def test_a_number_and_any_other_text_stay_as_they_are(text):
    assert harmless(text) == text
