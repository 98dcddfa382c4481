"""What the software proposed, what a person made of it, and so who each number is by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.reading import Attribution
from trialimg.services.reading_content import BY_HAND, NUMBERS

__all__ = ["attributed", "judged_proposals"]

_CLAIMS = (*NUMBERS, "seen", "status", "role", "kind", "organ")
"""What a proposal says of a lesion."""


def attributed(step: str, entry: Mapping[str, Any], proposed: Mapping[str, Any] | None) -> dict[str, Any]:
    """A timepoint in which every number names its author; no client is asked who that was.

    Parameters
    ----------
    proposed
        What the software says of this timepoint; None where it says nothing.

    Raises
    ------
    ReadingError
        If a lesion refers to a proposal that there is not.
    """
    known = {one["lesion"]: one for one in (proposed or {}).get("lesions", ())}
    strangers = [one for one in entry.get("lesions", ()) if one["proposal"] and one["proposal"] not in known]
    if strangers:
        message = "the software proposed no such lesion at this timepoint"
        raise ReadingError(
            f"{step}: {len(strangers)} unknown proposal(s)",
            tuple(Fault(f"{step} {one['lesion']}", "unknown_proposal", message) for one in strangers),
        )
    lesions = [{**one, "attribution": dict(_authors(one, known.get(one["proposal"])))} for one in entry["lesions"]]
    return {**entry, "lesions": lesions}


def _authors(lesion: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """By whom each number is; one that was taken from a mask which a person asked for is the machine's, then theirs."""
    evidence = lesion.get("evidence", {})
    is_machines = evidence.get("digest") and evidence.get("outline") != BY_HAND
    alone = Attribution.MACHINE_THEN_HUMAN if is_machines else Attribution.HUMAN
    for name in NUMBERS:
        if not lesion[name]:
            continue
        if proposal is None or not proposal[name]:
            yield name, alone.value
        else:
            is_same = lesion[name] == proposal[name]
            yield name, (Attribution.MACHINE if is_same else Attribution.MACHINE_THEN_HUMAN).value


def judged_proposals(entry: Mapping[str, Any], proposed: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Each proposal as it was, and whether the person accepted, edited or rejected it."""
    taken = {one["proposal"]: one for one in entry.get("lesions", ()) if one["proposal"]}
    return [
        {"original": dict(proposal), "became": _became(proposal, taken.get(proposal["lesion"]))}
        for proposal in (proposed or {}).get("lesions", ())
    ]


def _became(proposal: Mapping[str, Any], lesion: Mapping[str, Any] | None) -> str:
    if lesion is None:
        return "rejected"
    return "accepted" if all(lesion[name] == proposal[name] for name in _CLAIMS) else "edited"
