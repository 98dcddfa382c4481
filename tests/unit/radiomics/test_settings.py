"""Radiomics settings: complete, as the installed pyradiomics has them, and refused where they contradict."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import radiomics
import yaml
from radiomics.featureextractor import RadiomicsFeatureExtractor

from trialimg.core.errors import InvalidValueError
from trialimg.radiomics.settings import FeatureClass, ImageType, RadiomicsSettings

PACKAGE = Path(radiomics.__file__).parent
NOT_OF_A_REGION = {
    "additionalInfo": "what is logged",
    "voxelBased": "maps, not features of a region",
    "kernelRadius": "maps",
    "maskedKernel": "maps",
    "initValue": "maps",
    "voxelBatch": "maps",
}
"""Settings of pyradiomics that no feature of a region rests on."""


def defaults_in_source() -> dict[str, set[object]]:
    """Every ``kwargs.get(name, default)`` and ``settings.get(name, default)`` of the installed package."""
    found: dict[str, set[object]] = {}
    pattern = re.compile(r"(?:kwargs|settings)\.get\('(\w+)'(?:, ([^()\[\]]+|\[[^\]]*\]))?\)")
    for file in PACKAGE.glob("*.py"):
        for name, text in pattern.findall(file.read_text(encoding="utf-8")):
            if text and not text.startswith("sitk."):
                value = ast.literal_eval(text)
                found.setdefault(name, set()).add(tuple(value) if isinstance(value, list) else value)
    return found


def own(**settings: Any) -> dict[str, Any]:
    return RadiomicsSettings(**settings).parameters()["setting"]


def test_every_name_in_the_schema_of_pyradiomics_has_its_setting() -> None:
    schema = yaml.safe_load((PACKAGE / "schemas" / "paramSchema.yaml").read_text(encoding="utf-8"))
    known = set(schema["mapping"]["setting"]["mapping"]) - set(NOT_OF_A_REGION)
    assert set(own()) == known


def test_every_default_is_that_of_the_extractor() -> None:
    theirs = RadiomicsFeatureExtractor._getDefaultSettings()
    settings = own()
    assert {name: settings[name] for name in theirs if name not in NOT_OF_A_REGION} == {
        name: value for name, value in theirs.items() if name not in NOT_OF_A_REGION
    }


def test_every_default_hidden_in_the_source_is_spelt_out() -> None:
    hidden = defaults_in_source()
    assert {"binWidth", "gldm_a", "symmetricalGLCM", "lbp2DSamples", "wavelet", "weightingNorm"} <= set(hidden)
    settings = own()
    extractor = RadiomicsFeatureExtractor._getDefaultSettings()
    for name, values in hidden.items():
        if name in NOT_OF_A_REGION or name in extractor:  # the extractor always passes its own
            continue
        value = settings[name]
        assert (tuple(value) if isinstance(value, list) else value) in values, name


def test_image_types_and_feature_classes_are_those_installed() -> None:
    assert {kind.value for kind in ImageType} == set(radiomics.getImageTypes())
    assert {family.value for family in FeatureClass} == set(radiomics.getFeatureClasses())


def test_pyradiomics_accepts_the_parameters_as_they_are() -> None:
    settings = RadiomicsSettings(
        image_types=(ImageType.ORIGINAL, ImageType.LOG, ImageType.WAVELET),
        bin_width_by_image_type={ImageType.LOG: Decimal("12.5")},
        log_sigma_mm=(Decimal("1"), Decimal("3.5")),
        resampled_spacing_mm=(Decimal(1), Decimal(1), Decimal(1)),
        resegment_range=(Decimal(-1000), Decimal(1000)),
        features=("glcm_JointEntropy", "firstorder_Mean"),
    )
    parameters = settings.parameters()
    given = {name: value for name, value in parameters["setting"].items() if value is not None}
    extractor = RadiomicsFeatureExtractor({**parameters, "setting": given})
    assert extractor.settings["sigma"] == [1.0, 3.5]
    assert extractor.enabledImagetypes == {"Original": {}, "LoG": {"binWidth": 12.5}, "Wavelet": {}}
    assert extractor.enabledFeatures == {"firstorder": ["Mean"], "glcm": ["JointEntropy"]}


def test_without_a_choice_every_feature_of_a_class_is_wanted() -> None:
    settings = RadiomicsSettings(feature_classes=(FeatureClass.SHAPE, FeatureClass.GLCM))
    assert settings.parameters()["featureClass"] == {"shape": [], "glcm": []}


def test_numbers_become_floats_only_at_the_door_of_pyradiomics() -> None:
    settings = RadiomicsSettings(bin_width=Decimal("0.1"))
    assert settings.bin_width == Decimal("0.1")
    assert own(bin_width=Decimal("0.1"))["binWidth"] == 0.1


def test_a_value_of_settings_can_be_hashed() -> None:
    assert hash(RadiomicsSettings()) == hash(RadiomicsSettings())


D = Decimal


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({"bin_width": None}, ["bin_width"]),
        ({"bin_count": 32}, ["bin_width"]),
        ({"bin_width": D(0)}, ["bin_width"]),
        ({"bin_width": None, "bin_count": 0}, ["bin_count"]),
        ({"image_types": (ImageType.LOG,)}, ["log_sigma_mm"]),
        ({"log_sigma_mm": (D(1), D(0))}, ["log_sigma_mm[1]"]),
        ({"bin_width_by_image_type": {ImageType.LOG: D(5)}}, ["bin_width_by_image_type.LoG"]),
        ({"feature_classes": (FeatureClass.SHAPE_2D,)}, ["force_2d"]),
        ({"feature_classes": ()}, ["feature_classes"]),
        ({"image_types": (ImageType.ORIGINAL, ImageType.ORIGINAL)}, ["image_types[1]"]),
        ({"features": ("glcm_Contrast", "glcn_Contrast")}, ["features[1]"]),
        ({"distances_voxels": ()}, ["distances_voxels"]),
        ({"distances_voxels": (1, 0)}, ["distances_voxels[1]"]),
        ({"resampled_spacing_mm": (D(1), D(-1), D(1))}, ["resampled_spacing_mm[1]"]),
        ({"resegment_range": (D(1), D(2), D(3))}, ["resegment_range"]),
        ({"minimum_roi_dimensions": 4, "force_2d_dimension": 3}, ["minimum_roi_dimensions", "force_2d_dimension"]),
        ({"pad_distance_voxels": -1}, ["pad_distance_voxels"]),
        ({"label": 0}, ["label"]),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(settings: dict[str, Any], places: list[str]) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        RadiomicsSettings(**settings)
    assert [fault.where for fault in refusal.value.faults] == places


def test_zero_keeps_an_axis_from_being_resampled() -> None:
    assert own(resampled_spacing_mm=(D(1), D(1), D(0)))["resampledPixelSpacing"] == [1.0, 1.0, 0.0]


def test_every_setting_says_what_it_is() -> None:
    source = Path(__file__).resolve().parents[3] / "trialimg" / "radiomics" / "settings.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "RadiomicsSettings").body
    described = {
        node.target.id
        for node, following in pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(following, ast.Expr)
    }
    assert described == {field.name for field in fields(RadiomicsSettings)}
