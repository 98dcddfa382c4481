"""`trialimg analyse radiomics` on a table and on a run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.fakes.dashboard import TRIAL, write_run
from tests.integration.verbs import require_refusal, run
from tests.unit.services.test_analyse_radiomics import HEADS, row, text

OUTCOME = ("--time", "days", "--event", "progressed", "--group", "responded")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "features.csv"
    path.write_text(text([row(number) for number in range(1, 13)]))
    return path


def test_a_table_is_analysed_as_one_document(capsys, table):
    answer = run(capsys, "analyse", "radiomics", table, *OUTCOME, "--class", "glcm", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["subjects"], found["events"]) == (0, 12, 9)
    assert [one["feature"] for one in found["features"]] == ["original_glcm_Contrast"]
    assert found["features"][0]["q"] == pytest.approx(found["features"][0]["p"])
    assert found["stability"] == "too_few"
    assert found["warnings"][0].startswith("multiplicity: 1 features")


def test_a_run_is_analysed_and_printed_with_its_warnings(capsys, tmp_path):
    write_run(tmp_path / TRIAL)
    answer = run(capsys, "analyse", "radiomics", tmp_path / TRIAL, "--outcome", "response", "--most", "2")
    assert answer.code == 0
    assert "area under the ROC curve" in answer.out
    assert "warning: small_n: 6 subjects" in answer.err


def test_what_cannot_be_answered_is_refused_in_one_line(capsys, table):
    require_refusal(run(capsys, "analyse", "radiomics", table), "--time and --event")
    require_refusal(run(capsys, "analyse", "radiomics", table, "--outcome", "response"), "--group")
    require_refusal(run(capsys, "analyse", "radiomics", table, *OUTCOME, "--timepoint", "W99"), "no visit is called")
    require_refusal(run(capsys, "analyse", "radiomics", table, "--time", "x", "--event", "y"), "are not there")


def test_features_are_harmonised_over_the_batches_of_a_column_and_the_answer_says_how(capsys, tmp_path):
    names = [f"original_glcm_F{number}" for number in range(6)]
    random = np.random.default_rng(2)
    rows = []
    for number in range(1, 31):
        scanner = "AB"[number % 2]
        values = random.normal(5.0 if scanner == "A" else 50.0, 1.0, size=len(names)).round(3)
        said = {key: word for key, word in row(number).items() if key in HEADS}
        rows.append({**said, "days": 900 - 20 * number, "scanner": scanner, **dict(zip(names, values, strict=True))})
    path = tmp_path / "batches.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    outcome = ("--time", "days", "--event", "progressed", "--group", "responded", "--json")
    answer = run(capsys, "analyse", "radiomics", path, *outcome, "--harmonise", "scanner")
    found = json.loads(answer.out)
    assert (found["harmonised"]["by"], found["harmonised"]["batches"]) == ("scanner", {"A": 15, "B": 15})
    assert found["harmonised"]["method"].startswith("ComBat")
    assert {one["feature"] for one in found["features"]} == set(names)
    pd.DataFrame(rows).drop(columns="scanner").to_csv(path, index=False)
    plain = json.loads(run(capsys, "analyse", "radiomics", path, *outcome).out)
    assert plain["harmonised"] is None
    assert plain["features"] != found["features"]
    small = pd.DataFrame(rows).assign(scanner=["A"] * 25 + ["B"] * 5)
    small.to_csv(path, index=False)
    require_refusal(run(capsys, "analyse", "radiomics", path, *outcome, "--harmonise", "scanner"), "too small")
    write_run(tmp_path / TRIAL)
    require_refusal(run(capsys, "analyse", "radiomics", tmp_path / TRIAL, "--harmonise", "scanner"), "--harmonise site")
