"""Many cases in a house: copies of its own, record by record and version by version, under names of their own."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.dashboard import HALF_READ, NOT_GIVEN_OUT, PLAN, TRIAL, UNREAD, House
from tests.fakes.records import SetClock
from trialimg.core.access import Actor, Role
from trialimg.services.journal import Journal
from trialimg.services.records import EntryQuery, Place

PATTERNS = (*PLAN, HALF_READ, UNREAD, NOT_GIVEN_OUT)
"""What is copied, in turn: final by agreement or by verdict, in adjudication, half read, unread, not given out."""
BATCH = 100
BETWEEN_BATCHES = dt.timedelta(hours=14)
"""So that the reads of 10,000 cases lie in three months."""

_COPIED = frozenset({"case", "assignment", "read", "verdict", "model_answer", "signature"})
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Step:
    """One entry of the ledger about a case, and the version of a record that it made."""

    kind: str
    id: str
    who: Actor
    action: str
    place: Place
    body: str
    """As JSON."""
    digest: str


def multiply(house: House, cases: int, *, start: int = 0) -> None:
    """So many cases more, from a number on; every version of every record of a pattern, signatures under them."""
    patterns = [_steps(house, code) for code in PATTERNS]
    clock = house.records.clock
    assert isinstance(clock, SetClock)
    for first in range(start, start + cases, BATCH):
        clock.moment += BETWEEN_BATCHES
        actor = Actor("demo-analyst", Role.ANALYST)
        with house.records.store.changing() as transaction:
            journal = Journal(transaction, actor, house.records)
            for number in range(first, min(first + BATCH, start + cases)):
                _copy(journal, PATTERNS[number % len(PATTERNS)], patterns[number % len(PATTERNS)], number)


def _steps(house: House, code: str) -> Sequence[Step]:
    """What made a case what it is, in the order of the ledger."""
    found = []
    with house.records.store.reading() as transaction:
        for entry in transaction.entries(EntryQuery(trial=TRIAL)):
            if entry.object_kind in _COPIED and re.search(rf"{TRIAL}/{code}\b", entry.object_id) and entry.new:
                made = transaction.versions(entry.object_kind, entry.object_id)[entry.object_version - 1]
                who = Actor(entry.who, Role(entry.role))
                said = json.dumps(made.body)
                found.append(Step(made.kind, made.id, who, entry.action, made.place, said, made.digest))
    return found


def _copy(journal: Journal, code: str, steps: Sequence[Step], number: int) -> None:
    own = f"X{number:05d}"
    digests: dict[str, str] = {}
    for step in steps:
        body = _body(step, code, own, digests)
        if step.kind == "signature":
            body["at"] = journal.at
        journal.actor = step.who
        key, case = (text.replace(f"{TRIAL}/{code}", f"{TRIAL}/{own}") for text in (step.id, step.place.case))
        place = Place(step.place.trial, case, step.place.person, step.place.state)
        made = journal.write(step.kind, key, body, action=step.action, place=place)
        digests[step.digest] = made.digest


def _body(step: Step, code: str, own: str, digests: Mapping[str, str]) -> dict[str, Any]:
    text = step.body.replace(code, own)
    if step.kind in ("case", "verdict", "signature"):
        text = _DIGEST.sub(lambda found: digests.get(found[0], found[0]), text)
    body: dict[str, Any] = json.loads(text)
    if "alias" in body:
        body["alias"] += own[1:]
    return body
