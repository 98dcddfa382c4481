"""What went wrong or was asked for help with, from its report to the measure that ends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from trialimg.core.access import Action, Actor
from trialimg.core.errors import TrialimgError
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion

__all__ = ["INCIDENT", "Closure", "Report", "ReportKind", "close_incident", "open_incidents", "report_incident"]

INCIDENT = "incident"
"""Kind of a record; its id is ``trial/number`` (``_/number`` where no trial is concerned); ``open`` or ``closed``."""

_INSTALLATION = "_"


class ReportKind(Enum):
    """What was reported."""

    SUPPORT = "support"
    """Somebody needed help."""
    INCIDENT = "incident"
    """Something failed, or was done wrongly."""
    BREACH = "breach"
    """Somebody saw or could have seen what they may not."""
    RESTORE_TEST = "restore_test"
    """The yearly exercise: a backup was restored elsewhere and compared."""


@dataclass(frozen=True)
class Report:
    """What happened."""

    kind: ReportKind
    what: str
    critical: bool = False
    """Whether data, blinding or a subject may be touched: then the root cause has to be found."""
    trial: str = ""
    """Empty: the installation."""


@dataclass(frozen=True)
class Closure:
    """How it ended."""

    answer: str
    """What was done."""
    root_cause: str = ""
    measure: str = ""
    """What keeps it from happening again."""


def report_incident(records: Records, actor: Actor, report: Report) -> RecordVersion:
    """Open a line of the support and incident log.

    Raises
    ------
    TrialimgError
        If nothing is said.
    """
    if not report.what.strip():
        raise TrialimgError("say what happened")
    with records.change(actor, Action.REPORT_INCIDENT, trial=report.trial) as journal:
        prefix = report.trial or _INSTALLATION
        number = 1 + sum(
            one.id.startswith(f"{prefix}/") for one in journal.transaction.find(INCIDENT, Place(report.trial))
        )
        body = {
            "kind": report.kind.value,
            "what": report.what,
            "critical": report.critical,
            "reported_by": actor.user,
            "reported_at": journal.at,
            "closure": None,
        }
        place = Place(report.trial, state="open")
        return journal.write(INCIDENT, f"{prefix}/{number}", body, action="report_incident", place=place)


def close_incident(records: Records, actor: Actor, incident: str, closure: Closure) -> RecordVersion:
    """End a line of the log with what was done; a critical one names its root cause and the measure against it.

    Raises
    ------
    TrialimgError
        If there is no such open line, or something is left unsaid.
    """
    prefix = incident.partition("/")[0]
    trial = "" if prefix == _INSTALLATION else prefix
    with records.change(actor, Action.REPORT_INCIDENT, trial=trial) as journal:
        found = journal.transaction.current(INCIDENT, incident)
        if found is None or found.place.state != "open":
            raise TrialimgError(f"there is no open incident {incident!r}")
        if not closure.answer.strip():
            raise TrialimgError("say what was done")
        if found.body["critical"] and not (closure.root_cause.strip() and closure.measure.strip()):
            raise TrialimgError("a critical incident is closed with its root cause and the measure against it")
        said = {
            "answer": closure.answer,
            "root_cause": closure.root_cause,
            "measure": closure.measure,
            "closed_by": actor.user,
            "closed_at": journal.at,
        }
        body = {**found.body, "closure": said}
        return journal.write(INCIDENT, incident, body, action="close_incident", place=Place(trial, state="closed"))


def open_incidents(transaction: Transaction, trial: str = "") -> tuple[RecordVersion, ...]:
    """Lines of the log that nobody has ended; of all trials where none is named."""
    return tuple(transaction.find(INCIDENT, Place(trial, state="open")))
