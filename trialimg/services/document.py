"""A run's results as one JSON document: what machines read, and what names the run by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from trialimg.core.digest import digest_of, plain
from trialimg.services.results import KeyImage, TrialResult

__all__ = ["document"]


def document(result: TrialResult) -> dict[str, Any]:
    """The results as JSON types; a key image stands as the digest of its pixels and lines."""
    answer: dict[str, Any] = plain(_without_pixels(result))
    return answer


def _without_pixels(value: object) -> object:
    if isinstance(value, KeyImage):
        lines = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "grey"}
        return {"pixels": digest_of(value.grey.tobytes()), **lines}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _without_pixels(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): _without_pixels(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_pixels(item) for item in value]
    return value
