"""Which pages each role has; what is not named here does not exist for it."""

from __future__ import annotations

from collections.abc import Mapping

from trialimg.core.access import Role

__all__ = ["PAGES"]

PAGES: Mapping[Role, tuple[str, ...]] = {
    Role.RADIOLOGIST: ("worklist", "reading_room", "account"),
    Role.ADJUDICATOR: ("worklist", "adjudication", "account"),
}
"""Role to the pages under `pages/`, landing page first."""
