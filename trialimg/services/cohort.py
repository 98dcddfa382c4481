"""The trial compared by arm."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.core.errors import ReadingError
from trialimg.core.trial import Finding, Severity, Subject
from trialimg.endpoints.results import TimeToEvent
from trialimg.protocol.analysis import Statistics
from trialimg.protocol.model import Protocol
from trialimg.services.results import CohortResult, SubjectResult
from trialimg.stats.rates import rate
from trialimg.stats.results import Estimate, LogRank
from trialimg.stats.survival import kaplan_meier, log_rank

__all__ = ["ALL", "compare_arms", "outside_protocol"]

ALL = "all"


def outside_protocol(subjects: Sequence[Subject], protocol: Protocol) -> list[Finding]:
    """Sites and arms that the protocol does not name."""
    checks = (("site", protocol.sites), ("arm", protocol.arms))
    return [
        Finding(f"unknown_{what}", Severity.WARNING, s.id, f"{what} {value!r} is not in the protocol", s.id)
        for s in subjects
        for what, known in checks
        if (value := getattr(s, what)) and value not in known
    ]


def compare_arms(subjects: Sequence[SubjectResult], arms: Sequence[str], statistics: Statistics) -> CohortResult:
    """Response rates and progression-free survival, all subjects first, then by arm; the arms the protocol compares.

    Parameters
    ----------
    subjects
        Every subject; one without a read, or a usable baseline, counts in the denominator of a rate (not a responder)
        and is left out of the curves, which the notes say.
    arms
        Blinded labels, in the protocol's order.
    """
    groups = [(ALL, list(subjects))]
    groups += [(arm, [s for s in subjects if s.subject.arm == arm]) for arm in arms]
    groups = [(name, members) for name, members in groups if members]
    curves = [
        (name, kaplan_meier(*_times(members), label=name, confidence=float(statistics.confidence)))
        for name, members in groups
    ]
    compared = [s for s in subjects if s.subject.arm in statistics.compare_arms]
    test, complaint = _compared(compared) if statistics.compare_arms else (None, ())
    return CohortResult(
        tuple((name, _rate(members, "responder", statistics)) for name, members in groups),
        tuple((name, _rate(members, "disease_control", statistics)) for name, members in groups),
        tuple((name, curve) for name, curve in curves if curve.n),
        test,
        _notes(subjects, arms) + complaint,
    )


def _notes(subjects: Sequence[SubjectResult], arms: Sequence[str]) -> tuple[str, ...]:
    unread = [s.subject.id for s in subjects if not s.is_read]
    without = [s.subject.id for s in subjects if s.is_read and s.endpoints is None]
    strays = [s.subject.id for s in subjects if s.subject.arm not in arms]
    untimed = [s.subject.id for s in subjects if s.endpoints is not None and _pfs(s) is None]
    said = (
        (unread, "no final read, counted as non-responders and left out of the curves"),
        (without, "no usable baseline, counted as non-responders and left out of the curves"),
        (strays, f"in no arm of the protocol, counted only under {ALL!r}"),
        (untimed, "progression-free survival cannot be dated, left out of the curves"),
    )
    return tuple(f"{words}: {', '.join(names)}" for names, words in said if names)


def _rate(members: Sequence[SubjectResult], which: str, statistics: Statistics) -> Estimate:
    events = sum(1 for s in members if s.endpoints is not None and getattr(s.endpoints, which))
    confidence = float(statistics.confidence)
    return rate(events, len(members), confidence=confidence, method=statistics.rate_interval)


def _pfs(subject: SubjectResult) -> TimeToEvent | None:
    return subject.endpoints.progression_free_survival if subject.endpoints is not None else None


def _times(members: Sequence[SubjectResult]) -> tuple[list[int], list[bool]]:
    times = [pfs for s in members if (pfs := _pfs(s)) is not None]
    return [pfs.days for pfs in times], [pfs.event for pfs in times]


def _compared(subjects: Sequence[SubjectResult]) -> tuple[LogRank | None, tuple[str, ...]]:
    """The log-rank test of the arms; None with the reason where it cannot be made."""
    timed = [(s.subject.arm, pfs) for s in subjects if (pfs := _pfs(s)) is not None]
    try:
        return log_rank([pfs.days for _, pfs in timed], [pfs.event for _, pfs in timed], [arm for arm, _ in timed]), ()
    except ReadingError as fault:
        return None, (f"no log-rank test: {fault}",)
