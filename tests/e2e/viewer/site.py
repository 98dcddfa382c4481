"""The viewer on a page of its own, with a made-up reader: what the browser tests look at."""

from __future__ import annotations

import dataclasses
import json
import secrets
from functools import lru_cache
from pathlib import Path

import streamlit as st

from apps.trialimg_dashboard.pixels import PixelTokens, pixel_routes
from apps.trialimg_dashboard.viewer.component import Pane, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from tests.e2e.viewer import phantom
from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import ReadingError
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.outlining import Region, outlined
from trialimg.services.prompted import KeptMasks, outlines_on
from trialimg.services.viewing import KeptSeries, encode

SERIES = {"s-7a": (1, 1.0), "s-7b": (2, 0.7), "s-8a": (1, 1.0)}
NEXT = "s-8a"
"""Of the next case: no test opens it."""
UPTAKE = "s-7p"
SECRET = secrets.token_bytes(32)
TOKENS, SHORT_LIVED = PixelTokens(SECRET, seconds=120), PixelTokens(SECRET, seconds=8)
READER = Looking("reader1", "session", "T1", "C1")


class Phantoms:
    """CT series and a PET, all assigned to one reader."""

    def __init__(self):
        self.log, self.sent = [], []
        self.kept, self.masks = KeptSeries(MemoryBlobStore()), KeptMasks(MemoryBlobStore())

    @lru_cache  # noqa: B019  one for the process
    def load(self, series):
        """Keep a series; the digest of its lesion's mask."""
        if series == UPTAKE:
            self.kept.keep(series, encode(phantom.uptake()))
            return ""
        image, mask = phantom.scan(*SERIES[series])
        self.kept.keep(series, encode(image))
        return self.masks.keep(mask)

    def find(self, looking, name):
        return ShownSeries(name, "BL", name) if looking == READER and name in (*SERIES, UPTAKE) else None

    def opened(self, looking, series):
        self.log.append((looking.user, series.name))

    def sent_ahead(self, looking, series):
        self.sent.append((looking.user, series.name))

    def geometry(self, series):
        self.load(series.name)
        return self.kept.geometry(series.name)

    def slice(self, series, number):
        self.load(series.name)
        return self.kept.slice(series.name, number)


IMAGES = Phantoms()


def change(drawings):
    """Python changes the drawings: the viewer draws them anew."""
    st.session_state.saved, st.session_state.revision = drawings, st.session_state.revision + 1


def pane(series, label):
    state = st.session_state
    IMAGES.load(UPTAKE)
    first = IMAGES.load(series)
    digest = state.outlines.get(series, first)
    geometry = IMAGES.kept.geometry(series)
    lines = {
        k: [{"lesion": "T01 liver", "points": line, "proposed": digest == first} for line in found]
        for k, found in outlines_on(IMAGES.masks.mask(digest), geometry).items()
    }
    fused = UPTAKE if state.fuses else ""
    token = (SHORT_LIVED if state.is_short else TOKENS).issue(READER)
    return Pane(series, label, token, geometry, state.slices[series], lines, fused)


def change_outline(contour):
    """What the reading room does with a line drawn around a part of a lesion."""
    state = st.session_state
    digest = state.outlines.get(contour.series, IMAGES.load(contour.series))
    region = Region(contour.series, contour.slice, contour.points_lps_mm, contour.adds)
    try:
        axes = outlined(IMAGES.kept, IMAGES.masks, region, before={"digest": digest, "series_uid": contour.series})
    except ReadingError as refused:
        st.error(str(refused))
        return
    state.before = dict(state.outlines)
    state.outlines[contour.series] = axes.digest
    state.outlined = dataclasses.asdict(axes)
    state.revision += 1


def read():
    state = st.session_state
    lesion = st.radio("Lesion", ["T01 liver", "T02 lung"], horizontal=True)
    options = {
        "words": viewer_words("en"),
        "linkOffsetMm": 5.0,
        "rendering": state.rendering,
        "tokenSeconds": (SHORT_LIVED if state.is_short else TOKENS).seconds,
        "readOnly": state.read_only,
    }
    panes = [pane("s-7a", "Baseline"), pane("s-7b", "Follow-up")]
    options |= {"key": "viewer", "lesion": lesion}
    if "ahead" in st.query_params:
        token = TOKENS.issue(READER)
        options["next"] = {"base": f"/images/{NEXT}", "token": token, "slices": [20, 21, 22]}
    seen = viewer(panes, state.saved, revision=state.revision, options=options)
    state.saved = list(seen.drawings)
    if seen.contour is not None and seen.contour != state.get("taken"):
        state.taken = seen.contour
        change_outline(seen.contour)
        st.rerun()
    st.html(f'<pre id="outlined">{json.dumps(state.get("outlined", {}))}</pre>')
    rows = [
        {**dataclasses.asdict(one), "kind": one.kind.value, "diameters_mm": one.diameters_mm} for one in state.saved
    ]
    st.code(json.dumps(rows), language="json")
    if seen.asked:
        state.asked = seen.asked.value
    st.write(f"asked: {state.get('asked', 'nothing')}")
    st.write(f"opened: {sorted(set(IMAGES.log))}")
    st.write(f"sent ahead: {sorted(set(IMAGES.sent))}")
    st.button("Delete all of this lesion", on_click=lambda: change([one for one in state.saved if one.label != lesion]))
    st.text_input("Comment")


def page():
    st.set_page_config(layout="wide", page_title="Reader")
    state = st.session_state
    state.setdefault("saved", [])
    state.setdefault("revision", 0)
    state.rendering = st.query_params.get("rendering", state.get("rendering", "auto"))
    state.read_only = "readonly" in st.query_params
    state.fuses = "fused" in st.query_params or state.get("fuses", False)
    state.is_short = "short" in st.query_params
    state.setdefault("outlines", {})
    state.slices = {one: int(st.query_params.get(one, state.get("slices", {}).get(one, 20))) for one in SERIES}
    worklist = st.Page(
        lambda: st.write(f"{len(state.saved)} measurements saved"), title="Worklist", url_path="worklist"
    )
    st.navigation([st.Page(read, title="Read"), worklist], position="top").run()


def app():
    """For uvicorn: `--factory`."""
    return st.App(Path(__file__).with_name("page.py"), routes=pixel_routes(TOKENS, IMAGES, lambda _: READER.session))
