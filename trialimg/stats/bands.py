"""Pointwise limits of a survival curve on the scales that R offers.

Each takes the survival S and the standard error of its logarithm and gives both limits; nan where the scale has no
value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["BANDS"]

Vector = npt.NDArray[np.float64]
Band = Callable[[Vector, Vector, float], tuple[Vector, Vector]]


def _log_log(survival: Vector, log_se: Vector, z: float) -> tuple[Vector, Vector]:
    inside = np.where((survival > 0) & (survival < 1), survival, np.nan)
    spread = z * log_se / np.log(inside)
    return inside ** np.exp(-spread), inside ** np.exp(spread)


def _log(survival: Vector, log_se: Vector, z: float) -> tuple[Vector, Vector]:
    positive = np.where(survival > 0, survival, np.nan)
    return positive * np.exp(-z * log_se), np.minimum(1.0, positive * np.exp(z * log_se))


def _plain(survival: Vector, log_se: Vector, z: float) -> tuple[Vector, Vector]:
    positive = np.where(survival > 0, survival, np.nan)
    half = z * log_se * positive
    return np.maximum(0.0, positive - half), np.minimum(1.0, positive + half)


def _logit(survival: Vector, log_se: Vector, z: float) -> tuple[Vector, Vector]:
    inside = np.where((survival > 0) & (survival < 1), survival, np.nan)
    centre, half = np.log(inside / (1 - inside)), z * log_se / (1 - inside)
    return 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))


def _arcsin(survival: Vector, log_se: Vector, z: float) -> tuple[Vector, Vector]:
    inside = np.where((survival > 0) & (survival < 1), survival, np.nan)
    centre, half = np.arcsin(np.sqrt(inside)), 0.5 * z * log_se * np.sqrt(inside / (1 - inside))
    return np.sin(np.maximum(0.0, centre - half)) ** 2, np.sin(np.minimum(np.pi / 2, centre + half)) ** 2


BANDS: dict[str, Band] = {
    "log-log": _log_log,
    "log": _log,
    "plain": _plain,
    "logit": _logit,
    "arcsin": _arcsin,
}
"""Name, R's ``conf.type``, to the limits of (survival, standard error of its logarithm, normal quantile)."""
