"""The main job on the sample trial: from DICOM to a report, by the command line."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.command import COMMAND, answer, trialimg

PROTOCOL = Path("protocols/nsclc_recist11.yaml")


@pytest.fixture(scope="module")
def few(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three subjects of the sample trial."""
    return some_subjects(root / "sample_data", tmp_path_factory.mktemp("studies"), 3)


def some_subjects(sample: Path, out: Path, count: int) -> Path:
    """A study folder with the first subjects of another."""
    wanted = sorted({row["subject"] for row in rows(sample / "subjects.csv")})[:count]
    for table in ("subjects.csv", "annotations.csv", "truth.csv"):
        kept = [row for row in rows(sample / table) if row["subject"] in wanted]
        with (out / table).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, kept[0].keys())
            writer.writeheader()
            writer.writerows(kept)
    for subject in wanted:
        shutil.copytree(sample / subject, out / subject)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def demo(root: Path, tmp_path_factory: pytest.TempPathFactory):
    """The whole sample trial, run once."""
    out = tmp_path_factory.mktemp("demo")
    return out, answer("run", root / PROTOCOL, root / "sample_data", "--out", out, "--workers", "2")


def test_every_known_response_is_reproduced_and_the_long_axis_is_within_a_voxel(demo):
    truth = demo[1]["truth"]
    assert truth["disagreements"] == []
    assert truth["responses_equal"] == truth["responses_compared"] > 50
    assert truth["lesions_compared"] > 40
    assert truth["median_abs_long_axis_error_voxels"] <= 1.0


def test_the_report_and_every_table_are_written_and_named_in_the_manifest(demo):
    out, summary = demo
    manifest = json.loads((out / "manifest.json").read_text())
    names = {"report.html", "report.pdf", "lesions.csv", "responses.csv", "endpoints.csv", "radiomics.parquet"}
    assert names <= set(manifest["outputs"])
    assert {Path(path).name for path in summary["files"]} == {*manifest["outputs"], "manifest.json"}
    assert len(manifest["inputs"]) > 500
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_sample_shows_every_kind_of_course(demo):
    responses = {row["overall"] for row in rows(demo[0] / "responses.csv")}
    assert {"CR", "PR", "SD", "PD", "NE"} <= responses
    codes = {row["code"] for row in rows(demo[0] / "findings.csv")}
    assert {"missed_visit", "missing_slices"} <= codes


def test_run_again_nothing_is_computed_and_nothing_changes(few, root, tmp_path):
    first = answer("run", root / PROTOCOL, few, "--out", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.is_file()}
    again = answer("run", root / PROTOCOL, few, "--out", tmp_path)
    assert again["work"]["computed"] == {}
    assert again["manifest_digest"] == first["manifest_digest"]
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.is_file()}


def test_killed_again_and_again_it_ends_with_the_digests_of_an_undisturbed_run(few, root, tmp_path):
    undisturbed = answer("run", root / PROTOCOL, few, "--out", tmp_path / "whole", "--workers", "2")
    words = ("run", root / PROTOCOL, few, "--out", tmp_path / "killed")
    for seconds in (2.0, 4.0, 6.0):
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert answer(*words)["manifest_digest"] == undisturbed["manifest_digest"]


def test_a_table_with_faults_is_refused_whole_and_nothing_is_written(few, root, tmp_path):
    studies = shutil.copytree(few, tmp_path / "studies")
    table = studies / "annotations.csv"
    table.write_text(table.read_text().replace(",target,", ",goal,"))
    done = trialimg("run", root / PROTOCOL, studies, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "annotations.csv:2: role 'goal' is not one of target, non_target, new [bad_value]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("protocol", "studies", "words"),
    [
        ("no_such.yaml", "sample_data", "no_such.yaml"),
        ("protocols/nsclc_recist11.yaml", "no_such_folder", "no_such_folder"),
        ("protocols/nsclc_recist11.yaml", "docs", "docs"),
    ],
)
def test_bad_input_gives_one_clear_line_and_exit_code_2(root, tmp_path, protocol, studies, words):
    done = trialimg("run", root / protocol, root / studies, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.slow
def test_exported_and_brought_in_again_the_sample_gives_the_same_endpoints(demo, root, tmp_path):
    """DICOM to results, results to SDTM, SDTM to results: every response, sum and time is what it was."""
    plan = tmp_path / "protocol.yaml"
    text = (root / PROTOCOL).read_text(encoding="utf-8")
    plan.write_text(text.replace("exports: [html, pdf, csv, parquet]", "exports: [csv]"), encoding="utf-8")
    exported = trialimg("export", "sdtm", demo[0], "--out", tmp_path / "sdtm", "--format", "csv")
    assert exported.returncode == 0, exported.stderr
    answer("run", plan, "--from-sdtm", tmp_path / "sdtm", "--out", tmp_path / "again")
    assert courses(tmp_path / "again") == courses(demo[0])
    assert len(courses(demo[0])) == 10


def courses(run):
    """Subject without its study: responses with dates and sums, best responses, times."""
    answers = {}
    for one in json.loads((run / "results.json").read_text(encoding="utf-8"))["subjects"]:
        ends = one["endpoints"]
        times = ("progression_free_survival", "time_to_progression", "time_to_response", "duration_of_response")
        answers["-".join(one["subject"]["id"].split("-")[-2:])] = (
            [
                (t["timepoint"]["date"], t["assessment"]["overall"], t["assessment"]["sums"]["sum_mm"])
                for t in one["timepoints"]
                if t["assessment"]
            ],
            [(ends[name]["response"], ends[name]["date"]) for name in ("best", "confirmed")],
            [ends[name] and (ends[name]["days"], ends[name]["event"]) for name in times],
        )
    return answers
