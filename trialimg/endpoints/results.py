"""What is said of one subject, each answer with its rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.responses import BestOverallResponse, Firing

__all__ = ["BestResponse", "OwnBestResponse", "SubjectEndpoints", "TimeToEvent", "TumourBurden"]


@dataclass(frozen=True)
class BestResponse:
    """Best overall response and the date it was reached."""

    response: BestOverallResponse
    date: dt.date | None
    rule: Firing


@dataclass(frozen=True)
class OwnBestResponse:
    """Best overall response in the criterion's own words (by iRECIST: iBOR)."""

    response: Enum
    date: dt.date
    rule: Firing


@dataclass(frozen=True)
class TimeToEvent:
    """A time-to-event endpoint; day 1 is the reference date itself."""

    days: int
    """``date - reference date + 1``."""
    event: bool
    """False: censored."""
    date: dt.date
    rule: Firing


@dataclass(frozen=True)
class TumourBurden:
    """How far the sum of diameters fell; None where no sum after baseline could be made."""

    best_change_pct: Decimal | None
    best_change_date: dt.date | None
    nadir_mm: Decimal | None
    """Smallest sum, baseline included."""
    nadir_date: dt.date | None
    time_to_nadir_days: int | None = None
    """``nadir date - baseline date``."""


@dataclass(frozen=True)
class SubjectEndpoints:
    """One subject summed up; None where the endpoint does not apply (no responder: no duration) or cannot be known."""

    best: BestResponse
    confirmed: BestResponse
    responder: bool
    """Best response (confirmed where the protocol asks for it) is CR or PR."""
    disease_control: bool
    burden: TumourBurden
    progression_free_survival: TimeToEvent | None
    duration_of_response: TimeToEvent | None
    time_to_response: TimeToEvent | None
    """Both from the first response, confirmed where the protocol asks for confirmation."""
    response_date: dt.date | None = None
    """First CR or PR."""
    confirmed_response_date: dt.date | None = None
    """First CR or PR that was confirmed later."""
    progression_date: dt.date | None = None
    disease_control_date: dt.date | None = None
    time_to_progression: TimeToEvent | None = None
    clinical_benefit: bool = False
    """Responder, or disease that did not progress for as long as the settings ask."""
    own_best: OwnBestResponse | None = None
    """Where the criterion's words are others than those of RECIST."""
    settings: tuple[tuple[str, str], ...] = ()
    """Every setting in force, defaults included."""
