"""A case as the reading room shows it: lesions by visits, what stands, what is proposed, what it comes to so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from trialimg.core.access import Actor
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen, length_mm
from trialimg.services.journal import Records
from trialimg.services.reading import answer_so_far, open_case

__all__ = [
    "Axes",
    "LesionRow",
    "Room",
    "accepted",
    "changed",
    "drawn",
    "entry_at",
    "lesion_in",
    "next_name",
    "room",
    "without",
]

Entry = dict[str, Any]
PointsLps = Sequence[Sequence[float]]

_PREFIX = {Role.TARGET: "T", Role.NON_TARGET: "NT", Role.NEW: "N"}
_BLANK_LESION = ("diameter_mm", "short_mm", "volume_ml", "reason", "status", "comment", "proposal")
_KEPT_WORDS = ("lesion", "role", "kind", "organ")
_OF_ENTRY = ("image_quality", "new_lesions", "no_lesions", "conclusion", "comment", "facts")
_OF_LESION = (
    "lesion", "role", "kind", "organ", "seen", "diameter_mm", "short_mm", "volume_ml", "mean_hu", "sul_peak", "reason",
    "status", "split_from", "merged_into", "local_therapy", "slice_mm", "comment", "proposal", "evidence",
)  # fmt: skip


@dataclass(frozen=True)
class LesionRow:
    """One lesion over the visits that are open to the reader."""

    name: str
    role: str
    kind: str
    organ: str
    cells: Mapping[str, str]
    """Visit to what was said: a diameter in mm, or a word; empty where nothing was said yet."""
    stands: Mapping[str, Any] | None
    """What the reader wrote of it at the open visit."""
    proposed: Mapping[str, Any] | None
    """What the software proposes for the open visit."""

    @property
    def is_open(self) -> bool:
        """Nothing is said of it yet at the open visit."""
        return self.stands is None or not self.stands.get("seen")


@dataclass(frozen=True)
class Room:
    """One case in front of its reader."""

    alias: str
    criterion: str
    kind: str
    state: str
    visits: tuple[Mapping[str, Any], ...]
    """Those that are open to the reader, baseline first: id, date, is_locked, entry, proposed."""
    step: str
    """The visit to be read now; empty once all are locked."""
    rows: tuple[LesionRow, ...]
    answer: Mapping[str, Any] | None
    """What is written so far comes to; None where it cannot be judged yet."""
    problem: str
    """Why it cannot be judged yet."""

    @property
    def is_baseline(self) -> bool:
        return bool(self.visits) and self.visits[0]["id"] == self.step

    def visit(self, step: str) -> Mapping[str, Any]:
        """One of the open visits."""
        return next(one for one in self.visits if one["id"] == step)

    @property
    def baseline_sum_mm(self) -> Decimal | None:
        """Sum of the targets at baseline; None unless every one of them is measured."""
        lesions = _lesions(self.visits[0]["entry"]) if self.visits else ()
        targets = [one for one in lesions if one["role"] == Role.TARGET.value]
        if not targets or any(one.get("seen") != Seen.MEASURED.value or not one["diameter_mm"] for one in targets):
            return None
        try:
            return sum((Decimal(one["diameter_mm"]) for one in targets), Decimal(0))
        except InvalidOperation:
            return None

    def after(self, name: str) -> str:
        """The next lesion of which nothing is said yet; the same one where there is none."""
        names = [row.name for row in self.rows]
        later = names[names.index(name) + 1 :] + names[: names.index(name)] if name in names else names
        still_open = {row.name for row in self.rows if row.is_open}
        return next((one for one in later if one in still_open), name)

    def assessment(self, step: str) -> Mapping[str, Any] | None:
        """What a visit comes to so far; None for baseline and for what cannot be judged."""
        found = (self.answer or {}).get("timepoints", ())
        return next((one for one in found if one["timepoint"]["id"] == step), None)


def room(records: Records, actor: Actor, trial: str, alias: str) -> Room:
    """Open a case; the access is noted.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If consent was withdrawn.
    """
    view = open_case(records, actor, trial, alias)
    step = next((one["id"] for one in view["timepoints"] if not one["is_locked"]), "")
    visits = tuple(_with_fitting_proposals(view["timepoints"], step))
    answer, problem = view["answer"], ""
    if answer is None:
        try:
            answer = answer_so_far(records, actor, trial, alias)
        except ReadingError as refused:
            problem = "; ".join(fault.message for fault in refused.faults) or str(refused)
    rows = tuple(_rows(visits, step))
    return Room(view["alias"], view["criterion"], view["kind"], view["state"], visits, step, rows, answer, problem)


def _with_fitting_proposals(visits: Sequence[Mapping[str, Any]], step: str) -> Iterator[Mapping[str, Any]]:
    """The visits, with proposals at the open one only, and after baseline only for lesions that the reader chose."""
    chosen = {lesion["lesion"] for visit in visits for lesion in _lesions(visit["entry"])}
    for number, visit in enumerate(visits):
        proposed = visit["proposed"] if visit["id"] == step else None
        if proposed is not None and number > 0:
            fits = [one for one in proposed["lesions"] if one["lesion"] in chosen or one["role"] == Role.NEW.value]
            proposed = {**proposed, "lesions": fits}
        yield {**visit, "proposed": proposed}


def _rows(visits: Sequence[Mapping[str, Any]], step: str) -> Iterator[LesionRow]:
    first: dict[str, Mapping[str, Any]] = {}
    for visit in visits:
        for lesion in _lesions(visit["entry"]):
            first.setdefault(lesion["lesion"], lesion)
        if visit["id"] == step:
            for lesion in _lesions(visit["proposed"]):
                first.setdefault(lesion["lesion"], lesion)
    order = {role.value: number for number, role in enumerate(Role)}
    for name, lesion in sorted(first.items(), key=lambda item: (order.get(item[1]["role"], 9), item[0])):
        cells = {one["id"]: cell_text(lesion_in(one["entry"], name)) for one in visits}
        now = next((one for one in visits if one["id"] == step), None)
        stands = lesion_in(now["entry"], name) if now else None
        proposed = lesion_in(now["proposed"], name) if now else None
        yield LesionRow(name, lesion["role"], lesion["kind"], lesion["organ"], cells, stands, proposed)


def cell_text(lesion: Mapping[str, Any] | None) -> str:
    """What a cell of the lesion table says: 32.0, 12.1s for a short axis, or the word."""
    if lesion is None or not lesion.get("seen"):
        return ""
    if lesion["role"] == Role.NON_TARGET.value or (lesion["role"] == Role.NEW.value and lesion.get("status")):
        return str(lesion.get("status") or lesion["seen"]).replace("_", " ")
    if lesion["seen"] == Seen.MEASURED.value:
        return f"{lesion['diameter_mm']}{'s' if lesion['kind'] == LesionKind.NODAL.value else ''}"
    return str(lesion["seen"]).replace("_", " ")


def _lesions(entry: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return entry["lesions"] if entry else ()


def lesion_in(entry: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """What an entry says of a lesion; None where it says nothing."""
    return next((one for one in _lesions(entry) if one["lesion"] == name), None)


def next_name(room: Room, role: Role) -> str:
    """The next free name for a lesion of a role: T01, NT02, N01."""
    taken = {row.name for row in room.rows}
    prefix = _PREFIX[role]
    return next(name for number in range(1, 1000) if (name := f"{prefix}{number:02d}") not in taken)


def entry_at(room: Room) -> Entry:
    """What stands at the open visit, in the form in which it is kept; empty of words where nothing stands."""
    stands = room.visit(room.step)["entry"]
    if stands is None:
        return {"lesions": [], **dict.fromkeys(_OF_ENTRY[:-1], ""), "facts": {}}
    known = {name: stands[name] for name in _OF_ENTRY if name in stands}
    return {**known, "lesions": [_kept(lesion) for lesion in stands["lesions"]]}


def _kept(lesion: Mapping[str, Any]) -> dict[str, Any]:
    return {name: lesion[name] for name in _OF_LESION if name in lesion}


def changed(entry: Entry, row: LesionRow, **words: Any) -> Entry:
    """The entry with some words of one lesion replaced; the lesion is added where it was not there."""
    before = lesion_in(entry, row.name) or {
        name: getattr(row, "name" if name == "lesion" else name) for name in _KEPT_WORDS
    }
    after = {**_kept(before), **words}
    if after.get("seen") not in ("", Seen.MEASURED.value):
        after = {**after, "diameter_mm": "", "short_mm": "", "volume_ml": "", "evidence": {}}
    others = [one for one in entry["lesions"] if one["lesion"] != row.name]
    return {**entry, "lesions": sorted([*others, after], key=lambda one: str(one["lesion"]))}


def without(entry: Entry, name: str) -> Entry:
    """The entry without one lesion."""
    return {**entry, "lesions": [one for one in entry["lesions"] if one["lesion"] != name]}


def accepted(entry: Entry, row: LesionRow) -> Entry:
    """The entry with the software's proposal for one lesion taken over as it is."""
    if row.proposed is None:
        raise ReadingError(f"{row.name}: nothing is proposed", (Fault(row.name, "no_proposal", "nothing is proposed"),))
    others = [one for one in entry["lesions"] if one["lesion"] != row.name]
    taken = {**_kept(row.proposed), "proposal": row.name}
    return {**entry, "lesions": sorted([*others, taken], key=lambda one: str(one["lesion"]))}


@dataclass(frozen=True)
class Axes:
    """What was drawn of a lesion on one slice, LPS mm."""

    series_uid: str
    long_axis_lps_mm: PointsLps
    short_axis_lps_mm: PointsLps | None
    digest: str = ""
    """Digest of the mask that it was taken from; empty for a drawing by hand alone."""
    volume_ml: str = ""


def drawn(entry: Entry, row: LesionRow, axes: Axes) -> Entry:
    """The entry with a lesion measured by what was drawn: a node by its short axis, anything else by its long one.

    Raises
    ------
    ReadingError
        If a node has no short axis.
    """
    is_node = row.kind == LesionKind.NODAL.value
    if is_node and axes.short_axis_lps_mm is None:
        message = "a lymph node is measured by its short axis: draw both axes"
        raise ReadingError(f"{row.name}: {message}", (Fault(row.name, "short_axis_missing", message),))
    long_mm = str(length_mm(_length_mm(axes.long_axis_lps_mm)))
    short_mm = str(length_mm(_length_mm(axes.short_axis_lps_mm))) if axes.short_axis_lps_mm else ""
    evidence: dict[str, Any] = {"series_uid": axes.series_uid, "long_axis_lps_mm": _texts(axes.long_axis_lps_mm)}
    if axes.short_axis_lps_mm:
        evidence["short_axis_lps_mm"] = _texts(axes.short_axis_lps_mm)
    if axes.digest:
        evidence["digest"] = axes.digest
    words = {
        "seen": Seen.MEASURED.value,
        "diameter_mm": short_mm if is_node else long_mm,
        "short_mm": short_mm,
        "volume_ml": axes.volume_ml,
        "reason": "",
        "evidence": evidence,
    }
    if row.proposed is not None:
        words["proposal"] = row.name
    return changed(entry, row, **words)


def _texts(points: PointsLps) -> list[list[str]]:
    return [[f"{coordinate:.4f}" for coordinate in point] for point in points]


def _length_mm(points: PointsLps) -> float:
    """Of the points as they are kept, so that whoever recomputes it comes to the same."""
    first, second = ([float(f"{coordinate:.4f}") for coordinate in point] for point in points)
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)
