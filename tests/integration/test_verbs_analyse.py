"""`trialimg analyse`: the documents it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.verbs import Answer, require_refusal, run

Capture = pytest.CaptureFixture[str]

TRIAL = """subject,arm,site,response,days,event
1,A,x,1,57,1
2,A,x,0,85,1
3,A,y,1,120,0
4,A,y,0,170,1
5,B,x,0,40,1
6,B,x,0,61,1
7,B,y,1,66,0
8,B,y,0,20,1
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "trial.csv"
    path.write_text(TRIAL)
    return path


def printed(capsys: Capture, *arguments: object) -> dict[str, Any]:
    answer = run(capsys, "analyse", *arguments, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def refused(capsys: Capture, *arguments: object) -> Answer:
    answer = run(capsys, "analyse", *arguments, "--json")
    require_refusal(answer)
    return answer


def test_a_single_rate_needs_no_file(capsys: Capture) -> None:
    found = printed(capsys, "rate", "--x", 12, "--n", 50, "--conf", 0.95, "--method", "clopper-pearson")
    assert found["estimate"] == 0.24
    assert (found["lower"], found["upper"]) == pytest.approx((0.1306099162, 0.3816907481), abs=1e-10)
    assert found["method"] == "Clopper-Pearson exact"


def test_a_single_difference_needs_no_file(capsys: Capture) -> None:
    counts = ("--x1", 56, "--n1", 70, "--x2", 48, "--n2", 80)
    found = printed(capsys, "difference", *counts, "--method", "newcombe")
    assert (found["lower"], found["upper"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)  # Newcombe 1998, table II (a)


def test_a_table_gives_rates_by_group(capsys: Capture, trial: Path) -> None:
    found = printed(capsys, "rate", trial, "--event", "response", "--by", "arm")
    assert (found["events"], found["n"]) == (3, 8)
    assert [(g["group"], g["events"], g["n"]) for g in found["groups"]] == [("A", 2, 4), ("B", 1, 4)]


def test_a_table_gives_differences_across_strata(capsys: Capture, trial: Path) -> None:
    plain = printed(capsys, "difference", trial, "--event", "response", "--by", "arm")
    assert plain["estimate"] == 0.25
    assert plain["arms"] == "A minus B"
    across = printed(capsys, "cmh", trial, "--event", "response", "--by", "arm", "--strata", "site")
    assert {"chi2", "df", "p", "odds_ratio", "risk_difference"} <= across.keys()
    assert across["risk_difference"]["estimate"] == pytest.approx(0.25)


def test_arms_that_are_numbers_stand_by_size(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "doses.csv"
    path.write_text("dose_mg,response\n10,1\n10,1\n9,0\n9,1\n")
    found = printed(capsys, "difference", path, "--event", "response", "--by", "dose_mg")
    assert (found["arms"], found["estimate"]) == ("9 minus 10", -0.5)


def test_a_person_gets_a_table(capsys: Capture, trial: Path) -> None:
    answer = run(capsys, "analyse", "rate", trial, "--event", "response")
    assert answer.code == 0
    assert "Clopper-Pearson exact" in answer.out
    assert "0.375" in answer.out


def test_every_bad_cell_is_named_with_its_line(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("arm,response\nA,1\nA,2\nB,\nB,yes\n")
    answer = refused(capsys, "rate", path, "--event", "response", "--by", "arm")
    assert [line.split(": ")[0] for line in answer.err.splitlines()[:-1]] == [f"{path}:{n}" for n in (3, 4, 5)]


def test_missing_cells_are_dropped_only_when_told_so_and_counted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("arm,response\nA,1\nA,NA\nB,0\n")
    refused(capsys, "rate", path, "--event", "response")
    found = printed(capsys, "rate", path, "--event", "response", "--missing", "drop")
    assert found["n"] == 2
    assert found["warnings"] == ["dropped: 1 of 3 rows have a missing cell (response 1); lines 3"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("rate",), "either a table"),
        (("rate", "--x", 5), "either a table"),
        (("rate", "--x", 5, "--n", 4), "cannot be made"),
        (("rate", "--x", 1, "--n", 4, "--conf", 95), "between 0 and 1"),
        (("rate", "--x", 1, "--n", 4, "--method", "magic"), "magic"),
        (("difference", "--x1", 1, "--n1", 4, "--x2", 1, "--n2", 0), "cannot be compared"),
    ],
)
def test_single_figures_that_cannot_be_are_refused(capsys: Capture, arguments: tuple[Any, ...], word: str) -> None:
    require_refusal(run(capsys, "analyse", *arguments, "--json"), word)


@pytest.mark.parametrize("verb", ["difference", "cmh"])
def test_two_arms_are_two(capsys: Capture, trial: Path, verb: str) -> None:
    require_refusal(run(capsys, "analyse", verb, trial, "--event", "response", "--by", "subject"), "two arms")


def test_an_unknown_column_names_the_known_ones(capsys: Capture, trial: Path) -> None:
    answer = refused(capsys, "rate", trial, "--event", "respons")
    assert "there are subject, arm, site, response" in answer.err.splitlines()[0]


@pytest.mark.parametrize("text", ["", "a,b\n", "a,a\n1,2\n", "a,b\n1\n", 'a,b\n"1,2\n'])
def test_a_file_that_is_no_table_is_refused(capsys: Capture, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    refused(capsys, "rate", path, "--event", "a")


def test_curves_have_the_keys_that_are_promised(capsys: Capture, trial: Path) -> None:
    found = printed(
        capsys, "km", trial, "--time", "days", "--event", "event", "--by", "arm", "--at", "60", "--quantiles", ".25"
    )
    assert {"n", "events", "median", "median_lower", "median_upper", "curve"} <= found.keys()
    assert {"time", "n_risk", "n_event", "survival", "lower", "upper"} <= found["curve"].keys()
    arm = found["groups"][0]
    assert (arm["group"], arm["n"], arm["events"], arm["median"]) == ("A", 4, 3, 127.5)
    assert arm["curve"]["time"] == [57, 85, 170]
    assert arm["curve"]["survival"] == pytest.approx([0.75, 0.5, 0])
    assert arm["curve"]["upper"][2] is None
    assert (arm["at"][0]["n_risk"], arm["at"][0]["survival"]) == pytest.approx((3, 0.75))
    assert arm["quantiles"][0]["time"] == 71
    assert arm["follow_up"]["median"] == 145  # the curve of censoring runs at one half from day 120 to the last, 170


def test_a_landmark_counts_time_anew(capsys: Capture, trial: Path) -> None:
    found = printed(capsys, "km", trial, "--time", "days", "--event", "event", "--landmark", 60)
    assert found["n"] == 5
    assert found["curve"]["time"] == [1, 25, 110]
    assert found["warnings"][0].startswith("before_landmark: 3 of 8 rows")


def test_tests_and_models_have_the_keys_that_are_promised(capsys: Capture, trial: Path) -> None:
    times = ("--time", "days", "--event", "event")
    test = printed(capsys, "logrank", trial, *times, "--by", "arm")
    assert {"chi2", "df", "p"} <= test.keys()
    model = printed(capsys, "cox", trial, *times, "--by", "arm", "--ties", "breslow")
    assert {"name", "coef", "se", "hr", "lower", "upper", "z", "p"} <= model["terms"][0].keys()
    assert model["terms"][0]["name"] == "armB"
    assert model["score"]["chi2"] == pytest.approx(test["chi2"], abs=1e-9)  # no ties
    combo = printed(capsys, "logrank", trial, *times, "--by", "arm", "--max-combo")
    assert {"z", "p", "rho", "gamma"} <= combo.keys()
    mean = printed(capsys, "rmst", trial, *times, "--by", "arm")
    assert {"estimate", "lower", "upper", "method", "tau"} <= mean.keys()
    assert mean["tau"] == 66
    assert mean["difference"]["estimate"] == pytest.approx(
        mean["groups"][0]["estimate"] - mean["groups"][1]["estimate"]
    )


def test_competing_risks_of_a_table(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "competing.csv"
    rows = [f"{day},{day % 3},{'AB'[day % 2]},{day * 7 % 11}" for day in range(1, 41)]
    path.write_text("day,cause,arm,age\n" + "\n".join(rows) + "\n")
    found = printed(
        capsys, "competing", path, "--time", "day", "--event", "cause", "--by", "arm", "--covariates", "age"
    )
    assert [answer["cause"] for answer in found["causes"]] == [1, 2]
    assert {"chi2", "df", "p"} <= found["causes"][0]["gray"].keys()
    assert found["fine_gray"]["terms"][0]["name"] == "age"
    assert [g["group"] for g in found["causes"][0]["groups"]] == ["A", "B"]


def test_interval_censored_times_of_a_table(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("last_without,first_with\n0,8\n8,16\n8,16\n16,\n16,24\n8,\n")
    found = printed(capsys, "interval", path, "--left", "last_without", "--right", "first_with", "--shape", "weibull")
    assert found["curve"]["left"][0] == 0
    assert found["curve"]["survival"][0] == pytest.approx(5 / 6, abs=1e-6)
    assert found["shape"]["median"] > 8


def test_limits_and_groups_of_interval_censored_times(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    rows = [
        f"{8 * (i % 4)},{'' if i % 5 == 0 else 8 * (i % 4) + (8 if i % 3 else 16)},{'AB'[i % 2]}" for i in range(40)
    ]
    path.write_text("\n".join(["last_without,first_with,arm", *rows]) + "\n")
    named = ("--left", "last_without", "--right", "first_with", "--draws", "199", "--seed", "5")
    found = printed(capsys, "interval", path, *named, "--by", "arm", "--at", "12,16", "--quantiles", "0.25")
    assert found["median_lower"] <= found["median_interval"][0]
    assert [q["share_with_event"] for q in found["quantiles"]] == [0.5, 0.25]
    assert found["quantiles"][0]["right"] == found["median_interval"][1]
    curve = found["curve"]
    for right, height, lower, upper in zip(*(curve[k] for k in ("right", "survival", "lower", "upper")), strict=True):
        assert (lower, upper) == (None, None) if right is None else lower <= height <= upper
    assert found["at"][1]["survival"] == curve["survival"][curve["right"].index(16)]
    assert found["limits"] == (
        "percentile of 199 draws of subjects with replacement (seed 5), capped by exact binomial limits"
    )
    assert [(g["group"], g["n"]) for g in found["groups"]] == [("A", 20), ("B", 20)]
    assert sum(g["observed"] for g in found["logrank"]["groups"]) == found["events"] == 32
    assert 0 < found["logrank"]["p"] < 1
    same = printed(capsys, "interval", path, *named, "--by", "arm", "--at", "12,16", "--quantiles", "0.25")
    assert same == found


def test_one_group_of_interval_censored_times_has_curves_but_no_test(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("l,r,arm\n0,8,A\n8,,A\n")
    found = printed(capsys, "interval", path, "--left", "l", "--right", "r", "--by", "arm", "--draws", "39")
    assert found["logrank"]["p"] is None
    assert found["logrank"]["warnings"][0].startswith("not_compared:")
    refusal = refused(capsys, "interval", path, "--left", "l", "--right", "r", "--draws", "20")
    assert "20 draws are too few for limits of 0.95; take 39" in refusal.err


def test_an_interval_without_ends_is_refused(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("last_without,first_with\n0,8\n,\n8,\n")
    answer = refused(capsys, "interval", path, "--left", "last_without", "--right", "first_with")
    assert answer.err.splitlines()[0].startswith(f"{path}:3: ")


def test_agreement_of_categories_and_of_measurements(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text("case,r1,r2,r3,mm1,mm2\n1,CR,CR,PR,10,11\n2,PR,PR,PR,20,21\n3,SD,PR,SD,30,29\n4,PD,PD,PD,41,40\n")
    two = printed(capsys, "agreement", path, "--raters", "r1,r2", "--categories", "CR,PR,SD,PD")
    assert two["estimate"] == two["kappa_unweighted"]["estimate"]
    assert two["kappa_linear"]["estimate"] > two["estimate"]
    assert (two["agreement"]["events"], two["n"]) == (3, 4)
    three = printed(capsys, "agreement", path, "--raters", "r1,r2,r3")
    assert three["method"].startswith("Fleiss")
    measured = printed(capsys, "agreement", path, "--raters", "mm1,mm2", "--measured", "--icc", "ICC3")
    assert measured["estimate"] == next(row["estimate"] for row in measured["icc"] if row["form"] == "ICC3")
    assert measured["bland_altman"]["bias"] == pytest.approx(0.0)
    assert 0.9 < measured["concordance"]["estimate"] < 1


def test_repeated_measurements_of_a_table(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "sums.csv"
    lines = ["subject,week,arm,sum_mm"]
    for subject in range(12):
        for visit, week in enumerate((0, 8, 16)):
            size = 60 + 5 * ((subject * 7) % 5) - (6 if subject % 2 else 2) * visit + ((subject + visit) * 5 % 7)
            lines.append(f"S{subject},{week},{'AB'[subject % 2]},{size}")
    path.write_text("\n".join(lines) + "\n")
    columns = ("--response", "sum_mm", "--subject", "subject", "--visit", "week", "--by", "arm")
    found = printed(capsys, "mmrm", path, *columns)
    assert [term["name"] for term in found["terms"]][:4] == ["(Intercept)", "week8", "week16", "armB"]
    assert {"coef", "se", "df", "t", "p", "lower", "upper"} <= found["terms"][0].keys()
    last = found["differences"][-1]
    by_hand = {term["name"]: term["coef"] for term in found["terms"]}
    assert last["estimate"] == pytest.approx(by_hand["armB"] + by_hand["week16:armB"])
    lines_over_time = printed(capsys, "mmrm", path, *columns, "--covariance", "intercepts", "--log")
    assert [term["name"] for term in lines_over_time["terms"]] == ["(Intercept)", "week", "armB", "week:armB"]


def test_shrinkage_against_survival(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "depth.csv"
    rows = [f"{30 + 13 * i},{int(i % 4 != 0)},{-5 * (i % 9) - i}" for i in range(30)]
    path.write_text("days,death,change\n" + "\n".join(rows) + "\n")
    found = printed(
        capsys, "shrinkage", path, "--time", "days", "--event", "death", "--change", "change", "--landmark", 56
    )
    assert [g["group"] for g in found["groups"]] == ["early shrinkage", "no early shrinkage"]
    assert [t["name"] for t in found["terms"]] == ["early_shrinkage", "change_per_10_pct"]
    assert found["n"] == 27  # three had ended by day 56


def test_designs_and_multiplicity_need_no_file(capsys: Capture) -> None:
    simon = printed(capsys, "power", "--design", "simon", "--p0", 0.1, "--p1", 0.3)
    assert [(d["r1"], d["n1"], d["r"], d["n"]) for d in simon["designs"]] == [(1, 10, 5, 29), (1, 15, 5, 25)]
    assert printed(capsys, "power", "--design", "logrank", "--hr", 0.7, "--power", 0.9)["events"] == 331
    one = printed(capsys, "power", "--design", "one-arm", "--p0", 0.2, "--p1", 0.4, "--n", 35)
    assert (one["n"], one["critical"]) == (35, 12)
    two = printed(capsys, "power", "--design", "two-arm", "--p1", 0.8, "--p2", 0.2, "--n1", 20, "--n2", 20)
    assert 0.9 < two["power"] < 1
    holm = printed(capsys, "adjust", "--p", "0.01,0.04", "--names", "ORR,PFS")
    assert holm["adjusted"][0] == pytest.approx(
        {
            "name": "ORR",
            "p": 0.01,
            **dict.fromkeys(("bonferroni", "holm", "hochberg", "hommel", "bh"), 0.02),
            "by": 0.03,
        }
    )
    graph = printed(capsys, "adjust", "--p", "0.01,0.04", "--weights", "1,0", "--pass", "0,1", "--pass", "0,0")
    assert [step["rejected"] for step in graph["steps"]] == [True, True]


RESPONSES = """subject,date,response
S1,2024-03-01,PR
S1,2024-04-26,PD
S2,2024-03-01,SD
S2,2024-07-05,PD
S3,2024-03-01,SD
S3,2024-04-26,PD
S4,2024-03-01,SD
S4,2024-04-26,SD
S5,2024-03-01,PD
S6,2024-03-01,SD
S6,2024-08-30,PD
"""
SUBJECTS = """subject,arm,reference_date,new_therapy_date,death_date
S1,A,2024-01-05,,
S2,B,2024-01-05,2024-05-01,
S3,A,2024-01-05,,
S4,B,2024-01-05,,2024-06-30
S5,B,2024-01-05,,
S6,A,2024-01-05,,
"""


@pytest.fixture
def review(tmp_path: Path) -> tuple[Path, Path, Path]:
    paths = tmp_path / "central.csv", tmp_path / "investigator.csv", tmp_path / "subjects.csv"
    moved = RESPONSES.replace("S1,2024-04-26,PD", "S1,2024-05-24,PD").replace("S4,2024-04-26,SD", "S4,2024-04-26,PD")
    for path, text in zip(paths, (RESPONSES, moved, SUBJECTS), strict=True):
        path.write_text(text)
    return paths


def test_two_authorities_censoring_stand_side_by_side(capsys: Capture, review: tuple[Path, Path, Path]) -> None:
    central, _, subjects = review
    found = printed(capsys, "censoring", central, "--subjects", subjects)
    assert [rules["censoring"] for rules in found["rules"]] == ["fda", "ema"]
    assert [rules["events"] for rules in found["rules"]] == [5, 6]
    assert [row["subject"] for row in found["subjects"]] == ["S2"]
    assert "new therapy" in found["subjects"][0]["fda_reason"]


def test_central_and_investigator_stand_side_by_side(capsys: Capture, review: tuple[Path, Path, Path]) -> None:
    central, investigator, subjects = review
    found = printed(capsys, "central", central, investigator, "--subjects", subjects)
    assert found["best_response"]["agreement"]["estimate"] == 1.0
    everyone = found["progression"]["groups"][0]
    assert (everyone["same"], everyone["later"], everyone["investigator_only"]) == (4, 1, 1)
    assert (everyone["early_discrepancy_rate"], everyone["late_discrepancy_rate"]) == (1 / 6, 0.5)
    assert [reader["reader"] for reader in found["survival"]] == ["central", "investigator"]
    assert found["survival"][0]["terms"][0]["name"] == "arm B"


BAD = [
    ("day,event,arm\n1,1,A\n-2,1,B\n3,2,B\nx,0,A\n", ("--by", "arm"), ["3", "4", "5"]),
    ("day,event,arm\n1,1,A\nNA,1,B\n3,,B\n", ("--by", "arm"), ["3", "4"]),
]


@pytest.mark.parametrize("verb", ["km", "logrank", "cox", "rmst", "competing"])
@pytest.mark.parametrize(("text", "more", "lines"), BAD)
def test_times_that_cannot_be_are_all_named(
    capsys: Capture, tmp_path: Path, verb: str, text: str, more: tuple[str, ...], lines: list[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    answer = refused(capsys, verb, path, "--time", "day", "--event", "event", *more)
    named = [line.removeprefix(f"{path}:").split(":")[0] for line in answer.err.splitlines()[:-1]]
    assert named == (lines if verb != "competing" else [n for n in lines if not (n == "4" and ",2," in text)])


@pytest.mark.parametrize(
    ("verb", "text", "more", "word"),
    [
        ("logrank", "day,event,arm\n1,0,A\n2,0,B\n", ("--by", "arm"), "at least one event"),
        ("logrank", "day,event,arm\n1,1,A\n2,0,A\n", ("--by", "arm"), "two groups"),
        ("cox", "day,event,x\n1,0,1\n2,0,2\n", ("--covariates", "x"), "at least one event"),
        ("cox", "day,event,x\n1,1,1\n2,1,1\n3,0,0\n4,0,0\n", ("--covariates", "x"), "separation"),
        ("cox", "day,event,x\n1,1,1\n2,0,1\n", ("--covariates", "x"), "does not vary"),
        ("cox", "day,event,x\n1,1,1\n2,0,a\n3,1,2\n", ("--covariates", "x"), "1 fault"),
        ("cox", "day,event,x\n1,1,1\n2,0,2\n", (), "nothing to estimate"),
        ("rmst", "day,event,arm\n1,1,A\n5,0,A\n2,1,B\n9,0,B\n", ("--by", "arm", "--tau", "7"), "horizon"),
        ("rmst", "day,event,arm\n1,1,A\n5,0,A\n", ("--by", "arm"), "one group"),
        ("competing", "day,event,arm\n1,0,A\n2,0,B\n", ("--by", "arm"), "nobody has an event"),
    ],
)
def test_data_that_say_nothing_are_refused(
    capsys: Capture, tmp_path: Path, verb: str, text: str, more: tuple[str, ...], word: str
) -> None:
    path = tmp_path / "thin.csv"
    path.write_text(text)
    require_refusal(run(capsys, "analyse", verb, path, "--time", "day", "--event", "event", *more, "--json"), word)


def test_an_arm_in_which_everyone_is_censored_is_warned_of(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "censored.csv"
    path.write_text("day,event,arm\n1,1,A\n5,1,A\n2,0,B\n9,0,B\n")
    found = printed(capsys, "km", path, "--time", "day", "--event", "event", "--by", "arm")
    assert found["groups"][1]["warnings"][0].startswith("all_censored:")
    assert found["groups"][1]["median"] is None
    assert found["groups"][1]["curve"]["time"] == []


def test_a_stratum_with_one_subject_is_warned_of(capsys: Capture, trial: Path, tmp_path: Path) -> None:
    path = tmp_path / "lone.csv"
    path.write_text(TRIAL + "9,A,z,1,99,1\n")
    times = ("--time", "days", "--event", "event", "--strata", "site")
    with_lone = printed(capsys, "logrank", path, *times, "--by", "arm")
    without = printed(capsys, "logrank", trial, *times, "--by", "arm")
    assert with_lone["chi2"] == pytest.approx(without["chi2"], abs=1e-12)
    assert any(said.startswith("lone_subject: stratum z") for said in with_lone["warnings"])


def test_warnings_reach_a_person_on_stderr(capsys: Capture, trial: Path) -> None:
    answer = run(capsys, "analyse", "logrank", trial, "--time", "days", "--event", "event", "--by", "arm")
    assert answer.code == 0
    assert "warning: few_events:" in answer.err
