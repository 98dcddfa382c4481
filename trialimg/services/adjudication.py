"""Two reads that differ: both are seen without their authors, one is chosen with a reason, none is measured again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import plain
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Because, Seat, Stage, Verdict
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_desk import held
from trialimg.services.reading_file import ASSIGNMENT, VERDICT, CaseFile, case_id, load_case
from trialimg.services.reading_moves import move_assignment, settle
from trialimg.services.records import Place, RecordVersion
from trialimg.services.signatures import Proof, sign
from trialimg.services.training import require_fit_to_read

__all__ = ["VERDICT_MEANING", "Choice", "adjudicate", "adjudication_view", "discordances"]

VERDICT_MEANING = "I have seen both reads of this case and chose this one"

_ACTION = {Role.ADJUDICATOR: Action.ADJUDICATE, Role.RADIOLOGIST: Action.READ}
_PLAIN_ORDER = {"A": Seat.FIRST.value, "B": Seat.SECOND.value}
_OF_LESION = (
    "lesion", "role", "kind", "organ", "seen", "reason", "status", "split_from", "merged_into", "local_therapy",
    "slice_mm", "diameter_mm", "short_mm", "volume_ml", "mean_hu", "sul_peak", "evidence", "comment",
)  # fmt: skip
_OF_ENTRY = ("image_quality", "new_lesions", "no_lesions", "conclusion", "comment", "facts")
_OF_ANSWER = ("criterion", "timepoints", "best_response", "best_response_rule", "progression_date", "response_date")


def discordances(records: Records, actor: Actor, trial: str, code: str) -> list[dict[str, Any]]:
    """In what the two signed reads of a case differ: variable, both values, and the comparison that was made.

    Raises
    ------
    ReadingError
        If there is no such case, or consent was withdrawn.
    """
    with records.look(actor, Action.VIEW_READERS, trial=trial) as transaction:
        file = load_case(transaction, case_id(trial, code))
        if file.review.is_withdrawn:
            raise ReadingError(f"{code}: the subject withdrew consent; no value is given out")
        return [plain(found) for found in file.review.discordances]


def adjudication_view(records: Records, actor: Actor, trial: str, alias: str) -> dict[str, Any]:
    """Both reads as A and B, in an order that was drawn when the case was given out; the access is noted.

    Raises
    ------
    AccessError
        If the case is not this person's to settle.
    ReadingError
        If there is nothing to choose, or consent was withdrawn.
    """
    with records.change(actor, _action(actor), trial=trial) as journal:
        assignment, file = _to_settle(journal.transaction, actor, trial, alias)
        if assignment.body["seat"] == Seat.ADJUDICATOR.value and assignment.place.state == "assigned":
            assignment = move_assignment(journal, assignment, "in_progress", "begin_adjudication")
        journal.note("open_images", kind=ASSIGNMENT, key=assignment.id, trial=trial, reason="shown: both reads")
        return _view(file, assignment)


def _action(actor: Actor) -> Action:
    if actor.role not in _ACTION:
        raise AccessError(f"a {actor.role.value} does not choose between reads")
    return _ACTION[actor.role]


def _to_settle(transaction: Transaction, actor: Actor, trial: str, alias: str) -> tuple[RecordVersion, CaseFile]:
    assignment = held(transaction, actor, trial, alias)
    file = load_case(transaction, assignment.place.case)
    require_fit_to_read(transaction, actor.user, trial, file.protocol.trial.version)
    if assignment.body["repeat"] or file.review.stage is not Stage.ADJUDICATION:
        raise ReadingError(f"{alias}: there are no two signed reads to choose between")
    return assignment, file


def _view(file: CaseFile, assignment: RecordVersion) -> dict[str, Any]:
    display = assignment.body["display"] or _PLAIN_ORDER
    letter = {seat: shown for shown, seat in display.items()}
    bodies = {}
    for shown, seat in sorted(display.items()):
        at = file.seat(Seat(seat))
        bodies[shown] = file.reads[at.id].body if at is not None else {}
    return {
        "alias": assignment.body["alias"],
        "kind": file.body["kind"],
        "criterion": criterion_of(file.protocol).name,
        "timepoints": [{name: one[name] for name in ("id", "date", "series")} for one in file.body["timepoints"]],
        "reads": {shown: _shown(body) for shown, body in bodies.items()},
        "discordances": [
            {
                "variable": found.variable,
                letter[Seat.FIRST.value]: found.first,
                letter[Seat.SECOND.value]: found.second,
                "rule": found.rule.rule,
            }
            for found in file.review.discordances
        ],
    }


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """A read without whose it is: what was said and what it comes to, by an allow-list."""
    return {
        "timepoints": {step: _shown_entry(entry) for step, entry in body["timepoints"].items()},
        "answer": {name: body["answer"][name] for name in _OF_ANSWER},
    }


def _shown_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    if "lesions" not in entry:
        return {name: text for name, text in entry.items() if name != "state"}
    lesions = [{name: one[name] for name in _OF_LESION if name in one} for one in entry["lesions"]]
    return {**{name: entry[name] for name in _OF_ENTRY if name in entry}, "lesions": lesions}


@dataclass(frozen=True)
class Choice:
    """Which of the two reads of a case somebody chose."""

    alias: str
    """Name of the case in their worklist."""
    letter: str
    """A or B."""
    because: Because


def adjudicate(records: Records, actor: Actor, proof: Proof, trial: str, *, choice: Choice) -> RecordVersion:
    """Choose one read with a reason, and sign; in a consensus the case is settled when both readers chose the same.

    Raises
    ------
    AccessError
        If the case is not this person's to settle, or the proof of who they are does not hold.
    ReadingError
        If there is nothing to choose, or the letter is neither A nor B.
    """
    with records.change(actor, _action(actor), trial=trial) as journal:
        assignment, file = _to_settle(journal.transaction, actor, trial, choice.alias)
        display = assignment.body["display"] or _PLAIN_ORDER
        if choice.letter not in display:
            raise ReadingError(f"{choice.alias}: choose A or B, not {choice.letter!r}")
        verdict = Verdict(file.id, Seat(display[choice.letter]), choice.because)
        review = file.of_seat(assignment).chosen(actor.user, verdict.chosen)
        is_adjudicator = assignment.body["seat"] == Seat.ADJUDICATOR.value
        key = file.id if is_adjudicator else assignment.id
        place = Place(trial, file.id, actor.user, "signed")
        body = {**_body(file, verdict), "shown": dict(display), "letter": choice.letter}
        version = journal.write(VERDICT, key, body, action="sign_verdict", place=place)
        if is_adjudicator:
            move_assignment(journal, assignment, "signed", "sign_verdict")
        settle(journal, file, review)
        sign(journal, proof, version, VERDICT_MEANING)
        return version


def _body(file: CaseFile, verdict: Verdict) -> dict[str, Any]:
    reads = {}
    for seat in (Seat.FIRST, Seat.SECOND):
        at = file.seat(seat)
        if at is not None:
            read = file.reads[at.id]
            reads[seat.value] = {"id": read.id, "version": read.version, "digest": read.digest}
    return {
        "case": file.id,
        "chosen": verdict.chosen.value,
        "because": {"code": verdict.because.code.value, "text": verdict.because.text},
        "reads": reads,
        "discordances": [plain(found) for found in file.review.discordances],
    }
