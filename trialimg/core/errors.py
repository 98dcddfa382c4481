"""Errors, drawn by who must act.

TrialimgError
├── ProtocolError    the author of a protocol file
├── IntakeError      the site that sent a file
├── GeometryError    whoever brought two images together that do not share a grid
├── ReadingError     a reader: a step out of order, a table of readings that cannot be right
├── AccessError      nobody: the attempt is logged
├── IntegrityError   records were altered
├── BillingError     the one who rates or corrects a charge
└── ModelError       whoever supplied the model
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, where it is, and what to do about it."""

    where: str
    """File with line or row, key path, series UID: whatever finds the place."""
    code: str
    """Short stable reason code, e.g. ``unknown_key``."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.code}]"


class TrialimgError(Exception):
    """Anything this package refuses to do; the message says what, where and what to do."""


class FaultsError(TrialimgError):
    """A refusal that reports everything wrong at once."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults

    def __reduce__(self) -> tuple[type[FaultsError], tuple[str, tuple[Fault, ...]]]:
        return type(self), (str(self), self.faults)


class ProtocolError(FaultsError):
    """A trial protocol that cannot be followed."""


class IntakeError(FaultsError):
    """A received file that cannot be used."""


class GeometryError(TrialimgError):
    """Two images that do not lie on one grid, or a place outside of an image."""


class ReadingError(FaultsError):
    """A reading, or a table of readings, that cannot be right."""


class AccessError(TrialimgError):
    """Something that this person may not see or do."""


class IntegrityError(TrialimgError):
    """A stored record whose bytes are not what they were."""


class BillingError(TrialimgError):
    """A charge that cannot be made or corrected as asked."""


class ModelError(TrialimgError):
    """A model that is absent, altered or cannot run on this input."""


class InvalidValueError(ValueError):
    """A value that cannot be built: everything wrong with it at once, places relative to the value itself.

    The one that stands outside of the tree: a word that cannot be built is a fault of the code that tried, until
    whoever read it from a file says where it stood there.
    """

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(str(fault) for fault in self.faults)
