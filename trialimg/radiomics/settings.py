"""Every setting that a radiomic feature rests on, with its default spelled out.

The names and defaults are those of pyradiomics 3.1, in the order of its documentation; `RadiomicsSettings.parameters`
gives them back under its own names. Settings of voxel-based maps and of logging are not here: no feature of a region
rests on them.

References
----------
van Griethuysen JJM et al. Computational radiomics system to decode the radiographic phenotype. Cancer Res 2017;77:e104.
Zwanenburg A et al. The Image Biomarker Standardization Initiative. Radiology 2020;295:328.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["FeatureClass", "ImageType", "RadiomicsSettings", "setting_names"]

Interpolator = Literal[
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
]


class ImageType(Enum):
    """The image as it is, or what a filter makes of it."""

    ORIGINAL = "Original"
    LOG = "LoG"
    WAVELET = "Wavelet"
    SQUARE = "Square"
    SQUARE_ROOT = "SquareRoot"
    LOGARITHM = "Logarithm"
    EXPONENTIAL = "Exponential"
    GRADIENT = "Gradient"
    LBP_2D = "LBP2D"
    LBP_3D = "LBP3D"


class FeatureClass(Enum):
    """A family of features."""

    SHAPE = "shape"
    SHAPE_2D = "shape2D"
    FIRST_ORDER = "firstorder"
    GLCM = "glcm"
    GLRLM = "glrlm"
    GLSZM = "glszm"
    GLDM = "gldm"
    NGTDM = "ngtdm"


_NOT_SETTINGS = ("image_types", "bin_width_by_image_type", "feature_classes", "features")
_OWN_NAMES = {
    "minimum_roi_dimensions": "minimumROIDimensions",
    "minimum_roi_size_voxels": "minimumROISize",
    "label_channel": "label_channel",
    "remove_outliers_sd": "removeOutliers",
    "resampled_spacing_mm": "resampledPixelSpacing",
    "pad_distance_voxels": "padDistance",
    "distances_voxels": "distances",
    "force_2d": "force2D",
    "force_2d_dimension": "force2Ddimension",
    "log_sigma_mm": "sigma",
    "wavelet_start_level": "start_level",
    "wavelet_level": "level",
    "lbp_2d_radius_voxels": "lbp2DRadius",
    "lbp_2d_samples": "lbp2DSamples",
    "lbp_2d_method": "lbp2DMethod",
    "lbp_3d_levels": "lbp3DLevels",
    "lbp_3d_icosphere_radius_voxels": "lbp3DIcosphereRadius",
    "lbp_3d_icosphere_subdivision": "lbp3DIcosphereSubdivision",
    "symmetrical_glcm": "symmetricalGLCM",
    "gldm_a": "gldm_a",
}


@dataclass(frozen=True)
class RadiomicsSettings:
    """How the image is prepared, binned and filtered before features are computed, and which features."""

    image_types: tuple[ImageType, ...] = (ImageType.ORIGINAL,)
    """The image itself and the filters whose result is measured as well."""
    feature_classes: tuple[FeatureClass, ...] = (
        FeatureClass.SHAPE,
        FeatureClass.FIRST_ORDER,
        FeatureClass.GLCM,
        FeatureClass.GLRLM,
        FeatureClass.GLSZM,
        FeatureClass.GLDM,
        FeatureClass.NGTDM,
    )
    """Families of features; shape2D needs force_2d."""
    features: tuple[str, ...] = ()
    """Only these, as class_Name (glcm_JointEntropy); empty: every feature of the classes that is not deprecated."""
    bin_width: Decimal | None = Decimal("25")
    """Width of a grey-level bin, in the unit of the image (HU, SUV); null where bin_count is given."""
    bin_count: int | None = None
    """Number of grey-level bins between the region's minimum and maximum; null where bin_width is given."""
    bin_width_by_image_type: Mapping[ImageType, Decimal] = field(default_factory=dict, hash=False)
    """Another bin width for a filter whose values have another range."""
    normalize: bool = False
    """Whether the whole image is brought to mean 0 and standard deviation normalize_scale."""
    normalize_scale: Decimal = Decimal("1")
    """Standard deviation after normalisation."""
    remove_outliers_sd: Decimal | None = None
    """Values beyond this many standard deviations are clipped in normalisation; null: no clipping."""
    resampled_spacing_mm: tuple[Decimal, Decimal, Decimal] | None = None
    """Voxel edge (x, y, z) that image and mask are resampled to, in mm; 0 keeps an axis; null: no resampling."""
    interpolator: Interpolator = "sitkBSpline"
    """How the image is interpolated in resampling (the mask: nearest neighbour)."""
    pre_crop: bool = False
    """Whether the image is cut to the region plus pad_distance_voxels where it is not resampled."""
    pad_distance_voxels: int = 5
    """Margin kept around the region when the image is cut, in voxels; a filter sees no further."""
    resegment_range: tuple[Decimal, ...] | None = None
    """Lower (and upper) value that a voxel of the region must have; unit by resegment_mode; null: keep all."""
    resegment_mode: Literal["absolute", "relative", "sigma"] = "absolute"
    """Range in the unit of the image, in parts of the region's maximum, or in standard deviations about its mean."""
    resegment_shape: bool = False
    """Whether shape features are computed on the resegmented region as well."""
    label: int = 1
    """Value of the region in the mask; a case's own label takes its place."""
    label_channel: int = 0
    """Channel of a vector mask that holds the region."""
    minimum_roi_dimensions: int = 2
    """Smallest number of axes along which the region extends over more than one voxel."""
    minimum_roi_size_voxels: int | None = None
    """Smallest number of voxels of a region; null: any."""
    geometry_tolerance: Decimal | None = None
    """Relative difference between the grids of image and mask that is let pass; null: that of SimpleITK."""
    correct_mask: bool = False
    """Whether a mask on another grid is resampled onto the image's; False: refused."""
    voxel_array_shift: int = 0
    """Added to every value before Energy, Total Energy and Root Mean Squared, in the unit of the image."""
    symmetrical_glcm: bool = True
    """Whether a pair of grey levels counts in both directions."""
    distances_voxels: tuple[int, ...] = (1,)
    """Chebyshev distance between neighbours of GLCM, GLDM and NGTDM, in voxels."""
    weighting_norm: Literal["manhattan", "euclidean", "infinity", "no_weighting"] | None = None
    """How directions are weighted before GLCM and GLRLM are merged; null: features are averaged over directions."""
    gldm_a: int = 0
    """Grey levels that differ by no more than this count as dependent in GLDM."""
    force_2d: bool = False
    """Whether neighbours are looked for in one plane only."""
    force_2d_dimension: int = 0
    """Axis across that plane: 0 = slices (axial), 1 = rows, 2 = columns."""
    log_sigma_mm: tuple[Decimal, ...] = ()
    """Widths of the Laplacian of Gaussian, in mm."""
    wavelet: str = "coif1"
    """Mother wavelet, by its PyWavelets name."""
    wavelet_start_level: int = 0
    """First level of decomposition that is measured."""
    wavelet_level: int = 1
    """Number of levels of decomposition."""
    gradient_use_spacing: bool = True
    """Whether the gradient is per mm rather than per voxel."""
    lbp_2d_radius_voxels: Decimal = Decimal("1")
    """Radius of the circle of neighbours of a 2D local binary pattern, in voxels."""
    lbp_2d_samples: int = 8
    """Points on that circle."""
    lbp_2d_method: Literal["default", "ror", "uniform", "var"] = "uniform"
    """Kind of 2D local binary pattern."""
    lbp_3d_levels: int = 2
    """Levels of the spherical harmonics of a 3D local binary pattern."""
    lbp_3d_icosphere_radius_voxels: Decimal = Decimal("1")
    """Radius of the sphere of neighbours, in voxels."""
    lbp_3d_icosphere_subdivision: int = 1
    """Subdivisions of that sphere."""

    def __post_init__(self) -> None:
        if faults := (*self._grey_level_faults(), *self._range_faults(), *self._choice_faults(), *self._need_faults()):
            raise InvalidValueError(*faults)

    def parameters(self) -> dict[str, dict[str, Any]]:
        """The settings under pyradiomics' own names: ``setting``, ``imageType`` and ``featureClass``.

        Complete, defaults included; an absent bound (``None``) is given as such. Decimals become floats here.
        """
        setting = {theirs: _number(getattr(self, ours)) for theirs, ours in setting_names().items()}
        image_types: dict[str, Any] = {
            kind.value: {"binWidth": float(self.bin_width_by_image_type[kind])}
            if kind in self.bin_width_by_image_type
            else {}
            for kind in self.image_types
        }
        chosen = [feature.partition("_") for feature in self.features]
        classes = {
            family.value: [name for prefix, _, name in chosen if prefix == family.value]
            for family in self.feature_classes
        }
        wanted = {name: names for name, names in classes.items() if names or not self.features}
        return {"setting": setting, "imageType": image_types, "featureClass": wanted}

    def _grey_level_faults(self) -> Iterator[Fault]:
        if (self.bin_width is None) == (self.bin_count is None):
            yield Fault("bin_width", "one_of_two", "give exactly one of bin_width and bin_count, null for the other")
        for kind, width in self.bin_width_by_image_type.items():
            where = f"bin_width_by_image_type.{kind.value}"
            if kind not in self.image_types:
                yield Fault(where, "not_applicable", f"{kind.value} is not one of the image types")
            if width <= 0:
                yield Fault(where, "out_of_range", f"a bin is wider than 0, not {width}")

    def _range_faults(self) -> Iterator[Fault]:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                limit = f"at least {low}" if high == math.inf else f"in {low}..{high}"
                yield Fault(name, "out_of_range", f"must be {limit}, not {value}")
        for name in _POSITIVE:
            for where, number in _numbers(name, getattr(self, name)):
                if number <= 0:
                    yield Fault(where, "out_of_range", f"must be greater than 0, not {number}")
        if self.resegment_range is not None and len(self.resegment_range) not in (1, 2):
            yield Fault("resegment_range", "bad_value", "give the lower value, or the lower and the upper one")

    def _choice_faults(self) -> Iterator[Fault]:
        for name in ("image_types", "feature_classes", "distances_voxels"):
            if not getattr(self, name):
                yield Fault(name, "empty", "name at least one")
        for name in ("image_types", "feature_classes"):
            chosen = getattr(self, name)
            for position in (index for index, value in enumerate(chosen) if value in chosen[:index]):
                yield Fault(f"{name}[{position}]", "duplicate", f"{chosen[position].value!r} is named already")
        for where, edge in _numbers("resampled_spacing_mm", self.resampled_spacing_mm):
            if edge < 0:
                yield Fault(where, "out_of_range", f"must be 0 or more mm, not {edge}")

    def _need_faults(self) -> Iterator[Fault]:
        families = {family.value for family in self.feature_classes}
        for position, feature in enumerate(self.features):
            if feature.partition("_")[0] not in families:
                message = f"{feature!r} is not class_Name of one of the feature classes"
                yield Fault(f"features[{position}]", "unknown_feature", message)
        if ImageType.LOG in self.image_types and not self.log_sigma_mm:
            yield Fault("log_sigma_mm", "missing_key", "the image type LoG needs at least one width")
        if FeatureClass.SHAPE_2D in self.feature_classes and not self.force_2d:
            yield Fault("force_2d", "missing_key", "the feature class shape2D needs force_2d: true")


_RANGES = (
    ("minimum_roi_dimensions", 1, 3),
    ("minimum_roi_size_voxels", 1, math.inf),
    ("pad_distance_voxels", 0, math.inf),
    ("label", 1, math.inf),
    ("label_channel", 0, math.inf),
    ("gldm_a", 0, math.inf),
    ("force_2d_dimension", 0, 2),
    ("wavelet_start_level", 0, math.inf),
    ("wavelet_level", 1, math.inf),
    ("lbp_2d_samples", 1, math.inf),
    ("lbp_3d_levels", 1, math.inf),
    ("lbp_3d_icosphere_subdivision", 0, math.inf),
)
_POSITIVE = (
    "bin_width",
    "bin_count",
    "normalize_scale",
    "remove_outliers_sd",
    "geometry_tolerance",
    "log_sigma_mm",
    "distances_voxels",
    "lbp_2d_radius_voxels",
    "lbp_3d_icosphere_radius_voxels",
)


def _numbers(name: str, value: Decimal | int | tuple[Decimal | int, ...] | None) -> Iterator[tuple[str, Decimal | int]]:
    """Each number of a setting with its place; nothing for one that is not set."""
    if isinstance(value, tuple):
        yield from ((f"{name}[{position}]", number) for position, number in enumerate(value))
    elif value is not None:
        yield name, value


def setting_names() -> dict[str, str]:
    """pyradiomics' name to ours, of every entry of its section ``setting``."""
    return {
        _pyradiomics_name(item.name): item.name for item in fields(RadiomicsSettings) if item.name not in _NOT_SETTINGS
    }


def _pyradiomics_name(name: str) -> str:
    if name in _OWN_NAMES:
        return _OWN_NAMES[name]
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return [_number(item) for item in value]
    return value
