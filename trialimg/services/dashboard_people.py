"""Who has access, who had, and whether somebody should not: for those who may look, whether or not they may act."""

from __future__ import annotations

from trialimg.core.access import Action, Actor
from trialimg.services.journal import Records
from trialimg.services.people_history import AccessReview, Change, Right, changes_of, review_access, rights_at

__all__ = ["access_review", "history_of", "rights_held"]


def rights_held(records: Records, actor: Actor, at: str = "") -> tuple[Right, ...]:
    """The roles that were held at a moment in UTC; now, where none is given.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of the installation.
    """
    with records.look(actor, Action.VIEW_AUDIT) as transaction:
        return rights_at(transaction, at or records.now())


def history_of(records: Records, actor: Actor, user: str) -> tuple[Change, ...]:
    """Every change of somebody's access, in time.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of the installation.
    """
    with records.look(actor, Action.VIEW_AUDIT) as transaction:
        return changes_of(transaction, user)


def access_review(records: Records, actor: Actor, *, idle_days: int) -> AccessReview:
    """Every right in force now, and the access that has lost its reason to be; nothing is kept.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of the installation.
    """
    with records.look(actor, Action.VIEW_AUDIT) as transaction:
        return review_access(transaction, records.now(), idle_days=idle_days)
