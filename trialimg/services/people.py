"""Users and what they are granted: every name given once, every right with its reason, none for oneself."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from trialimg.core.access import DENIALS, PERMISSIONS, Action, Actor, Role
from trialimg.core.errors import AccessError, Fault, FaultsError
from trialimg.services.authority import GRANT, USER, covers, was_in_force
from trialimg.services.journal import Journal, Records
from trialimg.services.people_credentials import SOFTWARE, reset, unlock
from trialimg.services.people_sessions import close_sessions
from trialimg.services.ports import Identity, Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.sign_in import BINDING, binding_key

__all__ = [
    "Grant",
    "Person",
    "add_user",
    "bind_identity",
    "canonical_name",
    "disable_user",
    "grant_key",
    "grant_role",
    "reset_password",
    "revoke_role",
    "unlock_user",
    "utc_moment",
]

_NAME = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_SHORTEST, _LONGEST = 3, 32
_RESERVED = frozenset({SOFTWARE.user, "unknown"})
_LOOKALIKES = (("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("rn", "m"), ("vv", "w"), (".", ""), ("-", ""))


@dataclass(frozen=True)
class Person:
    """Who gets a name."""

    name: str
    printed_name: str
    """As it stands under signatures."""
    identity_proof: str
    """How the identity was verified: which document, by whom, when; never its number."""
    email: str = ""


@dataclass(frozen=True)
class Grant:
    """A role, where and when."""

    role: Role
    trial: str
    """Code of the trial; ``*`` for all, and for the installation itself."""
    site: str = ""
    since: str = ""
    """ISO 8601 in UTC with offset; empty, or a moment gone by: from now on."""
    until: str = ""
    """Moment before which; empty: without end."""


def canonical_name(text: str) -> str:
    """The one way to write a user's name."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def add_user(records: Records, actor: Actor, person: Person, identity: Identity) -> str:
    """Give a person a name; on an empty installation they become its administrator.

    Returns
    -------
    str
        A password that serves once, to be replaced by the person's own.

    Raises
    ------
    FaultsError
        With everything that is wrong: a name that is, was or looks like another's, no proof of identity.
    AccessError
        If the actor is no administrator.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        is_first = not journal.transaction.count(USER, Place())
        if faults := _faults(journal.transaction, person):
            raise FaultsError(f"{person.name or 'a user'} cannot be added", faults)
        body = {
            "name": person.name,
            "printed_name": person.printed_name.strip(),
            "email": person.email.strip(),
            "identity_proof": person.identity_proof.strip(),
        }
        journal.write(USER, person.name, body, action="add_user", place=Place(person=person.name, state="active"))
        if is_first:
            first = Grant(Role.ADMINISTRATOR, "*", since=journal.at)
            _write_grant(journal, person.name, first, state="valid", reason="first administrator")
        return reset(journal, person.name, identity, reason="account added")


def disable_user(records: Records, actor: Actor, user: str, *, reason: str) -> None:
    """End somebody's access: sessions closed, grants revoked; the name stays theirs for ever.

    Raises
    ------
    AccessError
        If there is no such active user, no reason, or nobody would be left to manage users.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        person = _require_active(journal, user, reason)
        for grant in list(journal.transaction.find(GRANT, Place(person=user, state="valid"))):
            _end(journal, grant, reason)
        close_sessions(journal, user, reason="disabled")
        place = Place(person=user, state="disabled")
        journal.write(USER, user, person.body, action="disable_user", place=place, reason=reason)
        _require_administrator(journal)


def grant_role(records: Records, actor: Actor, user: str, grant: Grant, *, reason: str) -> None:
    """Give somebody a role in a trial; ends their sessions, so that the next one has it.

    Raises
    ------
    AccessError
        If there is no such active user, no reason, the right is for the actor, or it would break the blinding.
    FaultsError
        If the role, the place or the time cannot be granted to anybody.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        _require_active(journal, user, reason)
        if user == actor.user:
            raise AccessError("nobody grants rights to themselves; another administrator has to")
        dated = Grant(grant.role, grant.trial, grant.site, max(grant.since, journal.at), grant.until)
        if faults := tuple(_misfits(dated)):
            raise FaultsError("this cannot be granted", faults)
        _require_blinded(journal.transaction, user, dated, journal.at)
        close_sessions(journal, user, reason="rights changed")
        _write_grant(journal, user, dated, state="valid", reason=reason)


def revoke_role(records: Records, actor: Actor, user: str, grant: Grant, *, reason: str) -> None:
    """Take a role in a trial back, from now on; ends the user's sessions.

    Raises
    ------
    AccessError
        If it is not granted, no reason is given, or nobody would be left to manage users.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        _require_reason(reason)
        kept = journal.transaction.current(GRANT, grant_key(user, grant))
        if kept is None or kept.place.state != "valid":
            raise AccessError(f"{user} is not granted {grant.role.value} of {grant.trial}{_at_site(grant)}")
        _end(journal, kept, reason)
        close_sessions(journal, user, reason="rights changed")
        _require_administrator(journal)


def reset_password(records: Records, actor: Actor, user: str, identity: Identity, *, reason: str) -> str:
    """A password that serves once, for somebody who lost theirs; their second factor is to be enrolled anew.

    Raises
    ------
    AccessError
        If there is no such active user, no reason, or it is the actor's own.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        _require_active(journal, user, reason)
        if user == actor.user:
            raise AccessError("replace your own password yourself; after a loss another administrator has to reset it")
        close_sessions(journal, user, reason="password reset")
        return reset(journal, user, identity, reason=reason)


def unlock_user(records: Records, actor: Actor, user: str, *, reason: str) -> None:
    """Let somebody in again whose account was locked by failures.

    Raises
    ------
    AccessError
        If it is not locked, no reason is given, or it is the actor's own.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        _require_active(journal, user, reason)
        if user == actor.user:
            raise AccessError("nobody unlocks their own account")
        unlock(journal, user, reason=reason)


def bind_identity(records: Records, actor: Actor, user: str, *, issuer: str, subject: str, reason: str) -> None:
    """Say which user a sign-in server's subject is.

    Raises
    ------
    AccessError
        If there is no such active user, no reason, or the subject is another's.
    """
    with records.change(actor, Action.MANAGE_USERS) as journal:
        _require_active(journal, user, reason)
        bound = journal.transaction.current(BINDING, binding_key(issuer, subject))
        if bound is not None and bound.place.person != user:
            raise AccessError(f"{subject} of {issuer} is {bound.place.person}")
        body = {"user": user, "issuer": issuer, "subject": subject}
        place = Place(person=user, state="valid")
        journal.write(BINDING, binding_key(issuer, subject), body, action="bind", place=place, reason=reason)


def grant_key(user: str, grant: Grant) -> str:
    """The identifier of the record of a role somewhere."""
    return f"{user}/{grant.role.value}/{grant.trial}/{grant.site}"


def utc_moment(text: str) -> str:
    """A date, or a time with its offset, as the records write moments.

    Raises
    ------
    FaultsError
        If it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or (moment.tzinfo is None and len(text) > len("2026-03-01")):
        message = f"{text!r} is not a date (2026-03-01) or a time with its offset (2026-03-01T12:00+00:00)"
        raise FaultsError(message)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _faults(transaction: Transaction, person: Person) -> tuple[Fault, ...]:
    name, faults = person.name, []
    if not (_SHORTEST <= len(name) <= _LONGEST and _NAME.fullmatch(name)) or name in _RESERVED:
        message = f"is not {_SHORTEST} to {_LONGEST} of a-z, 0-9, single . or -, beginning with a letter, not reserved"
        faults.append(Fault("name", "bad_name", message))
    taken = [user.id for user in transaction.find(USER, Place()) if _look(user.id) == _look(name)]
    if taken:
        message = f"is, was or looks like the name of {taken[0]}; no name is given twice"
        faults.append(Fault("name", "taken", message))
    if not person.printed_name.strip() or not person.printed_name.isprintable():
        faults.append(Fault("printed_name", "empty", "is what stands under signatures; give it"))
    if not person.identity_proof.strip():
        message = "say how the identity was verified: which document, by whom, when"
        faults.append(Fault("identity_proof", "empty", message))
    return tuple(faults)


def _look(name: str) -> str:
    """What two names have in common that a hurried reader takes for one."""
    for written, read in _LOOKALIKES:
        name = name.replace(written, read)
    return name


def _misfits(grant: Grant) -> list[Fault]:
    faults = []
    if grant.role is Role.DEVICE:
        faults.append(Fault("role", "bad_role", "is the software's own; no person has it"))
    if not grant.trial or "/" in grant.trial + grant.site:
        faults.append(Fault("trial", "bad_trial", "give the code of a trial, or * for all"))
    if grant.site and grant.trial == "*":
        faults.append(Fault("site", "bad_site", "a site belongs to one trial; name it"))
    if grant.role is Role.SITE and not grant.site:
        faults.append(Fault("site", "no_site", "say which site they belong to"))
    if grant.role is Role.ADMINISTRATOR and grant.trial != "*":
        faults.append(Fault("trial", "bad_trial", "an administrator is one of the installation: *"))
    if grant.until and grant.until <= grant.since:
        faults.append(Fault("until", "bad_time", f"{grant.until} is not after {grant.since}"))
    return faults


def _require_active(journal: Journal, user: str, reason: str) -> RecordVersion:
    _require_reason(reason)
    person = journal.transaction.current(USER, user)
    if person is None or person.place.state != "active":
        raise AccessError(f"{user} is not an active user")
    return person


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise AccessError("say why; the ledger keeps it")


def _require_administrator(journal: Journal) -> None:
    """Nobody is left without an administrator, now or once a grant runs out."""
    for grant in journal.transaction.find(GRANT, Place(state="valid")):
        body = grant.body
        if not body["until"] and covers(body, Role.ADMINISTRATOR, trial="", at=journal.at):
            return
    raise AccessError("nobody would be left to manage users; make another administrator first")


def _require_blinded(transaction: Transaction, user: str, wanted: Grant, at: str) -> None:
    """Nobody comes to read and to know in one trial."""
    for rule in DENIALS:
        reading = {role for role, actions in PERMISSIONS.items() if actions & rule.actions}
        rivals = rule.held if wanted.role in reading else reading if wanted.role in rule.held else frozenset()
        for grant in transaction.find(GRANT, Place(person=user)):
            is_here = "*" in (grant.body["trial"], wanted.trial) or grant.body["trial"] == wanted.trial
            is_valid = grant.place.state == "valid"
            counts = is_valid or (wanted.role in reading and was_in_force(transaction, grant, at))
            if is_here and counts and Role(grant.body["role"]) in rivals:
                raise AccessError(
                    f"{user} is or was {grant.body['role']} of {grant.body['trial']} and cannot become "
                    f"{wanted.role.value} of {wanted.trial}: nobody reads where they know more than readers may"
                )


def _write_grant(journal: Journal, user: str, grant: Grant, *, state: str, reason: str) -> None:
    body = {
        "user": user,
        "role": grant.role.value,
        "trial": grant.trial,
        "site": grant.site,
        "since": grant.since,
        "until": grant.until,
    }
    place = Place(trial="" if grant.trial == "*" else grant.trial, person=user, state=state)
    journal.write(GRANT, grant_key(user, grant), body, action="grant", place=place, reason=reason)


def _end(journal: Journal, grant: RecordVersion, reason: str) -> None:
    place = Place(trial=grant.place.trial, person=grant.place.person, state="revoked")
    body = {**grant.body, "until": min(grant.body["until"] or journal.at, journal.at)}
    journal.write(GRANT, grant.id, body, action="revoke", place=place, reason=reason)


def _at_site(grant: Grant) -> str:
    return f" at {grant.site}" if grant.site else ""
