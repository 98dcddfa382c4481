"""How long until something happened: Kaplan-Meier curves, their quantiles, and the log-rank test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate, LogRank, SurvivalCurve

__all__ = ["kaplan_meier", "log_rank", "survival_quantile"]

CURVE_METHOD = "Kaplan-Meier, Greenwood variance, log-log limits"
QUANTILE_METHOD = "Kaplan-Meier quantile, limits where the log-log band crosses (Brookmeyer-Crowley)"
LOG_RANK_METHOD = "log-rank, two-sided, unstratified"
FEW_EXPECTED_EVENTS = 5
SAME_HEIGHT = math.sqrt(np.finfo(float).eps)
"""Two heights of a curve closer than this are one: the tolerance of R's `quantile.survfit`, for products round off."""

Band = Sequence[float | None]


def kaplan_meier(
    days: Sequence[float], events: Sequence[bool | int], *, label: str, confidence: float = 0.95
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

    Raises
    ------
    ReadingError
        Names every entry with a time that is negative or not a number, or an event that is not 0 or 1.
    ProtocolError
        If the confidence is not between 0 and 1.

    References
    ----------
    Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. JASA 1958. Kalbfleisch JD, Prentice RL.
    The statistical analysis of failure time data. 1980 (log-log limits).
    """
    require_confidence(confidence)
    _require_times(days, events)
    if not len(days):
        return _no_curve(label, confidence)
    table = _life_table(days, events, confidence)
    heights = tuple(float(s) for s in table["survival"])
    curve = SurvivalCurve(
        label=label,
        n=len(days),
        events=sum(int(e) for e in events),
        time_days=tuple(float(t) for t in table.index),
        n_risk=tuple(int(n) for n in table["at_risk"]),
        n_event=tuple(int(n) for n in table["observed"]),
        n_censored=tuple(int(n) for n in table["censored"]),
        survival=heights,
        lower=_limits(table["lower"], heights),
        upper=_limits(table["upper"], heights),
        median_days=Estimate(None, None, None, confidence, QUANTILE_METHOD, len(days), 0),
        method=CURVE_METHOD,
        warnings=() if any(events) else ("all_censored: no event; the curve stays at 1",),
    )
    return replace(curve, median_days=survival_quantile(curve, 0.5))


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
    confidence = curve.median_days.confidence
    return Estimate(value, lower, upper, confidence, QUANTILE_METHOD, curve.n, curve.events, absent)


def log_rank(days: Sequence[float], events: Sequence[bool | int], groups: Sequence[str]) -> LogRank:
    """Whether the hazards of two or more groups differ.

    Parameters
    ----------
    days, events, groups
        Time in days, 1 (event) or 0 (censored), and name of the group, one entry per subject.

    Raises
    ------
    ReadingError
        For the faults that `kaplan_meier` refuses, without an event, or with fewer than two groups at risk at one.

    References
    ----------
    Mantel N. Evaluation of survival data and two new rank order statistics arising in its consideration. Cancer
    Chemotherapy Reports 1966.
    """
    _require_times(days, events)
    if len(groups) != len(days):
        raise ReadingError(f"{len(days)} times, but {len(groups)} group names; one of each is needed per subject")
    if not any(events):
        raise ReadingError("a log-rank test needs at least one event; every subject is censored")
    first_event = min(d for d, e in zip(days, events, strict=True) if e)
    at_risk = sorted({g for g, d in zip(groups, days, strict=True) if d >= first_event})
    if len(at_risk) < 2:
        named = ", ".join(sorted(set(groups)))
        raise ReadingError(f"a log-rank test needs two groups at risk when an event happens; there is {named}")
    rows = [row for row in zip(days, events, groups, strict=True) if row[2] in at_risk]
    if all(day == first_event and event for day, event, _ in rows):
        raise ReadingError("the log-rank variance is 0: everyone at risk had the event at the same moment")
    kept_days, kept_events, kept_groups = zip(*rows, strict=True)
    test = multivariate_logrank_test(np.asarray(kept_days, float), kept_groups, np.asarray(kept_events, int))
    left_out = sorted(set(groups) - set(at_risk))
    warnings = (*_left_out_warnings(left_out), *_few_event_warnings(len(at_risk), kept_events))
    return LogRank(
        chi2=float(test.test_statistic),
        df=len(at_risk) - 1,
        p=float(test.p_value),
        n=len(days),
        events=sum(map(int, events)),
        method=LOG_RANK_METHOD,
        warnings=warnings,
    )


def _require_times(days: Sequence[float], events: Sequence[bool | int]) -> None:
    if len(days) != len(events):
        raise ReadingError(f"{len(days)} times, but {len(events)} events; one of each is needed per subject")
    faults = [
        Fault(f"entry {place}", "bad_time", f"a time is 0 days or more, not {day}")
        for place, day in enumerate(days, start=1)
        if not (math.isfinite(day) and day >= 0)
    ]
    faults += [
        Fault(f"entry {place}", "bad_event", f"an event is 1 or 0, not {event}")
        for place, event in enumerate(events, start=1)
        if event not in (0, 1)
    ]
    if faults:
        raise ReadingError(f"{len(faults)} entries cannot be analysed; first: {faults[0]}", tuple(faults))


def _life_table(days: Sequence[float], events: Sequence[bool | int], confidence: float) -> Any:
    fitter = KaplanMeierFitter(alpha=1 - confidence)
    with np.errstate(divide="ignore", invalid="ignore"):  # log(-log(1)) and log(-log(0)); `_limits` leaves them out
        fitter.fit(np.asarray(days, float), np.asarray(events, int))
    band = fitter.confidence_interval_survival_function_
    return fitter.event_table.assign(
        survival=fitter.survival_function_.iloc[:, 0], lower=band.iloc[:, 0], upper=band.iloc[:, 1]
    )


def _limits(band: Sequence[float], heights: Sequence[float]) -> tuple[float | None, ...]:
    return tuple(float(b) if 0 < s < 1 else None for b, s in zip(band, heights, strict=True))


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


def _no_curve(label: str, confidence: float) -> SurvivalCurve:
    warning = ("no_subjects: nobody has a time",)
    median = Estimate(None, None, None, confidence, QUANTILE_METHOD, 0, 0, warning)
    return SurvivalCurve(label, 0, 0, (), (), (), (), (), (), (), median, CURVE_METHOD, warning)


def _left_out_warnings(groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"never_at_risk: nobody in {group} was under observation at an event; left out" for group in groups)


def _few_event_warnings(groups: int, events: Sequence[bool | int]) -> tuple[str, ...]:
    total = sum(map(int, events))
    if total >= FEW_EXPECTED_EVENTS * groups:
        return ()
    return (f"few_events: {total} events in {groups} groups; the chi-square approximation of the p-value is poor",)
