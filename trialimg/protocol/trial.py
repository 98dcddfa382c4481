"""What is studied and when: the trial's name, its arms and sites, its schedule of visits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trialimg.protocol.section import Label, Section

__all__ = ["Arms", "Baseline", "Schedule", "Sites", "Trial", "Visit"]

Arms = Annotated[tuple[Label, ...], Field(min_length=1)]
Sites = Annotated[tuple[Label, ...], Field(min_length=1)]


class Trial(Section):
    """The trial that the protocol belongs to."""

    id: Label
    """Code of the trial (SDTM STUDYID)."""
    title: str = Field(min_length=1)
    """Title as it stands on the report."""
    version: str = Field(min_length=1)
    """Version of this protocol file, in quotes; a change of anything is a new version."""
    sponsor: str = ""
    """Name of the sponsor; empty: not printed."""
    indication: str = ""
    """Disease that is treated; empty: not printed."""


class Baseline(Section):
    """The scans that everything later is compared with."""

    id: Label = "BL"
    """Name of the visit."""
    window_days: tuple[int, int]
    """First and last study day, both included. Day 1 is the reference date, day -1 the day before; no day 0."""


class Visit(Section):
    """One planned visit after baseline."""

    id: Label
    """Name of the visit, e.g. W06."""
    day: int = Field(ge=1)
    """Planned study day; day 1 is the reference date."""
    window_days: tuple[int, int]
    """How many days early (0 or less) and late (0 or more) the scan may be taken."""

    @property
    def first_day(self) -> int:
        """First study day of the window."""
        return self.day + self.window_days[0]

    @property
    def last_day(self) -> int:
        """Last study day of the window."""
        return self.day + self.window_days[1]


class Schedule(Section):
    """When the scans are planned."""

    reference: Literal["randomisation", "first_dose"] = "randomisation"
    """What the reference date of `subjects.csv`, day 1, is."""
    baseline: Baseline
    """The baseline visit."""
    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]
    """The visits after baseline, in order of day."""
