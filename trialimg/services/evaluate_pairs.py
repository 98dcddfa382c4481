"""How near lesions' centres are foretold in later scans, on pairs of real lesions of which only centres are known."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from trialimg.core.errors import IntakeError
from trialimg.services.evaluate_tracking import Share

__all__ = ["LesionPair", "PairErrors", "pair_errors", "read_pairs"]

FloatArray = npt.NDArray[np.float64]

_DRAWS = 2000
_WITHIN_MM = 10.0


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
    by nothing. Where there is no other lesion the guess stands; those pairs are reported with and without. The
    assignment takes the subject's lesions in the target scan as seen (by a reader or a detector) and says which is
    which; its error is 0 where it is right.
    """
    together: dict[tuple[str, str], list[LesionPair]] = defaultdict(list)
    for pair in pairs:
        together[pair.source, pair.target].append(pair)
    corrected = [one.guess_mm + _miss_of_others(one, together[one.source, one.target]) for one in pairs]
    several = [len(together[one.source, one.target]) > 1 for one in pairs]
    affine = [one.guess_mm for one in pairs]
    assigned = _assigned(pairs, list(together.values()))
    methods: list[tuple[str, list[FloatArray], Callable[[int], bool]]] = [
        ("affine guess", affine, lambda _: True),
        ("corrected by other lesions", corrected, lambda _: True),
        ("affine guess, pairs with other lesions", affine, lambda n: several[n]),
        ("corrected, pairs with other lesions", corrected, lambda n: several[n]),
        ("assigned to one of the lesions seen, pairs with other lesions", assigned, lambda n: several[n]),
    ]
    return tuple(_errors(name, pairs, guesses, chosen) for name, guesses, chosen in methods)


def _assigned(pairs: Sequence[LesionPair], groups: Sequence[Sequence[LesionPair]]) -> list[FloatArray]:
    """For each pair the centre, of those that the target scan shows, that the cheapest assignment gives it."""
    place = {id(pair): n for n, pair in enumerate(pairs)}
    answer = [pair.target_mm for pair in pairs]
    for group in groups:
        costs = [[float(np.linalg.norm(one.guess_mm - other.target_mm)) for other in group] for one in group]
        for row, column in zip(*linear_sum_assignment(np.array(costs)), strict=True):
            answer[place[id(group[row])]] = group[column].target_mm
    return answer


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
