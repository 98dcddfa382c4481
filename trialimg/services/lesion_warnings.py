"""Warnings that a lesion was measured elsewhere than expected: which ones a reader saw, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import digest_of
from trialimg.services.journal import Journal, Records
from trialimg.services.lesion_fit import Misfit
from trialimg.services.lesion_links import LINKS
from trialimg.services.ports import Transaction
from trialimg.services.reading_desk import ReaderAtCase, reader_at_case
from trialimg.services.reading_file import CaseFile
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "ANSWERED",
    "MEASURED_ANEW",
    "SHOWN",
    "UNANSWERED",
    "WARNING",
    "Warned",
    "measured_at",
    "note_shown",
    "settle_warnings",
    "warned",
    "warnings_of",
]

WARNING = "lesion_warning"
"""Kind of a record; its id is ``assignment/timepoint``, its state that of the worst of its warnings."""
SHOWN = "shown"
"""The read is not signed yet."""
ANSWERED = "answered"
"""The reader exchanged the lesions, or said that it is right as it is."""
MEASURED_ANEW = "measured_anew"
"""What was signed is not what the warning was about."""
UNANSWERED = "unanswered"
"""The read was signed as it stood when the warning was shown, without a word on it."""
_WORST_FIRST = (UNANSWERED, MEASURED_ANEW, ANSWERED, SHOWN)


@dataclass(frozen=True)
class Warned:
    """One warning to a reader of a case."""

    seat: str
    reader: str
    visit: str
    lesion: str
    fits: str
    """The lesion that is expected where it was measured; empty where none is."""
    away_mm: str
    outcome: str


def measured_at(lesion: Mapping[str, Any] | None) -> str:
    """What a warning is about: the digest of where a lesion was measured; empty where it was not."""
    evidence = (lesion or {}).get("evidence") or {}
    ends = evidence.get("long_axis_lps_mm")
    if not ends:
        return ""
    points = [[f"{float(value):.2f}" for value in point] for point in ends]
    return digest_of({"series": str(evidence.get("series_uid", "")), "long_axis_lps_mm": points})


def warned(transaction: Transaction, assignment: RecordVersion, step: str) -> frozenset[tuple[str, str]]:
    """Lesions of a timepoint of which a warning is on record, each with where it was measured."""
    found = transaction.current(WARNING, f"{assignment.id}/{step}")
    return frozenset((one["lesion"], one["measured"]) for one in found.body["warnings"]) if found else frozenset()


def note_shown(
    records: Records, actor: Actor, place: tuple[str, str, str], shown: Sequence[tuple[Misfit, str]]
) -> RecordVersion | None:
    """Keep that warnings were shown, each once for each place at which its lesion was measured; None if all are kept.

    Parameters
    ----------
    place
        Trial, the reader's own name of the case, timepoint.
    shown
        Each with where its lesion was measured, as `measured_at` says it.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If the timepoint is not open to the reader.
    """
    trial, alias, step = place
    with records.change(actor, Action.READ, trial=trial) as journal:
        at = reader_at_case(journal, "", trial, alias)
        at.read.drafted(at.assignment.body["reader"], step)
        known = warned(journal.transaction, at.assignment, step)
        fresh = [_facts(one, measured) for one, measured in shown if (one.lesion, measured) not in known]
        if not fresh:
            return None
        kept = journal.transaction.current(WARNING, f"{at.assignment.id}/{step}")
        named = {one["lesion"] for one in fresh}
        before = [one for one in kept.body["warnings"] if one["lesion"] not in named] if kept is not None else []
        return _write(journal, at, step, [*before, *fresh], action="warn_of_lesion")


def settle_warnings(at: ReaderAtCase) -> None:
    """As a read is signed, keep of each warning what became of it."""
    for step, entry in at.entries.items():
        kept = at.journal.transaction.current(WARNING, f"{at.assignment.id}/{step}")
        if kept is not None:
            answered = _answered(at.journal.transaction, at.assignment, step)
            settled = [{**one, "outcome": _outcome(one, entry, answered)} for one in kept.body["warnings"]]
            _write(at.journal, at, step, settled, action="sign_under_warning")


def _outcome(warning: Mapping[str, Any], entry: Mapping[str, Any], answered: frozenset[str]) -> str:
    if warning["lesion"] in answered:
        return ANSWERED
    lesion = next((one for one in entry.get("lesions", ()) if one["lesion"] == warning["lesion"]), None)
    return UNANSWERED if measured_at(lesion) == warning["measured"] else MEASURED_ANEW


def _answered(transaction: Transaction, assignment: RecordVersion, step: str) -> frozenset[str]:
    """The lesions that the reader's words on links name."""
    found = transaction.current(LINKS, f"{assignment.id}/{step}")
    links = found.body["links"] if found is not None else ()
    return frozenset(name for one in links for name in (*one["earlier"], *one["later"]))


def _write(
    journal: Journal, at: ReaderAtCase, step: str, warnings: Sequence[Mapping[str, Any]], *, action: str
) -> RecordVersion:
    outcomes = {one["outcome"] for one in warnings}
    state = next(word for word in _WORST_FIRST if word in outcomes)
    where = Place(at.file.trial, at.file.id, person=at.assignment.body["reader"], state=state)
    body = {"timepoint": step, "warnings": list(warnings)}
    return journal.write(WARNING, f"{at.assignment.id}/{step}", body, action=action, place=where)


def _facts(one: Misfit, measured: str) -> dict[str, str]:
    return {
        "lesion": one.lesion,
        "fits": one.fits,
        "away_mm": f"{one.away_mm:.1f}",
        "score": f"{one.link.score:.4f}",
        "proposed_by": one.link.proposed_by,
        "measured": measured,
        "outcome": SHOWN,
    }


def warnings_of(transaction: Transaction, file: CaseFile) -> Iterator[Warned]:
    """The warnings in the signed reads of a case, with what became of each."""
    for key, assignment in sorted(file.assignments.items()):
        read = file.reads.get(key)
        if assignment.place.state != "signed" or read is None:
            continue
        for step in read.body["timepoints"]:
            kept = transaction.current(WARNING, f"{assignment.id}/{step}")
            for one in kept.body["warnings"] if kept is not None else ():
                said = assignment.body
                facts = (one[name] for name in ("lesion", "fits", "away_mm", "outcome"))
                yield Warned(said["seat"], said["reader"], step, *facts)
