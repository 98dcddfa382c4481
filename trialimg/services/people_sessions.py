"""Sign-ins as records: opened once proved, ended by time, by leaving, by losing the right."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError
from trialimg.services.authority import GRANT, SESSION, USER
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "SESSIONS",
    "SessionPolicy",
    "close_sessions",
    "mark_proved",
    "open_session",
    "require_open",
    "resume",
    "session_key",
    "session_token",
    "sign_out",
]


@dataclass(frozen=True)
class SessionPolicy:
    """How long a sign-in lasts."""

    lasts: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(minutes=30)
    """Without any use."""
    noticed: timedelta = timedelta(minutes=1)
    """A use is written down if the last one is older."""

    def idle_after(self, minutes: float) -> SessionPolicy:
        """The same, ended after other minutes without any use."""
        idle = timedelta(minutes=minutes) if 0 < minutes <= self.lasts / timedelta(minutes=1) else None
        if idle is None:
            raise ValueError("a sign-in is idle after more than 0 minutes, and no later than it ends")
        return replace(self, idle=idle, noticed=min(self.noticed, idle / 10))


SESSIONS = SessionPolicy()

_ENDED = "this session has ended or is not known; sign in again"


def session_token(seed: str, secret: str) -> str:
    """What opens a session once more: its identifier, which follows from the seed, and a secret of 256 random bits."""
    return f"{hashlib.sha256(seed.encode()).hexdigest()[:32]}.{secret}"


def session_key(token: str) -> str:
    """The identifier of the session that a token opens."""
    return token.partition(".")[0]


def open_session(
    journal: Journal, token: str, *, step: int | None, is_command: bool, policy: SessionPolicy = SESSIONS
) -> RecordVersion:
    """A session of the journal's actor; it ends at the latest when their role does.

    Parameters
    ----------
    step
        Period of the code that opened it; None where a sign-in server spoke for the person.
    is_command
        Opened for one command, whose proof may serve one signature too.
    """
    actor, at = journal.actor, journal.at
    ends = min((datetime.fromisoformat(at) + policy.lasts).isoformat(timespec="microseconds"), _last_moment(journal))
    body = {
        "user": actor.user,
        "role": actor.role.value,
        "opened_at": at,
        "expires_at": ends,
        "token": _digest(token),
        "step": step,
        "is_command": is_command,
        "proved_at": "",
    }
    journal.transaction.keep_secret(f"seen:{actor.session}", at.encode())
    place = Place(person=actor.user, state="open")
    return journal.write(SESSION, actor.session, body, action="sign_in", place=place)


def resume(records: Records, token: str, *, policy: SessionPolicy = SESSIONS) -> Actor:
    """Whose session a token is.

    Raises
    ------
    AccessError
        If the session has ended: by time, by idleness, by signing out, by a change of rights or password.
    """
    key, now = session_key(token), records.now()
    with records.store.reading() as transaction:
        session = transaction.current(SESSION, key)
        if session is None or not hmac.compare_digest(session.body["token"], _digest(token)):
            raise AccessError(_ENDED)
        user = transaction.current(USER, session.body["user"])
        is_open = session.place.state == "open" and user is not None and user.place.state == "active"
        if not is_open or session.body["expires_at"] <= now:
            raise AccessError(_ENDED)
        idle = datetime.fromisoformat(now) - _seen(transaction, session)
    actor = Actor(session.body["user"], Role(session.body["role"]), key)
    if idle > policy.idle:
        with records.store.changing() as transaction:
            close_sessions(Journal(transaction, actor, records), actor.user, reason="idle", only=key)
        raise AccessError(_ENDED)
    if idle > policy.noticed:
        with records.store.changing() as transaction:
            transaction.keep_secret(f"seen:{key}", now.encode())
    return actor


def sign_out(records: Records, token: str) -> None:
    """End the session that a token opened; one that has ended stays so."""
    key = session_key(token)
    with records.store.changing() as transaction:
        session = transaction.current(SESSION, key)
        if session is not None and hmac.compare_digest(session.body["token"], _digest(token)):
            actor = Actor(session.body["user"], Role(session.body["role"]), key)
            close_sessions(Journal(transaction, actor, records), actor.user, reason="signed out", only=key)


def close_sessions(journal: Journal, user: str, *, reason: str, only: str = "") -> None:
    """End every open session of a user, or the one."""
    for session in list(journal.transaction.find(SESSION, Place(person=user, state="open"))):
        if only in ("", session.id):
            place = Place(person=user, state="closed")
            body = {**session.body, "closed_at": journal.at}
            journal.write(SESSION, session.id, body, action="sign_out", place=place, reason=reason)
            journal.transaction.keep_secret(f"seen:{session.id}", None)


def require_open(journal: Journal) -> RecordVersion:
    """The open session of the journal's actor.

    Raises
    ------
    AccessError
        If they act without one.
    """
    actor = journal.actor
    session = journal.transaction.current(SESSION, actor.session) if actor.session else None
    if session is None or session.place.state != "open" or session.body["expires_at"] <= journal.at:
        raise AccessError(_ENDED)
    if (session.body["user"], session.body["role"]) != (actor.user, actor.role.value):
        raise AccessError(f"this is not a session of {actor.user} as {actor.role.value}")
    return session


def mark_proved(journal: Journal, session: RecordVersion) -> None:
    """Every component of the signature was given in this session: from now on one is enough."""
    body = {**session.body, "proved_at": journal.at}
    journal.write(SESSION, session.id, body, action="prove_all_components", place=session.place)


def _last_moment(journal: Journal) -> str:
    """When the last grant of the actor's role ends."""
    actor, at = journal.actor, journal.at
    grants = [grant.body for grant in journal.transaction.find(GRANT, Place(person=actor.user, state="valid"))]
    ends = [grant["until"] or "9999" for grant in grants if grant["role"] == actor.role.value and grant["since"] <= at]
    return max(ends, default=at)


def _seen(transaction: Transaction, session: RecordVersion) -> datetime:
    kept = transaction.secret(f"seen:{session.id}")
    return datetime.fromisoformat(kept.decode() if kept else session.body["opened_at"])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
