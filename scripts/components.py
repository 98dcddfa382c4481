"""What trialimg is made of beside itself: every library that an installation runs with, its version and licence.

    python scripts/components.py

writes docs/compliance/components.csv and docs/compliance/components.cdx.json (CycloneDX 1.6) from the environment.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "compliance"


@dataclass(frozen=True)
class Component:
    """One library."""

    name: str
    version: str
    licence: str
    is_direct: bool
    """Named by this project itself, not only by one of its libraries."""

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def components(root: Path = ROOT) -> tuple[Component, ...]:
    """Every library of the running environment that the project needs, directly or not."""
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    direct = {normal(Requirement(text).name) for text in declared}
    found: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in declared]
    while waiting:
        wanted = waiting.pop()
        name = normal(wanted.name)
        if name in found:
            continue
        found[name] = distribution(wanted.name)
        waiting += _needed(found[name], wanted.extras)
    return tuple(
        Component(name, one.version.partition("+")[0], licence_of(one), name in direct)
        for name, one in sorted(found.items())
    )


def normal(name: str) -> str:
    """A library's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(library: Distribution) -> str:
    """What the library says of its licence: the expression, else the classifiers, else the first line of the text."""
    about = library.metadata
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [
        text.rpartition("::")[2].strip() for text in about.get_all("Classifier") or () if "License ::" in text
    ]
    if classified:
        return " OR ".join(sorted(set(classified)))
    return str(about.get("License") or "not stated").strip().splitlines()[0]


def as_csv(listed: tuple[Component, ...]) -> str:
    """One row for each library."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "version", "licence", "direct"])
    writer.writerows([one.name, one.version, one.licence, "yes" if one.is_direct else ""] for one in listed)
    return text.getvalue()


def as_cyclonedx(listed: tuple[Component, ...]) -> str:
    """The list in the form that scanners for known vulnerabilities read."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "trialimg"}},
        "components": [
            {
                "type": "library",
                "name": one.name,
                "version": one.version,
                "purl": one.purl,
                "licenses": [{"license": {"name": one.licence}}],
            }
            for one in listed
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _needed(library: Distribution, extras: set[str]) -> list[Requirement]:
    wanted = [Requirement(text) for text in library.requires or ()]
    chosen = extras or {""}
    return [
        one for one in wanted if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in chosen)
    ]


if __name__ == "__main__":
    everything = components()
    (FOLDER / "components.csv").write_text(as_csv(everything), encoding="utf-8")
    (FOLDER / "components.cdx.json").write_text(as_cyclonedx(everything), encoding="utf-8")
