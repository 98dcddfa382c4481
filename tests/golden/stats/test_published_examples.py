"""The verbs of `trialimg analyse` against examples that were published with their numbers.

- Freireich EJ et al. Blood 1963; 21: 699, remission in weeks with 6-mercaptopurine and placebo, as Gehan EA, Biometrika
  1965; 52: 203 gives it and textbooks have it since; to more digits by R 4.2.2 (survival 3.5.3) from ``MASS::gehan``.
- Newcombe RG. Two-sided confidence intervals for the single proportion. Stat Med 1998; 17: 857, table I.
- Newcombe RG. Interval estimation for the difference between independent proportions. Stat Med 1998; 17: 873, table II,
  methods 10 (its score method without continuity correction) and 6 (Miettinen and Nurminen's).
- Admissions to Berkeley, 1973: Bickel PJ et al. Science 1975; 187: 398; R's ``mantelhaen.test(UCBAdmissions)``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.verbs import run

Verb = Callable[..., dict[str, Any]]
Limits = tuple[float, float]

MERCAPTOPURINE = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
BERKELEY = {
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}
"""Department to men admitted and rejected, women admitted and rejected."""


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Verb:
    """What a verb says, of lines of a table where there are any."""

    def call(verb: str, lines: list[str] | None, *options: object) -> dict[str, Any]:
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines or []) + "\n")
        answer = run(capsys, "analyse", verb, *([] if lines is None else [path]), *options, "--json")
        assert answer.code == 0, answer.err
        found: dict[str, Any] = json.loads(answer.out)
        return found

    return call


@pytest.fixture
def remission() -> list[str]:
    rows = [
        f"{week.rstrip('+')},{0 if week.endswith('+') else 1},{arm}"
        for arm, weeks in (("6-MP", MERCAPTOPURINE), ("placebo", PLACEBO))
        for week in weeks.split()
    ]
    return ["week,relapse,arm", *rows]


TIMED = ("--time", "week", "--event", "relapse", "--by", "arm")


def test_remission_curves(told: Verb, remission: list[str]) -> None:
    found = told("km", remission, *TIMED, "--limits", "log", "--at", "10,23")
    drug, placebo = found["groups"]
    assert (drug["n"], drug["events"], placebo["n"], placebo["events"]) == (21, 9, 21, 21)
    assert [drug["median"], drug["median_lower"], drug["median_upper"]] == [23, 16, None]
    assert [placebo["median"], placebo["median_lower"], placebo["median_upper"]] == [8, 4, 12]
    assert [row["survival"] for row in drug["at"]] == pytest.approx([0.7529, 0.4482], abs=5e-5)
    assert drug["curve"]["se"][2] == pytest.approx(0.0963, abs=5e-5)


def test_remission_log_rank_tests(told: Verb, remission: list[str]) -> None:
    plain, early = told("logrank", remission, *TIMED), told("logrank", remission, *TIMED, "--rho", "1")
    assert plain["chi2"] == pytest.approx(16.79294099, abs=1e-8)
    assert [group["expected"] for group in plain["groups"]] == pytest.approx([19.25, 10.75], abs=5e-3)
    assert early["chi2"] == pytest.approx(14.45715082, abs=1e-8)


@pytest.mark.parametrize(
    ("ties", "coefficient", "se", "loglik"),
    [
        ("breslow", 1.509191413, 0.4095644064, -86.37962207),
        ("efron", 1.572125149, 0.4123967177, -85.00842458),
        ("exact", 1.628243952, 0.4331312965, -74.54310116),
    ],
)
def test_remission_hazard_ratios(
    told: Verb, remission: list[str], ties: str, coefficient: float, se: float, loglik: float
) -> None:
    found = told("cox", remission, *TIMED, "--ties", ties)
    term = found["terms"][0]
    assert term["name"] == "armplacebo"
    assert (term["coef"], term["se"], found["loglik"]) == pytest.approx((coefficient, se, loglik), rel=1e-8)


@pytest.mark.parametrize(
    ("x", "n", "wilson", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_newcombes_single_proportions(told: Verb, x: int, n: int, wilson: Limits, exact: Limits) -> None:
    for method, wanted in (("wilson", wilson), ("clopper-pearson", exact)):
        found = told("rate", None, "--x", x, "--n", n, "--method", method)
        assert (found["lower"], found["upper"]) == pytest.approx(wanted, abs=5.1e-5)


@pytest.mark.parametrize(
    ("counts", "score", "miettinen_nurminen"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
        ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534)),
        ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
        ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
        ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
        ((10, 10, 0, 20), (0.6791, 1.0), (0.7156, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0), None),
    ],
)
def test_newcombes_differences(
    told: Verb, counts: tuple[int, int, int, int], score: Limits, miettinen_nurminen: Limits | None
) -> None:
    x1, n1, x2, n2 = counts
    for method, wanted in (("newcombe", score), ("miettinen-nurminen", miettinen_nurminen)):
        found = told("difference", None, "--x1", x1, "--n1", n1, "--x2", x2, "--n2", n2, "--method", method)
        if wanted is not None:
            assert (found["lower"], found["upper"]) == pytest.approx(wanted, abs=5.1e-5)


def test_admissions_to_berkeley(told: Verb) -> None:
    rows = [
        f"{department},{sex},{admitted}"
        for department, counts in BERKELEY.items()
        for (sex, admitted), count in zip((("m", 1), ("m", 0), ("w", 1), ("w", 0)), counts, strict=True)
        for _ in range(count)
    ]
    found = told(
        "cmh", ["department,sex,admitted", *rows], "--event", "admitted", "--by", "sex", "--strata", "department"
    )
    assert found["n"] == 4526
    assert found["chi2"] == pytest.approx(1.52460666, abs=1e-8)
    assert (found["corrected"]["chi2"], found["corrected"]["p"]) == pytest.approx((1.4269462, 0.2322635), abs=1e-7)
    ratio = found["odds_ratio"]
    limits = (0.9046968283, 0.7719073618, 1.0603297644)
    assert (ratio["estimate"], ratio["lower"], ratio["upper"]) == pytest.approx(limits, abs=1e-9)
