"""Radiomic features by pyradiomics, with every setting given and none of its hidden state left behind."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from typing import Any

import SimpleITK as sitk

from trialimg.core.errors import GeometryError
from trialimg.volume import Mask, Volume

__all__ = ["PyradiomicsExtractor"]

Parameters = Mapping[str, Mapping[str, Any]]


class PyradiomicsExtractor:
    """Features named as pyradiomics names them, ``<image type>_<class>_<feature>``.

    Parameters
    ----------
    parameters
        ``setting``, ``imageType`` and ``featureClass`` as in a pyradiomics parameter file, complete.

    References
    ----------
    van Griethuysen JJM et al. Computational radiomics system to decode the radiographic phenotype. Cancer Res
    2017;77:e104.
    """

    name = "pyradiomics"

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = {section: dict(values) for section, values in parameters.items()}

    @property
    def version(self) -> str:
        return version("pyradiomics-bhklab")

    def parameters(self) -> Mapping[str, object]:
        return dict(self._parameters)

    def extract(self, image: Volume, mask: Mask, label: int) -> Mapping[str, float]:
        image.geometry.require_same(mask.geometry, "image", "mask")
        if label not in mask.labels:
            held = ", ".join(map(str, mask.labels)) or "none"
            raise GeometryError(f"label {label} is not in the mask, which holds {held}")
        with _tolerances_kept():
            try:
                region = Mask(mask.array, image.geometry)  # the same grid to the last digit, as pyradiomics wants it
                answer = self._extractor.execute(image.to_sitk(), region.to_sitk(), label=label)
            except ValueError as refusal:  # too few voxels or dimensions, in pyradiomics' own words
                raise GeometryError(f"label {label} has no features: {refusal}") from refusal
        values = {name: float(value) for name, value in answer.items()}
        return {name: value for name, value in values.items() if math.isfinite(value)}

    @cached_property
    def _extractor(self) -> Any:
        from radiomics import setVerbosity
        from radiomics.featureextractor import RadiomicsFeatureExtractor

        setVerbosity(logging.CRITICAL)
        with _tolerances_kept():
            extractor = RadiomicsFeatureExtractor()
            setting = {name: value for name, value in self._parameters["setting"].items() if value is not None}
            extractor.settings = {**setting, "additionalInfo": False}
            extractor.disableAllImageTypes()
            extractor.enableImageTypes(**self._parameters["imageType"])
            extractor.disableAllFeatures()
            extractor.enableFeaturesByName(**self._parameters["featureClass"])
        return extractor

    def __getstate__(self) -> dict[str, object]:
        return {"_parameters": self._parameters}


@contextmanager
def _tolerances_kept() -> Iterator[None]:
    """pyradiomics sets SimpleITK's tolerances for the whole process; put back what was there."""
    coordinate = sitk.ProcessObject.GetGlobalDefaultCoordinateTolerance()
    direction = sitk.ProcessObject.GetGlobalDefaultDirectionTolerance()
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultCoordinateTolerance(coordinate)
        sitk.ProcessObject.SetGlobalDefaultDirectionTolerance(direction)
