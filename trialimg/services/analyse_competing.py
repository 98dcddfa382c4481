"""Competing risks in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_survival import TimeColumns, strata_of, term_document
from trialimg.services.analyse_table import Selection
from trialimg.stats.competing_risks import CumulativeIncidence, cumulative_incidence, gray_test
from trialimg.stats.design import design_of
from trialimg.stats.fine_gray import fine_gray

__all__ = ["competing_document", "fine_gray_document"]

Document = dict[str, Any]


def competing_document(
    data: Selection, columns: TimeColumns, *, strata: Sequence[str], confidence: float, at: Sequence[float]
) -> Document:
    """The incidence of every cause, in each group, and Gray's test of the groups."""
    days, states = data.columns[columns.time], data.columns[columns.event]
    causes = sorted(set(states) - {0})
    if not causes:
        raise ReadingError(f"{data.source}: nobody has an event; column {columns.event} is 0 throughout")
    parts = {"all": data}
    if columns.by is not None:
        parts = {g: data.where([cell == g for cell in data.columns[columns.by]]) for g in columns.groups}
    layers = strata_of(data, strata)
    answers = []
    for cause in causes:
        curves = [
            cumulative_incidence(
                part.columns[columns.time],
                part.columns[columns.event],
                cause=cause,
                label=name,
                confidence=confidence,
            )
            for name, part in parts.items()
        ]
        answer: Document = {"cause": cause, "groups": [_incidence_document(curve, at) for curve in curves]}
        if columns.by is not None:
            answer["gray"] = _gray_document(days, states, data.columns[columns.by], cause=cause, strata=layers)
        answers.append(answer)
    return {
        "n": data.n,
        "events": sum(1 for state in states if state),
        "method": "Aalen-Johansen; Gray's test",
        "confidence": confidence,
        "causes": answers,
        "warnings": list(data.warnings),
        "data_digest": data.digest,
    }


def _gray_document(
    days: Sequence[float], states: Sequence[int], groups: Sequence[str], *, cause: int, strata: Sequence[str] | None
) -> Document:
    """The test, or why there is none: the curves stand without it."""
    try:
        test = gray_test(days, states, groups, cause=cause, strata=strata)
    except ReadingError as refused:
        return {"chi2": None, "df": None, "p": None, "warnings": [f"not_compared: {refused}"]}
    return {"chi2": test.chi2, "df": test.df, "p": test.p, "warnings": list(test.warnings)}


def _incidence_document(curve: CumulativeIncidence, at: Sequence[float]) -> Document:
    rows = [place for place, count in enumerate(curve.n_event) if count]
    document: Document = {
        "group": curve.label,
        "n": curve.n,
        "events": curve.events,
        "method": curve.method,
        "curve": {
            "time": [curve.time_days[row] for row in rows],
            "n_risk": [curve.n_risk[row] for row in rows],
            "n_event": [curve.n_event[row] for row in rows],
            "incidence": [curve.incidence[row] for row in rows],
            "variance": [curve.variance[row] for row in rows],
            "se": [curve.se[row] for row in rows],
            "lower": [curve.lower[row] for row in rows],
            "upper": [curve.upper[row] for row in rows],
        },
        "warnings": list(curve.warnings),
    }
    if at:
        names = ("incidence", "variance", "se")
        document["at"] = [{"time": day, **dict(zip(names, curve.at(day), strict=True))} for day in at]
    return document


def fine_gray_document(
    data: Selection,
    columns: TimeColumns,
    *,
    covariates: Sequence[str],
    factors: Mapping[str, str | None],
    cause: int,
    confidence: float,
) -> Document:
    """Subdistribution hazard ratios of one cause."""
    design = design_of({name: data.columns[name] for name in covariates}, references=factors)
    found = fine_gray(
        data.columns[columns.time], data.columns[columns.event], design, cause=cause, confidence=confidence
    )
    return {
        "cause": cause,
        "n": found.n,
        "events": found.events,
        "competing": found.competing,
        "method": found.method,
        "terms": [term_document(term) for term in found.terms],
        "references": dict(found.references),
        "loglik_null": found.loglik_null,
        "loglik": found.loglik,
        "warnings": list(found.warnings),
    }
