"""Who could do what, when; how that changed; and which access has lost its reason to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Sealed
from trialimg.services.authority import GRANT, USER
from trialimg.services.journal import Records
from trialimg.services.people_credentials import CREDENTIAL
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.signatures import Proof, sign

__all__ = [
    "ACCESS_REVIEW",
    "AccessReview",
    "Change",
    "Orphan",
    "Right",
    "changes_of",
    "review_access",
    "rights_at",
    "sign_access_review",
    "users",
]

ACCESS_REVIEW = "access_review"
"""Kind of a record: every right at one moment and what is wrong with it, signed by an administrator."""

_MEANING = "I have reviewed who has access"


@dataclass(frozen=True)
class Right:
    """A role that somebody held at a moment, and who gave it."""

    user: str
    printed_name: str
    role: str
    trial: str
    site: str
    since: str
    until: str
    granted_by: str
    granted_at: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One step in the history of somebody's access."""

    at: str
    who: str
    role: str
    action: str
    what: str
    reason: str


@dataclass(frozen=True)
class Orphan:
    """Access that nobody needs or answers for."""

    code: str
    user: str
    message: str


@dataclass(frozen=True)
class AccessReview:
    """Every right at one moment, and the access that has lost its reason to be."""

    at: str
    rights: tuple[Right, ...]
    orphans: tuple[Orphan, ...]


def users(records: Records, actor: Actor) -> tuple[dict[str, str], ...]:
    """Everybody who has or had a name here, and the state of their account and credential.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of the installation.
    """
    with records.look(actor, Action.VIEW_AUDIT) as transaction:
        return tuple(_user(transaction, user) for user in transaction.find(USER, Place()))


def rights_at(transaction: Transaction, at: str, *, user: str = "") -> tuple[Right, ...]:
    """The roles that were held at a moment, as the records stood then.

    Parameters
    ----------
    at
        ISO 8601 in UTC with offset.
    user
        Of this user only; empty: of everybody.
    """
    found = (_right(transaction, grant.id, at) for grant in transaction.find(GRANT, Place(person=user)))
    return tuple(right for right in found if right is not None)


def changes_of(transaction: Transaction, user: str) -> tuple[Change, ...]:
    """Every change of somebody's account, rights and credential, and every failure to be them, in time."""
    entries: list[Entry] = []
    for kind in (USER, CREDENTIAL, "sign_in"):
        entries += transaction.entries(EntryQuery(object_kind=kind, object_id=user))
    for grant in transaction.find(GRANT, Place(person=user)):
        entries += transaction.entries(EntryQuery(object_kind=GRANT, object_id=grant.id))
    return tuple(_change(transaction, entry) for entry in sorted(entries, key=lambda entry: entry.sequence))


def review_access(transaction: Transaction, at: str, *, idle_days: int) -> AccessReview:
    """Every right in force, and the access that has lost its reason to be."""
    rights = rights_at(transaction, at)
    return AccessReview(at, rights, tuple(_orphans(transaction, rights, at, idle_days)))


def sign_access_review(records: Records, actor: Actor, proof: Proof, *, idle_days: int) -> RecordVersion:
    """Keep the review of who has access, signed by the administrator who made it.

    Raises
    ------
    AccessError
        If the actor may not review access, or their proof does not hold.
    """
    with records.change(actor, Action.REVIEW_ACCESS) as journal:
        review = review_access(journal.transaction, journal.at, idle_days=idle_days)
        body = {"at": review.at, "idle_days": idle_days, "rights": [asdict(right) for right in review.rights]}
        body["orphans"] = [asdict(orphan) for orphan in review.orphans]
        place = Place(person=actor.user, state="orphans found" if review.orphans else "clean")
        version = journal.write(ACCESS_REVIEW, review.at, body, action="review_access", place=place)
        sign(journal, proof, version, _MEANING)
        return version


def _user(transaction: Transaction, user: RecordVersion) -> dict[str, str]:
    credential = transaction.current(CREDENTIAL, user.id)
    return {
        "name": user.id,
        "printed_name": user.body["printed_name"],
        "email": user.body.get("email", ""),
        "state": user.place.state,
        "credential": credential.place.state if credential else "none",
        "password_expires": credential.body["expires_at"] if credential else "",
    }


def _right(transaction: Transaction, key: str, at: str) -> Right | None:
    then = _version_at(transaction, GRANT, key, at)
    if then is None or then.place.state != "valid":
        return None
    body, made = then.body, _entry(transaction, then)
    person = _version_at(transaction, USER, body["user"], at)
    if not body["since"] <= at < (body["until"] or "9999"):
        return None
    words: dict[str, Any] = {name: body[name] for name in ("user", "role", "trial", "site", "since", "until")}
    return Right(
        **words,
        printed_name=person.body["printed_name"] if person else "",
        granted_by=made.who,
        granted_at=made.at,
        reason=_reason(transaction, made),
    )


def _version_at(transaction: Transaction, kind: str, key: str, at: str) -> RecordVersion | None:
    versions = (one for one in transaction.versions(kind, key) if _entry(transaction, one).at <= at)
    return max(versions, key=lambda one: one.version, default=None)


def _change(transaction: Transaction, entry: Entry) -> Change:
    what = entry.object_id if entry.object_kind == GRANT else entry.object_kind
    return Change(entry.at, entry.who, entry.role, entry.action, what, _reason(transaction, entry))


def _orphans(transaction: Transaction, rights: tuple[Right, ...], at: str, idle_days: int) -> Iterator[Orphan]:
    active = {user.id for user in transaction.find(USER, Place(state="active"))}
    for right in rights:
        if right.user not in active:
            message = f"holds {right.role} of {right.trial}, but is no active user: revoke it"
            yield Orphan("grant_without_user", right.user, message)
    since = (datetime.fromisoformat(at) - timedelta(days=idle_days)).isoformat(timespec="microseconds")
    for name in sorted(active):
        if name not in {right.user for right in rights}:
            yield Orphan("user_without_grant", name, "is active, but holds no role: grant one, or disable the account")
        elif not _was_here(transaction, name, since):
            yield Orphan(
                "not_signed_in", name, f"has not signed in for {idle_days} days: revoke, or disable the account"
            )


def _was_here(transaction: Transaction, user: str, since: str) -> bool:
    """True if somebody signed in, or was added, since then."""
    added = _entry(transaction, transaction.versions(USER, user)[0]).at
    asked = EntryQuery(who=user, action="sign_in", since=since, limit=1)
    return added >= since or next(transaction.entries(asked), None) is not None


def _reason(transaction: Transaction, entry: Entry) -> str:
    detail = transaction.detail(entry.sequence)
    if isinstance(detail, Sealed):
        reason: str = detail.value()["reason"]
        return reason
    return "(redacted)" if detail is not None else ""


def _entry(transaction: Transaction, version: RecordVersion) -> Entry:
    return next(transaction.entries(EntryQuery(start=version.entry, limit=1)))
