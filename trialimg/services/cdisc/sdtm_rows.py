"""What every record of TU, TR and RS says of its study, subject, reader and visit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from trialimg.services.cdisc.course import Assessment, Course, Read, Study
from trialimg.services.cdisc.specification import Value
from trialimg.services.cdisc.tables import study_day

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """One assessment of one read of one subject."""

    study: Study
    course: Course
    read: Read
    number: int
    """Number of the assessment in the read, baseline 1."""

    @property
    def at(self) -> Assessment:
        return self.read.assessments[self.number - 1]

    @property
    def group(self) -> str:
        """Value of --LNKGRP."""
        return f"{self.read.by.prefix}-A{self.number}"

    def link(self, label: str) -> str:
        """Value of --LNKID for a lesion."""
        return f"{self.read.by.prefix}-{label}"

    def cells(self, domain: str, day: dt.date | None) -> dict[str, Value]:
        """The identifying, evaluating and timing variables of a record.

        Parameters
        ----------
        day
            Date of what the record says; None where nothing took place.
        """
        visit, subject = self.at.visit, self.course.subject
        accepted = self.read.is_accepted and self.study.has_several_readers
        return {
            "STUDYID": self.study.code,
            "DOMAIN": domain,
            "USUBJID": self.study.unique_subject(subject),
            f"{domain}NAM": self.study.vendor,
            f"{domain}EVAL": self.read.by.evaluator,
            f"{domain}EVALID": self.read.by.role,
            f"{domain}ACPTFL": "Y" if accepted else None,
            "VISITNUM": float(visit.number),
            "VISIT": visit.name,
            "VISITDY": visit.planned_day,
            "EPOCH": self._epoch(day or self.at.date),
            f"{domain}DTC": day.isoformat() if day else None,
            f"{domain}DY": study_day(day, subject.reference_date),
        }

    def _epoch(self, day: dt.date) -> str | None:
        """SCREENING up to the start; on the day of the start the baseline still is."""
        start = self.course.subject.reference_date
        if start is None:
            return None
        return "SCREENING" if day < start or (day == start and self.number == 1) else "TREATMENT"

    def is_last_before_start(self) -> bool:
        """Whether this is the baseline, on or before the start of treatment."""
        start = self.course.subject.reference_date
        return self.number == 1 and start is not None and self.at.date <= start
