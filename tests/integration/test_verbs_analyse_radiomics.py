"""`trialimg analyse radiomics` on a table and on a run."""

from __future__ import annotations

import json

import pytest

from tests.fakes.dashboard import TRIAL, write_run
from tests.integration.verbs import require_refusal, run
from tests.unit.services.test_analyse_radiomics import row, text

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
