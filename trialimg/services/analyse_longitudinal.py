"""Sums of diameters over time in a table: mixed models, growth, and shrinkage against survival."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from trialimg.core.errors import Fault, ReadingError
from trialimg.services.analyse_survival import TimeColumns, after_landmark, median_row, term_document
from trialimg.services.analyse_table import Selection
from trialimg.services.repeated_effects import Frame, RepeatedColumns, lines_frame, visits_frame
from trialimg.stats.covariance import Autoregressive, CompoundSymmetry, RandomEffects, Structure, Unstructured
from trialimg.stats.cox import Histories, cox
from trialimg.stats.design import design_of
from trialimg.stats.log_rank import log_rank
from trialimg.stats.mixed_models import Measurements, MixedFit, SmallSample, mixed_model
from trialimg.stats.survival import kaplan_meier

__all__ = ["COVARIANCES", "MixedChoice", "RepeatedColumns", "SmallSample", "mixed_document", "shrinkage_document"]

Document = dict[str, Any]
Vector = npt.NDArray[np.float64]
COVARIANCES = ("unstructured", "cs", "ar1", "intercepts", "slopes")


@dataclass(frozen=True)
class MixedChoice:
    """Which mixed model."""

    covariance: str = "unstructured"
    """``unstructured``, ``cs`` and ``ar1`` take visits as categories, each with an effect of its own in each group
    (MMRM); ``intercepts`` and ``slopes`` take them as times, with a line for each group."""
    logarithm: bool = False
    """Model the natural logarithm: a slope is then a growth rate per unit of time."""
    small_sample: SmallSample = SmallSample.SATTERTHWAITE


def mixed_document(
    data: Selection,
    columns: RepeatedColumns,
    choice: MixedChoice,
    *,
    factors: Mapping[str, str | None],
    confidence: float,
) -> Document:
    """A mixed model of repeated measurements.

    Raises
    ------
    ReadingError
        For measurements that cannot be modelled; every one is named.
    """
    values = _values(data, columns, logarithm=choice.logarithm)
    lines = choice.covariance in ("intercepts", "slopes")
    frame = lines_frame(data, columns, factors) if lines else visits_frame(data, columns, factors)
    structure = _structure(choice.covariance, data, columns, frame)
    names = tuple(frame.names)
    found = mixed_model(
        Measurements(values, data.columns[columns.subject], frame.moments, names, frame.matrix),
        structure,
        small_sample=choice.small_sample,
        confidence=confidence,
    )
    tests, untested = _tests(found, frame)
    document: Document = {
        "n": found.n,
        "subjects": found.n_subjects,
        "method": f"{found.method}, {found.small_sample.printed} degrees of freedom",
        "response": f"log {columns.response}" if choice.logarithm else columns.response,
        "confidence": confidence,
        "terms": [_term(found, name) for name in names],
        "tests": tests,
        "covariance": dict(found.parameters),
        "loglik": found.loglik,
        "warnings": [*found.warnings, *untested, *data.warnings],
        "data_digest": data.digest,
    }
    if not lines:
        document |= _visit_means(found, frame)
    return document


def _values(data: Selection, columns: RepeatedColumns, *, logarithm: bool) -> list[float]:
    values = [float(v) for v in data.columns[columns.response]]
    if not logarithm:
        return values
    faults = tuple(
        Fault(f"{data.source}:{line}", "no_logarithm", f"{columns.response} is {value:g}, and not above 0")
        for line, value in zip(data.lines, values, strict=True)
        if value <= 0
    )
    if faults:
        raise ReadingError(f"{data.source}: {len(faults)} value(s) have no logarithm", faults)
    return [math.log(v) for v in values]


def _structure(covariance: str, data: Selection, columns: RepeatedColumns, frame: Frame) -> Structure:
    if covariance in ("intercepts", "slopes"):
        return RandomEffects(slope=covariance == "slopes")
    if covariance == "cs":
        return CompoundSymmetry(len(frame.visits))
    if covariance == "ar1":
        if any(isinstance(cell, str) for cell in data.columns[columns.visit]):
            raise ReadingError(f"{data.source}: an autoregressive covariance needs visits as numbers, in their order")
        return Autoregressive()
    _require_pairs(data, columns, frame)
    return Unstructured(len(frame.visits))


def _require_pairs(data: Selection, columns: RepeatedColumns, frame: Frame) -> None:
    seen: dict[str, set[int]] = {}
    for subject, moment in zip(data.columns[columns.subject], frame.moments, strict=True):
        seen.setdefault(subject, set()).add(int(moment))
    faults = tuple(
        Fault(f"visits {frame.visits[i]} and {frame.visits[j]}", "never_together", "no subject has both")
        for i, j in itertools.combinations(range(len(frame.visits)), 2)
        if not any({i, j} <= visits for visits in seen.values())
    )
    if faults:
        raise ReadingError(f"{data.source}: an unstructured covariance cannot be estimated; choose ar1 or cs", faults)


def _term(found: MixedFit, name: str) -> Document:
    estimate = found.contrast({name: 1.0})
    value, se = estimate.value or 0.0, estimate.se or math.nan
    return {
        "name": name,
        "coef": value,
        "se": se,
        "df": found.degrees_of_freedom({name: 1.0}),
        "t": value / se,
        "p": estimate.p,
        "lower": estimate.lower,
        "upper": estimate.upper,
    }


def _tests(found: MixedFit, frame: Frame) -> tuple[list[Document], list[str]]:
    """Of each effect as a whole; where one cannot be tested, the warning that says why."""
    rows: list[Document] = []
    warnings = []
    for term, contrasts in frame.effects:
        try:
            test = found.joint(contrasts)
        except ReadingError as refused:
            warnings.append(f"not_tested: {term}: {refused}")
            continue
        rows.append({"term": term, "f": test.f, "df1": test.df1, "df2": test.df2, "p": test.p, "scale": test.scale})
    return rows, warnings


def _visit_means(found: MixedFit, frame: Frame) -> Document:
    """Adjusted means of each group at each visit, and how far each group lies from the reference."""
    groups = frame.groups or ("all",)
    vectors = {
        (visit, group): frame.mean(i, j) for i, visit in enumerate(frame.visits) for j, group in enumerate(groups)
    }
    means = [{"visit": visit, "group": group, **_contrast(found, vector)} for (visit, group), vector in vectors.items()]
    differences = [
        {"visit": v, "contrast": f"{g} - {groups[0]}", **_contrast(found, vectors[v, g] - vectors[v, groups[0]])}
        for v in frame.visits
        for g in groups[1:]
    ]
    return {"means": means, **({"differences": differences} if differences else {})}


def _contrast(found: MixedFit, vector: Vector) -> Document:
    estimate = found.contrast(vector)
    return {
        "estimate": estimate.value,
        "se": estimate.se,
        "df": found.degrees_of_freedom(vector),
        "lower": estimate.lower,
        "upper": estimate.upper,
        "p": estimate.p,
    }


def shrinkage_document(
    data: Selection,
    columns: TimeColumns,
    *,
    change: str,
    landmark: float,
    threshold_pct: float,
    confidence: float,
) -> Document:
    """How survival after a landmark goes with the change of the sum of diameters that was known by then.

    Parameters
    ----------
    change
        Column of the change from baseline in percent, at the landmark or best up to it; negative is shrinkage.
    landmark
        Time is counted from here and only of those still at risk, or long survivors would have had longer to shrink.
    threshold_pct
        Early tumour shrinkage: a change of this or less.

    Raises
    ------
    ReadingError
        Where nobody, or everybody, shrank so far, or nobody had an event after the landmark.
    """
    part = after_landmark(data, columns, landmark)
    days, events, changes = (part.columns[name] for name in (columns.time, columns.event, change))
    shrunk = [value <= threshold_pct for value in changes]
    if all(shrunk) or not any(shrunk):
        who = "everybody" if all(shrunk) else "nobody"
        said = f"{who} at risk after {landmark:g} has a change of {threshold_pct:g} % or less"
        raise ReadingError(f"{data.source}: {said}; there is nothing to compare")
    return {
        "n": part.n,
        "events": sum(events),
        "landmark": landmark,
        "threshold_pct": threshold_pct,
        "method": "landmark analysis; Kaplan-Meier, log-rank, Cox (Efron ties); depth as a continuous covariate",
        **_shrinkage_compared(days, events, changes, shrunk, confidence=confidence, said=part.warnings),
        "spearman": _spearman(changes, days, events),
        "data_digest": data.digest,
    }


def _shrinkage_compared(
    days: Sequence[float],
    events: Sequence[int],
    changes: Sequence[float],
    shrunk: Sequence[bool],
    *,
    confidence: float,
    said: tuple[str, ...],
) -> Document:
    curves = []
    for name, wanted in (("early shrinkage", True), ("no early shrinkage", False)):
        rows = [i for i, s in enumerate(shrunk) if s is wanted]
        curve = kaplan_meier([days[i] for i in rows], [events[i] for i in rows], label=name, confidence=confidence)
        curves.append(median_row(curve))
    histories = Histories(days, events)
    early = cox(histories, design_of({"early_shrinkage": [float(s) for s in shrunk]}), confidence=confidence)
    depth = cox(histories, design_of({"change_per_10_pct": [c / 10 for c in changes]}), confidence=confidence)
    test = log_rank(days, events, [str(s) for s in shrunk])
    return {
        "groups": curves,
        "logrank": {"chi2": test.chi2, "df": test.df, "p": test.p},
        "terms": [term_document(term) for fit in (early, depth) for term in fit.terms],
        "concordance_of_depth": depth.concordance,
        "warnings": [*said, *early.warnings, *test.warnings],
    }


def _spearman(changes: Sequence[float], days: Sequence[float], events: Sequence[int]) -> float | None:
    """Of depth and survival among those whose event was seen; None with fewer than three of them."""
    seen = [(c, d) for c, d, e in zip(changes, days, events, strict=True) if e]
    if len(seen) < 3 or len({c for c, _ in seen}) < 2 or len({d for _, d in seen}) < 2:
        return None
    return float(spearmanr([c for c, _ in seen], [d for _, d in seen]).statistic)
