"""What a reader writes at the open visit, changed by one act: measured, accepted, said, split, merged, taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_lowercase
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen, length_mm
from trialimg.services.reading_content import NUMBERS, OF_GLOBAL
from trialimg.services.reading_room import LesionRow, Room, lesion_in

__all__ = [
    "Axes",
    "accepted",
    "changed",
    "drawn",
    "entry_at",
    "merged",
    "next_name",
    "restored",
    "split",
    "swapped",
    "without",
]

Entry = dict[str, Any]
PointsLps = Sequence[Sequence[float]]

_PREFIX = {Role.TARGET: "T", Role.NON_TARGET: "NT", Role.NEW: "N"}
_KEPT_WORDS = ("lesion", "role", "kind", "organ")
_OF_ENTRY = ("image_quality", "new_lesions", "no_lesions", "conclusion", "comment", "facts")
_OF_LESION = (
    "lesion", "role", "kind", "organ", "seen", "diameter_mm", "short_mm", "volume_ml", "mean_hu", "sul_peak", "reason",
    "status", "split_from", "merged_into", "local_therapy", "slice_mm", "comment", "proposal", "evidence",
)  # fmt: skip


def next_name(room: Room, role: Role) -> str:
    """The next free name for a lesion of a role: T01, NT02, N01."""
    taken = {row.name for row in room.rows}
    prefix = _PREFIX[role]
    return next(name for number in range(1, 1000) if (name := f"{prefix}{number:02d}") not in taken)


def entry_at(room: Room) -> Entry:
    """What stands at the open visit, in the form in which it is kept; empty of words where nothing stands."""
    stands = room.visit(room.step)["entry"]
    if room.is_global:
        return {name: (stands or {}).get(name, "") for name in OF_GLOBAL}
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
    after = {**_kept(before), "merged_into": "", **words}
    if after.get("seen") != Seen.MEASURED.value:
        after = {**after, **dict.fromkeys(NUMBERS, ""), "evidence": {}}
    return _with(entry, after)


def _with(entry: Entry, lesion: Mapping[str, Any]) -> Entry:
    others = [one for one in entry["lesions"] if one["lesion"] != lesion["lesion"]]
    return {**entry, "lesions": sorted([*others, dict(lesion)], key=lambda one: str(one["lesion"]))}


def without(entry: Entry, name: str) -> Entry:
    """The entry without one lesion."""
    return {**entry, "lesions": [one for one in entry["lesions"] if one["lesion"] != name]}


def accepted(entry: Entry, row: LesionRow) -> Entry:
    """The entry with the software's proposal for one lesion taken over as it is."""
    if row.proposed is None:
        raise ReadingError(f"{row.name}: nothing is proposed", (Fault(row.name, "no_proposal", "nothing is proposed"),))
    return _with(entry, {**_kept(row.proposed), "proposal": row.name})


def restored(entry: Entry, name: str, before: Mapping[str, Any] | None) -> Entry:
    """The entry with one lesion as it was; without it where it was not there."""
    return without(entry, name) if before is None else _with(entry, _kept(before))


def merged(entry: Entry, row: LesionRow, into: str) -> Entry:
    """The entry with a lesion that has become one mass with another: it is measured there, and not on its own."""
    return changed(entry, row, seen=Seen.ABSENT.value, merged_into=into, reason="")


def split(entry: Entry, row: LesionRow, taken: Collection[str]) -> Entry:
    """The entry with a lesion fallen into two, each still to be measured, that stand in for it from now on.

    Parameters
    ----------
    taken
        Names that other lesions have already.
    """
    free = (name for letter in ascii_lowercase if (name := f"{row.name}{letter}") not in taken)
    entry = changed(entry, row, seen=Seen.ABSENT.value, reason="")
    for name in islice(free, 2):
        fragment = {"lesion": name, "role": row.role, "kind": row.kind, "organ": row.organ, "split_from": row.name}
        entry = _with(entry, {**fragment, "seen": ""})
    return entry


@dataclass(frozen=True)
class Axes:
    """What was drawn of a lesion on one slice, LPS mm."""

    series_uid: str
    long_axis_lps_mm: PointsLps
    short_axis_lps_mm: PointsLps | None
    digest: str = ""
    """Digest of the mask that it was taken from; empty for a drawing by hand alone."""
    volume_ml: str = ""
    mean_hu: str = ""
    """Of the mask, in HU; empty for a drawing by hand and for images that are not CT."""
    outline: str = ""
    """`reading_content.EDITED`, `BY_HAND`, or empty for the software's."""
    edited_from: str = ""
    """Digest of the software's mask that a person changed."""


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
    named = {"digest": axes.digest, "outline": axes.outline, "edited_from": axes.edited_from}
    evidence |= {name: word for name, word in named.items() if word}
    words = {
        "seen": Seen.MEASURED.value,
        "diameter_mm": short_mm if is_node else long_mm,
        "short_mm": short_mm,
        "volume_ml": axes.volume_ml,
        "mean_hu": axes.mean_hu,
        "reason": "",
        "evidence": evidence,
    }
    if row.proposed is not None:
        words["proposal"] = row.name
    return changed(entry, row, **words)


def swapped(entry: Entry, first: LesionRow, second: LesionRow) -> Entry:
    """The entry with what was measured of two lesions exchanged; one that was not measured becomes open again.

    Raises
    ------
    ReadingError
        If a node would get a measurement without a short axis.
    """
    axes = {row.name: _axes_in(lesion_in(entry, row.name)) for row in (first, second)}
    for row, other in ((first, second), (second, first)):
        found = axes[other.name]
        entry = changed(entry, row, seen="") if found is None else drawn(entry, row, found)
    return entry


def _axes_in(lesion: Mapping[str, Any] | None) -> Axes | None:
    """What a measurement rests on; None where there is none, or it has no place."""
    evidence = (lesion or {}).get("evidence") or {}
    if lesion is None or not evidence.get("long_axis_lps_mm"):
        return None
    long_axis, short_axis = (_points(evidence.get(name)) for name in ("long_axis_lps_mm", "short_axis_lps_mm"))
    words = {name: str(evidence.get(name, "")) for name in ("digest", "outline", "edited_from")}
    return Axes(
        evidence["series_uid"],
        long_axis or [],
        short_axis,
        volume_ml=str(lesion.get("volume_ml", "")),
        mean_hu=str(lesion.get("mean_hu", "")),
        **words,
    )


def _points(texts: Sequence[Sequence[str]] | None) -> PointsLps | None:
    return [[float(coordinate) for coordinate in point] for point in texts] if texts else None


def _texts(points: PointsLps) -> list[list[str]]:
    return [[f"{coordinate:.4f}" for coordinate in point] for point in points]


def _length_mm(points: PointsLps) -> float:
    """Of the points as they are kept, so that whoever recomputes it comes to the same."""
    first, second = ([float(f"{coordinate:.4f}") for coordinate in point] for point in points)
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)
