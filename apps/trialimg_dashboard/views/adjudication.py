"""Both reads of a case as A and B: where they differ, on the same images, and the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.viewer.component import Pane, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from apps.trialimg_dashboard.views.reading_closing import proof_asked
from apps.trialimg_dashboard.views.reading_images import drawing_of
from apps.trialimg_dashboard.views.reading_places import slice_of
from trialimg.core.reading import Because, VerdictReason
from trialimg.services.adjudication import VERDICT_MEANING, Choice, adjudicate
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.reading_room import cell_text, lesion_in

__all__ = ["chosen_place", "differences", "images", "reads", "timeline", "verdict"]

View = Mapping[str, Any]
_LETTERS = ("A", "B")


def differences(at: Desk, view: View) -> None:
    """What made this case one to settle, first."""
    st.markdown(
        f"##### {at.t('room.case')} {view['alias']} · {view['criterion'].upper()} · {at.t('page.adjudication')}"
    )
    rows = [
        {
            at.t("adjudication.variable"): at.t(f"variable.{_variable(one)}"),
            **{letter: _said(one.get(letter)) for letter in _LETTERS},
        }
        for one in view["discordances"]
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def timeline(view: View) -> None:
    """Both readers' responses visit by visit; the first visit at which they part stands out."""
    parted = _first_divergence(view)
    for letter in _LETTERS:
        said = _responses(view, letter)
        steps = (f"{step} :orange-badge[{word}]" if step == parted else f"{step} {word}" for step, word in said.items())
        st.markdown(f"**{letter}** · {' ─ '.join(steps)}")


def _variable(discordance: Mapping[str, Any]) -> str:
    variable = discordance["variable"]
    return str(getattr(variable, "value", variable))


def _said(value: object) -> str:
    return "-" if value in (None, "") else str(value)


def chosen_place(at: Desk, view: View) -> tuple[str, str]:
    """Visit and lesion whose images are shown."""
    visits = [one["id"] for one in view["timepoints"]]
    left, right = st.columns(2)
    step = left.segmented_control(at.t("worklist.visit"), visits, default=_first_divergence(view) or visits[0])
    names = sorted({lesion["lesion"] for letter in _LETTERS for lesion in _lesions(view, letter, step or visits[0])})
    lesion = right.segmented_control(at.t("room.lesion"), names, default=names[0] if names else None)
    return step or visits[0], lesion or ""


def _first_divergence(view: View) -> str:
    """The first visit whose responses differ."""
    words = [_responses(view, letter) for letter in _LETTERS]
    return next((step for step in words[0] if words[0][step] != words[1].get(step)), "")


def _responses(view: View, letter: str) -> dict[str, str]:
    return {one["timepoint"]["id"]: str(one["overall"]) for one in view["reads"][letter]["answer"]["timepoints"]}


def _entry(view: View, letter: str, step: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = view["reads"][letter]["timepoints"].get(step)
    return found


def _lesions(view: View, letter: str, step: str) -> list[Mapping[str, Any]]:
    return list((_entry(view, letter, step) or {}).get("lesions", ()))


def images(at: Desk, view: View, step: str, lesion: str) -> None:
    """The same slice twice: what A drew on the left, what B drew on the right; nothing can be drawn here."""
    looking = Looking(at.actor.user, at.actor.session, at.trial, view["alias"])
    shown = [one for one in at.house.images.shown(looking) if one.timepoint == step]
    if not shown:
        st.info(at.t("room.no_images"))
        return
    columns = st.columns(2, gap="small")
    for letter, column in zip(_LETTERS, columns, strict=True):
        with column:
            st.markdown(f"**{at.t('adjudication.reader')} {letter}**")
            _one_side(at, looking, shown, (view, step, lesion, letter))


def _one_side(
    at: Desk,
    looking: Looking,
    shown: list[ShownSeries],
    what: tuple[View, str, str, str],
) -> None:
    view, step, name, letter = what
    entry = _entry(view, letter, step)
    evidence = (lesion_in(entry, name) or {}).get("evidence") or {}
    series = next((one for one in shown if one.uid == evidence.get("series_uid")), shown[0])
    geometry = at.house.images.kept.geometry(series.uid) or {}
    drawings = list(_drawings(entry, series, geometry))
    start = slice_of(evidence, geometry)
    start = _slice_of_either(view, step, name, geometry) if start is None else start
    pane = Pane(series.name, f"{letter} {step}", at.house.tokens.issue(looking), geometry, start)
    options = {
        "words": viewer_words(at.language),
        "readOnly": True,
        "tokenSeconds": at.house.tokens.seconds,
        "height": 430,
    }
    key = f"adjudicate-{letter}-{step}-{name}"
    viewer([pane], drawings, revision=abs(hash(key)) % 2**31, options={**options, "key": key})


def _slice_of_either(view: View, step: str, name: str, geometry: Mapping[str, Any]) -> int | None:
    """Where the other reader measured it: both sides open on the same slice."""
    found = [(lesion_in(_entry(view, one, step), name) or {}).get("evidence") or {} for one in _LETTERS]
    return next((number for one in found if (number := slice_of(one, geometry)) is not None), None)


def _drawings(entry: Mapping[str, Any] | None, series: ShownSeries, geometry: Mapping[str, Any]) -> Any:
    for lesion in (entry or {}).get("lesions", ()):
        evidence = lesion.get("evidence") or {}
        number = slice_of(evidence, geometry)
        if number is not None and evidence.get("series_uid") == series.uid:
            yield drawing_of(lesion["lesion"], evidence, series, number, is_proposed=False)


def reads(at: Desk, view: View) -> None:
    """Every lesion and response of both, by visit; rows that differ are marked."""
    visits = [one["id"] for one in view["timepoints"]]
    names = sorted({one["lesion"] for letter in _LETTERS for step in visits for one in _lesions(view, letter, step)})
    rows = []
    for name in names:
        cells = {
            f"{step} {letter}": cell_text(lesion_in(_entry(view, letter, step), name))
            for step in visits
            for letter in _LETTERS
        }
        rows.append({"": name, **cells})
    words = {letter: _responses(view, letter) for letter in _LETTERS}
    rows.append(
        {"": at.t("adjudication.response"), **{f"{s} {x}": words[x].get(s, "") for s in visits for x in _LETTERS}}
    )
    table = pd.DataFrame(rows)
    st.dataframe(table.style.apply(_marked, axis=1), hide_index=True)


def _marked(row: pd.Series) -> list[str]:
    """Pairs of cells that differ stand out."""
    values = list(row)
    styles = [""]
    for a, b in zip(values[1::2], values[2::2], strict=True):
        styles += ["background-color: rgba(200, 140, 0, .25)" if a != b else ""] * 2
    return styles


def verdict(at: Desk, view: View) -> None:
    """A or B, why, and the signature."""
    left, right = st.columns([1, 3])
    letter = left.segmented_control(at.t("adjudication.choice"), _LETTERS, key="letter")
    code = right.segmented_control(
        at.t("adjudication.because"),
        list(VerdictReason),
        format_func=lambda one: at.t(f"because.{one.value}"),
        key="because",
    )
    said = st.text_input(at.t("adjudication.words"), key="because_words")
    if not letter or not code or not said.strip():
        st.caption(at.t("adjudication.needed"))
        return
    proof = proof_asked(at, VERDICT_MEANING)
    if proof is None:
        return
    choice = Choice(view["alias"], letter, Because(code, said))
    if done(lambda: adjudicate(at.records, at.actor, proof, at.trial, choice=choice)) is not None:
        st.session_state.pop("alias", None)
        st.switch_page("pages/worklist.py")
