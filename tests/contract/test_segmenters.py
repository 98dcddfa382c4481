"""What every segmenter promises, whatever it finds the lesion by."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import scripted_bundle
from tests.fakes.imaging import BrightSegmenter
from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.adapters.segmenters.ellipsoid import EllipsoidSegmenter
from trialimg.adapters.segmenters.monai_bundle import MonaiBundleSegmenter
from trialimg.adapters.segmenters.prompt_network.segmenter import PromptNetworkSegmenter
from trialimg.core.digest import canonical_json
from trialimg.core.errors import GeometryError, InvalidValueError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.services.ports import Segmenter
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((60, 50, 24), (1.5, 1.5, 3.0), (-45.0, -30.0, 100.0))
CENTRE = (2.0, 6.0, 136.0)
RADIUS_MM = 12.0

PROMPTS: dict[str, Prompt] = {
    "line": LinePrompt((CENTRE[0] - RADIUS_MM, CENTRE[1], CENTRE[2]), (CENTRE[0] + RADIUS_MM, CENTRE[1], CENTRE[2])),
    "both_axes": BidirectionalPrompt(
        LinePrompt((CENTRE[0] - RADIUS_MM, CENTRE[1], CENTRE[2]), (CENTRE[0] + RADIUS_MM, CENTRE[1], CENTRE[2])),
        LinePrompt((CENTRE[0], CENTRE[1] - RADIUS_MM, CENTRE[2]), (CENTRE[0], CENTRE[1] + RADIUS_MM, CENTRE[2])),
    ),
    "point": PointPrompt(CENTRE),
    "box": BoxPrompt(
        (CENTRE[0] - RADIUS_MM, CENTRE[1] - RADIUS_MM, CENTRE[2] - RADIUS_MM),
        (CENTRE[0] + RADIUS_MM, CENTRE[1] + RADIUS_MM, CENTRE[2] + RADIUS_MM),
    ),
}


def ball(radius_mm: float = RADIUS_MM, grid: Geometry = GRID) -> Mask:
    k, j, i = np.indices(grid.shape)
    offset = grid.to_lps(np.stack([i, j, k], axis=-1)) - CENTRE
    return Mask((np.linalg.norm(offset, axis=-1) <= radius_mm).astype(np.uint8), grid)


def scan(mask: Mask) -> Volume:
    noise = np.random.default_rng(4).normal(0, 10, mask.array.shape)
    return Volume((np.where(mask.array > 0, 200.0, 40.0) + noise).astype(np.float32), mask.geometry, "CT", Unit.HU)


def overlap(found: Mask, true: Mask) -> float:
    both = np.count_nonzero((found.array > 0) & (true.array > 0))
    return 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(true.array))


@pytest.fixture(params=["fake", "ellipsoid", "classical", "monai_bundle", "trialimg-prompt", "following"])
def segmenter(request: pytest.FixtureRequest, tmp_path: Path) -> Segmenter:
    if request.param == "monai_bundle":
        return MonaiBundleSegmenter(model=scripted_bundle(tmp_path / "bundle"))
    made: dict[str, Segmenter] = {
        "fake": BrightSegmenter(),
        "ellipsoid": EllipsoidSegmenter(),
        "classical": ClassicalSegmenter(),
        "trialimg-prompt": PromptNetworkSegmenter(device="cpu"),
        "following": PromptNetworkSegmenter(device="cpu", following="network"),
    }
    return made[request.param]


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_answer_is_label_1_on_the_grid_of_the_image(segmenter: Segmenter, prompt: Prompt) -> None:
    found = segmenter.segment(scan(ball()), prompt)
    assert found.geometry == GRID
    assert found.labels == (1,)
    assert overlap(found, ball()) > 0.7


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_same_input_gives_the_same_mask_here_and_in_another_process(segmenter: Segmenter, prompt: Prompt) -> None:
    image = scan(ball())
    there = pickle.loads(pickle.dumps(segmenter))
    assert np.array_equal(segmenter.segment(image, prompt).array, there.segment(image, prompt).array)


def test_the_image_is_left_as_it_was(segmenter: Segmenter) -> None:
    image = scan(ball())
    before = image.array.copy()
    segmenter.segment(image, PROMPTS["line"])
    segmenter.follow(image, image, ball())
    assert np.array_equal(image.array, before)


@pytest.mark.parametrize(
    "prompt",
    [
        LinePrompt(CENTRE, (CENTRE[0] + 500, CENTRE[1], CENTRE[2])),
        BidirectionalPrompt(
            LinePrompt(CENTRE, (CENTRE[0] + 5, CENTRE[1], CENTRE[2])),
            LinePrompt(CENTRE, (CENTRE[0], CENTRE[1] + 500, CENTRE[2])),
        ),
        PointPrompt((CENTRE[0], CENTRE[1], 400.0)),
        BoxPrompt((CENTRE[0], CENTRE[1], 80.0), (CENTRE[0] + 5, CENTRE[1] + 5, 90.0)),
    ],
    ids=PROMPTS,
)
def test_a_prompt_outside_of_the_image_is_refused_with_its_place(segmenter: Segmenter, prompt: Prompt) -> None:
    with pytest.raises(GeometryError, match=r"lies outside of the image, which covers"):
        segmenter.segment(scan(ball()), prompt)


@pytest.mark.parametrize("kind", [EllipsoidSegmenter, ClassicalSegmenter])
def test_one_corner_of_a_box_outside_of_the_image_is_enough_to_refuse_it(kind: type[EllipsoidSegmenter]) -> None:
    with pytest.raises(GeometryError, match=r"the second corner of the box \(7\.0, 11\.0, 90\.0\) mm lies outside"):
        kind().segment(scan(ball()), BoxPrompt(CENTRE, (CENTRE[0] + 5, CENTRE[1] + 5, 90.0)))


def test_an_unchanged_lesion_is_found_again(segmenter: Segmenter) -> None:
    image = scan(ball())
    assert overlap(segmenter.follow(image, image, ball()), ball()) > 0.9


@pytest.mark.parametrize("which", ["earlier", "mask"])
def test_following_across_grids_is_refused(segmenter: Segmenter, which: str) -> None:
    image, mask = scan(ball()), ball()
    shifted = Geometry(GRID.size, GRID.spacing_mm, (-45.0, -30.0, 101.0))
    earlier = Volume(image.array, shifted) if which == "earlier" else image
    was = Mask(mask.array, shifted) if which == "mask" else mask
    with pytest.raises(GeometryError, match="different grids"):
        segmenter.follow(image, earlier, was)


def test_name_version_model_and_settings_go_into_provenance(segmenter: Segmenter) -> None:
    assert segmenter.name
    assert segmenter.version
    assert isinstance(segmenter.model_digest, str)
    assert canonical_json(segmenter.parameters())


@pytest.mark.parametrize("kind", [EllipsoidSegmenter, ClassicalSegmenter])
def test_settings_that_are_no_positive_number_are_named_all_at_once(kind: type[EllipsoidSegmenter]) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        kind(across=float("nan"), through="thick")  # type: ignore[arg-type]
    assert [fault.where for fault in refusal.value.faults] == ["across", "through"]


@pytest.mark.parametrize("kind", [EllipsoidSegmenter, ClassicalSegmenter])
def test_every_setting_is_among_the_parameters(kind: type[EllipsoidSegmenter]) -> None:
    assert dict(kind(across=0.7).parameters()) == {**kind().parameters(), "across": 0.7}
    assert {"across", "through"} <= set(kind().parameters())


def test_cost_does_not_grow_with_the_volume() -> None:
    """What lies far away is not looked at: it may be anything, even not a number."""
    image = scan(ball())
    far = np.full((GRID.size[2] + 200, *GRID.shape[1:]), np.nan, np.float32)
    far[: GRID.size[2]] = image.array
    tall = Volume(far, Geometry((60, 50, GRID.size[2] + 200), GRID.spacing_mm, GRID.origin_lps_mm), "CT", Unit.HU)
    for segmenter in (EllipsoidSegmenter(), ClassicalSegmenter()):
        small = segmenter.segment(image, PROMPTS["line"])
        assert np.array_equal(segmenter.segment(tall, PROMPTS["line"]).array[: GRID.size[2]], small.array)
