"""What differs between two records, setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "differences", "leaves"]


@dataclass(frozen=True)
class Difference:
    """One setting that two records give another value; None where one of them has no such setting."""

    key: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Every setting that has another value, by its path of keys."""
    old, new = leaves(before), leaves(after)
    keys = [*old, *(key for key in new if key not in old)]
    return tuple(Difference(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key))


def leaves(value: Mapping[str, Any]) -> dict[str, str]:
    """Every single value by its path of keys, as text."""
    return dict(_leaves(value, ""))


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and (value or not path):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, _text(value)


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return "(none)"
    return str(value)
