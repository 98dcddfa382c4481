"""The R program beside exported datasets, run by R where it is there: it prints the figures that the run printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.results import trial_result
from tests.integration.verbs import run
from trialimg.core.digest import canonical_json, file_digest
from trialimg.services.document import document

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def rscript() -> str:
    """R with the packages that the program names; the tests skip where it is not there."""
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("no Rscript on this machine")
    asked = subprocess.run([found, "-e", "library(haven); library(survival)"], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip("R is here without the packages haven and survival")
    return found


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The folder of a finished run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.json").write_bytes(canonical_json(document(trial_result(key_images=False))))
    outputs = {"results.json": file_digest(folder / "results.json")}
    (folder / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    return folder


@pytest.fixture
def datasets(capsys: Capture, finished: Path, tmp_path: Path) -> Path:
    """What the run exports."""
    folder = tmp_path / "datasets"
    assert run(capsys, "export", "all", finished, "--out", folder, "--format", "xpt").code == 0
    return folder


@pytest.fixture
def printed(rscript: str, datasets: Path) -> str:
    """What R prints."""
    command = [rscript, "tables.R"]
    answer = subprocess.run(command, cwd=datasets, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def numbers(capsys: Capture, verb: str, name: str, source: Path) -> Any:
    out = source.parent / f"{name}.{'html' if verb == 'table' else 'svg'}"
    answer = run(capsys, verb, name, source, "--out", out, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)["numbers"]


def same(said: str, value: float | None) -> bool:
    """Whether a printed number is the value, to the digits that are printed."""
    if value is None or said == "NA":
        return value is None and said == "NA"
    digits = len(said.partition(".")[2])
    return abs(float(said) - value) <= 0.5 * 10**-digits + 1e-9


def test_r_prints_the_figures_of_our_tables(capsys: Capture, printed: str, datasets: Path) -> None:
    require_rates(numbers(capsys, "table", "orr", datasets)["objective_response"], printed)
    require_survival(numbers(capsys, "table", "pfs", datasets), printed)
    require_changes(numbers(capsys, "figure", "waterfall", datasets), printed)


def require_rates(found: Any, printed: str) -> None:
    said = re.findall(r"^BORB +(\S+) +(\d+)/(\d+) = ([\d.]+) % \(([\d.]+) to ([\d.]+)\)$", printed, re.M)
    assert [arm for arm, *_ in said] == ["all", "A", "B"]
    for arm, x, n, *limits in said:
        exact = found[arm]["clopper_pearson"]
        assert (int(x), int(n)) == (exact["events"], exact["n"])
        wanted = [100 * exact[name] for name in ("estimate", "lower", "upper")]
        assert all(map(same, limits, wanted))


def require_survival(found: Any, printed: str) -> None:
    groups = {one["group"]: one for one in found["groups"]}
    lines = re.findall(r"^(?:TRTP=(\S+)|\[1,\]) +(\d+) +(\d+) +([\d.NA]+) +([\d.NA]+) +([\d.NA]+) *$", printed, re.M)
    medians = [(arm or "all", line) for arm, *line in lines][:3]
    assert [arm for arm, _ in medians] == ["all", "A", "B"]
    for arm, (n, events, *limits) in medians:
        assert (int(n), int(events)) == (groups[arm]["n"], groups[arm]["events"])
        assert all(map(same, limits, (groups[arm][name] for name in ("median", "median_lower", "median_upper"))))
    chi2, p = re.findall(r"^ Chisq= ([\d.]+) +on 1 degrees of freedom, p= ([\d.]+)", printed, re.M)[0]
    test = found["comparison"]["log_rank"]
    assert same(chi2, test["chi2"])
    assert same(p, test["p"])


def require_changes(found: Any, printed: str) -> None:
    rows = re.findall(r"^ *\d+ (\S+) +[AB] +\S+ +[\d.]+ +[\d.]+ +(-?[\d.]+) *$", printed, re.M)
    bars = {one["subject"]: one["best_change_pct"] for one in found["subjects"]}
    assert {subject for subject, _ in rows} == set(bars)
    assert all(same(change, bars[subject]) for subject, change in rows)
