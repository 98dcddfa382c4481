"""Which pages each role has; what is not named here does not exist for it."""

from __future__ import annotations

from collections.abc import Mapping

from trialimg.core.access import Role

__all__ = ["PAGES"]

PAGES: Mapping[Role, tuple[str, ...]] = {
    Role.RADIOLOGIST: ("worklist", "reading_room", "account"),
    Role.ADJUDICATOR: ("worklist", "adjudication", "account"),
    Role.ANALYST: (
        "cohort", "case", "cases", "upload", "readers", "features", "model", "quality", "report", "protocol",
        "audit", "account",
    ),
    Role.SPONSOR: ("trial", "account"),
    Role.ADMINISTRATOR: ("people", "invoices", "model", "store", "audit", "account"),
    Role.INSPECTOR: (
        "cohort", "case", "readers", "features", "model", "quality", "report", "protocol", "trial", "people", "store",
        "audit", "account",
    ),
    Role.SITE: ("queries", "account"),
}  # fmt: skip
"""Role to the pages under `pages/`, landing page first."""
