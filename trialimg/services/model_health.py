"""How the model does in a trial: its indicators now, their course, and the tasks that a red one opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.services.journal import Records
from trialimg.services.model_evidence import Kept, judged
from trialimg.services.model_indicators import Indicator, Light, Validation, indicators
from trialimg.services.model_limits import HealthLimits
from trialimg.services.model_tasks import model_tasks, open_model_tasks
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place
from trialimg.services.trials_validation import VALIDATION_REPORT

__all__ = ["HealthSettings", "ModelHealth", "Task", "model_health", "watch_model"]


@dataclass(frozen=True)
class HealthSettings:
    """What an installation says of its watch over models."""

    limits: HealthLimits = field(default_factory=HealthLimits)
    subjects: Mapping[str, Mapping[str, str]] | None = None
    """What is known of subjects (``sex``, ``age``, ``scanner``), by subject; the records do not hold it."""


@dataclass(frozen=True)
class Task:
    """Something that somebody has to look at, or has looked at."""

    id: str
    indicator: str
    state: str
    value: str
    red: str
    opened_at: str
    for_role: str
    closed_by: str
    closed_at: str
    reason: str


@dataclass(frozen=True)
class ModelHealth:
    """A trial's model at one moment."""

    trial: str
    at: str
    models: tuple[str, ...]
    """Name and version of everything that proposed in the present window or before."""
    answers: int
    """Proposals on which a reader has decided, of all time."""
    indicators: tuple[Indicator, ...]
    tasks: tuple[Task, ...]
    """Open ones first."""
    limits: HealthLimits

    @property
    def worst(self) -> Light:
        """The worst light of any indicator that is judged."""
        order = (Light.RED, Light.AMBER, Light.GREEN)
        shown = {one.light for one in self.indicators}
        return next((light for light in order if light in shown), Light.DARK)


def model_health(
    records: Records, actor: Actor, trial: str, *, kept: Kept, settings: HealthSettings | None = None
) -> ModelHealth:
    """The indicators of a trial's model now; nothing is kept.

    Raises
    ------
    AccessError
        If the actor may not see the model's health in this trial.
    """
    settings = settings or HealthSettings()
    now = records.now()
    with records.look(actor, Action.VIEW_MODEL, trial=trial) as transaction:
        found = judged(transaction, trial, kept, settings.subjects)
        validation, tasks = _validation(transaction, trial), _tasks(transaction, trial)
    figures = indicators(found, settings.limits, now=now, validation=validation, software=records.software)
    models = tuple(sorted({one.model for one in found if one.model}))
    return ModelHealth(trial, now, models, len(found), figures, tasks, settings.limits)


def watch_model(
    records: Records, actor: Actor, trial: str, *, kept: Kept, settings: HealthSettings | None = None
) -> ModelHealth:
    """The same, and a task opened for every indicator that is red and has none.

    Raises
    ------
    AccessError
        If the actor may not see the model's health in this trial.
    """
    health = model_health(records, actor, trial, kept=kept, settings=settings)
    if not open_model_tasks(records, trial, health.indicators, health.limits):
        return health
    with records.look(actor, Action.VIEW_MODEL, trial=trial) as transaction:
        return replace(health, tasks=_tasks(transaction, trial))


def _validation(transaction: Transaction, trial: str) -> Validation | None:
    """The last validation that the protocol has passed."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for one in transaction.find(VALIDATION_REPORT, Place(trial, state="passed")):
        entry = next(transaction.entries(EntryQuery(start=one.entry, limit=1)))
        found.append((entry.at, one.body))
    if not found:
        return None
    at, body = max(found, key=lambda one: one[0])
    return Validation(at, body["software"])


def _tasks(transaction: Transaction, trial: str) -> tuple[Task, ...]:
    """Open ones first."""
    found = (_task(one.id, one.place.state, one.body) for one in model_tasks(transaction, trial))
    return tuple(sorted(found, key=lambda one: (one.state != "open", one.opened_at)))


def _task(key: str, state: str, body: Mapping[str, Any]) -> Task:
    closure = body["closure"] or {"by": "", "at": "", "reason": ""}
    said = {name: body[name] for name in ("indicator", "value", "red", "opened_at", "for_role")}
    return Task(key, state=state, closed_by=closure["by"], closed_at=closure["at"], reason=closure["reason"], **said)
