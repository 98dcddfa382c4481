"""The analysis datasets' frame: whose read a parameter is of, and what every row says of its subject."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from trialimg.services.cdisc.course import Course, Read, Study
from trialimg.services.cdisc.specification import Row, Value
from trialimg.services.cdisc.tables import study_day
from trialimg.services.cdisc.vocabulary import vocabulary

__all__ = ["Analysed", "analysis_visit"]


@dataclass(frozen=True)
class Analysed:
    """One subject, with the SDTM rows of the read that counts."""

    study: Study
    course: Course
    subject: Row
    """Row of ADSL."""
    tu: tuple[Row, ...]
    tr: tuple[Row, ...]
    rs: tuple[Row, ...]

    @cached_property
    def origin(self) -> dt.date | None:
        """Day 1 of every endpoint."""
        return self.course.subject.reference_date

    @property
    def read(self) -> Read | None:
        return self.course.accepted

    @cached_property
    def overall(self) -> tuple[Row, ...]:
        """Overall responses in order of visit, of assessments that took place."""
        return tuple(row for row in self.rs if row["RSTESTCD"] == "OVRLRESP" and row.get("RSSTRESC"))

    def cells(self, code: str, name: str, category: str) -> dict[str, Value]:
        """What every row of a parameter says."""
        return {
            "STUDYID": self.study.code,
            "USUBJID": self.subject["USUBJID"],
            "TRTP": self.subject.get("TRT01P"),
            "PARAMCD": code,
            "PARAM": name,
            "PARCAT1": category,
            "PARCAT2": "BICR",
            "PARCAT3": vocabulary(self.study.criterion).category,
        }

    def dated(self, day: dt.date | None) -> dict[str, Value]:
        """Analysis date and day."""
        return {"ADT": day, "ADY": study_day(day, self.origin)}


def analysis_visit(number: Value, name: Value, first: Value) -> dict[str, Value]:
    """AVISIT and AVISITN: baseline is 0.

    Parameters
    ----------
    first
        VISITNUM of baseline.
    """
    is_baseline = number == first
    return {"AVISIT": "BASELINE" if is_baseline else name, "AVISITN": 0.0 if is_baseline else number}
