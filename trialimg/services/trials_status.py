"""How a trial stands, on one page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.services.audit_review import periods
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reader_training import open_retrainings
from trialimg.services.records import Place
from trialimg.services.trials import protocol_of, require_trial
from trialimg.services.trials_data_cut import DATA_CUT, moved_since
from trialimg.services.trials_incidents import open_incidents
from trialimg.services.trials_sites import SITE

__all__ = ["status_of"]


def status_of(records: Records, actor: Actor, trial: str) -> dict[str, Any]:
    """What is in force, how many of what there are, and what somebody has to do.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    ProtocolError
        If there is no such trial.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        opened = require_trial(transaction, trial)
        protocol = protocol_of(transaction, trial)
        cuts = list(transaction.find(DATA_CUT, Place(trial)))
        locked = [cut for cut in cuts if cut.place.state == "locked"]
        reviews = Counter(period.state for period in periods(transaction, trial, records.now()))
        return {
            "trial": trial,
            "state": opened.place.state,
            "blinded": opened.body["blinded"],
            "protocol": protocol.body["version"],
            "protocol_number": protocol.version,
            "protocol_digest": protocol.body["digest"],
            "sites": _by_state(transaction, SITE, trial),
            "cases": _by_state(transaction, "case", trial),
            "data_cuts": {cut.id: cut.place.state for cut in cuts},
            "moved_since_cut": sum(len(moved_since(transaction, cut)) for cut in locked),
            "audit_reviews": dict(sorted(reviews.items())),
            "open_incidents": len(open_incidents(transaction, trial)),
            "open_retrainings": [task.place.person for task in open_retrainings(transaction, trial)],
        }


def _by_state(transaction: Transaction, kind: str, trial: str) -> dict[str, int]:
    found = Counter(record.place.state for record in transaction.find(kind, Place(trial)))
    return dict(sorted(found.items()))
