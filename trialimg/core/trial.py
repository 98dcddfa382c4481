"""The trial's frame: subjects, timepoints, findings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "Severity", "Subject", "Timepoint"]


@dataclass(frozen=True)
class Timepoint:
    """One assessment of one subject; its images may have been taken on several dates."""

    id: str
    """The schedule's name of the visit (BL, W08), or ``UNS-<date>`` for an unscheduled one."""
    order: int
    """0 for baseline, then by date."""
    date: dt.date
    """The date that stands for the assessment: the latest of its images."""
    first_date: dt.date | None = None
    """The earliest of its images, where they differ: the date of a progression."""

    def __post_init__(self) -> None:
        if self.first_date is not None and self.first_date > self.date:
            raise ValueError(f"{self.id}: first image {self.first_date} after last {self.date}")

    @property
    def progression_date(self) -> dt.date:
        """The date a progression seen here is given: the earliest image of the assessment."""
        return self.first_date or self.date


@dataclass(frozen=True)
class Subject:
    """One person in the trial, known by a code only."""

    id: str
    site: str = ""
    arm: str = ""
    """Blinded label of the treatment arm; empty where it is not known."""
    reference_date: dt.date | None = None
    """Randomisation or start of treatment; day 1 of every time-to-event endpoint."""
    death_date: dt.date | None = None
    last_contact_date: dt.date | None = None
    new_therapy_date: dt.date | None = None


class Severity(Enum):
    """What a finding does to the work."""

    INFO = "info"
    WARNING = "warning"
    """Used, with a question to the site."""
    EXCLUDED = "excluded"
    """Not used, with the reason."""


@dataclass(frozen=True)
class Finding:
    """Something noticed in the data: a quality query, never an exception."""

    code: str
    severity: Severity
    where: str
    """Subject, timepoint, series or file; enough to find it."""
    message: str
    subject: str = ""
    timepoint: str = ""
