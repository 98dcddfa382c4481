"""pyradiomics parameter files: every key is taken or refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from trialimg.adapters.features.parameter_file import read_parameter_file, settings_of
from trialimg.core.errors import InvalidValueError, ProtocolError
from trialimg.radiomics.settings import FeatureClass, ImageType, RadiomicsSettings


def test_nothing_named_keeps_every_default() -> None:
    assert settings_of({}) == RadiomicsSettings()


def test_what_we_print_reads_back_as_the_same_settings() -> None:
    settings = RadiomicsSettings(
        image_types=(ImageType.ORIGINAL, ImageType.LOG),
        log_sigma_mm=(Decimal("1.0"), Decimal("3.0")),
        bin_width=None,
        bin_count=32,
        resampled_spacing_mm=(Decimal("1.0"), Decimal("1.0"), Decimal("2.5")),
        bin_width_by_image_type={ImageType.LOG: Decimal("5.0")},
        feature_classes=(FeatureClass.FIRST_ORDER, FeatureClass.GLCM),
    )
    assert settings_of(settings.parameters()).parameters() == settings.parameters()


def test_bin_count_takes_the_place_of_the_default_bin_width() -> None:
    settings = settings_of({"setting": {"binCount": 16}})
    assert (settings.bin_width, settings.bin_count) == (None, 16)


def test_a_class_without_names_beside_one_with_names_stands_for_all_of_its_features() -> None:
    settings = settings_of({"featureClass": {"shape": None, "firstorder": ["Mean"]}})
    assert "firstorder_Mean" in settings.features
    assert len(settings.features) == 15


def test_settings_of_a_filter_are_set_where_only_that_filter_looks_at_them() -> None:
    settings = settings_of({"imageType": {"Wavelet": {"wavelet": "haar", "binWidth": 10}, "LoG": {"sigma": [2]}}})
    assert settings.wavelet == "haar"
    assert settings.bin_width_by_image_type == {ImageType.WAVELET: Decimal(10)}
    assert settings.log_sigma_mm == (Decimal(2),)


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"settings": {}}, "settings"),
        ({"voxelSetting": {"kernelRadius": 2}}, "voxelSetting"),
        ({"setting": {"binwidth": 5}}, "setting.binwidth"),
        ({"imageType": {"Original": {"sigma": [1]}}}, "imageType.Original.sigma"),
        ({"imageType": {"Wavelet": {"normalize": True}}}, "imageType.Wavelet.normalize"),
        ({"featureClass": {"texture": None}}, "featureClass.texture"),
        ({"featureClass": {"glcm": ["Jointentropy"]}}, "featureClass.glcm.Jointentropy"),
    ],
)
def test_an_unknown_key_is_refused_where_it_stands(parameters: object, place: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        settings_of(parameters)
    assert [(fault.where, fault.code) for fault in refusal.value.faults] == [(place, "unknown_key")]


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ([1], ""),
        ({"setting": [1]}, "setting"),
        ({"imageType": {"Wavelet": 3}}, "imageType.Wavelet"),
        ({"featureClass": {"glcm": "JointEntropy"}}, "featureClass.glcm"),
        ({"setting": {"binWidth": -1}}, "binWidth"),
        ({"setting": {"normalize": "yes"}}, "normalize"),
        ({"setting": {"distances": 1}}, "distances"),
        ({"imageType": {"Sobel": {}}}, "image_types[0]"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_where_it_stands(parameters: object, place: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        settings_of(parameters)
    assert [fault.where for fault in refusal.value.faults] == [place]


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidValueError) as refusal:
        settings_of({"setting": {"x": 1, "y": 2}, "featureClass": {"z": None}})
    assert len(refusal.value.faults) == 3


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "neither YAML nor JSON"), ("!!python/object:os.system {}", "neither")]
)
def test_a_file_that_cannot_be_parsed_is_refused_and_runs_nothing(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(text)
    with pytest.raises(ProtocolError, match=words):
        read_parameter_file(file)
