"""Odds ratios of many features against one outcome, with the share of false finds among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trialimg.stats.logistic import odds_per_sd
from trialimg.stats.multiplicity import adjust_p
from trialimg.stats.results import Estimate

__all__ = ["OddsRatio", "odds_ratios"]

Sample = tuple[Sequence[float], Sequence[bool]]


@dataclass(frozen=True)
class OddsRatio:
    """Of one standard deviation of a feature, by logistic regression."""

    value: float | None
    """None where no finite one fits."""
    lower: float | None
    upper: float | None
    p: float | None
    q: float | None
    """By Benjamini and Hochberg over all features that have an odds ratio."""
    note: str
    """Why there is none or what weakens it; empty otherwise."""


def odds_ratios(samples: Mapping[str, Sample], *, confidence: float) -> dict[str, OddsRatio]:
    """Each feature against the outcome.

    Parameters
    ----------
    samples
        Feature to its values, and whether each of those subjects has the outcome; some have it and some do not.
    """
    found = {name: odds_per_sd(*sample, confidence=confidence) for name, sample in samples.items()}
    known = {name: one.p for name, one in found.items() if one.p is not None}
    adjusted = dict(zip(known, adjust_p(list(known.values()), method="bh"), strict=True))
    return {name: _ratio(one, adjusted.get(name)) for name, one in found.items()}


def _ratio(one: Estimate, q: float | None) -> OddsRatio:
    value, lower, upper = (None if end is None else _exponential(end) for end in (one.value, one.lower, one.upper))
    note = one.warnings[0].partition(":")[0] if one.warnings else ""
    return OddsRatio(value, lower, upper, one.p, q, note)


def _exponential(log: float) -> float | None:
    """None where the number is larger than numbers go."""
    try:
        return math.exp(log)
    except OverflowError:
        return None
