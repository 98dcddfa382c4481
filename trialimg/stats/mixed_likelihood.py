"""The likelihood of a mixed model in the parameters of its covariance, with exact first and second derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ReadingError
from trialimg.stats.covariance import Moments, Structure
from trialimg.stats.kenward_roger import adjusted_covariance

__all__ = ["Likelihood", "Pattern", "State"]

Vector = npt.NDArray[np.float64]
MOST_ITERATIONS = 200
MOST_HALVINGS = 40
SMALL_GRADIENT = 1e-9
"""Of the log-likelihood, per standard error of a parameter."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """The subjects that share their moments."""

    moments: Moments
    values: Vector
    """Shape (subject, moment)."""
    columns: Vector
    """Shape (subject, moment, fixed effect)."""


@dataclass(frozen=True, eq=False)
class State:
    """Everything that parameters of the covariance imply."""

    loglik: float
    gradient: Vector
    information: Vector
    """Expected."""
    coefficients: Vector
    covariance: Vector
    """Of the coefficients."""
    covariance_slopes: Vector
    """Derivatives of it by each parameter."""
    sums: _Sums


class Likelihood:
    """The likelihood of covariance parameters, summed over subjects that share their moments."""

    def __init__(self, patterns: list[Pattern], structure: Structure, *, restricted: bool) -> None:
        self._patterns, self._structure, self._restricted = patterns, structure, restricted

    def maximum(self, theta: Vector) -> tuple[Vector, State]:
        state = self.at(theta)
        for _ in range(MOST_ITERATIONS):
            step = np.asarray(np.linalg.lstsq(state.information, state.gradient, rcond=1e-12)[0])
            if float(state.gradient @ step) < SMALL_GRADIENT**2:
                return theta, state
            theta, state = self._improved(theta, state, step)
        raise ReadingError(f"the {self._structure.name} did not settle; choose a simpler one")

    def _improved(self, theta: Vector, state: State, step: Vector) -> tuple[Vector, State]:
        for halving in range(MOST_HALVINGS):
            tried = theta + step / 2**halving
            if not self._structure.allowed(tried):
                continue
            found = self.at(tried)
            if found.loglik >= state.loglik - 1e-11 * abs(state.loglik):
                return tried, found
        raise ReadingError(
            f"the {self._structure.name} lies on the border of what is possible (a variance of 0, or a correlation"
            " of 1); choose a simpler one"
        )

    def curvature(self, theta: Vector, state: State) -> Vector:
        """Observed information.

        Notes
        -----
        With P = W - W X F X' W: half the trace of P V'' - P V' P V', plus y' P V' P V' P y, less half of y' P V'' P y.
        """
        sums = state.sums
        pulled = np.einsum("ka,ab,lb->kl", sums.pull, state.covariance, sums.pull)
        bent = sum(self._bent(theta, pattern, state) for pattern in self._patterns)
        return np.asarray(sums.twice_quadratic - pulled - state.information + bent)

    def _bent(self, theta: Vector, pattern: Pattern, state: State) -> Vector:
        """Where the covariance is not linear in its parameters: half of tr(P V'') - y' P V'' P y."""
        inverse, second = self._second(theta, pattern)
        subjects = len(pattern.values)
        rest = (pattern.values - pattern.columns @ state.coefficients) @ inverse
        trace = subjects * np.einsum("ij,klji->kl", inverse, second)
        if self._restricted:
            weighted = np.einsum("ij,nja->nia", inverse, pattern.columns)
            squeezed = np.einsum("nia,klij,njb->klab", weighted, second, weighted)
            trace = trace - np.einsum("ab,klba->kl", state.covariance, squeezed)
        return np.asarray((trace - np.einsum("ni,klij,nj->kl", rest, second, rest)) / 2)

    def corrected(self, theta: Vector, state: State) -> Vector:
        """Kenward and Roger's covariance of the fixed effects."""
        curves = sum(self._curves(theta, pattern) for pattern in self._patterns)
        return adjusted_covariance(
            state.covariance,
            state.sums.squeeze,
            state.sums.cross_squeeze,
            np.asarray(curves),
            theta_covariance=np.asarray(np.linalg.inv(state.information)),
        )

    def _curves(self, theta: Vector, pattern: Pattern) -> Vector:
        """X W V'' W X of each pair of parameters."""
        inverse, second = self._second(theta, pattern)
        weighted = np.einsum("ij,nja->nia", inverse, pattern.columns)
        return np.asarray(np.einsum("nia,klij,njb->klab", weighted, second, weighted))

    def _second(self, theta: Vector, pattern: Pattern) -> tuple[Vector, Vector]:
        """W, and V'' by central differences of the exact slopes: 0 where the covariance is linear."""
        slopes, moments = self._structure.slopes, pattern.moments
        steps = np.diag(1e-5 * np.maximum(np.abs(theta), 1e-3))
        differences = np.array([slopes(theta + step, moments) - slopes(theta - step, moments) for step in steps])
        second = differences / (2 * np.diag(steps))[:, None, None, None]
        return np.asarray(np.linalg.inv(self._structure.matrix(theta, moments))), second

    def at(self, theta: Vector) -> State:
        """Likelihood, its slopes, and the fixed effects that belong to these parameters."""
        inverses = [np.asarray(np.linalg.inv(self._structure.matrix(theta, p.moments))) for p in self._patterns]
        pairs = list(zip(self._patterns, inverses, strict=True))
        weight = sum(np.einsum("nia,ij,njb->ab", p.columns, w, p.columns) for p, w in pairs)
        pull = sum(np.einsum("nia,ij,nj->a", p.columns, w, p.values) for p, w in pairs)
        covariance = np.linalg.inv(np.asarray(weight))
        beta = covariance @ np.asarray(pull)
        sums = _Sums.zero(len(theta), len(beta))
        for pattern, inverse in pairs:
            sums.add(pattern, inverse, self._structure.slopes(theta, pattern.moments), beta)
        shrunk = np.einsum("ab,kbc->kac", covariance, sums.squeeze)
        gradient = 0.5 * (sums.quadratic - sums.trace)
        information = 0.5 * sums.cross
        loglik = sums.loglik
        if self._restricted:
            gradient = gradient + 0.5 * np.einsum("kaa->k", shrunk)
            information = information - np.einsum("ab,klba->kl", covariance, sums.cross_squeeze)
            information = information + 0.5 * np.einsum("kab,lba->kl", shrunk, shrunk)
            _, determinant = np.linalg.slogdet(covariance)
            loglik += 0.5 * determinant + 0.5 * len(beta) * math.log(2 * math.pi)
        slopes = np.einsum("kab,bc->kac", shrunk, covariance)
        return State(loglik, gradient, information, beta, covariance, slopes, sums)


@dataclass(eq=False)
class _Sums:
    """Sums over subjects; W is the inverse covariance, V' a derivative, X the fixed effects, e the residual."""

    loglik: float
    trace: Vector
    """W V'."""
    quadratic: Vector
    """e W V' W e."""
    squeeze: Vector
    """X W V' W X."""
    cross: Vector
    """Trace of W V' W V'."""
    cross_squeeze: Vector
    """X W V' W V' W X."""
    pull: Vector
    """X W V' W e."""
    twice_quadratic: Vector
    """e W V' W V' W e."""

    @classmethod
    def zero(cls, parameters: int, effects: int) -> _Sums:
        k, p = parameters, effects
        squares = np.zeros((k, k)), np.zeros((k, k, p, p)), np.zeros((k, p)), np.zeros((k, k))
        return cls(0.0, np.zeros(k), np.zeros(k), np.zeros((k, p, p)), *squares)

    def add(self, pattern: Pattern, inverse: Vector, slopes: Vector, beta: Vector) -> None:
        subjects, moments = pattern.values.shape
        residual = pattern.values - pattern.columns @ beta
        inside = np.einsum("ij,kjl->kil", inverse, slopes)
        around = np.einsum("kil,lm->kim", inside, inverse)
        grams = np.einsum("nia,njb->ijab", pattern.columns, pattern.columns)
        _, determinant = np.linalg.slogdet(inverse)
        self.loglik += 0.5 * subjects * (determinant - moments * math.log(2 * math.pi))
        self.loglik -= 0.5 * float(np.einsum("ni,ij,nj->", residual, inverse, residual))
        self.trace += subjects * np.einsum("kii->k", inside)
        self.quadratic += np.einsum("ni,kij,nj->k", residual, around, residual)
        self.squeeze += np.einsum("kij,ijab->kab", around, grams)
        self.cross += subjects * np.einsum("kij,lji->kl", inside, inside)
        twice = np.einsum("kij,ljm->klim", inside, around)
        self.cross_squeeze += np.einsum("klij,ijab->klab", twice, grams)
        self.pull += np.einsum("nia,kij,nj->ka", pattern.columns, around, residual)
        self.twice_quadratic += np.einsum("ni,klij,nj->kl", residual, twice, residual)
