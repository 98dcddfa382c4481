"""Kaplan-Meier: the share free of an event by group, with numbers at risk; one panel per stratum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import NO_IMPRINT, Course, Imprint, TrialCourses
from trialimg.services.figures.figure import (
    Axis,
    Band,
    Cell,
    Dash,
    Figure,
    LegendItem,
    Line,
    Mark,
    Panel,
    Point,
    Row,
    Shape,
    Tick,
)
from trialimg.services.figures.responses import EVERYONE, arm_name
from trialimg.services.figures.scales import DAYS_PER_MONTH, MONTHS, calendar_step, nice_step, number, short_name, steps
from trialimg.services.figures.tones import Tone, series_tone
from trialimg.stats.results import ChiSquare, Estimate, SurvivalCurve
from trialimg.stats.survival import kaplan_meier, log_rank, numbers_at_risk

__all__ = [
    "CLOCKS",
    "MONTHS_OF_DAYS",
    "PROGRESSION_FREE",
    "Clock",
    "Curves",
    "Endpoint",
    "kaplan_meier_figure",
    "p_value",
    "survival_of_trial",
]

NAME = "kaplan_meier"
LONGEST_NAME = 14
MOST_TICKS = 12
_DASHES = (Dash.SOLID, Dash.DASHED, Dash.DOTTED, Dash.MIXED)
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_SMALLEST_P = 0.001


@dataclass(frozen=True)
class Clock:
    """The unit in which time is shown."""

    unit: str
    of_data: float = 1.0
    """Units of the data in one unit shown."""
    is_calendar: bool = False
    """Ticks stand at whole months of a year's parts."""


MONTHS_OF_DAYS = Clock("months", DAYS_PER_MONTH, is_calendar=True)
CLOCKS = {"days": MONTHS_OF_DAYS, **{unit: Clock(unit) for unit in ("weeks", "months", "years")}}
"""Unit of the data to how it is shown."""


@dataclass(frozen=True)
class Endpoint:
    """What the curve is of."""

    title: str = "Progression-free survival"
    free: str = "Progression-free"
    """Those who have not had the event."""
    clock: Clock = MONTHS_OF_DAYS
    since: str = "reference date"


PROGRESSION_FREE = Endpoint()


@dataclass(frozen=True)
class Curves:
    """The groups of one panel."""

    curves: tuple[SurvivalCurve, ...]
    stratum: str = ""


def survival_of_trial(trial: TrialCourses) -> Figure:
    """Progression-free survival of the trial's arms (of everyone, in a trial of one arm), and the test of the arms."""
    arms = trial.arms if len(trial.arms) > 1 else (EVERYONE,)
    groups = [(arm, [c for c in trial.courses if arm in (EVERYONE, c.arm) and c.progression_free]) for arm in arms]
    curves = tuple(_curve(arm, members, trial.confidence) for arm, members in groups)
    compared = [course for arm, members in groups if arm in trial.compared for course in members]
    return kaplan_meier_figure([Curves(curves)], test=_test(compared), imprint=trial.imprint)


def _curve(arm: str, members: Sequence[Course], confidence: float) -> SurvivalCurve:
    days, events = _times(members)
    return kaplan_meier(days, events, label=arm_name(arm), confidence=confidence)


def _test(courses: Sequence[Course]) -> ChiSquare | None:
    """Of equal hazards of the arms; None where there are not two arms to compare, or nothing happened in them."""
    if len({course.arm for course in courses}) < 2:
        return None
    try:
        return log_rank(*_times(courses), [course.arm for course in courses])
    except ReadingError:
        return None


def _times(courses: Sequence[Course]) -> tuple[list[int], list[bool]]:
    found = [course.progression_free for course in courses if course.progression_free is not None]
    return [one.days for one in found], [one.is_event for one in found]


def kaplan_meier_figure(
    strata: Sequence[Curves],
    *,
    test: ChiSquare | None = None,
    endpoint: Endpoint = PROGRESSION_FREE,
    imprint: Imprint = NO_IMPRINT,
) -> Figure:
    """A step curve per group with band, censor marks, median and numbers at risk.

    Parameters
    ----------
    strata
        One panel each; groups of the same label look alike in all of them.
    test
        Of equal hazards of the groups, if one was made.
    """
    labels = list(dict.fromkeys(curve.label for panel in strata for curve in panel.curves))
    drawn = [replace(panel, curves=tuple(c for c in panel.curves if c.n)) for panel in strata]
    drawn = [panel for panel in drawn if panel.curves]
    if not drawn:
        why = "Nobody has a time: there is nothing to draw."
        return Figure(NAME, endpoint.title, (), why, 0, footnotes=imprint.footnotes, message=why)
    everyone = [curve for panel in drawn for curve in panel.curves]
    longest = max(curve.time_days[-1] for curve in everyone) / endpoint.clock.of_data
    panels = tuple(_panel(panel, labels, max(longest, _least(endpoint.clock)), endpoint, test) for panel in drawn)
    return Figure(
        NAME,
        endpoint.title,
        panels,
        _words(drawn, endpoint, test),
        sum(curve.n for curve in everyone),
        tuple(_legend(drawn, labels, endpoint)),
        (_footnote(everyone[0], endpoint, test), *imprint.footnotes),
        {
            "groups": [_numbers(curve, panel.stratum) for panel in drawn for curve in panel.curves],
            **(
                {} if test is None else {"test": {"chi2": test.chi2, "df": test.df, "p": test.p, "method": test.method}}
            ),
        },
        panels_a_row=1,
        height_px=250.0,
    )


def _least(clock: Clock) -> float:
    return 1.0 if clock.is_calendar else 1e-9


def _panel(panel: Curves, labels: Sequence[str], longest: float, endpoint: Endpoint, test: ChiSquare | None) -> Panel:
    clock = endpoint.clock
    step = calendar_step(longest, MOST_TICKS, MONTHS) if clock.is_calendar else nice_step(longest, MOST_TICKS - 2)
    times = steps(0.0, longest * 1.02, step)
    unit = clock.unit[:1].upper() + clock.unit[1:]
    x = Axis(
        f"{unit} since {endpoint.since}" if endpoint.since else unit,
        0.0,
        longest * 1.02,
        tuple(Tick(t, number(t)) for t in times),
    )
    y = Axis(endpoint.free, 0.0, 1.04, tuple(Tick(s, f"{100 * s:.0f} %") for s in _SHARES), has_grid=True)
    marks = tuple(
        mark for curve in panel.curves for mark in _marks(curve, labels.index(curve.label), endpoint.clock.of_data)
    )
    return Panel(
        x,
        y,
        marks,
        rows=tuple(_risk_rows(panel.curves, labels, times, clock.of_data)),
        title=panel.stratum,
        notes=() if test is None else (f"{_test_name(test)} {p_value(test.p)}, two-sided",),
    )


def _marks(curve: SurvivalCurve, place: int, unit: float) -> Iterator[Mark]:
    tone = series_tone(place)
    times = [time / unit for time in curve.time_days]
    yield from _bands(curve, times, tone)
    points = tuple(zip(times, curve.survival, strict=True))
    yield Line(points, tone, is_step=True, dash=_DASHES[place % len(_DASHES)], width=2.0, about=curve.label)
    median = curve.median_days.value
    if median is not None:
        yield Line(((0.0, 0.5), (median / unit, 0.5), (median / unit, 0.0)), tone, dash=Dash.DOTTED, width=0.9)
    for time, height, gone, at_risk in zip(times, curve.survival, curve.n_censored, curve.n_risk, strict=True):
        if gone:
            about = f"{curve.label}, {time:.2f}: {gone} censored of {at_risk} at risk, {100 * height:.1f} %"
            yield Point(time, height, Shape.TICK, tone, 4.5, about=about)


def _bands(curve: SurvivalCurve, times: Sequence[float], tone: Tone) -> Iterator[Band]:
    """The pointwise limits, one area for each stretch on which they exist."""
    stretch: list[tuple[float, float, float]] = []
    for (now, later), low, high in zip(pairwise(times), curve.lower, curve.upper, strict=False):
        if low is not None and high is not None:
            stretch += [(now, low, high), (later, low, high)]
        elif stretch:
            yield Band(tuple(stretch), tone)
            stretch = []
    if stretch:
        yield Band(tuple(stretch), tone)


def _risk_rows(
    curves: Sequence[SurvivalCurve], labels: Sequence[str], times: Sequence[float], unit: float
) -> Iterator[Row]:
    for row, curve in enumerate(curves):
        counted = zip(times, numbers_at_risk(curve, [time * unit for time in times]), strict=True)
        cells = tuple(Cell(time, f"{n} ({_gone(curve, time * unit)})") for time, n in counted)
        heading = "" if row else "At risk (censored so far)"
        yield Row(short_name(curve.label, LONGEST_NAME), cells, series_tone(labels.index(curve.label)), heading)


def _gone(curve: SurvivalCurve, day: float) -> int:
    return sum(n for time, n in zip(curve.time_days, curve.n_censored, strict=True) if time < day)


def _legend(drawn: Sequence[Curves], labels: Sequence[str], endpoint: Endpoint) -> Iterator[LegendItem]:
    for panel in drawn:
        for curve in panel.curves:
            place = labels.index(curve.label)
            stratum = f"{panel.stratum}, " if panel.stratum else ""
            text = f"{stratum}{_about(curve, endpoint.clock)}"
            yield LegendItem(text, series_tone(place), dash=_DASHES[place % len(_DASHES)])


def _about(curve: SurvivalCurve, clock: Clock) -> str:
    events = f"{curve.events} event{'' if curve.events == 1 else 's'}"
    return f"{curve.label}: {events} in {curve.n}, median in {clock.unit} {_interval(curve.median_days, clock)}"


def _interval(estimate: Estimate, clock: Clock) -> str:
    def said(value: float | None) -> str:
        return "not reached" if value is None else f"{value / clock.of_data:.1f}"

    if estimate.value is None and estimate.lower is None:
        return said(None)
    return f"{said(estimate.value)} ({said(estimate.lower)} to {said(estimate.upper)})"


def p_value(p: float) -> str:
    """Three decimals; below a thousandth only that."""
    return f"p < {_SMALLEST_P}" if p < _SMALLEST_P else f"p = {p:.3f}"


def _test_name(test: ChiSquare) -> str:
    is_stratified = "stratified" in test.method and "unstratified" not in test.method
    return "Stratified log-rank" if is_stratified else "Log-rank"


def _words(drawn: Sequence[Curves], endpoint: Endpoint, test: ChiSquare | None) -> str:
    parts = [
        (f"{panel.stratum}, " if panel.stratum else "") + _about(curve, endpoint.clock)
        for panel in drawn
        for curve in panel.curves
    ]
    said = f" {_test_name(test)} {p_value(test.p)}." if test else ""
    title = endpoint.title[:1].lower() + endpoint.title[1:]
    return f"Kaplan-Meier curves of {title}. {'; '.join(parts)}.{said}"


def _footnote(curve: SurvivalCurve, endpoint: Endpoint, test: ChiSquare | None) -> str:
    limits = curve.method.rpartition(", ")[2].removesuffix(" limits")
    text = (
        f"Kaplan-Meier estimate with pointwise {100 * curve.median_days.confidence:g} % {limits} limits (shaded); "
        "ticks: censored subjects; dotted: median. Below: subjects at risk just before each time, in brackets those "
        "censored before."
    )
    if endpoint.clock is MONTHS_OF_DAYS:
        text += f" 1 month = {DAYS_PER_MONTH} days."
    return (
        f"{text} Test: {test.method}; chi-square {test.chi2:.2f} on {test.df} df."
        if test
        else f"{text} No test of groups."
    )


def _numbers(curve: SurvivalCurve, stratum: str) -> dict[str, object]:
    median = curve.median_days
    return {
        "group": curve.label,
        **({"stratum": stratum} if stratum else {}),
        "n": curve.n,
        "events": curve.events,
        "median": median.value,
        "median_lower": median.lower,
        "median_upper": median.upper,
        "confidence": median.confidence,
        "method": curve.method,
        "data_digest": curve.data_digest,
    }
