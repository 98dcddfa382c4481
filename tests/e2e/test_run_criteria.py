"""The main job by criteria other than RECIST 1.1, on a subject of the sample trial, by the command line."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.command import answer, trialimg

SUBJECT = "02-002"
"""SD, then progression."""


@pytest.fixture(scope="module")
def study(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One subject of the sample trial."""
    folder = tmp_path_factory.mktemp("study")
    for table in ("subjects.csv", "annotations.csv", "truth.csv"):
        header, *lines = (root / "sample_data" / table).read_text(encoding="utf-8").splitlines()
        column = header.split(",").index("subject")
        kept = [line for line in lines if line.split(",")[column] == SUBJECT]
        (folder / table).write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    shutil.copytree(root / "sample_data" / SUBJECT, folder / SUBJECT)
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all runs: what two protocols ask for alike is computed once."""
    return tmp_path_factory.mktemp("out")


def responses(out: Path) -> dict[str, str]:
    with (out / "responses.csv").open(newline="", encoding="utf-8") as file:
        return {row["timepoint"]: row["overall"] for row in csv.DictReader(file) if row["overall"]}


def by(root: Path, folder: Path, criterion: str) -> Path:
    """The shipped melanoma protocol with another criterion and the rules it has by itself."""
    text = (root / "protocols/melanoma_irecist.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"(?m)^  criterion: irecist\n  rules:\n(    .*\n)+", f"  criterion: {criterion}\n", text)
    path = folder / f"{criterion}.yaml"
    path.write_text(changed, encoding="utf-8")
    return path


def test_the_shipped_irecist_protocol_runs_to_its_own_words(root: Path, study: Path, out: Path) -> None:
    summary = answer("run", root / "protocols/melanoma_irecist.yaml", study, "--out", out)
    assert summary["subjects"] == 1
    assert responses(out) == {"UNS-2024-03-11": "iSD", "W12": "iUPD"}
    endpoints = (out / "endpoints.csv").read_text(encoding="utf-8")
    assert SUBJECT in endpoints
    assert "iUPD" in (out / "report.html").read_text(encoding="utf-8")


def test_the_shipped_mrecist_protocol_runs_and_says_what_it_did_not_look_at(
    root: Path, study: Path, tmp_path: Path
) -> None:
    answer("run", root / "protocols/hcc_mrecist.yaml", study, "--out", tmp_path)
    assert responses(tmp_path) == {"UNS-2024-03-11": "SD", "W12": "PD"}
    assert "take up contrast in the arterial phase" in (tmp_path / "findings.csv").read_text(encoding="utf-8")


def test_what_images_do_not_show_is_asked_for_and_then_used(root: Path, study: Path, out: Path) -> None:
    protocol = by(root, out, "gcig")
    refused = trialimg("run", protocol, study, "--out", out)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "CA-125 (ca125)" in refused.stderr and "assessments.csv" in refused.stderr
    rows = f"{SUBJECT},BL,400\n{SUBJECT},UNS-2024-03-11,190\n{SUBJECT},W12,150\n"
    (study / "assessments.csv").write_text(f"subject,timepoint,ca125\n{rows}", encoding="utf-8")
    try:
        answer("run", protocol, study, "--out", out)
        assert responses(out) == {"UNS-2024-03-11": "PR", "W12": "PD"}
        (study / "assessments.csv").write_text("subject,timepoint,ca125\n02-002,W99,4\n", encoding="utf-8")
        unknown = trialimg("run", protocol, study, "--out", out)
        assert unknown.returncode == 2
        assert "W99" in unknown.stderr
    finally:
        (study / "assessments.csv").unlink()


def test_what_a_run_does_not_measure_is_refused(root: Path, study: Path, out: Path) -> None:
    refused = trialimg("run", by(root, out, "percist"), study, "--out", out)
    assert refused.returncode == 2
    assert "SULpeak" in refused.stderr and "respond timepoint" in refused.stderr
