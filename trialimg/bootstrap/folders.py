"""Folders that are made when they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import TrialimgError

if TYPE_CHECKING:
    pass

__all__ = ["make_folder"]


def make_folder(folder: Path) -> None:
    """Make a folder and its parents.

    Raises
    ------
    TrialimgError
        If it cannot be made, e.g. a file stands in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise TrialimgError(f"{folder}: cannot make this folder ({fault.strerror})") from fault
