"""Fixed effects in small samples, where the covariance of the measurements had to be estimated too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["adjusted_covariance", "scale_and_degrees"]

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


def scale_and_degrees(
    contrasts: Vector, covariance: Vector, slopes: Vector, *, theta_covariance: Vector
) -> tuple[float, float]:
    """By what to multiply the F of several contrasts, and the degrees of freedom of its denominator.

    Parameters
    ----------
    contrasts
        Shape (l, fixed effect), no one a combination of the others.
    covariance, slopes
        Of the fixed effects, as if the covariance of the measurements were known, and its derivatives by the
        parameters of that.
    theta_covariance
        Of those parameters, from the expected information.

    Notes
    -----
    So chosen that the scaled F has the mean and the variance, to the order that a Taylor expansion gives, of an F with
    l and m degrees of freedom, and is exact where the exact test is one (Hotelling's T squared, balanced split plots).

    References
    ----------
    Kenward MG, Roger JH. Biometrics 1997; 53: 983-997, section 3 and appendix.
    """
    l = len(contrasts)  # noqa: E741 (the paper's letter)
    inside = contrasts.T @ np.linalg.solve(contrasts @ covariance @ contrasts.T, contrasts)
    bent = inside @ slopes
    traces = np.einsum("kaa->k", bent)
    a1 = float(traces @ theta_covariance @ traces)
    a2 = float(np.einsum("ij,iab,jba->", theta_covariance, bent, bent))
    b = (a1 + 6 * a2) / (2 * l)
    g = ((l + 1) * a1 - (l + 4) * a2) / ((l + 2) * a2)
    c1, c2, c3 = (part / (3 * l + 2 * (1 - g)) for part in (g, l - g, l + 2 - g))
    ratio = (1 - a2 / l) ** 2 * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b)) / l
    m = 4 + (l + 2) / (l * ratio - 1)
    return m * (1 - a2 / l) / (m - 2), m
