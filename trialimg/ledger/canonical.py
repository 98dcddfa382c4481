"""The one byte string of a value that is hashed or signed, and the strict way back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["LARGEST_INTEGER", "canonical", "decoded", "hex_faults", "parse", "shaped"]

LARGEST_INTEGER = 2**53 - 1
"""Every JSON reader keeps integers up to here exactly."""

_HEX = re.compile(r"[0-9a-f]+")


def canonical(value: object) -> bytes:
    """The value as JSON with sorted keys, no blanks, in UTF-8.

    Parameters
    ----------
    value
        Text, integers, booleans, None, lists, tuples, and mappings with text as keys; nothing else. Decimals and
        dates are written as text by the caller, who knows how many digits and which zone are meant.

    Raises
    ------
    InvalidValueError
        With the path of what has no canonical form: a float, a decimal, a date, half a surrogate pair.

    References
    ----------
    Rundgren, Jordan, Erdtman. JSON Canonicalization Scheme. RFC 8785, 2020 (without its floating-point numbers).
    """
    try:
        return _encode(_ordered(value, "$")).encode()
    except RecursionError:
        raise _refusal("$", "too_deep", "nested too deeply, or within itself") from None
    except UnicodeEncodeError as wrong:
        raise _refusal("$", "surrogate", f"half a surrogate pair at character {wrong.start}") from None


def parse(data: bytes) -> Any:
    """The value whose canonical bytes these are.

    Raises
    ------
    InvalidValueError
        If the bytes are not the canonical form of any value.
    """
    value = decoded(data)
    try:
        is_same = data.isascii() and _encode_sorted(value).encode() == data
    except (ValueError, RecursionError) as wrong:
        raise _refusal("$", "not_json", f"not JSON: {wrong}") from None
    if not is_same and canonical(value) != data:
        raise _refusal("$", "not_canonical", "not written in the canonical form")
    return value


def decoded(data: bytes) -> Any:
    """The value that these bytes say; whether they are its canonical form is not looked at, which takes twice as long.

    Raises
    ------
    InvalidValueError
        If the bytes are not JSON, or hold a number that no canonical form has.
    """
    try:
        return _decode(data.decode())
    except (ValueError, RecursionError) as wrong:
        raise _refusal("$", "not_json", f"not JSON: {wrong}") from None


def shaped(value: object, shape: Mapping[str, type]) -> dict[str, Any]:
    """The value as an object with exactly these keys and types.

    Raises
    ------
    InvalidValueError
        Naming every key that is missing, unknown or of another type.
    """
    if not isinstance(value, dict):
        raise _refusal("$", "not_an_object", "not a JSON object")
    if {key: type(item) for key, item in value.items()} == shape:
        return value
    faults = [Fault(key, "missing_key", "is missing") for key in shape if key not in value]
    faults += [Fault(key, "unknown_key", "is not known here") for key in value if key not in shape]
    faults += [
        Fault(key, "bad_type", f"is not of type {kind.__name__}")
        for key, kind in shape.items()
        if key in value and type(value[key]) is not kind
    ]
    raise InvalidValueError(*faults)


def hex_faults(where: str, text: str, size_bytes: int) -> tuple[Fault, ...]:
    """What is wrong with bytes written as lower-case hexadecimal digits."""
    if len(text) == 2 * size_bytes and _HEX.fullmatch(text):
        return ()
    return (Fault(where, "bad_hex", f"is not {2 * size_bytes} lower-case hexadecimal digits"),)


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST_INTEGER:
        raise ValueError(f"an integer beyond {LARGEST_INTEGER}")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not an integer")


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_encode_sorted = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode
_decode = json.JSONDecoder(parse_float=_no_number, parse_int=_integer, parse_constant=_no_number).decode


def _ordered(value: object, path: str) -> object:
    if value is None or isinstance(value, bool) or type(value) is str:
        return value
    if type(value) is int:
        if abs(value) > LARGEST_INTEGER:
            raise _refusal(path, "large_integer", f"an integer beyond {LARGEST_INTEGER}; write it as text")
        return value
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{path}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        strangers = [key for key in value if type(key) is not str]
        if strangers:
            raise _refusal(path, "bad_key", f"the key {strangers[0]!r} is not text")
        return {key: _ordered(value[key], f"{path}.{key}") for key in sorted(value, key=_utf16)}
    raise _refusal(path, "no_canonical_form", f"{type(value).__name__} has no canonical form; write it as text")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _refusal(where: str, code: str, message: str) -> InvalidValueError:
    return InvalidValueError(Fault(where, code, message))
