"""Whose voxel is it, where the regions of several lesions meet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["nearest_lesion"]

FloatArray = npt.NDArray[np.float64]


def nearest_lesion(points_lps_mm: FloatArray, centres_lps_mm: FloatArray, radii_mm: FloatArray) -> npt.NDArray[np.intp]:
    """Which lesion each point is nearest to, in units of that lesion's size; the first of equally near ones.

    Parameters
    ----------
    points_lps_mm
        Shape (n, 3).
    centres_lps_mm
        Shape (lesions, 3).
    radii_mm
        Shape (lesions,), each > 0: the lesions' radii before they met.

    Returns
    -------
    Shape (n,): index of the lesion.
    """
    offsets = points_lps_mm[:, None, :] - centres_lps_mm[None, :, :]
    owner: npt.NDArray[np.intp] = np.argmin(np.linalg.norm(offsets, axis=2) / radii_mm, axis=1)
    return owner
