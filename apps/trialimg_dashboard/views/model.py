"""The model's indicators as a table of lights, the course of one of them, and the tasks of the red ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.acting import act, may, wanted
from apps.trialimg_dashboard.views.charts import present
from apps.trialimg_dashboard.views.choosing import chosen_in
from apps.trialimg_dashboard.views.kept import worked_out
from trialimg.bootstrap.watching import health_settings
from trialimg.core.access import Action
from trialimg.services.figures.course import Course, course
from trialimg.services.figures.figure import Figure as Drawing
from trialimg.services.model_evidence import Kept
from trialimg.services.model_health import ModelHealth, Task, watch_model
from trialimg.services.model_indicators import Figure, Indicator, Light
from trialimg.services.model_tasks import close_model_task

__all__ = ["head", "present_health", "shown_course", "table", "tasks"]

_DECIMALS = {"dice": 2, "psi": 2, "energy": 3, "validated": 0, "cases": 0}
_INK = {Light.RED: "#7a0916", Light.AMBER: "#5b3a00", Light.GREEN: "#0b4a2b", Light.DARK: "#3d4650"}
_GROUND = {Light.RED: "#ffc9cf", Light.AMBER: "#ffe2a8", Light.GREEN: "#bfe8cf", Light.DARK: "#dfe4ea"}


def present_health(at: Desk) -> ModelHealth | None:
    """The model's health now, tasks opened."""
    return worked_out(at, "model", Action.VIEW_MODEL, lambda: _watched(at), writes=True)


def _watched(at: Desk) -> ModelHealth:
    kept = Kept(at.house.masks, at.house.images.kept)
    return watch_model(at.records, at.actor, at.trial, kept=kept, settings=health_settings(at.house.home))


def head(at: Desk, health: ModelHealth) -> None:
    """Which model, over how long, and how many indicators have each light."""
    models = ", ".join(health.models) or at.t("model.no_model")
    st.caption(at.t("model.lead", models=models, answers=health.answers, days=health.limits.window_days))
    if not health.answers:
        st.info(at.t("model.empty"))
    for column, light in zip(st.columns(len(Light)), _ORDER, strict=True):
        column.metric(at.t(f"model.light.{light.value}"), sum(one.light is light for one in health.indicators))


def table(at: Desk, health: ModelHealth) -> Indicator | None:
    """Every indicator with value, interval, count and limits; the one that was chosen."""
    worst_first = sorted(health.indicators, key=lambda one: _ORDER.index(one.light))
    rows = [_row(at, one) for one in worst_first]
    columns = [at.t(f"model.col.{name}") for name in _COLUMNS]
    shown = pd.DataFrame(rows, columns=columns)
    widths = {name: st.column_config.TextColumn(alignment="right", width="small") for name in columns[2:7]}
    widths[columns[-1]] = st.column_config.TextColumn(width="large")
    chosen = chosen_in(
        shown.style.map(_coloured, subset=[columns[0]]),
        [one.name for one in worst_first],
        key="model_indicators",
        height=35 * (len(rows) + 1) + 2,
        column_config=widths,
    )
    st.caption(at.t("model.about"))
    return next((one for one in worst_first if one.name == chosen), None)


def _coloured(cell: Any) -> str:
    light = Light(cell[0])
    return f"background-color: {_GROUND[light]}; color: {_INK[light]}; font-weight: bold"


_ORDER = (Light.RED, Light.AMBER, Light.GREEN, Light.DARK)
_COLUMNS = ("light", "name", "value", "interval", "n", "amber", "red", "remark")


def _row(at: Desk, one: Indicator) -> tuple[Any, ...]:
    letter = one.light.value
    figure, limits = one.figure, one.limits or (None, None)
    return (
        f"{letter} · {at.t(f'model.light.{letter}')}",
        at.t(f"model.name.{one.name}"),
        _number(one.name, figure.value),
        _interval(one.name, figure),
        figure.n,
        *(_number(one.name, limit) for limit in limits),
        _remark(at, one),
    )


def _number(name: str, value: float | None) -> str:
    return "-" if value is None else f"{value:.{_DECIMALS.get(name.partition('_')[0], 1)}f}"


def _interval(name: str, figure: Figure) -> str:
    if figure.lower is None or figure.upper is None:
        return "-"
    return f"[{_number(name, figure.lower)}, {_number(name, figure.upper)}]"


def _remark(at: Desk, one: Indicator) -> str:
    said = [at.t(f"model.why.{one.why}")] if one.why else []
    said += [at.t(f"model.detail.{name}", value=value) for name, value in (one.figure.detail or {}).items()]
    return ", ".join(said)


def shown_course(at: Desk, chosen: Indicator | None, health: ModelHealth) -> None:
    """One indicator month by month, what it says, and what to do when it is red."""
    if chosen is None:
        st.caption(at.t("model.choose"))
        return
    stem = chosen.name.partition("_")[0]
    st.subheader(at.t(f"model.name.{chosen.name}"))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{at.t('model.trend')}**")
        present(at, _trend(at, chosen), key=f"model_trend_{chosen.name}")
    with right:
        st.markdown(f"**{at.t('model.means')}**")
        st.markdown(at.t(f"model.means.{stem}"))
        st.markdown(f"**{at.t('model.do')}**")
        st.markdown(at.t(f"model.do.{stem}"))
    if chosen.groups:
        _groups(at, chosen)
    if chosen.suppressed:
        st.caption(at.t("model.suppressed", n=chosen.suppressed, least=health.limits.min_group))


def _trend(at: Desk, chosen: Indicator) -> Drawing:
    """A point for each month, the limits dashed and named by their letters."""
    points = tuple((float(number), one.value) for number, one in enumerate(chosen.trend))
    abouts = tuple(f"{one.month}: {_number(chosen.name, one.value)} (n = {one.n})" for one in chosen.trend)
    limits = dict(zip((Light.AMBER.value, Light.RED.value), chosen.limits or (), strict=False))
    return course(
        [Course(at.t(f"model.name.{chosen.name}"), points, abouts)],
        titles=("", at.t(f"model.name.{chosen.name}")),
        levels=limits,
        names=[one.month for one in chosen.trend],
        empty=at.t("model.trend.none"),
    )


def _groups(at: Desk, chosen: Indicator) -> None:
    st.markdown(f"**{at.t('model.groups')}**")
    rows = [
        (
            one.group,
            f"{100 * one.unchanged / one.n:.1f} % ({one.unchanged}/{one.n})",
            f"{one.difference_pct:+.1f} [{one.lower_pct:+.1f}, {one.upper_pct:+.1f}]",
        )
        for one in chosen.groups
    ]
    columns = [at.t(f"model.col.{name}") for name in ("group", "unchanged", "difference")]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)


def tasks(at: Desk, health: ModelHealth) -> None:
    """What waits for somebody and what was done; closing one with a reason."""
    st.subheader(at.t("model.tasks"))
    waiting = [one for one in health.tasks if one.state == "open"]
    if not waiting:
        st.caption(at.t("model.tasks.none"))
    if health.tasks:
        rows = [_task(at, one) for one in health.tasks]
        columns = ("indicator", "state", "value", "red", "opened", "for", "closed", "reason")
        st.dataframe(pd.DataFrame(rows, columns=[at.t(f"model.task.{name}") for name in columns]), hide_index=True)
    if waiting and may(at, Action.CLOSE_MODEL_TASK):
        _closing(at, waiting)


def _task(at: Desk, one: Task) -> tuple[str, ...]:
    return (
        at.t(f"model.name.{one.indicator}"),
        at.t(f"model.task.state.{one.state}"),
        one.value or "-",
        one.red or "-",
        one.opened_at[:16].replace("T", " "),
        at.t(f"role.{one.for_role}"),
        one.closed_by,
        one.reason,
    )


def _closing(at: Desk, waiting: Sequence[Task]) -> None:
    named = {one.id: at.t(f"model.name.{one.indicator}") for one in waiting}
    asked = wanted(
        at, "model.close", lambda: st.selectbox(at.t("model.task.which"), list(named), format_func=named.__getitem__)
    )
    if asked is not None:
        act(at, lambda: close_model_task(at.records, at.actor, at.trial, asked.fields, reason=asked.reason))
