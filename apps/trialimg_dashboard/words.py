"""Every text of the dashboard, in every language, from one catalogue."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

__all__ = ["LANGUAGES", "catalogue", "text"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "简体中文"}
_CATALOGUE = Path(__file__).with_name("catalogue.csv")


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Key to language to text."""
    with _CATALOGUE.open(encoding="utf-8", newline="") as file:
        return {row.pop("key"): row for row in csv.DictReader(file)}


def text(key: str, language: str, **values: object) -> str:
    """A text in a language, with values put where it has their names in braces."""
    words = catalogue()[key][language]
    return words.format(**values) if values else words
