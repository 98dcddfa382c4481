"""Cox's partial likelihood over spans of observation: its maximum, slope and curvature.

One engine serves proportional hazards (tied times by Efron, Breslow or exactly; strata; spans that start late; weights)
and, with subjects who stay at risk in part after a competing event, subdistribution hazards. The libraries at hand
each lack one of these, so the sums over risk sets are made here once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.exact_ties import exact_contribution

__all__ = ["Maximum", "PartialLikelihood", "Spans", "Steps", "rows_by_stratum"]

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

MOST_ITERATIONS = 60
MOST_HALVINGS = 20
SMALL_STEP = 1e-11
"""In standard deviations of a covariate."""
RUNAWAY = 18.0
"""A coefficient beyond this, per standard deviation, has no finite maximum: the likelihood is flat by then."""
SINGULAR = 1e-10


@dataclass(frozen=True, eq=False)
class Spans:
    """Who was observed from when to when, with what at the end; one row per span.

    A subject is at risk on ``start < t <= stop``.
    """

    start: Vector
    stop: Vector
    event: npt.NDArray[np.bool_]
    covariates: Vector
    """Shape (row, covariate)."""
    stratum: Indices
    weight: Vector
    lingering: Vector | None = None
    """How much of each row stays at risk after its stop, before the decay: of use after a competing event."""
    decay: Callable[[Vector], Vector] | None = None
    """What is left at a time of everything that lingers; needed with ``lingering``."""

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.stop)


@dataclass(frozen=True, eq=False)
class Steps:
    """What the likelihood sees at each tied event of one stratum; several steps share a time."""

    rows: Indices
    """Rows of the stratum."""
    moments: Vector
    """Distinct event times."""
    moment: Indices
    """Per step: which of them."""
    fraction: Vector
    """Per step: how much of the tied deaths is already counted as gone."""
    hazard: Vector
    """Per step: the increment of the baseline cumulative hazard."""
    mean: Vector
    """Per step: mean covariates at risk, shape (step, covariate)."""
    variance: Vector
    """Per step: their variance times the weight of the step's death, shape (step, covariate, covariate)."""
    loglik: float
    relative_hazard: Vector
    """Per row: the exponential of the linear predictor, on the scale of ``hazard``."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the partial likelihood is largest."""

    coefficients: Vector
    covariance: Vector
    loglik_null: float
    loglik: float
    score_statistic: float
    """Rao's, at coefficients of 0."""
    steps: tuple[Steps, ...]
    """At the maximum; empty for exact ties."""


@dataclass(frozen=True, eq=False)
class _Stratum:
    """The orders and places that the sums over risk sets need; they do not depend on the coefficients."""

    rows: Indices
    moments: Vector
    by_stop: Indices
    by_start: Indices
    staying: Indices
    """Per moment: how many rows end at it or later."""
    not_yet: Indices
    """Per moment: how many rows start at it or later."""
    dead: Indices
    """Rows (within the stratum) with an event."""
    dead_moment: Indices
    deaths: Indices
    lingering: tuple[Vector, Indices, Vector] | None
    """Per row how much stays; per moment how many rows have ended before it, and what is left of them."""

    @classmethod
    def of(cls, spans: Spans, rows: Indices) -> _Stratum:
        start, stop, event = spans.start[rows], spans.stop[rows], spans.event[rows]
        moments = np.unique(stop[event])
        dead = np.flatnonzero(event)
        dead_moment = np.searchsorted(moments, stop[dead])
        return cls(
            rows=rows,
            moments=moments,
            by_stop=np.argsort(-stop, kind="stable"),
            by_start=np.argsort(-start, kind="stable"),
            staying=len(rows) - np.searchsorted(np.sort(stop), moments, side="left"),
            not_yet=len(rows) - np.searchsorted(np.sort(start), moments, side="left"),
            dead=dead,
            dead_moment=dead_moment,
            deaths=np.bincount(dead_moment, minlength=len(moments)),
            lingering=cls._lingering(spans, rows, moments),
        )

    @staticmethod
    def _lingering(spans: Spans, rows: Indices, moments: Vector) -> tuple[Vector, Indices, Vector] | None:
        if spans.lingering is None or spans.decay is None:
            return None
        ended = np.searchsorted(np.sort(spans.stop[rows]), moments, side="left")
        return spans.lingering[rows], ended, spans.decay(moments)

    def at_risk(self, values: Vector) -> Vector:
        """Sum of values, shape (row, ...), over who is at risk at each moment."""
        present = _running(values[self.by_stop])[self.staying] - _running(values[self.by_start])[self.not_yet]
        if self.lingering is None:
            return present
        kept, ended, left = self.lingering
        wide = (-1, *(1,) * (values.ndim - 1))
        stayed = _running((kept.reshape(wide) * values)[self.by_stop[::-1]])[ended]
        return np.asarray(present + left.reshape(wide) * stayed)

    def dying(self, values: Vector) -> Vector:
        """Sum of values over who has the event at each moment."""
        total = np.zeros((len(self.moments), *values.shape[1:]))
        np.add.at(total, self.dead_moment, values[self.dead])
        return total


def _running(values: Vector) -> Vector:
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


class PartialLikelihood:
    """The likelihood of coefficients given who was at risk when.

    Parameters
    ----------
    ties
        ``efron``, ``breslow`` or ``exact`` (the discrete likelihood of Cox; no weights).
    names
        Of the covariates, for the messages.
    """

    def __init__(self, spans: Spans, *, ties: str, names: Sequence[str]) -> None:
        self._names, self._ties = tuple(names), ties
        self._centre = spans.covariates.mean(axis=0)
        spread = spans.covariates.std(axis=0)
        _require_varying(spread, self._names, spans.covariates)
        self._scale = spread
        scaled = (spans.covariates - self._centre) / spread
        self._spans = replace(spans, covariates=scaled)
        parts = rows_by_stratum(spans.stratum)
        self._strata = [_Stratum.of(self._spans, rows) for rows in parts if spans.event[rows].any()]

    def maximum(self) -> Maximum:
        """The coefficients that the data make likeliest, by Newton's method with halved steps.

        Raises
        ------
        ReadingError
            Where a covariate is a combination of others, or where no finite coefficient is likeliest (separation).
        """
        beta = np.zeros(len(self._names))
        loglik, score, information = self.at(beta)
        self._require_independent(information)
        loglik_null, score_statistic = loglik, float(score @ np.linalg.solve(information, score))
        for _ in range(MOST_ITERATIONS):
            step: Vector = np.asarray(np.linalg.solve(information, score))
            beta, loglik, score, information = self._improved(beta, loglik, step)
            self._require_finite(beta, information)
            if np.abs(step).max() < SMALL_STEP:
                break
        else:
            raise ReadingError("the partial likelihood found no maximum; look for covariates that separate events")
        covariance = np.linalg.inv(information) / np.outer(self._scale, self._scale)
        steps = () if self._ties == "exact" else tuple(self._unscaled(s, beta) for s in self._strata)
        return Maximum(beta / self._scale, covariance, loglik_null, loglik, score_statistic, steps)

    def at(self, beta: Vector) -> tuple[float, Vector, Vector]:
        """Log-likelihood, slope and information at coefficients per standard deviation."""
        loglik, score = 0.0, np.zeros_like(beta)
        information = np.zeros((len(beta), len(beta)))
        for stratum in self._strata:
            if self._ties == "exact":
                part = exact_contribution(self._spans, stratum.rows, beta)
            else:
                part = self._smooth(stratum, beta)
            loglik, score, information = loglik + part[0], score + part[1], information + part[2]
        return loglik, score, information

    def _smooth(self, stratum: _Stratum, beta: Vector) -> tuple[float, Vector, Vector]:
        steps = self._steps(stratum, beta)
        dead = stratum.rows[stratum.dead]
        observed = (self._spans.weight[dead, None] * self._spans.covariates[dead]).sum(axis=0)
        weights = self._step_weights(stratum)[0]
        return steps.loglik, observed - weights @ steps.mean, steps.variance.sum(axis=0)

    def _step_weights(self, stratum: _Stratum) -> tuple[Vector, Indices]:
        """Per step: the mean weight of the tied deaths; and the moment."""
        moment = np.repeat(np.arange(len(stratum.moments)), stratum.deaths)
        mean_weight = stratum.dying(self._spans.weight[stratum.rows]) / stratum.deaths
        return mean_weight[moment], moment

    def _steps(self, stratum: _Stratum, beta: Vector) -> Steps:
        x, weight = self._spans.covariates[stratum.rows], self._spans.weight[stratum.rows]
        predictor = x @ beta
        shift = float(predictor.max())
        relative = np.exp(predictor - shift)
        risk = weight * relative
        moments = (risk, risk[:, None] * x, risk[:, None, None] * x[:, :, None] * x[:, None, :])
        (all_0, all_1, all_2) = (stratum.at_risk(m) for m in moments)
        (dead_0, dead_1, dead_2) = (stratum.dying(m) for m in moments)
        step_weight, moment = self._step_weights(stratum)
        first = np.concatenate([[0], np.cumsum(stratum.deaths)[:-1]]) if len(stratum.deaths) else stratum.deaths
        order = np.arange(len(moment)) - first[moment]
        fraction = order / stratum.deaths[moment] if self._ties == "efron" else np.zeros(len(moment))
        total = all_0[moment] - fraction * dead_0[moment]
        mean = (all_1[moment] - fraction[:, None] * dead_1[moment]) / total[:, None]
        second = (all_2[moment] - fraction[:, None, None] * dead_2[moment]) / total[:, None, None]
        variance = step_weight[:, None, None] * (second - mean[:, :, None] * mean[:, None, :])
        gained = weight[stratum.dead] @ predictor[stratum.dead]
        loglik = float(gained - step_weight @ (np.log(total) + shift))
        hazard = step_weight / total
        return Steps(stratum.rows, stratum.moments, moment, fraction, hazard, mean, variance, loglik, relative)

    def _unscaled(self, stratum: _Stratum, beta: Vector) -> Steps:
        """The steps in the covariates' own units."""
        steps = self._steps(stratum, beta)
        mean = steps.mean * self._scale + self._centre
        variance = steps.variance * np.outer(self._scale, self._scale)
        place = (steps.rows, steps.moments, steps.moment, steps.fraction, steps.hazard)
        return Steps(*place, mean, variance, steps.loglik, steps.relative_hazard)

    def _improved(self, beta: Vector, loglik: float, step: Vector) -> tuple[Vector, float, Vector, Vector]:
        """A whole step, or half of it as often as the likelihood falls."""
        for halving in range(MOST_HALVINGS):
            tried = beta + step / 2**halving
            found, score, information = self.at(tried)
            if found >= loglik - 1e-9 * abs(loglik):
                break
        return tried, found, score, information

    def _require_independent(self, information: Vector) -> None:
        for place, name in enumerate(self._names, start=1):
            part = information[:place, :place]
            size = np.sqrt(np.outer(np.diag(part), np.diag(part)))
            if (np.diag(part) <= 0).any() or np.linalg.eigvalsh(part / size)[0] < SINGULAR:
                fault = Fault(name, "not_independent", "says nothing beyond the other covariates and the strata")
                raise ReadingError(f"covariate {name} has no effect of its own; leave it out", (fault,))

    def _require_finite(self, beta: Vector, information: Vector) -> None:
        flat = np.linalg.eigvalsh(information)[0] < SINGULAR
        if flat or np.abs(beta).max() > RUNAWAY:
            largest = np.abs(beta).max()
            guilty = [name for name, b in zip(self._names, beta, strict=True) if abs(b) > largest / 4]
            said = "no finite hazard ratio is likeliest: its values separate those with the event from the others"
            faults = tuple(Fault(name, "separation", said) for name in guilty)
            raise ReadingError(f"separation in {', '.join(guilty)}: leave it out, or merge its categories", faults)


def _require_varying(spread: Vector, names: Sequence[str], covariates: Vector) -> None:
    size = np.abs(covariates).max(axis=0)
    constant = [name for name, s, c in zip(names, spread, size, strict=True) if s <= 1e-12 * c or s == 0]
    if constant:
        faults = tuple(Fault(name, "constant", "has one value in every row") for name in constant)
        raise ReadingError(f"a covariate that does not vary has no effect: {', '.join(constant)}", faults)


def rows_by_stratum(stratum: Indices) -> list[Indices]:
    """The rows of each stratum, in order of its code."""
    order = np.argsort(stratum, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1)
