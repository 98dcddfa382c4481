"""Voxels on a grid: `Geometry` apart from `Volume` and `Mask`; `resample` is the only way to change a grid."""

from trialimg.volume.geometry import Geometry
from trialimg.volume.volume import Mask, Unit, Volume

__all__ = ["Geometry", "Mask", "Unit", "Volume"]
