"""Questions to a site about what was noticed in its data: asked, answered, closed; every word of it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import CASE, case_id, protocol_in_force
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "QUERY",
    "Answer",
    "QueryState",
    "Question",
    "answer_query",
    "cancel_query",
    "close_query",
    "identifiers_in",
    "open_query",
    "question_of",
    "reopen_query",
    "write_query",
]

QUERY = "query"
"""Kind of a record; its id is ``trial/Q0001``, its state a `QueryState`; body: the question and its thread."""


class QueryState(Enum):
    """How far a query has come."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"
    """The answer settles it."""
    CANCELLED = "cancelled"
    """It should not have been asked."""


@dataclass(frozen=True)
class Question:
    """What is asked, about what; no name, number or date that would tell who the subject is."""

    site: str
    code: str
    """Short word for the matter, as findings have it: ``slice_thickness``, ``missed_visit``."""
    text: str
    subject: str = ""
    """Blinded code."""
    case: str = ""
    """Code of the case; empty where there is none yet."""
    timepoint: str = ""
    series: str = ""
    """Series Instance UID."""
    finding: str = ""
    """Digest of the finding that asks; empty where a person does."""


@dataclass(frozen=True)
class Answer:
    """What a site said."""

    text: str
    source: str = ""
    """How it came, where somebody else writes it down: ``e-mail of 2026-03-04 from the study coordinator``."""


_MOVES: Mapping[str, tuple[frozenset[QueryState], QueryState]] = {
    "answer_query": (frozenset({QueryState.OPEN, QueryState.ANSWERED}), QueryState.ANSWERED),
    "close_query": (frozenset({QueryState.OPEN, QueryState.ANSWERED}), QueryState.CLOSED),
    "cancel_query": (frozenset({QueryState.OPEN, QueryState.ANSWERED}), QueryState.CANCELLED),
    "reopen_query": (frozenset({QueryState.ANSWERED, QueryState.CLOSED, QueryState.CANCELLED}), QueryState.OPEN),
}
"""Action to the states in which it may be done, and the state that it leads to."""

_IDENTIFIERS = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "a telephone, record or identity number": re.compile(r"(?<![\d.])\+?\d(?:[ \-]?\d){6,}[\dXx]?(?![\d.])"),
    "a date of birth": re.compile(r"\b(?:dob|d\.o\.b|born|date of birth|birth ?date)\b|出生|生日", re.IGNORECASE),
    "a form of address": re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Herr|Frau)\.?\s+[A-Z]|先生|女士"),
}
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_LONGEST = 2000
_IDENTIFIES = "identifies"


def identifiers_in(text: str) -> tuple[str, ...]:
    """What in a text looks as if it told who somebody is; a plain name cannot be found this way."""
    without_dates = _ISO_DATE.sub(" ", text)
    return tuple(what for what, pattern in _IDENTIFIERS.items() if pattern.search(without_dates))


def question_of(finding: Mapping[str, str], site: str, *, case: str = "") -> Question:
    """The question that a finding of a run asks."""
    about = {name: finding[name] for name in ("code", "where", "message", "subject", "timepoint")}
    return Question(
        site,
        finding["code"],
        finding["message"],
        finding["subject"],
        case,
        finding["timepoint"],
        finding=digest_of(about),
    )


def open_query(records: Records, actor: Actor, trial: str, question: Question) -> RecordVersion:
    """Ask a site something.

    Raises
    ------
    ReadingError
        Naming everything that is wrong with the question: an unknown site or case, nothing asked, something in it
        that tells who the subject is, or a finding that was asked about before.
    """
    with records.change(actor, Action.RAISE_QUERIES, trial=trial) as journal:
        return write_query(journal, trial, question)


def write_query(
    journal: Journal, trial: str, question: Question, *, because: str = "", is_of_software: bool = False
) -> RecordVersion:
    """Ask a site something as part of another change, such as the receipt of its images.

    Parameters
    ----------
    is_of_software
        Whether the software words it, from headers that were found to identify nobody; numbers of a scanner's
        software look like numbers of people.

    Raises
    ------
    ReadingError
        As for `open_query`.
    """
    transaction = journal.transaction
    faults = tuple(
        one for one in _faults(transaction, trial, question) if not (is_of_software and one.code == "identifies")
    )
    if faults:
        raise ReadingError(f"no query was opened: {faults[0].message}", faults)
    number = 1 + transaction.count(QUERY, Place(trial))
    case = case_id(trial, question.case) if question.case else ""
    body = {
        **asdict(question),
        "number": number,
        "opened_by": journal.actor.user,
        "opened_at": journal.at,
        "thread": [_said(journal, "open_query", question.text)],
    }
    place = Place(trial, case, state=QueryState.OPEN.value)
    return journal.write(QUERY, f"{trial}/Q{number:04d}", body, action="open_query", place=place, reason=because)


def answer_query(records: Records, actor: Actor, query: str, answer: Answer) -> RecordVersion:
    """Keep what the site said: by one of the site, or by who leads the trial, who then names where it comes from.

    Parameters
    ----------
    query
        ``trial/Q0001``.

    Raises
    ------
    AccessError
        If the query is of another site than the actor's.
    ReadingError
        If there is no such query, it is settled, nothing is said, or its source is not named.
    """
    trial, is_site = query.partition("/")[0], actor.role is Role.SITE
    site = _site_of(records, query) if is_site else ""
    action = Action.ANSWER_QUERIES if is_site else Action.RAISE_QUERIES
    with records.change(actor, action, trial=trial, site=site) as journal:
        if not is_site and not answer.source.strip():
            raise ReadingError("say where the site's answer comes from, such as: e-mail of 2026-03-04, coordinator")
        return _moved(journal, query, "answer_query", answer.text, answer.source)


def close_query(records: Records, actor: Actor, query: str, *, reason: str) -> RecordVersion:
    """End a query: it is settled; the reason says how.

    Raises
    ------
    ReadingError
        If there is no such query, it has ended, or no reason is given.
    """
    return _step(records, actor, query, "close_query", reason)


def cancel_query(records: Records, actor: Actor, query: str, *, reason: str) -> RecordVersion:
    """Take a query back that should not have been asked.

    Raises
    ------
    ReadingError
        As for `close_query`.
    """
    return _step(records, actor, query, "cancel_query", reason)


def reopen_query(records: Records, actor: Actor, query: str, *, reason: str) -> RecordVersion:
    """Ask again: the answer does not do, or the matter came back.

    Raises
    ------
    ReadingError
        If there is no such query, it is open, or no reason is given.
    """
    return _step(records, actor, query, "reopen_query", reason)


def _step(records: Records, actor: Actor, query: str, action: str, reason: str) -> RecordVersion:
    with records.change(actor, Action.RAISE_QUERIES, trial=query.partition("/")[0]) as journal:
        return _moved(journal, query, action, reason)


def _moved(journal: Journal, query: str, action: str, text: str, source: str = "") -> RecordVersion:
    found = journal.transaction.current(QUERY, query)
    if found is None:
        raise ReadingError(f"there is no query {query!r}; `trialimg query list` shows them")
    states, next_state = _MOVES[action]
    if QueryState(found.place.state) not in states:
        raise ReadingError(f"{query} is {found.place.state}, so one cannot {action.replace('_', ' ')} it")
    if faults := tuple(_text_faults("text", text)) + tuple(_text_faults("source", source, may_be_empty=True)):
        raise ReadingError(f"{query} stays as it is: {faults[0].message}", faults)
    body = {**found.body, "thread": [*found.body["thread"], _said(journal, action, text, source)]}
    place = Place(found.place.trial, found.place.case, state=next_state.value)
    return journal.write(QUERY, query, body, action=action, place=place, reason=text)


def _said(journal: Journal, action: str, text: str, source: str = "") -> dict[str, Any]:
    who = {"by": journal.actor.user, "role": journal.actor.role.value, "at": journal.at}
    return {"action": action, **who, "text": text, "source": source}


def _site_of(records: Records, query: str) -> str:
    with records.store.reading() as transaction:
        found = transaction.current(QUERY, query)
    if found is None:
        raise ReadingError(f"there is no query {query!r}")
    return str(found.body["site"])


def _faults(transaction: Transaction, trial: str, question: Question) -> Iterator[Fault]:
    sites = protocol_in_force(transaction, trial).sites
    if question.site not in sites:
        yield Fault("site", "unknown_site", f"the protocol names the sites {', '.join(sites)}, not {question.site!r}")
    if not question.code.strip():
        yield Fault("code", "empty", "give the matter a short word, such as slice_thickness")
    if question.case and transaction.current(CASE, case_id(trial, question.case)) is None:
        yield Fault("case", "unknown_case", f"{trial} has no case {question.case!r}")
    yield from _text_faults("text", question.text)
    asked = (one for one in transaction.find(QUERY, Place(trial)) if question.finding)
    if same := next((one.id for one in asked if one.body["finding"] == question.finding), ""):
        yield Fault("finding", "asked_before", f"was asked about in {same}; reopen that, if it is not settled")


def _text_faults(where: str, text: str, *, may_be_empty: bool = False) -> Iterator[Fault]:
    if not text.strip() and not may_be_empty:
        yield Fault(where, "empty", "say what it is about")
    if len(text) > _LONGEST:
        yield Fault(where, "too_long", f"at most {_LONGEST} characters, not {len(text)}")
    for what in identifiers_in(text):
        yield Fault(where, _IDENTIFIES, f"holds what looks like {what}; write of the subject by code alone")
