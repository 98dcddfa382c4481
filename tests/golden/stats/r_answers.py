"""Answers of R 4.2.2 and the data they were found on, from the reference folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from trialimg.stats.two_by_two import TwoByTwo


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as text:
        return list(csv.DictReader(text))


def answers(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def two_by_two(row: dict[str, str]) -> TwoByTwo:
    return TwoByTwo(int(row["x1"]), int(row["n1"]), int(row["x2"]), int(row["n2"]))
