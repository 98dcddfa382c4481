"""One direction of imports, shown to hold and shown to bite when broken."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What somebody might write one day, and the contract that refuses it.
VIOLATIONS = [
    ("trialimg/core/lesions.py", "import numpy", "core, criteria, endpoints, review and billing import no third-party"),
    ("trialimg/criteria/__init__.py", "import pandas", "core, criteria, endpoints, review and billing import no third"),
    ("trialimg/criteria/__init__.py", "import trialimg.stats", "One direction"),
    ("trialimg/imaging/measure.py", "import trialimg.radiomics", "One direction"),
    ("trialimg/volume/volume.py", "import trialimg.imaging", "One direction"),
    ("trialimg/services/ports.py", "import trialimg.adapters.files", "One direction"),
    ("trialimg/adapters/files/__init__.py", "import trialimg.bootstrap", "One direction"),
    ("trialimg/harmony.py", "", "One direction"),  # a room that no decision record brought in
    ("trialimg/adapters/store/__init__.py", "import trialimg.adapters.dicom", "Adapters never import one another"),
    ("trialimg/core/trial.py", "import trialimg.core.lesions", "No import cycle anywhere"),
    ("trialimg/services/ports.py", "import pydicom", "pydicom, highdicom and pynetdicom only in adapters.dicom"),
    (
        "trialimg/adapters/exporters/__init__.py",
        "import highdicom",
        "pydicom, highdicom and pynetdicom only in adapters",
    ),
    ("trialimg/services/ports.py", "import torch", "torch and monai only in adapters.segmenters and radiomics"),
    ("trialimg/services/ports.py", "import sqlalchemy", "sqlalchemy only in adapters.store"),
    ("trialimg/cli/app.py", "import streamlit", "streamlit only in apps"),
    (
        "apps/trialimg_dashboard/__init__.py",
        "import trialimg.adapters.files",
        "Apps import bootstrap, services and core",
    ),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "400"})


def contracts_in(printed: str, word: str) -> list[str]:
    return [line for line in printed.splitlines() if line.endswith(f" {word}")]


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The package's sources and contracts in a folder of their own."""
    for package in ("trialimg", "apps"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("[!_]*.[!p]*", "__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(root):
    run = lint(root)
    assert run.returncode == 0, run.stdout
    assert len(contracts_in(run.stdout, "KEPT")) >= 9


@pytest.mark.parametrize(("path", "statement", "contract"), VIOLATIONS)
def test_a_wrong_import_breaks_its_contract(copy, path, statement, contract):
    file = copy / path
    before = file.read_text() if file.exists() else ""
    file.write_text(f"{before}\n{statement}\n")
    run = lint(copy)
    assert run.returncode == 1
    broken = contracts_in(run.stdout, "BROKEN")
    assert any(line.startswith(contract) for line in broken), run.stdout


def test_an_untouched_copy_breaks_none(copy):
    run = lint(copy)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("room", ["core", "criteria", "endpoints", "review", "billing"])
def test_the_pure_rooms_name_only_the_standard_library_and_core(modules, room):
    strangers = [
        f"{module.path}: {name}"
        for module in modules
        if module.room == room
        for name in imported(module.tree)
        if name not in sys.stdlib_module_names | {"trialimg", "_typeshed"}
    ]
    assert strangers == []


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of everything a module imports, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after some code and had not before it."""
    script = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("room", ["core", "criteria", "endpoints"])
def test_the_pure_rooms_load_no_library(modules, room):
    names = [m.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for m in modules if m.room == room]
    loaded = loaded_by("\n".join(f"import {name}" for name in names))
    assert "trialimg" in loaded
    assert loaded - sys.stdlib_module_names - {"trialimg"} == set()


@pytest.mark.parametrize(
    "code",
    [
        "import trialimg",
        "import trialimg.cli",
        "from trialimg.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
    ],
)
def test_the_command_starts_without_its_heavy_libraries(code):
    heavy = {
        "torch",
        "monai",
        "numpy",
        "pandas",
        "scipy",
        "SimpleITK",
        "matplotlib",
        "pydicom",
        "radiomics",
        "streamlit",
    }
    loaded = loaded_by(code)
    assert "trialimg" in loaded
    assert loaded & heavy == set()
