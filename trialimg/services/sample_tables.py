"""The tables beside the images of the sample trial: subjects, annotations, and the truth."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from trialimg.core.lesions import LesionKind, Role, Seen, length_mm
from trialimg.core.prompts import PointLps
from trialimg.services.sample_plan import LesionAt, SubjectPlan, VisitPlan
from trialimg.services.sample_reader import Drawn, draw_lesion

__all__ = ["annotation_rows", "as_csv", "reader_drawings", "subject_row", "truth_rows"]

SUBJECT_COLUMNS = (
    "subject", "site", "arm", "reference_date", "death_date", "last_contact_date", "new_therapy_date",
)  # fmt: skip
ANNOTATION_COLUMNS = (
    "subject", "date", "series_uid", "lesion", "role", "kind", "organ", "prompt",
    "x1_mm", "y1_mm", "z1_mm", "x2_mm", "y2_mm", "z2_mm", "status", "reason", "reader",
)  # fmt: skip
TRUTH_COLUMNS = (
    "record", "subject", "timepoint", "date", "lesion", "role", "kind", "organ", "seen", "diameter_mm",
    "long_axis_mm", "short_axis_mm", "volume_ml", "fragments", "target", "non_target", "new_lesion", "overall",
    "best_overall",
)  # fmt: skip

Row = Mapping[str, str]
_AXES = ("x", "y", "z")
_FOLLOWED_FOR_DAYS = 45
"""Contact with a living subject goes on this long after the last visit."""


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table as text: comma, line feed, blank where a row says nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def subject_row(subject: SubjectPlan) -> Row:
    """The subject's line in ``subjects.csv``."""
    scenario = subject.scenario
    death = None if scenario.death_day is None else subject.date_of_day(scenario.death_day)
    therapy = None if scenario.new_therapy_day is None else subject.date_of_day(scenario.new_therapy_day)
    last_visit = max(visit.date for visit in subject.visits if visit.date is not None)
    alive_until = last_visit + dt.timedelta(days=_FOLLOWED_FOR_DAYS)
    return {
        "subject": subject.id,
        "site": subject.site,
        "arm": subject.arm,
        "reference_date": subject.reference_date.isoformat(),
        "death_date": "" if death is None else death.isoformat(),
        "last_contact_date": (alive_until if death is None else death).isoformat(),
        "new_therapy_date": "" if therapy is None else therapy.isoformat(),
    }


def reader_drawings(subject: SubjectPlan, visit: VisitPlan) -> tuple[Drawn, ...]:
    """What the site reader drew at a visit: everything at baseline, new lesions later."""
    rng = subject.reader_generator(visit.number)
    return tuple(
        draw_lesion(lesion, visit, rng)
        for lesion in visit.lesions
        if lesion.parts and visit.evaluable and (visit.number == 0 or lesion.course.role is Role.NEW)
    )


def annotation_rows(subject: SubjectPlan, visit: VisitPlan, drawings: Sequence[Drawn]) -> Iterator[Row]:
    """The subject's lines in ``annotations.csv`` for one visit.

    Every prompt kind for a lesion at baseline, a line for a new lesion, and a word where only a reader can say it.
    """
    if visit.date is None:
        return
    drawn = {item.label: item for item in drawings}
    for lesion in visit.lesions:
        course = lesion.course
        start = {
            "subject": subject.id,
            "date": visit.date.isoformat(),
            "series_uid": subject.uid(visit.id, "series"),
            "lesion": course.label,
            "role": course.role.value,
            "kind": course.kind.value,
            "organ": course.organ,
            "status": _status(subject, visit, lesion),
            "reader": f"site-{subject.site}-reader",
        }
        if course.label in drawn:
            prompts = _prompts(drawn[course.label])
            yield from ({**start, **row} for row in (prompts if visit.number == 0 else prompts[:1]))
        elif start["status"]:
            yield start


def truth_rows(subject: SubjectPlan) -> Iterator[Row]:
    """The subject's lines in ``truth.csv``."""
    best = ""
    for visit in subject.visits:
        first = {"subject": subject.id, "timepoint": visit.id, "date": visit.date.isoformat() if visit.date else ""}
        for lesion in visit.lesions:
            if lesion.course.role is not Role.NEW or _has_appeared(lesion, visit):
                yield {**first, **_lesion_cells(lesion, visit)}
        expected = subject.scenario.expected(visit.number) if visit.number else None
        if expected is not None:
            best = expected.best.value
            yield {
                **first,
                "record": "timepoint",
                "target": expected.target.value,
                "non_target": expected.non_target.value,
                "new_lesion": "" if expected.new_lesion is None else expected.new_lesion.value,
                "overall": expected.overall.value,
            }
    yield {"record": "subject", "subject": subject.id, "best_overall": best}


def _has_appeared(lesion: LesionAt, visit: VisitPlan) -> bool:
    return any(lesion.course.parts_mm(number) for number in range(visit.number + 1))


def _lesion_cells(lesion: LesionAt, visit: VisitPlan) -> Row:
    course = lesion.course
    cells = {
        "record": "lesion",
        "lesion": course.label,
        "role": course.role.value,
        "kind": course.kind.value,
        "organ": course.organ,
    }
    if not visit.imaged:
        return cells
    if not visit.evaluable:
        return {**cells, "seen": Seen.NOT_EVALUABLE.value}
    if not lesion.parts:
        return {**cells, "seen": Seen.ABSENT.value}
    return {**cells, **_measured_cells(lesion)}


def _measured_cells(lesion: LesionAt) -> Row:
    """Diameter (the sum over parts), and the axes of the largest part, in tenths of mm."""
    nodal = lesion.course.kind is LesionKind.NODAL
    diameters = [length_mm(r.short_axis_mm if nodal else r.long_axis_mm) for r in lesion.readings]
    largest = max(lesion.readings, key=lambda reading: reading.long_axis_mm)
    return {
        "seen": lesion.seen.value,
        "diameter_mm": str(sum(diameters, Decimal(0))) if lesion.seen is Seen.MEASURED else "",
        "long_axis_mm": str(length_mm(largest.long_axis_mm)),
        "short_axis_mm": str(length_mm(largest.short_axis_mm)),
        "volume_ml": f"{sum(part.volume_ml for part in lesion.parts):.3f}",
        "fragments": str(len(lesion.parts)),
    }


def _status(subject: SubjectPlan, visit: VisitPlan, lesion: LesionAt) -> str:
    """The reader's word, where there is one."""
    course, scenario = lesion.course, subject.scenario
    if course.role is Role.NEW and lesion.parts:
        return "equivocal" if course.label in scenario.equivocal else "unequivocal"
    said = any(label == course.label and visit.number >= first for label, first in scenario.unequivocal_progression)
    return "unequivocal_progression" if said else ""


def _prompts(drawn: Drawn) -> tuple[Row, ...]:
    """Cells of the prompts, the line first."""
    return (
        {"prompt": "line", **_coordinates(*drawn.line)},
        {"prompt": "point", **_coordinates(drawn.point)},
        {"prompt": "box", **_coordinates(*drawn.box)},
        {"prompt": "contour"},
    )


def _coordinates(*points: PointLps) -> Row:
    return {
        f"{axis}{number}_mm": f"{value:.1f}"
        for number, point in enumerate(points, start=1)
        for axis, value in zip(_AXES, point, strict=True)
    }
