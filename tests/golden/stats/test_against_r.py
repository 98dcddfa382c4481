"""Rates, curves, quantiles, log-rank tests and restricted means against R 4.2.2 (survival 3.5.3), to 1e-9."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from trialimg.stats.log_rank import log_rank
from trialimg.stats.rates import rate
from trialimg.stats.restricted_mean import restricted_mean
from trialimg.stats.results import SurvivalCurve
from trialimg.stats.survival import kaplan_meier, survival_quantile

pytestmark = pytest.mark.reference

TOLERANCE = 1e-9
"""Absolute; R's answers were written with 15 significant digits."""

Row = dict[str, str]

COLUMNS = {  # data set: file, time, event, group, rows kept
    "aml": ("aml.csv", "time", "status", "x", {}),
    "ovarian": ("ovarian.csv", "futime", "fustat", "rx", {}),
    "lung": ("lung.csv", "time", "event", "sex", {}),
    "veteran": ("veteran.csv", "time", "status", "trt", {}),
    "colon_death": ("colon.csv", "time", "status", "rx", {"etype": "2"}),
    "colon_recur": ("colon.csv", "time", "status", "rx", {"etype": "1"}),
    "gbsg": ("gbsg.csv", "rfstime", "status", "hormon", {}),
}


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


def cases(statistics: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((statistics / name).read_text())["cases"]
    return found


def rows_of(statistics: Path, dataset: str) -> list[Row]:
    file, _, _, _, keep = COLUMNS[dataset]
    with (statistics / "data" / file).open(newline="") as text:
        return [r for r in csv.DictReader(text) if all(r[k] == v for k, v in keep.items())]


def subjects(
    statistics: Path, dataset: str, strata: str | None = None
) -> tuple[list[float], list[int], list[str], list[str] | None]:
    _, time, event, group, _ = COLUMNS[dataset]
    rows = [r for r in rows_of(statistics, dataset) if strata is None or r[strata] not in ("", "NA")]
    layers = None if strata is None else [r[strata] for r in rows]
    return [float(r[time]) for r in rows], [int(r[event]) for r in rows], [r[group] for r in rows], layers


def arm_of(statistics: Path, case: dict[str, Any]) -> tuple[list[float], list[int]]:
    days, events, groups, _ = subjects(statistics, case["dataset"])
    kept = [i for i, g in enumerate(groups) if case["group"] in ("all", g)]
    return [days[i] for i in kept], [events[i] for i in kept]


def curve_of(statistics: Path, case: dict[str, Any]) -> SurvivalCurve:
    return kaplan_meier(*arm_of(statistics, case), label=case["group"], limits=case["conf_type"])


@pytest.mark.parametrize(("method", "column"), [("clopper_pearson", "cp"), ("wilson", "wilson")])
def test_binomial_limits(statistics: Path, method: str, column: str) -> None:
    with (statistics / "binomial_ci.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 358
    for row in rows:
        estimate = rate(int(row["x"]), int(row["n"]), confidence=float(row["conf"]), method=method)
        expected = [float(row[c]) for c in ("est", f"{column}_lower", f"{column}_upper")]
        assert [estimate.value, estimate.lower, estimate.upper] == pytest.approx(expected, abs=TOLERANCE), row


def test_kaplan_meier_curves(statistics: Path) -> None:
    compared = cases(statistics, "km_curves.json")
    assert len(compared) == 58
    assert {case["conf_type"] for case in compared} == {"log-log", "log", "plain", "logit", "arcsin"}
    for case in compared:
        curve = curve_of(statistics, case)
        at_events = [i for i, n in enumerate(curve.n_event) if n > 0]
        assert [curve.time_days[i] for i in at_events] == case["time"]
        assert [curve.n_risk[i] for i in at_events] == case["n_risk"]
        assert [curve.n_event[i] for i in at_events] == case["n_event"]
        assert [curve.survival[i] for i in at_events] == pytest.approx(case["surv"], abs=TOLERANCE)
        for ours, theirs in ((curve.se, case["se_surv"]), (curve.lower, case["lower"]), (curve.upper, case["upper"])):
            picked = [ours[i] for i in at_events]
            assert [v is None for v in picked] == [v is None for v in theirs]
            known = [(a, b) for a, b in zip(picked, theirs, strict=True) if b is not None]
            assert [a for a, _ in known] == pytest.approx([b for _, b in known], abs=TOLERANCE)


def test_quantiles_and_their_limits(statistics: Path) -> None:
    compared = cases(statistics, "km_quantiles.json")
    assert len(compared) == 58
    for case in compared:
        curve = curve_of(statistics, case)
        found = [survival_quantile(curve, p) for p in case["p"]]
        where = f"{case['dataset']} {case['group']} {case['conf_type']}"
        assert [e.value for e in found] == case["quantile"], where
        assert [e.lower for e in found] == case["lower"], where
        assert [e.upper for e in found] == case["upper"], where
        assert (curve.n, curve.events) == (case["n"], case["events"])
        assert curve.median_days.value == case["quantile"][1]


def test_log_rank(statistics: Path) -> None:
    compared = cases(statistics, "logrank.json")
    assert len(compared) == 16
    for case in compared:
        days, events, groups, strata = subjects(statistics, case["dataset"], case["strata"])
        test = log_rank(days, events, groups, strata=strata, weights=(case["rho"], 0.0))
        assert (test.chi2, test.p) == pytest.approx((case["chisq"], case["p"]), abs=TOLERANCE)
        assert test.observed == pytest.approx(case["obs"], abs=TOLERANCE)
        assert test.expected == pytest.approx(case["exp"], abs=TOLERANCE)
        assert (test.df, list(test.group_n)) == (case["df"], case["n"])


def test_restricted_means(statistics: Path) -> None:
    compared = cases(statistics, "rmst.json")
    assert len(compared) == 24
    for case in compared:
        found = restricted_mean(*arm_of(statistics, case), horizon=case["tau"])
        assert found.value == pytest.approx(case["rmst"], abs=TOLERANCE)
        assert found.se == pytest.approx(case["se"], abs=TOLERANCE)
