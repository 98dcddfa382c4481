"""The exact (discrete) partial likelihood of tied events.

References
----------
Gail MH, Lubin JH, Rubinstein LV. Likelihood calculations for matched case-control studies and survival studies with
tied death times. Biometrika 1981 (the recursion).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["exact_contribution"]

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class _Spans(Protocol):
    @property
    def start(self) -> Vector: ...
    @property
    def stop(self) -> Vector: ...
    @property
    def event(self) -> npt.NDArray[np.bool_]: ...
    @property
    def covariates(self) -> Vector: ...


def exact_contribution(spans: _Spans, rows: Indices, beta: Vector) -> tuple[float, Vector, Vector]:
    """Log-likelihood, slope and information of one stratum: which of those at risk died, given how many."""
    start, stop, event, x = spans.start[rows], spans.stop[rows], spans.event[rows], spans.covariates[rows]
    predictor = x @ beta
    loglik, score = 0.0, np.zeros(len(beta))
    information = np.zeros((len(beta), len(beta)))
    for moment in np.unique(stop[event]):
        inside = (start < moment) & (stop >= moment)
        dead = event & (stop == moment)
        shift = predictor[inside].max()
        deaths = int(dead.sum())
        total, slope, curve = _elementary(np.exp(predictor[inside] - shift), x[inside], deaths)
        mean = slope / total
        loglik += float(predictor[dead].sum() - deaths * shift - np.log(total))
        score += x[dead].sum(axis=0) - mean
        information += curve / total - np.outer(mean, mean)
    return loglik, score, information


def _elementary(risk: Vector, x: Vector, deaths: int) -> tuple[float, Vector, Vector]:
    """Sum over all choices of so many of those at risk of the product of their risks, with two derivatives."""
    covariates = x.shape[1]
    total = np.zeros(deaths + 1)
    slope = np.zeros((deaths + 1, covariates))
    curve = np.zeros((deaths + 1, covariates, covariates))
    total[0] = 1.0
    scale = 1.0 / risk.sum()
    for r, xi in zip(risk * scale, x, strict=True):
        one = r * xi
        two = one[:, None] * xi[None, :]
        cross = one[None, :, None] * slope[:-1, None, :]
        curve[1:] += r * curve[:-1] + cross + cross.transpose(0, 2, 1) + total[:-1, None, None] * two
        slope[1:] += r * slope[:-1] + total[:-1, None] * one
        total[1:] += r * total[:-1]
    factor = float(scale ** (-deaths))
    return float(total[deaths]) * factor, slope[deaths] * factor, curve[deaths] * factor
