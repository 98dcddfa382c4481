"""Everything that the answer of a whole-volume model rests on beside its network."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["PROMPT_CHANNELS", "BundleSettings"]

_NOT_SAID = "the model's description does not say it in plain values"
_NEEDED = {
    "range": ("intensity_range",),
    "standard": ("intensity_range", "intensity_mean", "intensity_sd"),
    "image": (),
}
"""What each normalisation rests on."""
PROMPT_CHANNELS = ("click", "line", "box")


@dataclass(frozen=True)
class BundleSettings:
    """How an image is prepared for a network, and which part of its answer is the lesion; axes are (x, y, z)."""

    spacing_mm: tuple[float, float, float]
    """Voxel edge that the network was trained on."""
    roi_size: tuple[int, int, int]
    """Size of the window that the network looks through at once, in voxels."""
    lesion_labels: tuple[int, ...]
    """Output channels that are lesion."""
    orientation: str
    """Where the axes point to, one letter each, e.g. RAS: right, anterior, superior."""
    intensity_range: tuple[float, float] | None = None
    """Values, in the unit of the image, beyond which everything is cut; by ``range`` they become 0 and 1."""
    normalisation: str = "range"
    """``range``; ``standard``: less ``intensity_mean``, over ``intensity_sd``, after the cut; ``image``: less the
    mean of the whole image, over its standard deviation, nothing cut."""
    intensity_mean: float | None = None
    intensity_sd: float | None = None
    prompt_channels: tuple[str, ...] = ()
    """Channels behind the image's that show the network what the reader drew: click, line, box."""
    overlap: float = 0.5
    """Share of a window that its neighbour covers as well."""
    margin_mm: float = 40.0
    """Surroundings of the prompt that are looked at; doubled for as long as the lesion is cut off by their edge."""
    point_reach_mm: float = 10.0
    """How far from a click a lesion may lie."""
    follow_reach_mm: float = 5.0
    """How far from its earlier place a lesion is still taken for the same."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> BundleSettings:
        """The settings with these names and values, lists as JSON has them.

        Raises
        ------
        InvalidValueError
            With every setting that is missing, unknown, or does not fit.
        """
        if faults := tuple(_faults(values)):
            raise InvalidValueError(*faults)
        chosen: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**chosen)


def _faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    for field in fields(BundleSettings):
        if field.name not in values and field.default is MISSING:
            yield Fault(field.name, "missing_key", _NOT_SAID)
    for name in _NEEDED.get(str(values.get("normalisation", "range")), ()):
        if values.get(name) is None:
            yield Fault(name, "missing_key", _NOT_SAID)
    for name, value in values.items():
        if name not in _RULES:
            yield Fault(name, "unknown_parameter", f"is no setting; there are {', '.join(_RULES)}")
            continue
        fits, words = _RULES[name]
        if not fits(value):
            yield Fault(name, "bad_value", f"must be {words}, not {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: object, count: int) -> bool:
    return isinstance(value, list | tuple) and len(value) == count and all(map(_is_number, value))


def _whole(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0 and all(type(item) is int and item > 0 for item in value)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "spacing_mm": (lambda v: _numbers(v, 3) and min(v) > 0, "three numbers greater than 0"),
    "intensity_range": (lambda v: _numbers(v, 2) and v[0] < v[1], "two numbers, the lower one first"),
    "normalisation": (lambda v: v in _NEEDED, f"one of {', '.join(_NEEDED)}"),
    "intensity_mean": (_is_number, "a number"),
    "intensity_sd": (lambda v: _is_number(v) and v > 0, "a number greater than 0"),
    "prompt_channels": (
        lambda v: isinstance(v, list | tuple) and all(item in PROMPT_CHANNELS for item in v),
        f"a list of {', '.join(PROMPT_CHANNELS)}",
    ),
    "roi_size": (lambda v: _whole(v) and len(v) == 3, "three whole numbers greater than 0"),
    "lesion_labels": (_whole, "a list of whole numbers greater than 0"),
    "orientation": (
        lambda v: isinstance(v, str) and re.fullmatch("[LR][AP][SI]", v) is not None,
        "L or R, A or P, S or I, in this order, e.g. RAS",
    ),
    "overlap": (lambda v: _is_number(v) and 0 <= v < 1, "a number from 0 to less than 1"),
    "margin_mm": (lambda v: _is_number(v) and v > 0, "a number greater than 0"),
    "point_reach_mm": (lambda v: _is_number(v) and v > 0, "a number greater than 0"),
    "follow_reach_mm": (lambda v: _is_number(v) and v >= 0, "a number of 0 or more"),
}
