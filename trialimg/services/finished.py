"""A finished run, as its output folder tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg.core.digest import file_digest
from trialimg.core.errors import IntakeError, IntegrityError

__all__ = ["FinishedRun", "open_run"]


@dataclass(frozen=True)
class FinishedRun:
    """The outputs of one run, each held against the digest in its manifest when it is opened."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Output files by name."""
        return tuple(sorted(self.manifest["outputs"]))

    def content(self, name: str) -> bytes:
        """The bytes of an output.

        Raises
        ------
        IntakeError
            If the run has no such output.
        IntegrityError
            If the file is not what the run wrote.
        """
        if name not in self.manifest["outputs"]:
            raise IntakeError(f"{self.folder}: this run wrote no {name}")
        path = self.folder / name
        if not path.is_file() or file_digest(path) != self.manifest["outputs"][name]:
            raise IntegrityError(f"{path} is not what the run wrote; run it again")
        return path.read_bytes()

    def results(self) -> Mapping[str, Any]:
        """Everything the run found, as one document."""
        answer: Mapping[str, Any] = json.loads(self.content("results.json"))
        return answer

    def results_of(self, trial: str) -> Mapping[str, Any]:
        """The same, where the run is of a certain trial.

        Raises
        ------
        IntegrityError
            If it is of another.
        """
        answer = self.results()
        if answer["trial"] != trial:
            raise IntegrityError(f"{self.folder} holds a run of {answer['trial']}, not of {trial}")
        return answer


def open_run(folder: Path) -> FinishedRun:
    """The run that was written to a folder.

    Raises
    ------
    IntakeError
        If there is none.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise IntakeError(
            f"{folder}: no finished run here ({path.name}: {fault}); `trialimg run` writes one"
        ) from fault
    if not isinstance(manifest, dict) or not isinstance(manifest.get("outputs"), dict):
        raise IntakeError(f"{path} is not the manifest of a run")
    return FinishedRun(folder, manifest)
