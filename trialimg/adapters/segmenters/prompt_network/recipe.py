"""A recipe for weights: on what the network learns, for how long, and which subjects it must not see."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from trialimg.adapters.segmenters.prompt_network.simulated_reader import Drawing
from trialimg.core.errors import Fault, ProtocolError

__all__ = ["USUAL_PROMPTS", "Recipe", "Schedule", "read_recipe"]

_LONGEST_BYTES = 1 << 20


USUAL_PROMPTS: Mapping[str, float] = {"line": 0.34, "both_axes": 0.22, "click": 0.28, "box": 0.16}
"""How often a lesion is pointed out in which way, where a recipe does not say."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    iterations: int
    batch: int = 4
    rate: float = 1e-3
    last_rate: float = 0.0
    """Share of the rate that is left at the end of the cosine."""
    warm_up: int = 100
    average: float = 0.998
    """Memory of the averaged weights, which are the ones that count."""
    weight_decay: float = 1e-4
    keep_every: int = 250
    """Iterations between checkpoints."""
    prompts: Mapping[str, float] = field(default_factory=lambda: dict(USUAL_PROMPTS))
    """Share of each `Drawing` by its value."""

    def rate_at(self, iteration: int) -> float:
        """A straight rise, then half a cosine."""
        share = min(1.0, (iteration + 1) / max(self.warm_up, 1))
        cosine = (1 + math.cos(math.pi * min(iteration / self.iterations, 1.0))) / 2
        return self.rate * share * (self.last_rate + (1 - self.last_rate) * cosine)


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights follow from beside the software."""

    seed: int
    widths: tuple[int, ...]
    backgrounds: tuple[str, ...]
    """CT images that synthetic lesions are put into: paths below one of the data folders."""
    pretraining: Schedule | None
    """On synthetic lesions alone."""
    finetuning: Schedule | None
    """On real and synthetic lesions mixed."""
    lesions: str = ""
    """Data set of real lesions, in a layout that `trialimg evaluate segment` knows; empty for none."""
    folds: tuple[tuple[str, ...], ...] = ()
    """Subjects that one fold leaves out, fold by fold."""
    real_share: float = 0.5
    """Of the examples in fine-tuning."""


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file.

    Raises
    ------
    ProtocolError
        With every word that is missing, unknown, or does not fit.
    """
    try:
        if path.stat().st_size > _LONGEST_BYTES:
            raise ProtocolError(f"{path}: longer than {_LONGEST_BYTES} bytes")
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as fault:
        raise ProtocolError(f"{path}: cannot be read as YAML ({' '.join(str(fault).split())[:200]})") from fault
    if not isinstance(said, Mapping):
        raise ProtocolError(f"{path}: not a table of names and values")
    if faults := tuple(_faults(said)):
        raise ProtocolError(f"{path}: {len(faults)} fault(s) in the recipe", faults)
    chosen: dict[str, Any] = dict(said)
    for name in ("pretraining", "finetuning"):
        chosen[name] = Schedule(**said[name]) if said.get(name) else None
    for name in ("widths", "backgrounds"):
        chosen[name] = tuple(said[name])
    chosen["folds"] = tuple(tuple(map(str, fold)) for fold in said.get("folds", ()))
    return Recipe(**chosen)


def _faults(said: Mapping[str, Any]) -> Iterator[Fault]:
    for name in said:
        if name not in _RULES:
            yield Fault(str(name), "unknown_key", f"is no word of a recipe; there are {', '.join(_RULES)}")
    for name, (fits, words) in _RULES.items():
        if name in said and not fits(said[name]):
            yield Fault(name, "bad_value", f"must be {words}, not {said[name]!r}")
    for name in ("seed", "widths", "backgrounds"):
        if name not in said:
            yield Fault(name, "missing_key", "is missing")
    if not said.get("pretraining") and not said.get("finetuning"):
        yield Fault("pretraining", "missing_key", "a recipe needs pretraining, finetuning or both")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _is_widths(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(type(w) is int and 0 < w <= 1024 and w % 8 == 0 for w in value)
    )


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_schedule(value: object) -> bool:
    """Whole counts above 0, and finite numbers of 0 or more, under their names."""
    if value is None:
        return True
    if not isinstance(value, Mapping) or set(value) - {known.name for known in fields(Schedule)}:
        return False
    counts = ("iterations", "batch", "keep_every")
    return (
        all(_is_amount(v) for name, v in value.items() if name != "prompts")
        and ("prompts" not in value or _is_mixture(value["prompts"]))
        and "iterations" in value
        and all(type(value[n]) is int and value[n] > 0 for n in counts if n in value)
    )


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_mixture(value: object) -> bool:
    """Shares of ways to point, 1 in all."""
    return (
        isinstance(value, Mapping)
        and set(value) <= {drawing.value for drawing in Drawing}
        and all(map(_is_amount, value.values()))
        and math.isclose(sum(value.values()), 1.0, abs_tol=1e-6)
    )


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "seed": (lambda v: type(v) is int and v >= 0, "a whole number of 0 or more"),
    "widths": (_is_widths, "two or more whole numbers, each a multiple of 8"),
    "backgrounds": (lambda v: _is_texts(v) and len(v) > 0, "a list of one path or more"),
    "lesions": (lambda v: isinstance(v, str), "a path"),
    "folds": (lambda v: isinstance(v, list) and all(map(_is_texts, v)), "lists of subjects"),
    "pretraining": (_is_schedule, "a schedule with iterations, and shares of prompts that add up to 1"),
    "finetuning": (_is_schedule, "a schedule with iterations, and shares of prompts that add up to 1"),
    "real_share": (_is_share, "a number from 0 to 1"),
}
