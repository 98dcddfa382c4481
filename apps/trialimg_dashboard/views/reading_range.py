"""How steady the software's answer to a line is: worked out beside the reader's work, shown once it is known."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.installation import line_segmenter
from trialimg.core.errors import TrialimgError
from trialimg.core.lesions import LesionKind
from trialimg.services.model_answers import AnswerPlace, note_redrawn
from trialimg.services.reading_room import LesionRow, Room
from trialimg.services.redrawn_answers import AnsweredLine, Redrawn, redrawn_answers

__all__ = ["ask_again", "steadiness"]

_LOOK_SECONDS = 0.5
_PAGE_FIRST_SECONDS = 0.4
"""The page that shows the answer is drawn before anything else is worked out."""

Asking = Future[Redrawn | None]


@lru_cache(maxsize=1)
def _worker() -> ThreadPoolExecutor:
    """One for all readers: nobody waits for it, and it takes no more than one core."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="redrawn")


def ask_again(at: Desk, place: AnswerPlace, line: AnsweredLine) -> None:
    """Begin to draw an answered line again; the reader goes on meanwhile."""
    _asked(place.alias, place.step)[place.lesion] = _worker().submit(_redrawn, at, place, line)


def _redrawn(at: Desk, place: AnswerPlace, line: AnsweredLine) -> Redrawn | None:
    """Kept beside the answer, whether or not its reader still looks at it; None where nothing can be said."""
    time.sleep(_PAGE_FIRST_SECONDS)
    try:
        found = redrawn_answers(at.house.images.kept, at.house.masks, line_segmenter(), line=line)
        if found is not None:
            note_redrawn(at.records, at.actor, place, digest=line.digest, found=found)
    except TrialimgError:  # signed out meanwhile, or the line cannot be drawn otherwise: the answer stands without it
        return None
    return found


def steadiness(at: Desk, room: Room, row: LesionRow) -> None:
    """The range of the answers to a line that waits to be accepted, and why a person should look twice."""
    asking = _asked(room.alias, room.step).get(row.name)
    if asking is not None:
        is_known = asking.done()
        st.fragment(_shown, run_every=None if is_known else _LOOK_SECONDS)(at, row, asking, was_known=is_known)


def _shown(at: Desk, row: LesionRow, asking: Asking, *, was_known: bool) -> None:
    if not asking.done():
        st.caption(at.t("room.asking_again"))
        return
    if not was_known:
        st.rerun()  # the whole page once, so that nothing asks every half second any more
    found = asking.result()
    if found is None:
        st.caption(at.t("room.no_range"))
        return
    st.caption(at.t("room.range", **_ends(row, found)), help=at.t("room.range_help", inside=_inside_pct(found.answers)))
    if found.doubts:
        numbers = {"empty": found.empty, "answers": found.answers, "agreement": f"{100 * found.agreement:.0f}"}
        why = "; ".join(at.t(f"doubt.{doubt.value}", **numbers) for doubt in found.doubts)
        st.warning(at.t("room.unsure", why=why))


def _ends(row: LesionRow, found: Redrawn) -> Mapping[str, Any]:
    """A node's short axis, anything else's long one."""
    low, high = found.short_mm if row.kind == LesionKind.NODAL.value else found.long_mm
    low_ml, high_ml = found.volume_ml
    return {
        "low": f"{low:.1f}",
        "high": f"{high:.1f}",
        "low_ml": f"{low_ml:.2f}",
        "high_ml": f"{high_ml:.2f}",
        "answers": found.answers,
    }


def _inside_pct(answers: int) -> int:
    """How often, on average, a further answer lies in the range of some."""
    return round(100 * (answers - 1) / (answers + 1))


def _asked(alias: str, step: str) -> dict[str, Asking]:
    found: dict[str, Asking] = st.session_state.setdefault(f"redrawn-{alias}-{step}", {})
    return found
