"""What other people's programs make of our files: a DICOM validator, a second DICOM toolkit, a browser."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.fakes.results import trial_result
from trialimg.adapters.exporters.report.page import html_of

Program = Callable[..., subprocess.CompletedProcess[str]]


def program(name: str, package: str, *options: str) -> Program:
    """The program, ready to be called; the test skips where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} ({package}) is not installed")

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [path, *options, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, errors="replace")

    return call


def errors_in(run: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]


@pytest.fixture(scope="module")
def samples(root: Path) -> list[Path]:
    """One slice and the contours of every subject of the sample trial."""
    subjects = sorted(path for path in (root / "sample_data").iterdir() if path.is_dir())
    slices = [min(subject.rglob("ct/*.dcm")) for subject in subjects]
    return [*slices, *(min(subject.rglob("rtstruct.dcm")) for subject in subjects)]


def test_the_sample_trial_is_valid_dicom(samples):
    validate = program("dciodvfy", "dicom3tools")
    assert len(samples) >= 20
    assert {path: found for path in samples if (found := errors_in(validate(path)))} == {}


def test_the_validator_notices_what_is_missing(samples, tmp_path):
    validate = program("dciodvfy", "dicom3tools")
    data = pydicom.dcmread(samples[0])
    del data.ImagePositionPatient
    data.save_as(tmp_path / "without_position.dcm")
    assert any("ImagePositionPatient" in line for line in errors_in(validate(tmp_path / "without_position.dcm")))


def test_a_second_toolkit_reads_the_same_pixels(samples, tmp_path):
    decode = program("dcmdjpls", "dcmtk")
    slices = [path for path in samples if path.name != "rtstruct.dcm"]
    for path in slices:
        decoded = tmp_path / "decoded.dcm"
        assert decode(path, decoded).returncode == 0
        assert np.array_equal(pydicom.dcmread(decoded).pixel_array, pydicom.dcmread(path).pixel_array)


BROWSER = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--window-size=1100,1600",
)


def complaints(run: subprocess.CompletedProcess[str]) -> list[str]:
    """What the page made the browser say: what its policy refused, what broke."""
    return [line for line in run.stderr.splitlines() if "CONSOLE" in line]


POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline' data:\">"
)


def test_a_browser_shows_the_report_without_loading_anything_else(tmp_path):
    browse = program("chromium", "chromium", *BROWSER, f"--user-data-dir={tmp_path / 'profile'}")
    page, picture = tmp_path / "report.html", tmp_path / "seen.png"
    html = html_of(trial_result())
    assert html.count("<head>") == 1
    page.write_text(html.replace("<head>", f"<head>{POLICY}"))
    run = browse(f"--screenshot={picture}", page.as_uri())
    assert complaints(run) == []
    grey = np.asarray(Image.open(picture).convert("L"))
    assert grey.shape == (1600, 1100)
    inked_rows = (grey < 128).any(axis=1)
    assert inked_rows[:800].mean() > 0.2
    assert inked_rows[800:].mean() > 0.2


def test_the_browser_complains_of_what_a_page_wants_to_load(tmp_path):
    browse = program("chromium", "chromium", *BROWSER, f"--user-data-dir={tmp_path / 'profile'}")
    page = tmp_path / "poor.html"
    page.write_text(f"<html><head>{POLICY}</head><body><img src='absent.png'></body></html>")
    assert complaints(browse(f"--screenshot={tmp_path / 'seen.png'}", page.as_uri())) != []
