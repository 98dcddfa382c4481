"""Adjusted p-values against R 4.2.2 (stats::p.adjust), to 1e-9."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.stats.r_answers import answers
from trialimg.stats.multiplicity import adjust_p

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("method", ["bonferroni", "holm", "hochberg", "hommel", "BH", "BY"])
def test_adjusted_p_values(reference: Path, method: str) -> None:
    cases = answers(reference / "statistics", "p_adjust.json")["cases"]
    assert len(cases) == 11
    for case in cases:
        assert adjust_p(case["p"], method=method.lower()) == pytest.approx(case[method], abs=1e-9)
