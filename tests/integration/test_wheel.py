"""What is installed from a wheel is whole: code, templates, fonts, protocols, and the names that others look up."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # builds in an isolated environment, which pip fills from its index

PROBE = """
from importlib.metadata import distribution
from pathlib import Path
import trialimg

here = Path(trialimg.__file__).parent
found = distribution("trialimg")
for point in found.entry_points:
    point.load()
print(here, found.metadata["License-Expression"], len(found.entry_points), sep="|")
"""


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `pip install --target` leaves it, without the dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("trialimg-*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_every_file_of_the_package_is_in_the_wheel(root, installed):
    found = [path for package in ("trialimg", "apps") for path in (root / package).rglob("*") if path.is_file()]
    left_out = {"__pycache__", "frontend"}  # the viewer's source: its built file is what is shipped
    kept = [path.relative_to(root) for path in found if not left_out & set(path.parts)]
    assert len(kept) > 100
    assert any(path.name.startswith("index-") and path.suffix == ".js" for path in kept)
    assert [str(path) for path in kept if not (installed / path).is_file()] == []


def test_the_protocols_come_along(root, installed):
    names = {path.name for path in (root / "protocols").glob("*.yaml")}
    assert {path.name for path in (installed / "trialimg" / "protocols").glob("*.yaml")} == names != set()


def test_what_the_tests_proved_comes_along(root, installed):
    proved = (root / "docs" / "validation" / "results.md").read_bytes()
    assert (installed / "trialimg" / "validation" / "results.md").read_bytes() == proved != b""


def test_its_entry_points_lead_somewhere(installed):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    run = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, cwd=installed, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    here, licence, points = run.stdout.strip().split("|")
    assert Path(here) == installed / "trialimg"
    assert licence == "Apache-2.0 AND OFL-1.1"
    assert int(points) >= 4
