"""Random subjects for the two RECISTs: as a table of integers, and as the same record in the package's words."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.oracle.naive_recist11 import BLANK, GONE, NE, SMALL, Choices, Table, TargetRow, WordRow
from trialimg.core.lesions import (
    Designation,
    Lesion,
    LesionKind,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Role,
    Seen,
    Track,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11 import (
    CrLost,
    Facts,
    LocalTherapy,
    Markers,
    PartialNonTarget,
    Pet,
    PrHold,
    Rules,
)

START = dt.date(2024, 1, 1)
EDGES = (20, 49, 50, 51, 99, 100, 101, 140, 149, 150, 151, 199, 200, 210, 240, 250, 300, 350, 360, 400, 500)
"""Sizes in tenths of mm that meet the limits exactly, or miss them by a tenth."""


def random_table(rng: random.Random) -> Table:
    """A subject with up to five targets, non-targets, new lesions and five follow-ups."""
    columns = rng.randint(2, 6)
    days = [0]
    for _ in range(columns - 1):
        days.append(days[-1] + rng.choice([14, 27, 28, 42]))
    targets = [_target(rng, columns) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 5]))]
    _entangle(rng, targets, columns)
    return Table(
        days,
        targets,
        [_non_target(rng, columns) for _ in range(rng.choice([0, 0, 1, 2]))],
        [_new(rng, columns) for _ in range(rng.choice([0, 0, 0, 1, 2]))],
        _facts(rng, columns, Pet),
        ["", *_facts(rng, columns - 1, Markers)],
    )


def _target(rng: random.Random, columns: int) -> TargetRow:
    cells = [rng.choice(EDGES[9:]) if rng.random() < 0.97 else NE]
    trend = rng.choice([0.5, 0.7, 0.9, 1.0, 1.2, 1.3])
    vanishing = rng.random() < 0.4
    for _ in range(columns - 1):
        cells.append(_next_size(rng, cells, trend, vanishing=vanishing))
    row = TargetRow(node=rng.random() < 0.35, cells=cells)
    if rng.random() < 0.05:
        row.treated_from = rng.randint(1, columns - 1)
        row.cells[row.treated_from] = rng.choice([GONE, 120])
    return row


def _next_size(rng: random.Random, cells: list[int], trend: float, *, vanishing: bool) -> int:
    chance = rng.random()
    if chance < 0.03:
        return rng.choice([NE, BLANK])
    if chance < 0.08:
        return SMALL
    if vanishing and chance < 0.6:
        return GONE
    if chance < 0.7:
        return rng.choice(EDGES)
    last = next((cell for cell in reversed(cells) if cell > 0), 200)
    return max(1, round(last * trend))


def _entangle(rng: random.Random, targets: list[TargetRow], columns: int) -> None:
    """Let a target split, or two of them merge."""
    if targets and rng.random() < 0.15:
        parent, column = rng.randrange(len(targets)), rng.randint(1, columns - 1)
        targets[parent].treated_from = None
        for _ in range(rng.choice([1, 2, 3])):
            cells = [BLANK] * column + [rng.choice([GONE, SMALL, NE, BLANK, *EDGES]) for _ in range(columns - column)]
            targets.append(TargetRow(targets[parent].node, cells, fragment_of=parent))
        for later in range(column, columns):
            targets[parent].cells[later] = rng.choice([BLANK, BLANK, GONE, NE, 150])
    if len(targets) > 1 and rng.random() < 0.15:
        gone, column = rng.randrange(len(targets)), rng.randint(1, columns - 1)
        others = [row for row in range(len(targets)) if row != gone]
        targets[gone].merged_from = column
        targets[gone].merged_into = rng.choice([*others, None])
        targets[gone].treated_from = None
        targets[gone].cells[column] = GONE
        for later in range(column + 1, columns):
            targets[gone].cells[later] = rng.choice([BLANK, GONE, 120])


def _non_target(rng: random.Random, columns: int) -> WordRow:
    node = rng.random() < 0.3
    words: list[str | int] = ["present", "present", "gone", "gone", "gone", "ne", "", "worse"]
    sizes: list[str | int] = [99, 80, 100, 120]
    rarely_worse = words[:7] if rng.random() < 0.8 else words
    return WordRow(node, [rng.choice(rarely_worse + sizes * node) for _ in range(columns)])


def _new(rng: random.Random, columns: int) -> WordRow:
    node = rng.random() < 0.4
    words: list[str | int] = ["", "", "gone", "maybe", "maybe", "sure"]
    sizes: list[str | int] = [99, 100, 149, 150, 200]
    return WordRow(node, ["", *(rng.choice(words + sizes * node) for _ in range(columns - 1))])


def _facts(rng: random.Random, columns: int, kind: type[Pet] | type[Markers]) -> list[str]:
    if rng.random() < 0.85:
        return [""] * columns
    return [rng.choice(["", *(member.value for member in kind)]) for _ in range(columns)]


def random_choices(rng: random.Random) -> Choices:
    """Defaults half of the time, otherwise every setting drawn anew."""
    if rng.random() < 0.5:
        return Choices()
    return Choices(
        pr_hold=rng.choice([hold.value for hold in PrHold]),
        doubt_lost_cr=rng.random() < 0.3,
        pd_within_normal_nodes=rng.random() < 0.3,
        local_therapy=rng.choice([therapy.value for therapy in LocalTherapy]),
        partial_non_target=rng.choice([word.value for word in PartialNonTarget]),
        sure_node=rng.choice([100, 150]),
        backdate=rng.random() < 0.7,
        persists=rng.random() < 0.7,
        strict=rng.random() < 0.3,
    )


def rules_of(choices: Choices) -> Rules:
    """The same settings in the package's words."""
    return Rules(
        pr_hold=PrHold(choices.pr_hold),
        cr_lost=CrLost.AMEND_TO_PR if choices.doubt_lost_cr else CrLost.PD,
        pd_within_normal_nodes=choices.pd_within_normal_nodes,
        local_therapy=LocalTherapy(choices.local_therapy),
        partial_non_target=PartialNonTarget(choices.partial_non_target),
        new_node_pd_sa_mm=Decimal(choices.sure_node) / 10,
        backdate_equivocal=choices.backdate,
        new_lesion_persists=choices.persists,
        strict=choices.strict,
    )


Record = tuple[list[Track], list[Designation], list[Timepoint], dict[str, Facts]]


def record_of(table: Table) -> Record:
    """The same subject in the package's words."""
    visits = [Timepoint(f"V{n}", n, START + dt.timedelta(days=day)) for n, day in enumerate(table.days)]
    tracks: list[Track] = []
    roles: list[Designation] = []
    for role, rows in ((Role.TARGET, table.targets), (Role.NON_TARGET, table.non_targets), (Role.NEW, table.new)):
        for number, row in enumerate(rows):
            lesion = _lesion(role, number, row)
            seen = [o for visit in visits for o in _observation(lesion, role, row, visit)]
            tracks.append(Track(lesion, tuple(seen)))
            roles.append(Designation("r", lesion, role))
    facts = {
        visit.id: Facts(pet=Pet(pet) if pet else None, markers=Markers(marker) if marker else None)
        for visit, pet, marker in zip(visits, table.pet, table.markers, strict=True)
    }
    return tracks, roles, visits, facts


def _lesion(role: Role, number: int, row: TargetRow | WordRow) -> Lesion:
    kind = LesionKind.NODAL if row.node else LesionKind.NON_NODAL
    parent = row.fragment_of if isinstance(row, TargetRow) else None
    return Lesion(f"{role.value}{number}", kind, "organ", split_from=None if parent is None else f"target{parent}")


def _observation(lesion: Lesion, role: Role, row: TargetRow | WordRow, visit: Timepoint) -> Iterator[Observation]:
    cell = row.cells[visit.order]
    said = _target_said(row, visit.order) if isinstance(row, TargetRow) else _said(role, cell)
    if said is not None:
        yield Observation(lesion, visit, **said)


def _target_said(row: TargetRow, column: int) -> dict[str, Any] | None:
    cell = row.cells[column]
    said: dict[str, Any] | None = _size_said(cell)
    if said is not None and row.treated_from == column:
        said["local_therapy"] = True
    if said is not None and row.merged_from == column:
        said["merged_into"] = "elsewhere" if row.merged_into is None else f"target{row.merged_into}"
    return said


def _size_said(cell: int) -> dict[str, Any] | None:
    if cell == BLANK:
        return None
    if cell == NE:
        return {"seen": Seen.NOT_EVALUABLE, "reason": "not imaged"}
    if cell == SMALL:
        return {"seen": Seen.TOO_SMALL}
    if cell == GONE:
        return {"seen": Seen.ABSENT}
    return {"seen": Seen.MEASURED, "diameter_mm": Decimal(cell) / 10}


_WORDS: dict[str, dict[str, Any]] = {
    "gone": {"seen": Seen.ABSENT},
    "ne": {"seen": Seen.NOT_EVALUABLE, "reason": "not imaged"},
    "present": {"seen": Seen.MEASURED, "status": NonTargetStatus.PRESENT},
    "worse": {"seen": Seen.MEASURED, "status": NonTargetStatus.UNEQUIVOCAL_PROGRESSION},
    "sure": {"seen": Seen.MEASURED, "status": NewLesionStatus.UNEQUIVOCAL},
    "maybe": {"seen": Seen.MEASURED, "status": NewLesionStatus.EQUIVOCAL},
}


def _said(role: Role, cell: str | int) -> dict[str, Any] | None:
    if isinstance(cell, int):
        return _size_said(cell)
    return dict(_WORDS[cell]) if cell else None
