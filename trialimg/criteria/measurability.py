"""How many targets a criterion allows and how large they must be, held against those that were chosen."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trialimg.core.lesions import LesionKind, Observation, Seen
from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.criteria.recist11 import BaselineTarget
from trialimg.criteria.recist11.baseline import natures

__all__ = ["Measurable", "conformance_by"]

_Found = tuple[str, str, str]


@dataclass(frozen=True)
class Measurable:
    """The limits of one criterion."""

    rule: str
    """Identifier in the criterion's documentation page."""
    max_targets: int | None = None
    max_per_organ: int | None = None
    min_long_mm: Decimal | None = None
    min_short_mm: Decimal | None = None
    min_node_mm: Decimal | None = None
    """Longest diameter of a node, where it differs from that of other lesions."""
    strict: bool = False
    """Larger than the smallest size, not of exactly that size."""
    slice_factor: Decimal | None = None
    """Smallest size in slice thicknesses, where those exceed ``slice_max_mm``."""
    slice_max_mm: Decimal = Decimal(5)
    baseline_window_days: int | None = None
    """Longest time from baseline imaging to the start of treatment."""


def conformance_by(limits_of: Callable[[Any], Measurable]) -> Callable[..., tuple[Finding, ...]]:
    """The conformance check of a criterion whose rules are turned into limits by a function."""

    def conformance(
        subject: str,
        targets: Iterable[BaselineTarget],
        baseline: Timepoint,
        *,
        start_date: dt.date | None,
        rules: Any,
        non_targets: Iterable[Observation] = (),
    ) -> tuple[Finding, ...]:
        """Everything about the choice of targets that the limits do not allow; empty if nothing."""
        limits, chosen = limits_of(rules), tuple(targets)
        found = [
            *_window(baseline, start_date, limits),
            *_counts(chosen, limits),
            *(f for target in chosen for f in _sizes(target, limits)),
            *natures(chosen, non_targets, limits.min_long_mm),
        ]
        return tuple(
            Finding(code, Severity.WARNING, f"{subject} {baseline.id} {where}".strip(), message, subject, baseline.id)
            for code, where, message in found
        )

    return conformance


def _window(baseline: Timepoint, start_date: dt.date | None, limits: Measurable) -> Iterator[_Found]:
    if start_date is None or limits.baseline_window_days is None:
        return
    days = (start_date - baseline.progression_date).days
    if days > limits.baseline_window_days:
        limit = limits.baseline_window_days
        yield "baseline_too_early", "", f"baseline imaging {days} days before start, more than {limit} ({limits.rule})"


def _counts(targets: Sequence[BaselineTarget], limits: Measurable) -> Iterator[_Found]:
    total, most = len(targets), limits.max_targets
    if most is not None and total > most:
        yield "too_many_targets", "", f"{total} targets, more than {most} ({limits.rule})"
    by_organ: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        by_organ[target.observation.lesion.organ].append(target.observation.lesion.id)
    for organ, lesions in sorted(by_organ.items()):
        if limits.max_per_organ is not None and len(lesions) > limits.max_per_organ:
            text = f"{len(lesions)} targets in {organ or 'an unnamed organ'}, more than {limits.max_per_organ}"
            yield "too_many_targets_in_organ", organ, f"{text} ({limits.rule}): {', '.join(lesions)}"


def _sizes(target: BaselineTarget, limits: Measurable) -> Iterator[_Found]:
    observation = target.observation
    name = observation.lesion.id
    if observation.seen is not Seen.MEASURED:
        yield "target_not_measured", name, f"target is {observation.seen.value} at baseline ({limits.rule})"
        return
    thick = _thick(target, limits)
    node = observation.lesion.kind is LesionKind.NODAL and limits.min_node_mm is not None
    long_mm = limits.min_node_mm if node else limits.min_long_mm
    for what, length_mm, smallest_mm in (
        ("longest diameter", observation.diameter_mm, long_mm),
        ("perpendicular diameter", observation.quantities.short_axis_mm, limits.min_short_mm),
    ):
        if length_mm is None or smallest_mm is None:
            continue
        limit_mm = max(smallest_mm, thick)
        if length_mm < limit_mm or (limits.strict and length_mm == limit_mm):
            sign = "<=" if limits.strict else "<"
            yield "target_too_small", name, f"{what} {length_mm} mm {sign} {limit_mm} mm ({limits.rule})"


def _thick(target: BaselineTarget, limits: Measurable) -> Decimal:
    """The smallest size that the slices allow; 0 mm where they set none."""
    thickness_mm = target.slice_thickness_mm
    if limits.slice_factor is None or thickness_mm is None or thickness_mm <= limits.slice_max_mm:
        return Decimal(0)
    return limits.slice_factor * thickness_mm
