"""One reader's record of one subject, written as a table that a clinician can read.

    ::

                     BL    W06   W12
        T1 liver     40    20    0
        N1 node      18    9     9
        NT1 bone     yes   yes   gone
        NL1 brain    .     maybe new
        = target           PR    CR
        = overall          PR    PD

Rows: ``T`` target, ``NT`` non-target, ``NL`` new lesion, ``N`` target node; the organ ``node`` makes any of them nodal.
Cells: a length in mm, ``0`` or ``gone`` absent, ``small`` too small to measure, ``NE`` not evaluable, ``.`` no record,
``yes`` present, ``worse`` unequivocal progression, ``new`` and ``maybe`` an unequivocal and an equivocal new lesion,
``>T2`` merged into T2, ``*20`` 20 mm (``*0`` absent) after local therapy, ``30x20`` 30 mm long and 20 mm across,
``100@60`` 100 mm long of 60 HU on average, ``v7.0`` a volume in mL, ``u2.4`` a peak uptake. A row ``T1a<T1`` is a
fragment of T1.
A line ``= what`` gives the expected words of the follow-ups, ``-`` where nothing is claimed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import ModuleType
from typing import Any

from trialimg.core.lesions import (
    Designation,
    Lesion,
    LesionKind,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Quantities,
    Role,
    Seen,
    Track,
)
from trialimg.core.responses import CriterionAssessment, TimepointAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11

__all__ = ["BASELINE", "Readings", "judged", "judged_by", "readings"]

BASELINE = dt.date(2024, 1, 1)

_WORDS: Mapping[str, dict[str, Any]] = {
    "0": {"seen": Seen.ABSENT},
    "gone": {"seen": Seen.ABSENT},
    "small": {"seen": Seen.TOO_SMALL},
    "NE": {"seen": Seen.NOT_EVALUABLE, "reason": "not imaged"},
    "yes": {"seen": Seen.MEASURED, "status": NonTargetStatus.PRESENT},
    "worse": {"seen": Seen.MEASURED, "status": NonTargetStatus.UNEQUIVOCAL_PROGRESSION},
    "new": {"seen": Seen.MEASURED, "status": NewLesionStatus.UNEQUIVOCAL},
    "maybe": {"seen": Seen.MEASURED, "status": NewLesionStatus.EQUIVOCAL},
}


@dataclass(frozen=True)
class Readings:
    """What ``assess`` asks for, and what it should answer."""

    tracks: tuple[Track, ...]
    designations: tuple[Designation, ...]
    timepoints: tuple[Timepoint, ...]
    expected: Mapping[str, tuple[str, ...]]

    def assess(self, rules: recist11.Rules | None = None, **facts: recist11.Facts) -> tuple[TimepointAssessment, ...]:
        """RECIST 1.1 of this record; facts by timepoint id."""
        return recist11.assess(self.tracks, self.designations, self.timepoints, rules or recist11.Rules(), facts=facts)


def readings(table: str) -> Readings:
    """The record that a table describes; weeks are counted from `BASELINE`."""
    lines = [line.split() for line in table.strip().splitlines() if line.strip()]
    timepoints = tuple(_timepoint(name, order) for order, name in enumerate(lines[0]))
    rows = [_row(cells, timepoints) for cells in lines[1:] if cells[0] != "="]
    expected = {cells[1]: tuple(cells[2:]) for cells in lines[1:] if cells[0] == "="}
    return Readings(
        tuple(track for track, _ in rows), tuple(designation for _, designation in rows), timepoints, expected
    )


def judged(table: str, rules: recist11.Rules | None = None, **facts: recist11.Facts) -> tuple[TimepointAssessment, ...]:
    """The table's answers, after comparing each claimed word with the one that was given."""
    record = readings(table)
    answers = record.assess(rules, **facts)
    _compare(record, answers)
    return answers


def judged_by(criterion: ModuleType, table: str, rules: Any = None, **facts: Any) -> tuple[CriterionAssessment, ...]:
    """As `judged`, by the module of another criterion."""
    record = readings(table)
    rules = rules if rules is not None else criterion.Rules()
    answers = criterion.assess(record.tracks, record.designations, record.timepoints, rules, facts=facts)
    _compare(record, answers)
    return tuple(answers)


def _compare(record: Readings, answers: Sequence[CriterionAssessment]) -> None:
    for what, words in record.expected.items():
        given = tuple(_word(answer, what) for answer in answers)
        assert len(words) == len(given), f"{what}: {len(words)} claimed, {len(given)} follow-ups"
        claimed = tuple(g if w == "-" else w.replace("_", " ") for w, g in zip(words, given, strict=True))
        assert given == claimed, f"{what}: {given}, should be {claimed}"


def _word(answer: CriterionAssessment, what: str) -> str:
    if what == "sum":
        return str(answer.sums.sum_mm)
    if what in answer.parts:
        return str(answer.parts[what].value)
    return str(getattr(answer, what).value)


def _timepoint(name: str, order: int) -> Timepoint:
    weeks = 0 if name == "BL" else int(name.removeprefix("W"))
    return Timepoint(name, order, BASELINE + dt.timedelta(weeks=weeks))


def _row(cells: list[str], timepoints: tuple[Timepoint, ...]) -> tuple[Track, Designation]:
    name, organ, values = cells[0], cells[1], cells[2:]
    name, _, parent = name.partition("<")
    role = Role.NON_TARGET if name.startswith("NT") else Role.NEW if name.startswith("NL") else Role.TARGET
    kind = LesionKind.NODAL if organ == "node" else LesionKind.NON_NODAL
    lesion = Lesion(name, kind, organ, split_from=parent or None)
    seen = tuple(_observations(lesion, values, timepoints))
    return Track(lesion, seen), Designation("reader", lesion, role)


def _observations(lesion: Lesion, values: list[str], timepoints: tuple[Timepoint, ...]) -> Iterator[Observation]:
    assert len(values) == len(timepoints), f"{lesion.id}: {len(values)} cells, {len(timepoints)} timepoints"
    for timepoint, cell in zip(timepoints, values, strict=True):
        if cell == ".":
            continue
        treated = cell.startswith("*")
        cell = cell.removeprefix("*")
        if cell.startswith(">"):
            yield Observation(lesion, timepoint, Seen.ABSENT, merged_into=cell[1:])
        elif cell in _WORDS:
            yield Observation(lesion, timepoint, local_therapy=treated, **_WORDS[cell])
        else:
            length, measured = _measured(cell)
            yield Observation(lesion, timepoint, Seen.MEASURED, length, local_therapy=treated, quantities=measured)


def _measured(cell: str) -> tuple[Decimal | None, Quantities]:
    """The diameter of a cell and whatever else stands in it."""
    for sign, name in (("v", "volume_ml"), ("u", "sul_peak")):
        if cell.startswith(sign):
            return None, Quantities(**{name: Decimal(cell[1:])})
    for sign, name in (("x", "short_axis_mm"), ("@", "mean_hu"), ("u", "sul_peak")):
        length, found, other = cell.partition(sign)
        if found:
            return Decimal(length), Quantities(**{name: Decimal(other)})
    return Decimal(cell), Quantities()
