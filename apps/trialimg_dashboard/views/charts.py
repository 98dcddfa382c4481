"""Charts of the courses of subjects, as Vega-Lite: letters beside every colour, and a click names the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from trialimg.services.dashboard_courses import Course

__all__ = ["PICK", "kaplan_meier", "rate_with_reference", "spider", "swimmer", "waterfall"]

PICK = "pick"
"""Name of the selection that a click makes."""

_WORDS = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")
_FILLS = ("#08306b", "#5aa9dc", "#f3d469", "#cdbf8a", "#b5303a", "#8c98a5")
_LINES = ("#08306b", "#2f7fb4", "#a07d14", "#7a6f3f", "#8d1f29", "#8c98a5")
_IN_THE_DARK = ("#4f8fe6", "#a9d8f8", "#f3d469", "#cdbf8a", "#ee6a75", "#8c98a5")
"""Of the words, different in hue and in lightness, so that no pair is alike to any eye or in grey."""

_HEIGHT = 320
_DROP_PCT, _RISE_PCT = -30, 20

Spec = dict[str, Any]


def waterfall(at: Desk, courses: Sequence[Course]) -> Spec:
    """Each subject's best change of the sum of diameters, largest rise first; the letters say the best response."""
    known = sorted((one for one in courses if one.best_change_pct is not None), key=lambda one: -_change(one))
    order = [one.subject for one in known]
    rows = [
        {"case": one.case, "subject": one.subject, "change": round(_change(one), 1), "response": one.best_response}
        for one in known
    ]
    across = {"field": "subject", "type": "nominal", "sort": order, "axis": {"title": None, "labelAngle": -60}}
    up = {"field": "change", "type": "quantitative", "axis": {"title": at.t("charts.best_change")}}
    bars = {
        "mark": {"type": "bar", "stroke": "#566270", "strokeWidth": 0.5},
        "encoding": {
            "x": across,
            "y": up,
            "color": _colour(at, rows, _FILLS),
            "tooltip": _tooltip(at),
            "opacity": _picked(),
        },
        "params": [_pick()],
    }
    letters = {
        "mark": {"type": "text", "color": _ink(), "fontSize": 10, "dy": {"expr": "datum.change < 0 ? 9 : -7"}},
        "encoding": {"x": across, "y": up, "text": {"field": "response"}},
    }
    return _spec(rows, [*_lines(), bars, letters])


def spider(at: Desk, courses: Sequence[Course]) -> Spec:
    """Each subject's change of the sum of diameters over the days since the start."""
    rows = [
        {
            "case": one.case,
            "subject": one.subject,
            "day": day,
            "change": round(change, 1),
            "response": one.best_response,
            "visit": visit,
            "end": one.best_response if is_last else "",
        }
        for one in courses
        for day, change, visit, is_last in _way(one)
    ]
    across = {"field": "day", "type": "quantitative", "axis": {"title": at.t("charts.day")}}
    up = {"field": "change", "type": "quantitative", "axis": {"title": at.t("charts.change")}}
    lines = {
        "mark": {"type": "line", "point": {"size": 45}},
        "encoding": {
            "x": across,
            "y": up,
            "detail": {"field": "subject"},
            "color": _colour(at, rows, _LINES),
            "tooltip": _tooltip(at, "visit"),
            "opacity": _picked(),
        },
        "params": [_pick()],
    }
    letters = {
        "mark": {"type": "text", "color": _ink(), "fontSize": 10, "align": "left", "dx": 6},
        "encoding": {"x": across, "y": up, "text": {"field": "end"}},
    }
    return _spec(rows, [*_lines(), lines, letters])


def swimmer(at: Desk, courses: Sequence[Course]) -> Spec:
    """How long each subject was followed, longest first, with the response at every visit."""
    followed = sorted((one for one in courses if one.points), key=lambda one: -one.points[-1].day)
    order = [one.subject for one in followed]
    lanes = [
        {"case": one.case, "subject": one.subject, "day": one.points[-1].day, "response": one.best_response}
        for one in followed
    ]
    marks = [
        {
            "case": one.case,
            "subject": one.subject,
            "day": point.day,
            "response": point.response,
            "visit": point.timepoint,
        }
        for one in followed
        for point in one.points
    ]
    down = {"field": "subject", "type": "nominal", "sort": order, "axis": {"title": None}}
    across = {"field": "day", "type": "quantitative", "axis": {"title": at.t("charts.day")}}
    bars = {
        "mark": {"type": "bar", "height": 5, "color": "#8c98a5", "opacity": 0.5},
        "encoding": {"y": down, "x": across, "tooltip": _tooltip(at)},
    }
    points = {
        "data": {"values": marks},
        "mark": {"type": "point", "filled": True, "size": 110, "stroke": "#566270", "strokeWidth": 0.5},
        "encoding": {"y": down, "x": across, "color": _colour(at, marks, _FILLS), "tooltip": _tooltip(at, "visit")},
        "params": [_pick()],
    }
    letters = {
        "data": {"values": marks},
        "mark": {"type": "text", "color": _ink(), "fontSize": 9, "dy": -10},
        "encoding": {"y": down, "x": across, "text": {"field": "response"}},
    }
    return _spec(lanes, [bars, points, letters]) | {"height": max(_HEIGHT, 24 * len(order))}


def kaplan_meier(at: Desk, curves: Sequence[tuple[str, Mapping[str, Any]]]) -> Spec:
    """Progression-free survival by arm, with ticks where subjects were censored; the name stands at each line's end."""
    rows = [
        {"arm": name, "day": day, "share": 100 * share, "n": n, "end": name if day == curve["time_days"][-1] else ""}
        for name, curve in curves
        for day, share, n in zip(curve["time_days"], curve["survival"], curve["n_risk"], strict=True)
    ]
    censored = [
        {"arm": name, "day": day, "share": 100 * share}
        for name, curve in curves
        for day, share, n in zip(curve["time_days"], curve["survival"], curve["n_censored"], strict=True)
        if n
    ]
    across = {"field": "day", "type": "quantitative", "axis": {"title": at.t("charts.day")}}
    up = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, 100]},
        "axis": {"title": at.t("charts.free")},
    }
    arm = {"field": "arm", "type": "nominal", "legend": {"title": None}, "scale": {"range": _ARMS}}
    tooltip = [{"field": field, "title": at.t(f"charts.tip.{field}")} for field in ("arm", "day", "share", "n")]
    dashes = {"field": "arm", "type": "nominal", "legend": None, "scale": {"range": [[1, 0], [6, 3], [2, 2.5], [9, 3]]}}
    steps = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {"x": across, "y": up, "color": arm, "strokeDash": dashes, "tooltip": tooltip},
    }
    ticks = {
        "data": {"values": censored},
        "mark": {"type": "tick", "orient": "vertical", "thickness": 2, "size": 10},
        "encoding": {"x": across, "y": up, "color": arm},
    }
    names = {
        "mark": {"type": "text", "color": _ink(), "align": "left", "dx": 5, "fontWeight": "bold"},
        "encoding": {"x": across, "y": up, "text": {"field": "end"}},
    }
    return _spec(rows, [steps, ticks, names])


def rate_with_reference(at: Desk, rate_pct: float, reference_pct: float) -> Spec:
    """A share as a bar on 0 to 100 %, with the published share as a line."""
    across = {"field": "pct", "type": "quantitative", "scale": {"domain": [0, 100]}, "axis": {"title": None}}
    reference = {"values": [{"pct": reference_pct, "text": at.t("charts.published", pct=reference_pct)}]}
    place = {"x": across, "y": {"value": 0}}
    bar = {
        "data": {"values": [{"pct": rate_pct}]},
        "mark": {"type": "bar", "height": 14, "color": "#5aa9dc"},
        "encoding": {"x": across, "y": {"value": 20}},
    }
    line = {
        "data": reference,
        "mark": {"type": "rule", "strokeDash": [4, 3], "strokeWidth": 2, "color": _ink()},
        "encoding": place | {"y2": {"value": 30}},
    }
    words = {
        "data": reference,
        "mark": {"type": "text", "align": "left", "dx": 6, "dy": 8, "color": _ink()},
        "encoding": place | {"text": {"field": "text"}},
    }
    return {"height": _BAR_HEIGHT, "layer": [bar, line, words]}


def _is_dark() -> bool:
    return st.context.theme.type == "dark"


def _ink() -> str:
    return "#e6e9ed" if _is_dark() else "#1b2430"


_BAR_HEIGHT = 64
_ARMS = ["#3a7ab8", "#c0651a", "#3f7d55", "#7b4f9d"]


def _spec(rows: list[dict[str, Any]], layer: list[Spec]) -> Spec:
    return {"height": _HEIGHT, "data": {"values": rows}, "layer": layer}


def _lines() -> list[Spec]:
    """Where response and progression by the sum of diameters begin."""
    rule = {"type": "rule", "strokeDash": [4, 3], "color": "#8c98a5"}
    return [
        {"data": {"values": [{"at": pct}]}, "mark": rule, "encoding": {"y": {"field": "at", "type": "quantitative"}}}
        for pct in (_DROP_PCT, _RISE_PCT)
    ]


def _colour(at: Desk, rows: Sequence[Mapping[str, Any]], shades: Sequence[str]) -> Spec:
    known = dict(zip(_WORDS, _IN_THE_DARK if _is_dark() else shades, strict=True))
    found = {row["response"] for row in rows}
    words = [word for word in known if word in found] + sorted(found - set(known))
    scale = {"domain": words, "range": [known.get(word, known["NE"]) for word in words]}
    return {"field": "response", "type": "nominal", "scale": scale, "legend": {"title": at.t("charts.response")}}


def _tooltip(at: Desk, *more: str) -> list[Spec]:
    fields = ("subject", *more, "day" if more else "change", "response")
    return [{"field": field, "title": at.t(f"charts.tip.{field}")} for field in fields]


def _pick() -> Spec:
    return {"name": PICK, "select": {"type": "point", "fields": ["case"], "toggle": False}}


def _picked() -> Spec:
    return {"condition": {"param": PICK, "value": 1}, "value": 0.35}


def _way(one: Course) -> list[tuple[int, float, str, bool]]:
    """Day, change, visit, and whether it is the last, baseline at 0 first; visits without a sum are left out."""
    known = [(p.day, p.change_pct, p.timepoint) for p in one.points if p.change_pct is not None]
    way = [(0, 0.0, ""), *known]
    return [(day, change, visit, number == len(way)) for number, (day, change, visit) in enumerate(way, start=1)]


def _change(one: Course) -> float:
    return one.best_change_pct if one.best_change_pct is not None else 0.0
