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
_KINDS = {
    "model_type": ("wrong_type", "must be a mapping of keys to values"),
    "dataclass_type": ("wrong_type", "must be a mapping of keys to values"),
    "mapping_type": ("wrong_type", "must be a mapping of keys to values"),
    "tuple_type": ("wrong_type", "must be a list"),
    "string_type": ("wrong_type", "must be text"),
    "int_type": ("wrong_type", "must be a whole number"),
    "decimal_type": ("wrong_type", "must be a number"),
    "decimal_parsing": ("wrong_type", "must be a number"),
    "float_type": ("wrong_type", "must be a number"),
    "bool_type": ("wrong_type", "must be true or false"),
    "enum": ("unknown_word", "must be {expected}"),
    "literal_error": ("unknown_word", "must be {expected}"),
    "string_pattern_mismatch": ("bad_format", "must have the form {pattern}"),
    "string_too_short": ("empty", "must not be empty"),
    "too_short": ("empty", "must have at least one entry"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "too_long": ("too_long", "must have at most {max_length} entries"),
    "greater_than": ("out_of_range", "must be greater than {gt}"),
    "greater_than_equal": ("out_of_range", "must be at least {ge}"),
    "less_than": ("out_of_range", "must be less than {lt}"),
    "less_than_equal": ("out_of_range", "must be at most {le}"),
}
"""Reason code and words for each kind of fault that pydantic tells apart."""
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
    plain = {_squeezed(name): name for name in known}
    close = difflib.get_close_matches(_squeezed(str(word)), plain, n=1, cutoff=0.6)
    return f"; did you mean {plain[close[0]]!r}?" if close else ""


def _squeezed(word: str) -> str:
    """The word without what people write differently: ``RECIST 1.1``, ``recist_1_1`` and ``recist11`` are one."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


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
        place, kind = place_of(location), item["type"]
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
            yield Fault(place, "missing_key", _missing(location, schema))
        else:
            yield _of_kind(place, dict(item))


def _missing(location: Sequence[str | int], schema: Mapping[str, Any]) -> str:
    key = location[-1]
    if isinstance(key, int):
        return f"entry {key + 1} is missing"
    about = _properties(schema, location[:-1]).get(key, {}).get("description", "")
    return f"{key!r} is missing" + (f": {about}" if about else "")


def _of_kind(place: str, item: Mapping[str, Any]) -> Fault:
    given = item["input"]
    code, words = _KINDS.get(item["type"], ("bad_value", ""))
    must = words.format(**item.get("ctx", {})) or item["msg"].replace("Input should ", "must ", 1)
    if given is None:
        return Fault(place, code, f"{must}, not empty (null)")
    if not isinstance(given, bool | int | float | str):
        return Fault(place, code, must)
    advice = suggestion(given, _QUOTED.findall(must)) if code == "unknown_word" else ""
    if item["type"] == "string_type":
        advice = "; put it in quotes"
    return Fault(place, code, f"{must}, not {given!r}{advice}")


def _invariant(place: str, message: str, fields: Mapping[str, Any]) -> Fault:
    """The fault of a value that refused itself; many begin by naming their field."""
    first = message.split(maxsplit=1)[0].rstrip(":")
    return Fault(joined(place, first if first in fields else ""), "bad_value", message)


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
