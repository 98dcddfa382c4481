"""Who acts, in which role, what each role may do, and what blinding forbids all the same: all of it data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from trialimg.core.reading import Seat

__all__ = [
    "BLINDED_SIGHT",
    "DENIALS",
    "PERMISSIONS",
    "SEAT_DENIALS",
    "Action",
    "Actor",
    "Denial",
    "Role",
    "Sight",
]


class Role(Enum):
    """The part that a person takes in a trial."""

    ANALYST = "analyst"
    RADIOLOGIST = "radiologist"
    ADJUDICATOR = "adjudicator"
    SPONSOR = "sponsor"
    SITE = "site"
    ADMINISTRATOR = "administrator"
    INSPECTOR = "inspector"
    DEVICE = "device"
    """The software itself: it may propose, never lock, sign or adjudicate."""


class Action(Enum):
    """What can be done to the records or seen of them."""

    OWN_ACCOUNT = "own_account"
    """Sign out, change one's own password, sign one's own acknowledgement or training."""
    MANAGE_USERS = "manage_users"
    REVIEW_ACCESS = "review_access"
    MANAGE_STORE = "manage_store"
    OPEN_TRIAL = "open_trial"
    AMEND_PROTOCOL = "amend_protocol"
    MANAGE_SITES = "manage_sites"
    RECORD_TRAINING = "record_training"
    UPLOAD_IMAGES = "upload_images"
    RECEIVE_CASES = "receive_cases"
    RAISE_QUERIES = "raise_queries"
    ANSWER_QUERIES = "answer_queries"
    ASSIGN_READS = "assign_reads"
    PROPOSE_READ = "propose_read"
    READ = "read"
    """Open an assigned case, draft, lock and sign one's own read of it."""
    ADJUDICATE = "adjudicate"
    REOPEN_READ = "reopen_read"
    UNBLIND = "unblind"
    WITHDRAW_CONSENT = "withdraw_consent"
    CUT_DATA = "cut_data"
    VIEW_COHORT = "view_cohort"
    VIEW_READERS = "view_readers"
    VIEW_MODEL = "view_model"
    """See how the model does: what it proposed, and what readers made of it."""
    VIEW_REPORTS = "view_reports"
    VIEW_INVOICES = "view_invoices"
    ISSUE_INVOICES = "issue_invoices"
    VIEW_AUDIT = "view_audit"
    REVIEW_AUDIT = "review_audit"
    OPEN_MODEL_TASK = "open_model_task"
    """Ask somebody to look at an indicator of the model that is red."""
    CLOSE_MODEL_TASK = "close_model_task"
    REPORT_INCIDENT = "report_incident"
    REDACT = "redact"


@dataclass(frozen=True)
class Actor:
    """A signed-in person (or the software) in one role."""

    user: str
    """Unique name, never given twice."""
    role: Role
    session: str = ""
    """Identifier of the sign-in; empty for the software."""


_READS_ONLY = (
    Action.VIEW_COHORT, Action.VIEW_READERS, Action.VIEW_MODEL, Action.VIEW_REPORTS, Action.VIEW_INVOICES,
    Action.VIEW_AUDIT,
)  # fmt: skip

_OWN = frozenset({Action.OWN_ACCOUNT})

PERMISSIONS: Mapping[Role, frozenset[Action]] = {
    Role.ANALYST: _OWN | frozenset({
        Action.OPEN_TRIAL, Action.AMEND_PROTOCOL, Action.MANAGE_SITES, Action.RECORD_TRAINING, Action.UPLOAD_IMAGES,
        Action.RECEIVE_CASES, Action.RAISE_QUERIES, Action.ASSIGN_READS, Action.REOPEN_READ, Action.WITHDRAW_CONSENT,
        Action.CUT_DATA, Action.UNBLIND, Action.VIEW_COHORT, Action.VIEW_READERS, Action.VIEW_REPORTS,
        Action.VIEW_AUDIT, Action.REVIEW_AUDIT, Action.REPORT_INCIDENT, Action.VIEW_MODEL, Action.CLOSE_MODEL_TASK,
    }),
    Role.RADIOLOGIST: _OWN | frozenset({Action.READ}),
    Role.ADJUDICATOR: _OWN | frozenset({Action.ADJUDICATE}),
    Role.SPONSOR: _OWN | frozenset({Action.VIEW_REPORTS, Action.VIEW_INVOICES}),
    Role.SITE: _OWN | frozenset({Action.UPLOAD_IMAGES, Action.ANSWER_QUERIES}),
    Role.ADMINISTRATOR: _OWN | frozenset({
        Action.MANAGE_USERS, Action.REVIEW_ACCESS, Action.MANAGE_STORE, Action.MANAGE_SITES, Action.RECORD_TRAINING,
        Action.ISSUE_INVOICES, Action.VIEW_INVOICES, Action.VIEW_AUDIT, Action.REDACT, Action.REPORT_INCIDENT,
        Action.VIEW_MODEL, Action.CLOSE_MODEL_TASK,
    }),
    Role.INSPECTOR: _OWN | frozenset(_READS_ONLY),
    Role.DEVICE: frozenset({Action.PROPOSE_READ, Action.RECEIVE_CASES, Action.OPEN_MODEL_TASK}),
}  # fmt: skip
"""What each role may do in the trials that it is granted for; whatever is not named is refused."""


@dataclass(frozen=True)
class Denial:
    """What someone may not do in a trial because of what they know; it wins over every grant."""

    actions: frozenset[Action]
    because: str
    held: frozenset[Role] = frozenset()
    """Whoever holds one of these roles in the trial, or ever held it there."""
    done: frozenset[str] = frozenset()
    """Whoever did one of these there, in the words of the ledger."""
    told: frozenset[str] = frozenset()
    """Whoever a record of one of these kinds names among its recipients."""


_READING = frozenset({Action.READ, Action.ADJUDICATE})

DENIALS: tuple[Denial, ...] = (
    Denial(
        _READING,
        "a role held in the trial shows what readers must not know",
        held=frozenset({Role.ANALYST, Role.SPONSOR, Role.SITE, Role.INSPECTOR}),
    ),
    Denial(_READING, "unblinded in the trial", done=frozenset({"unblind"}), told=frozenset({"unblinding"})),
)
"""Why someone who was granted a reader's role may still not read."""

SEAT_DENIALS: Mapping[Action, frozenset[Seat]] = {
    Action.READ: frozenset({Seat.ADJUDICATOR}),
    Action.ADJUDICATE: frozenset({Seat.FIRST, Seat.SECOND}),
}
"""Who had one of these seats at a case may not do this there: nobody adjudicates their own read, or reads again."""


class Sight(Enum):
    """How far someone sees among the records of a kind."""

    OWN = "own"
    """Only what is theirs."""
    CASE = "case"
    """What belongs to the cases that they are assigned to in this role."""
    TRIAL = "trial"
    """All of the trial."""


_OWN_PAPERS = {"assignment": Sight.OWN, "training": Sight.OWN, "acknowledgement": Sight.OWN, "signature": Sight.OWN}

BLINDED_SIGHT: Mapping[Role, Mapping[str, Sight]] = {
    Role.RADIOLOGIST: {**_OWN_PAPERS, "protocol": Sight.TRIAL, "case": Sight.CASE, "read": Sight.OWN},
    Role.ADJUDICATOR: {
        **_OWN_PAPERS, "protocol": Sight.TRIAL, "case": Sight.CASE, "verdict": Sight.OWN,
    },
}  # fmt: skip
"""Which kinds of records a blinded role sees, and how far; every other kind is hidden from it.

An adjudicator sees no read as it is kept, which names its reader: both reads are shown without their authors, by an
allow-list.
"""
