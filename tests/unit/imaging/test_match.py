"""Whose voxel it is."""

from __future__ import annotations

import numpy as np

from trialimg.imaging.match import nearest_lesion


def test_distance_counts_in_units_of_the_lesions_size():
    points = np.array([[2.0, 0, 0], [5.0, 0, 0], [6.9, 0, 0]])
    centres = np.array([[0.0, 0, 0], [10.0, 0, 0]])
    assert nearest_lesion(points, centres, np.array([5.0, 5.0])).tolist() == [0, 0, 1]
    assert nearest_lesion(points, centres, np.array([12.0, 5.0])).tolist() == [0, 0, 0]
