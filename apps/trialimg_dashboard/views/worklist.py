"""The worklist as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from apps.trialimg_dashboard.desk import Desk
from trialimg.core.access import Role

__all__ = ["rows_shown", "target_page"]

_COLUMNS = ("alias", "visit", "type", "state", "days_in_state")
_PAGES = Path(__file__).parent.parent / "pages"


def rows_shown(at: Desk, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The reader's rows with headings and words in their language."""
    shown = [
        {
            at.t("worklist.alias"): row["alias"],
            at.t("worklist.visit"): row["visit"],
            at.t("worklist.type"): at.t(f"worklist.type.{row['type']}"),
            at.t("worklist.state"): at.t(f"state.{row['state']}"),
            at.t("worklist.days"): float(row["days_in_state"]),
        }
        for row in rows
    ]
    return pd.DataFrame(shown)


def target_page(role: Role) -> Path:
    """Where a case of the worklist is opened."""
    return _PAGES / ("adjudication.py" if role is Role.ADJUDICATOR else "reading_room.py")
