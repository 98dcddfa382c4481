"""What the pages tell the reader to type is typed, and what they say it prints is what it prints.

A console block is run when the line before it says `<!-- test -->`. Each line that begins with `$ ` is a command; the
lines below it, if any, are what it prints, and `...` there stands for any text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^<!-- test -->\n+```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    command: str
    printed: str


def steps_of(block: str) -> list[Step]:
    """The commands of a block, each with the text below it."""
    steps = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.replace("\\\n", " ").partition("\n")
        steps.append(Step(command.strip(), printed.strip()))
    return steps


def agrees(printed: str, expected: str) -> bool:
    pattern = ".*".join(re.escape(piece) for piece in expected.split("..."))
    return re.fullmatch(pattern, printed.strip(), flags=re.DOTALL) is not None


def blocks() -> list[object]:
    pages = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT).as_posix()}:{number}")
        for page in pages
        for number, block in enumerate(BLOCK.findall(page.read_text()), start=1)
    ]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder that looks like the top of the repository, and may be written to."""
    for name in ("protocols", "sample_data", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize("block", blocks())
def test_a_page_tells_the_truth(block, desk):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for step in steps_of(block):
        run = subprocess.run(
            ["bash", "-c", step.command],
            cwd=desk,
            env={**os.environ, "PATH": path, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{step.command}\n{run.stderr}"
        if step.printed:
            assert agrees(run.stdout, step.printed), f"{step.command}\nprinted\n{run.stdout}"


def test_the_pages_hold_commands_to_try():
    assert len(blocks()) >= 1


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [("a\nb\n", "a\nb", True), ("a\nb\nc", "a\n...\nc", True), ("a\nb", "a", False), ("3.1 mm", "3.2 mm", False)],
)
def test_printed_text_is_compared(printed, expected, same):
    assert agrees(printed, expected) is same


def test_a_block_may_hold_several_commands():
    assert steps_of("$ one \\\n  --two\n$ three\nsaid\nmore\n") == [
        Step("one    --two", ""),
        Step("three", "said\nmore"),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning (a dead link, a missing page) is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_the_site_loads_nothing_from_other_servers(site):
    loaded = re.findall(r'<(?:script|img|link rel="stylesheet")[^>]* (?:src|href)="?(http[^">]+)', page_text(site))
    assert loaded == []


def test_every_page_is_in_the_navigation(site):
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "index.md"]
    assert len(pages) > 10
    for page in pages:
        assert f'href="{page.relative_to(ROOT / "docs").with_suffix("").as_posix()}/"' in page_text(site)


def page_text(site: Path) -> str:
    return (site / "index.html").read_text()
