"""A trial with cases that have been read, without any of the ways by which real ones come to that."""

from __future__ import annotations

import datetime as dt

from tests.fakes.people import at_desk
from tests.unit.protocol.texts import VALID
from trialimg.core.access import Action, Actor, Role
from trialimg.protocol.load import read_protocol
from trialimg.services.journal import Journal, Records
from trialimg.services.people_credentials import Proof
from trialimg.services.records import Place
from trialimg.services.trials import Change, open_trial

PROTOCOL = read_protocol(VALID)
TRIAL = PROTOCOL.trial.id
OPENED = Change("the charter is approved", dt.date(2026, 1, 1))


def opened(records: Records, user: str = "ana") -> tuple[Actor, Proof]:
    """An analyst at their desk, and their trial open."""
    analyst, proof = at_desk(records, user, Role.ANALYST)
    open_trial(records, analyst, VALID, OPENED)
    return analyst, proof


def case_id(code: str) -> str:
    return f"{TRIAL}/{code}"


def kept_case(
    records: Records, actor: Actor, code: str, *, state: str = "final", software: str = "trialimg 1", subject: str = ""
) -> None:
    """A case in a state; a final one has a signed read by each of two seats, and one verdict."""
    with records.change(actor, Action.RECEIVE_CASES, trial=TRIAL) as journal:
        keep_case(journal, code, state=state, software=software, subject=subject)


def keep_case(journal: Journal, code: str, *, state: str, software: str, subject: str = "") -> None:
    case = case_id(code)
    body = {"subject": subject or code, "kind": "efficacy", "timepoints": [{"id": "BL", "date": "2026-01-02"}]}
    journal.write("case", case, body, action="receive_case", place=Place(TRIAL, case, state="received"))
    if state != "received":
        for seat in ("first", "second"):
            said = {"answer": {"best_response": "PR"}, "software": software, "protocol_digest": PROTOCOL.digest}
            place = Place(TRIAL, case, f"reader-{seat}", "signed")
            journal.write("read", f"{case}/{seat}", said, action="sign_read", place=place)
    if state == "final":
        place = Place(TRIAL, case, "judge", "signed")
        journal.write("verdict", case, {"chosen": "first"}, action="sign_verdict", place=place)
    if state != "received":
        journal.write("case", case, body, action="finalise_case", place=Place(TRIAL, case, state=state))
