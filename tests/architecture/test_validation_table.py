"""The dossier comes from the run itself, and no requirement is left out of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.dossier import Requirement, Row, marked, read_requirements, risk_table, rows_of, table

PROBE = """
import pytest

@pytest.mark.requirement("R-2")
@pytest.mark.parametrize("number", [1, 2])
def test_holds(number): pass

@pytest.mark.requirement("R-1")
def test_broken(): raise ValueError

@pytest.mark.requirement("R-2")
def test_absent(): pytest.skip("no program")

@pytest.mark.requirement("R-5")
def test_absent_too(): pytest.skip("no program")

def test_of_nothing(): pass
"""
COMMON = {"clause": "1", "requirement": "It holds.", "proof": "Tried.", "risk": "It breaks.", "severity": "high"}
ROWS = [
    {"id": "R-1", **COMMON},
    {"id": "R-2", **COMMON},
    {"id": "R-3", **COMMON, "documents": ["how.md"]},
    {"id": "R-4", **COMMON, "open": "comes later"},
    {"id": "R-5", **COMMON},
]


def project(folder: Path, root: Path, rows: list[dict[str, object]], probe: str) -> Path:
    for name in ("conftest.py", "dossier.py"):
        (folder / "tests").mkdir(exist_ok=True)
        (folder / "tests" / name).write_text((root / "tests" / name).read_text())
    (folder / "docs" / "validation").mkdir(parents=True)
    (folder / "docs" / "compliance").mkdir()
    (folder / "docs" / "compliance" / "how.md").write_text("# How\n")
    (folder / "docs" / "validation" / "requirements.yaml").write_text(yaml.safe_dump(rows))
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers =\n    requirement(id): what it proves\n")
    (folder / "tests" / "test_probe.py").write_text(probe)
    return folder


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", *more, "-p", "no:cacheprovider", "--import-mode=importlib"]
    return subprocess.run(
        [*command, "--validation=out/table.md"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.requirement("A11-03")
def test_a_run_writes_a_row_for_every_requirement_and_fails_where_one_is_uncovered(root, tmp_path):
    (project(tmp_path, root, ROWS, PROBE) / "tests" / "test_whole.py").write_text(
        "import pytest\npytest.skip('whole', allow_module_level=True)\n"
    )
    ended = run(tmp_path, "-n", "1")
    assert "1 failed, 3 passed, 3 skipped" in ended.stdout
    assert "uncovered: ['R-1 failed', 'R-5 NOT COVERED']" in ended.stdout
    rows = [line for line in (tmp_path / "out" / "table.md").read_text().splitlines() if line.startswith("| R-")]
    assert [line.split(" | ")[2] for line in rows] == ["failed", "proved", "procedural", "open", "NOT COVERED"]
    assert "`tests/test_probe.py::test_broken` failed" in rows[0]
    assert "`tests/test_probe.py::test_holds` 2 passed" in rows[1]
    assert "`tests/test_probe.py::test_absent` skipped" in rows[1]
    assert "[how](../compliance/how.md)" in rows[2]
    assert "open: comes later" in rows[3]
    assert (tmp_path / "out" / "risks.md").read_text().count("| high |") == 5


@pytest.mark.requirement("A11-03")
def test_a_run_in_which_every_test_passes_fails_all_the_same_where_nothing_covers_a_requirement(root, tmp_path):
    holds = PROBE.split('@pytest.mark.requirement("R-1")')[0]
    ended = run(project(tmp_path, root, [{"id": "R-2", **COMMON}, {"id": "R-5", **COMMON}], holds))
    assert "2 passed" in ended.stdout
    assert ended.returncode == 1
    (tmp_path / "whole").mkdir()
    whole = run(project(tmp_path / "whole", root, [{"id": "R-2", **COMMON}], holds))
    assert whole.returncode == 0


@pytest.mark.requirement("A11-03")
def test_every_requirement_has_a_test_or_a_document_or_says_why_it_is_open(root):
    requirements = read_requirements(root)
    assert len(requirements) == 53
    tests = marked(root / "tests")
    bare = [one.id for one in requirements if not (tests.get(one.id) or one.documents or one.open)]
    assert bare == []
    assert set(tests) - {one.id for one in requirements} == set()


def test_the_marks_are_found_on_functions_and_classes(tmp_path):
    (tmp_path / "test_a.py").write_text(PROBE + '\n@pytest.mark.requirement("R-9")\nclass TestAll: ...\n')
    found = marked(tmp_path)
    assert found["R-2"] == ["test_a.py::test_holds", "test_a.py::test_absent"]
    assert found["R-9"] == ["test_a.py::TestAll"]


@pytest.mark.parametrize(
    ("tests", "more", "status"),
    [
        ({"a": "passed"}, {}, "proved"),
        ({"a": "passed", "b": "skipped"}, {}, "proved"),
        ({"a": "passed", "b": "failed"}, {}, "failed"),
        ({"a": "passed", "b": "error"}, {"open": "x"}, "failed"),
        ({"a": "passed"}, {"open": "x"}, "proved in part"),
        ({"a": "skipped"}, {}, "NOT COVERED"),
        ({"a": "skipped"}, {"documents": ("how.md",)}, "NOT COVERED"),
        ({}, {"documents": ("how.md",)}, "procedural"),
        ({}, {"documents": ("how.md",), "open": "x"}, "open"),
        ({}, {}, "NOT COVERED"),
    ],
)
def test_a_status_never_says_more_than_was_seen(tests, more, status):
    assert Row(Requirement("R-1", **COMMON, **more), tests).status == status


def test_the_worst_ending_of_a_test_counts():
    rows = rows_of([Requirement("R-1", **COMMON)], [("R-1", "t", "passed"), ("R-1", "t", "error")])
    assert rows[0].tests == {"t": "error"}
    with pytest.raises(ValueError, match="R-9"):
        rows_of([Requirement("R-1", **COMMON)], [("R-9", "t", "passed")])


@pytest.mark.parametrize(
    "change", [{"risk": ""}, {"documents": ["absent.md"]}, {"opened": "x"}, {"severity": None, "id": "R-2"}]
)
def test_a_row_that_is_not_whole_is_refused(root, tmp_path, change):
    row = {key: value for key, value in {"id": "R-1", **COMMON, **change}.items() if value is not None}
    project(tmp_path, root, [row], "")
    with pytest.raises(ValueError, match="R-"):
        read_requirements(tmp_path)


@pytest.mark.requirement("A11-01")
def test_the_risk_file_ranks_what_would_happen_and_says_whether_its_control_was_seen_to_work():
    grave = Requirement("R-1", **COMMON)
    slight = Requirement("R-2", **{**COMMON, "severity": "low"}, documents=("how.md",))
    text = risk_table([Row(slight), Row(grave, {"a": "passed", "b": "failed"})])
    lines = [line for line in text.splitlines() if line.startswith(("| high", "| low"))]
    assert lines == [
        "| high | It breaks. | R-1 It holds. | 1 of 2 tests passed | failed |",
        "| low | It breaks. | R-2 It holds. | [how](../compliance/how.md) | procedural |",
    ]


def test_cases_of_one_test_are_counted_by_how_they_ended():
    row = table(
        [Row(Requirement("R-1", **COMMON), {"t[a]": "passed", "t[b|c]": "passed", "t[d]": "skipped", "u": "passed"})]
    )
    assert row.splitlines()[-1].endswith("| proved | `t` 2 passed<br>`t` skipped<br>`u` passed |")


def test_a_bar_in_a_sentence_does_not_break_the_table():
    row = table([Row(Requirement("R-1", **COMMON, open="a | b"))]).splitlines()[-1]
    assert row.endswith("| open | open: a \\| b |")
