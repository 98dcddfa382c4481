"""What a segmenter's settings may be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from trialimg.core.errors import Fault, InvalidValueError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["require_positive_numbers"]


def require_positive_numbers(settings: DataclassInstance) -> None:
    """Refuse settings that are not finite numbers greater than 0.

    Raises
    ------
    InvalidValueError
        Naming every one of them.
    """
    if faults := tuple(_faults(settings)):
        raise InvalidValueError(*faults)


def _faults(settings: DataclassInstance) -> Iterator[Fault]:
    for field in fields(settings):
        value = getattr(settings, field.name)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value <= 0:
            yield Fault(field.name, "out_of_range", f"must be a number greater than 0, not {value!r}")
