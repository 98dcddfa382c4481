"""Statistical answers as objects: never a bare float."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Estimate", "LogRank", "SurvivalCurve"]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval and the way both were found; None where it cannot be estimated."""

    value: float | None
    lower: float | None
    upper: float | None
    confidence: float
    method: str
    n: int
    events: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SurvivalCurve:
    """A Kaplan-Meier curve; one entry per distinct time, time 0 first. Times in days."""

    label: str
    n: int
    events: int
    time_days: tuple[float, ...]
    n_risk: tuple[int, ...]
    n_event: tuple[int, ...]
    n_censored: tuple[int, ...]
    survival: tuple[float, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    median_days: Estimate
    """Not reached: value None."""
    method: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogRank:
    """A log-rank test of equal hazards."""

    chi2: float
    df: int
    p: float
    n: int
    events: int
    method: str
    warnings: tuple[str, ...] = ()
