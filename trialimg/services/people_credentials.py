"""What people prove themselves by: kept as secrets, bound by a record, checked in constant work, locked by failures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, FaultsError, IntegrityError
from trialimg.services.authority import USER
from trialimg.services.journal import Journal
from trialimg.services.people_passwords import require_good
from trialimg.services.people_sessions import close_sessions
from trialimg.services.ports import Identity, Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = [
    "CREDENTIAL",
    "POLICY",
    "SOFTWARE",
    "WORTHLESS",
    "CredentialPolicy",
    "Proof",
    "Standing",
    "challenge",
    "consume_code",
    "kept_credential",
    "note_failure",
    "raise_alarm",
    "renew",
    "reset",
    "settle",
    "still_standing",
    "unlock",
]

CREDENTIAL = "credential"
"""Kind of a record: digests of a user's secrets; state ``valid``, ``must_change`` or ``locked``."""

SOFTWARE = Actor("trialimg", Role.DEVICE)
"""Who writes down what nobody has proved to have done."""


@dataclass(frozen=True)
class CredentialPolicy:
    """How long passwords live and when an account is locked."""

    failures: int = 5
    within: timedelta = timedelta(minutes=15)
    password_age: timedelta = timedelta(days=90)
    one_time_age: timedelta = timedelta(days=3)
    """How long a password that an administrator gave may wait for its one use."""
    passwords_remembered: int = 5


POLICY = CredentialPolicy()


@dataclass(frozen=True)
class Proof:
    """What somebody gives to prove who they are, and what it is checked by."""

    password: str = field(repr=False)
    code: str = field(repr=False)
    identity: Identity = field(repr=False)


@dataclass(frozen=True)
class Standing:
    """What a proof was worth."""

    has_password: bool
    step: int | None
    """Period that the code belongs to; None for a wrong code or none."""
    is_used: bool
    """The code, or a later one, was taken before."""
    credential: str
    """Digest of the credential that it was compared with; empty where there is none."""


WORTHLESS = Standing(has_password=False, step=None, is_used=False, credential="")


def kept_credential(transaction: Transaction, user: str) -> RecordVersion | None:
    """The credential of a user, if it and the secrets are those that the ledger knows; None for no such user.

    Raises
    ------
    IntegrityError
        If the record or a secret is not what was last written by the software.
    """
    credential = transaction.current(CREDENTIAL, user)
    if credential is None:
        return None
    digests: Mapping[str, str] = credential.body["digests"]
    altered = [name for name, digest in digests.items() if _digest(transaction.secret(f"{name}:{user}")) != digest]
    if altered or not _is_last_written(transaction, credential):
        what = " and ".join(altered) or "record"
        raise IntegrityError(
            f"the credential of {user} was altered outside of this software ({what}); "
            "nobody can sign in or sign by it until an administrator resets it"
        )
    return credential


def challenge(transaction: Transaction, user: str, proof: Proof, at: str) -> Standing:
    """What the proof is worth for this user; the same work whether or not there is such a user.

    Raises
    ------
    IntegrityError
        As for `kept_credential`.
    """
    credential = kept_credential(transaction, user)
    known = user if credential is not None else ""
    has_password = proof.identity.is_password(proof.password, transaction.secret(f"password:{known}"))
    step = proof.identity.code_step(proof.code, transaction.secret(f"totp:{known}"), datetime.fromisoformat(at))
    digest = credential.digest if credential is not None else ""
    return Standing(has_password, step, _is_used(transaction, known, step), digest)


def still_standing(transaction: Transaction, user: str, standing: Standing) -> Standing:
    """What a proof is worth that was checked a moment ago: nothing, if the credential is another one since.

    Checking is slow by design; so it is done before the records are held for a change, and this while they are.

    Raises
    ------
    IntegrityError
        As for `kept_credential`.
    """
    credential = kept_credential(transaction, user)
    if credential is None or credential.digest != standing.credential:
        return WORTHLESS
    return replace(standing, is_used=_is_used(transaction, user, standing.step))


def consume_code(transaction: Transaction, user: str, step: int) -> None:
    """A code, and every earlier one, is no code any more."""
    if not _is_used(transaction, user, step):
        transaction.keep_secret(f"used_code:{user}", str(step).encode())


def note_failure(journal: Journal, user: str, policy: CredentialPolicy = POLICY) -> None:
    """Keep that somebody failed to be this user, and lock the account when that happened too often.

    Nothing of what was typed is kept, not even a name that nobody has: it may be a password.
    """
    credential = journal.transaction.current(CREDENTIAL, user)
    if credential is None:
        journal.note("fail_sign_in", kind="sign_in", key="unknown")
        return
    journal.note("fail_sign_in", kind="sign_in", key=user)
    if credential.place.state == "locked":
        return
    changed_at = next(journal.transaction.entries(EntryQuery(start=credential.entry, limit=1))).at
    since = max(_moved(journal.at, -policy.within), changed_at)
    asked = EntryQuery(action="fail_sign_in", object_kind="sign_in", object_id=user, since=since)
    if sum(1 for _ in journal.transaction.entries(asked)) >= policy.failures:
        because = f"{policy.failures} failures within {policy.within}"
        body = {**credential.body, "before_lock": credential.place.state}
        place = Place(person=user, state="locked")
        journal.write(CREDENTIAL, user, body, action="lock_out", place=place, reason=because)
        close_sessions(journal, user, reason="locked out")


def raise_alarm(journal: Journal, user: str, because: str) -> None:
    """Keep that a credential was altered outside of this software."""
    journal.note("raise_alarm", kind=CREDENTIAL, key=user, reason=because)


def reset(journal: Journal, user: str, identity: Identity, *, reason: str, policy: CredentialPolicy = POLICY) -> str:
    """A one-time password for a user; the second factor, and whatever was kept before, hold no more."""
    one_time = identity.new_token()
    _keep(journal, user, {"password": identity.password_hash(one_time), "totp": None})
    body = {"set_at": journal.at, "expires_at": _moved(journal.at, policy.one_time_age), "tested_at": ""}
    _write(journal, user, body, state="must_change", action="reset_password", reason=reason)
    return one_time


def renew(
    journal: Journal, user: str, identity: Identity, password: str, *, policy: CredentialPolicy = POLICY
) -> str | None:
    """Put a user's own new password in force; the address of the second factor where there was none yet.

    Raises
    ------
    FaultsError
        If the password is too easy to guess or was used before.
    """
    transaction = journal.transaction
    person = transaction.current(USER, user)
    require_good(password, (user, person.body["printed_name"] if person else ""))
    former = _former(transaction, user)
    if any(identity.is_password(password, kept) for kept in [*former, transaction.secret(f"password:{user}")]):
        raise FaultsError(f"this is one of the last {policy.passwords_remembered} passwords; choose a new one")
    seed = transaction.secret(f"totp:{user}")
    new_seed = None if seed else identity.new_seed()
    made = identity.password_hash(password)
    remembered = [kept.decode() for kept in [*former, made][-policy.passwords_remembered :]]
    secrets = {"password": made, "totp": seed or new_seed, "former": json.dumps(remembered).encode()}
    _keep(journal, user, secrets)
    before = transaction.current(CREDENTIAL, user)
    tested_at = before.body["tested_at"] if before is not None and seed else ""
    body = {"set_at": journal.at, "expires_at": _moved(journal.at, policy.password_age), "tested_at": tested_at}
    _write(journal, user, body, state="valid", action="set_password")
    return identity.enrolment(new_seed, user) if new_seed else None


def unlock(journal: Journal, user: str, *, reason: str) -> None:
    """Let a locked account sign in again.

    Raises
    ------
    AccessError
        If it is not locked.
    """
    credential = kept_credential(journal.transaction, user)
    if credential is None or credential.place.state != "locked":
        raise AccessError(f"{user} is not locked")
    body = dict(credential.body)
    place = Place(person=user, state=body.pop("before_lock"))
    journal.write(CREDENTIAL, user, body, action="unlock", place=place, reason=reason)


def settle(journal: Journal, user: str, proof: Proof) -> None:
    """After a right proof: note that the second factor works, hash the password anew where parameters changed."""
    credential = journal.transaction.current(CREDENTIAL, user)
    kept = journal.transaction.secret(f"password:{user}")
    if credential is None or kept is None:
        return
    is_outdated = proof.identity.is_outdated(kept)
    if not is_outdated and credential.body["tested_at"]:
        return
    if is_outdated:
        _keep(journal, user, {"password": proof.identity.password_hash(proof.password)})
    body = {name: credential.body[name] for name in ("set_at", "expires_at")}
    body["tested_at"] = credential.body["tested_at"] or journal.at
    _write(journal, user, body, state=credential.place.state, action="rehash" if is_outdated else "test_code")


def _is_used(transaction: Transaction, user: str, step: int | None) -> bool:
    return step is not None and step <= int(transaction.secret(f"used_code:{user}") or b"-1")


def _keep(journal: Journal, user: str, made: Mapping[str, bytes | None]) -> None:
    for name, value in made.items():
        journal.transaction.keep_secret(f"{name}:{user}", value)


def _write(journal: Journal, user: str, body: Mapping[str, Any], *, state: str, action: str, reason: str = "") -> None:
    names = ("password", "totp", "former")
    digests = {name: _digest(journal.transaction.secret(f"{name}:{user}")) for name in names}
    place = Place(person=user, state=state)
    journal.write(CREDENTIAL, user, {**body, "digests": digests}, action=action, place=place, reason=reason)


def _former(transaction: Transaction, user: str) -> Sequence[bytes]:
    kept = transaction.secret(f"former:{user}")
    return [text.encode() for text in json.loads(kept)] if kept else []


def _is_last_written(transaction: Transaction, credential: RecordVersion) -> bool:
    """True if the ledger's last word on this record is this very version: neither altered nor set back."""
    last = ""
    for entry in transaction.entries(EntryQuery(object_kind=CREDENTIAL, object_id=credential.id)):
        last = entry.new or last
    return last == credential.digest


def _digest(secret: bytes | None) -> str:
    return hashlib.sha256(b"trialimg secret\x00" + secret).hexdigest() if secret is not None else ""


def _moved(at: str, by: timedelta) -> str:
    return (datetime.fromisoformat(at) + by).isoformat(timespec="microseconds")
