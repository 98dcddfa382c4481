"""The viewer on a page of its own, with a made-up reader: what the browser tests look at."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from pathlib import Path

import streamlit as st

from apps.trialimg_dashboard.pixels import PixelTokens, pixel_routes
from apps.trialimg_dashboard.viewer.component import Pane, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from tests.e2e.viewer import phantom
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.viewing import encode, outlines_lps_mm

SERIES = {"s-7a": (1, 1.0), "s-7b": (2, 0.7)}
TOKENS = PixelTokens(seconds=8)
READER = Looking("reader1", "session", "T1", "C1")


class Phantoms:
    """Two series, both assigned to one reader."""

    def __init__(self):
        self.log = []

    @staticmethod
    @lru_cache
    def load(series):
        image, mask = phantom.scan(*SERIES[series])
        lines = {k: [{"lesion": "T01", "points": line} for line in found] for k, found in outlines_lps_mm(mask).items()}
        return encode(image), lines

    def find(self, looking, name):
        return ShownSeries(name, "BL", name) if looking == READER and name in SERIES else None

    def opened(self, looking, series):
        self.log.append((looking.user, series.name))

    def geometry(self, series):
        return self.load(series.name)[0].geometry

    def slice(self, series, number):
        slices = self.load(series.name)[0].slices
        return slices[number] if number < len(slices) else None


IMAGES = Phantoms()


def change(drawings):
    """Python changes the drawings: the viewer draws them anew."""
    st.session_state.saved, st.session_state.revision = drawings, st.session_state.revision + 1


def pane(series, label):
    start = st.session_state.slices[series]
    encoded, lines = Phantoms.load(series)
    return Pane(series, label, TOKENS.issue(READER), encoded.geometry, start, lines)


def read():
    state = st.session_state
    lesion = st.radio("Lesion", ["T01 liver", "T02 lung"], horizontal=True)
    options = {
        "words": viewer_words("en"),
        "linkOffsetMm": 5.0,
        "rendering": state.rendering,
        "tokenSeconds": TOKENS.seconds,
        "readOnly": state.read_only,
    }
    panes = [pane("s-7a", "Baseline"), pane("s-7b", "Follow-up")]
    options |= {"key": "viewer", "lesion": lesion}
    seen = viewer(panes, state.saved, revision=state.revision, options=options)
    state.saved = list(seen.drawings)
    rows = [
        {**dataclasses.asdict(one), "kind": one.kind.value, "diameters_mm": one.diameters_mm} for one in state.saved
    ]
    st.code(json.dumps(rows), language="json")
    if seen.asked:
        state.asked = seen.asked.value
    st.write(f"asked: {state.get('asked', 'nothing')}")
    st.write(f"opened: {sorted(set(IMAGES.log))}")
    st.button("Delete all of this lesion", on_click=lambda: change([one for one in state.saved if one.label != lesion]))
    st.text_input("Comment")


def page():
    st.set_page_config(layout="wide", page_title="Reader")
    state = st.session_state
    state.setdefault("saved", [])
    state.setdefault("revision", 0)
    state.rendering = st.query_params.get("rendering", state.get("rendering", "auto"))
    state.read_only = "readonly" in st.query_params
    state.slices = {one: int(st.query_params.get(one, state.get("slices", {}).get(one, 20))) for one in SERIES}
    worklist = st.Page(
        lambda: st.write(f"{len(state.saved)} measurements saved"), title="Worklist", url_path="worklist"
    )
    st.navigation([st.Page(read, title="Read"), worklist], position="top").run()


def app():
    """For uvicorn: `--factory`."""
    return st.App(Path(__file__).with_name("page.py"), routes=pixel_routes(TOKENS, IMAGES, lambda _: READER.session))
