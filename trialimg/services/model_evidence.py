"""What the model proposed and what readers made of it, one line for each proposal, out of the records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
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

    Parameters
    ----------
    known
        What is known of subjects from elsewhere, by subject: ``sex``, ``age``, ``scanner``.
    """
    cases = {one.id: one.body for one in transaction.find(CASE, Place(trial)) if not isinstance(one.content, Redacted)}
    groups = {key: _groups(body, known or {}) for key, body in cases.items()}
    reads = [one for one in transaction.find(READ, Place(trial)) if not isinstance(one.content, Redacted)]
    present = _present(reads)
    drafts = {one.place.case: one.body["device"] for one in reads if one.place.person == DEVICE_SEAT}
    found = [
        *_of_lines(transaction, trial, kept, present),
        *_of_drafts(transaction, trial, kept, present, drafts),
    ]
    whole = (_in_groups(one, groups.get(one.case, {})) for one in found)
    return tuple(sorted(whole, key=lambda one: one.at))


def _present(reads: Sequence[RecordVersion]) -> dict[str, RecordVersion]:
    """The last read of each assignment: a correction takes the place of the read that it corrects."""
    found: dict[str, tuple[int, RecordVersion]] = {}
    for one in reads:
        about, _, number = one.id.rpartition("/")
        key, order = (about, int(number)) if number.isdecimal() else (one.id, 1)
        if one.place.person != DEVICE_SEAT and order >= found.get(key, (0, one))[0]:
            found[key] = order, one
    return {key: one for key, (_, one) in found.items()}


def _groups(case: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    of_subject = known.get(case["subject"], {})
    found = {"site": case.get("site", ""), **{name: of_subject.get(name, "") for name in ("sex", "age", "scanner")}}
    return {name: word for name, word in found.items() if word}


def _in_groups(one: Judged, more: Mapping[str, str]) -> Judged:
    own = {name: word for name, word in one.groups.items() if word}
    return replace(one, groups={**more, **own})


def _of_lines(transaction: Transaction, trial: str, kept: Kept, reads: Mapping[str, RecordVersion]) -> Iterator[Judged]:
    """Answers to lines; one that waits in a timepoint that is still open is not judged yet."""
    asked = EntryQuery(trial=trial, action="answer_line", object_kind=MODEL_ANSWER)
    times = {entry.object_id: entry.at for entry in transaction.entries(asked)}
    answers = {one.id: one for one in transaction.find(MODEL_ANSWER, Place(trial))}
    for key, answer in answers.items():
        if isinstance(answer.content, Redacted):
            continue
        about, _, number = key.rpartition("/")
        assignment = about.removesuffix(f"/{answer.body['step']}/{answer.body['lesion']}")
        entry = _locked(reads.get(assignment), answer.body["step"])
        if answer.place.state in (FAILED, LEFT):
            fate: Fate | None = Fate(answer.place.state)
        elif answer.place.state == TAKEN:
            fate = None if entry is None else _fate(answer.body, entry)
        else:
            is_over = entry is not None or f"{about}/{int(number) + 1}" in answers
            fate = Fate.LEFT if is_over else None
        if fate is not None:
            yield _line(answer, times.get(key, ""), fate, entry, kept)


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


def _of_drafts(
    transaction: Transaction,
    trial: str,
    kept: Kept,
    reads: Mapping[str, RecordVersion],
    drafts: Mapping[str, Mapping[str, str]],
) -> Iterator[Judged]:
    """What the software's own drafts proposed, as judged when their timepoints were locked."""
    times: dict[str, list[str]] = defaultdict(list)
    for entry in transaction.entries(EntryQuery(trial=trial, action="lock_timepoint", object_kind=READ)):
        times[entry.object_id].append(entry.at)
    for read in reads.values():
        device, moments = drafts.get(read.place.case, {}), times.get(read.id, [""])
        model = device.get("segmenter", "")
        for number, step in enumerate(read.body.get("locked", ())):
            said = read.body["timepoints"].get(step) or {}
            at = moments[min(number, len(moments) - 1)]
            for one in said.get("proposals", ()):
                yield _draft(one, said, (read.place.case, model, at), kept)


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
