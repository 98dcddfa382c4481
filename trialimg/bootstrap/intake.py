"""How studies come in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.folders import make_folder
from trialimg.bootstrap.images import image_source
from trialimg.bootstrap.installation import blobs, kept_series

if TYPE_CHECKING:
    from trialimg.services.uploads import Intake

__all__ = ["intake"]


@lru_cache(maxsize=4)
def intake(home: Path) -> Intake:
    """What takes studies into an installation; its files under way lie below ``quarantine``."""
    from trialimg.adapters.dicom.examine import ChildExaminer
    from trialimg.adapters.files.archives import unpacked
    from trialimg.services.uploads import Intake

    folder = home / "quarantine"
    make_folder(folder)
    return Intake(folder, ChildExaminer(), unpacked, image_source(), kept_series(home), blobs(home))
