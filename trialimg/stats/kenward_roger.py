"""The covariance of fixed effects in small samples, where that of the measurements had to be estimated too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["adjusted_covariance"]

Vector = npt.NDArray[np.float64]


def adjusted_covariance(
    covariance: Vector, squeeze: Vector, cross: Vector, curves: Vector, *, theta_covariance: Vector
) -> Vector:
    """What the covariance of the fixed effects is once the uncertainty of the variance parameters is counted.

    Parameters
    ----------
    covariance
        Of the fixed effects, F, as if the covariance V of the measurements were known.
    squeeze, cross, curves
        With W the inverse of V and X the fixed effects: X' W V'i W X, shape (k, p, p); X' W V'i W V'j W X and
        X' W V''ij W X, shape (k, k, p, p).
    theta_covariance
        Of the k parameters of V, from the expected information.

    Notes
    -----
    F + 2 F {sum of w_ij (Q_ij - P_i F P_j - R_ij / 4)} F, with P_i = -squeeze, Q = cross, R = curves. The second part
    undoes that F is too small because V is estimated; the quarter of R is nil where V is linear in its parameters.

    References
    ----------
    Kenward MG, Roger JH. Small sample inference for fixed effects from restricted maximum likelihood. Biometrics 1997;
    53: 983-997.
    """
    spread = cross - np.einsum("iab,bc,jcd->ijad", squeeze, covariance, squeeze) - curves / 4
    inner = np.einsum("ij,ijab->ab", theta_covariance, spread)
    adjusted = covariance + 2 * covariance @ inner @ covariance
    return np.asarray((adjusted + adjusted.T) / 2)
