"""The dashboard's pages over a finished run, without a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from trialimg.core.digest import digest_of
from trialimg.core.errors import IntakeError, IntegrityError
from trialimg.services.finished import open_run

RESULTS = {
    "trial": "T-1",
    "title": "A trial",
    "subjects": [{"timepoints": [{}, {}]}, {"timepoints": [{}]}],
    "findings": [
        {"code": code, "severity": "warning", "where": "S1", "message": "m", "subject": "S1", "timepoint": "W06"}
        for code in ("missed_visit", "kernel")
    ],
    "cohort": {
        "objective_response": [
            ["all", {"events": 1, "n": 2, "value": 0.5, "lower": 0.0126, "upper": 0.9874, "method": "m"}],
            ["A", {"events": 0, "n": 0, "value": None, "lower": None, "upper": None, "method": "m"}],
        ]
    },
}
FILES = {
    "results.json": json.dumps(RESULTS).encode(),
    "report.html": b"<h1>Report of T-1</h1>",
    "endpoints.csv": b"subject,best_overall\nS1,PR\n",
}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run's output folder."""
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    manifest = {
        "outputs": {name: digest_of(data) for name, data in FILES.items()},
        "protocol_digest": "sha256:0",
        "software": "trialimg",
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def page(root: Path, folder: Path, name: str) -> AppTest:
    app = AppTest.from_file(str(root / "apps" / "trialimg_dashboard" / "pages" / f"{name}.py"), default_timeout=30)
    app.session_state["folder"] = str(folder)
    return app.run()


@pytest.mark.parametrize("name", ["cohort", "report", "findings", "downloads"])
def test_each_page_runs_over_a_finished_run(root, finished, name):
    app = page(root, finished, name)
    assert not app.exception
    assert not app.error
    assert not app.info


@pytest.mark.parametrize("name", ["cohort", "report", "findings", "downloads"])
def test_where_there_is_no_run_the_page_says_what_to_do(root, tmp_path, name):
    app = page(root, tmp_path, name)
    assert not app.exception
    assert "trialimg run" in app.info[0].value


def test_the_cohort_counts_and_an_unknown_rate_stays_blank(root, finished):
    app = page(root, finished, "cohort")
    assert [metric.value for metric in app.metric] == ["2", "3", "2"]
    rates = app.dataframe[0].value
    assert rates["Rate %"].tolist()[0] == 50.0
    assert rates["Rate %"].isna().tolist() == [False, True]


def test_findings_are_narrowed_by_code(root, finished):
    app = page(root, finished, "findings")
    app.multiselect[0].set_value(["kernel"]).run()
    assert app.caption[0].value == "1 of 2"


def test_a_file_that_is_not_what_the_run_wrote_is_never_shown(root, finished):
    (finished / "report.html").write_bytes(b"<h1>Forged</h1>")
    assert "is not what the run wrote" in page(root, finished, "report").error[0].value
    with pytest.raises(IntegrityError):
        open_run(finished).content("report.html")


def test_only_outputs_of_the_run_can_be_read(finished):
    with pytest.raises(IntakeError, match="wrote no"):
        open_run(finished).content("../../etc/passwd")
