"""One arm against the other in everyone and in each subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2 as chi_square

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_table import Selection
from trialimg.stats.cox import Histories, cox
from trialimg.stats.design import Design, design_of, in_order
from trialimg.stats.differences import rate_difference
from trialimg.stats.two_by_two import TwoByTwo

__all__ = ["Compared", "hazard_subgroups", "rate_subgroups"]

Document = dict[str, Any]
HAZARD_METHOD = "Cox model in each subgroup, Efron ties, Wald limits"


@dataclass(frozen=True)
class Compared:
    """Which columns hold the event, the arms (the first is the reference) and the subgroups."""

    event: str
    by: str
    arms: tuple[str, str]
    """Reference, and the arm whose effect is estimated."""
    subgroups: tuple[str, ...] = ()
    time: str = ""


def hazard_subgroups(data: Selection, columns: Compared, *, confidence: float) -> Document:
    """The hazard ratio of the second arm against the first, with a test of interaction for each factor.

    Notes
    -----
    The interaction is tested by twice the difference of the log-likelihoods of the models with and without products
    of arm and subgroup.
    """

    def ratio(part: Selection) -> Document:
        histories = Histories(part.columns[columns.time], part.columns[columns.event])
        fit = cox(histories, _arm_design(part, columns), confidence=confidence)
        term = fit.terms[0]
        return {"estimate": term.ratio, "lower": term.lower, "upper": term.upper, "p": term.p}

    document = _subgroups(data, columns, ratio)
    for factor in document["factors"]:
        factor["interaction"] = _interaction(data, columns, factor["factor"], confidence)
    return {**document, "measure": "hazard ratio", "method": HAZARD_METHOD, "confidence": confidence}


def rate_subgroups(data: Selection, columns: Compared, *, method: str, confidence: float) -> Document:
    """The rate in the second arm minus the rate in the first."""
    words: list[str] = []

    def difference(part: Selection) -> Document:
        found = rate_difference(_counts(part, columns), method=method, confidence=confidence)
        words.append(found.method)
        return {"estimate": found.value, "lower": found.lower, "upper": found.upper}

    document = _subgroups(data, columns, difference)
    named = words[0] if words else method
    return {**document, "measure": "rate difference", "method": named, "confidence": confidence}


def _subgroups(data: Selection, columns: Compared, effect: Any) -> Document:
    def row(name: str, part: Selection) -> Document:
        events, arms = part.columns[columns.event], part.columns[columns.by]
        counts = [
            (sum(a == arm for a in arms), sum(e for e, a in zip(events, arms, strict=True) if a == arm))
            for arm in columns.arms
        ]
        found = {"subgroup": name, "n": part.n, "events": sum(events)}
        found["arms"] = [{"arm": arm, "n": n, "events": k} for arm, (n, k) in zip(columns.arms, counts, strict=True)]
        try:
            return {**found, **effect(part)}
        except ReadingError as refused:
            return {**found, "estimate": None, "lower": None, "upper": None, "why_not": str(refused)}

    strays = sorted({str(arm) for arm in data.columns[columns.by]} - set(columns.arms))
    if strays:
        raise ReadingError(
            f"{data.source}: two arms are compared, but column {columns.by} has also {', '.join(strays)}"
        )
    factors = [
        {"factor": name, "levels": [row(str(level), _part(data, name, level)) for level in _levels(data, name)]}
        for name in columns.subgroups
    ]
    return {
        "n": data.n,
        "overall": row("All subjects", data),
        "factors": factors,
        "warnings": list(data.warnings),
        "data_digest": data.digest,
    }


def _levels(data: Selection, name: str) -> list[Any]:
    return sorted(set(data.columns[name]), key=in_order)


def _part(data: Selection, name: str, level: object) -> Selection:
    return data.where([cell == level for cell in data.columns[name]])


def _arm_design(part: Selection, columns: Compared) -> Design:
    return design_of({columns.by: part.columns[columns.by]}, references={columns.by: columns.arms[0]})


def _counts(part: Selection, columns: Compared) -> TwoByTwo:
    pairs = list(zip(part.columns[columns.by], part.columns[columns.event], strict=True))
    second, first = ([event for arm, event in pairs if arm == name] for name in reversed(columns.arms))
    return TwoByTwo(sum(second), len(second), sum(first), len(first))


def _interaction(data: Selection, columns: Compared, factor: str, confidence: float) -> Document:
    histories = Histories(data.columns[columns.time], data.columns[columns.event])
    is_second = np.array([arm == columns.arms[1] for arm in data.columns[columns.by]], float)
    levels = _levels(data, factor)[1:]
    members = {str(level): np.array([cell == level for cell in data.columns[factor]], float) for level in levels}
    alone: dict[str, Sequence[float | str]] = {"arm": is_second.tolist()}
    alone |= {name: column.tolist() for name, column in members.items()}
    together = alone | {f"arm x {name}": (is_second * column).tolist() for name, column in members.items()}
    if not members:
        return {"p": None, "why_not": "one level only"}
    try:
        without, with_products = (cox(histories, design_of(c), confidence=confidence) for c in (alone, together))
    except ReadingError as refused:
        return {"p": None, "why_not": str(refused)}
    statistic = max(0.0, 2 * (with_products.loglik - without.loglik))
    return {"chi2": statistic, "df": len(members), "p": float(chi_square.sf(statistic, len(members)))}
