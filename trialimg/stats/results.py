"""Statistical answers as objects: never a bare float."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChiSquare", "Estimate", "FTest", "LogRank", "SurvivalCurve"]


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
    se: float | None = None
    """Standard error, where the interval rests on one."""
    p: float | None = None
    """Two-sided p-value that the quantity is what it would be without a difference, where the method has one."""
    data_digest: str = ""
    """Of the numbers that went in, in their order."""


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
    se: tuple[float | None, ...] = ()
    """Greenwood's standard error of the survival; None where everyone has had the event."""
    data_digest: str = ""


@dataclass(frozen=True)
class ChiSquare:
    """A test whose statistic is a chi-square."""

    chi2: float
    df: int
    p: float
    n: int
    events: int
    method: str
    warnings: tuple[str, ...] = ()
    data_digest: str = ""


@dataclass(frozen=True)
class FTest:
    """A test of several contrasts at once whose statistic is an F."""

    f: float
    """As it is compared: with its scale."""
    df1: int
    df2: float
    p: float
    scale: float
    """What the plain F was multiplied by; 1 where the method has none."""
    n: int
    method: str
    data_digest: str = ""


@dataclass(frozen=True)
class LogRank(ChiSquare):
    """A log-rank test of equal hazards, weighted or stratified where its method says so."""

    groups: tuple[str, ...] = ()
    group_n: tuple[int, ...] = ()
    observed: tuple[float, ...] = ()
    """Weighted events of each group."""
    expected: tuple[float, ...] = ()
    """Weighted events expected of each group if the hazards were equal."""
