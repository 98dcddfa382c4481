"""The columns of `endpoints.csv`: one subject summed up, each answer with the rule that gave it."""

from __future__ import annotations

from collections.abc import Callable

from trialimg.adapters.exporters.cells import Cell, Column, one_decimal
from trialimg.endpoints.results import BestResponse, SubjectEndpoints, TimeToEvent, TumourBurden
from trialimg.services.results import SubjectResult

__all__ = ["ENDPOINT_COLUMNS"]

Columns = tuple[Column[SubjectResult], ...]


def _of(read: Callable[[SubjectEndpoints], Cell]) -> Callable[[SubjectResult], Cell]:
    """What the endpoints say, blank for a subject without any."""
    return lambda subject: read(subject.endpoints) if subject.endpoints else None


def _best(prefix: str, which: Callable[[SubjectEndpoints], BestResponse]) -> Columns:
    return (
        Column(prefix, _of(lambda e: which(e).response)),
        Column(f"{prefix}_date", _of(lambda e: which(e).date)),
        Column(f"{prefix}_rule", _of(lambda e: which(e).rule.rule)),
        Column(f"{prefix}_sentence", _of(lambda e: which(e).rule.sentence)),
    )


def _time(prefix: str, which: Callable[[SubjectEndpoints], TimeToEvent | None]) -> Columns:
    def part(read: Callable[[TimeToEvent], Cell]) -> Callable[[SubjectResult], Cell]:
        return _of(lambda e: read(found) if (found := which(e)) else None)

    return (
        Column(f"{prefix}_days", part(lambda t: t.days)),
        Column(f"{prefix}_event", part(lambda t: t.event)),
        Column(f"{prefix}_date", part(lambda t: t.date)),
        Column(f"{prefix}_rule", part(lambda t: t.rule.rule)),
        Column(f"{prefix}_sentence", part(lambda t: t.rule.sentence)),
    )


def _burden(read: Callable[[TumourBurden], Cell]) -> Callable[[SubjectResult], Cell]:
    return _of(lambda e: read(e.burden))


ENDPOINT_COLUMNS: Columns = (
    Column("subject", lambda s: s.subject.id),
    Column("site", lambda s: s.subject.site),
    Column("arm", lambda s: s.subject.arm),
    Column("reference_date", lambda s: s.subject.reference_date),
    Column("usable_baseline", lambda s: s.endpoints is not None),
    *_best("best_response", lambda e: e.best),
    *_best("confirmed_response", lambda e: e.confirmed),
    Column("responder", _of(lambda e: e.responder)),
    Column("disease_control", _of(lambda e: e.disease_control)),
    Column("best_change_pct", _burden(lambda b: one_decimal(b.best_change_pct))),
    Column("best_change_pct_exact", _burden(lambda b: b.best_change_pct)),
    Column("best_change_date", _burden(lambda b: b.best_change_date)),
    Column("nadir_mm", _burden(lambda b: one_decimal(b.nadir_mm))),
    Column("nadir_date", _burden(lambda b: b.nadir_date)),
    *_time("pfs", lambda e: e.progression_free_survival),
    *_time("dor", lambda e: e.duration_of_response),
    *_time("ttr", lambda e: e.time_to_response),
    Column("death_date", lambda s: s.subject.death_date),
    Column("last_contact_date", lambda s: s.subject.last_contact_date),
    Column("new_therapy_date", lambda s: s.subject.new_therapy_date),
    Column("settings", _of(lambda e: "; ".join(f"{name}={value}" for name, value in e.settings))),
)
