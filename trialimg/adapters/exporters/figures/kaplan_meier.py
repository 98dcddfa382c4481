"""Kaplan-Meier: progression-free survival by arm, with numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.adapters.exporters.figures.axes import (
    DAYS_PER_MONTH,
    MONTHS,
    Frame,
    calendar_step,
    draw_x_axis,
    draw_y_axis,
    steps,
)
from trialimg.adapters.exporters.figures.drawing import Drawing, Point
from trialimg.adapters.exporters.figures.figure import EVERYONE, Figure, arm_name, look_of_arm, short_name
from trialimg.adapters.exporters.figures.look import MUTED, ArmLook
from trialimg.adapters.exporters.wording import counted, interval, p_value
from trialimg.services.results import TrialResult
from trialimg.stats.results import SurvivalCurve

__all__ = ["at_risk", "kaplan_meier_figure"]

WIDTH = 700
PLOT_HEIGHT = 250
KEY_ROW = 16
LEFT = 92
RISK_ROW = 16
LONGEST_NAME = 12

_TITLE = "Progression-free survival"


def kaplan_meier_figure(result: TrialResult) -> Figure | None:
    """A step curve per arm (or one for everyone, in a trial of one arm); None where no arm has a subject."""
    curves = _curves(result)
    if not curves:
        return None
    longest = max(curve.time_days[-1] for _, curve in curves) / DAYS_PER_MONTH
    top = 14 + KEY_ROW * len(curves)
    drawing = Drawing(WIDTH, top + PLOT_HEIGHT + 62 + RISK_ROW * len(curves))
    frame = Frame((LEFT, top), (WIDTH - LEFT - 20, PLOT_HEIGHT), (0, max(longest * 1.02, 1)), (0, 1.04))
    draw_y_axis(drawing, frame, [0, 0.25, 0.5, 0.75, 1], words="Progression-free", text=lambda v: f"{100 * v:.0f} %")
    months = steps(*frame.x_range, calendar_step(frame.x_range[1], 12, MONTHS))
    draw_x_axis(drawing, frame, months, words="Months since reference date")
    for place, (arm, curve) in enumerate(curves):
        look = look_of_arm(result, arm)
        _draw_band(drawing, frame, curve, look)
        _draw_curve(drawing, frame, curve, look)
        _draw_risk_row(drawing, frame, months, curve, (short_name(arm_name(arm), LONGEST_NAME), place), look)
    _draw_key(drawing, frame, result, curves)
    return Figure(_TITLE, drawing.svg(_words(result, curves)), _caption(result))


def at_risk(curve: SurvivalCurve, day: float) -> int:
    """How many are still under observation just before a day: those who left on that day are counted."""
    later = [place for place, time in enumerate(curve.time_days) if time >= day]
    return curve.n_risk[later[0]] if later else 0


def _curves(result: TrialResult) -> list[tuple[str, SurvivalCurve]]:
    known = [(arm, curve) for arm, curve in result.cohort.progression_free if curve.n]
    arms = [(arm, curve) for arm, curve in known if arm != EVERYONE]
    return arms or known


def _draw_curve(drawing: Drawing, frame: Frame, curve: SurvivalCurve, look: ArmLook) -> None:
    points: list[Point] = []
    for time, height in zip(curve.time_days, curve.survival, strict=True):
        x = frame.x(time / DAYS_PER_MONTH)
        if points:
            points.append((x, points[-1][1]))
        points.append((x, frame.y(height)))
    drawing.polyline(points, stroke=look.colour, stroke_width=2, stroke_dasharray=look.dashes or "none")
    for time, height, censored in zip(curve.time_days, curve.survival, curve.n_censored, strict=True):
        if censored:
            x, y = frame.at(time / DAYS_PER_MONTH, height)
            drawing.line((x, y - 4.5), (x, y + 4.5), stroke=look.colour, stroke_width=1.5)


def _draw_band(drawing: Drawing, frame: Frame, curve: SurvivalCurve, look: ArmLook) -> None:
    """The pointwise limits as a pale area; where they do not exist there is no area."""
    known = [i for i, (low, high) in enumerate(zip(curve.lower, curve.upper, strict=True)) if None not in (low, high)]
    for i in known:
        low, high = curve.lower[i], curve.upper[i]
        if low is None or high is None or i + 1 == len(curve.time_days):
            continue
        left, right = (frame.x(curve.time_days[j] / DAYS_PER_MONTH) for j in (i, i + 1))
        size = (right - left, frame.y(low) - frame.y(high))
        drawing.rect((left, frame.y(high)), size, fill=look.colour, fill_opacity=0.1)


def _draw_risk_row(
    drawing: Drawing, frame: Frame, months: Sequence[float], curve: SurvivalCurve, row: tuple[str, int], look: ArmLook
) -> None:
    name, place = row
    y = frame.bottom + 56 + RISK_ROW * place
    if place == 0:
        drawing.text((8, y - 15), "At risk (censored so far)", font_size=10.5, fill=MUTED)
    drawing.text((frame.corner[0] - 22, y), name, font_size=10.5, text_anchor="end", fill=look.colour, font_weight=600)
    for month in months:
        day = month * DAYS_PER_MONTH
        gone = sum(c for time, c in zip(curve.time_days, curve.n_censored, strict=True) if time < day)
        numbers = f"{at_risk(curve, day)} ({gone})"
        drawing.text((frame.x(month), y), numbers, font_size=10.5, text_anchor="middle")


def _draw_key(drawing: Drawing, frame: Frame, result: TrialResult, curves: Sequence[tuple[str, SurvivalCurve]]) -> None:
    x, y = frame.corner[0], 10.0
    if result.cohort.log_rank:
        test = f"Log-rank {p_value(result.cohort.log_rank.p)}, two-sided"
        drawing.text((frame.right, y), test, font_weight=600, text_anchor="end")
    for arm, curve in curves:
        look = look_of_arm(result, arm)
        dashes = look.dashes or "none"
        drawing.line((x, y - 3.5), (x + 26, y - 3.5), stroke=look.colour, stroke_width=2, stroke_dasharray=dashes)
        drawing.text((x + 33, y), _about(arm, curve))
        y += KEY_ROW


def _about(arm: str, curve: SurvivalCurve) -> str:
    median = interval(curve.median_days, lambda days: f"{days / DAYS_PER_MONTH:.1f}", absent="not reached")
    return f"{arm_name(arm)}: {counted(curve.events, 'event')} in {curve.n}, median in months {median}"


def _words(result: TrialResult, curves: Sequence[tuple[str, SurvivalCurve]]) -> str:
    parts = "; ".join(_about(arm, curve) for arm, curve in curves)
    test = f" Log-rank {p_value(result.cohort.log_rank.p)}." if result.cohort.log_rank else ""
    return f"Kaplan-Meier curves of progression-free survival. {parts}.{test}"


def _caption(result: TrialResult) -> str:
    test = result.cohort.log_rank
    confidence = 100 * _curves(result)[0][1].median_days.confidence
    text = (
        f"Kaplan-Meier estimate with pointwise {confidence:g} % log-log limits (shaded); ticks: censored subjects. "
        "Below: subjects at risk at the start of each month, in brackets those censored before. 1 month = 30.4375 days."
    )
    return (
        f"{text} Test: {test.method}; chi-square {test.chi2:.2f} on {test.df} df."
        if test
        else f"{text} No test of arms."
    )
