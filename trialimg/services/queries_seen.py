"""Queries as they are looked through: which wait, for how long, at which site; all of a trial, or one's own site's."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import AccessError
from trialimg.services.authority import refusal
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.queries import QUERY, QueryState
from trialimg.services.reading_file import protocol_in_force
from trialimg.services.records import Place, RecordVersion

__all__ = ["AGES_DAYS", "WAITING", "QueryLine", "ageing", "open_by_subject", "queries_of", "sites_of"]

WAITING = frozenset({QueryState.OPEN.value, QueryState.ANSWERED.value})
"""States in which somebody has still to do something: the site, or who leads the trial."""

AGES_DAYS = (7, 14, 30)
"""Upper ends of the bands of age; older ones are the last band."""


@dataclass(frozen=True)
class QueryLine:
    """One query."""

    id: str
    site: str
    code: str
    subject: str
    case: str
    timepoint: str
    state: str
    text: str
    opened_on: str
    days: int
    """Whole days from its opening to its end, or to now while it waits."""
    thread: tuple[Mapping[str, Any], ...]

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has still to do something."""
        return self.state in WAITING


def queries_of(records: Records, actor: Actor, trial: str) -> tuple[QueryLine, ...]:
    """Every query of a trial that the actor may see, those that wait first, oldest first; a site sees its own.

    Raises
    ------
    AccessError
        If the actor sees no queries of the trial.
    """
    if actor.role is Role.SITE:
        return _of_sites(records, actor, trial)
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        return _lines(transaction.find(QUERY, Place(trial)), records.now())


def ageing(lines: Iterable[QueryLine]) -> dict[str, int]:
    """How many queries wait, by their age in days."""
    names = _bands()
    counted = Counter(_band(line.days) for line in lines if line.is_waiting)
    return {name: counted[name] for name in names}


def open_by_subject(transaction: Transaction, trial: str) -> Counter[str]:
    """Subject to the number of its queries that wait."""
    return Counter(
        str(one.body["subject"])
        for state in sorted(WAITING)
        for one in transaction.find(QUERY, Place(trial, state=state))
    )


def sites_of(records: Records, actor: Actor, trial: str) -> tuple[str, ...]:
    """Codes of the sites that may be asked.

    Raises
    ------
    AccessError
        If the actor may not ask.
    """
    with records.look(actor, Action.RAISE_QUERIES, trial=trial) as transaction:
        return protocol_in_force(transaction, trial).sites


def _of_sites(records: Records, actor: Actor, trial: str) -> tuple[QueryLine, ...]:
    """What a person of one or more sites sees; of who is of none, the attempt is kept."""
    at = records.now()
    with records.store.reading() as transaction:
        sites = protocol_in_force(transaction, trial).sites
        action = Action.ANSWER_QUERIES
        own = {one for one in sites if not refusal(transaction, actor, action, trial=trial, site=one, at=at)}
        found = [one for one in transaction.find(QUERY, Place(trial)) if one.body["site"] in own]
    if not own:
        with records.look(actor, Action.ANSWER_QUERIES, trial=trial):
            raise AccessError(f"{actor.user} is of no site of {trial}")
    return _lines(found, at)


def _lines(found: Iterable[RecordVersion], now: str) -> tuple[QueryLine, ...]:
    lines = [_line(one, now) for one in found]
    return tuple(sorted(lines, key=lambda line: (not line.is_waiting, line.opened_on, line.id)))


def _line(one: RecordVersion, now: str) -> QueryLine:
    body, state = one.body, one.place.state
    end = now if state in WAITING else body["thread"][-1]["at"]
    return QueryLine(
        one.id,
        body["site"],
        body["code"],
        body["subject"],
        body["case"],
        body["timepoint"],
        state,
        body["text"],
        body["opened_at"][:10],
        (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(body["opened_at"])).days,
        tuple(body["thread"]),
    )


def _bands() -> tuple[str, ...]:
    starts = (0, *(end + 1 for end in AGES_DAYS))
    return (*(f"{start}-{end}" for start, end in zip(starts, AGES_DAYS, strict=False)), f"{AGES_DAYS[-1] + 1}+")


def _band(days: int) -> str:
    return _bands()[sum(days > end for end in AGES_DAYS)]
