"""Times to an event in a table: curves, tests, hazard ratios, restricted means."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_rates import chi_square_document, estimate_document
from trialimg.services.analyse_table import Selection
from trialimg.stats.cox import CoxFit, Histories, ModelTerm, cox
from trialimg.stats.design import design_of
from trialimg.stats.log_rank import log_rank, max_combo
from trialimg.stats.restricted_mean import (
    largest_horizon,
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)
from trialimg.stats.results import Estimate, SurvivalCurve
from trialimg.stats.survival import (
    follow_up,
    kaplan_meier,
    numbers_at_risk,
    past_landmark,
    survival_at,
    survival_quantile,
)

__all__ = [
    "ModelColumns",
    "TimeColumns",
    "after_landmark",
    "cox_document",
    "km_document",
    "logrank_document",
    "max_combo_document",
    "median_row",
    "rmst_document",
    "strata_of",
    "term_document",
]

Document = dict[str, Any]


@dataclass(frozen=True)
class TimeColumns:
    """Which columns hold the times, the events, and the groups."""

    time: str
    event: str
    by: str | None = None
    groups: tuple[str, ...] = ()
    """The values of ``by``, in the order of the answer."""


@dataclass(frozen=True)
class ModelColumns:
    """Which columns a hazard model is made of."""

    time: str
    event: str
    covariates: tuple[str, ...]
    strata: tuple[str, ...] = ()
    start: str | None = None
    cluster: str | None = None


def after_landmark(data: Selection, columns: TimeColumns, landmark: float) -> Selection:
    """The rows still at risk after a landmark, their time counted from it; who was left out is said in a warning."""
    days, events = data.columns[columns.time], data.columns[columns.event]
    kept, later, _ = past_landmark(days, events, landmark=landmark)
    inside = set(kept)
    part = data.where([row in inside for row in range(data.n)])
    gone = data.n - part.n
    said = f"before_landmark: {gone} of {data.n} rows ended by the landmark {landmark:g} and are left out"
    warnings = (*part.warnings, said) if gone else part.warnings
    return replace(part, columns={**part.columns, columns.time: later}, warnings=warnings)


def km_document(
    data: Selection,
    columns: TimeColumns,
    *,
    confidence: float,
    limits: str,
    quantiles: Sequence[float],
    at: Sequence[float],
) -> Document:
    """The survival curve of everyone, and of each group.

    Parameters
    ----------
    quantiles
        Shares of subjects with the event; the median is given in any case.
    at
        Times at which the curve is read and the numbers at risk are counted.
    """

    def part(chosen: Selection, label: str) -> Document:
        days, events = chosen.columns[columns.time], chosen.columns[columns.event]
        curve = kaplan_meier(days, events, label=label, confidence=confidence, limits=limits)
        followed = follow_up(days, events, label=label, confidence=confidence)
        return _curve_document(curve, followed, quantiles, at)

    document = {**part(data, "all"), "data_digest": data.digest}
    document["warnings"] += data.warnings
    if columns.by is not None:
        document["groups"] = [
            {"group": group, **part(_group(data, columns.by, group), group)} for group in columns.groups
        ]
    return document


def _group(data: Selection, by: str, group: str) -> Selection:
    return data.where([cell == group for cell in data.columns[by]])


def _curve_document(
    curve: SurvivalCurve, followed: SurvivalCurve, quantiles: Sequence[float], at: Sequence[float]
) -> Document:
    """At the times of events, as ``summary.survfit`` prints a curve."""
    rows = [place for place, count in enumerate(curve.n_event) if count]
    median, watched = curve.median_days, followed.median_days
    document: Document = {
        "n": curve.n,
        "events": curve.events,
        "median": median.value,
        "median_lower": median.lower,
        "median_upper": median.upper,
        "confidence": median.confidence,
        "method": curve.method,
        "follow_up": {
            "median": watched.value,
            "lower": watched.lower,
            "upper": watched.upper,
            "method": followed.method,
        },
        "curve": {
            "time": [curve.time_days[row] for row in rows],
            "n_risk": [curve.n_risk[row] for row in rows],
            "n_event": [curve.n_event[row] for row in rows],
            "survival": [curve.survival[row] for row in rows],
            "se": [curve.se[row] for row in rows],
            "lower": [curve.lower[row] for row in rows],
            "upper": [curve.upper[row] for row in rows],
        },
        "warnings": [*curve.warnings, *median.warnings],
        "data_digest": curve.data_digest,
    }
    if quantiles:
        found = [(share, survival_quantile(curve, share)) for share in quantiles]
        document["quantiles"] = [
            {"share_with_event": share, "time": q.value, "lower": q.lower, "upper": q.upper} for share, q in found
        ]
    if at:
        document["at"] = [_reading(curve, day) for day in at]
        document["warnings"] += [said for day in at for said in survival_at(curve, day).warnings]
    return document


def median_row(curve: SurvivalCurve) -> Document:
    """One group's counts and median, as a row of a table."""
    median = curve.median_days
    limits = {"median": median.value, "median_lower": median.lower, "median_upper": median.upper}
    return {"group": curve.label, "n": curve.n, "events": curve.events, **limits}


def _reading(curve: SurvivalCurve, day: float) -> Document:
    read = survival_at(curve, day)
    at_risk = numbers_at_risk(curve, [day])[0]
    return {"time": day, "n_risk": at_risk, "survival": read.value, "lower": read.lower, "upper": read.upper}


def strata_of(data: Selection, strata: Sequence[str]) -> list[str] | None:
    """The stratum of every row: the values of the columns together; None without columns."""
    if not strata:
        return None
    return [" / ".join(str(data.columns[name][row]) for name in strata) for row in range(data.n)]


def logrank_document(
    data: Selection, columns: TimeColumns, *, strata: Sequence[str], weights: tuple[float, float]
) -> Document:
    """Whether the hazards of the groups differ."""
    found = log_rank(
        data.columns[columns.time],
        data.columns[columns.event],
        data.columns[columns.by or ""],
        strata=strata_of(data, strata),
        weights=weights,
    )
    rows = zip(found.groups, found.group_n, found.observed, found.expected, strict=True)
    document = chi_square_document(found)
    document["warnings"] += data.warnings
    document["groups"] = [{"group": g, "n": n, "observed": o, "expected": e} for g, n, o, e in rows]
    return {**document, "data_digest": data.digest}


def max_combo_document(data: Selection, columns: TimeColumns, *, strata: Sequence[str]) -> Document:
    """The largest of several weighted log-rank statistics of two groups."""
    found = max_combo(
        data.columns[columns.time],
        data.columns[columns.event],
        data.columns[columns.by or ""],
        strata=strata_of(data, strata),
    )
    return {
        "z": found.z,
        "rho": found.weights[0],
        "gamma": found.weights[1],
        "p": found.p,
        "method": found.method,
        "n": found.n,
        "events": found.events,
        "each": [{"rho": rho, "gamma": gamma, "z": z} for (rho, gamma), z in found.each],
        "warnings": [*found.warnings, *data.warnings],
        "data_digest": data.digest,
    }


def cox_document(
    data: Selection,
    columns: ModelColumns,
    *,
    factors: Mapping[str, str | None],
    ties: str,
    robust: bool,
    confidence: float,
) -> Document:
    """Hazard ratios of the covariates, the tests of the model, and of proportional hazards."""
    design = design_of({name: data.columns[name] for name in columns.covariates}, references=factors)
    histories = Histories(
        stop=data.columns[columns.time],
        event=data.columns[columns.event],
        start=data.columns[columns.start] if columns.start else None,
        strata=strata_of(data, columns.strata),
        cluster=data.columns[columns.cluster] if columns.cluster else None,
    )
    found = cox(histories, design, ties=ties, robust=robust, confidence=confidence)
    return {**_cox_document(found), "warnings": [*found.warnings, *data.warnings], "data_digest": data.digest}


def _cox_document(found: CoxFit) -> Document:
    tests = {"likelihood_ratio": found.likelihood_ratio, "wald": found.wald, "score": found.score}
    return {
        "n": found.n,
        "events": found.events,
        "method": found.method,
        "confidence": found.confidence,
        "terms": [term_document(term) for term in found.terms],
        "references": dict(found.references),
        "loglik_null": found.loglik_null,
        "loglik": found.loglik,
        **{name: {"chi2": t.chi2, "df": t.df, "p": t.p} for name, t in tests.items()},
        "concordance": found.concordance,
        "concordance_se": found.concordance_se,
        "proportional_hazards": [
            {"name": name, "chi2": t.chi2, "df": t.df, "p": t.p} for name, t in found.proportionality
        ],
    }


def term_document(term: ModelTerm) -> Document:
    """One coefficient under the keys in which it is printed."""
    robust = {} if term.naive_se is None else {"robust_se": term.se, "naive_se": term.naive_se}
    return {
        "name": term.name,
        "coef": term.coef,
        "se": term.se,
        "hr": term.ratio,
        "lower": term.lower,
        "upper": term.upper,
        "z": term.z,
        "p": term.p,
        **robust,
    }


def rmst_document(data: Selection, columns: TimeColumns, *, tau: float | None, confidence: float) -> Document:
    """Restricted means of everyone and of each group, and how every two groups differ.

    Parameters
    ----------
    tau
        Horizon; None: the latest time up to which every group was observed.
    """
    parts = {g: _group(data, columns.by, g) for g in columns.groups} if columns.by is not None else {}
    if len(parts) == 1:
        raise ReadingError(f"{data.source}: column {columns.by} has one group; two are needed to compare")
    times = [part.columns[columns.time] for part in (parts or {"all": data}).values()]
    horizon = largest_horizon(times) if tau is None else tau

    def mean(part: Selection) -> Estimate:
        days, events = part.columns[columns.time], part.columns[columns.event]
        return restricted_mean(days, events, horizon=horizon, confidence=confidence)

    document = {**estimate_document(mean(data)), "tau": horizon}
    document["warnings"] += data.warnings
    means = {name: mean(part) for name, part in parts.items()}
    if means:
        document["groups"] = [{"group": name, **estimate_document(found)} for name, found in means.items()]
    return {**document, **_contrasts(means), "data_digest": data.digest}


def _contrasts(means: Mapping[str, Estimate]) -> Document:
    """Every two groups; of two groups also the ratio."""
    differences = [
        {"contrast": f"{a} - {b}", **estimate_document(restricted_mean_difference(means[a], means[b]))}
        for a, b in itertools.combinations(means, 2)
    ]
    if len(means) != 2:
        return {"differences": differences} if differences else {}
    (a, first), (b, second) = means.items()
    ratio = {"contrast": f"{a} / {b}", **estimate_document(restricted_mean_ratio(first, second))}
    return {"difference": differences[0], "ratio": ratio}
