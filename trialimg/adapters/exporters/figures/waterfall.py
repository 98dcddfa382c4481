"""Waterfall: the best change of every subject, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.axes import Frame, draw_y_axis, signed, steps
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.figure import (
    Figure,
    arm_name,
    best_word,
    draw_arm_key,
    draw_response_key,
    look_of_arm,
    short_name,
)
from trialimg.adapters.exporters.figures.look import INK, MUTED, look_of
from trialimg.adapters.exporters.figures.thresholds import Thresholds, draw_thresholds, thresholds_of
from trialimg.services.results import SubjectResult, TrialResult

__all__ = ["waterfall"]

WIDTH = 700
PLOT_HEIGHT = 270
TOP = 50
HIGHEST_PCT = 100
WIDEST_BAR = 38.0
NAMED_UP_TO = 60
LONGEST_NAME = 15
NUMBERED_UP_TO = 26
NARROWEST_UPRIGHT = 9

_TITLE = "Best change of the sum of target diameters"


@dataclass(frozen=True)
class _Bar:
    subject: str
    arm: str
    change_pct: float
    response: str


def waterfall(result: TrialResult) -> Figure | None:
    """One bar per subject with an evaluable sum after baseline; None where there is no such subject."""
    bars = sorted(_bars(result), key=lambda bar: (-bar.change_pct, bar.subject))
    if not bars:
        return None
    thresholds = thresholds_of(result)
    names = max(len(short_name(bar.subject, LONGEST_NAME)) for bar in bars) if len(bars) <= NAMED_UP_TO else 0
    drawing = Drawing(WIDTH, TOP + PLOT_HEIGHT + 26 + 6.2 * names)
    high = min(HIGHEST_PCT, max(40.0, max(bar.change_pct for bar in bars) + 16))
    low = min(-40.0, max(-100.0, min(bar.change_pct for bar in bars) - 16))
    frame = Frame((52, TOP), (WIDTH - 52 - 58, PLOT_HEIGHT), (0, len(bars)), (low, high))
    draw_y_axis(drawing, frame, steps(low, high, 20), words="Best change from baseline (%)", text=signed)
    draw_thresholds(drawing, frame, thresholds)
    for place, bar in enumerate(bars):
        _draw_bar(drawing, frame, place, bar, crowded=len(bars) > NUMBERED_UP_TO)
        _draw_name(drawing, frame, place, bar, result=result, named=bool(names))
    drawing.line(frame.at(0, 0), frame.at(len(bars), 0), stroke=INK, stroke_width=1)
    found = {bar.response for bar in bars}
    draw_response_key(drawing, (52, 16), [word for word in _ORDER if word in found])
    draw_arm_key(drawing, (52, 34), result)
    return Figure(_TITLE, drawing.svg(_words(bars)), _caption(result, bars, thresholds))


_ORDER = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "NED")


def _bars(result: TrialResult) -> list[_Bar]:
    return [
        _Bar(s.subject.id, s.subject.arm, float(s.endpoints.burden.best_change_pct), best_word(s))
        for s in result.subjects
        if s.endpoints and s.endpoints.burden.best_change_pct is not None
    ]


def _draw_bar(drawing: Drawing, frame: Frame, place: int, bar: _Bar, *, crowded: bool) -> None:
    look = look_of(bar.response)
    width = min(WIDEST_BAR, 0.78 * frame.size[0] / frame.x_range[1])
    middle, zero = frame.x(place + 0.5), frame.y(0)
    shown = min(bar.change_pct, frame.y_range[1])
    end = frame.y(shown)
    top, height = min(zero, end), max(abs(end - zero), 1.5)
    tooltip = f"{bar.subject}, {arm_name(bar.arm)}: {bar.change_pct:+.1f} %, best response {bar.response}"
    corner = (middle - width / 2, top)
    drawing.rect(corner, (width, height), tooltip=tooltip, fill=look.fill, stroke=look.edge, stroke_width=0.8)
    upward = bar.change_pct >= 0
    if width < NARROWEST_UPRIGHT:
        at, anchor = (middle + width / 3, end + (-3 if upward else 3)), "start" if upward else "end"
        drawing.text(at, look.letters, font_size=min(7.5, width), font_weight=600, text_anchor=anchor, turn=-90)
        return
    letters_y = end - 5 if upward else end + 12
    at = (middle, letters_y - (11 if upward and not crowded else 0))
    size = 10.5 if width > 14 else 8
    drawing.text(at, look.letters, font_size=size, font_weight=600, text_anchor="middle")
    if not crowded:
        number_y = letters_y if upward else letters_y + 11
        number = signed(bar.change_pct) + ("↑" if shown < bar.change_pct else "")
        drawing.text((middle, number_y), number, font_size=9.5, fill=MUTED, text_anchor="middle")


def _draw_name(drawing: Drawing, frame: Frame, place: int, bar: _Bar, *, result: TrialResult, named: bool) -> None:
    look = look_of_arm(result, bar.arm)
    middle = frame.x(place + 0.5)
    drawing.marker(
        look.marker, (middle, frame.bottom + 14), min(4.0, 0.3 * frame.size[0] / frame.x_range[1]), fill=look.colour
    )
    if named:
        size = min(10.5, 0.8 * frame.size[0] / frame.x_range[1])
        drawing.text(
            (middle + size / 3, frame.bottom + 24),
            short_name(bar.subject, LONGEST_NAME),
            font_size=size,
            text_anchor="end",
            turn=-90,
        )


def _words(bars: Sequence[_Bar]) -> str:
    fell = sum(bar.change_pct < 0 for bar in bars)
    first, last = bars[0], bars[-1]
    return (
        f"Waterfall plot of {len(bars)} subjects. Best change from {signed(first.change_pct)} % ({first.subject}) to "
        f"{signed(last.change_pct)} % ({last.subject}); in {fell} subjects the sum fell."
    )


def _caption(result: TrialResult, bars: Sequence[_Bar], thresholds: Thresholds) -> str:
    shown = {bar.subject for bar in bars}
    absent = [s for s in result.subjects if s.subject.id not in shown]
    dashed = " and ".join(f"{signed(value)} %" for value in thresholds.known)
    text = (
        f"One bar per subject with an evaluable sum after baseline (n = {len(bars)}), ordered by change. Fill and "
        "letters: best overall response; marker below: arm."
    )
    if dashed:
        text += (
            f" Dashed: {dashed}. Progression is judged against the smallest sum so far, and by new and non-target "
            "lesions, so PD can stand at any height."
        )
    return f"{text} {_not_shown(absent)}" if absent else text


def _not_shown(absent: Sequence[SubjectResult]) -> str:
    named = ", ".join(f"{s.subject.id} ({best_word(s) or 'no usable baseline'})" for s in absent)
    return f"Not shown, no evaluable sum after baseline (n = {len(absent)}): {named}."
