"""A folder that is written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trialimg.core.errors import TrialimgError

__all__ = ["new_folder"]


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name only when all went well; nothing is left of it otherwise.

    Raises
    ------
    TrialimgError
        If something stands at that name already, or the folder cannot be written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise TrialimgError(f"{out}: is there already and not an empty folder; name a new one")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            unfinished.chmod(0o755)
            yield unfinished
            unfinished.replace(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as fault:
        raise TrialimgError(f"{out}: cannot be written ({fault.strerror})") from fault
