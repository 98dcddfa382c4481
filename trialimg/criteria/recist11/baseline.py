"""Baseline conformance: whether the chosen targets could be chosen, as findings."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Lesion, LesionKind, LesionNature, Observation, Seen
from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.criteria.recist11.rules import IrradiatedTarget, Modality, Rules

__all__ = ["BaselineTarget", "conformance", "counted_organ", "natures"]

_PAIRED = ("lung", "kidney", "ovary")
_PLURALS = {"lungs": "lung", "kidneys": "kidney", "ovaries": "ovary"}
_SIDES = ("left", "right", "bilateral")
_NODES = "lymph nodes"


@dataclass(frozen=True)
class BaselineTarget:
    """A target as it was chosen at baseline, with how it was imaged."""

    observation: Observation
    slice_thickness_mm: Decimal | None = None
    """None where it is not known or does not apply."""
    modality: Modality = Modality.CT_MRI


def conformance(
    subject: str,
    targets: Iterable[BaselineTarget],
    baseline: Timepoint,
    *,
    start_date: dt.date | None,
    rules: Rules,
    non_targets: Iterable[Observation] = (),
) -> tuple[Finding, ...]:
    """Everything about the choice of lesions that RECIST 1.1 does not allow (R1 to R6); empty if nothing.

    Parameters
    ----------
    start_date
        Start of treatment (or randomisation); None leaves the age of the baseline unchecked, and says so.
    """
    chosen, others = tuple(targets), tuple(non_targets)
    found = [
        *_window(baseline, start_date, rules),
        *_counts(chosen, rules),
        *(finding for target in chosen for finding in _measurability(target, rules)),
        *natures(chosen, others, rules.measurable_min_mm),
        *_normal_nodes(others, rules),
    ]
    return tuple(
        Finding(code, Severity.WARNING, f"{subject} {baseline.id} {where}".strip(), message, subject, baseline.id)
        for code, where, message in found
    )


_Found = tuple[str, str, str]


def _window(baseline: Timepoint, start_date: dt.date | None, rules: Rules) -> Iterator[_Found]:
    if start_date is None:
        yield "baseline_window_unknown", "", "no start date, so the age of the baseline cannot be checked (R1)"
        return
    days = (start_date - baseline.progression_date).days
    if days > rules.baseline_window_days:
        limit = rules.baseline_window_days
        yield "baseline_too_early", "", f"baseline imaging {days} days before start, more than {limit} (R1)"
    if baseline.date > start_date:
        yield "baseline_after_start", "", f"baseline imaging {(baseline.date - start_date).days} days after start (R1)"


def _counts(targets: Sequence[BaselineTarget], rules: Rules) -> Iterator[_Found]:
    if len(targets) > rules.max_targets:
        yield "too_many_targets", "", f"{len(targets)} targets, more than {rules.max_targets} (R6)"
    by_organ: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        lesion = target.observation.lesion
        by_organ[counted_organ(lesion, rules)].append(lesion.id)
    limit = rules.max_targets_per_organ
    for organ, lesions in sorted(by_organ.items()):
        if len(lesions) > limit:
            text = f"{len(lesions)} targets in {organ or 'an unnamed organ'}, more than {limit} (R6): "
            yield "too_many_targets_in_organ", organ, text + ", ".join(lesions)


def counted_organ(lesion: Lesion, rules: Rules) -> str:
    """The organ that a lesion counts in where the lesions of an organ are limited (R6)."""
    node = rules.nodes_by_short_axis and lesion.kind is LesionKind.NODAL
    return _NODES if node else _organ(lesion.organ)


def _organ(name: str) -> str:
    """Organ as it counts: both lungs, kidneys or ovaries are one."""
    words = [word for word in name.lower().replace(",", " ").split() if word not in _SIDES]
    plain = " ".join(_PLURALS.get(word, word) for word in words)
    return next((organ for organ in _PAIRED if organ in plain.split()), plain)


def _measurability(target: BaselineTarget, rules: Rules) -> Iterator[_Found]:
    observation = target.observation
    lesion = observation.lesion
    if lesion.prior_local_therapy and rules.irradiated_target is IrradiatedTarget.NOT_MEASURABLE:
        yield "target_treated_before", lesion.id, "treated locally before baseline, so not measurable (R5)"
    if observation.seen is not Seen.MEASURED or observation.diameter_mm is None:
        yield "target_not_measured", lesion.id, f"target is {observation.seen.value} at baseline (R2)"
        return
    if rules.nodes_by_short_axis and lesion.kind is LesionKind.NODAL:
        if observation.diameter_mm < rules.node_target_min_mm:
            text = f"node short axis {observation.diameter_mm} mm < {rules.node_target_min_mm} mm (R3)"
            yield "target_node_too_small", lesion.id, text
        return
    smallest_mm, why = _smallest_measurable(target, rules)
    if observation.diameter_mm < smallest_mm:
        text = f"long axis {observation.diameter_mm} mm < {smallest_mm} mm {why} (R2)"
        yield "target_too_small", lesion.id, text


def natures(
    targets: Sequence[BaselineTarget], non_targets: Iterable[Observation], smallest_mm: Decimal | None = None
) -> Iterator[_Found]:
    """Targets that can never be measured, what is no tumour, and cystic targets beside solid lesions (R4)."""
    others = tuple(non_targets)
    for observation in (*(target.observation for target in targets), *others):
        if observation.lesion.nature is LesionNature.SIMPLE_CYST:
            yield "not_disease", observation.lesion.id, "a simple cyst is no tumour and is not followed (R4)"
    solid = [o.lesion.id for o in others if _could_be_target(o, smallest_mm)]
    for target in targets:
        lesion = target.observation.lesion
        if lesion.nature in (None, LesionNature.SIMPLE_CYST):
            continue
        if not lesion.nature.measurable:
            text = f"{lesion.nature.value} is never measurable, so it can only be a non-target (R4)"
            yield "target_never_measurable", lesion.id, text
        elif lesion.nature is LesionNature.CYSTIC_METASTASIS and solid:
            text = f"cystic, while solid lesions ({', '.join(solid)}) could be targets and are preferred (R4)"
            yield "target_cystic", lesion.id, text


def _could_be_target(observation: Observation, smallest_mm: Decimal | None) -> bool:
    diameter_mm, lesion = observation.diameter_mm, observation.lesion
    solid = lesion.nature is LesionNature.SOLID and lesion.kind is LesionKind.NON_NODAL
    return solid and diameter_mm is not None and smallest_mm is not None and diameter_mm >= smallest_mm


def _normal_nodes(non_targets: Iterable[Observation], rules: Rules) -> Iterator[_Found]:
    for observation in non_targets:
        node = rules.nodes_by_short_axis and observation.lesion.kind is LesionKind.NODAL
        short_axis_mm = observation.diameter_mm
        if node and short_axis_mm is not None and short_axis_mm < rules.node_normal_below_mm:
            text = f"node short axis {short_axis_mm} mm < {rules.node_normal_below_mm} mm is normal, not disease (R3)"
            yield "non_target_node_normal", observation.lesion.id, text


def _smallest_measurable(target: BaselineTarget, rules: Rules) -> tuple[Decimal, str]:
    if target.modality is Modality.CHEST_XRAY:
        return rules.measurable_xray_min_mm, "on chest X-ray"
    if target.modality is Modality.CALIPER:
        return rules.measurable_caliper_min_mm, "by caliper"
    thickness_mm = target.slice_thickness_mm
    if thickness_mm is not None and thickness_mm > rules.slice_max_mm:
        return rules.slice_factor * thickness_mm, f"= {rules.slice_factor} x slice thickness {thickness_mm} mm"
    return rules.measurable_min_mm, "on CT or MRI"
