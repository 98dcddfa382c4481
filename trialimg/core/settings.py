"""Named settings: frozen dataclasses whose fields a protocol or a command line may override by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from trialimg.core.errors import Fault, ReadingError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["overridden", "shown"]

Settings = TypeVar("Settings", bound="DataclassInstance")

_UNIT_SUFFIXES = ("", "_mm", "_days")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def shown(settings: DataclassInstance) -> dict[str, str]:
    """Every setting by name, as text, defaults included."""
    return {field.name: _text(getattr(settings, field.name)) for field in fields(settings)}


def overridden(settings: Settings, values: Mapping[str, object]) -> Settings:
    """The same settings with some replaced; a value may be text or of its own type.

    Parameters
    ----------
    values
        Field name to new value. The unit at the end of a name (``_mm``, ``_days``) may be left out.

    Raises
    ------
    ReadingError
        Naming every unknown setting and every value that does not fit, at once.
    """
    hints = _hints(type(settings))
    faults: list[Fault] = []
    replaced: dict[str, Any] = {}
    for key, value in values.items():
        name = next((key + suffix for suffix in _UNIT_SUFFIXES if key + suffix in hints), None)
        if name is None:
            known = ", ".join(sorted(hints))
            faults.append(Fault(key, "unknown_setting", f"there is no setting {key!r}; known: {known}"))
            continue
        try:
            replaced[name] = _coerced(hints[name], value)
        except ValueError as wrong:
            faults.append(Fault(key, "bad_setting", f"{value!r} does not fit: {wrong}"))
    if faults:
        raise ReadingError(f"{len(faults)} setting(s) cannot be used", tuple(faults))
    try:
        return replace(settings, **replaced)
    except ValueError as wrong:
        raise ReadingError(f"these settings cannot stand together: {wrong}") from wrong


@cache
def _hints(kind: type[DataclassInstance]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _coerced(hint: Any, value: object) -> object:
    options = get_args(hint)
    if type(None) in options:
        if value is None or value in ("", "none"):
            return None
        hint = next(option for option in options if option is not type(None))
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    text = str(value).strip()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, text)
    return _scalar(hint, text)


def _member(kind: type[Enum], text: str) -> Enum:
    for member in kind:
        if text.lower() == str(member.value).lower():
            return member
    raise ValueError("one of " + ", ".join(str(member.value) for member in kind))


def _scalar(hint: Any, text: str) -> object:
    if hint is bool:
        if text.lower() not in _WORDS:
            raise ValueError("true or false")
        return _WORDS[text.lower()]
    if hint is Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError("a number") from None
        if not number.is_finite():
            raise ValueError("a finite number")
        return number
    if hint is dt.date:
        return dt.date.fromisoformat(text)
    if hint is int or hint is str:
        return hint(text)
    raise ValueError(f"a {hint} cannot be given as text")


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return " ".join(_text(item) for item in value)
    return str(value)
