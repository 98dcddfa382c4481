"""How a trial is watched over: which entries of the audit trail are reviewed, when a reader is trained again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialimg.protocol.section import Section
from trialimg.review.performance_limits import ReaderLimits
from trialimg.review.qualification import QualificationRule

__all__ = ["AuditReview", "Oversight"]

ActionName = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]

_ALWAYS = (
    "amend_protocol", "activate_site", "reopen_read", "supersede_read", "withdraw_consent", "unblind", "cut_data",
    "unlock_data", "redact", "purge", "hold", "release_hold", "grant", "revoke", "fail_sign_in", "lock_out",
    "refuse_access",
)  # fmt: skip


class AuditReview(Section):
    """Which entries of the audit trail somebody looks at, and how often."""

    period_days: Annotated[int, Field(ge=1, le=366)] = 90
    """Length of a period, in days; each is reviewed and signed once."""
    always: tuple[ActionName, ...] = _ALWAYS
    """Actions of which every entry is reviewed: what changes an answer, the blinding or somebody's rights."""
    sample_pct: Annotated[int, Field(ge=0, le=100)] = 10
    """Share of the other entries that is reviewed, in percent, rounded up."""
    seed: int = 1
    """Seed of that sample."""


class Oversight(Section):
    """How the trial is watched over while it runs."""

    audit_review: AuditReview = AuditReview()
    """Which entries of the audit trail somebody looks at, and how often."""
    reader_limits: ReaderLimits = ReaderLimits()
    """Figures of a reader beyond which the reader is trained again."""
    qualification: QualificationRule = QualificationRule()
    """What a reader shows before the first case."""
    reading_days: Annotated[int, Field(ge=1, le=366)] | None = None
    """Days from when a read or an adjudication is given out, after which worklists mark it as overdue; null: never."""
