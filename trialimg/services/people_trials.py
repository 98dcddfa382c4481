"""In which trials somebody has a part."""

from __future__ import annotations

from trialimg.core.access import Actor
from trialimg.services.authority import GRANT
from trialimg.services.journal import Records
from trialimg.services.records import Place
from trialimg.services.trials import TRIAL

__all__ = ["trials_of"]


def trials_of(records: Records, actor: Actor) -> tuple[str, ...]:
    """Codes of the trials in which the actor holds their present role now, in order."""
    at = records.now()
    with records.store.reading() as transaction:
        grants = [grant.body for grant in transaction.find(GRANT, Place(person=actor.user, state="valid"))]
        held = {
            grant["trial"]
            for grant in grants
            if grant["role"] == actor.role.value and grant["since"] <= at < (grant["until"] or "9999")
        }
        known = [trial.id for trial in transaction.find(TRIAL, Place())]
    return tuple(trial for trial in known if "*" in held or trial in held)
