"""Where a thing came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Evidence", "Provenance"]


@dataclass(frozen=True)
class Evidence:
    """The digest of bytes that an answer rests on."""

    digest: str
    media_type: str


@dataclass(frozen=True)
class Provenance:
    """What was done to which inputs, with every parameter, by which software and model.

    The moment is kept apart (``at``) and stands outside of digests: the same work done twice has one digest.
    """

    activity: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Name to digest."""
    software: str = ""
    model: str = ""
    at: str = ""
    """ISO 8601 with offset; empty where the moment does not matter."""
