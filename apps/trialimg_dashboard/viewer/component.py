"""Mounting the viewer, and checking what the browser says was drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from apps.trialimg_dashboard.viewer.contours import Contour, require_on_slice, text_of

__all__ = ["Asked", "Drawing", "DrawingKind", "Pane", "Seen", "viewer", "warm_up"]

_STYLE = Path(__file__).with_name("viewer.css")
_MOST_DRAWINGS = 500


class DrawingKind(Enum):
    """What was drawn."""

    BIDIRECTIONAL = "bidirectional"
    LENGTH = "length"


_POINTS = {DrawingKind.BIDIRECTIONAL: 4, DrawingKind.LENGTH: 2}


@dataclass(frozen=True)
class Pane:
    """One image stack in the viewer."""

    series: str
    """Name that tells the reader nothing."""
    label: str
    token: str
    geometry: Mapping[str, Any]
    """As `trialimg.services.viewing.EncodedSeries` has it."""
    slice: int | None = None
    """Slice to show; None: the middle one."""
    outlines: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Slice to outlines: lesion, points (LPS mm), proposed (drawn dashed)."""
    fused: str = ""
    """Name of a PET series of the same case that may be laid over this one; empty: there is none."""


@dataclass(frozen=True)
class Drawing:
    """One or two diameters on one slice, as world points (LPS mm): one axis, then the other."""

    uid: str
    series: str
    slice: int
    label: str
    kind: DrawingKind
    points_lps_mm: tuple[tuple[float, float, float], ...]
    pixel_mm: float | None = None
    """Millimetres under one screen pixel when it was drawn."""
    proposed: bool = False
    """Made by the software and not yet accepted by a person."""
    locked: bool = False
    """Can be looked at, and not changed."""

    @property
    def diameters_mm(self) -> tuple[float, ...]:
        """Longest first; computed here, never taken from the browser."""
        ends = np.asarray(self.points_lps_mm).reshape(-1, 2, 3)
        lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
        return tuple(sorted((float(length) for length in lengths), reverse=True))

    @classmethod
    def from_browser(cls, item: Mapping[str, Any], panes: Sequence[Pane]) -> Drawing:
        """What the browser sent, once it is possible.

        Raises
        ------
        ValueError
            If it lies on no shown slice, off its plane or outside of the image, or is no such drawing at all.
        """
        try:
            kind = DrawingKind(item["kind"])
            uid, series, label = (text_of(item[key]) for key in ("uid", "series", "label"))
            number, points = int(item["slice"]), np.asarray(item["points"], dtype=np.float64)
            pixel_mm = float(item["pixel_mm"])
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"not a drawing: {wrong}") from None
        geometry = next((pane.geometry for pane in panes if pane.series == series), None)
        if geometry is None or not 0 <= number < geometry["shape"][0]:
            raise ValueError("a drawing on an image that is not shown")
        if points.shape != (_POINTS[kind], 3) or not np.isfinite(points).all():
            raise ValueError(f"a drawing of kind {kind.value} has {_POINTS[kind]} points")
        require_on_slice(points, geometry, number)
        if not (math.isfinite(pixel_mm) and pixel_mm > 0):
            raise ValueError("a drawing says how large a pixel was shown")
        return cls(uid, series, number, label, kind, tuple((p[0], p[1], p[2]) for p in points.tolist()), pixel_mm)

    def for_browser(self) -> dict[str, Any]:
        given = asdict(self)
        return given | {"kind": self.kind.value, "points": given.pop("points_lps_mm")}


class Asked(Enum):
    """What the reader asked for by a key."""

    NEXT = "next"
    PREVIOUS = "previous"
    ACCEPT = "accept"
    REJECT = "reject"
    UNDO = "undo"


@dataclass(frozen=True)
class Seen:
    """What the viewer reports."""

    drawings: tuple[Drawing, ...]
    changed: bool
    """The reader drew, corrected or removed something since Python last gave the drawings."""
    asked: Asked | None
    contour: Contour | None = None
    """By which the reader wants a lesion's outline changed."""


def viewer(
    panes: Sequence[Pane],
    drawings: Sequence[Drawing],
    *,
    revision: int,
    options: Mapping[str, Any],
    act: Callable[[Seen], None] | None = None,
) -> Seen:
    """Show one to four stacks and say what is drawn on them.

    Parameters
    ----------
    drawings
        Drawn when the viewer is mounted, and again whenever ``revision`` changes; what was drawn on an older
        revision is ignored, so that Python and the browser never disagree silently.
    options
        ``key`` (of the viewer on its page), ``lesion`` (label of the next drawing), ``words`` (the viewer's texts),
        ``readOnly``, ``height`` (CSS pixels), ``linkOffsetMm``, ``rendering`` (``auto`` or ``cpu``),
        ``tokenSeconds``, ``window`` (name of the preset to open with), ``linkedBy`` (``lesion``, ``registration`` or
        ``height``: how the slices side by side were found), ``next`` (``base``, ``token`` and ``slices`` of a case
        that is fetched ahead once this one is loaded).
    act
        Called with what was drawn or asked, once for each time, before the page runs again.
    """
    data = {
        "panes": [_pane(pane) for pane in panes],
        "drawings": [drawing.for_browser() for drawing in drawings],
        "revision": revision,
        "lesion": "-",
        "height": 560,
        "rendering": "auto",
        "readOnly": False,
        **options,
    }
    key = str(data.pop("key"))

    def seen(result: Any) -> Seen:
        return _seen(result, panes, drawings, None if data["readOnly"] else revision)

    def changed() -> None:
        if act is not None:
            act(seen(st.session_state[key]))

    default = {"drawn": None}
    calls = {f"on_{name}_change": changed for name in ("drawn", "asked", "contour")}
    return seen(_component()(key=key, data=data, default=default, **calls))


def warm_up(key: str) -> None:
    """Have the browser fetch the viewer's code before there is anything to show."""
    _component()(key=key, data={"panes": []}, default={"drawn": None}, on_drawn_change=lambda: None)


def _seen(result: Any, panes: Sequence[Pane], drawings: Sequence[Drawing], revision: int | None) -> Seen:
    asked = Asked(result.asked) if result.asked in {one.value for one in Asked} else None
    if revision is not None and result.contour and result.contour["revision"] == revision:
        shown = {pane.series: pane.geometry for pane in panes}
        return Seen(tuple(drawings), False, asked, Contour.from_browser(result.contour, shown))
    drawn = result.drawn
    if revision is None or not drawn or drawn["revision"] != revision:
        return Seen(tuple(drawings), False, asked)
    kept = {drawing.uid: drawing for drawing in drawings}
    items = [Drawing.from_browser(item, panes) for item in drawn["items"][:_MOST_DRAWINGS]]
    return Seen(tuple(_unless_moved(item, kept.get(item.uid)) for item in items), True, asked)


def _unless_moved(item: Drawing, kept: Drawing | None) -> Drawing:
    """What we had, where the browser only sends it back."""
    return kept if kept is not None and kept.points_lps_mm == item.points_lps_mm else item


def _pane(pane: Pane) -> dict[str, Any]:
    shown = {
        "id": pane.series,
        "label": pane.label,
        "token": pane.token,
        "slice": pane.geometry["shape"][0] // 2 if pane.slice is None and pane.geometry else pane.slice,
        "base": f"/images/{pane.series}",
        "fused": f"/images/{pane.fused}" if pane.fused else None,
    }
    return shown | {"outlines": {str(number): list(lines) for number, lines in pane.outlines.items()}}


@lru_cache(maxsize=1)
def _component() -> Any:
    """The component, registered with the running server at first use.

    Streamlit looks for assets only inside the package that is called like the distribution; ours lie in `apps`, so
    they are named to its registry directly.
    """
    here = Path(__file__).parent
    manifest = ComponentManifest("trialimg", version("trialimg"), [ComponentConfig("viewer", "assets")])
    get_bidi_component_manager().register_from_manifest(manifest, here)
    return st.components.v2.component("trialimg.viewer", js="index-*.js", css=_STYLE.read_text(), isolate_styles=False)
