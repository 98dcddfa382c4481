"""Rates and survival against R 4.2.2 (stats::binom.test, survival 3.5.3), to 1e-9.

Rows that apply: every row of ``binomial_ci.csv`` (its Clopper-Pearson and Wilson columns); of the curves and quantiles
those with ``conf.type = "log-log"``, which is the house's convention; of the log-rank tests those with ``rho = 0`` and
no strata. The remaining rows are other estimators (log, plain, logit, arcsin limits; Peto-Peto; stratified).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from trialimg.stats.rates import rate
from trialimg.stats.results import SurvivalCurve
from trialimg.stats.survival import kaplan_meier, log_rank, survival_quantile

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


def subjects(statistics: Path, dataset: str) -> tuple[list[float], list[int], list[str]]:
    file, time, event, group, keep = COLUMNS[dataset]
    with (statistics / "data" / file).open(newline="") as text:
        rows = [r for r in csv.DictReader(text) if all(r[k] == v for k, v in keep.items())]
    return [float(r[time]) for r in rows], [int(r[event]) for r in rows], [r[group] for r in rows]


def curve_of(statistics: Path, case: dict[str, Any]) -> SurvivalCurve:
    days, events, groups = subjects(statistics, case["dataset"])
    kept = [i for i, g in enumerate(groups) if case["group"] in ("all", g)]
    return kaplan_meier([days[i] for i in kept], [events[i] for i in kept], label=case["group"])


def log_log(statistics: Path, name: str) -> list[dict[str, Any]]:
    return [case for case in cases(statistics, name) if case["conf_type"] == "log-log"]


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
    compared = log_log(statistics, "km_curves.json")
    assert len(compared) == 12
    for case in compared:
        curve = curve_of(statistics, case)
        at_events = [i for i, n in enumerate(curve.n_event) if n > 0]
        assert [curve.time_days[i] for i in at_events] == case["time"]
        assert [curve.n_risk[i] for i in at_events] == case["n_risk"]
        assert [curve.n_event[i] for i in at_events] == case["n_event"]
        assert [curve.survival[i] for i in at_events] == pytest.approx(case["surv"], abs=TOLERANCE)
        for ours, theirs in ((curve.lower, case["lower"]), (curve.upper, case["upper"])):
            picked = [ours[i] for i in at_events]
            assert [v is None for v in picked] == [v is None for v in theirs]
            known = [(a, b) for a, b in zip(picked, theirs, strict=True) if b is not None]
            assert [a for a, _ in known] == pytest.approx([b for _, b in known], abs=TOLERANCE)


def test_quantiles_and_their_limits(statistics: Path) -> None:
    compared = log_log(statistics, "km_quantiles.json")
    assert len(compared) == 12
    for case in compared:
        curve = curve_of(statistics, case)
        found = [survival_quantile(curve, p) for p in case["p"]]
        where = f"{case['dataset']} {case['group']}"
        assert [e.value for e in found] == case["quantile"], where
        assert [e.lower for e in found] == case["lower"], where
        assert [e.upper for e in found] == case["upper"], where
        assert (curve.n, curve.events) == (case["n"], case["events"])
        assert curve.median_days.value == case["quantile"][1]


def test_log_rank(statistics: Path) -> None:
    compared = [c for c in cases(statistics, "logrank.json") if c["rho"] == 0 and c["strata"] is None]
    assert {c["dataset"] for c in compared} == {"aml", "lung", "colon_death", "gbsg"}
    for case in compared:
        test = log_rank(*subjects(statistics, case["dataset"]))
        assert test.chi2 == pytest.approx(case["chisq"], abs=TOLERANCE)
        assert test.p == pytest.approx(case["p"], abs=TOLERANCE)
        assert (test.df, test.n, test.events) == (case["df"], sum(case["n"]), sum(case["obs"]))
