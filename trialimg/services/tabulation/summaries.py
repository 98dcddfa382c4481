"""The summary tables that a trial's courses give, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trialimg.services.figures.courses import TrialCourses
from trialimg.services.tabulation.response import disposition_table, response_table
from trialimg.services.tabulation.table import SummaryTable
from trialimg.services.tabulation.times import duration_table, progression_free_table

__all__ = ["SUMMARIES"]

SUMMARIES: Mapping[str, Callable[[TrialCourses], SummaryTable]] = {
    "orr": response_table,
    "disposition": disposition_table,
    "pfs": progression_free_table,
    "dor": duration_table,
}
