"""The CDISC CORE engine as a program of the user's, played by a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trialimg.adapters.exporters.cdisc.core_engine import core_findings
from trialimg.core.errors import IntakeError

REPORT = {
    "Conformance_Details": {"CORE_Engine_Version": "0.9.3"},
    "Issue_Details": [
        {
            "core_id": "CORE-000354", "message": "TRDY is not calculated correctly", "dataset": "tr.xpt",
            "USUBJID": "T-01-001", "row": 4, "variables": ["TRDY", "TRDTC"], "values": ["5", None],
        },
        {"core_id": "CORE-000852", "message": "Variable order", "dataset": "DM", "row": "", "variables": None},
    ],
}  # fmt: skip


def engine(folder: Path, body: str) -> Path:
    """A program that does what ``body`` says; ``given`` are its arguments."""
    path = folder / "core"
    path.write_text(f"#!{sys.executable}\nimport json, pathlib, sys, time\ngiven = sys.argv[1:]\n{body}\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    """A folder with two datasets, one of them of ADaM."""
    folder = tmp_path / "datasets"
    folder.mkdir()
    for name in ("tr.xpt", "adtr.xpt", "tr.csv"):
        (folder / name).write_bytes(b"")
    return folder


def writes(text: str) -> str:
    return f"pathlib.Path(given[given.index('-o') + 1] + '.json').write_text({text!r})"


def test_its_issues_become_findings_with_its_own_rule_ids(tmp_path: Path, datasets: Path) -> None:
    first, second = core_findings(engine(tmp_path, writes(json.dumps(REPORT))), datasets, timeout_seconds=60)
    assert (first.rule, first.dataset, first.record) == ("CORE-000354", "TR", 4)
    assert (first.variable, first.value) == ("TRDY, TRDTC", "5, ")
    assert first.message == "TRDY is not calculated correctly"
    assert (second.rule, second.dataset, second.record, second.variable) == ("CORE-000852", "DM", None, "")


def test_it_is_told_the_standard_and_given_the_transport_files_of_sdtm(tmp_path: Path, datasets: Path) -> None:
    said = tmp_path / "said.json"
    there = "sorted(p.name for p in pathlib.Path(given[given.index('-d') + 1]).iterdir())"
    body = f"pathlib.Path({str(said)!r}).write_text(json.dumps([given, {there}]))\n" + writes('{"Issue_Details": []}')
    assert core_findings(engine(tmp_path, body), datasets, timeout_seconds=60) == ()
    given, files = json.loads(said.read_text())
    assert files == ["tr.xpt"]
    assert given[:5] == ["validate", "-s", "sdtmig", "-v", "3-4"]
    assert given[given.index("-of") + 1] == "JSON"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.stderr.write('no rules cache'); sys.exit(3)", "ended in 3: no rules cache"),
        ("pass", "left no report that can be read"),
        (writes("not json"), "left no report that can be read"),
        (writes('{"Issue_Summary": []}'), "no Issue_Details"),
    ],
)
def test_what_it_does_not_do_is_said(tmp_path: Path, datasets: Path, body: str, message: str) -> None:
    with pytest.raises(IntakeError, match=message):
        core_findings(engine(tmp_path, body), datasets, timeout_seconds=60)


def test_an_engine_that_never_ends_is_stopped(tmp_path: Path, datasets: Path) -> None:
    with pytest.raises(IntakeError, match="took longer than 1 seconds"):
        core_findings(engine(tmp_path, "time.sleep(60)"), datasets, timeout_seconds=1)


def test_an_engine_that_is_not_there_is_named(tmp_path: Path, datasets: Path) -> None:
    with pytest.raises(IntakeError, match="cannot be run"):
        core_findings(tmp_path / "core", datasets, timeout_seconds=1)
