"""The package and a naive second iRECIST say the same of thousands of random subjects."""

from __future__ import annotations

import random
import sys
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.histories import random_table, record_of
from tests.oracle.naive_irecist import ImmuneTable, NewRow, immune_words
from trialimg.core.lesions import Designation, Lesion, LesionKind, NewLesionStatus, Observation, Role, Seen, Track
from trialimg.core.trial import Timepoint
from trialimg.criteria import irecist

SEED = 20240202
SIZES = (40, 99, 100, 101, 120, 149, 150, 151, 170, 200)


def random_immune(rng: random.Random) -> ImmuneTable:
    """A subject of RECIST 1.1, with new lesions that are measured; half of them have non-targets with sizes."""
    table = random_table(rng)
    table.new, table.pet = [], [""] * len(table.days)
    if table.non_targets and rng.random() < 0.5:
        for row in table.non_targets:
            row.node = True
            row.cells = [rng.choice([80, 99, 100, 101, 120, 150, "gone", "worse"]) for _ in table.days]
            row.cells[0] = rng.choice([100, 120, 150])
    if rng.random() < 0.5:
        for row in table.targets:
            row.treated_from = row.merged_from = row.merged_into = None
    rows = [_new_row(rng, len(table.days)) for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 6]))]
    return ImmuneTable(table, rows, strict=rng.random() < 0.2)


def _new_row(rng: random.Random, columns: int) -> NewRow:
    first = rng.randint(1, columns)
    cells: list[str | int] = [""] * first
    while len(cells) < columns:
        last = next((cell for cell in reversed(cells) if isinstance(cell, int)), None)
        step = rng.choice([0, 0, 1, 20, 49, 50, 51, -30])
        steady: list[str | int] = [rng.choice(SIZES) if last is None else max(1, last + step)] * 6
        cells.append(rng.choice([*steady, rng.choice(SIZES), "sure", "maybe", "gone", "ne", ""]))
    return NewRow(rng.choice(["lung", "bone", "brain"]), cells[:columns])


def judged(table: ImmuneTable) -> list[str]:
    tracks, roles, visits, facts = record_of(table.base)
    for number, row in enumerate(table.new):
        lesion = Lesion(f"new{number}", LesionKind.NON_NODAL, row.organ)
        seen = [_seen(lesion, visit, cell) for visit, cell in zip(visits, row.cells, strict=True) if cell != ""]
        tracks.append(Track(lesion, tuple(seen)))
        roles.append(Designation("r", lesion, Role.NEW))
    known = {name: irecist.Facts(markers=fact.markers) for name, fact in facts.items()}
    answers = irecist.assess(tracks, roles, visits, rules_of(table), facts=known)
    words = [str(answer.overall.value) for answer in answers]
    return words[: words.index("iCPD") + 1] if "iCPD" in words else words


def rules_of(table: ImmuneTable) -> irecist.Rules:
    return irecist.Rules(irecist_som_strict=table.strict)


def _seen(lesion: Lesion, visit: Timepoint, cell: str | int) -> Observation:
    said: dict[str, Any] = {
        "gone": {"seen": Seen.ABSENT},
        "ne": {"seen": Seen.NOT_EVALUABLE, "reason": "not imaged"},
        "sure": {"seen": Seen.MEASURED, "status": NewLesionStatus.UNEQUIVOCAL},
        "maybe": {"seen": Seen.MEASURED, "status": NewLesionStatus.EQUIVOCAL},
    }
    if isinstance(cell, int):
        return Observation(lesion, visit, Seen.MEASURED, Decimal(cell) / 10)
    return Observation(lesion, visit, **said[cell])


def compare(histories: int, seed: int) -> Counter[str]:
    """Judge random subjects twice; how often each word was said. The first difference prints the subject."""
    rng = random.Random(seed)
    said: Counter[str] = Counter()
    for number in range(histories):
        table = random_immune(rng)
        naive, ours = immune_words(table), judged(table)
        assert ours == naive, f"history {number}: {table}\nnaive {naive}\nours  {ours}"
        said.update(ours)
    return said


def test_ten_thousand_histories() -> None:
    said = compare(10_000, SEED)
    assert set(said) == {"iCR", "iPR", "iSD", "iUPD", "iCPD", "NON-iCR/NON-iUPD", "NE", "NED"}
    assert not {word: count for word, count in said.items() if count < 100}


@pytest.mark.slow
def test_a_hundred_thousand_histories() -> None:
    compare(100_000, SEED + 1)


@pytest.mark.parametrize(
    "wrong", [{"confirm_increase_mm": Decimal("4.9")}, {"confirm_from_days": 29}, {"max_new_targets_per_organ": 3}]
)
def test_the_comparison_notices_a_wrong_number(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle bites: 4.9 mm for 5 mm, a day later, or a lesion more in an organ."""
    monkeypatch.setattr(
        sys.modules[__name__], "rules_of", lambda t: irecist.Rules(irecist_som_strict=t.strict, **wrong)
    )
    with pytest.raises(AssertionError, match="history"):
        compare(10_000, SEED)
