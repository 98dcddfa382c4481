"""The pages of iRECIST, mRECIST, WHO, irRC and their kin, and of volumes: settings, facts and rules are complete."""

from __future__ import annotations

import random
import re
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import get_args, get_type_hints

import pytest

from tests.oracle.histories import random_table, record_of
from trialimg.core.settings import shown
from trialimg.criteria import imrecist, irecist, irrc, irrecist, mrecist, recist11, volumetric, who
from trialimg.criteria.irecist import Growth

OWN: dict[str, ModuleType] = {"who": who, "irrc": irrc, "irrecist": irrecist, "volumetric": volumetric}
BESIDE_RECIST: dict[str, ModuleType] = {"irecist": irecist, "mrecist": mrecist}
ROW = re.compile(r"^\| `(\w+)` \| `([^`]*)` \|", re.MULTILINE)


def page(root: Path, name: str) -> str:
    return (root / f"docs/reference/criteria/{name}.md").read_text()


@pytest.mark.parametrize("name", OWN)
def test_every_setting_stands_in_its_page_with_its_default(root: Path, name: str) -> None:
    assert dict(ROW.findall(page(root, name))) == shown(OWN[name].Rules())


@pytest.mark.parametrize("name", BESIDE_RECIST)
def test_settings_beside_those_of_recist_stand_in_the_page(root: Path, name: str) -> None:
    shared = shown(recist11.Rules())
    own = {key: value for key, value in shown(BESIDE_RECIST[name].Rules()).items() if shared.get(key) != value}
    assert dict(ROW.findall(page(root, name))) == own


def test_imrecist_has_the_settings_of_irrecist_but_one() -> None:
    others = shown(irrecist.Rules())
    assert others.pop("irrecist_nt_pd") == "false"
    assert shown(imrecist.Rules()) == others


@pytest.mark.parametrize("name", [*OWN, *BESIDE_RECIST])
def test_every_fact_and_its_words_stand_in_the_page(root: Path, name: str) -> None:
    text, facts = page(root, name), {**OWN, **BESIDE_RECIST}[name].Facts()
    shared = {field.name for field in fields(recist11.Facts())}
    for field in fields(facts):
        if name in BESIDE_RECIST and field.name in shared:
            continue
        assert f"`{field.name}`" in text
        for option in get_args(get_type_hints(type(facts))[field.name]):
            if isinstance(option, type) and issubclass(option, Enum):
                assert {word.value for word in option if f"`{word.value}`" not in text} == set()


def test_no_word_of_a_fact_reads_as_nothing_said() -> None:
    assert "none" not in {word.value for word in Growth}


@pytest.mark.parametrize(
    ("name", "least"), [("irecist", 7), ("who", 5), ("irrc", 2), ("irrecist", 9), ("imrecist", 9), ("volumetric", 2)]
)
def test_every_rule_that_fires_stands_in_its_page(root: Path, name: str, least: int) -> None:
    """Random subjects with diameters; each criterion must cite at least so many of its own rules on them."""
    module = {**OWN, **BESIDE_RECIST, "imrecist": imrecist}[name]
    rng = random.Random(11)
    fired: set[str] = set()
    for _ in range(1000):
        tracks, roles, visits, _facts = record_of(random_table(rng))
        answers = module.assess(tracks, roles, visits, module.Rules())
        fired |= {firing.rule for answer in answers for firing in answer.rule}
    own = {rule.partition("/")[2] for rule in fired if not rule.startswith("R-1.1/")}
    text = page(root, name) + (page(root, "irrc") if name in ("irrecist", "imrecist") else "")
    assert len(own) >= least
    assert {rule for rule in own if not re.search(rf"\b{rule}\b", text)} == set()
