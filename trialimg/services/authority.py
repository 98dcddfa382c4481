"""May this person do this here, now? What blinding forbids wins over every grant."""

from __future__ import annotations

from collections.abc import Mapping

from trialimg.core.access import (
    BLINDED_SIGHT,
    DENIALS,
    PERMISSIONS,
    SEAT_DENIALS,
    Action,
    Actor,
    Denial,
    Role,
    Sight,
)
from trialimg.core.errors import AccessError
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["GRANT", "SESSION", "USER", "case_refusal", "covers", "record_refusal", "refusal", "require", "was_in_force"]

USER = "user"
"""Kind of a record: a person with a name of their own. Its id is the name; its state ``active`` or ``disabled``."""
GRANT = "grant"
"""Kind of a record: a role in a trial, state ``valid`` or ``revoked``; body: user, role, trial, site, since, until."""
SESSION = "session"
"""Kind of a record: one sign-in, state ``open`` or ``closed``; body: user, role, opened_at, expires_at, ..."""

_ASSIGNMENT, _READ = "assignment", "read"


def refusal(transaction: Transaction, actor: Actor, action: Action, *, trial: str = "", site: str = "", at: str) -> str:
    """Why the actor may not do this; empty if they may."""
    if action not in PERMISSIONS[actor.role]:
        return f"a {actor.role.value} may not {action.value.replace('_', ' ')}"
    if actor.role is Role.DEVICE:
        return ""
    if action is Action.MANAGE_USERS and not transaction.count(USER, Place()):
        return ""
    if because := _absence(transaction, actor, at):
        return because
    grants = [grant.body for grant in transaction.find(GRANT, Place(person=actor.user, state="valid"))]
    if action is Action.OWN_ACCOUNT:
        is_granted = any(grant["role"] == actor.role.value and _is_at(grant, at) for grant in grants)
    else:
        is_granted = any(covers(grant, actor.role, trial=trial, site=site, at=at) for grant in grants)
    if not is_granted:
        return f"{actor.user} is not {actor.role.value} of {trial or 'this installation'} at this time"
    denied = (_denied(transaction, actor, rule, trial, at) for rule in DENIALS if action in rule.actions)
    return next((because for because in denied if because), "")


def require(
    transaction: Transaction, actor: Actor, action: Action, *, trial: str = "", site: str = "", at: str
) -> None:
    """Go on only if the actor may do this.

    Raises
    ------
    AccessError
        Saying why not.
    """
    if because := refusal(transaction, actor, action, trial=trial, site=site, at=at):
        raise AccessError(because)


def covers(grant: Mapping[str, str], role: Role, *, trial: str, site: str = "", at: str) -> bool:
    """True if what a grant says gives the role there, then."""
    is_here = grant["trial"] in ("*", trial) and grant["site"] in ("", site)
    return is_here and grant["role"] == role.value and _is_at(grant, at)


def was_in_force(transaction: Transaction, grant: RecordVersion, at: str) -> bool:
    """True if somebody held this grant at any moment up to now; one revoked before it began was never in force."""
    versions = transaction.versions(GRANT, grant.id)
    ends = [*(_made_at(transaction, following) for following in versions[1:]), at]
    for version, end in zip(versions, ends, strict=True):
        since, until = version.body["since"], version.body["until"] or "9999"
        if version.place.state == "valid" and since <= end and since < until:
            return True
    return False


def case_refusal(transaction: Transaction, actor: Actor, action: Action, case: str) -> str:
    """Why the actor may not do this at this case, whatever they are granted; empty if nothing stands against it.

    A seat that was taken back before anything was read in it counts for nothing.
    """
    denied = {seat.value for seat in SEAT_DENIALS.get(action, ())}
    has_read = transaction.count(_READ, Place(case=case, person=actor.user)) > 0
    for assignment in transaction.find(_ASSIGNMENT, Place(case=case, person=actor.user)) if denied else ():
        seat = assignment.body["seat"]
        if seat in denied and (has_read or assignment.place.state != "revoked"):
            return f"{actor.user} was the {seat} reader of {case} and may not {action.value} there"
    return ""


def record_refusal(transaction: Transaction, actor: Actor, version: RecordVersion) -> str:
    """Why a blinded reader may not see this record; empty for what they may see, and for every other role."""
    if actor.role not in BLINDED_SIGHT:
        return ""
    sight = BLINDED_SIGHT[actor.role].get(version.kind)
    if sight is Sight.TRIAL or (sight is Sight.OWN and version.place.person == actor.user):
        return ""
    case = version.place.case or (version.id if version.kind == "case" else "")
    if sight is Sight.CASE and case and _sits_at(transaction, actor, case):
        return ""
    return f"a {actor.role.value} may not see this {version.kind}: it is not theirs"


def _absence(transaction: Transaction, actor: Actor, at: str) -> str:
    user = transaction.current(USER, actor.user)
    if user is None or user.place.state != "active":
        return f"{actor.user} is not an active user"
    session = transaction.current(SESSION, actor.session) if actor.session else None
    if session is not None:
        is_theirs = (session.body["user"], session.body["role"]) == (actor.user, actor.role.value)
        if not is_theirs or session.place.state != "open" or session.body["expires_at"] <= at:
            return f"the session of {actor.user} has ended; sign in again"
    return ""


def _denied(transaction: Transaction, actor: Actor, rule: Denial, trial: str, at: str) -> str:
    held = {role.value for role in rule.held}
    for grant in transaction.find(GRANT, Place(person=actor.user)) if held else ():
        is_here = grant.body["trial"] in ("*", trial)
        if is_here and grant.body["role"] in held and was_in_force(transaction, grant, at):
            return f"{actor.user} may not read here: {rule.because} ({grant.body['role']})"
    for action in sorted(rule.done):
        if next(transaction.entries(EntryQuery(trial=trial, who=actor.user, action=action, limit=1)), None):
            return f"{actor.user} may not read here: {rule.because}"
    for kind in sorted(rule.told):
        if any(actor.user in told.body["recipients"] for told in transaction.find(kind, Place(trial=trial))):
            return f"{actor.user} may not read here: {rule.because}"
    return ""


def _made_at(transaction: Transaction, version: RecordVersion) -> str:
    return next(transaction.entries(EntryQuery(start=version.entry, limit=1))).at


def _is_at(grant: Mapping[str, str], at: str) -> bool:
    return grant["since"] <= at < (grant["until"] or "9999")


def _sits_at(transaction: Transaction, actor: Actor, case: str) -> bool:
    seats = transaction.find(_ASSIGNMENT, Place(case=case, person=actor.user))
    wanted = {"adjudicator"} if actor.role is Role.ADJUDICATOR else {"first", "second"}
    return any(seat.body["seat"] in wanted for seat in seats if seat.place.state != "revoked")
