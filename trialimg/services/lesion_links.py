"""Who proposed which link between lesions of two visits, and who confirmed or changed it: kept like everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import plain
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.links import Link, LinkKind
from trialimg.services.journal import Records
from trialimg.services.reading_desk import held
from trialimg.services.reading_file import CASE
from trialimg.services.records import Place, RecordVersion

__all__ = ["LINKS", "confirm_links", "link_of", "propose_links"]

LINKS = "lesion_links"
"""Kind of a record; its id is ``case/timepoint`` for what the software proposes, ``assignment/timepoint`` for what a
reader says of it."""

_DEVICE = "device"


def propose_links(records: Records, actor: Actor, case: str, step: str, *, links: Sequence[Link]) -> RecordVersion:
    """Keep what the software proposes for the lesions of a timepoint; a later proposal is a later version.

    Parameters
    ----------
    actor
        The software itself.
    case
        Key of the case.

    Raises
    ------
    AccessError
        If the actor may not propose in the case's trial.
    ReadingError
        If there is no such case or timepoint, or a link claims to be confirmed.
    """
    trial = case.partition("/")[0]
    with records.change(actor, Action.PROPOSE_READ, trial=trial) as journal:
        found = journal.transaction.current(CASE, case)
        if found is None or step not in {one["id"] for one in found.body["timepoints"]}:
            raise ReadingError(f"there is no timepoint {step!r} of a case {case!r}")
        if any(link.confirmed_by or not link.proposed_by for link in links):
            raise ReadingError(f"{case} {step}: a proposal names what proposed it, and is confirmed by nobody")
        place = Place(found.place.trial, found.id, person=_DEVICE, state="proposed")
        body = {"timepoint": step, "links": _facts(links)}
        return journal.write(LINKS, f"{case}/{step}", body, action="propose_links", place=place)


def confirm_links(
    records: Records, actor: Actor, trial: str, alias: str, *, step: str, links: Sequence[Link]
) -> RecordVersion:
    """Keep a reader's word on the links of a timepoint: as they were proposed, or changed.

    Parameters
    ----------
    alias
        The reader's own name of the case.
    links
        All links of the timepoint. One that was not proposed like this (kind, lesions) becomes the reader's own; the
        version of the proposal that was seen is kept beside them.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        With every lesion that stands in two links.
    """
    with records.change(actor, Action.READ, trial=trial) as journal:
        assignment = held(journal.transaction, actor, trial, alias)
        proposal = journal.transaction.current(LINKS, f"{assignment.place.case}/{step}")
        proposed = [link_of(one) for one in proposal.body["links"]] if proposal is not None else []
        if faults := _doubled(step, links):
            raise ReadingError(f"{alias} {step}: a lesion has one link to the visit before", faults)
        said = [_by_reader(link, proposed, actor.user) for link in links]
        body = {
            "timepoint": step,
            "links": _facts(said),
            "proposal_version": 0 if proposal is None else proposal.version,
            "rejected": _facts([one for one in proposed if not any(_same(one, link) for link in links)]),
        }
        place = Place(trial, assignment.place.case, person=actor.user, state="confirmed")
        return journal.write(LINKS, f"{assignment.id}/{step}", body, action="confirm_links", place=place)


def link_of(facts: Mapping[str, Any]) -> Link:
    """A link from its record."""
    sides = tuple(facts["earlier"]), tuple(facts["later"])
    words = facts["proposed_by"], facts["confirmed_by"]
    reasons = {name: float(value) for name, value in facts["reasons"].items()}
    return Link(LinkKind(facts["kind"]), *sides, float(facts["score"]), reasons, *words)


def _facts(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Links as they stand in a record, which holds numbers as text, to four decimals."""
    return [
        {
            **plain(link),
            "score": f"{link.score:.4f}",
            "reasons": {name: f"{value:.4f}" for name, value in link.reasons.items()},
        }
        for link in links
    ]


def _by_reader(link: Link, proposed: Sequence[Link], reader: str) -> Link:
    """The proposal with the reader's word, or the reader's own link, which has no numbers behind it."""
    original = next((one for one in proposed if _same(one, link)), None)
    if original is not None:
        return original.confirmed(reader)
    return Link(link.kind, link.earlier, link.later, 1.0, {}, reader, reader)


def _same(one: Link, other: Link) -> bool:
    return (one.kind, set(one.earlier), set(one.later)) == (other.kind, set(other.earlier), set(other.later))


def _doubled(step: str, links: Sequence[Link]) -> tuple[Fault, ...]:
    faults = []
    for side in ("earlier", "later"):
        names = [name for link in links for name in getattr(link, side)]
        faults += [
            Fault(f"{step} {name}", "two_links", f"stands in two links as the {side} lesion")
            for name in sorted({*names})
            if names.count(name) > 1
        ]
    return tuple(faults)
