"""How long a trial's records are kept, what forbids that they go, and how they go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from trialimg.core.access import Action, Actor
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.ledger.bundle_format import RECORDS, RecordLine
from trialimg.ledger.entry import REDACT, Entry
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import KeptBlobs, Transaction
from trialimg.services.reading_file import CASE
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.trials import TRIAL
from trialimg.services.viewing import KeptSeries

__all__ = ["HOLD", "Purge", "close_trial", "hold", "purge", "release_hold"]

HOLD = "hold"
"""Kind of a record: a legal hold on a trial's records, id the trial's code; state ``held`` or ``released``."""

_STAYS = (TRIAL, HOLD)
"""Records that say why a trial's other records are gone."""
_BLOB = re.compile(rb"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Purge:
    """What was taken away."""

    trial: str
    versions: int
    """Versions of records of which only the digest is left."""
    reasons: int
    blobs: int
    series: int
    """Series of images whose slices, as viewers got them, are gone."""


def close_trial(records: Records, actor: Actor, trial: str, *, retain_until: date, reason: str) -> RecordVersion:
    """Say that a trial is over, and until which day (included) its records are kept.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    TrialimgError
        If there is no such trial, or no reason; or the day lies before one that was said earlier.
    """
    _require_reason(reason)
    with records.change(actor, Action.MANAGE_STORE, trial=trial) as journal:
        found = _trial(journal.transaction, trial)
        before = found.body.get("retain_until", "")
        if retain_until.isoformat() < before:
            raise TrialimgError(f"{trial} is kept until {before}; a retention period is never shortened")
        body = {"closed_at": journal.at, **found.body, "retain_until": retain_until.isoformat()}
        place = Place(trial, state="closed")
        return journal.write(TRIAL, trial, body, action="close_trial", place=place, reason=reason)


def hold(records: Records, actor: Actor, trial: str, *, reason: str) -> RecordVersion:
    """Forbid that anything of a trial is purged.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    TrialimgError
        If there is no such trial, or no reason, or it is held already.
    """
    return _change_hold(records, actor, trial, reason, is_held=True)


def release_hold(records: Records, actor: Actor, trial: str, *, reason: str) -> RecordVersion:
    """End a legal hold.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    TrialimgError
        If there is no such trial, or no reason, or it is not held.
    """
    return _change_hold(records, actor, trial, reason, is_held=False)


def purge(records: Records, actor: Actor, blobs: KeptBlobs, trial: str, *, reason: str, images: KeptSeries) -> Purge:
    """Take away what a closed trial's records say and why they changed, and the blobs and images that no others name.

    Every tombstone is justified by an entry of its own, so that the ledger still verifies. Blobs and images go first: a
    purge that was interrupted can be done again.

    Parameters
    ----------
    images
        Slices as viewers get them; those of the trial's series go.

    Raises
    ------
    AccessError
        If the actor may not manage the store, the trial is open, its records are to be kept still, or it is under a
        legal hold; the attempt is in the ledger.
    TrialimgError
        If there is no such trial, or no reason.
    """
    _require_reason(reason)
    with records.change(actor, Action.MANAGE_STORE, trial=trial) as journal:
        found = _trial(journal.transaction, trial)
        because = _kept_because(journal.transaction, found, journal.at)
        if not because:
            done = _purge(journal, _Kept(blobs, images), found, reason)
            body = {**found.body, "purged_at": journal.at}
            place = Place(trial, state="purged")
            journal.write(TRIAL, trial, body, action="purge", place=place, reason=reason)
            return done
        journal.note("refuse_access", kind="action", key="purge", trial=trial, reason=because)
    raise AccessError(because)


def _kept_because(transaction: Transaction, trial: RecordVersion, at: str) -> str:
    held = transaction.current(HOLD, trial.id)
    until = trial.body.get("retain_until", "")
    if trial.place.state == "purged":
        return f"{trial.id} was purged already"
    if held is not None and held.place.state == "held":
        return f"{trial.id} is under a legal hold; `trialimg store hold --release` ends it"
    if trial.place.state != "closed":
        return f"{trial.id} is {trial.place.state}; only a closed trial is purged"
    if at[:10] <= until:
        return f"the records of {trial.id} are kept until {until}"
    return ""


@dataclass(frozen=True)
class _Kept:
    """What lies beside the records."""

    blobs: KeptBlobs
    images: KeptSeries


def _purge(journal: Journal, kept: _Kept, trial: RecordVersion, reason: str) -> Purge:
    transaction = journal.transaction
    made = [entry for entry in transaction.entries(EntryQuery(trial=trial.id)) if entry.action != REDACT]
    gone = [version for version in _versions(transaction, made) if not isinstance(version.content, Redacted)]
    unnamed = _named_only_by(transaction, gone)
    for key in sorted(unnamed):
        kept.blobs.remove(key)
    series = _series_of(transaction, trial.id)
    for uid in sorted(series):
        kept.images.forget(uid)
    for version in gone:
        journal.redact(version, reason=reason)
    about = {(version.kind, version.id) for version in gone}
    said = [entry for entry in made if entry.detail and (entry.object_kind, entry.object_id) in about]
    said = [entry for entry in said if not isinstance(transaction.detail(entry.sequence), Redacted)]
    for entry in said:
        journal.redact_reason(entry, reason=reason)
    return Purge(trial.id, len(gone), len(said), len(unnamed), len(series))


def _versions(transaction: Transaction, made: list[Entry]) -> Iterator[RecordVersion]:
    named = dict.fromkeys((entry.object_kind, entry.object_id) for entry in made if entry.makes_version)
    for kind, key in named:
        if kind not in _STAYS:
            yield from transaction.versions(kind, key)


def _series_of(transaction: Transaction, trial: str) -> set[str]:
    """Series that cases of a trial name, and no case of another one."""
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for case in transaction.find(CASE, Place()):
        if not isinstance(case.content, Redacted):
            visits = case.body.get("timepoints", ())
            named[case.place.trial == trial] |= {uid for visit in visits for uid in visit.get("series", ())}
    return named[True] - named[False]


def _named_only_by(transaction: Transaction, gone: list[RecordVersion]) -> set[str]:
    """Digests that stand in these versions and in no others."""
    contents = (version.content for version in gone)
    named = {
        digest.decode()
        for content in contents
        if not isinstance(content, Redacted)
        for digest in _BLOB.findall(content.content.encode())
    }
    going = {version.entry for version in gone}
    for line in transaction.lines(RECORDS):
        if not named:
            break
        also = {digest.decode() for digest in _BLOB.findall(line.data)} & named
        if also and RecordLine.parse(line.data).sequence not in going:
            named -= also
    return named


def _change_hold(records: Records, actor: Actor, trial: str, reason: str, *, is_held: bool) -> RecordVersion:
    _require_reason(reason)
    with records.change(actor, Action.MANAGE_STORE, trial=trial) as journal:
        _trial(journal.transaction, trial)
        before = journal.transaction.current(HOLD, trial)
        if (before is not None and before.place.state == "held") == is_held:
            raise TrialimgError(f"{trial} is {'already' if is_held else 'not'} under a legal hold")
        action, state = ("hold", "held") if is_held else ("release_hold", "released")
        body = {"trial": trial, "since" if is_held else "until": journal.at}
        return journal.write(HOLD, trial, body, action=action, place=Place(trial, state=state), reason=reason)


def _trial(transaction: Transaction, trial: str) -> RecordVersion:
    found = transaction.current(TRIAL, trial)
    if found is None:
        raise TrialimgError(f"there is no trial {trial!r}")
    return found


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise TrialimgError("this needs a reason")
