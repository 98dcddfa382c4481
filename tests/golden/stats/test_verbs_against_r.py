"""What the command prints against R 4.2.2: the same numbers, by the way a user takes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.stats.r_answers import answers
from tests.integration.verbs import run

pytestmark = pytest.mark.reference
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


def printed(capsys: Capture, *arguments: object) -> dict[str, Any]:
    answer = run(capsys, "analyse", *arguments, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


@pytest.mark.parametrize("limits", ["log-log", "log", "plain", "logit", "arcsin"])
def test_a_curve(capsys: Capture, statistics: Path, limits: str) -> None:
    cases = answers(statistics, "km_curves.json")["cases"]
    case = next(c for c in cases if (c["dataset"], c["conf_type"]) == ("aml", limits))
    data = statistics / "data" / "aml.csv"
    found = printed(capsys, "km", data, "--time", "time", "--event", "status", "--by", "x", "--limits", limits)
    part = found if case["group"] == "all" else next(g for g in found["groups"] if g["group"] == case["group"])
    assert part["curve"]["time"] == case["time"]
    for ours, theirs in (("n_risk", "n_risk"), ("n_event", "n_event"), ("survival", "surv"), ("lower", "lower")):
        known = [(a, b) for a, b in zip(part["curve"][ours], case[theirs], strict=True) if b is not None]
        assert [a for a, _ in known] == pytest.approx([b for _, b in known], abs=1e-9)


def test_a_stratified_log_rank_test_with_a_missing_stratum(capsys: Capture, statistics: Path) -> None:
    case = next(c for c in answers(statistics, "logrank.json")["cases"] if c["strata"] == "ph.ecog")
    data, columns = statistics / "data" / "lung.csv", ("--time", "time", "--event", "event", "--by", "sex")
    assert run(capsys, "analyse", "logrank", data, *columns, "--strata", "ph.ecog", "--json").code == 2
    found = printed(capsys, "logrank", data, *columns, "--strata", "ph.ecog", "--missing", "drop")
    assert (found["chi2"], found["p"]) == pytest.approx((case["chisq"], case["p"]), abs=1e-9)
    assert found["n"] == case["n_used"]
    assert "dropped: 1 of 228 rows have a missing cell (ph.ecog 1); lines 15" in found["warnings"]


def test_a_model_with_categories_strata_and_ties(capsys: Capture, statistics: Path, tmp_path: Path) -> None:
    cases = answers(statistics, "coxph.json")["cases"]
    case = next(c for c in cases if c["formula"].endswith("strata(node4)"))
    with (statistics / "data" / "colon.csv").open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["etype"] == "2"]
    data = tmp_path / "deaths.csv"
    with data.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    columns = ("--time", "time", "--event", "status", "--covariates", "rx", "--factor", "rx=Obs")
    found = printed(capsys, "cox", data, *columns, "--strata", "node4", "--ties", "breslow")
    assert [t["name"] for t in found["terms"]] == case["terms"]
    for ours, theirs in (("coef", "coef"), ("se", "se"), ("hr", "hr"), ("lower", "ci_lower"), ("upper", "ci_upper")):
        assert [t[ours] for t in found["terms"]] == pytest.approx(case[theirs], abs=1e-6)


def test_time_varying_covariates(capsys: Capture, statistics: Path) -> None:
    case = next(c for c in answers(statistics, "coxph.json")["cases"] if c["dataset"] == "heart")
    columns = ("--start", "start", "--time", "stop", "--event", "event", "--covariates", "age,year,surgery,transplant")
    found = printed(capsys, "cox", statistics / "data" / "heart.csv", *columns)
    assert [t["coef"] for t in found["terms"]] == pytest.approx(case["coef"], abs=1e-6)


def test_a_restricted_mean(capsys: Capture, statistics: Path) -> None:
    case = next(c for c in answers(statistics, "rmst.json")["cases"] if c["dataset"] == "veteran" and c["tau"] == 276.5)
    columns = ("--time", "time", "--event", "status", "--by", "trt", "--tau", case["tau"])
    found = printed(capsys, "rmst", statistics / "data" / "veteran.csv", *columns)
    group = next(g for g in found["groups"] if g["group"] == case["group"])
    assert (group["estimate"], group["se"]) == pytest.approx((case["rmst"], case["se"]), abs=1e-9)


def test_competing_risks(capsys: Capture, statistics: Path) -> None:
    case = answers(statistics, "competing_risks.json")["mgus2"]
    columns = ("--time", "etime", "--event", "event", "--by", "sex", "--at", ",".join(map(str, case["times"])))
    found = printed(capsys, "competing", statistics / "data" / "mgus2_cr.csv", *columns)
    for cause, gray in zip(found["causes"], case["gray"], strict=True):
        assert (cause["gray"]["chi2"], cause["gray"]["p"], cause["gray"]["df"]) == pytest.approx(gray, abs=1e-9)
    women = found["causes"][0]["groups"][0]
    assert [row["incidence"] for row in women["at"]] == pytest.approx(case["cif"][0], abs=1e-9)
    assert [row["variance"] for row in women["at"]] == pytest.approx(case["var"][0], abs=1e-9)


def test_a_mixed_model(capsys: Capture, statistics: Path) -> None:
    case = answers(statistics, "mixed_models.json")["mmrm_unstructured_gls"]
    columns = (
        "--response",
        "distance",
        "--subject",
        "Subject",
        "--visit",
        "age",
        "--by",
        "Sex",
        "--factor",
        "Sex=Male",
    )
    found = printed(capsys, "mmrm", statistics / "data" / "orthodont.csv", *columns)
    assert [t["name"].replace("age", "v") for t in found["terms"]] == case["names"]
    assert [t["coef"] for t in found["terms"]] == pytest.approx(case["coef"], abs=1e-6)
    assert [t["se"] for t in found["terms"]] == pytest.approx(case["se"], abs=1e-6)


def test_two_arms_across_strata(capsys: Capture, statistics: Path, tmp_path: Path) -> None:
    case = next(c for c in answers(statistics, "cmh.json")["cases"] if c["name"] == "UCBAdmissions")
    lines = ["admitted,gender,department"]
    for stratum in range(case["dim"][2]):  # column-major: arm, then response
        cells = case["counts"][4 * stratum : 4 * stratum + 4]
        for count, arm, event in zip(cells, (0, 1, 0, 1), (1, 1, 0, 0), strict=True):
            lines += [f"{event},arm{arm},d{stratum}"] * count
    data = tmp_path / "admissions.csv"
    data.write_text("\n".join(lines) + "\n")
    found = printed(capsys, "cmh", data, "--event", "admitted", "--by", "gender", "--strata", "department")
    assert (found["chi2"], found["p"]) == pytest.approx((case["cmh"], case["p"]), abs=1e-9)
    assert found["estimate"] == pytest.approx(case["or_mh"], abs=1e-9)
    assert (found["lower"], found["upper"]) == pytest.approx(tuple(case["or_ci"]), abs=1e-9)
    assert found["exact_p"] == pytest.approx(case["exact_p"], abs=1e-9)
