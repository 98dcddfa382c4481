"""Places that may be new lesions, as one reader gets them: taken, dismissed, or open; who decided is in the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import ReadingError
from trialimg.core.prompts import PointLps
from trialimg.imaging.new_lesions import CandidateSettings
from trialimg.services.journal import Records
from trialimg.services.new_lesion_proposals import CANDIDATES
from trialimg.services.ports import Transaction
from trialimg.services.reading_desk import reader_at_case
from trialimg.services.reading_file import CaseFile
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "DECISION",
    "DISMISSED",
    "TAKEN",
    "CandidatePlace",
    "KnownPlace",
    "Offered",
    "decide",
    "offered",
    "shown_first",
]

DECISION = "new_lesion_decision"
"""Kind of a record; its id is ``assignment/timepoint/candidate``, its state `TAKEN` or `DISMISSED`."""

TAKEN = "taken"
"""A new lesion of the reader's came of it."""
DISMISSED = "dismissed"

_MOST = 3
_LEAST_SCORE = 0.05
"""One in twenty: a look costs a reader seconds, a new lesion that nobody saw a progression."""
_APART_MM = CandidateSettings().apart_mm


@dataclass(frozen=True)
class Offered:
    """A place that the earlier scan does not explain."""

    name: str
    series_uid: str
    baseline_uid: str
    """Series that it was compared with."""
    centre_lps_mm: PointLps
    score: float
    """How often such a place is a new lesion, as `imaging.new_lesions.candidate_score` says it."""
    diameter_mm: float
    """Of the ball with the same volume."""
    compactness: float
    """1 for a ball, near 0 for a sheet or a thread."""
    decided: str = ""
    """``taken`` or ``dismissed``; empty while this reader has not decided."""


@dataclass(frozen=True)
class CandidatePlace:
    """Which candidate, at which visit of a reader's case."""

    trial: str
    alias: str
    """The reader's own name of the case."""
    step: str
    candidate: str


@dataclass(frozen=True)
class KnownPlace:
    """Where a lesion lies, or was."""

    series_uid: str
    centre_lps_mm: PointLps
    radius_mm: float


def offered(transaction: Transaction, file: CaseFile, assignment: RecordVersion, step: str) -> tuple[Offered, ...]:
    """What the software takes for possible new lesions at a timepoint, and what this reader said of it.

    Nothing where the protocol shows no candidates, or nobody looked. One whose lesion the reader removed is open again.
    """
    kept = _shown(transaction, file, step)
    read = file.reads.get(assignment.id)
    entry = (read.body["timepoints"].get(step) if read is not None else None) or {}
    lesions = {one["lesion"] for one in entry.get("lesions", ())}
    found = []
    for one in kept.body["candidates"] if kept is not None else ():
        decision = transaction.current(DECISION, f"{assignment.id}/{step}/{one['name']}")
        found.append(_offered(one, decision.place.state if decision and _stands(decision, one, lesions) else ""))
    return tuple(found)


def _stands(decision: RecordVersion, one: Mapping[str, Any], lesions: Set[str]) -> bool:
    """It was about this place, and the lesion that came of it is still there."""
    body, place = decision.body, ("series_uid", "centre_lps_mm")
    is_this = all(body["candidate"][name] == one[name] for name in place)
    return is_this and (not body["lesion"] or body["lesion"] in lesions)


def _shown(transaction: Transaction, file: CaseFile, step: str) -> RecordVersion | None:
    """The candidates of a timepoint, where the protocol shows readers any."""
    return transaction.current(CANDIDATES, f"{file.id}/{step}") if file.protocol.reading.shows_candidates else None


def _offered(one: Mapping[str, Any], decided: str) -> Offered:
    x, y, z = (float(coordinate) for coordinate in one["centre_lps_mm"])
    return Offered(
        name=one["name"],
        series_uid=one["series_uid"],
        baseline_uid=one["baseline_uid"],
        centre_lps_mm=(x, y, z),
        score=float(one["score"]),
        diameter_mm=float(one["diameter_mm"]),
        compactness=float(one["compactness"]),
        decided=decided,
    )


def shown_first(candidates: Sequence[Offered], known: Sequence[KnownPlace]) -> tuple[Offered, ...]:
    """The most likely ones that do not lie at or beside a lesion of the reader's, less those that they judged.

    Notes
    -----
    Three at most, judged ones included: a list that fills up again behind each dismissal would never end. None that is
    a new lesion less often than once in twenty.
    """
    fresh = [one for one in candidates if one.decided or not any(_is_beside(one, place) for place in known)]
    likely = [one for one in fresh if one.score >= _LEAST_SCORE][:_MOST]
    return tuple(one for one in likely if not one.decided)


def _is_beside(one: Offered, place: KnownPlace) -> bool:
    away_mm = math.dist(one.centre_lps_mm, place.centre_lps_mm)
    return one.series_uid == place.series_uid and away_mm <= place.radius_mm + _APART_MM


def decide(
    records: Records, actor: Actor, place: CandidatePlace, *, lesion: str = "", reason: str = ""
) -> RecordVersion:
    """Keep what a reader made of a candidate: the new lesion that they took it as, or, without one, that it is none.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If the timepoint is not open to the reader, or there is no such candidate.
    """
    with records.change(actor, Action.READ, trial=place.trial) as journal:
        at = reader_at_case(journal, "", place.trial, place.alias)
        at.read.drafted(at.assignment.body["reader"], place.step)
        kept = _shown(journal.transaction, at.file, place.step)
        candidates = kept.body["candidates"] if kept is not None else ()
        found = next((one for one in candidates if one["name"] == place.candidate), None)
        if kept is None or found is None:
            raise ReadingError(f"{place.alias} {place.step}: no candidate {place.candidate!r} is offered")
        state = TAKEN if lesion else DISMISSED
        body = {"timepoint": place.step, "candidate": found, "proposed_by": kept.body["proposed_by"], "lesion": lesion}
        where = Place(place.trial, at.file.id, person=actor.user, state=state)
        key = f"{at.assignment.id}/{place.step}/{place.candidate}"
        return journal.write(DECISION, key, body, action=f"candidate_{state}", place=where, reason=reason.strip())
