"""Which sites may send images to a trial, from which day, and from which machines."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, IntakeError, InvalidValueError, ProtocolError
from trialimg.protocol.load import read_protocol
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.trials import protocol_of

__all__ = [
    "SITE",
    "SiteChange",
    "Source",
    "SourceKind",
    "accept_source",
    "put_site",
    "site_refusal",
    "source_refusal",
]

SITE = "site"
"""Kind of a record; its id is ``trial/site``, its state ``planned``, ``active`` or ``closed``."""

_LONGEST_AE_TITLE = 16


class SourceKind(Enum):
    """By what a machine that sends images is known."""

    AE_TITLE = "ae_title"
    """Application entity title of a DICOM node (PS3.5): it says who calls, and proves nothing."""
    API_KEY = "api_key"
    """A secret of the site; only its digest is kept."""


@dataclass(frozen=True)
class Source:
    """A machine that sends images."""

    kind: SourceKind
    value: str
    """The title or the key itself."""

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise InvalidValueError(Fault("value", "empty", f"an empty {self.kind.value.replace('_', ' ')}"))
        if self.kind is SourceKind.AE_TITLE and len(self.value.strip()) > _LONGEST_AE_TITLE:
            message = f"an AE title has at most {_LONGEST_AE_TITLE} characters"
            raise InvalidValueError(Fault("value", "too_long", message))

    def kept(self) -> dict[str, str]:
        """As it stands in the site's record: never a key."""
        if self.kind is SourceKind.AE_TITLE:
            return {"kind": self.kind.value, "name": self.value.strip()}
        return {"kind": self.kind.value, "digest": hashlib.sha256(self.value.encode()).hexdigest()}

    def is_one_of(self, listed: list[Mapping[str, str]]) -> bool:
        """Whether a site's list has this machine."""
        word = "name" if self.kind is SourceKind.AE_TITLE else "digest"
        mine = self.kept()[word].encode()
        same = [hmac.compare_digest(mine, one[word].encode()) for one in listed if one["kind"] == self.kind.value]
        return any(same)


@dataclass(frozen=True)
class SiteChange:
    """What a site of a trial is from now on."""

    trial: str
    site: str
    state: str
    """``planned``, ``active`` or ``closed``."""
    name: str = ""
    activated_on: dt.date | None = None
    """First day on which images are taken; needed for an active site."""
    sources: tuple[Source, ...] | None = None
    """Machines that may send; None keeps those that are listed."""
    reason: str = ""
    """Which approvals are there, or why it is closed."""


def put_site(records: Records, actor: Actor, change: SiteChange) -> RecordVersion:
    """Plan, activate or close a site; its former states stay readable.

    Raises
    ------
    ProtocolError
        If the protocol does not name the site, no reason is given, or an active site lacks its day or its sources.
    """
    with records.change(actor, Action.MANAGE_SITES, trial=change.trial) as journal:
        protocol = read_protocol(protocol_of(journal.transaction, change.trial).body["text"])
        key = f"{change.trial}/{change.site}"
        before = journal.transaction.current(SITE, key)
        body = _site_body(change, before.body if before else {})
        faults = _site_faults(change, body, protocol.sites)
        if faults:
            raise ProtocolError(f"site {change.site} cannot be {change.state}: {faults[0].message}", faults)
        action = {"planned": "plan_site", "active": "activate_site", "closed": "close_site"}[change.state]
        place = Place(change.trial, state=change.state)
        return journal.write(SITE, key, body, action=action, place=place, reason=change.reason)


def site_refusal(transaction: Transaction, trial: str, site: str, at: str) -> str:
    """Why nothing is taken in the name of this site at this moment, whoever sends it; empty if it is."""
    found = transaction.current(SITE, f"{trial}/{site}")
    if found is None or found.place.state == "planned":
        return f"site {site} of {trial} is not activated"
    if found.place.state == "closed":
        return f"site {site} of {trial} is closed"
    if at[:10] < found.body["activated_on"]:
        return f"site {site} of {trial} is active from {found.body['activated_on']}, not before"
    return ""


def source_refusal(transaction: Transaction, trial: str, site: str, *, source: Source, at: str) -> str:
    """Why nothing is taken from this machine in the name of this site at this moment; empty if it is."""
    if because := site_refusal(transaction, trial, site, at):
        return because
    found = transaction.current(SITE, f"{trial}/{site}")
    if found is None or not source.is_one_of(found.body["sources"]):
        named = f" {source.value.strip()!r}" if source.kind is SourceKind.AE_TITLE else ""
        return f"the {source.kind.value.replace('_', ' ')}{named} is not one of site {site} of {trial}"
    return ""


def accept_source(records: Records, actor: Actor, trial: str, site: str, *, source: Source | None) -> None:
    """Let a machine send images in the name of a site, or refuse it; the ledger keeps which.

    Parameters
    ----------
    source
        The machine; None where the actor brings the images in, from a medium that the site handed over.

    Raises
    ------
    IntakeError
        If the site is not active yet or any more, or the machine is not on its list.
    """
    with records.change(actor, Action.UPLOAD_IMAGES, trial=trial, site=site) as journal:
        transaction = journal.transaction
        if source is None:
            because = site_refusal(transaction, trial, site, journal.at)
        else:
            because = source_refusal(transaction, trial, site, source=source, at=journal.at)
        action = "refuse_source" if because else "accept_source"
        journal.note(action, kind=SITE, key=f"{trial}/{site}", trial=trial, reason=because)
    if because:
        raise IntakeError(because, (Fault(f"{trial}/{site}", "source_refused", because),))


def _site_body(change: SiteChange, before: Mapping[str, Any]) -> dict[str, Any]:
    listed = before.get("sources", []) if change.sources is None else [source.kept() for source in change.sources]
    day = change.activated_on.isoformat() if change.activated_on else before.get("activated_on", "")
    return {"name": change.name or before.get("name", ""), "activated_on": day, "sources": listed}


def _site_faults(change: SiteChange, body: Mapping[str, Any], known: tuple[str, ...]) -> tuple[Fault, ...]:
    faults = []
    if change.site not in known:
        message = f"the protocol names the sites {', '.join(known)}, not {change.site!r}; amend it first"
        faults.append(Fault("site", "unknown_site", message))
    if change.state not in ("planned", "active", "closed"):
        faults.append(Fault("state", "unknown_word", f"planned, active or closed, not {change.state!r}"))
    if not change.reason.strip():
        faults.append(Fault("reason", "empty", "give the reason (for an activation: the approvals that are there)"))
    if change.state == "active" and not body["activated_on"]:
        faults.append(Fault("activated_on", "missing", "an active site needs its first day"))
    if change.state == "active" and not body["sources"]:
        faults.append(Fault("sources", "empty", "an active site needs a machine that may send: AE title or API key"))
    return tuple(faults)
