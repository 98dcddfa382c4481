"""Who acts, in which role, and what each role may do: the permission matrix as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["PERMISSIONS", "Action", "Actor", "Role"]


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
    VIEW_REPORTS = "view_reports"
    VIEW_INVOICES = "view_invoices"
    ISSUE_INVOICES = "issue_invoices"
    VIEW_AUDIT = "view_audit"
    REVIEW_AUDIT = "review_audit"
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


_READS_ONLY = (Action.VIEW_COHORT, Action.VIEW_READERS, Action.VIEW_REPORTS, Action.VIEW_INVOICES, Action.VIEW_AUDIT)

PERMISSIONS: Mapping[Role, frozenset[Action]] = {
    Role.ANALYST: frozenset({
        Action.OPEN_TRIAL, Action.AMEND_PROTOCOL, Action.MANAGE_SITES, Action.RECORD_TRAINING, Action.UPLOAD_IMAGES,
        Action.RECEIVE_CASES, Action.RAISE_QUERIES, Action.ASSIGN_READS, Action.REOPEN_READ, Action.WITHDRAW_CONSENT,
        Action.CUT_DATA, Action.UNBLIND, Action.VIEW_COHORT, Action.VIEW_READERS, Action.VIEW_REPORTS,
        Action.VIEW_AUDIT, Action.REVIEW_AUDIT, Action.REPORT_INCIDENT,
    }),
    Role.RADIOLOGIST: frozenset({Action.READ}),
    Role.ADJUDICATOR: frozenset({Action.ADJUDICATE}),
    Role.SPONSOR: frozenset({Action.VIEW_REPORTS, Action.VIEW_INVOICES}),
    Role.SITE: frozenset({Action.UPLOAD_IMAGES, Action.ANSWER_QUERIES}),
    Role.ADMINISTRATOR: frozenset({
        Action.MANAGE_USERS, Action.REVIEW_ACCESS, Action.MANAGE_STORE, Action.MANAGE_SITES, Action.RECORD_TRAINING,
        Action.ISSUE_INVOICES, Action.VIEW_INVOICES, Action.VIEW_AUDIT, Action.REDACT, Action.REPORT_INCIDENT,
    }),
    Role.INSPECTOR: frozenset(_READS_ONLY),
    Role.DEVICE: frozenset({Action.PROPOSE_READ, Action.RECEIVE_CASES}),
}  # fmt: skip
"""What each role may do in the trials that it is granted for; whatever is not named is refused."""
