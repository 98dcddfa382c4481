"""Links and events held against simulated follow-ups whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.links import LinkKind
from trialimg.imaging.phantom import acquire, draw
from trialimg.imaging.synthetic_followup import Event, FollowUp, FollowUpSettings, simulated_follow_up
from trialimg.services.ports import Progress, Segmenter
from trialimg.services.sample_plan import plan_subject
from trialimg.services.track import Study, Tracked, TrackRules, track
from trialimg.volume import Unit, Volume

__all__ = ["CaseCounts", "Share", "TrackingScore", "evaluate_tracking", "phantom_backgrounds"]

FloatArray = npt.NDArray[np.float64]

_DRAWS = 2000


@dataclass(frozen=True)
class Share:
    """A figure between 0 and 1 with the 95 % interval of drawing whole cases anew; None where there is nothing."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class CaseCounts:
    """How one simulated follow-up was linked: right, too much, missed."""

    background: str
    seed: int
    links: tuple[int, int, int]
    events: tuple[int, int, int]
    by_kind: Mapping[str, tuple[int, int, int]]
    median_displacement_mm: float
    """Of the lesions that were linked, from where the alignment expected them."""
    missed: tuple[str, ...]
    """In words: what was not found, and what was said instead."""


@dataclass(frozen=True)
class TrackingScore:
    """All cases together."""

    cases: tuple[CaseCounts, ...]
    link_f1: Share
    event_f1: Share
    event_f1_by_kind: Mapping[str, Share]
    lesions: int
    settings: FollowUpSettings


def phantom_backgrounds(count: int, *, seed: int) -> dict[str, Volume]:
    """Made-up bodies without lesions, where no real scans are at hand."""
    answer = {}
    for index in range(count):
        subject = plan_subject(index, timepoints=1, seed=seed)
        visit = subject.visits[0]
        seen = acquire(draw(subject.person, visit.pose, (), visit.grid), visit.technique, visit.grid,
                       subject.noise_generator(visit.number))  # fmt: skip
        answer[f"phantom {index + 1}"] = Volume(seen.astype(np.float32), visit.grid, "CT", Unit.HU)
    return answer


def evaluate_tracking(
    backgrounds: Mapping[str, Volume],
    segmenter: Segmenter,
    rules: TrackRules,
    *,
    settings: FollowUpSettings,
    seeds: Sequence[int],
    progress: Progress | None = None,
) -> TrackingScore:
    """Link and event F1 over simulated follow-ups, one for each background and seed.

    Parameters
    ----------
    backgrounds
        CT by name.

    Raises
    ------
    GeometryError
        If a body has no room for the lesions.
    """
    todo = [(name, seed) for name in backgrounds for seed in seeds]
    cases, lesions = [], 0
    for number, (name, seed) in enumerate(todo, start=1):
        truth = simulated_follow_up(backgrounds[name], settings, seed=seed)
        studies = [
            Study("baseline", truth.baseline, truth.baseline_mask),
            Study("follow", truth.follow, truth.follow_mask),
        ]
        cases.append(_counted(name, seed, truth, track(studies, segmenter, rules)))
        lesions += len(truth.baseline_mask.labels)
        if progress:
            progress("follow-ups", number, len(todo))
    kinds = sorted({kind for case in cases for kind in case.by_kind})
    return TrackingScore(
        tuple(cases),
        _f1([case.links for case in cases]),
        _f1([case.events for case in cases]),
        {kind: _f1([case.by_kind.get(kind, (0, 0, 0)) for case in cases]) for kind in kinds},
        lesions,
        settings,
    )


def _counted(name: str, seed: int, truth: FollowUp, found: Tracked) -> CaseCounts:
    labels = _regions_of_lesions(truth, found)
    links: set[tuple[int, int]] = set()
    events: set[Event] = set()
    for link in found.links["follow"]:
        before = frozenset(labels["baseline"][one] for one in link.earlier)
        after = frozenset(labels["follow"][one] for one in link.later)
        links |= {(i, j) for i in before for j in after}
        if link.kind is not LinkKind.PERSIST:
            events.add((link.kind, before, after))
    kinds = (LinkKind.BIRTH, LinkKind.DEATH, LinkKind.SPLIT, LinkKind.MERGE)
    by_kind = {kind.value: _compared(_only(truth.events, kind), _only(events, kind)) for kind in kinds}
    moved = [
        lesion.sightings["follow"].displacement_mm
        for lesion in found.lesions
        if "follow" in lesion.sightings and lesion.sightings["follow"].displacement_mm is not None
    ]
    missed = [f"missed {_words(one)}" for one in sorted(truth.events - events, key=_words)]
    missed += [f"wrong {_words(one)}" for one in sorted(events - truth.events, key=_words)]
    return CaseCounts(
        name, seed, _compared(truth.links, links), _compared(truth.events, events), by_kind,
        float(np.median(moved)) if moved else 0.0, tuple(missed),
    )  # fmt: skip


def _regions_of_lesions(truth: FollowUp, found: Tracked) -> dict[str, dict[str, int]]:
    """The label that each lesion's region has in the true mask of each study."""
    masks = {"baseline": truth.baseline_mask, "follow": truth.follow_mask}
    answer: dict[str, dict[str, int]] = {study: {} for study in masks}
    for lesion in found.lesions:
        for study, seen in lesion.sightings.items():
            k, j, i = (int(axis[0]) for axis in np.nonzero(seen.mask.array))
            at = masks[study].geometry.to_index(seen.mask.geometry.to_lps((i, j, k)))
            i, j, k = np.rint(at).astype(int).tolist()
            answer[study][lesion.id] = int(masks[study].array[k, j, i])
    return answer


def _only(events: frozenset[Event] | set[Event], kind: LinkKind) -> set[Event]:
    return {event for event in events if event[0] is kind}


def _words(event: Event) -> str:
    kind, before, after = event
    return f"{kind.value} {sorted(before)} -> {sorted(after)}"


def _compared(truth: Any, found: Any) -> tuple[int, int, int]:
    """Right, too much, missed."""
    return len(truth & found), len(found - truth), len(truth - found)


def _f1(counts: Sequence[tuple[int, int, int]]) -> Share:
    """F1 of all counts together, with the percentile interval of drawing cases anew."""
    table = np.array(counts, dtype=float).reshape(-1, 3)
    value = _f1_of(table.sum(axis=0)[None])[0]
    if np.isnan(value):
        return Share(None, None, None)
    if len(table) < 2:
        return Share(float(value), None, None)
    drawn = np.random.default_rng(0).integers(len(table), size=(_DRAWS, len(table)))
    spread = _f1_of(table[drawn].sum(axis=1))
    low, high = np.nanquantile(spread, (0.025, 0.975)).tolist()
    return Share(float(value), low, high)


def _f1_of(sums: FloatArray) -> FloatArray:
    right, much, missed = sums.T
    with np.errstate(invalid="ignore"):
        score: FloatArray = 2 * right / (2 * right + much + missed)
    return score
