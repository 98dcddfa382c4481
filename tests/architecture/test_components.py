"""What the product is made of is listed, pinned, and under a licence that somebody let in."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

LET_IN = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Apache License 2.0", "Apache Software License",
    "BSD License", "3-Clause BSD License", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "MIT", "MIT License",
    "MIT-0", "MIT-CMU",
    "Mozilla Public License 1.1 (MPL 1.1)", "Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0", "PSF-2.0",
    "Python Software Foundation License", "Zlib",
    "BSD-3-Clause, Apache-2.0, dependency licenses",  # pypdfium2: PDFium (BSD) and the permissive ones in it
}  # fmt: skip
# Not named in constraints.txt, with the reason.
UNPINNED = {"setuptools": "comes with the environment; torch asks for it and nothing of ours imports it"}


@pytest.fixture(scope="module")
def script(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("components", root / "scripts" / "components.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["components"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def listed(root: Path) -> list[dict[str, str]]:
    with (root / "docs" / "compliance" / "components.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_let_in(licence: str) -> bool:
    """One of several on offer is enough; where all apply, each has to be let in."""
    return any(all(part in LET_IN for part in choice.split(" AND ")) for choice in licence.split(" OR "))


@pytest.mark.requirement("A11-02")
def test_the_list_is_what_is_installed(script, listed, root):
    """After a change: ``python scripts/components.py``."""
    found = script.components()
    assert [(one.name, one.version, one.licence) for one in found] == [
        (row["name"], row["version"], row["licence"]) for row in listed
    ]
    document = json.loads((root / "docs" / "compliance" / "components.cdx.json").read_text(encoding="utf-8"))
    assert [part["purl"] for part in document["components"]] == [one.purl for one in found]


@pytest.mark.requirement("A11-02")
def test_each_component_has_an_exact_pin_that_is_the_one_installed(listed, root):
    lines = (line for line in (root / "constraints.txt").read_text().splitlines() if "==" in line)
    pins = {
        re.sub(r"[-_.]+", "-", name).lower(): version for name, _, version in (line.partition("==") for line in lines)
    }
    loose = {row["name"]: row["version"] for row in listed if pins.get(row["name"]) != row["version"]}
    assert set(loose) == set(UNPINNED)


@pytest.mark.requirement("A11-02")
def test_each_component_is_under_a_licence_that_was_let_in(listed):
    assert [(row["name"], row["licence"]) for row in listed if not is_let_in(row["licence"])] == []


@pytest.mark.parametrize(
    ("licence", "let_in"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("", False),
    ],
)
def test_a_licence_that_binds_is_not_let_in(licence, let_in):
    assert is_let_in(licence) is let_in


def test_names_are_compared_as_the_registry_does(script):
    assert script.normal("ruamel.yaml") == script.normal("Ruamel_YAML") == "ruamel-yaml"
