"""Agreement against R 4.2.2 (psych 2.2.9: ICC, cohen.kappa), Fleiss, Cohen and Everitt 1969, Bland and Altman 1986."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.golden.stats.r_answers import answers, rows
from trialimg.stats.kappa import cohen_kappa
from trialimg.stats.reliability import bland_altman, intraclass_correlation, lin_concordance

pytestmark = pytest.mark.reference
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


@pytest.fixture(scope="module")
def agreement(statistics: Path) -> dict[str, Any]:
    found: dict[str, Any] = answers(statistics, "agreement.json")
    return found


def test_six_intraclass_correlations(agreement: dict[str, Any]) -> None:
    case = agreement["icc_shrout_fleiss_1979"]
    for place, form in enumerate(case["types"]):
        found = intraclass_correlation(case["data"], form=form)
        expected = [case[key][place] for key in ("icc", "lower", "upper", "p")]
        assert [found.value, found.lower, found.upper, found.p] == pytest.approx(expected, abs=TOLERANCE), form
        assert found.value == pytest.approx(case["published"][place], abs=0.005)


def quadratic_kappa(table: npt.NDArray[np.float64]) -> float:
    share = table / table.sum()
    steps = np.arange(len(table))
    credit = 1 - (steps[:, None] - steps) ** 2 / (len(table) - 1) ** 2
    by_chance = float((credit * np.outer(share.sum(axis=1), share.sum(axis=0))).sum())
    return (float((credit * share).sum()) - by_chance) / (1 - by_chance)


def delta_variance(counts: list[list[int]]) -> float:
    """By numerical derivatives: what the large-sample variance is, whatever formula writes it."""
    table, h = np.array(counts, float), 1e-3
    slopes = np.zeros_like(table)
    for cell in np.ndindex(table.shape):
        step = np.zeros_like(table)
        step[cell] = h
        slopes[cell] = (quadratic_kappa(table + step) - quadratic_kappa(table - step)) / (2 * h)
    return float((table * slopes**2).sum() - (table * slopes).sum() ** 2 / table.sum())


def variance_of_psych(counts: list[list[int]]) -> float:
    """As psych 2.2.9 writes it: the row means of the weights are taken over the wrong margin."""
    table = np.array(counts, float)
    n, share, steps = table.sum(), table / table.sum(), np.arange(len(table))
    credit = 1 - (steps[:, None] - steps) ** 2 / (len(table) - 1) ** 2
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    seen, chance = float((credit * share).sum()), float((credit * np.outer(rows, columns)).sum())
    means = (credit * columns[:, None]).sum(axis=0)[:, None] + (credit * rows[:, None]).sum(axis=1)[None, :]
    spread = (share * (credit * (1 - chance) - means * (1 - seen)) ** 2).sum()
    return float((spread - (seen * chance - 2 * chance + seen) ** 2) / (n * (1 - chance) ** 4))


def test_kappas(agreement: dict[str, Any]) -> None:
    assert len(agreement["kappa"]) == 11
    for name, case in agreement["kappa"].items():
        plain = cohen_kappa(case["tab"])
        assert plain.se is not None
        assert (plain.value, plain.se**2) == pytest.approx((case["kappa"], case["var"]), abs=TOLERANCE), name
        quadratic = cohen_kappa(case["tab"], weights="quadratic")
        assert quadratic.se is not None
        assert quadratic.value == pytest.approx(case["wkappa_quadratic"], abs=TOLERANCE), name
        if "wvar" in case:
            assert variance_of_psych(case["tab"]) == pytest.approx(case["wvar"], abs=TOLERANCE)
            assert quadratic.se**2 == pytest.approx(delta_variance(case["tab"]), abs=TOLERANCE)
        if "wkappa_linear" in case:
            linear = cohen_kappa(case["tab"], weights="linear")
            assert linear.value == pytest.approx(case["wkappa_linear"], abs=TOLERANCE), name


def test_peak_flow_meters(statistics: Path, agreement: dict[str, Any]) -> None:
    case = agreement["bland_altman_1986"]
    table = rows(statistics / "data", "bland_altman_1986_pefr.csv")
    first, second = [float(r["wright"]) for r in table], [float(r["mini"]) for r in table]
    found = bland_altman(first, second)
    ours = (found.bias.value, found.sd, found.lower_limit.value, found.upper_limit.value)
    assert ours == pytest.approx((case["bias"], case["sd"], *case["loa"]), abs=TOLERANCE)
    assert lin_concordance(first, second).value == pytest.approx(case["lin_ccc"], abs=TOLERANCE)
