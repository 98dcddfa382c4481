"""Hazard models, competing risks and interval censoring against R 4.2.2 (survival 3.5.3, cmprsk 2.2.11).

R's ``coxph`` stops when the log-likelihood changes by less than 1e-9 of itself, so its last digits are its own; ours go
on to the maximum. Coefficients, standard errors and tests are compared to 1e-6 (they agree to about 3e-9). R prints the
Wald statistic with two decimals. ``survfit`` leaves Turnbull's curve before its maximum: ours has to have the larger
likelihood, and lies within 1e-3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden.stats.r_answers import answers, rows
from trialimg.stats.competing_risks import cumulative_incidence, gray_test
from trialimg.stats.cox import CoxFit, Histories, cox
from trialimg.stats.design import design_of
from trialimg.stats.fine_gray import fine_gray
from trialimg.stats.interval_censoring import parametric_survival, turnbull
from trialimg.stats.survival import kaplan_meier, survival_at

pytestmark = pytest.mark.reference
Rows = list[dict[str, str]]
TOLERANCE = 1e-9
MODEL_TOLERANCE = 1e-6

FILES = {
    "ovarian": "ovarian.csv",
    "lung": "lung.csv",
    "colon etype==2": "colon.csv",
    "heart": "heart.csv",
    "veteran": "veteran.csv",
    "gbsg": "gbsg.csv",
    "rats": "rats.csv",
    "kidney": "kidney.csv",
}


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


def complete(table: Rows, columns: list[str]) -> Rows:
    return [row for row in table if all(row[name] not in ("", "NA") for name in columns)]


def fitted(statistics: Path, case: dict[str, Any]) -> CoxFit:
    """The model that an R formula describes."""
    left, right = case["formula"].split(" ~ ")
    times = left.removeprefix("Surv(").removesuffix(")").split(", ")
    parts = right.split(" + ")
    special = {p[: p.index("(")]: p[p.index("(") + 1 : -1] for p in parts if "(" in p}
    covariates = [p for p in parts if "(" not in p]
    table = rows(statistics / "data", FILES[case["dataset"]])
    if case["dataset"].startswith("colon"):
        table = [row for row in table if row["etype"] == "2"]
    table = complete(table, [*times, *covariates, *special.values()])
    values: dict[str, list[float | str]] = {
        name: [row[name] if name == "rx" and "colon" in case["dataset"] else float(row[name]) for row in table]
        for name in covariates
    }
    references = {"rx": "Obs"} if "colon" in case["dataset"] else {}
    strata, cluster = (
        [row[special[kind]] for row in table] if kind in special else None for kind in ("strata", "cluster")
    )
    histories = Histories(
        stop=[float(row[times[-2]]) for row in table],
        event=[int(row[times[-1]]) for row in table],
        start=[float(row[times[0]]) for row in table] if len(times) == 3 else None,
        strata=strata,
        cluster=cluster,
    )
    return cox(histories, design_of(values, references=references), ties=case["ties"], robust=case["robust"])


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cox_models(statistics: Path) -> None:
    cases = answers(statistics, "coxph.json")["cases"]
    assert len(cases) == 17
    for case in cases:
        found = fitted(statistics, case)
        where = f"{case['dataset']} {case['formula']} {case['ties']}"
        assert (found.n, found.events) == (case["n"], case["nevent"]), where
        expected = {
            "coef": many(case["coef"]),
            "ratio": many(case["hr"]),
            "lower": many(case["ci_lower"]),
            "upper": many(case["ci_upper"]),
            "se": many(case["robust_se"] or case["se"]),
        }
        for name, values in expected.items():
            assert [getattr(t, name) for t in found.terms] == pytest.approx(values, abs=MODEL_TOLERANCE), where
        assert (found.loglik_null, found.loglik) == pytest.approx(case["loglik"], abs=MODEL_TOLERANCE), where
        for test, theirs in ((found.likelihood_ratio, case["lrt"]), (found.score, case["score"])):
            assert (test.chi2, test.df, test.p) == pytest.approx(theirs, abs=MODEL_TOLERANCE), where
        assert found.wald.chi2 == pytest.approx(case["wald"][0], abs=0.005 + 1e-9), where
        told = (found.concordance, found.concordance_se)
        assert told == pytest.approx(case["concordance"], abs=MODEL_TOLERANCE), where


def test_proportional_hazards(statistics: Path) -> None:
    cases = [c for c in answers(statistics, "coxph.json")["cases"] if c["zph_chisq"] is not None]
    assert len(cases) == 1
    for case in cases:
        found = fitted(statistics, case).proportionality
        assert [name for name, _ in found] == case["zph_terms"]
        assert [test.chi2 for _, test in found] == pytest.approx(case["zph_chisq"], abs=MODEL_TOLERANCE)
        assert [test.p for _, test in found] == pytest.approx(case["zph_p"], abs=MODEL_TOLERANCE)


def competing_rows(statistics: Path, name: str) -> tuple[list[float], list[int], list[str]]:
    if name == "mgus2":
        table = rows(statistics / "data", "mgus2_cr.csv")
        columns = ("etime", "event", "sex")
    else:
        table = complete(rows(statistics / "data", "pbc.csv"), ["trt"])
        columns = ("time", "status", "trt")
    time, state, group = columns
    return [float(r[time]) for r in table], [int(r[state]) for r in table], [r[group] for r in table]


@pytest.mark.parametrize("name", ["mgus2", "pbc"])
def test_cumulative_incidence_and_grays_test(statistics: Path, name: str) -> None:
    case = answers(statistics, "competing_risks.json")[name]
    days, states, groups = competing_rows(statistics, name)
    for cause, (statistic, p, df) in enumerate(case["gray"], start=1):
        test = gray_test(days, states, groups, cause=cause)
        assert (test.chi2, test.p, test.df) == pytest.approx((statistic, p, df), abs=TOLERANCE)
    for label, incidence, variance in zip(case["cif_names"], case["cif"], case["var"], strict=True):
        group, cause = label.split()
        kept = [i for i, g in enumerate(groups) if g == group]
        curve = cumulative_incidence([days[i] for i in kept], [states[i] for i in kept], cause=int(cause), label=group)
        found = [curve.at(day) for day in case["times"]]
        assert [f[0] for f in found] == pytest.approx(incidence, abs=TOLERANCE)
        assert [f[1] for f in found] == pytest.approx(variance, abs=TOLERANCE)


def test_limits_of_an_aalen_johansen_curve(statistics: Path) -> None:
    case = answers(statistics, "competing_risks.json")["mgus2"]["aj"]
    days, states, groups = competing_rows(statistics, "mgus2")
    for group in ("F", "M"):
        kept = [i for i, g in enumerate(groups) if g == group]
        for cause in (1, 2):
            curve = cumulative_incidence([days[i] for i in kept], [states[i] for i in kept], cause=cause, label=group)
            for row, (stratum, day) in enumerate(zip(case["strata"], case["time"], strict=True)):
                if stratum != f"sex={group}":
                    continue
                place = int(np.searchsorted(curve.time_days, day, side="right")) - 1
                ours = (curve.incidence[place], curve.se[place], curve.lower[place], curve.upper[place])
                theirs = [case[key][row][cause] for key in ("pstate", "se", "lower", "upper")]
                assert ours == pytest.approx(theirs, abs=TOLERANCE)


def test_freedom_from_either_cause(statistics: Path) -> None:
    """The first state of ``survfit`` is what no event leaves: Kaplan-Meier with limits on the logarithm's scale."""
    case = answers(statistics, "competing_risks.json")["mgus2"]["aj"]
    days, states, groups = competing_rows(statistics, "mgus2")
    for row, (stratum, day) in enumerate(zip(case["strata"], case["time"], strict=True)):
        kept = [i for i, g in enumerate(groups) if stratum == f"sex={g}"]
        curve = kaplan_meier([days[i] for i in kept], [int(states[i] > 0) for i in kept], label=stratum, limits="log")
        read = survival_at(curve, day)
        theirs = [case[key][row][0] for key in ("pstate", "se", "lower", "upper")]
        assert [read.value, read.se, read.lower, read.upper] == pytest.approx(theirs, abs=TOLERANCE)


def test_recurrences_as_the_authors_of_survival_print_them(statistics: Path) -> None:
    """``coxph(Surv(start, stop, event) ~ rx + size + number + cluster(id), bladder2)``, to the printed digits."""
    table = rows(statistics / "data", "bladder2.csv")
    design = design_of({name: [float(r[name]) for r in table] for name in ("rx", "size", "number")})
    start, stop = ([float(r[name]) for r in table] for name in ("start", "stop"))
    events = [int(r["event"]) for r in table]
    found = cox(Histories(stop, events, start=start, cluster=[r["id"] for r in table]), design).terms
    assert [round(t.coef, 5) for t in found] == [-0.46469, -0.04366, 0.17496]
    assert [round(t.ratio, 5) for t in found] == [0.62833, 0.95728, 1.19120]
    assert [round(t.naive_se or 0, 5) for t in found] == [0.19973, 0.06905, 0.04707]
    assert [round(t.se, 5) for t in found] == [0.26556, 0.07762, 0.06304]
    assert [round(t.p, 5) for t in found] == [0.08015, 0.57376, 0.00551]


def test_fine_gray(statistics: Path) -> None:
    case = answers(statistics, "competing_risks.json")["mgus2"]["finegray"]
    table = complete(rows(statistics / "data", "mgus2_cr.csv"), ["age", "sex", "mspike"])
    covariates: dict[str, list[float | str]] = {
        "age": [float(r["age"]) for r in table],
        "sex": [r["sex"] for r in table],
        "mspike": [float(r["mspike"]) for r in table],
    }
    days, states = [float(r["etime"]) for r in table], [int(r["event"]) for r in table]
    found = fine_gray(days, states, design_of(covariates), cause=1)
    assert (found.n, [t.name for t in found.terms]) == (case["n"], case["coef_names"])
    assert [t.coef for t in found.terms] == pytest.approx(case["coef"], abs=MODEL_TOLERANCE)
    assert [t.se for t in found.terms] == pytest.approx(case["se"], abs=MODEL_TOLERANCE)
    assert found.loglik == pytest.approx(case["loglik"], abs=MODEL_TOLERANCE)


def intervals(statistics: Path) -> tuple[list[float], list[float | None]]:
    table = rows(statistics / "data", "cosmesis_like.csv")
    return [float(r["l"] or 0) for r in table], [float(r["r"]) if r["r"] else None for r in table]


def test_turnbull(statistics: Path) -> None:
    case = answers(statistics, "interval_censoring.json")["turnbull"]
    left, right = intervals(statistics)
    curve = turnbull(left, right)
    compared = 0
    for day, height in zip(case["time"], case["surv"], strict=True):
        inside = [(b, s) for a, b, s in zip(curve.left, curve.right, curve.survival, strict=True) if b and a < day < b]
        ours = inside[0][1] if inside else curve.survival_at(day)
        if ours is not None:
            assert ours == pytest.approx(height, abs=1e-3)
            compared += 1
    assert compared >= 20
    assert curve.loglik > likelihood_of_r(case, left, right) - 1e-12


def likelihood_of_r(case: dict[str, Any], left: list[float], right: list[float | None]) -> float:
    """Of the mass that R puts at the middles of its intervals."""
    heights = np.array([1.0, *case["surv"]])
    mass, middle = -np.diff(heights), np.array(case["time"])
    total = 0.0
    for low, high in zip(left, right, strict=True):
        total += float(np.log(mass[(middle >= low) & (middle <= (np.inf if high is None else high))].sum()))
    return total


def test_curves_of_a_given_shape(statistics: Path) -> None:
    left, right = intervals(statistics)
    for shape, case in answers(statistics, "interval_censoring.json")["survreg"].items():
        found = parametric_survival(left, right, shape=shape)
        ours = (found.location, found.scale, found.loglik)
        assert ours == pytest.approx((case["coef"], case["scale"], case["loglik"]), abs=MODEL_TOLERANCE)
