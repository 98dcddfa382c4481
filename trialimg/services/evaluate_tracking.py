"""Links and events held against follow-ups whose truth is known; centres held against the pairs of a reference set."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import IntakeError
from trialimg.core.links import LinkKind
from trialimg.imaging.synthetic_followup import Event, FollowUp, FollowUpSettings, simulated_follow_up
from trialimg.services.ports import Progress, Segmenter
from trialimg.services.track import Study, Tracked, TrackRules, track
from trialimg.volume import Volume

__all__ = ["CaseCounts", "PairErrors", "Share", "TrackingScore", "evaluate_tracking", "pair_errors", "read_pairs"]

FloatArray = npt.NDArray[np.float64]

_DRAWS = 2000
_WITHIN_MM = 10.0


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


def evaluate_tracking(
    backgrounds: Mapping[str, Volume],
    segmenter: Segmenter,
    rules: TrackRules,
    settings: FollowUpSettings,
    seeds: Sequence[int],
    *,
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
    links, events = set(), set()
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


@dataclass(frozen=True)
class PairErrors:
    """How near lesions' centres are foretold in later scans, from centres alone."""

    method: str
    n: int
    mean_mm: float
    median_mm: float
    within_10_mm: Share
    """Share of pairs, interval over subjects."""


@dataclass(frozen=True, eq=False)
class LesionPair:
    """One lesion in two scans: its centres, and where an affine alignment of the scans puts it; mm in the target."""

    subject: str
    source: str
    target: str
    source_mm: FloatArray
    target_mm: FloatArray
    guess_mm: FloatArray


def read_pairs(text: str, where: str) -> tuple[LesionPair, ...]:
    """The pairs of a file in the form of the Deep Lesion Tracker's.

    Raises
    ------
    IntakeError
        If it is none.

    References
    ----------
    Cai J et al., Deep lesion tracker: monitoring lesions in 4D longitudinal imaging studies, CVPR 2021.
    """
    try:
        return tuple(_pair(one) for one in json.loads(text).values())
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise IntakeError(f"{where}: not a file of lesion pairs ({fault})") from fault


def _pair(facts: Mapping[str, Any]) -> LesionPair:
    def at(name: str, scan: str) -> FloatArray:
        point: FloatArray = np.multiply(facts[name], facts[f"{scan} spacing"], dtype=np.float64)
        if point.shape != (3,):
            raise ValueError(f"{name} is not a point")
        return point

    return LesionPair(
        str(facts["source"]).partition("_")[0], str(facts["source"]), str(facts["target"]),
        at("source center", "source"), at("target center", "target"), at("predict target center", "target"),
    )  # fmt: skip


def pair_errors(pairs: Sequence[LesionPair]) -> tuple[PairErrors, ...]:
    """The affine guess, and the guess corrected by what it missed the subject's other lesions in the same scans by.

    Notes
    -----
    The correction of a lesion never uses its own centre in the target: of the other lesions linked in the same two
    scans, the mean miss, each weighted by ``1 / (1 + (distance / 50 mm)^2)``, shrunk as if one more lesion had missed
    by nothing. Where there is no other lesion the guess stands; those pairs are reported with and without.
    """
    together: dict[tuple[str, str], list[LesionPair]] = defaultdict(list)
    for pair in pairs:
        together[pair.source, pair.target].append(pair)
    corrected = [one.guess_mm + _miss_of_others(one, together[one.source, one.target]) for one in pairs]
    several = [len(together[one.source, one.target]) > 1 for one in pairs]
    affine = [one.guess_mm for one in pairs]
    methods: list[tuple[str, list[FloatArray], Callable[[int], bool]]] = [
        ("affine guess", affine, lambda _: True),
        ("corrected by other lesions", corrected, lambda _: True),
        ("affine guess, pairs with other lesions", affine, lambda n: several[n]),
        ("corrected, pairs with other lesions", corrected, lambda n: several[n]),
    ]
    return tuple(_errors(name, pairs, guesses, chosen) for name, guesses, chosen in methods)


def _miss_of_others(pair: LesionPair, group: Sequence[LesionPair]) -> FloatArray:
    others = [one for one in group if one is not pair]
    weights = [1 / (1 + (np.linalg.norm(one.source_mm - pair.source_mm) / 50.0) ** 2) for one in others]
    total = np.zeros(3)
    for one, weight in zip(others, weights, strict=True):
        total = total + weight * (one.target_mm - one.guess_mm)
    miss: FloatArray = total / (1.0 + sum(weights))
    return miss


def _errors(
    method: str, pairs: Sequence[LesionPair], guesses: Sequence[FloatArray], chosen: Callable[[int], bool]
) -> PairErrors:
    kept = [n for n in range(len(pairs)) if chosen(n)]
    errors = np.array([np.linalg.norm(guesses[n] - pairs[n].target_mm) for n in kept])
    near: dict[str, list[bool]] = defaultdict(list)
    for n, error in zip(kept, errors, strict=True):
        near[pairs[n].subject].append(bool(error <= _WITHIN_MM))
    counts = np.array([[sum(one), len(one)] for one in near.values()], dtype=float)
    if not kept:
        return PairErrors(method, 0, 0.0, 0.0, Share(None, None, None))
    drawn = np.random.default_rng(0).integers(len(counts), size=(_DRAWS, len(counts)))
    right, all_of_them = counts[drawn].sum(axis=1).T
    low, high = np.quantile(right / all_of_them, (0.025, 0.975)).tolist()
    share = Share(float(np.mean(errors <= _WITHIN_MM)), low, high)
    return PairErrors(method, len(kept), float(errors.mean()), float(np.median(errors)), share)
