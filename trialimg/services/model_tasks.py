"""What somebody has to look at because an indicator of the model is red, from opening to the reason of its closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import TrialimgError
from trialimg.services.journal import Journal, Records
from trialimg.services.model_indicators import Indicator, Light
from trialimg.services.model_limits import HealthLimits
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion

__all__ = ["MODEL_TASK", "close_model_task", "model_tasks", "open_model_tasks"]

MODEL_TASK = "model_task"
"""Kind of a record: one indicator that was red; its id is ``trial/indicator/number``; ``open`` or ``closed``."""

_SYSTEM = Actor("trialimg", Role.DEVICE)
_OF_THE_MACHINE = ("failed_pct", "seconds", "energy_wh")
"""What an administrator can change; everything else is for the analyst."""


def open_model_tasks(
    records: Records, trial: str, found: Sequence[Indicator], limits: HealthLimits
) -> tuple[RecordVersion, ...]:
    """Open a task, in the name of the software, for every red indicator that has none and is not in its quiet days."""
    red = [one for one in found if one.light is Light.RED]
    if not red or not any(_due(records, trial, red, limits)):
        return ()
    with records.change(_SYSTEM, Action.OPEN_MODEL_TASK, trial=trial) as journal:
        kept = _by_indicator(journal.transaction, trial)
        return tuple(
            _opened(journal, trial, one, 1 + len(kept.get(one.name, ())))
            for one in red
            if _is_due(kept.get(one.name, ()), limits, journal.at)
        )


def _due(records: Records, trial: str, red: Sequence[Indicator], limits: HealthLimits) -> Iterator[bool]:
    with records.store.reading() as transaction:
        kept = _by_indicator(transaction, trial)
    return (_is_due(kept.get(one.name, ()), limits, records.now()) for one in red)


def _by_indicator(transaction: Transaction, trial: str) -> dict[str, list[RecordVersion]]:
    kept: dict[str, list[RecordVersion]] = {}
    for one in transaction.find(MODEL_TASK, Place(trial)):
        kept.setdefault(one.body["indicator"], []).append(one)
    return kept


def _is_due(kept: Sequence[RecordVersion], limits: HealthLimits, now: str) -> bool:
    if any(one.place.state == "open" for one in kept):
        return False
    quiet_since = (dt.datetime.fromisoformat(now) - dt.timedelta(days=limits.quiet_days)).isoformat()
    return all(one.body["closure"]["at"] < quiet_since for one in kept)


def _opened(journal: Journal, trial: str, one: Indicator, number: int) -> RecordVersion:
    body = {
        "indicator": one.name,
        "value": "" if one.figure.value is None else f"{one.figure.value:.4g}",
        "red": "" if one.limits is None else f"{one.limits[1]:g}",
        "n": one.figure.n,
        "why": one.why,
        "opened_at": journal.at,
        "for_role": (Role.ADMINISTRATOR if one.name in _OF_THE_MACHINE else Role.ANALYST).value,
        "closure": None,
    }
    place = Place(trial, state="open")
    return journal.write(MODEL_TASK, f"{trial}/{one.name}/{number}", body, action="open_model_task", place=place)


def close_model_task(records: Records, actor: Actor, trial: str, task: str, *, reason: str) -> RecordVersion:
    """End a task with what was found and done; its indicator opens another one only after the quiet days.

    Parameters
    ----------
    task
        Its id, or the name of its indicator.

    Raises
    ------
    AccessError
        If the actor may not close tasks in this trial.
    TrialimgError
        If there is no such open task, or nothing is said.
    """
    with records.change(actor, Action.CLOSE_MODEL_TASK, trial=trial) as journal:
        waiting = journal.transaction.find(MODEL_TASK, Place(trial, state="open"))
        found = next((one for one in waiting if task in (one.id, one.body["indicator"])), None)
        if found is None:
            raise TrialimgError(f"there is no open task {task!r} in {trial}")
        if not reason.strip():
            raise TrialimgError("say what was found and done")
        body = {**found.body, "closure": {"reason": reason.strip(), "by": actor.user, "at": journal.at}}
        place = Place(trial, state="closed")
        return journal.write(MODEL_TASK, found.id, body, action="close_model_task", place=place, reason=reason.strip())


def model_tasks(transaction: Transaction, trial: str, *, state: str = "") -> tuple[RecordVersion, ...]:
    """The tasks of a trial, all of them where no state is named."""
    return tuple(transaction.find(MODEL_TASK, Place(trial, state=state)))
