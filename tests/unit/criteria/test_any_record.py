"""Any record that can be written down is judged by every criterion: with reasons, and in any order of its lesions."""

from __future__ import annotations

import random
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_type_hints

import pytest

from tests.fakes.readings import readings
from trialimg.core.responses import CriterionAssessment
from trialimg.criteria.registry import CRITERIA, Criterion

LESION_BASED = (
    "choi", "mchoi", "percist", "eortc_pet", "rano2", "rano2010", "rano_lgg", "rano_bm",
    "lugano2014", "lyric", "recil", "cheson2007", "pcwg3", "gcig",
)  # fmt: skip
RESPONSES = {"CR", "PR", "MR", "CMR", "PMR", "CAR", "PAR"}
MEASURED = ("40x30", "20x10", "10x10", "60x50", "40@60", "44@50", "30@40", "20u4.0", "30u9.5")
TARGETS = (*MEASURED, "gone", "small", "NE", ".")
NUMBERS = ("0.1", "1.2", "8", "60", "140")


def any_fact(rng: random.Random, nothing: Any) -> Any:
    """Facts with each field unknown, or any of its words or a plausible number."""
    hints = get_type_hints(type(nothing))
    return type(nothing)(**{field.name: any_value(rng, hints[field.name]) for field in fields(nothing)})


def any_value(rng: random.Random, hint: Any) -> Any:
    options = [option for option in (get_args(hint) or (hint,)) if option is not type(None)]
    (kind,) = options
    if type(None) in get_args(hint) and rng.random() < 0.4:
        return None
    if kind is bool:
        return rng.random() < 0.2
    if issubclass(kind, Enum):
        return rng.choice(list(kind))
    return rng.choice([0, 1, 2, 3, 10, 60]) if kind is int else Decimal(rng.choice(NUMBERS))


def any_table(rng: random.Random) -> str:
    visits = ["BL", "W06", "W12", "W18", "W30"][: rng.randint(2, 5)]
    rows = [" ".join(visits)]
    for number in range(rng.randint(0, 3)):
        organ = rng.choice(["liver", "node"])
        rows.append(" ".join([f"T{number}", organ, rng.choice(MEASURED), *rng.choices(TARGETS, k=len(visits) - 1)]))
    for number in range(rng.randint(0, 2)):
        cells = rng.choices(["yes", "gone", "NE", ".", "worse"], [4, 2, 1, 1, 1], k=len(visits) - 1)
        rows.append(" ".join([f"NT{number}", "bone", "yes", *cells]))
    if rng.random() < 0.3:
        cells = rng.choices([".", "new", "maybe", "gone", "20x12"], k=len(visits) - 1)
        rows.append(" ".join(["NL1", "lung", ".", *cells]))
    return "\n".join(rows)


def answers(rng: random.Random, criterion: Criterion, table: str) -> tuple[CriterionAssessment, ...]:
    record = readings(table)
    facts = {t.id: plausible(any_fact(rng, criterion.facts)) for t in record.timepoints}
    tracks = list(record.tracks)
    judged = criterion.assess(tracks, record.designations, record.timepoints, criterion.rules, facts=facts)
    rng.shuffle(tracks)
    again = criterion.assess(tracks, record.designations, record.timepoints, criterion.rules, facts=facts)
    assert [(a.target, a.overall, a.parts) for a in judged] == [(a.target, a.overall, a.parts) for a in again]
    return tuple(judged)


def plausible(facts: Any) -> Any:
    """No more new bone lesions than bone lesions; a lesion's uptake beside that of mediastinum and liver."""
    if getattr(facts, "lesion_suv", None) is not None:
        return type(facts)(**{**vars(facts), "mediastinum_suv": Decimal("1.2"), "liver_suv": Decimal("2.4")})
    if getattr(facts, "bone_new", None) is None:
        return facts
    return type(facts)(**{**vars(facts), "bone_lesions": 60})


@pytest.mark.parametrize("name", LESION_BASED)
def test_every_record_is_judged_with_reasons_whatever_the_order_of_its_lesions(name: str) -> None:
    rng = random.Random(name)
    words: set[str] = set()
    for _ in range(300):
        for answer in answers(rng, CRITERIA[name], any_table(rng)):
            assert all(firing.rule and firing.sentence for firing in answer.rule)
            assert answer.rule and answer.settings
            words.add(str(answer.overall.value))
    assert len(words) >= (2 if name == "percist" else 4)  # two scans picked at random can rarely be compared


@pytest.mark.parametrize("name", LESION_BASED)
def test_a_missing_target_is_never_a_response_of_the_targets(name: str) -> None:
    rng = random.Random(name)
    for _ in range(100):
        cell = rng.choice(["NE", "."])
        table = f"BL W06\nT1 liver 40x30 gone\nT2 node 40x30 {cell}"
        for answer in answers(rng, CRITERIA[name], table):
            assert answer.target.value not in RESPONSES
