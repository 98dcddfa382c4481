"""A folder of files as one archive; the same files give the same bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

__all__ = ["packed"]

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP archive can name."""


def packed(folder: Path) -> bytes:
    """Every file below a folder, in order of name, as a ZIP archive without times and owners."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _LONG_AGO)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            made.writestr(info, path.read_bytes())
    return archive.getvalue()
