"""What people said beside the images: `subjects.csv` and `annotations.csv` of a study folder."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import LesionKind, NewLesionStatus, NonTargetStatus, Role
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointLps, PointPrompt, Prompt
from trialimg.core.trial import Subject
from trialimg.protocol.images import PromptKind
from trialimg.services.tables import Row, Table, read_table

__all__ = ["Annotation", "Status", "read_annotations", "read_subjects"]

_COORDINATES = ("x1_mm", "y1_mm", "z1_mm", "x2_mm", "y2_mm", "z2_mm")
_ANNOTATION_COLUMNS = ("subject", "date", "lesion", "role", "kind", "organ", "prompt")
_ANNOTATION_OPTIONAL = ("series_uid", *_COORDINATES, "status", "reason", "reader")
_SUBJECT_OPTIONAL = ("site", "arm", "reference_date", "death_date", "last_contact_date", "new_therapy_date")


class Status(Enum):
    """A reader's word on a lesion at one visit."""

    TOO_SMALL = "too_small"
    ABSENT = "absent"
    PRESENT = "present"
    NOT_EVALUABLE = "not_evaluable"
    UNEQUIVOCAL_PROGRESSION = "unequivocal_progression"
    UNEQUIVOCAL = "unequivocal"
    EQUIVOCAL = "equivocal"


_STATUS_OF_ROLE = {
    Role.TARGET: {Status.TOO_SMALL.value, Status.ABSENT.value, Status.NOT_EVALUABLE.value},
    Role.NON_TARGET: {word.value for word in NonTargetStatus},
    Role.NEW: {word.value for word in NewLesionStatus},
}


@dataclass(frozen=True)
class Annotation:
    """What one reader said of one lesion on one date."""

    subject: str
    date: dt.date
    series_uid: str
    """Series it was drawn on; empty where the reader did not say."""
    lesion: str
    role: Role
    kind: LesionKind
    organ: str
    prompt_kind: PromptKind | None
    prompt: Prompt | None
    """None for a contour, whose region stands in a contour set, and for a mere word."""
    status: Status | None
    reason: str
    reader: str
    where: str
    """File and line, for questions."""


def read_subjects(text: str, source: str = "subjects.csv") -> tuple[Subject, ...]:
    """The subjects of a study folder.

    Raises
    ------
    ReadingError
        With every fault of the table.
    """
    table = read_table(text, source, required=("subject",), optional=_SUBJECT_OPTIONAL)
    seen: set[str] = set()
    subjects = []
    for row in table.rows:
        subject = Subject(
            row.text("subject", required=True),
            row.text("site"),
            row.text("arm"),
            row.day("reference_date"),
            row.day("death_date"),
            row.day("last_contact_date"),
            row.day("new_therapy_date"),
        )
        if subject.id in seen:
            table.fault(row.line, "double_row", f"subject {subject.id} stands twice")
        _check_order(row, subject)
        seen.add(subject.id)
        subjects.append(subject)
    _refuse(table)
    return tuple(subjects)


def _check_order(row: Row, subject: Subject) -> None:
    """Nothing that ends an observation lies before the day it starts on, and nobody is seen alive after death."""
    start, death = subject.reference_date, subject.death_date
    for name in ("death_date", "last_contact_date", "new_therapy_date"):
        day = getattr(subject, name)
        if start is not None and day is not None and day < start:
            row.table.fault(row.line, "before_reference", f"{name} {day} lies before reference_date {start}")
    if death is not None and subject.last_contact_date is not None and subject.last_contact_date > death:
        text = f"last_contact_date {subject.last_contact_date} lies after death_date {death}"
        row.table.fault(row.line, "after_death", text)


def read_annotations(text: str, source: str = "annotations.csv") -> tuple[Annotation, ...]:
    """The readers' statements of a study folder, in the order of the file.

    Raises
    ------
    ReadingError
        With every fault of the table: unknown words, a prompt without its coordinates, a lesion whose role or kind
        changes, a statement that stands twice.
    """
    table = read_table(text, source, required=_ANNOTATION_COLUMNS, optional=_ANNOTATION_OPTIONAL)
    said = [annotation for row in table.rows if (annotation := _annotation(row)) is not None]
    _check_together(table, said)
    _refuse(table)
    return tuple(said)


def _annotation(row: Row) -> Annotation | None:
    before = len(row.table.faults)
    day = row.day("date", required=True)
    role = row.word("role", Role, required=True)
    kind = row.word("kind", LesionKind, required=True)
    prompt_kind = row.word("prompt", PromptKind)
    prompt = _prompt(row, prompt_kind)
    status = row.word("status", Status)
    subject, lesion = row.text("subject", required=True), row.text("lesion", required=True)
    if role is not None:
        _check_status(row, role, status, has_prompt=prompt_kind is not None)
    if len(row.table.faults) > before or day is None or role is None or kind is None:
        return None
    return Annotation(
        subject, day, row.text("series_uid"), lesion, role, kind, row.text("organ"), prompt_kind, prompt, status,
        row.text("reason"), row.text("reader"), f"{row.table.source}:{row.line}",
    )  # fmt: skip


def _check_status(row: Row, role: Role, status: Status | None, *, has_prompt: bool) -> None:
    if status is not None and status.value not in _STATUS_OF_ROLE[role]:
        allowed = ", ".join(sorted(_STATUS_OF_ROLE[role]))
        row.table.fault(row.line, "bad_status", f"{status.value} is no status of a {role.value} lesion ({allowed})")
    if status is None and not has_prompt:
        row.table.fault(row.line, "says_nothing", "neither a prompt nor a status")
    if status is None and role is Role.NEW:
        row.table.fault(row.line, "blank", "a new lesion needs the status unequivocal or equivocal")
    if status is Status.NOT_EVALUABLE and not row.text("reason"):
        row.table.fault(row.line, "blank", "not_evaluable needs its reason")


def _prompt(row: Row, kind: PromptKind | None) -> Prompt | None:
    needed = {PromptKind.LINE: 6, PromptKind.BOX: 6, PromptKind.POINT: 3}.get(kind, 0) if kind else 0
    values = [row.number(name, required=True) for name in _COORDINATES[:needed]]
    for name in _COORDINATES[needed:]:
        if row.text(name):
            row.table.fault(row.line, "superfluous", f"{name} has no meaning for prompt {kind.value if kind else ''!r}")
    numbers = [value for value in values if value is not None]
    if needed == 0 or len(numbers) < needed:
        return None
    first: PointLps = (numbers[0], numbers[1], numbers[2])
    if kind is PromptKind.POINT:
        return PointPrompt(first)
    second: PointLps = (numbers[3], numbers[4], numbers[5])
    try:
        return LinePrompt(first, second) if kind is PromptKind.LINE else BoxPrompt(first, second)
    except ValueError as fault:
        row.table.fault(row.line, "bad_prompt", str(fault))
        return None


def _check_together(table: Table, said: list[Annotation]) -> None:
    """Faults between rows: a statement made twice, a lesion that changes its nature."""
    nature: dict[tuple[str, str], tuple[Role, LesionKind, str]] = {}
    seen: set[tuple[object, ...]] = set()
    for a in said:
        line = int(a.where.rsplit(":", 1)[1])
        key = (a.subject, a.date, a.lesion, a.prompt_kind)
        if key in seen:
            table.fault(line, "double_row", f"{a.subject} {a.lesion} on {a.date} has this prompt twice")
        seen.add(key)
        mine = (a.role, a.kind, a.organ)
        if nature.setdefault((a.subject, a.lesion), mine) != mine:
            table.fault(line, "changed_lesion", f"{a.subject} {a.lesion} has another role, kind or organ above")


def _refuse(table: Table) -> None:
    if table.faults:
        count = len(table.faults)
        message = f"{table.source} has {count} fault{'s' if count > 1 else ''}; correct the table and run again"
        raise ReadingError(message, tuple(table.faults))
