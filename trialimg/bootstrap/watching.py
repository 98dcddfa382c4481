"""What an installation says of its watch over models: a file of its folder, read anew where it has changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialimg.core.errors import ReadingError

if TYPE_CHECKING:
    from trialimg.services.model_health import HealthSettings

__all__ = ["health_settings"]

_FILE = "model-health.yaml"
_KEYS = ("limits", "subjects")
_OF_SUBJECT = ("sex", "age", "scanner")


def health_settings(home: Path) -> HealthSettings:
    """The settings of ``model-health.yaml`` in the installation's folder; the defaults where there is no such file.

    Notes
    -----
    ``limits`` names fields of `HealthLimits`; ``subjects`` names a CSV beside the file with the columns subject, sex,
    age, scanner, each but the first left out where it is not known.

    Raises
    ------
    ReadingError
        If the file or the table cannot be read, or names what is not known.
    """
    import yaml

    from trialimg.core.settings import overridden
    from trialimg.services.model_health import HealthSettings
    from trialimg.services.model_limits import HealthLimits

    path = home / _FILE
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return HealthSettings()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as wrong:
        raise ReadingError(f"{path}: cannot be read ({wrong})") from wrong
    if not isinstance(said, Mapping) or (strangers := [key for key in said if key not in _KEYS]):
        named = ", ".join(map(str, strangers)) if isinstance(said, Mapping) else "something else"
        raise ReadingError(f"{path}: holds {', '.join(_KEYS)} and nothing else, not {named}")
    subjects = _subjects(home / str(said["subjects"])) if said.get("subjects") else None
    return HealthSettings(overridden(HealthLimits(), said.get("limits") or {}), subjects)


def _subjects(path: Path) -> Mapping[str, Mapping[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise ReadingError(f"{path}: cannot be read ({wrong})") from wrong
    strangers = [name for name in reader.fieldnames or () if name not in ("subject", *_OF_SUBJECT)]
    if "subject" not in (reader.fieldnames or ()) or strangers:
        raise ReadingError(f"{path}: has the columns subject, {', '.join(_OF_SUBJECT)}; not {', '.join(strangers)}")
    return {row["subject"]: {name: (row.get(name) or "").strip() for name in _OF_SUBJECT} for row in rows}
