"""What the software answered to a reader's line, how long that took, and whether the reader took the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from trialimg.core.access import Action, Actor
from trialimg.core.errors import GeometryError, ModelError
from trialimg.services.journal import Records
from trialimg.services.ports import Segmenter, Transaction
from trialimg.services.reading_desk import held
from trialimg.services.reading_entry import Axes
from trialimg.services.records import Place, RecordVersion
from trialimg.services.redrawn_answers import Redrawn

__all__ = [
    "FAILED",
    "LEFT",
    "MODEL_ANSWER",
    "TAKEN",
    "WAITING",
    "AnswerPlace",
    "answered",
    "decided",
    "image_facts",
    "note_redrawn",
]

MODEL_ANSWER = "model_answer"
"""Kind of a record: one answer to one line; its id is ``assignment/timepoint/lesion/number``, its state one of the
four below."""
WAITING = "waiting"
"""The reader has not decided."""
TAKEN = "taken"
"""Taken over, perhaps to be changed afterwards."""
LEFT = "left"
"""Put away."""
FAILED = "failed"
"""There was no answer."""


@dataclass(frozen=True)
class AnswerPlace:
    """Which lesion of which case was asked for."""

    trial: str
    alias: str
    """The reader's own name of the case."""
    step: str
    lesion: str
    organ: str = ""


def answered(
    records: Records,
    actor: Actor,
    place: AnswerPlace,
    *,
    segmenter: Segmenter,
    geometry: Mapping[str, Any] | None,
    work: Callable[[], Axes],
) -> Axes:
    """The answer to a line, kept with its time and the facts of the image; a failure is kept as well.

    Parameters
    ----------
    geometry
        Of the series that was drawn on; None where it is not known.
    work
        Asks the segmenter.

    Raises
    ------
    ModelError
        If no lesion is found, as `work` says it.
    GeometryError
        If the line lies outside of the image, as `work` says it.
    """
    began, began_cpu = time.perf_counter(), time.process_time()

    def said(**more: object) -> dict[str, object]:
        return {
            "alias": place.alias,
            "step": place.step,
            "lesion": place.lesion,
            "organ": place.organ,
            "model": f"{segmenter.name}@{segmenter.version}",
            "model_digest": segmenter.model_digest,
            "milliseconds": round(1000 * (time.perf_counter() - began)),
            "cpu_milliseconds": round(1000 * (time.process_time() - began_cpu)),
            **image_facts(geometry),
            **more,
        }

    try:
        found = work()
    except (ModelError, GeometryError) as fault:
        _keep(records, actor, place, said(fault=str(fault)), state=FAILED)
        raise
    _keep(records, actor, place, said(fault="", **_measured(found)), state=WAITING)
    return found


def decided(records: Records, actor: Actor, place: AnswerPlace, *, taken: bool) -> RecordVersion | None:
    """Keep whether the reader took the last answer for a lesion; None where none waits."""
    with records.change(actor, Action.READ, trial=place.trial) as journal:
        key, number = _last(journal.transaction, actor, place)
        kept = (journal.transaction.current(MODEL_ANSWER, f"{key}/{n}") for n in range(number, 0, -1))
        present = next((one for one in kept if one is not None and one.place.state == WAITING), None)
        if present is None:
            return None
        state = TAKEN if taken else LEFT
        where = Place(place.trial, present.place.case, actor.user, state)
        return journal.write(MODEL_ANSWER, present.id, present.body, action=f"answer_{state}", place=where)


def note_redrawn(
    records: Records, actor: Actor, place: AnswerPlace, *, digest: str, found: Redrawn
) -> RecordVersion | None:
    """Keep beside an answer how far others to the same line lie apart; None where no answer has this mask.

    What the reader decided, before or afterwards, stays as it is.
    """
    with records.change(actor, Action.READ, trial=place.trial) as journal:
        key, number = _last(journal.transaction, actor, place)
        kept = (journal.transaction.current(MODEL_ANSWER, f"{key}/{n}") for n in range(number, 0, -1))
        answer = next((one for one in kept if one is not None and one.body.get("digest") == digest), None)
        if answer is None:
            return None
        body = {**answer.body, **_spread(found)}
        return journal.write(MODEL_ANSWER, answer.id, body, action="answer_redrawn", place=answer.place)


def _spread(found: Redrawn) -> dict[str, object]:
    """Ranges as text, in mm and ml."""
    return {
        "interval_mm": [f"{end:.2f}" for end in found.long_mm],
        "short_interval_mm": [f"{end:.2f}" for end in found.short_mm],
        "volume_interval_ml": [f"{end:.3f}" for end in found.volume_ml],
        "redrawn": {
            "answers": found.answers,
            "empty": found.empty,
            "agreement": f"{found.agreement:.3f}",
            "doubts": [doubt.value for doubt in found.doubts],
        },
    }


def _keep(records: Records, actor: Actor, place: AnswerPlace, body: Mapping[str, object], *, state: str) -> None:
    with records.change(actor, Action.READ, trial=place.trial) as journal:
        key, number = _last(journal.transaction, actor, place)
        case = held(journal.transaction, actor, place.trial, place.alias).place.case
        where = Place(place.trial, case, actor.user, state)
        journal.write(MODEL_ANSWER, f"{key}/{number + 1}", body, action="answer_line", place=where)


def _last(transaction: Transaction, actor: Actor, place: AnswerPlace) -> tuple[str, int]:
    """What the answers for this lesion are called, and how many there are."""
    key = f"{held(transaction, actor, place.trial, place.alias).id}/{place.step}/{place.lesion}"
    return key, next(n for n in count() if transaction.current(MODEL_ANSWER, f"{key}/{n + 1}") is None)


def _measured(found: Axes) -> dict[str, object]:
    lengths = {"long_mm": found.long_axis_lps_mm, "short_mm": found.short_axis_lps_mm}
    return {
        "digest": found.digest,
        "volume_ml": found.volume_ml,
        "mean_hu": found.mean_hu,
        **{name: _length_mm(ends) if ends else "" for name, ends in lengths.items()},
    }


def _length_mm(ends: Any) -> str:
    return f"{float(np.linalg.norm(np.subtract(ends[0], ends[1]))):.2f}"


def image_facts(geometry: Mapping[str, Any] | None) -> dict[str, str]:
    """Modality, pixel edge and slice distance of a series, in mm as text; blank where they are not known."""
    if geometry is None:
        return {"modality": "", "pixel_mm": "", "slice_mm": ""}
    positions = np.asarray(geometry["positions"], dtype=float)
    gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    return {
        "modality": str(geometry.get("modality", "")),
        "pixel_mm": f"{max(geometry['pixel_spacing']):.3f}",
        "slice_mm": f"{float(np.median(gaps)):.3f}" if len(gaps) else "",
    }
