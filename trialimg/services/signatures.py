"""Electronic signatures: proved anew at each signing, bound to one version of one record, void once it changes.

References
----------
21 CFR Part 11, Electronic Records; Electronic Signatures, 11.50, 11.70 and 11.200.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialimg.core.access import PERMISSIONS, Role
from trialimg.core.errors import AccessError, IntegrityError
from trialimg.ledger.entry import Entry
from trialimg.services.authority import USER, case_refusal
from trialimg.services.journal import Journal, UnprovenError
from trialimg.services.people_credentials import CREDENTIAL, Proof, challenge, consume_code, note_failure, raise_alarm
from trialimg.services.people_sessions import mark_proved, require_open
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["SIGNATURE", "Proof", "Signature", "manifest", "sign", "signature_of", "write_signature"]

SIGNATURE = "signature"
"""Kind of a record: who signed which version of which record, when, and what that means."""


@dataclass(frozen=True)
class Signature:
    """What stands under a record, and whether it still holds."""

    user: str
    printed_name: str
    at: str
    """UTC with offset."""
    meaning: str
    components: tuple[str, ...]
    void: str = ""
    """Why it holds no more: who changed the record and when; empty while it holds."""

    @property
    def is_valid(self) -> bool:
        return not self.void


def sign(journal: Journal, proof: Proof, version: RecordVersion, meaning: str) -> RecordVersion:
    """The actor's signature under a record version, after they proved again who they are.

    The first signature of a session takes password and code, later ones the password; after the session ended, all
    again.

    Raises
    ------
    AccessError
        If the proof does not hold, the record is another person's, is signed, or is no longer what the actor saw. A
        wrong proof counts towards the lock-out.
    """
    session = require_open(journal)
    _require_signable(journal, version, meaning)
    components = _proved(journal, proof, session)
    if len(components) > 1:
        mark_proved(journal, session)
    return write_signature(journal, version, meaning, components)


def write_signature(
    journal: Journal, version: RecordVersion, meaning: str, components: tuple[str, ...]
) -> RecordVersion:
    """Keep the signature of somebody who has just proved who they are by these components."""
    actor, transaction = journal.actor, journal.transaction
    person = transaction.current(USER, actor.user)
    if person is None or actor.role is Role.DEVICE:
        raise AccessError("software does not sign; a person has to")
    body = {
        "user": actor.user,
        "role": actor.role.value,
        "printed_name": person.body["printed_name"],
        "meaning": meaning,
        "at": journal.at,
        "record": _named(version),
        "components": list(components),
        "session": actor.session,
    }
    place = Place(trial=version.place.trial, case=version.place.case, person=actor.user, state="valid")
    return journal.write(SIGNATURE, _key(version), body, action="sign", place=place)


def signature_of(transaction: Transaction, version: RecordVersion) -> Signature | None:
    """The signature under this version of a record, valid or void; None if it was never signed.

    Raises
    ------
    IntegrityError
        If the signature was made for another record, or not by whom it names.
    """
    kept = transaction.current(SIGNATURE, _key(version))
    if kept is None:
        return None
    body = kept.body
    if body["record"] != _named(version):
        raise IntegrityError(f"the signature kept for {_key(version)} was made for another record")
    made = _entry(transaction, kept)
    if (made.who, made.at, made.action, made.new) != (body["user"], body["at"], "sign", kept.digest):
        raise IntegrityError(f"the signature kept for {_key(version)} was not made by {body['user']}")
    components = tuple(body["components"])
    void = _void(transaction, version)
    return Signature(body["user"], body["printed_name"], body["at"], body["meaning"], components, void)


def manifest(transaction: Transaction, version: RecordVersion) -> tuple[tuple[str, str], ...]:
    """What a screen, or a page, prints under a signed record: label and text; nothing for one that was not signed.

    Raises
    ------
    IntegrityError
        As for `signature_of`.
    """
    signature = signature_of(transaction, version)
    if signature is None:
        return ()
    return (
        ("Signed by", f"{signature.printed_name} ({signature.user})"),
        ("Date and time", signature.at),
        ("Meaning", signature.meaning),
        ("Record", f"{version.kind} {version.id}, version {version.version}, {version.digest}"),
        ("Standing", f"VOID: {signature.void}" if signature.void else "valid"),
    )


def _require_signable(journal: Journal, version: RecordVersion, meaning: str) -> None:
    actor, transaction = journal.actor, journal.transaction
    owner = version.place.person
    if actor.role is Role.DEVICE:
        raise AccessError("software does not sign; a person has to")
    if owner not in ("", actor.user) and transaction.current(USER, owner) is not None:
        raise AccessError(f"{version.kind} {version.id} is {owner}'s; nobody else can sign it")
    if not meaning.strip():
        raise AccessError("a signature says what it means, such as: I read this case")
    for action in PERMISSIONS[actor.role] if version.place.case else ():
        if because := case_refusal(transaction, actor, action, version.place.case):
            raise AccessError(because)
    current = transaction.current(version.kind, version.id)
    if current is None or current.digest != version.digest:
        raise AccessError(f"{version.kind} {version.id} has changed since it was looked at; look again, then sign")
    if transaction.current(SIGNATURE, _key(version)) is not None:
        raise AccessError(f"{version.kind} {version.id} version {version.version} is signed already")


def _proved(journal: Journal, proof: Proof, session: RecordVersion) -> tuple[str, ...]:
    """The components that were needed and given."""
    user, transaction = journal.actor.user, journal.transaction
    is_first = not session.body["proved_at"]
    if is_first and not proof.code:
        raise AccessError("the first signature of a session takes password and code; nothing was signed")
    try:
        standing = challenge(transaction, user, proof, journal.at)
    except IntegrityError as altered:
        because = str(altered)
        raise UnprovenError(because, lambda later: raise_alarm(later, user, because)) from altered
    credential = transaction.current(CREDENTIAL, user)
    if credential is None or credential.place.state != "valid" or credential.body["expires_at"] <= journal.at:
        raise AccessError(f"the password of {user} has expired or is locked; nothing was signed")
    opened_by_this = session.body["is_command"] and standing.step == session.body["step"]
    has_code = standing.step is not None and (opened_by_this or not standing.is_used)
    if not standing.has_password or (is_first and not has_code):
        raise UnprovenError(
            "password or code do not match, or the code was used before; nothing was signed",
            lambda later: note_failure(later, user),
        )
    if is_first and standing.step is not None:
        consume_code(transaction, user, standing.step)
    return ("password", "code") if is_first else ("password",)


def _void(transaction: Transaction, version: RecordVersion) -> str:
    later = transaction.version(version.kind, version.id, version.version + 1)
    if later is None:
        return ""
    change = _entry(transaction, later)
    return f"{change.who} changed the record at {change.at} ({change.action})"


def _entry(transaction: Transaction, version: RecordVersion) -> Entry:
    return next(transaction.entries(EntryQuery(start=version.entry, limit=1)))


def _key(version: RecordVersion) -> str:
    return f"{version.kind}:{version.id}@{version.version}"


def _named(version: RecordVersion) -> dict[str, Any]:
    return {"kind": version.kind, "id": version.id, "version": version.version, "digest": version.digest}
