"""Proportional hazards: hazard ratios with their limits, the tests of the model, and of its assumption."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2 as chi_square
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.cox_residuals import TIME_SCALES, concordance, proportionality, score_residuals
from trialimg.stats.design import Design
from trialimg.stats.observations import require_length, require_spans, require_times
from trialimg.stats.partial_likelihood import Maximum, PartialLikelihood, Spans
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import ChiSquare

__all__ = ["TIES", "CoxFit", "Histories", "ModelTerm", "cox", "model_terms", "require_variance"]

TIES = ("efron", "breslow", "exact")
FEW_EVENTS_PER_COLUMN = 5
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Histories:
    """Who was observed until when, with what at the end; one entry per span of observation."""

    stop: Sequence[float]
    event: Sequence[bool | int]
    start: Sequence[float] | None = None
    """At risk after this time; None: from the beginning."""
    strata: Sequence[str] | None = None
    """Each with a baseline hazard of its own."""
    cluster: Sequence[str] | None = None
    """Entries of one subject, or of related ones, for a robust variance."""

    def require(self) -> None:
        """Refuse entries that cannot be.

        Raises
        ------
        ReadingError
            Names every such entry; or says that nobody has the event.
        """
        require_times(self.stop, self.event)
        if self.start is not None:
            require_times(self.start, self.event)
            require_spans(self.start, self.stop)
        for name, values in (("strata", self.strata), ("clusters", self.cluster)):
            if values is not None:
                require_length(len(self.stop), values, name)
        if not any(self.event):
            raise ReadingError("a hazard model needs at least one event; every subject is censored")

    def spans(self, design: Design) -> Spans:
        """The same as arrays, each of weight 1."""
        require_length(len(self.stop), design.matrix, "rows of covariates")
        start = np.full(len(self.stop), -np.inf) if self.start is None else np.asarray(self.start, float)
        stratum = np.unique(list(self.strata or ["all"] * len(self.stop)), return_inverse=True)[1]
        event, weight = np.asarray(self.event, bool), np.ones(len(self.stop))
        return Spans(start, np.asarray(self.stop, float), event, design.matrix, stratum, weight)

    @property
    def digest(self) -> str:
        """Names these entries."""
        columns = (self.stop, self.event, self.start or (), self.strata or (), self.cluster or ())
        return digest_of([[float(v) if isinstance(v, int | float) else str(v) for v in column] for column in columns])


@dataclass(frozen=True)
class ModelTerm:
    """One coefficient of a hazard model, with the ratio that it stands for."""

    name: str
    coef: float
    se: float
    """The one that the limits rest on: robust where the model is."""
    ratio: float
    """Of the hazards, per unit of the covariate."""
    lower: float
    upper: float
    z: float
    p: float
    naive_se: float | None = None
    """From the information alone, where ``se`` is robust."""


@dataclass(frozen=True)
class CoxFit:
    """A fitted proportional-hazards model."""

    terms: tuple[ModelTerm, ...]
    n: int
    events: int
    loglik_null: float
    loglik: float
    likelihood_ratio: ChiSquare
    wald: ChiSquare
    score: ChiSquare
    concordance: float | None
    concordance_se: float | None
    proportionality: tuple[tuple[str, ChiSquare], ...]
    """Per covariate, and of all together under the name GLOBAL; without those that the events cannot test."""
    covariance: tuple[tuple[float, ...], ...]
    confidence: float
    method: str
    references: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    data_digest: str


def cox(
    histories: Histories,
    design: Design,
    *,
    ties: str = "efron",
    robust: bool = False,
    confidence: float = 0.95,
    time_scale: str = "km",
) -> CoxFit:
    """Hazard ratios by Cox's partial likelihood.

    Parameters
    ----------
    ties
        Of events at one time: ``efron``, ``breslow`` or ``exact``.
    robust
        Sandwich variance; always so where the histories name clusters.
    time_scale
        Of the test of proportional hazards: ``km`` (1 - S), ``identity`` or ``log``.

    Raises
    ------
    ReadingError
        For entries that cannot be, no event, a covariate without an effect of its own, or separation.
    ProtocolError
        If the ties, the time scale or the confidence cannot be followed.

    References
    ----------
    Cox DR. Regression models and life-tables. JRSS B 1972. Efron B. JASA 1977. Breslow N. Biometrics 1974.
    """
    require_confidence(confidence)
    _require_known(ties, TIES, "ties are treated")
    _require_known(time_scale, tuple(TIME_SCALES), "a scale of time is called")
    histories.require()
    clustered = robust or histories.cluster is not None
    if clustered and ties == "exact":
        raise ProtocolError("exact ties have no robust variance; choose efron or breslow")
    spans = histories.spans(design)
    maximum = PartialLikelihood(spans, ties=ties, names=design.names).maximum()
    groups = _groups(histories.cluster, spans.n)
    covariance = _sandwich(spans, maximum, groups) if clustered else maximum.covariance
    require_variance(covariance)
    kind = _method(ties, histories, clustered)
    facts = _Facts(spans, maximum, covariance, kind, _warnings(histories, design), histories.digest)
    told = concordance(spans, design.matrix @ maximum.coefficients, groups)
    terms = model_terms(design.names, maximum, covariance, confidence=confidence, robust=clustered)
    return _fit(facts, design, terms, told, confidence=confidence, time_scale=time_scale)


@dataclass(frozen=True, eq=False)
class _Facts:
    """What a fitted model is reported from."""

    spans: Spans
    maximum: Maximum
    covariance: Vector
    method: str
    warnings: tuple[str, ...]
    histories_digest: str

    def test(self, value: float, df: int, name: str, digest: str) -> ChiSquare:
        """A chi-square statistic of this model."""
        n, events = self.spans.n, int(self.spans.event.sum())
        return ChiSquare(value, df, float(chi_square.sf(value, df)), n, events, name, self.warnings, digest)


def _fit(
    facts: _Facts,
    design: Design,
    terms: tuple[ModelTerm, ...],
    told: tuple[float, float] | None,
    *,
    confidence: float,
    time_scale: str,
) -> CoxFit:
    maximum, df = facts.maximum, len(design.names)
    digest = digest_of([facts.histories_digest, design.matrix.tolist()])
    wald = float(maximum.coefficients @ np.linalg.solve(facts.covariance, maximum.coefficients))
    gain = 2 * (maximum.loglik - maximum.loglik_null)
    return CoxFit(
        terms=terms,
        n=facts.spans.n,
        events=int(facts.spans.event.sum()),
        loglik_null=maximum.loglik_null,
        loglik=maximum.loglik,
        likelihood_ratio=facts.test(gain, df, "likelihood ratio", digest),
        wald=facts.test(wald, df, "Wald", digest),
        score=facts.test(maximum.score_statistic, df, "score", digest),
        concordance=told[0] if told else None,
        concordance_se=told[1] if told else None,
        proportionality=_proportionality(facts, design, time_scale, digest),
        covariance=tuple(tuple(map(float, row)) for row in facts.covariance),
        confidence=confidence,
        method=facts.method,
        references=design.references,
        warnings=facts.warnings,
        data_digest=digest,
    )


def model_terms(
    names: Sequence[str], maximum: Maximum, covariance: Vector, *, confidence: float, robust: bool
) -> tuple[ModelTerm, ...]:
    """The coefficients one by one."""
    quantile = float(norm.ppf((1 + confidence) / 2))
    terms = []
    for place, name in enumerate(names):
        coef, se = float(maximum.coefficients[place]), float(np.sqrt(covariance[place, place]))
        naive = float(np.sqrt(maximum.covariance[place, place])) if robust else None
        lower, upper = (_exponential(coef + side * quantile * se) for side in (-1, 1))
        p = float(2 * norm.sf(abs(coef) / se))
        terms.append(ModelTerm(name, coef, se, _exponential(coef), lower, upper, coef / se, p, naive))
    return tuple(terms)


def require_variance(covariance: Vector) -> None:
    """Refuse a robust variance that is 0 in some direction.

    Raises
    ------
    ReadingError
        Says what is needed.
    """
    spread = np.sqrt(np.abs(np.diag(covariance)))
    if (spread == 0).any() or np.linalg.matrix_rank(covariance / np.outer(spread, spread), hermitian=True) < len(
        spread
    ):
        raise ReadingError("the robust variance is 0 in some direction: more clusters than coefficients are needed")


def _exponential(value: float) -> float:
    return math.exp(min(value, 700.0))


def _require_known(word: str, known: Sequence[str], sentence: str) -> None:
    if word not in known:
        raise ProtocolError(f"no way in which {sentence} is {word!r}; choose one of {', '.join(known)}")


def _groups(cluster: Sequence[str] | None, n: int) -> npt.NDArray[np.int64]:
    if cluster is None:
        return np.arange(n)
    return np.asarray(np.unique(list(cluster), return_inverse=True)[1])


def _sandwich(spans: Spans, maximum: Maximum, groups: npt.NDArray[np.int64]) -> Vector:
    pulls = (score_residuals(spans, maximum) * spans.weight[:, None]) @ maximum.covariance
    together = np.zeros((groups.max() + 1, pulls.shape[1]))
    np.add.at(together, groups, pulls)
    return np.asarray(together.T @ together)


def _proportionality(facts: _Facts, design: Design, time_scale: str, digest: str) -> tuple[tuple[str, ChiSquare], ...]:
    spans = facts.spans
    if not facts.maximum.steps or (time_scale == "log" and (spans.stop[spans.event] <= 0).any()):
        return ()
    groups = [*design.terms, ("GLOBAL", tuple(range(len(design.names))))]
    values = proportionality(spans, facts.maximum, [columns for _, columns in groups], time_scale=time_scale)
    method = f"proportional hazards, score test against time on the scale {time_scale}"
    return tuple(
        (name, facts.test(value, len(columns), method, digest))
        for (name, columns), value in zip(groups, values, strict=True)
        if np.isfinite(value)
    )


def _method(ties: str, histories: Histories, robust: bool) -> str:
    words = ["Cox proportional hazards", f"{ties} ties"]
    words += ["stratified"] if histories.strata is not None else []
    words += ["time-varying covariates (start, stop]"] if histories.start is not None else []
    words += ["robust variance" + (" by cluster" if histories.cluster is not None else "")] if robust else []
    return ", ".join(words)


def _warnings(histories: Histories, design: Design) -> tuple[str, ...]:
    lone = sorted(name for name, count in Counter(histories.strata or ()).items() if count == 1)
    said = [f"lone_subject: stratum {name} has one entry and says nothing" for name in lone]
    events = sum(map(int, histories.event))
    if events < FEW_EVENTS_PER_COLUMN * len(design.names):
        said.append(f"few_events: {events} events for {len(design.names)} coefficients; limits and p-values are poor")
    return tuple(said)
