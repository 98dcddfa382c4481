"""Which segmenter a name, a folder or a protocol means, and what is refused."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import scripted_bundle
from trialimg import bootstrap
from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.adapters.segmenters.ellipsoid import EllipsoidSegmenter
from trialimg.adapters.segmenters.monai_bundle import MonaiBundleSegmenter
from trialimg.bootstrap import segmenters
from trialimg.core.errors import ModelError, ProtocolError
from trialimg.protocol.images import Device, Segmentation

WRONG_DIGEST = "sha256:" + 64 * "0"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return scripted_bundle(tmp_path / "models" / "tiny")


@pytest.fixture
def outsiders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other packages that bring a segmenter of their own, one called like ours, and one that is not there."""
    group = "trialimg.segmenters"
    theirs = [
        EntryPoint("bright", "tests.fakes.imaging:BrightSegmenter", group),
        EntryPoint("ellipsoid", "tests.fakes.imaging:BrightSegmenter", group),
        EntryPoint("gone", "tests.fakes.imaging:NoSuchSegmenter", group),
    ]
    installed = segmenters.entry_points(group=group)
    everything = EntryPoints([*installed, *theirs])
    monkeypatch.setattr(segmenters, "entry_points", lambda **wanted: everything.select(**wanted))


class TestByName:
    def test_ours_by_their_names_with_their_settings(self):
        assert bootstrap.segmenter("ellipsoid", parameters={"across": 0.8}) == EllipsoidSegmenter(across=0.8)
        assert bootstrap.segmenter("classical") == ClassicalSegmenter()

    @pytest.mark.parametrize("name", ["nnunext", "no/such/folder"])
    def test_an_unknown_name_is_refused_with_the_known_ones(self, name):
        with pytest.raises(
            ModelError, match=f"no segmenter is called {name!r}; there are .*, or the path of a model"
        ) as no:
            bootstrap.segmenter(name)
        ours = {"classical", "ellipsoid", "monai_bundle", "nnunet", "onnx", "remote", "torchscript"}
        assert [one for one in ours if one not in str(no.value)] == []

    def test_settings_it_does_not_have_are_named_all_at_once(self):
        with pytest.raises(ModelError) as refusal:
            bootstrap.segmenter("ellipsoid", parameters={"acros": 1, "across": 1, "size": 2, "model": "x"})
        assert "no setting 'acros'; it has across, through, point_diameter_mm" in str(refusal.value)
        assert "no setting 'size'" in str(refusal.value)
        assert "no setting 'model'" in str(refusal.value)
        assert "'across'" not in str(refusal.value)

    def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_setting(self):
        with pytest.raises(ModelError, match=r"parameters\.across: must be a number greater than 0, not 'wide'"):
            bootstrap.segmenter("classical", parameters={"across": "wide"})

    def test_a_model_for_one_without_a_model_is_refused_and_the_other_way_round(self, bundle):
        with pytest.raises(ModelError, match="ellipsoid works without a model"):
            bootstrap.segmenter("ellipsoid", model=bundle)
        with pytest.raises(ModelError, match="monai_bundle needs the folder of its model"):
            bootstrap.segmenter("monai_bundle")


class TestBundles:
    def test_the_folder_of_a_bundle_stands_for_it(self, bundle):
        found = bootstrap.segmenter(str(bundle), device="cpu")
        assert isinstance(found, MonaiBundleSegmenter)
        named = bootstrap.segmenter("monai_bundle", model=bundle, device="cpu", model_digest=found.model_digest)
        assert (found.model_digest, found.parameters()) == (named.model_digest, named.parameters())

    def test_a_pinned_digest_must_be_met(self, bundle):
        with pytest.raises(ModelError, match=f"{WRONG_DIGEST} is pinned"):
            bootstrap.segmenter(str(bundle), model_digest=WRONG_DIGEST)

    def test_a_folder_that_is_no_bundle_is_refused(self, tmp_path):
        with pytest.raises(ModelError, match="not a MONAI bundle"):
            bootstrap.segmenter(str(tmp_path))

    def test_what_a_bundle_does_not_say_is_asked_for_by_name(self, bundle):
        (bundle / "configs" / "metadata.json").write_text('{"trialimg": {"roi_size": [8, 8, 8], "overlap": 2}}')
        with pytest.raises(ModelError) as refusal:
            bootstrap.segmenter(str(bundle))
        for name in ("spacing_mm", "intensity_range", "lesion_labels", "orientation", "overlap"):
            assert f"parameters.{name}: " in str(refusal.value)


@pytest.mark.usefixtures("outsiders")
class TestOutsiders:
    def test_one_of_another_package_is_found_by_its_name(self):
        assert bootstrap.segmenter("bright", parameters={"reach_mm": 5.0}).parameters() == {"reach_mm": 5.0}

    def test_a_name_of_ours_stays_ours(self):
        assert isinstance(bootstrap.segmenter("ellipsoid"), EllipsoidSegmenter)

    def test_one_that_cannot_be_loaded_is_refused_with_its_address(self):
        with pytest.raises(ModelError, match=r"segmenter gone cannot be loaded from tests\.fakes\.imaging:NoSuch"):
            bootstrap.segmenter("gone")


class TestByProtocol:
    def of(self, folder: Path, **section: Any) -> Any:
        return bootstrap.protocol_segmenter(Segmentation(**section), folder, device=None)

    def test_the_path_of_a_model_counts_from_the_protocol_file(self, bundle, tmp_path):
        digest = MonaiBundleSegmenter(model=bundle).model_digest
        section = {"segmenter": "monai_bundle", "model": "models/tiny", "model_digest": digest}
        found = self.of(tmp_path, **section, parameters={"overlap": 0.25}, device=Device.CPU)
        assert found.model_digest == digest
        assert found.parameters()["overlap"] == 0.25

    def test_another_digest_than_the_pinned_one_is_refused(self, bundle, tmp_path):
        with pytest.raises(ModelError, match=f"{WRONG_DIGEST} is pinned"):
            self.of(tmp_path, segmenter="monai_bundle", model="models/tiny", model_digest=WRONG_DIGEST)

    def test_the_device_of_the_command_goes_before_that_of_the_protocol(self, bundle, tmp_path):
        section = {"segmenter": "monai_bundle", "model": "models/tiny"}
        assert self.of(tmp_path, **section, device=Device.MPS).device == "mps"
        given = Segmentation(**section, device=Device.MPS)
        assert bootstrap.protocol_segmenter(given, tmp_path, device="cpu").parameters()["device"] == "cpu"

    @pytest.mark.parametrize(
        ("section", "places"),
        [
            ({"segmenter": "nnunext"}, ["segmentation.segmenter"]),
            ({"segmenter": "ellipsoid", "version": "0.9"}, ["segmentation.version"]),
            ({"segmenter": "ellipsoid", "model": "models/tiny"}, ["segmentation.model"]),
            ({"segmenter": "monai_bundle"}, ["segmentation.model"]),
            (
                {"segmenter": "ellipsoid", "parameters": {"size": 1, "depth": 2}},
                ["segmentation.parameters.size", "segmentation.parameters.depth"],
            ),
            ({"segmenter": "classical", "parameters": {"across": 0}}, ["segmentation.parameters.across"]),
            (
                {"segmenter": "monai_bundle", "model": "models/tiny", "parameters": {"roi_size": [1], "overlap": 1}},
                ["segmentation.parameters.roi_size", "segmentation.parameters.overlap"],
            ),
        ],
    )
    @pytest.mark.usefixtures("bundle")
    def test_what_cannot_be_had_is_a_fault_at_its_place_in_the_protocol(self, tmp_path, section, places):
        with pytest.raises(ProtocolError) as refusal:
            self.of(tmp_path, **section)
        assert [fault.where for fault in refusal.value.faults] == places

    def test_the_version_that_is_here_is_let_in(self, tmp_path):
        assert self.of(tmp_path, segmenter="ellipsoid", version=EllipsoidSegmenter.version).name == "ellipsoid"
