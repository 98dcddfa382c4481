"""An asymmetric oblique body with balls at known places; pixels of 0.7 x 0.9 mm, so that nothing agrees by chance."""

from __future__ import annotations

import numpy as np

from trialimg.volume import Geometry, Mask, Unit, Volume

ROWS, COLUMNS, SLICES = 400, 480, 41
BETWEEN_ROWS, BETWEEN_COLUMNS, BETWEEN_SLICES = 0.9, 0.7, 2.5
CENTRE = np.array([10.0, -15.0, -320.0])
MIDDLE = SLICES // 2
BODY = (155.0, 148.0)


def _rotation(axis, degrees):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    i, j = (k for k in range(3) if k != axis)
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


TURN = _rotation(2, 20) @ _rotation(0, 12) @ _rotation(1, -8)
ROW, COLUMN, NORMAL = TURN.T

BALLS = {
    "left": (120, -20, 10.0),
    "right": (-110, -40, 8.5),
    "anterior": (20, -130, 7.0),
    "posterior": (-30, 125, 5.5),
    "inner": (60, 70, 4.0),
}
"""Along a row, along a column (mm from the centre, middle slice), radius; each radius is another."""

LESION_CENTRE, LESION_HALF_AXES_MM, LESION_DEGREES = (-45.0, 30.0), (16.0, 6.0, 24.0), 25.0


def in_plane(along_row, along_column):
    """Place on the middle slice, LPS mm."""
    return CENTRE + along_row * ROW + along_column * COLUMN


def lesion_axis(which):
    """Ends of the lesion's long or short axis on the middle slice, LPS mm."""
    t = np.deg2rad(LESION_DEGREES)
    is_long = which == "long"
    a, b = (np.cos(t), np.sin(t)) if is_long else (-np.sin(t), np.cos(t))
    half = LESION_HALF_AXES_MM[0 if is_long else 1]
    return [in_plane(LESION_CENTRE[0] + sign * half * a, LESION_CENTRE[1] + sign * half * b) for sign in (-1, 1)]


def grid():
    corner = (COLUMNS - 1) / 2 * BETWEEN_COLUMNS * ROW + (ROWS - 1) / 2 * BETWEEN_ROWS * COLUMN
    origin = CENTRE - corner - MIDDLE * BETWEEN_SLICES * NORMAL
    spacing = (BETWEEN_COLUMNS, BETWEEN_ROWS, BETWEEN_SLICES)
    return Geometry((COLUMNS, ROWS, SLICES), spacing, tuple(origin), tuple(TURN.ravel()))


def scan(seed, scale):
    """The image in HU and the lesion's mask; ``scale`` shrinks the lesion."""
    rng = np.random.default_rng(seed)
    a = ((np.arange(COLUMNS) - (COLUMNS - 1) / 2) * BETWEEN_COLUMNS)[None, None, :]
    b = ((np.arange(ROWS) - (ROWS - 1) / 2) * BETWEEN_ROWS)[None, :, None]
    n = ((np.arange(SLICES) - MIDDLE) * BETWEEN_SLICES)[:, None, None]
    hu = np.where((a / BODY[0]) ** 2 + (b / BODY[1]) ** 2 < 1, 40.0, -1000.0) + 0 * n
    t = np.deg2rad(LESION_DEGREES)
    u, v = a - LESION_CENTRE[0], b - LESION_CENTRE[1]
    u, v = u * np.cos(t) + v * np.sin(t), -u * np.sin(t) + v * np.cos(t)
    la, lb, ln = (half * scale for half in LESION_HALF_AXES_MM)
    mask = (u / la) ** 2 + (v / lb) ** 2 + (n / ln) ** 2 < 1
    hu[mask] = 140
    for ball_a, ball_b, radius in BALLS.values():
        hu[(a - ball_a) ** 2 + (b - ball_b) ** 2 + n**2 < radius**2] = 2000
    noisy = np.rint(hu + rng.normal(0, 8, (1, ROWS, COLUMNS))).astype(np.int16)
    return Volume(noisy, grid(), "CT", Unit.HU), Mask(mask.astype(np.uint8), grid())


PET_GRID = Geometry((60, 64, 50), (4.0, 4.0, 4.0), (-110.0, -130.0, -420.0))
"""Not turned: nothing of it lies on the grid of the CT."""
UPTAKE, UPTAKE_RADIUS_MM, BACKGROUND = 16.0, 14.0, 1.0
HOT_SPOT = in_plane(40.0, -10.0)
"""In the middle slice, away from every ball and from the lesion; LPS mm."""


def uptake():
    """A PET image in SUV: one hot ball whose uptake falls off linearly from its middle, in an even background."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in PET_GRID.shape), indexing="ij")
    away = np.linalg.norm(PET_GRID.to_lps(np.stack([i, j, k], axis=-1)) - HOT_SPOT, axis=-1)
    values = np.maximum(UPTAKE * (1 - away / (2 * UPTAKE_RADIUS_MM)), BACKGROUND)
    return Volume(values.astype(np.float32), PET_GRID, "PT", Unit.SUV_BW)
