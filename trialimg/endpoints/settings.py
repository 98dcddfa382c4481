"""Every choice behind a subject's endpoints in one frozen value, and the named profiles of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from types import MappingProxyType

__all__ = [
    "PROFILES",
    "Censoring",
    "CrLost",
    "EndpointSettings",
    "MinorResponse",
    "PduBor",
    "PlannedVisit",
    "Profile",
]


class Profile(Enum):
    """Whose rules decide the best overall response."""

    RECIST11_TABLE3 = "recist11_table3"
    """Table 3 of RECIST 1.1 to the letter: a PR or SD after a CR is a progression."""
    EORTC = "eortc"
    """As Table 3, but a CR followed by PR was no CR and is amended to PR."""
    ADMIRALONCO = "admiralonco"
    """The rules of the R package admiralonco."""


class CrLost(Enum):
    """What PR, SD or NON-CR/NON-PD after a CR means."""

    PD = "pd"
    AMEND_TO_PR = "amend_to_pr"
    AS_READ = "as_read"


class PduBor(Enum):
    """What PDu of PCWG3 is in the best response, where no later scan resolved it."""

    SD = "sd"
    PD = "pd"


class MinorResponse(Enum):
    """What a minor response (RANO, RECIL) counts as."""

    SD = "sd"
    PR = "pr"


class Censoring(Enum):
    """Whose rules decide when a time to event is censored."""

    FDA = "fda"
    """Missed assessments and new therapy censor."""
    EMA = "ema"
    """Every progression and death counts, whatever came before it."""


@dataclass(frozen=True)
class PlannedVisit:
    """One assessment of the schedule: study days from ``first_day`` to ``last_day``, both included."""

    id: str
    day: int
    """Study day it is planned for; the reference date is day 1."""
    first_day: int
    last_day: int

    def __post_init__(self) -> None:
        if not self.first_day <= self.day <= self.last_day:
            raise ValueError(f"visit {self.id}: day {self.day} lies outside its window")

    def __str__(self) -> str:
        return f"{self.id}:{self.first_day}-{self.day}-{self.last_day}"


@dataclass(frozen=True)
class EndpointSettings:
    """How timepoint responses become endpoints; a protocol may override any of it by name. Times in days."""

    profile: Profile = Profile.RECIST11_TABLE3
    cr_lost: CrLost = CrLost.PD
    confirmation_required: bool = False
    """Whether responder, disease control and the times of response rest on the confirmed best response."""
    confirmation_days: int = 28
    min_sd_days: int = 42
    """SD (and a response demoted to it) counts from this many days after the reference date on."""
    clinical_benefit_weeks: int = 24
    """Clinical benefit: a response, or SD that was seen so many weeks after the reference date or later."""
    max_ne: int = 1
    """Assessments that could not be evaluated, tolerated between a response and its confirmation."""
    accept_sd: bool = False
    """One SD between a PR and its confirmation is tolerated."""
    pdu_bor: PduBor = PduBor.SD
    minor_response: MinorResponse = MinorResponse.SD
    missing_as_ne: bool = False
    """Best response NE, not MISSING, where there is no assessment at all."""
    stop_at_new_therapy: bool = True
    """Assessments after a new anticancer therapy do not count for the best response."""
    cutoff_date: dt.date | None = None
    """Nothing after this date is known."""
    censoring: Censoring = Censoring.FDA
    missed_visits: int = 2
    """FDA: so many consecutive planned assessments missed before an event censor it. 0: never."""
    schedule: tuple[PlannedVisit, ...] = ()
    """Planned assessments; without them missed ones cannot be recognised."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"{field.name} is {value}; it cannot be negative")
        days = [visit.day for visit in self.schedule]
        if days != sorted(set(days)):
            raise ValueError("the schedule's visits must stand in order of time, each day once")


PROFILES: Mapping[str, EndpointSettings] = MappingProxyType(
    {
        Profile.RECIST11_TABLE3.value: EndpointSettings(),
        Profile.EORTC.value: EndpointSettings(profile=Profile.EORTC, cr_lost=CrLost.AMEND_TO_PR),
        Profile.ADMIRALONCO.value: EndpointSettings(
            profile=Profile.ADMIRALONCO, cr_lost=CrLost.AS_READ, stop_at_new_therapy=False
        ),
    }
)
"""Complete settings by name; start from one of them and override what the protocol says."""
