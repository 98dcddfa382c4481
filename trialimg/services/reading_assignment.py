"""Cases are given out: one by one or a whole trial's at once, in a stored order, some of them twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, Fault, ReadingError
from trialimg.core.reading import Reader, Seat, Stage
from trialimg.review.assignment import OpenCase, Workload, adjudicators, pairs, reading_order, repeats_due, turns
from trialimg.review.design import ReadingDesign, Resolution
from trialimg.services.authority import GRANT, covers, refusal
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import (
    ASSIGNMENT,
    CASE,
    READ,
    CaseFile,
    case_id,
    load_case,
    protocol_under,
    read_id,
)
from trialimg.services.reading_moves import settle
from trialimg.services.records import Place, RecordVersion
from trialimg.services.training import require_fit_to_read
from trialimg.services.trials import protocol_of

__all__ = ["assign", "assign_trial", "revoke_assignment"]

_ROLE = {Seat.FIRST: Role.RADIOLOGIST, Seat.SECOND: Role.RADIOLOGIST, Seat.ADJUDICATOR: Role.ADJUDICATOR}
_ACTION = {Role.RADIOLOGIST: Action.READ, Role.ADJUDICATOR: Action.ADJUDICATE}
_ALIAS_LENGTH = 10


def assign(records: Records, actor: Actor, trial: str, code: str, *, seat: Seat, reader: str) -> RecordVersion:
    """Give one seat of a case to somebody; the case comes last in their order.

    Raises
    ------
    ReadingError
        If the seat is taken or the person may not sit there.
    AccessError
        If that person is not a trained, active reader (or adjudicator) of the trial.
    """
    with records.change(actor, Action.ASSIGN_READS, trial=trial) as journal:
        file = load_case(journal.transaction, case_id(trial, code))
        charter = file.protocol.trial.version
        if because := _unfit(journal, trial, reader, _ROLE[seat], charter):
            raise AccessError(because)
        file = _barring(journal.transaction, [file])[0]
        number = _last_order(journal.transaction, trial, reader) + 1
        return _seated(journal, records, file, seat, reader, order=number)


def assign_trial(
    records: Records, actor: Actor, trial: str, *, readers: Sequence[str] = (), adjudicators: Sequence[str] = ()
) -> tuple[RecordVersion, ...]:
    """Give out every free seat of a trial: pairs that have met least, then by load; repeats are mixed in unsaid.

    Adjudicators are given the cases that wait for one.

    Parameters
    ----------
    readers, adjudicators
        Who is to be considered; nobody named: every trained reader and adjudicator of the trial.

    Raises
    ------
    ReadingError
        Naming every case that cannot be given out, and everybody named who may not read.
    """
    with records.change(actor, Action.ASSIGN_READS, trial=trial) as journal:
        places = [
            Place(trial=trial, state=stage.value) for stage in (Stage.RECEIVED, Stage.READING, Stage.ADJUDICATION)
        ]
        unsettled = sorted(one.id for at in places for one in journal.transaction.find(CASE, at))
        files = _barring(journal.transaction, [load_case(journal.transaction, key) for key in unsettled])
        given: list[RecordVersion] = []
        if wanting := [file for file in files if _free_seats(file)]:
            able = _people(journal, readers, Role.RADIOLOGIST, wanting)
            given += _read_seats(journal, records, wanting, able, _workload(journal.transaction, trial))
        if waiting := [f for f in files if f.review.stage is Stage.ADJUDICATION and _needs_adjudicator(f)]:
            able = _people(journal, adjudicators, Role.ADJUDICATOR, waiting)
            given += _adjudications(journal, records, waiting, able)
        return tuple(given)


def _read_seats(
    journal: Journal, records: Records, files: Sequence[CaseFile], readers: Sequence[str], workload: Workload
) -> list[RecordVersion]:
    state = {file.id: file for file in files}
    trial, design = files[0].trial, _design_in_force(journal.transaction, files[0].trial)
    cases = sorted((_open(file) for file in files), key=lambda case: str(state[case.id].body["received_at"]))
    seats = pairs(cases, readers, workload, seed=design.seed)
    own: dict[str, list[str]] = {}
    for case in cases:
        for reader in seats[case.id].values():
            own.setdefault(reader, []).append(case.id)
    given: list[RecordVersion] = []
    for reader, theirs in sorted(own.items()):
        last = _last_order(journal.transaction, trial, reader)
        order = reading_order(theirs, design.order, seed=design.seed, reader=reader)
        had, repeated = _had(journal.transaction, trial, reader)
        due = repeats_due(had + len(order), repeated, design.repeat_pct)
        sequence = turns(order, due, seed=design.seed, reader=reader)
        for number, turn in enumerate(sequence, start=last + 1):
            seat = next(at for at, who in seats[turn.case].items() if who == reader)
            if turn.is_repeat:
                given.append(_repeated(journal, records, state[turn.case], seat, reader, order=number))
            else:
                given.append(_seated(journal, records, state[turn.case], seat, reader, order=number))
                state[turn.case] = _reloaded(journal.transaction, state[turn.case])
    return given


def _adjudications(
    journal: Journal, records: Records, files: Sequence[CaseFile], able: Sequence[str]
) -> list[RecordVersion]:
    seed, trial = files[0].protocol.reading.seed, files[0].trial
    workload = Workload()
    for one in journal.transaction.find(ASSIGNMENT, Place(trial=trial)):
        if one.body["seat"] == Seat.ADJUDICATOR.value and one.place.state != "revoked":
            workload.reads[one.body["reader"]] += 1
    chosen = adjudicators([_open(file) for file in files], able, workload, seed=seed)
    given = []
    for file in files:
        number = _last_order(journal.transaction, trial, chosen[file.id]) + 1
        given.append(_seated(journal, records, file, Seat.ADJUDICATOR, chosen[file.id], order=number))
    return given


def revoke_assignment(
    records: Records, actor: Actor, trial: str, code: str, *, seat: Seat, reason: str
) -> RecordVersion:
    """Take an unsigned seat from somebody; what they had written stays on the record, and they do not come back to it.

    Raises
    ------
    ReadingError
        If nobody sits there, the read or verdict is signed, or no reason is given.
    """
    with records.change(actor, Action.ASSIGN_READS, trial=trial) as journal:
        file = load_case(journal.transaction, case_id(trial, code))
        review, assignment = file.review.revoked(seat), file.seat(seat)
        if assignment is None or not reason.strip():
            raise ReadingError(f"{code}: taking a seat away needs its reason")
        repeat = file.assignments.get(f"{assignment.id}/repeat")
        if repeat is not None and repeat.place.state != "signed":
            _taken_away(journal, file, repeat, reason)
        version = _taken_away(journal, file, assignment, reason)
        settle(journal, file, review)
        return version


def _taken_away(journal: Journal, file: CaseFile, assignment: RecordVersion, reason: str) -> RecordVersion:
    person = assignment.place.person
    if (read := file.reads.get(assignment.id)) is not None:
        place = Place(file.trial, file.id, person, "superseded")
        journal.write(READ, read.id, read.body, action="revoke_read", place=place, reason=reason)
    body = {**assignment.body, "since": journal.at}
    place = Place(file.trial, file.id, person, "revoked")
    return journal.write(ASSIGNMENT, assignment.id, body, action="revoke_read", place=place, reason=reason)


def _seated(
    journal: Journal, records: Records, file: CaseFile, seat: Seat, reader: str, *, order: int
) -> RecordVersion:
    key = f"{file.id}/{seat.value}"
    number = _next_number(journal.transaction, key)
    review = file.review.assigned(seat, Reader(reader), number=number)
    version = _write(
        journal, records, file, key, {"seat": seat.value, "reader": reader, "order": order, "number": number}
    )
    settle(journal, file, review)
    return version


def _repeated(
    journal: Journal, records: Records, file: CaseFile, seat: Seat, reader: str, *, order: int
) -> RecordVersion:
    """The same case for the same reader once more, under another name; it decides nothing."""
    key = f"{file.id}/{seat.value}/repeat"
    number = _next_number(journal.transaction, key)
    body = {"seat": seat.value, "reader": reader, "order": order, "number": number, "repeat": True}
    return _write(journal, records, file, key, body)


def _write(journal: Journal, records: Records, file: CaseFile, key: str, said: Mapping[str, Any]) -> RecordVersion:
    chance = records.salt()
    is_swapped = int(digest_of(f"display {chance}")[-1], 16) % 2 == 1
    order = ("second", "first") if is_swapped else ("first", "second")
    body = {
        "case": file.id,
        "kind": file.body["kind"],
        "repeat": False,
        "alias": "R" + digest_of(f"alias {chance}").removeprefix("sha256:")[:_ALIAS_LENGTH].upper(),
        "seed": file.protocol.reading.seed,
        "by_consensus": file.protocol.reading.resolution is Resolution.CONSENSUS,
        "display": dict(zip("AB", order, strict=True)) if said["seat"] == Seat.ADJUDICATOR.value else {},
        "since": journal.at,
        **said,
    }
    place = Place(file.trial, file.id, str(said["reader"]), "assigned")
    return journal.write(ASSIGNMENT, key, body, action="assign_read", place=place)


def _reloaded(transaction: Transaction, file: CaseFile) -> CaseFile:
    fresh = load_case(transaction, file.id)
    return replace(fresh, review=replace(fresh.review, barred=fresh.review.barred | file.review.barred))


def _next_number(transaction: Transaction, key: str) -> int:
    """Of the read that begins in a seat: one more than whatever somebody else left there."""
    former = transaction.current(ASSIGNMENT, key)
    if former is None:
        return 1
    number: int = former.body["number"]
    return number + 1 if transaction.current(READ, read_id(key, number)) is not None else number


def _design_in_force(transaction: Transaction, trial: str) -> ReadingDesign:
    return protocol_under(transaction, trial, protocol_of(transaction, trial).body["digest"]).reading


def _free_seats(file: CaseFile) -> tuple[Seat, ...]:
    return tuple(seat for seat in file.protocol.reading.reading_seats if seat not in file.review.reads)


def _needs_adjudicator(file: CaseFile) -> bool:
    return Seat.ADJUDICATOR in file.protocol.reading.seats and not file.review.adjudicator


def _open(file: CaseFile) -> OpenCase:
    held = tuple(read.reader.id for read in file.review.reads.values())
    return OpenCase(file.id, _free_seats(file), held, file.review.barred)


def _workload(transaction: Transaction, trial: str) -> Workload:
    """Who reads what with whom, in every case that is still used."""
    unused = {one.id for one in transaction.find(CASE, Place(trial=trial, state=Stage.WITHDRAWN.value))}
    readers: dict[str, list[str]] = {}
    for one in transaction.find(ASSIGNMENT, Place(trial=trial)):
        is_reading = one.body["seat"] != Seat.ADJUDICATOR.value and not one.body["repeat"]
        if is_reading and one.place.state != "revoked" and one.place.case not in unused:
            readers.setdefault(one.place.case, []).append(one.body["reader"])
    workload = Workload()
    for people in readers.values():
        workload.add(people)
    return workload


def _barring(transaction: Transaction, files: Sequence[CaseFile]) -> list[CaseFile]:
    """The cases, each closed to whoever read another kind of case of its subject, where the design says so."""
    if not files or files[0].protocol.reading.shared_readers:
        return list(files)
    trial = files[0].trial
    kinds = {one.id: (one.body["subject"], one.body["kind"]) for one in transaction.find(CASE, Place(trial=trial))}
    if len({kind for _, kind in kinds.values()}) < len(("one", "another")):
        return list(files)
    seen: dict[str, set[tuple[str, str]]] = {}
    for one in transaction.find(ASSIGNMENT, Place(trial=trial)):
        subject, kind = kinds[one.place.case]
        seen.setdefault(subject, set()).add((kind, one.body["reader"]))
    barred = {
        key: frozenset(reader for other, reader in seen.get(subject, ()) if other != kind)
        for key, (subject, kind) in kinds.items()
    }
    return [replace(f, review=replace(f.review, barred=f.review.barred | barred[f.id])) for f in files]


def _people(journal: Journal, named: Sequence[str], role: Role, files: Sequence[CaseFile]) -> list[str]:
    """Who of those named, or of all who hold the role, may be given these cases."""
    trial, charters = files[0].trial, sorted({file.protocol.trial.version for file in files})
    asked = list(named) or _holders(journal, trial, role)
    refused = {
        who: because for who in asked for charter in charters if (because := _unfit(journal, trial, who, role, charter))
    }
    if named and refused:
        faults = tuple(Fault(who, "may_not_read", because) for who, because in refused.items())
        raise ReadingError(f"{len(faults)} of those named may not be given cases", faults)
    return [who for who in asked if who not in refused]


def _holders(journal: Journal, trial: str, role: Role) -> list[str]:
    grants = [one.body for one in journal.transaction.find(GRANT, Place(state="valid"))]
    return sorted({g["user"] for g in grants if covers(g, role, trial=trial, at=journal.at)})


def _unfit(journal: Journal, trial: str, person: str, role: Role, charter: str) -> str:
    """Why somebody may not be given cases; empty if they may."""
    because = refusal(journal.transaction, Actor(person, role), _ACTION[role], trial=trial, at=journal.at)
    if because:
        return because
    try:
        require_fit_to_read(journal.transaction, person, trial, charter)
    except AccessError as refused:
        return str(refused)
    return ""


def _last_order(transaction: Transaction, trial: str, reader: str) -> int:
    orders = (one.body["order"] for one in transaction.find(ASSIGNMENT, Place(trial=trial, person=reader)))
    return max(orders, default=0)


def _had(transaction: Transaction, trial: str, reader: str) -> tuple[int, int]:
    """How many cases a reader was given, and how many of them twice."""
    own = [one.body["repeat"] for one in transaction.find(ASSIGNMENT, Place(trial=trial, person=reader))]
    return own.count(False), own.count(True)
