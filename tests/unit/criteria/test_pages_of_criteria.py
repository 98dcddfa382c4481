"""Each page of a criterion names every setting with its default, every fact, and every rule its module can cite."""

from __future__ import annotations

import re
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import get_args, get_type_hints

import pytest

from trialimg.core.settings import shown
from trialimg.criteria import (
    cheson2007,
    choi,
    eortc_pet,
    gcig,
    lugano2014,
    lyric,
    mchoi,
    pcwg3,
    percist,
    rano,
    rano2,
    rano2010,
    rano_bm,
    rano_lgg,
    recil,
    recist11,
)

PAGES: dict[str, tuple[ModuleType, ...]] = {
    "choi.md": (choi, mchoi),
    "percist.md": (percist,),
    "eortc_pet.md": (eortc_pet,),
    "pcwg3.md": (pcwg3,),
    "gcig.md": (gcig,),
    "lugano.md": (lugano2014, lyric),
    "recil.md": (recil,),
    "cheson2007.md": (cheson2007,),
    "rano.md": (rano, rano2, rano2010, rano_lgg, rano_bm),
}
"""The first module's defaults stand in the table of settings, the others' where they differ."""


def _own(module: ModuleType) -> dict[str, str]:
    """Every setting; of rules that add to those of RECIST 1.1 only the added ones."""
    rules, shared = module.Rules(), shown(recist11.Rules())
    inherits = isinstance(rules, recist11.Rules)
    return {name: value for name, value in shown(rules).items() if not (inherits and name in shared)}


def page(root: Path, name: str) -> str:
    return (root / "docs/reference/criteria" / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_stands_in_the_page_with_its_default(root: Path, name: str) -> None:
    text, (first, *others) = page(root, name), PAGES[name]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", text, re.MULTILINE))
    assert rows == _own(first)
    for other in others:
        own = {key: value for key, value in shown(other.Rules()).items() if rows.get(key) != value}
        short = other.__name__.rpartition(".")[2]
        stated = re.search(rf"^Defaults of `{short}`: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
        assert stated is not None
        assert dict(re.findall(r"`(\w+)` = `([^`]*)`", stated[1])) == own


@pytest.mark.parametrize("name", PAGES)
def test_every_fact_and_its_words_stand_in_the_page(root: Path, name: str) -> None:
    text = page(root, name)
    for module in PAGES[name]:
        for field in fields(module.Facts()):
            assert f"`{field.name}`" in text
            hint = get_type_hints(type(module.Facts()))[field.name]
            for option in (*get_args(hint), hint):
                if isinstance(option, type) and issubclass(option, Enum):
                    assert {f"`{word.value}`" for word in option if f"`{word.value}`" not in text} == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_rule_that_the_code_cites_stands_in_the_page(root: Path, name: str) -> None:
    text = page(root, name)
    for module in PAGES[name]:
        assert module.__file__ is not None
        place = Path(module.__file__)
        files = place.parent.glob("*.py") if place.name == "__init__.py" else [place]
        source = "".join(file.read_text() for file in files)
        cited = set(re.findall(r'"[A-Z0-9-]+/([A-Z]+[0-9]+[a-z]?)"|_why\(\s*"([A-Z]+[0-9]+[a-z]?)"', source))
        cited = {one or other for one, other in cited}
        assert {rule for rule in cited if not re.search(rf"\b{rule}\b", text)} == set()


@pytest.mark.parametrize("name", PAGES)
def test_no_word_of_a_fact_reads_as_nothing_said(name: str) -> None:
    """A table says "none" for what was not recorded; a fact that means it must use another word."""
    for module in PAGES[name]:
        for hint in get_type_hints(type(module.Facts())).values():
            for option in get_args(hint):
                if isinstance(option, type) and issubclass(option, Enum):
                    assert "none" not in {word.value for word in option}
