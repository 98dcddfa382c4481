"""What is wrong with a protocol, said so that its author can put it right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["ProtocolFault", "faults_of", "joined", "place_of", "suggestion"]

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
_CODES = {
    "enum": "unknown_word",
    "literal_error": "unknown_word",
    "string_pattern_mismatch": "bad_format",
    "string_too_short": "empty",
    "too_short": "empty",
    "string_too_long": "too_long",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
}
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True)
class ProtocolFault(Fault):
    """A fault with its place in the file."""

    line: int = 0
    """Counted from 1; 0 where there is no file."""
    column: int = 0
    """Counted from 1."""
    key: str = ""
    """Path of keys, e.g. ``schedule.visits[1].day``; empty for the file as a whole."""


def place_of(location: Sequence[str | int]) -> str:
    """Keys and positions as one path, ``schedule.visits[1].day``."""
    place = ""
    for step in location:
        place = joined(place, f"[{step}]" if isinstance(step, int) else step)
    return place


def joined(place: str, further: str) -> str:
    """A path relative to another, as one."""
    return place + further if not place or not further or further.startswith("[") else f"{place}.{further}"


def suggestion(word: object, known: Sequence[str]) -> str:
    """``; did you mean ...?`` where a known word is close, else nothing."""
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def faults_of(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault that a validation found, with its place relative to what was validated.

    Parameters
    ----------
    schema
        JSON schema of what was validated; tells which keys are known at a place.
    """
    for item in error.errors(include_url=False):
        if item["type"] == "too_short" and item["input"]:
            continue  # entries that are refused one by one are not counted
        location = [step for step in item["loc"] if step != "[key]"]
        place, kind, given = place_of(location), item["type"], item["input"]
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, InvalidValueError):
            yield from (Fault(joined(place, fault.where), fault.code, fault.message) for fault in inner.faults)
        elif isinstance(inner, ValueError):
            yield _invariant(place, str(inner), _properties(schema, location))
        elif kind in _UNKNOWN_KEY:
            known = sorted(_properties(schema, location[:-1]))
            near = suggestion(location[-1], known) or f"; known: {', '.join(known)}"
            yield Fault(place, "unknown_key", f"there is no key {location[-1]!r} here{near}")
        elif kind in _MISSING:
            about = _properties(schema, location[:-1]).get(str(location[-1]), {}).get("description", "")
            yield Fault(place, "missing_key", f"{str(location[-1])!r} is missing" + (f": {about}" if about else ""))
        else:
            yield Fault(place, _code(kind), _sentence(kind, item["msg"], given))


def _invariant(place: str, message: str, fields: Mapping[str, Any]) -> Fault:
    """The fault of a value that refused itself; many begin by naming their field."""
    first = message.split(maxsplit=1)[0].rstrip(":")
    return Fault(joined(place, first if first in fields else ""), "bad_value", message)


def _code(kind: str) -> str:
    return _CODES.get(kind, "wrong_type" if kind.endswith(("_type", "_parsing")) else "bad_value")


def _sentence(kind: str, message: str, given: object) -> str:
    must = message.removeprefix("Input should be ").removeprefix("Value error, ")
    shown = f", not {given!r}" if given is None or isinstance(given, bool | int | float | str) else ""
    if kind in ("enum", "literal_error"):
        return f"must be {must}{shown}{suggestion(given, _QUOTED.findall(must))}"
    if message.startswith("Input should "):
        quotes = "; put it in quotes" if kind == "string_type" and isinstance(given, int | float) else ""
        return f"must be {must}{shown}{quotes}"
    return message[0].lower() + message[1:] + shown


def _properties(schema: Mapping[str, Any], location: Sequence[str | int]) -> Mapping[str, Any]:
    """The keys that a mapping at a place may have, with their schemas."""
    here = _resolved(schema, schema)
    for step in location:
        deeper = here.get("items") if isinstance(step, int) else here.get("properties", {}).get(step)
        here = _resolved(deeper or {}, schema)
    properties: Mapping[str, Any] = here.get("properties", {})
    return properties


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node
