"""Cases come in, are proposed to, grow, are withdrawn: what happens to a case beside being read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.reading import CaseKind, Stage
from trialimg.review.design import ConfirmationCause, ReadingDesign
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_content import normal_entry
from trialimg.services.reading_file import (
    ASSIGNMENT,
    CASE,
    DEVICE_SEAT,
    READ,
    VERDICT,
    CaseFile,
    case_id,
    load_case,
    protocol_under,
    write_case,
)
from trialimg.services.reading_moves import carry_over
from trialimg.services.records import Place, RecordVersion
from trialimg.services.trials import protocol_of
from trialimg.services.trials_data_cut import require_open
from trialimg.services.trials_sites import site_refusal

__all__ = [
    "ASSIGNMENT",
    "CASE",
    "READ",
    "VERDICT",
    "CaseTimepoint",
    "Proposal",
    "ReceivedCase",
    "add_late",
    "case_id",
    "extend_cases",
    "receive_cases",
    "take_in",
    "withdraw_consent",
]


@dataclass(frozen=True)
class CaseTimepoint:
    """One visit of a case, and the images that were received of it."""

    id: str
    date: dt.date
    first_date: dt.date | None = None
    """Of its earliest image, where they differ."""
    series: tuple[str, ...] = ()
    """Series Instance UIDs."""
    images: str = ""
    """Digest over the files of the series."""

    def plain(self) -> dict[str, Any]:
        """As it stands in the case record."""
        first = self.first_date.isoformat() if self.first_date else ""
        return {
            "id": self.id,
            "date": self.date.isoformat(),
            "first_date": first,
            "series": list(self.series),
            "images": self.images,
        }


@dataclass(frozen=True)
class Proposal:
    """What the software measured in a case."""

    entries: Mapping[str, Mapping[str, Any]]
    """By timepoint, as a reader would write it."""
    device: Mapping[str, str]
    """Name, version and model digest of what measured."""


@dataclass(frozen=True)
class ReceivedCase:
    """One subject's imaging as it comes in; it says nothing of the arm, or of what the site saw."""

    code: str
    """Name of the case in the trial."""
    subject: str
    """The subject's blinded code."""
    timepoints: tuple[CaseTimepoint, ...]
    """Baseline first, then by date."""
    kind: CaseKind = CaseKind.EFFICACY
    reference_date: dt.date | None = None
    """Randomisation or first dose; never shown to a reader."""
    cause: ConfirmationCause | None = None
    """What asks for a progression case; kept in the ledger, never shown to a reader."""
    proposal: Proposal | None = None
    site: str = ""
    """Who sent the images, for shares of the price; never shown to a reader."""


def receive_cases(
    records: Records, actor: Actor, trial: str, cases: Sequence[ReceivedCase]
) -> tuple[RecordVersion, ...]:
    """Take cases in under the protocol in force, with what the software proposes; all of them or none.

    Raises
    ------
    ReadingError
        Naming everything that is wrong with any of them, such as a site that is not active.
    """
    with records.change(actor, Action.RECEIVE_CASES, trial=trial) as journal:
        return take_in(journal, trial, cases)


def take_in(journal: Journal, trial: str, cases: Sequence[ReceivedCase]) -> tuple[RecordVersion, ...]:
    """The same as part of another change.

    Raises
    ------
    ReadingError
        As for `receive_cases`.
    """
    transaction = journal.transaction
    digest = protocol_of(transaction, trial).body["digest"]
    design = protocol_under(transaction, trial, digest).reading
    faults = [
        *_doubled(cases),
        *(fault for case in cases for fault in _faults(transaction, trial, case, design)),
        *_site_faults(transaction, trial, cases, journal.at),
    ]
    if faults:
        raise ReadingError(f"{len(faults)} fault(s), no case was received", tuple(faults))
    return tuple(_received(journal, trial, case, digest) for case in cases)


def _site_faults(transaction: Transaction, trial: str, cases: Sequence[ReceivedCase], at: str) -> Iterator[Fault]:
    """Images in the name of a site that may send none, or not yet."""
    for site in sorted({case.site for case in cases} - {""}):
        if because := site_refusal(transaction, trial, site, at):
            codes = ", ".join(case.code for case in cases if case.site == site)
            yield Fault(codes, "site_not_active", f"{because}; activate it by `trialimg trial site`")


def _received(journal: Journal, trial: str, case: ReceivedCase, protocol_digest: str) -> RecordVersion:
    key = case_id(trial, case.code)
    body: dict[str, Any] = {
        "code": case.code,
        "subject": case.subject,
        "kind": case.kind.value,
        "timepoints": [timepoint.plain() for timepoint in case.timepoints],
        "site": case.site,
        "reference_date": case.reference_date.isoformat() if case.reference_date else "",
        "protocol_digest": protocol_digest,
        "received_at": journal.at,
        "reopened": {},
        "result": None,
    }
    place = Place(trial, key, state=Stage.RECEIVED.value)
    because = f"asked for by {case.cause.value.replace('_', ' ')}" if case.cause else ""
    version = journal.write(CASE, key, body, action="receive_case", place=place, reason=because)
    if case.proposal is not None:
        _propose(journal, version, case.proposal)
    return version


def _propose(journal: Journal, case: RecordVersion, proposal: Proposal) -> RecordVersion:
    """The draft of the software as a reader: it is never locked, signed or chosen."""
    key = f"{case.id}/{DEVICE_SEAT}"
    body = {
        "case": case.id,
        "seat": DEVICE_SEAT,
        "device": dict(proposal.device),
        "timepoints": {step: normal_entry(step, entry) for step, entry in proposal.entries.items()},
        "protocol_digest": case.body["protocol_digest"],
    }
    place = Place(case.place.trial, case.id, person=DEVICE_SEAT, state="draft")
    return journal.write(READ, key, body, action="propose_read", place=place)


def _doubled(cases: Sequence[ReceivedCase]) -> Iterator[Fault]:
    codes = [case.code for case in cases]
    return (Fault(code, "duplicate", "stands twice in this list") for code in sorted({*codes}) if codes.count(code) > 1)


def _faults(transaction: Transaction, trial: str, case: ReceivedCase, design: ReadingDesign) -> Iterator[Fault]:
    if not case.code or any(letter not in _CODE for letter in case.code):
        yield Fault(case.code or "case", "bad_name", "a case is named by letters, digits, dot, dash and underscore")
    if not case.subject:
        yield Fault(case.code, "blank", "the subject has no code")
    if transaction.current(CASE, case_id(trial, case.code)) is not None:
        yield Fault(case.code, "already_received", "was received before; give late timepoints to it instead")
    if case.kind not in design.case_kinds:
        message = f"the protocol reads no {case.kind.value} cases (reading.case_kinds)"
        yield Fault(case.code, "other_kind", message)
    wanted: tuple[ConfirmationCause | None, ...] = (None,)
    if case.kind is CaseKind.PROGRESSION:
        wanted = design.confirmation
    if case.cause not in wanted:
        causes = ", ".join(cause.value for cause in design.confirmation) or "none"
        yield Fault(case.code, "bad_cause", f"a progression case, and no other, is asked for by one of: {causes}")
    yield from _timepoint_faults(case.code, case.timepoints)


_CODE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def _timepoint_faults(code: str, timepoints: Sequence[CaseTimepoint]) -> Iterator[Fault]:
    names, dates = [t.id for t in timepoints], [t.date for t in timepoints]
    if not timepoints:
        yield Fault(code, "no_timepoint", "no timepoint was received")
    if len({*names}) < len(names) or "" in names or "GLOBAL" in names:
        yield Fault(code, "bad_timepoint", "every timepoint has a name of its own, and none is called GLOBAL")
    if dates != sorted({*dates}):
        yield Fault(code, "bad_order", "timepoints stand in order of date, each on another day, baseline first")
    for timepoint in timepoints:
        if timepoint.first_date is not None and timepoint.first_date > timepoint.date:
            yield Fault(code, "bad_date", f"{timepoint.id}: its first image is dated after its last")


def extend_cases(
    records: Records, actor: Actor, trial: str, *, late: Mapping[str, Sequence[CaseTimepoint]]
) -> tuple[RecordVersion, ...]:
    """Give late timepoints to cases, all of them or none: whoever read one goes on, and what was locked stays locked.

    Parameters
    ----------
    late
        New timepoints by the code of the case.

    Raises
    ------
    ReadingError
        If there is no such case, consent was withdrawn, a data cut holds it, or naming every timepoint that is not
        new or lies before baseline.
    """
    with records.change(actor, Action.RECEIVE_CASES, trial=trial) as journal:
        return add_late(journal, trial, late)


def add_late(journal: Journal, trial: str, late: Mapping[str, Sequence[CaseTimepoint]]) -> tuple[RecordVersion, ...]:
    """The same as part of another change.

    Raises
    ------
    ReadingError
        As for `extend_cases`.
    """
    files = {code: load_case(journal.transaction, case_id(trial, code)) for code in late}
    for file in files.values():
        require_open(journal.transaction, trial, file.id)
    faults = [fault for code, file in files.items() for fault in _late_faults(file, late[code])]
    if faults:
        raise ReadingError(f"{len(faults)} fault(s), nothing was received", tuple(faults))
    return tuple(_extended(journal, file, late[code]) for code, file in files.items())


def _together(file: CaseFile, late: Sequence[CaseTimepoint]) -> list[dict[str, Any]]:
    everything = [*file.body["timepoints"], *(timepoint.plain() for timepoint in late)]
    return sorted(everything, key=lambda one: str(one["date"]))


def _late_faults(file: CaseFile, late: Sequence[CaseTimepoint]) -> Iterator[Fault]:
    together, code = _together(file, late), file.body["code"]
    yield from _timepoint_faults(code, [_read_back(one) for one in together])
    if together[0] != file.body["timepoints"][0]:
        yield Fault(code, "before_baseline", "a late timepoint lies after baseline")


def _extended(journal: Journal, file: CaseFile, late: Sequence[CaseTimepoint]) -> RecordVersion:
    together = _together(file, late)
    review = file.review.extended(tuple(one["id"] for one in together))
    because = f"received later: {', '.join(timepoint.id for timepoint in late)}"
    carry_over(journal, file, review, because)
    changes = {"timepoints": together, "result": None}
    return write_case(journal, file, review, action="extend_case", reason=because, **changes)


def _read_back(one: Mapping[str, Any]) -> CaseTimepoint:
    first = dt.date.fromisoformat(one["first_date"]) if one["first_date"] else None
    return CaseTimepoint(one["id"], dt.date.fromisoformat(one["date"]), first, tuple(one["series"]), one["images"])


def withdraw_consent(
    records: Records, actor: Actor, trial: str, subject: str, *, reason: str
) -> tuple[RecordVersion, ...]:
    """Stop every use of a subject's cases: no further read, no value given out; what was done stays on the record.

    Raises
    ------
    ReadingError
        If the trial has no case of this subject, or consent was withdrawn before.
    """
    with records.change(actor, Action.WITHDRAW_CONSENT, trial=trial) as journal:
        own = [one.id for one in journal.transaction.find(CASE, Place(trial=trial)) if one.body["subject"] == subject]
        files = [load_case(journal.transaction, key) for key in own]
        still_used = [file for file in files if not file.review.is_withdrawn]
        if not still_used or not reason.strip():
            raise ReadingError(f"{trial} uses no case of subject {subject!r}, or no reason was given")
        return tuple(
            write_case(journal, file, file.review.withdrawn(), action="withdraw_consent", reason=reason)
            for file in still_used
        )
