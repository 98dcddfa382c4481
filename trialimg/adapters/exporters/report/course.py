"""One subject's course as a table: lesions down, timepoints across, sums and responses below."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.wording import ABSENT, MINUS, iso, mm, percent_change
from trialimg.core.lesions import Lesion, LesionKind, Observation, Role, Seen
from trialimg.core.responses import CriterionAssessment, Sums
from trialimg.services.results import LesionResult, SubjectResult, TimepointResult

__all__ = ["Course", "CourseBlock", "CourseRow", "course_of", "lesions_of", "result_at"]

MOST_FOLLOWUPS = 8
"""Columns beside baseline that a page is wide enough for."""

_ROLES = {Role.TARGET: "target", Role.NON_TARGET: "non-target", Role.NEW: "new"}
_STATUS = {
    "present": "present",
    "absent": "absent",
    "unequivocal_progression": "PD",
    "not_evaluable": "NE",
    "unequivocal": "new",
    "equivocal": "perhaps new",
}


@dataclass(frozen=True)
class CourseRow:
    """One line of the table."""

    name: str
    about: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class CourseBlock:
    """Baseline and as many follow-ups as fit beside it."""

    timepoints: tuple[tuple[str, str, str], ...]
    """Name, date, study day."""
    lesions: tuple[CourseRow, ...]
    sums: tuple[CourseRow, ...]
    responses: tuple[CourseRow, ...]


@dataclass(frozen=True)
class Course:
    """The whole course, in blocks, and the reasons for what was not measured."""

    blocks: tuple[CourseBlock, ...]
    reasons: tuple[str, ...]


def course_of(subject: SubjectResult) -> Course:
    """Every lesion at every timepoint, every sum, every response."""
    if not subject.timepoints:
        return Course((), ())
    baseline, followups = subject.timepoints[0], subject.timepoints[1:]
    count = max(1, math.ceil(len(followups) / MOST_FOLLOWUPS))
    width = max(1, math.ceil(len(followups) / count))
    blocks = tuple(_block(subject, (baseline, *followups[i * width : (i + 1) * width])) for i in range(count))
    return Course(blocks, tuple(_reasons(subject)))


def _block(subject: SubjectResult, timepoints: Sequence[TimepointResult]) -> CourseBlock:
    heads = tuple((t.timepoint.id, iso(t.timepoint.date), _day(t.day)) for t in timepoints)
    lesions = tuple(_lesion_row(lesion, role, timepoints) for lesion, role in lesions_of(subject))
    return CourseBlock(heads, lesions, _sum_rows(timepoints), _response_rows(timepoints))


def _day(day: int | None) -> str:
    return "" if day is None else f"day {day}".replace("-", MINUS)


def lesions_of(subject: SubjectResult) -> list[tuple[Lesion, Role]]:
    """Every lesion once: targets, non-targets, new ones; each group by its label."""
    found: dict[str, tuple[Lesion, Role]] = {}
    for at in subject.timepoints:
        for result in at.lesions:
            found.setdefault(result.observation.lesion.id, (result.observation.lesion, result.role))
    order = list(_ROLES)
    return sorted(found.values(), key=lambda item: (order.index(item[1]), item[0].label or item[0].id))


def _lesion_row(lesion: Lesion, role: Role, timepoints: Sequence[TimepointResult]) -> CourseRow:
    place = ", ".join(part for part in (_ROLES[role], _place(lesion.organ), lesion.site) if part)
    axis = ", short axis" if lesion.kind is LesionKind.NODAL else ""
    cells = tuple(_lesion_cell(result_at(t, lesion)) for t in timepoints)
    return CourseRow(lesion.label or lesion.id, place + axis, cells)


def _place(organ: str) -> str:
    """An organ as it was written; a term that stands in capitals in the data, in small letters."""
    return organ.lower() if organ.isupper() else organ


def result_at(timepoint: TimepointResult, lesion: Lesion) -> LesionResult | None:
    """What was found of a lesion at a timepoint."""
    return next((r for r in timepoint.lesions if r.observation.lesion.id == lesion.id), None)


def _lesion_cell(result: LesionResult | None) -> str:
    if result is None:
        return ABSENT
    observation = result.observation
    text = _size(observation)
    if result.fragments > 1:
        text += f" ({result.fragments} parts)"
    if observation.status is None:
        return text
    word = _STATUS[observation.status.value]
    return word if observation.diameter_mm is None else f"{word}, {text}"


def _size(observation: Observation) -> str:
    if observation.diameter_mm is not None:
        return mm(observation.diameter_mm)
    return {Seen.TOO_SMALL: "too small", Seen.ABSENT: "absent", Seen.NOT_EVALUABLE: "NE"}.get(observation.seen, "seen")


def _sum_rows(timepoints: Sequence[TimepointResult]) -> tuple[CourseRow, ...]:
    def row(name: str, about: str, cell: Callable[[Sums], str]) -> CourseRow:
        return CourseRow(name, about, tuple(cell(t.assessment.sums) if t.assessment else ABSENT for t in timepoints))

    sums = tuple(mm(t.assessment.sums.sum_mm if t.assessment else t.baseline_sum_mm) for t in timepoints)
    return (
        CourseRow("Sum of targets", "mm", sums),
        row("From baseline", "%", lambda s: percent_change(s.change_from_baseline_pct)),
        row("Nadir before", "mm", lambda s: mm(s.nadir_mm)),
        row("From nadir", "%", lambda s: percent_change(s.change_from_nadir_pct)),
        row("From nadir", "mm", lambda s: percent_change(s.change_from_nadir_mm)),
    )


def _response_rows(timepoints: Sequence[TimepointResult]) -> tuple[CourseRow, ...]:
    def row(name: str, cell: Callable[[CriterionAssessment], str]) -> CourseRow:
        return CourseRow(name, "", tuple(cell(t.assessment) if t.assessment else ABSENT for t in timepoints))

    return (
        row("Target", lambda a: a.target.value),
        row("Non-target", lambda a: a.non_target.value),
        row("New lesion", lambda a: a.new_lesion.value),
        row("Overall", lambda a: a.overall.value),
    )


def _reasons(subject: SubjectResult) -> list[str]:
    return [
        f"{r.observation.lesion.label or r.observation.lesion.id} at {t.timepoint.id}: {r.observation.reason}"
        for t in subject.timepoints
        for r in t.lesions
        if r.observation.reason
    ]
