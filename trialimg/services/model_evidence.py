"""What the model proposed and what readers made of it, one line for each proposal, out of the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from trialimg.ledger.sealed import Redacted
from trialimg.services.model_answers import FAILED, LEFT, MODEL_ANSWER, TAKEN, image_facts
from trialimg.services.ports import Transaction
from trialimg.services.prompted import KeptMasks
from trialimg.services.reading_file import CASE, DEVICE_SEAT, READ
from trialimg.services.reading_room import lesion_in
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.viewing import KeptSeries
from trialimg.volume import Mask

__all__ = ["GROUPS", "INPUTS", "Fate", "Judged", "Kept", "judged", "mask_dice"]

INPUTS = ("pixel_mm", "slice_mm", "long_mm", "volume_ml", "mean_hu")
"""Facts of image and lesion that are watched for drift."""
GROUPS = ("site", "sex", "age", "scanner", "organ", "modality")
"""What answers are told apart by, as far as it is known."""

_GRID_TOLERANCE_VOXELS = 0.01


class Fate(Enum):
    """What became of a proposal."""

    UNCHANGED = "unchanged"
    """Taken, and locked as it was."""
    CHANGED = "changed"
    """Taken, and changed before it was locked."""
    LEFT = "left"
    """Put away, or another was asked for in its place."""
    FAILED = "failed"
    """There was none: nothing was found under the line."""


@dataclass(frozen=True)
class Judged:
    """One proposal on which a reader has decided."""

    at: str
    """Moment in UTC of the answer to a line, or at which a draft's timepoint was locked."""
    case: str
    source: str
    """``line``: asked for by a reader's line; ``draft``: of the software's own draft of the case."""
    model: str
    fate: Fate
    proposed_mm: float | None = None
    """Long axis of an answer; diameter (a node's short axis) of a draft."""
    accepted_mm: float | None = None
    """The same as the reader has locked it; None where nothing of it was taken."""
    dice: float | None = None
    """Of the proposed and the locked mask; None where the reader drew no mask."""
    seconds: float | None = None
    cpu_seconds: float | None = None
    interval_mm: tuple[float, float] | None = None
    """Within which the model believed the diameter to lie."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """By the names of `INPUTS`, as far as they are known."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """By the names of `GROUPS`, as far as they are known."""


@dataclass(frozen=True)
class Kept:
    """Where masks and images are."""

    masks: KeptMasks
    series: KeptSeries


def judged(
    transaction: Transaction, trial: str, kept: Kept, known: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Judged, ...]:
    """Every proposal of a trial on which a reader has decided, in time.

    Reads are gone through one by one, and none is held: what thousands of them say is far more than what is asked.

    Parameters
    ----------
    known
        What is known of subjects from elsewhere, by subject: ``sex``, ``age``, ``scanner``.
    """
    cases = transaction.find(CASE, Place(trial))
    groups = {one.id: _groups(one.body, known or {}) for one in cases if not isinstance(one.content, Redacted)}
    answers, (standing, devices) = _answers(transaction, trial), _standing(transaction, trial)
    locks = _Locks(transaction, trial)
    found: list[Judged] = []
    for read in transaction.find(READ, Place(trial)):
        if read.id in standing:
            found += _of_lines(answers.pop(standing[read.id], ()), read, kept)
            found += _of_drafts(read, devices.get(read.place.case, {}), locks, kept)
    for waiting in answers.values():
        found += _of_lines(waiting, None, kept)
    whole = (_in_groups(one, groups.get(one.case, {})) for one in found)
    return tuple(sorted(whole, key=lambda one: one.at))


def _standing(transaction: Transaction, trial: str) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """Id of the last read of each assignment to that assignment, and case to what made the software's draft of it.

    A correction takes the place of the read that it corrects.
    """
    last: dict[str, tuple[int, str]] = {}
    devices: dict[str, Mapping[str, str]] = {}
    for one in transaction.find(READ, Place(trial)):
        if isinstance(one.content, Redacted):
            continue
        if one.place.person == DEVICE_SEAT:
            devices[one.place.case] = one.body["device"]
            continue
        about, _, number = one.id.rpartition("/")
        key, order = (about, int(number)) if number.isdecimal() else (one.id, 1)
        last[key] = max(last.get(key, (0, "")), (order, one.id))
    return {read: key for key, (_, read) in last.items()}, devices


def _groups(case: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    of_subject = known.get(case["subject"], {})
    found = {"site": case.get("site", ""), **{name: of_subject.get(name, "") for name in ("sex", "age", "scanner")}}
    return {name: word for name, word in found.items() if word}


def _in_groups(one: Judged, more: Mapping[str, str]) -> Judged:
    own = {name: word for name, word in one.groups.items() if word}
    return replace(one, groups={**more, **own})


@dataclass(frozen=True)
class _Answer:
    """One answer to a line."""

    version: RecordVersion
    at: str
    is_followed: bool
    """Whether another line was drawn for its lesion."""


def _answers(transaction: Transaction, trial: str) -> dict[str, list[_Answer]]:
    """Every answer of a trial, by assignment."""
    asked = EntryQuery(trial=trial, action="answer_line", object_kind=MODEL_ANSWER)
    times = {entry.object_id: entry.at for entry in transaction.entries(asked)}
    versions = {one.id: one for one in transaction.find(MODEL_ANSWER, Place(trial))}
    found: dict[str, list[_Answer]] = defaultdict(list)
    for key, one in versions.items():
        if not isinstance(one.content, Redacted):
            about, _, number = key.rpartition("/")
            is_followed = f"{about}/{int(number) + 1}" in versions
            assignment = about.removesuffix(f"/{one.body['step']}/{one.body['lesion']}")
            found[assignment].append(_Answer(one, times.get(key, ""), is_followed))
    return found


def _of_lines(answers: Iterable[_Answer], read: RecordVersion | None, kept: Kept) -> Iterator[Judged]:
    """Answers to the lines of a read; one that waits in a timepoint that is still open is not judged yet."""
    for one in answers:
        answer = one.version
        entry = _locked(read, answer.body["step"])
        if answer.place.state in (FAILED, LEFT):
            fate: Fate | None = Fate(answer.place.state)
        elif answer.place.state == TAKEN:
            fate = None if entry is None else _fate(answer.body, entry)
        else:
            fate = Fate.LEFT if entry is not None or one.is_followed else None
        if fate is not None:
            yield _line(answer, one.at, fate, entry, kept)


def _locked(read: RecordVersion | None, step: str) -> Mapping[str, Any] | None:
    """What a reader has locked at a timepoint."""
    entry: Mapping[str, Any] | None = read.body["timepoints"].get(step) if read is not None else None
    return entry if entry is not None and entry.get("state") == "locked" else None


def _fate(answer: Mapping[str, Any], entry: Mapping[str, Any]) -> Fate:
    evidence = (lesion_in(entry, answer["lesion"]) or {}).get("evidence") or {}
    return Fate.UNCHANGED if evidence.get("digest") == answer["digest"] else Fate.CHANGED


def _line(answer: RecordVersion, at: str, fate: Fate, entry: Mapping[str, Any] | None, kept: Kept) -> Judged:
    body = answer.body
    evidence = (lesion_in(entry, body["lesion"]) or {}).get("evidence") or {}
    is_taken = fate in (Fate.UNCHANGED, Fate.CHANGED)
    proposed = _number(body.get("long_mm"))
    digests = (body.get("digest", ""), evidence.get("digest", ""))
    interval = tuple(float(end) for end in body.get("interval_mm") or ())
    return Judged(
        at=at,
        case=answer.place.case,
        source="line",
        model=body["model"],
        fate=fate,
        proposed_mm=proposed,
        accepted_mm=_long_axis_mm(evidence) if is_taken else None,
        dice=_dice(digests, kept.masks) if is_taken else None,
        seconds=body["milliseconds"] / 1000,
        cpu_seconds=body["cpu_milliseconds"] / 1000,
        interval_mm=(interval[0], interval[1]) if len(interval) == 2 else None,
        facts=_numbers(body),
        groups={name: body.get(name, "") for name in ("organ", "modality")},
    )


@dataclass(frozen=True)
class _Locks:
    """When timepoints were locked; asked for once, and only where the software made drafts."""

    transaction: Transaction
    trial: str

    @cached_property
    def moments(self) -> Mapping[str, Sequence[str]]:
        """Id of a read to the moment of each of its locks, in time."""
        times: dict[str, list[str]] = defaultdict(list)
        for entry in self.transaction.entries(EntryQuery(trial=self.trial, action="lock_timepoint", object_kind=READ)):
            times[entry.object_id].append(entry.at)
        return times


def _of_drafts(read: RecordVersion, device: Mapping[str, str], locks: _Locks, kept: Kept) -> Iterator[Judged]:
    """What the software's own draft proposed, as judged when the timepoints of a read were locked."""
    for number, step in enumerate(read.body.get("locked", ())):
        said = read.body["timepoints"].get(step) or {}
        for one in said.get("proposals", ()):
            moments = locks.moments.get(read.id, [""])
            at = moments[min(number, len(moments) - 1)]
            yield _draft(one, said, (read.place.case, device.get("segmenter", ""), at), kept)


def _draft(one: Mapping[str, Any], entry: Mapping[str, Any], of: tuple[str, str, str], kept: Kept) -> Judged:
    case, model, at = of
    original = one["original"]
    measured = {name: original[name] for name in ("volume_ml", "mean_hu")}
    fate = {"accepted": Fate.UNCHANGED, "edited": Fate.CHANGED, "rejected": Fate.LEFT}[one["became"]]
    taken = next((lesion for lesion in entry["lesions"] if lesion["proposal"] == original["lesion"]), None)
    evidence, theirs = original.get("evidence") or {}, (taken or {}).get("evidence") or {}
    image = image_facts(kept.series.geometry(evidence["series_uid"]) if evidence.get("series_uid") else None)
    return Judged(
        at=at,
        case=case,
        source="draft",
        model=model,
        fate=fate,
        proposed_mm=_number(original["diameter_mm"]),
        accepted_mm=_number(taken["diameter_mm"]) if taken else None,
        dice=_dice((evidence.get("digest", ""), theirs.get("digest", "")), kept.masks) if taken else None,
        facts=_numbers({**image, "long_mm": _long_axis_mm(evidence), **measured}),
        groups={"organ": original["organ"], "modality": image["modality"]},
    )


def _numbers(body: Mapping[str, Any]) -> dict[str, float]:
    found = {name: _number(body.get(name)) for name in INPUTS}
    return {name: value for name, value in found.items() if value is not None}


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _long_axis_mm(evidence: Mapping[str, Any]) -> float | None:
    points = evidence.get("long_axis_lps_mm")
    if not points:
        return None
    first, second = np.asarray(points, dtype=float)
    return float(np.linalg.norm(first - second))


def _dice(digests: tuple[str, str], masks: KeptMasks) -> float | None:
    if not all(digests):
        return None
    return 1.0 if digests[0] == digests[1] else _kept_dice(masks, *digests)


@lru_cache(maxsize=50_000)
def _kept_dice(masks: KeptMasks, first: str, second: str) -> float | None:
    both = masks.mask(first), masks.mask(second)
    return None if both[0] is None or both[1] is None else mask_dice(both[0], both[1])


def mask_dice(first: Mask, second: Mask) -> float | None:
    """Dice of two masks on parts of one grid; None where their voxels do not fall together, or both are empty."""
    inside = np.argwhere(first.array > 0)[:, ::-1]
    sizes = len(inside), int((second.array > 0).sum())
    if not any(sizes):
        return None
    if not all(sizes):
        return 0.0
    places = second.geometry.to_index(first.geometry.to_lps(inside))
    whole = np.rint(places).astype(int)
    is_same_grid = np.allclose(first.geometry.spacing_mm, second.geometry.spacing_mm, rtol=1e-3)
    if not is_same_grid or float(np.abs(places - whole).max()) > _GRID_TOLERANCE_VOXELS:
        return None
    here = whole[((whole >= 0) & (whole < second.geometry.size)).all(axis=1)]
    both = int((second.array[here[:, 2], here[:, 1], here[:, 0]] > 0).sum())
    return 2 * both / sum(sizes)
