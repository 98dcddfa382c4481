"""What a reader writes at one timepoint: its form, the lesions that it speaks of, and what it still lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen, length_mm
from trialimg.core.reading import Attribution, CaseKind
from trialimg.core.settings import overridden
from trialimg.core.trial import Timepoint
from trialimg.criteria.registry import Criterion
from trialimg.review.read_review import GLOBAL
from trialimg.services.respond_checks import LesionRow, check_rows
from trialimg.services.respond_lesions import SubjectReading, lesion_row, subject_reading
from trialimg.services.tables import Row, Table

__all__ = [
    "BY_HAND",
    "EDITED",
    "IMAGE_QUALITY",
    "NUMBERS",
    "OF_GLOBAL",
    "Written",
    "entry_faults",
    "fact_names",
    "normal_entry",
]

Entry = Mapping[str, Any]
"""One timepoint of a read: ``lesions``, ``image_quality``, ``new_lesions``, ..."""

NUMBERS = ("diameter_mm", "short_mm", "volume_ml", "mean_hu", "sul_peak")
"""The columns of a lesion that are measurements, and so have an author."""
IMAGE_QUALITY = ("adequate", "limited", "unreadable", "not_stated")
"""The last for a table that has no word on it."""

_LENGTHS = ("diameter_mm", "short_mm")
_WORDS = (
    "lesion", "role", "kind", "organ", "seen", "reason", "status", "split_from", "merged_into", "local_therapy",
    "slice_mm", "comment", "proposal",
)  # fmt: skip
_POINTS = ("long_axis_lps_mm", "short_axis_lps_mm")
EDITED = "edited"
BY_HAND = "by_hand"
"""Whose a mask is: the software's, changed by a person; a person's from the beginning. Neither: the software's."""
_OF_OUTLINE = ("outline", "edited_from")
_TEXTS = ("image_quality", "new_lesions", "no_lesions", "conclusion", "comment")
OF_GLOBAL = ("best_response", "progression_date", "response_date", "comment")
"""What is said at the look at all timepoints together."""
_LONGEST = 2000
_MOST_LESIONS = 200
_FARTHEST_MM = 100_000
_PLAIN_NUMBER = re.compile(r"-?\d{1,6}(\.\d{1,9})?")


def normal_entry(step: str, entry: Entry) -> dict[str, Any]:
    """A timepoint as it is kept: every number as text, lengths rounded once to 0.1 mm, nothing unknown.

    Raises
    ------
    ReadingError
        Naming every key that is not known and every value that is no text, number or point.
    """
    faults: list[Fault] = []
    if step == GLOBAL:
        answer = _texts(entry, OF_GLOBAL, step, faults)
    else:
        answer = _texts(entry, _TEXTS, step, faults, others=("lesions", "facts"))
        lesions = entry.get("lesions", ())
        if not isinstance(lesions, list | tuple) or len(lesions) > _MOST_LESIONS:
            faults.append(Fault(step, "bad_value", f"lesions is not a list of at most {_MOST_LESIONS} lesions"))
            lesions = ()
        answer["lesions"] = [_normal_lesion(step, number, one, faults) for number, one in enumerate(lesions, start=1)]
        facts = entry.get("facts", {})
        known = facts if isinstance(facts, Mapping) else {}
        answer["facts"] = _texts(known, tuple(known), f"{step} facts", faults)
    if faults:
        raise ReadingError(f"{step}: {len(faults)} fault(s), nothing was kept", tuple(faults))
    return answer


def _normal_lesion(step: str, number: int, lesion: object, faults: list[Fault]) -> dict[str, Any]:
    where = f"{step} lesion {number}"
    if not isinstance(lesion, Mapping):
        faults.append(Fault(where, "bad_value", "is not a lesion"))
        return {}
    where = f"{step} {lesion.get('lesion') or number}"
    answer = _texts(lesion, (*_WORDS, *NUMBERS), where, faults, others=("evidence", "attribution"))
    for name in (*NUMBERS, "slice_mm"):
        if answer[name] and not _PLAIN_NUMBER.fullmatch(answer[name]):
            faults.append(Fault(where, "bad_value", f"{name} {answer[name]!r} is not a number below a million"))
            answer[name] = ""
    for name in _LENGTHS:
        answer[name] = str(length_mm(answer[name])) if answer[name] else ""
    evidence = lesion.get("evidence")
    if evidence:
        answer["evidence"] = _normal_evidence(evidence, where, faults)
    return answer


def _normal_evidence(evidence: object, where: str, faults: list[Fault]) -> dict[str, Any]:
    if not isinstance(evidence, Mapping):
        faults.append(Fault(where, "bad_value", "evidence is not a mapping"))
        return {}
    known = ("digest", "series_uid", *(name for name in _OF_OUTLINE if evidence.get(name)))
    answer: dict[str, Any] = _texts(evidence, known, where, faults, others=(*_POINTS, *_OF_OUTLINE))
    for name in _POINTS:
        if evidence.get(name):
            try:
                answer[name] = _points(evidence[name])
            except (InvalidOperation, TypeError, ValueError):
                faults.append(Fault(where, "bad_value", f"{name} is not two points of three finite coordinates in mm"))
    return answer


def _points(value: Any) -> list[list[str]]:
    ends = [[Decimal(str(coordinate)) for coordinate in point] for point in value]
    if [len(point) for point in ends] != [3, 3] or not all(abs(c) < _FARTHEST_MM for point in ends for c in point):
        raise ValueError("not two points")
    return [[str(coordinate) for coordinate in point] for point in ends]


def _texts(
    given: Mapping[str, Any], known: Sequence[str], where: str, faults: list[Fault], *, others: Sequence[str] = ()
) -> dict[str, Any]:
    """The known keys as text, blank where nothing was given."""
    strangers = [key for key in given if key not in known and key not in others]
    faults.extend(Fault(where, "unknown_key", f"{key!r} is not known here") for key in strangers)
    answer: dict[str, Any] = {}
    for key in known:
        value = given.get(key)
        if value is not None and not isinstance(value, bool | str | int | float | Decimal):
            faults.append(Fault(where, "bad_value", f"{key} is not a text or number"))
        text = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value).strip()
        if len(text) > _LONGEST:
            faults.append(Fault(where, "too_long", f"{key} is longer than {_LONGEST} characters"))
        answer[key] = text
    return answer


@dataclass(frozen=True)
class Written:
    """What a reader has written of a case so far, as the criteria read it."""

    name: str
    """Whose it is in the messages: the reader's name of the case."""
    timepoints: tuple[Timepoint, ...]
    entries: Mapping[str, Entry]
    """By timepoint."""

    def read(self) -> tuple[SubjectReading | None, list[Fault]]:
        """The record of lesions, or why it cannot be read: every fault with its timepoint and lesion."""
        table, places = Table(self.name), dict[int, str]()
        rows: list[LesionRow] = []
        for timepoint in self.timepoints:
            for lesion in self.entries.get(timepoint.id, {}).get("lesions", ()):
                line = len(places) + 1
                places[line] = f"{timepoint.id} {lesion['lesion'] or 'lesion without a name'}"
                cells = {**_cells(lesion), "subject": self.name, "timepoint": timepoint.id}
                row = lesion_row(Row(table, line, {**cells, "date": timepoint.date.isoformat()}))
                rows += [row] if row is not None else []
        if not table.faults:
            check_rows(rows, self.timepoints)
        faults = [Fault(places[int(f.where.rpartition(":")[2])], f.code, f.message) for f in table.faults]
        if faults:
            return None, faults
        return subject_reading((self.name, ""), rows, self.timepoints), []

    def known_before(self, step: str) -> dict[str, str]:
        """Role of every lesion that was named at an earlier timepoint, by its name."""
        order = [timepoint.id for timepoint in self.timepoints]
        known: dict[str, str] = {}
        for earlier in order[: order.index(step)]:
            for lesion in self.entries.get(earlier, {}).get("lesions", ()):
                known.setdefault(lesion["lesion"], lesion["role"])
        return known

    def facts(self, criterion: Criterion) -> tuple[Mapping[str, Any], list[Fault]]:
        """What the reader says of each timepoint beside its lesions, in the words of the criterion."""
        known: dict[str, Any] = {}
        faults: list[Fault] = []
        for timepoint in self.timepoints:
            given = self.entries.get(timepoint.id, {}).get("facts", {})
            try:
                known[timepoint.id] = overridden(criterion.facts, {k: v for k, v in given.items() if v})
            except ReadingError as refused:
                faults += [Fault(f"{timepoint.id} {f.where}", f.code, f.message) for f in refused.faults]
        return known, faults


def _cells(lesion: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name, text in lesion.items() if isinstance(text, str)}


def entry_faults(written: Written, step: str, criterion: Criterion, kind: CaseKind) -> list[Fault]:
    """Everything that keeps a timepoint from being locked, at once."""
    entry = written.entries.get(step)
    if entry is None:
        return [Fault(step, "blank", "nothing was written")]
    if step == GLOBAL:
        return list(_blank(step, entry, ("best_response",)))
    faults = [*_missing_words(written, step, kind), *_missing_lesions(written, step, criterion)]
    for lesion in entry["lesions"]:
        faults += _lesion_faults(f"{step} {lesion['lesion']}", lesion)
    _, wrong = written.read()
    _, unknown = written.facts(criterion)
    seen = {(fault.where, fault.message.partition(" ")[0]) for fault in faults}
    faults += [f for f in (*wrong, *unknown) if (f.where, f.message.partition(" ")[0]) not in seen]
    return faults


def _missing_words(written: Written, step: str, kind: CaseKind) -> Iterator[Fault]:
    entry, is_baseline = written.entries[step], step == written.timepoints[0].id
    yield from _blank(step, entry, ("image_quality",))
    if entry["image_quality"] not in ("", *IMAGE_QUALITY):
        yield Fault(step, "bad_value", f"image_quality is not one of {', '.join(IMAGE_QUALITY)}")
    if kind is CaseKind.ELIGIBILITY and entry["conclusion"] not in ("eligible", "not_eligible"):
        yield Fault(step, "blank", "conclusion is not eligible or not_eligible")
    if is_baseline:
        return
    here = [lesion for lesion in entry["lesions"] if lesion["role"] == Role.NEW.value and lesion["seen"] != "absent"]
    if entry["new_lesions"] not in ("yes", "no"):
        yield Fault(step, "blank", "new_lesions is not answered by yes or no")
    elif (entry["new_lesions"] == "yes") is not bool(here):
        yield Fault(step, "contradiction", f"new_lesions is {entry['new_lesions']}, but {len(here)} new lesion(s) seen")


def _missing_lesions(written: Written, step: str, criterion: Criterion) -> Iterator[Fault]:
    """Lesions that were named before and are passed over here, and a baseline of which nothing is said at all."""
    entry = written.entries[step]
    known, here = written.known_before(step), {lesion["lesion"] for lesion in entry["lesions"]}
    for name, role in known.items():
        if name not in here:
            yield Fault(f"{step} {name}", "blank", f"nothing is said of this {role.replace('_', ' ')} lesion")
    if step == written.timepoints[0].id:
        if criterion.needs_lesions and not here and entry["no_lesions"] != "yes":
            yield Fault(step, "blank", "no lesion is chosen; choose, or answer no_lesions by yes")
    else:
        for lesion in entry["lesions"]:
            is_late = lesion["lesion"] not in known and lesion["split_from"] not in known
            if is_late and lesion["role"] in (Role.TARGET.value, Role.NON_TARGET.value):
                where = f"{step} {lesion['lesion']}"
                yield Fault(where, "late_choice", "target and non-target lesions are chosen at baseline")
    if here and entry["no_lesions"] == "yes":
        yield Fault(step, "contradiction", f"no_lesions is yes, but {len(here)} lesion(s) are named")


def _lesion_faults(where: str, lesion: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _blank(where, lesion, ("lesion", "role", "kind", "seen"))
    if lesion["seen"] == Seen.NOT_EVALUABLE.value:
        yield from _blank(where, lesion, ("reason",))
    is_sized = lesion["role"] == Role.NEW.value and lesion["kind"] == LesionKind.NODAL.value and lesion["diameter_mm"]
    if lesion["role"] in (Role.NON_TARGET.value, Role.NEW.value) and lesion["seen"] != Seen.ABSENT.value:
        yield from _blank(where, lesion, () if is_sized else ("status",))
    for name, axis in _measured_axes(lesion):
        points = lesion.get("evidence", {}).get(axis)
        if points and lesion[name] and lesion.get("attribution", {}).get(name) != Attribution.MACHINE.value:
            drawn_mm = length_mm(_distance_mm(points))
            if Decimal(lesion[name]) != drawn_mm:
                message = f"{name} is {lesion[name]}, but its points lie {drawn_mm} mm apart"
                yield Fault(where, "diameter_disagrees", message)


def _measured_axes(lesion: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Which axis each length of a lesion is: a node's diameter is its short axis."""
    is_node = lesion["kind"] == LesionKind.NODAL.value
    diameter = ("diameter_mm", "short_axis_lps_mm" if is_node else "long_axis_lps_mm")
    return (diameter, ("short_mm", "short_axis_lps_mm"))


def _distance_mm(points: Sequence[Sequence[str]]) -> Decimal:
    first, second = ([Decimal(c) for c in point] for point in points)
    return Decimal(sum((a - b) ** 2 for a, b in zip(first, second, strict=True))).sqrt()


def _blank(where: str, texts: Mapping[str, Any], names: Sequence[str]) -> Iterator[Fault]:
    return (Fault(where, "blank", f"{name} is blank") for name in names if not texts[name])


def fact_names(criterion: Criterion) -> tuple[str, ...]:
    """What a reader may say of a timepoint beside its lesions."""
    return tuple(field.name for field in fields(criterion.facts))
