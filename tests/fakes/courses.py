"""Twelve subjects as a script: what was seen of each lesion at each timepoint, written by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.core.lesions import LesionKind, Role

__all__ = ["COURSES", "GREW", "PRESENT", "START", "UNSEEN", "Course", "Row", "day_of", "week_date"]

START = dt.date(2024, 3, 4)
"""Reference date of every subject."""

Word = float | str
"""A diameter in mm, or ``absent``, ``small``, ``ne: reason``, or a reader's word on a non-target or new lesion."""


@dataclass(frozen=True)
class Row:
    """One lesion: what was seen at each timepoint, baseline first."""

    label: str
    organ: str
    seen: Sequence[Word]
    role: Role = Role.TARGET
    kind: LesionKind = LesionKind.NON_NODAL


@dataclass(frozen=True)
class Course:
    """One subject as a script."""

    id: str
    site: str
    arm: str
    rows: Sequence[Row]
    weeks: Sequence[float] = (-1, 8, 16, 24, 32)
    death_week: float | None = None
    new_therapy_week: float | None = None
    usable_baseline: bool = True


def node(label: str, seen: Sequence[Word], role: Role = Role.TARGET) -> Row:
    return Row(label, "lymph node", seen, role, LesionKind.NODAL)


def non_target(label: str, organ: str, seen: Sequence[Word]) -> Row:
    return Row(label, organ, seen, Role.NON_TARGET)


def new(label: str, organ: str, seen: Sequence[Word]) -> Row:
    return Row(label, organ, seen, Role.NEW)


PRESENT, GONE, GREW, UNSEEN = "present", "gone", "unequivocal_progression", ""

COURSES: tuple[Course, ...] = (
    Course("S-1001", "01", "A", [
        Row("T01", "lung", [41.2, 27.9, 20.3, 18.8, 19.4]), node("T02", [25.1, 16.3, 13.9, 12.2, 12.5]),
        non_target("NT01", "pleura", [PRESENT] * 5),
    ]),
    Course("S-1002", "01", "A", [
        Row("T01", "lung", [28.4, 12.0, "small", "absent", "absent"]), node("T02", [18.6, 11.2, 8.4, 7.9, 7.7]),
        non_target("NT01", "adrenal gland", [PRESENT, PRESENT, GONE, GONE, GONE]),
    ]),
    Course("S-1003", "02", "A", [
        Row("T01", "liver", [52.7, 50.1, 48.6, 47.9, 49.0]), Row("T02", "liver", [31.0, 30.2, 30.9, 28.8, 29.6]),
    ]),
    Course("S-1004", "02", "A", [
        Row("T01", "lung", [35.5, 22.4, 21.7, 30.3]), Row("T02", "adrenal gland", [22.8, 17.0, 15.1, 19.9]),
        new("N01", "brain", [UNSEEN, UNSEEN, UNSEEN, 11.4]),
    ], weeks=(-1, 8, 16, 24), death_week=41),
    Course("S-1005", "03", "A", [
        Row("T01", "lung", [33.3, "ne: motion artefact over the lower lobe", 24.6, 22.0, 21.5]),
        node("T02", [19.4, 17.0, 12.1, 11.8, 11.3]),
    ]),
    Course("S-1006", "03", "A", [
        Row("T01", "kidney", [61.9, 60.2, 66.3]), non_target("NT01", "bone", [PRESENT, PRESENT, GREW]),
    ], weeks=(-2, 8, 16), new_therapy_week=18),
    Course("S-1007", "01", "B", [
        Row("T01", "lung", [24.4, 31.8]), node("T02", [17.5, 22.6]), non_target("NT01", "liver", [PRESENT, PRESENT]),
    ], weeks=(-1, 8)),
    Course("S-1008", "02", "B", [
        Row("T01", "liver", [44.0, 42.6, 45.9, 55.1]), Row("T02", "lung", [15.2, 15.5, 16.0, 18.3]),
    ], weeks=(-1, 8, 16, 24), death_week=33),
    Course("S-1009", "02", "B", [
        Row("T01", "lung", [30.7, 28.1, 20.4, 19.9, 24.1]), Row("T02", "lung", [21.1, 20.0, 15.7, 14.9, 18.8]),
    ]),
    Course("S-1010", "03", "B", [
        Row("T01", "adrenal gland", [38.8, 36.5]), new("N01", "liver", [UNSEEN, 14.2]),
    ], weeks=(-1, 8), death_week=14),
    Course("S-1011", "03", "B", [
        Row("T01", "lung", [26.5, "ne: series incomplete, 14 slices missing"]),
    ], weeks=(-1, 8)),
    Course("S-1012", "03", "B", [], weeks=(), usable_baseline=False, death_week=3),
)  # fmt: skip


def week_date(number: float | None) -> dt.date | None:
    """The date so many weeks after the reference date."""
    return None if number is None else START + dt.timedelta(days=round(number * 7))


def day_of(date: dt.date) -> int:
    """Study day; there is no day 0."""
    days = (date - START).days
    return days + 1 if days >= 0 else days
