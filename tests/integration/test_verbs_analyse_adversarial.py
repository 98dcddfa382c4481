"""`trialimg analyse` on awkward data: the number that others find, a named warning, or a refusal."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import fisher_exact, ttest_ind
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from tests.integration.verbs import run

Capture = pytest.CaptureFixture[str]
Row = dict[str, Any]
TIMED = ("--time", "t", "--event", "e")


@pytest.fixture
def analysed(capsys: Capture, tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """Exit code, document and errors of a verb on rows, or on the text of a file."""

    def call(verb: str, data: Sequence[Row] | str | None, *options: object) -> tuple[int, dict[str, Any], str]:
        path = tmp_path / "data.csv"
        if data is not None:
            path.write_text(data if isinstance(data, str) else pd.DataFrame(data).to_csv(index=False))
        answer = run(capsys, "analyse", verb, *([] if data is None else [path]), *options, "--json")
        assert "Traceback" not in answer.err
        return answer.code, json.loads(answer.out) if answer.code == 0 else {}, answer.err

    return call


def trial(seed: int, n: int = 90, *, whole: bool = True) -> list[Row]:
    """Times on few days, so that most are tied; two arms, three strata, two covariates."""
    random = np.random.default_rng(seed)
    arm, x = random.integers(0, 2, n), random.normal(size=n)
    time = random.exponential(8 / (1 + 0.5 * arm), n)
    days = np.ceil(time) if whole else np.round(time, 3)
    return [
        {"t": float(days[i]), "e": int(random.random() < 0.7), "g": "AB"[arm[i]], "s": "pqr"[i % 3], "x": float(x[i])}
        for i in range(n)
    ]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("whole", [True, False])
def test_survival_is_what_lifelines_finds_with_and_without_ties(analysed: Any, seed: int, whole: bool) -> None:
    rows = trial(seed, whole=whole)
    frame = pd.DataFrame(rows)
    _, km, _ = analysed("km", rows, *TIMED)
    theirs = KaplanMeierFitter().fit(frame["t"], frame["e"]).survival_function_["KM_estimate"]
    assert km["curve"]["survival"] == pytest.approx([theirs.loc[t] for t in km["curve"]["time"]], abs=1e-12)
    _, test, _ = analysed("logrank", rows, *TIMED, "--by", "g")
    assert test["chi2"] == pytest.approx(multivariate_logrank_test(frame["t"], frame["g"], frame["e"]).test_statistic)
    _, layered, _ = analysed("logrank", rows, *TIMED, "--by", "g", "--strata", "s")
    assert layered["chi2"] == pytest.approx(survdiff(frame["t"], frame["e"], frame["g"], strata=frame["s"])[0])
    _, fit, _ = analysed("cox", rows, *TIMED, "--covariates", "x,g")
    coded = frame.assign(gB=(frame["g"] == "B").astype(float))[["t", "e", "x", "gB"]]
    lifelines = CoxPHFitter().fit(coded, "t", "e", fit_options={"precision": 1e-12})
    for term in fit["terms"]:
        assert term["coef"] == pytest.approx(lifelines.params_[term["name"]], rel=1e-6)
        assert term["se"] == pytest.approx(lifelines.standard_errors_[term["name"]], rel=1e-6)
    horizon = 6.0
    _, mean, _ = analysed("rmst", rows, *TIMED, "--tau", horizon)
    fitted = KaplanMeierFitter().fit(frame["t"], frame["e"])
    assert mean["estimate"] == pytest.approx(restricted_mean_survival_time(fitted, t=horizon), rel=1e-9)


def test_many_subjects_are_no_other_matter_than_few(analysed: Any) -> None:
    rows = trial(3, n=8000, whole=False)
    frame = pd.DataFrame(rows)
    _, test, _ = analysed("logrank", rows, *TIMED, "--by", "g", "--strata", "s")
    assert test["chi2"] == pytest.approx(survdiff(frame["t"], frame["e"], frame["g"], strata=frame["s"])[0])
    assert test["n"] == 8000


def made(*, t: Any = None, e: Any = None, g: Any = None, x: Any = None, n: int = 12) -> list[Row]:
    """Twelve subjects in two arms, one event at each second time, with columns replaced."""
    plain = {
        "t": range(1, n + 1),
        "e": [i % 2 for i in range(n)],
        "g": "AABB" * (n // 4),
        "x": [i % 5 for i in range(n)],
    }
    given = {name: value for name, value in (("t", t), ("e", e), ("g", g), ("x", x)) if value is not None}
    columns = {**plain, **given, "s": ["p"] * (n - 1) + ["q"]}
    return [{name: list(cells)[i] for name, cells in columns.items()} for i in range(n)]


SURVIVAL_VERBS = {
    "km": ("--by", "g"),
    "logrank": ("--by", "g"),
    "cox": ("--covariates", "g"),
    "rmst": ("--by", "g", "--tau", "4"),
    "competing": ("--by", "g"),
    "shrinkage": ("--change", "x", "--landmark", "0", "--threshold", "2"),
}
SPOILT = {
    "event_true": ("e", "True"), "event_yes": ("e", "Y"), "event_negative": ("e", "-1"), "event_half": ("e", "0.5"),
    "time_negative": ("t", "-3"), "time_nan": ("t", "NaN"), "time_infinite": ("t", "inf"), "time_blank": ("t", ""),
    "time_comma": ("t", "3,5"), "time_overflows": ("t", "1e400"), "time_word": ("t", "three"), "event_blank": ("e", ""),
}  # fmt: skip


@pytest.mark.parametrize("verb", SURVIVAL_VERBS)
@pytest.mark.parametrize("fault", SPOILT)
def test_a_cell_that_cannot_be_is_refused_with_its_line(analysed: Any, verb: str, fault: str) -> None:
    column, cell = SPOILT[fault]
    rows = made()
    rows[4] = {**rows[4], column: cell}
    code, _, said = analysed(verb, rows, *TIMED, *SURVIVAL_VERBS[verb])
    assert code == 2
    assert "data.csv:6:" in said


def test_rows_with_a_missing_cell_are_left_out_only_when_asked_and_counted(analysed: Any) -> None:
    rows = [{**row, "t": "" if place == 4 else row["t"]} for place, row in enumerate(made())]
    _, found, _ = analysed("km", rows, *TIMED, "--missing", "drop")
    assert found["n"] == 11
    assert any(warning.startswith("dropped: 1 of 12 rows") for warning in found["warnings"])


REFUSED: dict[str, tuple[str, list[Row], tuple[str, ...], str]] = {
    "logrank, all censored": ("logrank", made(e=[0] * 12), ("--by", "g"), "at least one event"),
    "cox, all censored": ("cox", made(e=[0] * 12), ("--covariates", "g"), "at least one event"),
    "competing, all censored": ("competing", made(e=[0] * 12), (), "nobody has an event"),
    "logrank, one arm": ("logrank", made(g="A" * 12), ("--by", "g"), "two groups"),
    "cox, one arm": ("cox", made(g="A" * 12), ("--covariates", "g"), "one category in every row"),
    "rmst, one arm": ("rmst", made(g="A" * 12), ("--by", "g", "--tau", "4"), "one group"),
    "cox, no variance": ("cox", made(x=[7] * 12), ("--covariates", "x"), "does not vary"),
    "cox, separation": ("cox", made(e=[1] * 6 + [0] * 6, g="A" * 6 + "B" * 6), ("--covariates", "g"), "separation"),
    "cox, one event": ("cox", made(e=[0] * 4 + [1] + [0] * 7), ("--covariates", "g"), "separation"),
    "logrank, everyone at once": ("logrank", made(t=[5] * 12, e=[1] * 12), ("--by", "g"), "variance is 0"),
    "rmst, beyond the data": ("rmst", made(e=[1] * 11 + [0]), ("--tau", "99"), "after the last observed time"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_estimated_is_refused_in_words(analysed: Any, name: str) -> None:
    verb, rows, options, because = REFUSED[name]
    code, _, said = analysed(verb, rows, *TIMED, *options)
    assert code == 2
    assert because in said


def test_all_censored_is_a_curve_at_one_with_a_warning(analysed: Any) -> None:
    _, found, _ = analysed("km", made(e=[0] * 12), *TIMED)
    assert (found["median"], found["curve"]["survival"]) == (None, [])
    assert any(warning.startswith("all_censored") for warning in found["warnings"])


def test_one_event_gives_a_test_that_warns_of_its_p_value(analysed: Any) -> None:
    rows = made(e=[0] * 4 + [1] + [0] * 7)
    _, found, _ = analysed("logrank", rows, *TIMED, "--by", "g")
    at_risk = [row["g"] for row in rows if row["t"] >= 5]
    share = at_risk.count("B") / len(at_risk)
    assert found["chi2"] == pytest.approx((1 - share) ** 2 / (share * (1 - share)))
    assert any(warning.startswith("few_events") for warning in found["warnings"])


def test_a_stratum_of_one_is_named_and_changes_nothing(analysed: Any) -> None:
    rows = made()
    _, found, _ = analysed("logrank", rows, *TIMED, "--by", "g", "--strata", "s")
    _, without, _ = analysed("logrank", rows[:-1], *TIMED, "--by", "g", "--strata", "s")
    assert found["chi2"] == pytest.approx(without["chi2"], rel=1e-12)
    assert any(warning.startswith("lone_subject: stratum q") for warning in found["warnings"])


def test_a_mean_without_an_event_before_its_horizon_says_that_its_limits_have_no_width(analysed: Any) -> None:
    _, found, _ = analysed("rmst", made(t=[5] * 12, e=[1] * 12), *TIMED, "--tau", "4")
    assert (found["estimate"], found["lower"], found["upper"]) == (4.0, 4.0, 4.0)
    assert any(warning.startswith("no_variance") for warning in found["warnings"])


@pytest.mark.parametrize("method", ["clopper-pearson", "wilson"])
@pytest.mark.parametrize(("x", "n"), [(0, 10), (10, 10), (1, 1), (3, 7), (123456, 987654)])
def test_rates_at_the_edges_are_those_of_statsmodels(analysed: Any, method: str, x: int, n: int) -> None:
    _, found, _ = analysed("rate", None, "--x", x, "--n", n, "--method", method)
    theirs = proportion_confint(x, n, method={"clopper-pearson": "beta"}.get(method, method))
    limits = [edge if math.isnan(limit) else limit for edge, limit in zip((0.0, 1.0), theirs, strict=True)]
    assert (found["lower"], found["upper"]) == pytest.approx(limits, abs=1e-9)


@pytest.mark.parametrize(("x", "n"), [(5, 3), (-1, 3)])
def test_more_events_than_subjects_are_refused(analysed: Any, x: int, n: int) -> None:
    assert analysed("rate", None, "--x", x, "--n", n)[0] == 2


def test_a_rate_of_nobody_is_no_number(analysed: Any) -> None:
    _, found, _ = analysed("rate", None, "--x", 0, "--n", 0)
    assert found["estimate"] is None
    assert any(warning.startswith("no_subjects") for warning in found["warnings"])


@pytest.mark.parametrize(("x1", "n1", "x2", "n2"), [(0, 10, 0, 10), (10, 10, 0, 10), (5, 9, 1, 30), (1, 2, 1, 2)])
def test_differences_at_the_edges(analysed: Any, x1: int, n1: int, x2: int, n2: int) -> None:
    counts = ("--x1", x1, "--n1", n1, "--x2", x2, "--n2", n2)
    _, found, _ = analysed("difference", None, *counts, "--method", "newcombe")
    limits = confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff")
    assert (found["lower"], found["upper"]) == pytest.approx(limits, abs=1e-9)
    assert found["fisher_p"] == pytest.approx(fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue)
    _, score, _ = analysed("difference", None, *counts)
    assert score["lower"] < x1 / n1 - x2 / n2 + 1e-12
    assert score["upper"] > x1 / n1 - x2 / n2 - 1e-12
    assert score["upper"] - score["lower"] > 0.1


def test_limits_without_width_are_said_to_be_so(analysed: Any) -> None:
    counts = ("--x1", 0, "--n1", 10, "--x2", 0, "--n2", 10)
    _, found, _ = analysed("difference", None, *counts, "--method", "wald")
    assert (found["estimate"], found["lower"], found["upper"]) == (0.0, 0.0, 0.0)
    assert any(warning.startswith("no_variance") for warning in found["warnings"])


def test_an_empty_arm_is_refused(analysed: Any) -> None:
    assert "nobody in this arm" in analysed("difference", None, "--x1", 0, "--n1", 0, "--x2", 0, "--n2", 9)[2]
    one_arm = [{"e": i % 2, "g": "A", "s": "p"} for i in range(6)]
    for verb, more in (("difference", ()), ("cmh", ("--strata", "s"))):
        code, _, said = analysed(verb, one_arm, "--event", "e", "--by", "g", *more)
        assert code == 2
        assert "two arms" in said or "nothing to compare" in said


def test_strata_without_a_comparison_add_nothing_to_mantel_and_haenszel(analysed: Any) -> None:
    rows = [
        {"e": int(i % 3 == 0 or (i % 2 and i % 5 == 0)), "g": "AB"[i % 2], "s": "pq"[i % 4 // 2]} for i in range(60)
    ]
    alone = [{"e": 1, "g": "A", "s": "lone"}, {"e": 1, "g": "A", "s": "all"}, {"e": 1, "g": "B", "s": "all"}]
    _, found, _ = analysed("cmh", [*rows, *alone], "--event", "e", "--by", "g", "--strata", "s")
    tables = [
        np.array([[sum(r["e"] == e and r["g"] == g and r["s"] == s for r in rows) for e in (1, 0)] for g in "AB"])
        for s in "pq"
    ]
    theirs = StratifiedTable(tables)
    assert found["chi2"] == pytest.approx(theirs.test_null_odds().statistic, rel=1e-9)
    assert found["estimate"] == pytest.approx(theirs.oddsratio_pooled, rel=1e-9)


def test_kappa_is_that_of_statsmodels_and_warns_where_nothing_varies(analysed: Any) -> None:
    random = np.random.default_rng(4)
    a = random.choice(["CR", "PR", "SD", "PD"], 70)
    b = np.where(random.random(70) < 0.7, a, random.choice(["CR", "PR", "SD", "PD"], 70))
    rows = [{"a": one, "b": two} for one, two in zip(a, b, strict=True)]
    theirs = cohens_kappa(pd.crosstab(a, b))
    _, found, _ = analysed("agreement", rows, "--raters", "a,b")
    assert found["estimate"] == pytest.approx(theirs.kappa)
    assert (found["lower"], found["upper"]) == pytest.approx((theirs.kappa_low, theirs.kappa_upp))
    for same in ([{"a": "PR", "b": "SD"}], [{"a": "PR", "b": "SD"}, {"a": "SD", "b": "PR"}]):
        _, found, _ = analysed("agreement", same, "--raters", "a,b")
        assert found["lower"] == found["upper"] == found["estimate"]
        assert any(warning.startswith("no_variance") for warning in found["warnings"])


def test_agreement_on_one_word_or_on_one_number_is_refused(analysed: Any) -> None:
    assert "two categories" in analysed("agreement", [{"a": "PR", "b": "PR"}] * 4, "--raters", "a,b")[2]
    flat = [{"a": 1, "b": 1}] * 4
    assert "do not vary" in analysed("agreement", flat, "--raters", "a,b", "--measured")[2]
    single = [{"a": 1, "b": 5}]
    assert "two cases" in analysed("agreement", single, "--raters", "a,b", "--measured")[2]


def repeated(values: Callable[[int, int], float], subjects: int = 10, visits: int = 2) -> list[Row]:
    return [
        {"y": values(i, v), "id": i, "v": v, "arm": "AB"[i % 2]} for i in range(subjects) for v in range(1, visits + 1)
    ]


MMRM = ("--response", "y", "--subject", "id", "--visit", "v", "--by", "arm")


def wavy(subject: int, visit: int) -> float:
    return subject * 3 + visit + ((subject * 7 + visit * 3) % 5) / 3


@pytest.mark.parametrize("level", [0.0, 1e9])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_repeated_measurements_far_from_zero_give_the_t_test_at_the_first_visit(
    analysed: Any, level: float, df: str
) -> None:
    rows = repeated(lambda i, v: level + wavy(i, v), subjects=12, visits=3)
    _, found, _ = analysed("mmrm", rows, *MMRM, "--df", df)
    first = next(one for one in found["differences"] if one["visit"] == "1")
    arms = [[row["y"] for row in rows if row["v"] == 1 and row["arm"] == arm] for arm in "BA"]
    assert first["df"] == pytest.approx(10, rel=1e-4)
    assert first["p"] == pytest.approx(ttest_ind(*arms).pvalue, rel=1e-4)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_whole_effects_stand_beside_the_coefficients_and_agree_with_them(analysed: Any, df: str) -> None:
    rows = repeated(lambda i, v: 4 * ((i * 7) % 5) + v + 3 * ((i * 11 + v * 7) % 6), subjects=18, visits=3)
    for row in rows:
        row |= {"arm": "ABC"[row["id"] % 3], "age": 40 + row["id"] * 5 % 17, "sex": "fm"[row["id"] // 3 % 2]}
    _, found, _ = analysed("mmrm", rows, *MMRM, "--covariates", "age,sex", "--covariance", "cs", "--df", df)
    tests = {test["term"]: test for test in found["tests"]}
    assert [(name, test["df1"]) for name, test in tests.items()] == [
        ("v", 2), ("arm", 2), ("v:arm", 4), ("age", 1), ("sex", 1)
    ]  # fmt: skip
    terms = {term["name"]: term for term in found["terms"]}
    for test, term in (("age", "age"), ("sex", "sexm")):
        assert tests[test]["f"] == pytest.approx(terms[term]["t"] ** 2, rel=1e-9)
        assert tests[test]["p"] == pytest.approx(terms[term]["p"], rel=1e-9)
    _, other, _ = analysed("mmrm", rows, *MMRM, "--covariates", "age,sex", "--covariance", "cs", "--df", df,
                           "--factor", "arm=C", "--factor", "sex=m")  # fmt: skip
    for test in other["tests"]:
        assert test["f"] == pytest.approx(tests[test["term"]]["f"], rel=1e-6)
        if df == "kenward-roger" or test["df1"] == 1:
            assert test["df2"] == pytest.approx(tests[test["term"]]["df2"], rel=1e-6)


@pytest.mark.parametrize(
    ("rows", "because"),
    [
        (repeated(lambda i, v: 5.0), "nothing is left to vary"),  # noqa: ARG005
        ([*repeated(wavy), {"y": 4.0, "id": 0, "v": 1, "arm": "A"}], "has a measurement at"),
        ([row for row in repeated(wavy) if not (row["v"] == 2 and row["arm"] == "B")], "may lack a visit"),
        (repeated(wavy, subjects=2), "too few"),
    ],
)
def test_measurements_that_cannot_be_modelled_are_refused(analysed: Any, rows: list[Row], because: str) -> None:
    code, _, said = analysed("mmrm", rows, *MMRM)
    assert code == 2
    assert because in said


def test_intervals_that_cannot_be_are_refused_and_nobody_seen_is_said(analysed: Any) -> None:
    for left, right in ((5, 3), (-1, 3)):
        code, _, said = analysed("interval", [{"l": left, "r": right}], "--left", "l", "--right", "r")
        assert code == 2
        assert "0 <= left <= right" in said
    _, found, _ = analysed("interval", "l,r\n5,\n6,\n", "--left", "l", "--right", "r")
    assert found["median_interval"] is None
    assert any(warning.startswith("all_censored") for warning in found["warnings"])


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "no rows"), ("t,e\n", "no rows"), ("t;e\n1;1\n", "there is no column"), ("t,t,e\n1,1,1\n", "stands twice"),
        ("t,e\n1,1,1\n", "cells where the header has"), ('t,e\n"1,1\n', "not a CSV"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused(analysed: Any, text: str, because: str) -> None:
    code, _, said = analysed("km", text, *TIMED)
    assert code == 2
    assert because in said
