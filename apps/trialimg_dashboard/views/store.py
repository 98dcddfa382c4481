"""The store as figures, checkpoints and backups, and the forms that make them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.acting import act, wanted
from trialimg.bootstrap import make_folder, storage
from trialimg.services.dashboard_store import StoreFigures, make_checkpoint
from trialimg.services.store_backup import Backup, back_up

__all__ = ["acts", "figures", "kept"]

_MEGABYTE = 1_000_000


def figures(at: Desk, found: StoreFigures) -> None:
    """How much there is, and how much of it is signed."""
    entries, uncovered, blobs, size = st.columns(4)
    entries.metric(at.t("store.entries"), found.entries)
    uncovered.metric(at.t("store.uncovered"), found.uncovered)
    blobs.metric(at.t("store.blobs"), found.blobs)
    file = at.house.home / "records.sqlite"
    if file.is_file():
        size.metric(at.t("store.size"), f"{file.stat().st_size / _MEGABYTE:.1f}")
    st.caption(at.t("store.installation", name=found.installation or "-"))


def acts(at: Desk) -> None:
    """A checkpoint signed; a backup written beside the records."""
    if wanted(at, "store.checkpoint", lambda: st.caption(at.t("store.checkpoint_help")), has_reason=False):
        ring = storage(at.records, at.house.home).ring
        act(at, lambda: make_checkpoint(at.records, at.actor, ring))
    if wanted(at, "store.backup", lambda: st.caption(at.t("store.backup_help")), has_reason=False):
        act(at, lambda: _backed_up(at))


def kept(at: Desk, found: StoreFigures) -> None:
    """The checkpoints and the backups."""
    left, right = st.columns([3, 2])
    with left:
        st.subheader(at.t("store.checkpoints"))
        rows = [
            (one.checkpoint.at[:19].replace("T", " "), one.checkpoint.size, one.checkpoint.root, one.signatures.key)
            for one in found.checkpoints
        ]
        _table(at, rows, ("at", "entries", "root", "key"))
    with right:
        st.subheader(at.t("store.backups"))
        _table(at, [(one[:19].replace("T", " "), *rest) for one, *rest in found.backups], ("at", "who", "folder"))


def _table(at: Desk, rows: Sequence[tuple[object, ...]], columns: tuple[str, ...]) -> None:
    if rows:
        st.dataframe(pd.DataFrame(rows, columns=[at.t(f"store.{name}") for name in columns]), hide_index=True)
    else:
        st.info(at.t("store.nothing"))


def _backed_up(at: Desk) -> Backup:
    folder = at.house.home / "backups"
    make_folder(folder)
    name = f"backup-{at.records.now()[:19].replace(':', '')}"
    return back_up(storage(at.records, at.house.home), at.actor, folder / name)
