"""What the package needs is what it declares, and each release of it is pinned."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

# Reason for each dependency that no module imports.
NOT_IMPORTED = {
    "pyjpegls": "decoder that pydicom finds by itself (JPEG-LS)",
    "pylibjpeg-openjpeg": "decoder that pydicom finds by itself (JPEG 2000)",
    "dynamic-network-architectures": "networks that an nnU-Net folder names, found by name (extra nnunet)",
    "s3fs": "file system that fsspec finds by itself (extra s3)",
    "psycopg": "driver that SQLAlchemy finds by itself (extra postgresql)",
    "highdicom": "DICOM SEG and SR, read and written by the next slices",
}

# Reason for each library that tests import and nobody is made to install; they skip without it.
NOT_DECLARED = {"nnunetv2": "the peer that our reading of its folders is compared with; heavy"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirement):
    return normal(re.match(r"[\w.\-]+", requirement).group())


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def declared(project):
    extras = (wanted for name, wanted in project["optional-dependencies"].items() if name != "dev")
    return {named(requirement) for wanted in (project["dependencies"], *extras) for requirement in wanted}


@pytest.fixture(scope="module")
def extras(project):
    """What somebody installs who asks for more; imported only where it is needed."""
    offered = project["optional-dependencies"].items()
    return {named(requirement) for extra, needed in offered if extra != "dev" for requirement in needed}


def distributions(trees):
    """Names of everything that some modules import, inside functions too."""
    names = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    strangers = names - sys.stdlib_module_names - {"trialimg", "apps", "tests", "_typeshed"}
    providers = packages_distributions()
    return {normal(providers[name][0]) if name in providers else name for name in strangers}


@pytest.fixture(scope="module")
def imported(modules):
    return distributions(module.tree for module in modules)


def test_every_imported_library_is_declared(imported, declared, extras):
    assert imported - declared - extras == set()


def test_every_library_that_a_test_imports_is_declared(root, project, declared):
    """An environment that holds more than a newcomer's hides what is missing."""
    files = sorted((root / "tests").rglob("*.py"))
    own = {file.stem for file in files} | {folder.name for folder in (root / "tests").rglob("*") if folder.is_dir()}
    for_tests = {named(requirement) for requirement in project["optional-dependencies"]["dev"]}
    used = distributions(ast.parse(file.read_text(encoding="utf-8")) for file in files)
    assert used - declared - for_tests - own - set(NOT_DECLARED) == set()


def test_every_declared_library_is_imported_or_has_its_reason(imported, declared):
    assert declared - imported - set(NOT_IMPORTED) == set()


def test_no_reason_outlives_its_library(imported, declared):
    assert set(NOT_IMPORTED) <= declared
    assert set(NOT_IMPORTED) & imported == set()


def test_every_requirement_has_an_exact_pin(root, project):
    lines = [line for line in (root / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.\-]+==[\w.]+", line)] == []
    pinned = {named(line) for line in lines}
    everything = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {named(requirement) for requirement in everything} - pinned == set()
