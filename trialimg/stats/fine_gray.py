"""Subdistribution hazards: what makes one cause come first more often, in the presence of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.stats.competing_risks import require_states
from trialimg.stats.cox import ModelTerm, model_terms, require_variance
from trialimg.stats.cox_residuals import score_residuals
from trialimg.stats.design import Design
from trialimg.stats.observations import require_length
from trialimg.stats.partial_likelihood import Maximum, PartialLikelihood, Spans
from trialimg.stats.rates import require_confidence

__all__ = ["FineGrayFit", "fine_gray"]

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FineGrayFit:
    """A fitted model of one cause's subdistribution hazard."""

    cause: int
    terms: tuple[ModelTerm, ...]
    n: int
    events: int
    competing: int
    """Subjects with another cause first."""
    loglik_null: float
    loglik: float
    confidence: float
    method: str
    references: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    data_digest: str


@dataclass(frozen=True, eq=False)
class _Censoring:
    """How likely a subject was to be still under observation."""

    times: Vector
    counts: Vector
    at_risk: Vector
    survival: Vector
    """Before the first of the times, then after each."""

    def before(self, times: Vector) -> Vector:
        """Just before each time."""
        return np.asarray(self.survival[np.searchsorted(self.times, times, side="left")])


def fine_gray(
    days: Sequence[float], states: Sequence[int], design: Design, *, cause: int, confidence: float = 0.95
) -> FineGrayFit:
    """Subdistribution hazard ratios of one cause.

    Parameters
    ----------
    states
        0: censored; otherwise the number of the cause that came first.

    Raises
    ------
    ReadingError
        For times and states that cannot be, no event of the cause, or a covariate that cannot be estimated.
    ProtocolError
        If the confidence cannot be followed.

    Notes
    -----
    Subjects with another cause stay at risk with the weight G(t-)/G(T-), G being the Kaplan-Meier curve of censoring.
    The variance allows for G being estimated, as ``cmprsk::crr`` does; tied events by Breslow.

    References
    ----------
    Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing risk. JASA 1999.
    """
    require_confidence(confidence)
    require_states(days, states)
    require_length(len(days), design.matrix, "rows of covariates")
    time, state = np.asarray(days, float), np.asarray(states, int)
    events, competing = int((state == cause).sum()), int(((state > 0) & (state != cause)).sum())
    if not events:
        raise ReadingError(f"a model of cause {cause} needs an event of this cause; there is none")
    censoring = _censoring(time, state)
    others = (state > 0) & (state != cause)
    spans = _spans(time, design, event=state == cause, others=others, censoring=censoring)
    maximum = PartialLikelihood(spans, ties="breslow", names=design.names).maximum()
    rivals = _Rivals(others, design.matrix, maximum.steps[0].relative_hazard)
    pulls = score_residuals(spans, maximum) + _censoring_pull(time, rivals, censoring, maximum, gone=state == 0)
    influence = pulls @ maximum.covariance
    require_variance(influence.T @ influence)
    few = f"few_events: {events} events for {len(design.names)} coefficients; limits and p-values are poor"
    return FineGrayFit(
        cause=cause,
        terms=model_terms(design.names, maximum, influence.T @ influence, confidence=confidence, robust=True),
        n=len(time),
        events=events,
        competing=competing,
        loglik_null=maximum.loglik_null,
        loglik=maximum.loglik,
        confidence=confidence,
        method=f"Fine-Gray subdistribution hazard of cause {cause}, Breslow ties",
        references=design.references,
        warnings=(few,) if events < 5 * len(design.names) else (),
        data_digest=digest_of([list(map(float, days)), list(map(int, states)), design.matrix.tolist()]),
    )


@dataclass(frozen=True, eq=False)
class _Rivals:
    """Who had another cause first, with covariates and relative hazard of everyone."""

    inside: npt.NDArray[np.bool_]
    covariates: Vector
    relative_hazard: Vector


def _spans(
    time: Vector,
    design: Design,
    *,
    event: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
    censoring: _Censoring,
) -> Spans:
    """One row per subject; whoever had another cause stays at risk as long as it could have been watched."""
    return Spans(
        start=np.full(len(time), -np.inf),
        stop=time,
        event=event,
        covariates=design.matrix,
        stratum=np.zeros(len(time), int),
        weight=np.ones(len(time)),
        lingering=np.where(others, 1 / censoring.before(time), 0.0),
        decay=censoring.before,
    )


def _censoring(time: Vector, state: Indices) -> _Censoring:
    times = np.unique(time[state == 0])
    counts = np.array([((time == t) & (state == 0)).sum() for t in times], float)
    at_risk = np.array([(time >= t).sum() for t in times], float)
    survival = np.concatenate([[1.0], np.cumprod(1 - counts / np.maximum(at_risk, 1))])
    return _Censoring(times, counts, at_risk, survival)


def _censoring_pull(
    time: Vector,
    rivals: _Rivals,
    censoring: _Censoring,
    maximum: Maximum,
    *,
    gone: npt.NDArray[np.bool_],
) -> Vector:
    """What each subject does to the coefficients through the estimate of censoring, shape (subject, covariate)."""
    steps = maximum.steps[0]
    step_time = steps.moments[steps.moment]
    hazard = censoring.before(step_time) * steps.hazard
    weight = np.where(rivals.inside, rivals.relative_hazard / censoring.before(time), 0.0)
    drag = np.zeros((len(censoring.times), rivals.covariates.shape[1]))
    for place, moment in enumerate(censoring.times):
        earlier, later = rivals.inside & (time < moment), step_time >= moment
        plain = weight[earlier] @ rivals.covariates[earlier] * hazard[later].sum()
        drag[place] = plain - weight[earlier].sum() * (hazard[later] @ steps.mean[later])
    jump = drag / censoring.at_risk[:, None]
    compensated = jump * (censoring.counts / censoring.at_risk)[:, None]
    drift = np.concatenate([np.zeros((1, drag.shape[1])), np.cumsum(compensated, axis=0)])
    pull = -drift[np.searchsorted(censoring.times, time, side="right")]
    pull[gone] += jump[np.searchsorted(censoring.times, time[gone])]
    return np.asarray(pull)
