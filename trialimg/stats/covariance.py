"""How repeated measurements of one subject vary together: the structures a mixed model may assume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Autoregressive", "CompoundSymmetry", "RandomEffects", "Structure", "Unstructured"]

Vector = npt.NDArray[np.float64]
Moments = tuple[float, ...]


class Structure(Protocol):
    """A covariance matrix with free parameters; a subject's own moments pick out its rows."""

    @property
    def name(self) -> str:
        """In a sentence on methods."""
        ...

    @property
    def parameters(self) -> tuple[str, ...]:
        """What each parameter is called."""
        ...

    def start(self, variance: float) -> Vector:
        """Parameters to begin with, from the variance of the residuals."""
        ...

    def allowed(self, theta: Vector) -> bool:
        """Whether these parameters make a covariance matrix."""
        ...

    def matrix(self, theta: Vector, moments: Moments) -> Vector:
        """Covariance of the measurements at some moments."""
        ...

    def slopes(self, theta: Vector, moments: Moments) -> Vector:
        """Its derivatives, shape (parameter, moment, moment)."""
        ...


def _positive(matrix: Vector) -> bool:
    return bool(np.linalg.eigvalsh(matrix)[0] > 1e-12 * np.abs(matrix).max())


@dataclass(frozen=True)
class Unstructured:
    """A variance for each visit and a covariance for each pair; moments are places in the list of visits."""

    visits: int
    name: str = "unstructured covariance"

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        return [(i, j) for i in range(self.visits) for j in range(i + 1)]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Element by element of the lower triangle."""
        return tuple(f"covariance {i + 1},{j + 1}" for i, j in self._pairs)

    def start(self, variance: float) -> Vector:
        """Independent visits."""
        return np.array([variance if i == j else 0.0 for i, j in self._pairs])

    def allowed(self, theta: Vector) -> bool:
        """Positive definite."""
        return _positive(self.full(theta))

    def full(self, theta: Vector) -> Vector:
        """Of all visits."""
        whole = np.zeros((self.visits, self.visits))
        for value, (i, j) in zip(theta, self._pairs, strict=True):
            whole[i, j] = whole[j, i] = value
        return whole

    def matrix(self, theta: Vector, moments: Moments) -> Vector:
        """Of the visits a subject came to."""
        places = [int(m) for m in moments]
        return self.full(theta)[np.ix_(places, places)]

    def slopes(self, theta: Vector, moments: Moments) -> Vector:
        """Ones where an element stands."""
        places = [int(m) for m in moments]
        units = (self.full(unit)[np.ix_(places, places)] for unit in np.eye(len(theta)))
        return np.array(list(units))


@dataclass(frozen=True)
class CompoundSymmetry:
    """One variance, one covariance."""

    visits: int
    name: str = "compound symmetry"
    parameters: tuple[str, ...] = ("variance", "covariance")

    def start(self, variance: float) -> Vector:
        """Independent visits."""
        return np.array([variance, 0.0])

    def allowed(self, theta: Vector) -> bool:
        """Positive definite for so many visits."""
        variance, covariance = theta
        return bool(variance > 0 and covariance < variance and variance + (self.visits - 1) * covariance > 0)

    def matrix(self, theta: Vector, moments: Moments) -> Vector:
        """The same for any visits."""
        return np.asarray(np.tensordot(theta, self.slopes(theta, moments), axes=1))

    def slopes(self, theta: Vector, moments: Moments) -> Vector:  # noqa: ARG002 (the protocol's; linear in theta)
        """Diagonal, and all else."""
        size = len(moments)
        return np.array([np.eye(size), 1 - np.eye(size)])


@dataclass(frozen=True)
class Autoregressive:
    """One variance; the correlation falls as a power of the number of visits between."""

    name: str = "first-order autoregressive covariance"
    parameters: tuple[str, ...] = ("variance", "correlation")

    def start(self, variance: float) -> Vector:
        """Some correlation."""
        return np.array([variance, 0.3])

    def allowed(self, theta: Vector) -> bool:
        """A correlation inside of -1 and 1."""
        return bool(theta[0] > 0 and -1 < theta[1] < 1)

    def matrix(self, theta: Vector, moments: Moments) -> Vector:
        """By the distance of visits."""
        return np.asarray(theta[0] * theta[1] ** self._lags(moments))

    def slopes(self, theta: Vector, moments: Moments) -> Vector:
        """By variance and by correlation."""
        lags = self._lags(moments)
        return np.array([theta[1] ** lags, theta[0] * lags * theta[1] ** np.maximum(lags - 1, 0)])

    def _lags(self, moments: Moments) -> Vector:
        places = np.array(moments)
        return np.asarray(np.abs(places[:, None] - places[None, :]))


@dataclass(frozen=True)
class RandomEffects:
    """Subjects differ in their level, and in their slope over time if asked for; moments are times."""

    slope: bool

    @property
    def name(self) -> str:
        """In a sentence on methods."""
        return "random intercepts and slopes" if self.slope else "random intercepts"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Elements of the random effects' covariance, then the residual variance."""
        between = ("intercept variance", "covariance", "slope variance") if self.slope else ("intercept variance",)
        return (*between, "residual variance")

    def start(self, variance: float) -> Vector:
        """Half of the variance between subjects."""
        between = [variance / 2, 0.0, variance / 100] if self.slope else [variance / 2]
        return np.array([*between, variance / 2])

    def allowed(self, theta: Vector) -> bool:
        """Positive definite, and something left over."""
        return bool(theta[-1] > 0 and _positive(self.between(theta)))

    def between(self, theta: Vector) -> Vector:
        """Covariance of level and slope between subjects."""
        if not self.slope:
            return np.array([[theta[0]]])
        return np.array([[theta[0], theta[1]], [theta[1], theta[2]]])

    def matrix(self, theta: Vector, moments: Moments) -> Vector:
        """What level, slope and rest together make."""
        effects = self._effects(moments)
        return np.asarray(effects @ self.between(theta) @ effects.T + theta[-1] * np.eye(len(moments)))

    def slopes(self, theta: Vector, moments: Moments) -> Vector:
        """By each element."""
        effects = self._effects(moments)
        units = [effects @ self.between(unit) @ effects.T for unit in np.eye(len(theta))[:-1]]
        return np.array([*units, np.eye(len(moments))])

    def _effects(self, moments: Sequence[float]) -> Vector:
        times = np.array(moments)
        return np.column_stack([np.ones_like(times), times]) if self.slope else np.ones((len(times), 1))
