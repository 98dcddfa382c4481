"""Which lesion a measurement is of, where that is in doubt: what the software proposed, what the reader said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import plain
from trialimg.core.errors import ReadingError
from trialimg.core.links import Link, LinkKind
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_desk import reader_at_case
from trialimg.services.records import Place, RecordVersion

__all__ = ["LINKS", "confirm_link", "confirmed_links", "link_of"]

LINKS = "lesion_links"
"""Kind of a record; its id is ``assignment/timepoint``."""


def confirm_link(
    records: Records, actor: Actor, place: tuple[str, str, str], *, proposed: Link, said: Link
) -> RecordVersion:
    """Keep a reader's word on a link that the software proposed: the same one, or another in its place.

    What was said before of other lesions of the timepoint stays; what was said of these is a former version.

    Parameters
    ----------
    place
        Trial, the reader's own name of the case, timepoint.
    said
        Where it is not the proposed one (kind, lesions) it becomes the reader's own, without numbers; what was proposed
        is kept as rejected.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If the timepoint is not open to the reader, or the proposal names nobody, or a person already.
    """
    trial, alias, step = place
    if proposed.confirmed_by or not proposed.proposed_by:
        raise ReadingError(f"{alias} {step}: a proposal names what proposed it, and is confirmed by nobody")
    with records.change(actor, Action.READ, trial=trial) as journal:
        at = reader_at_case(journal, "", trial, alias)
        at.read.drafted(at.assignment.body["reader"], step)
        key = f"{at.assignment.id}/{step}"
        kept = journal.transaction.current(LINKS, key)
        body = kept.body if kept is not None else {"links": [], "rejected": []}
        word = proposed.confirmed(actor.user) if _same(proposed, said) else _own(said, actor.user)
        rejected = [] if _same(proposed, said) else [proposed]
        whole = {
            "timepoint": step,
            "links": [*_of_others(body["links"], word), _facts(word)],
            "rejected": [*_of_others(body["rejected"], word), *(_facts(one) for one in rejected)],
        }
        where = Place(trial, at.file.id, person=actor.user, state="confirmed")
        return journal.write(LINKS, key, whole, action="confirm_link", place=where)


def confirmed_links(transaction: Transaction, assignment: RecordVersion, step: str) -> tuple[Link, ...]:
    """What a reader said of the links of a timepoint; none where nothing was in doubt."""
    found = transaction.current(LINKS, f"{assignment.id}/{step}")
    return tuple(link_of(one) for one in found.body["links"]) if found is not None else ()


def link_of(facts: Mapping[str, Any]) -> Link:
    """A link from its record."""
    sides = tuple(facts["earlier"]), tuple(facts["later"])
    words = facts["proposed_by"], facts["confirmed_by"]
    reasons = {name: float(value) for name, value in facts["reasons"].items()}
    return Link(LinkKind(facts["kind"]), *sides, float(facts["score"]), reasons, *words)


def _facts(link: Link) -> dict[str, Any]:
    """A link as it stands in a record, which holds numbers as text, to four decimals."""
    reasons = {name: f"{value:.4f}" for name, value in link.reasons.items()}
    return {**plain(link), "score": f"{link.score:.4f}", "reasons": reasons}


def _of_others(links: Sequence[Mapping[str, Any]], word: Link) -> list[Mapping[str, Any]]:
    """Those of other lesions."""
    named = {*word.earlier, *word.later}
    return [one for one in links if not named & {*one["earlier"], *one["later"]}]


def _own(said: Link, reader: str) -> Link:
    return Link(said.kind, said.earlier, said.later, 1.0, {}, reader, reader)


def _same(one: Link, other: Link) -> bool:
    return (one.kind, set(one.earlier), set(one.later)) == (other.kind, set(other.earlier), set(other.later))
