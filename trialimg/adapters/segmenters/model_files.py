"""The files of a model under one digest; what is loaded is what was digested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trialimg.core.digest import digest_of, file_digest
from trialimg.core.errors import ModelError

__all__ = ["ModelFiles", "digested", "require_licence"]


@dataclass(frozen=True)
class ModelFiles:
    """A folder's files as they were when the model was opened."""

    folder: Path
    files: Mapping[str, str]
    """Relative name to digest."""

    @property
    def digest(self) -> str:
        """One digest for all files: their relative names and their contents."""
        return digest_of(self.files)

    def require_digest(self, pinned: str, what: str) -> None:
        """Refuse a model whose digest is not the pinned one; an empty pin lets any in.

        Raises
        ------
        ModelError
            Names both digests.
        """
        if pinned and pinned != self.digest:
            raise ModelError(f"{self.folder}: the {what} has the digest {self.digest}, but {pinned} is pinned")

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises
        ------
        ModelError
            If they are no longer those that were there when the model was opened.
        """
        try:
            data = (self.folder / name).read_bytes()
        except OSError as fault:
            raise ModelError(f"{self.folder / name}: cannot be read ({fault.strerror})") from fault
        if digest_of(data) != self.files[name]:
            message = f"has the digest {digest_of(data)} now, but had {self.files[name]} when the model was opened"
            raise ModelError(f"{self.folder / name}: {message}")
        return data


def digested(folder: Path, paths: Sequence[Path]) -> dict[str, str]:
    """Relative name to digest of some files of a folder.

    Raises
    ------
    ModelError
        If one cannot be read.
    """
    try:
        return {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(paths)}
    except OSError as fault:
        raise ModelError(f"{folder}: the model cannot be read ({fault.strerror})") from fault


def require_licence(licence: str, place: str, *, allow_unlicensed: bool) -> None:
    """Refuse a model that does not say under what licence it may be used, unless that is allowed outright.

    Raises
    ------
    ModelError
        Says where a licence is looked for.
    """
    if not licence and not allow_unlicensed:
        raise ModelError(
            f"{place}: no licence is stated; write it into the model's description, or allow a model without one "
            "(--allow-unlicensed, parameter allow_unlicensed)"
        )
