"""The table requirement, test, result comes from the run itself."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import pytest

@pytest.mark.requirement("R-2")
def test_holds(): pass

@pytest.mark.requirement("R-1")
def test_broken(): raise ValueError

@pytest.mark.requirement("R-2")
def test_absent(): pytest.skip("no program")

def test_of_nothing(): pass
"""


def test_each_named_requirement_has_a_row_with_the_outcome_of_its_test(root, tmp_path):
    (tmp_path / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    requirement(id): what it proves\n")
    (tmp_path / "test_probe.py").write_text(PROBE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "1",
        "-p",
        "no:cacheprovider",
        "--validation",
        "out/table.md",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 2 passed, 1 skipped" in run.stdout
    assert (tmp_path / "out" / "table.md").read_text().splitlines() == [
        "| requirement | test | result |",
        "|---|---|---|",
        "| R-1 | `test_probe.py::test_broken` | failed |",
        "| R-2 | `test_probe.py::test_absent` | skipped |",
        "| R-2 | `test_probe.py::test_holds` | passed |",
    ]
