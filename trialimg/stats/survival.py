"""How long until something happened: Kaplan-Meier curves, their quantiles, follow-up and landmarks."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from lifelines import KaplanMeierFitter
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.bands import BANDS
from trialimg.stats.log_rank import log_rank
from trialimg.stats.observations import require_times
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate, SurvivalCurve

__all__ = [
    "follow_up",
    "kaplan_meier",
    "log_rank",
    "numbers_at_risk",
    "past_landmark",
    "survival_at",
    "survival_quantile",
]

CURVE_METHOD = "Kaplan-Meier, Greenwood variance, {limits} limits"
QUANTILE_METHOD = "Kaplan-Meier quantile, limits where the {limits} band crosses (Brookmeyer-Crowley)"
SAME_HEIGHT = math.sqrt(np.finfo(float).eps)
"""Two heights of a curve closer than this are one: the tolerance of R's `quantile.survfit`, for products round off."""

Band = Sequence[float | None]


def kaplan_meier(
    days: Sequence[float],
    events: Sequence[bool | int],
    *,
    label: str,
    confidence: float = 0.95,
    limits: str = "log-log",
) -> SurvivalCurve:
    """The share of subjects still free of the event over time.

    Parameters
    ----------
    days, events
        Time in days and 1 (event) or 0 (censored then), one entry per subject. An event on a day comes before a
        censoring on the same day.
    label
        Name of the arm.
    confidence
        Coverage of the pointwise limits. Where the curve is at 1 or 0 the log-log limits do not exist (None).
    limits
        Scale of the limits, R's ``conf.type``: log-log, log, plain, logit or arcsin.

    Raises
    ------
    ReadingError
        Names every entry with a time that is negative or not a number, or an event that is not 0 or 1.
    ProtocolError
        If the confidence or the limits cannot be followed.

    References
    ----------
    Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. JASA 1958. Kalbfleisch JD, Prentice RL.
    The statistical analysis of failure time data. 1980 (log-log limits).
    """
    require_confidence(confidence)
    if limits not in BANDS:
        raise ProtocolError(f"no limits of a curve are called {limits!r}; choose one of {', '.join(BANDS)}")
    require_times(days, events)
    if not len(days):
        return _no_curve(label, confidence, limits)
    digest = digest_of([list(map(float, days)), list(map(int, events))])
    quantile = QUANTILE_METHOD.format(limits=limits)
    base = Estimate(None, None, None, confidence, quantile, len(days), 0, data_digest=digest)
    curve = _curve(_life_table(days, events), label, base, limits)
    return replace(curve, median_days=survival_quantile(curve, 0.5))


def _curve(table: Any, label: str, base: Estimate, limits: str) -> SurvivalCurve:
    """The curve of a life table; its median is still the bare ``base``."""
    heights, log_se = tuple(float(s) for s in table["survival"]), _greenwood(table)
    lower, upper = _limits(heights, log_se, confidence=base.confidence, limits=limits)
    events = int(table["observed"].sum())
    return SurvivalCurve(
        label=label,
        n=base.n,
        events=events,
        time_days=tuple(float(t) for t in table.index),
        n_risk=tuple(int(n) for n in table["at_risk"]),
        n_event=tuple(int(n) for n in table["observed"]),
        n_censored=tuple(int(n) for n in table["censored"]),
        survival=heights,
        lower=lower,
        upper=upper,
        median_days=base,
        method=CURVE_METHOD.format(limits=limits),
        warnings=() if events else ("all_censored: no event; the curve stays at 1",),
        se=tuple(s * e if s > 0 else None for s, e in zip(heights, log_se, strict=True)),
        data_digest=base.data_digest,
    )


def survival_quantile(curve: SurvivalCurve, probability: float) -> Estimate:
    """The day by which this share of subjects had the event; 0.5 is the median.

    Returns
    -------
    Estimate
        In days. None where the curve, or its band, does not come down that far.

    Raises
    ------
    ProtocolError
        If the probability is not between 0 and 1.

    Notes
    -----
    Where the curve runs exactly at the height asked for, the middle of that stretch is taken, as R does; a stretch
    that lasts to the end of follow-up ends there. The limits are found in the same way on the pointwise band.

    References
    ----------
    Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics 1982.
    """
    if not 0 < probability < 1:
        raise ProtocolError(f"a quantile of survival lies between 0 and 1, not {probability}")
    value, lower, upper = (_crossing(curve.time_days, band, 1 - probability) for band in _bands(curve))
    share = f"{100 * (1 - probability):g} %"
    absent = () if value is not None else (f"not_reached: the curve does not come down to {share}",)
    return replace(curve.median_days, value=value, lower=lower, upper=upper, events=curve.events, warnings=absent)


def follow_up(
    days: Sequence[float], events: Sequence[bool | int], *, label: str, confidence: float = 0.95
) -> SurvivalCurve:
    """How long subjects were followed: the Kaplan-Meier curve with censoring as the event (reverse Kaplan-Meier).

    References
    ----------
    Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. Controlled Clin Trials 1996.
    """
    require_times(days, events)
    curve = kaplan_meier(days, [1 - int(e) for e in events], label=label, confidence=confidence)
    never = ("no_censoring: everyone had the event; follow-up cannot be estimated",)
    return replace(curve, method=f"reverse {curve.method}", warnings=() if curve.events or not curve.n else never)


def survival_at(curve: SurvivalCurve, day: float) -> Estimate:
    """The share of subjects still free of the event on a day; None after the last day anyone was observed.

    Raises
    ------
    ProtocolError
        If the day is negative or not a number.
    """
    if not (math.isfinite(day) and day >= 0):
        raise ProtocolError(f"a day to read a curve at is 0 or more, not {day}")
    base = replace(curve.median_days, method=curve.method, events=curve.events, warnings=(), value=None)
    if not curve.n or (day > curve.time_days[-1] and curve.survival[-1] > 0):
        said = f"beyond_follow_up: nobody was observed on day {day:g}"
        return replace(base, lower=None, upper=None, warnings=(said,))
    place = bisect.bisect_right(curve.time_days, day) - 1
    return replace(
        base,
        value=curve.survival[place],
        lower=curve.lower[place],
        upper=curve.upper[place],
        se=curve.se[place],
    )


def numbers_at_risk(curve: SurvivalCurve, days: Sequence[float]) -> tuple[int, ...]:
    """Subjects still under observation and free of the event just before each day."""
    at_risk = []
    for day in days:
        place = bisect.bisect_left(curve.time_days, day)
        at_risk.append(curve.n_risk[place] if place < len(curve.time_days) else 0)
    return tuple(at_risk)


def past_landmark(
    days: Sequence[float], events: Sequence[bool | int], *, landmark: float
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
    """The subjects still at risk after a landmark, with their time counted from it.

    Returns
    -------
    tuple
        Places of the kept entries, their time after the landmark, their events.

    Raises
    ------
    ReadingError
        For times and events that cannot be, and where nobody is left at risk.
    ProtocolError
        If the landmark is negative or not a number.

    Notes
    -----
    Groups must be formed by what was known at the landmark: what happens later would be known from the future.

    References
    ----------
    Anderson JR, Cain KC, Gelber RD. Analysis of survival by tumor response. J Clin Oncol 1983.
    """
    if not (math.isfinite(landmark) and landmark >= 0):
        raise ProtocolError(f"a landmark is a day of 0 or later, not {landmark}")
    require_times(days, events)
    kept = tuple(place for place, day in enumerate(days) if day > landmark)
    if not kept:
        raise ReadingError(f"nobody is at risk after the landmark {landmark:g}; choose an earlier one")
    return kept, tuple(days[i] - landmark for i in kept), tuple(int(events[i]) for i in kept)


def _life_table(days: Sequence[float], events: Sequence[bool | int]) -> Any:
    fitter = KaplanMeierFitter()
    with np.errstate(divide="ignore", invalid="ignore"):  # its own band, on log(-log S); ours leaves S = 0 and 1 out
        fitter.fit(np.asarray(days, float), np.asarray(events, int))
    return fitter.event_table.assign(survival=fitter.survival_function_.iloc[:, 0])


def _greenwood(table: Any) -> tuple[float, ...]:
    """Standard error of log S; infinite where everyone at risk had the event."""
    total, found = 0.0, []
    for died, at_risk in zip(table["observed"], table["at_risk"], strict=True):
        total += math.inf if died == at_risk else died / (at_risk * (at_risk - died))
        found.append(math.sqrt(total))
    return tuple(found)


def _limits(
    heights: Sequence[float], log_se: Sequence[float], *, confidence: float, limits: str
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    z = float(norm.ppf((1 + confidence) / 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # S = 0 and 1 come out as nan, here None
        bands = BANDS[limits](np.asarray(heights), np.asarray(log_se), z)
    lower, upper = (tuple(float(b) if np.isfinite(b) else None for b in band) for band in bands)
    return lower, upper


def _bands(curve: SurvivalCurve) -> tuple[Band, Band, Band]:
    return curve.survival, curve.lower, curve.upper


def _crossing(times: Sequence[float], band: Band, height: float) -> float | None:
    known = [(t, b) for t, b in zip(times, band, strict=True) if b is not None]
    below = next((t for t, b in known if b < height - SAME_HEIGHT), None)
    level = next((t for t, b in known if abs(b - height) <= SAME_HEIGHT), None)
    if level is None:
        return below
    if below is None:
        return None if band[-1] is None else (level + times[-1]) / 2
    return (level + below) / 2


def _no_curve(label: str, confidence: float, limits: str) -> SurvivalCurve:
    warning = ("no_subjects: nobody has a time",)
    digest = digest_of([[], []])
    quantile = QUANTILE_METHOD.format(limits=limits)
    median = Estimate(None, None, None, confidence, quantile, 0, 0, warning, data_digest=digest)
    method = CURVE_METHOD.format(limits=limits)
    return SurvivalCurve(label, 0, 0, (), (), (), (), (), (), (), median, method, warning, (), digest)
