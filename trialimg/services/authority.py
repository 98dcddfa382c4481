"""May this person do this here, now?"""

from __future__ import annotations

from collections.abc import Mapping

from trialimg.core.access import PERMISSIONS, Action, Actor, Role
from trialimg.services.ports import Transaction
from trialimg.services.records import Place

__all__ = ["GRANT", "USER", "refusal"]

USER = "user"
"""Kind of a record: a person with a name of their own. Its id is the name; its state ``active`` or ``disabled``."""
GRANT = "grant"
"""Kind of a record: a role in a trial, state ``valid`` or ``revoked``; body: user, role, trial, site, since, until."""


def refusal(transaction: Transaction, actor: Actor, action: Action, *, trial: str = "", site: str = "", at: str) -> str:
    """Why the actor may not do this; empty if they may."""
    if action not in PERMISSIONS[actor.role]:
        return f"a {actor.role.value} may not {action.value.replace('_', ' ')}"
    if actor.role is Role.DEVICE:
        return ""
    if action is Action.MANAGE_USERS and not transaction.count(USER, Place()):
        return ""
    user = transaction.current(USER, actor.user)
    if user is None or user.place.state != "active":
        return f"{actor.user} is not an active user"
    grants = [grant.body for grant in transaction.find(GRANT, Place(person=actor.user, state="valid"))]
    if any(_covers(grant, actor.role, trial=trial, site=site, at=at) for grant in grants):
        return ""
    return f"{actor.user} is not {actor.role.value} of {trial or 'this installation'} at this time"


def _covers(grant: Mapping[str, str], role: Role, *, trial: str, site: str, at: str) -> bool:
    is_here = grant["trial"] in ("*", trial) and grant["site"] in ("", site)
    return is_here and grant["role"] == role.value and grant["since"] <= at < (grant["until"] or "9999")
