"""The classical segmenter on lesions whose size is known: lung, liver, node; touching what is as bright; followed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.lesion_scenes import Egg, FloatArray, Organ, paint
from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.core.errors import GeometryError
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointPrompt
from trialimg.imaging.measure import measure, measure_fragments
from trialimg.volume import Geometry, Mask, Volume

PIXEL_MM = 2.0


def tube(through: tuple[float, float, float], along: tuple[float, float, float], radius_mm: float):
    """A vessel that crosses the whole scene."""

    def distance(points: FloatArray) -> FloatArray:
        way = np.array(along) / np.linalg.norm(along)
        offset = points - np.array(through)
        away: FloatArray = np.linalg.norm(offset - (offset @ way)[..., None] * way, axis=-1) - radius_mm
        return away

    return distance


def wall(at_mm: float):
    """Everything beyond a plane across x."""
    return lambda points: at_mm - points[..., 0]


LUNG = Organ(-850, 40, 18)
LIVER = Organ(106, 56, 13)
NODE = Organ(-100, 60, 14, ((tube((0, -22, 0), (0, 0, 1), 7), 158), (tube((3, 20, 0), (1, 0, 0.2), 5), 56)))
ORGANS = {"lung": LUNG, "liver": LIVER, "node": NODE}


def overlap(found: Mask, true: Mask) -> float:
    both = np.count_nonzero((found.array > 0) & (true.array > 0))
    return 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(true.array))


def line_of(mask: Mask, rng: np.random.Generator) -> LinePrompt:
    """The long axis as an unsteady hand draws it."""
    ends = np.array(measure(mask, 1).long_axis_lps_mm) + rng.normal(0, 0.7, (2, 3)) * (1, 1, 0)
    (a, b, c), (x, y, z) = ends.tolist()
    return LinePrompt((a, b, c), (x, y, z))


@pytest.mark.parametrize("organ", ORGANS)
def test_a_line_gives_the_long_axis_within_a_voxel_and_without_bias(organ: str) -> None:
    rng = np.random.default_rng(11)
    errors = []
    for diameter_mm in (8, 12, 16, 22, 26) if organ == "node" else (8, 12, 18, 26, 38, 50):
        for _ in range(3):
            semi = diameter_mm / 2 * np.array([1, rng.uniform(0.7, 1), rng.uniform(0.7, 1)])
            egg = Egg(tuple(rng.uniform(-1, 1, 3)), tuple(semi), rng.uniform(0, np.pi))
            image, true = paint(ORGANS[organ], (egg,), half_mm=diameter_mm * 0.8 + 14, seed=int(rng.integers(1000)))
            found = ClassicalSegmenter().segment(image, line_of(true, rng))
            errors.append(measure(found, 1).long_axis_mm - measure(true, 1).long_axis_mm)
    assert np.median(np.abs(errors)) <= PIXEL_MM
    assert abs(np.mean(errors)) <= 0.5


@pytest.mark.parametrize("organ", ORGANS)
def test_box_and_click_find_the_same_lesion_as_the_line(organ: str) -> None:
    egg = Egg((1.0, -0.5, 0.7), (11, 8, 9), 0.4)
    image, true = paint(ORGANS[organ], (egg,))
    box = BoxPrompt((-11, -9, -9), (13, 9, 10))
    for prompt in (line_of(true, np.random.default_rng(1)), box, PointPrompt((3.0, 1.0, 2.0))):
        assert overlap(ClassicalSegmenter().segment(image, prompt), true) > 0.85


@pytest.mark.parametrize(
    ("other", "value"),
    [(wall(10.0), 50), (tube((12, 0, 0), (0, 0, 1), 9), 50), (tube((0, 0, 0), (1, 0.2, 0.1), 2), 150)],
)
def test_it_does_not_leak_into_a_wall_a_heart_or_a_vessel_that_the_lesion_touches(other: object, value: float) -> None:
    organ = Organ(-850, 40, 18, ((other, value),))  # type: ignore[arg-type]
    image, true = paint(organ, (Egg((0, 0, 0), (11, 11, 11)),))
    found = ClassicalSegmenter().segment(image, LinePrompt((0, -11, 0), (0, 11, 0)))
    assert measure(found, 1).long_axis_mm < 22 + 2.5 * PIXEL_MM
    assert overlap(found, true) > 0.8


def test_a_click_where_nothing_has_an_edge_finds_nothing() -> None:
    image, _ = paint(LIVER, ())
    assert ClassicalSegmenter().segment(image, PointPrompt((0, 0, 0))).is_empty


def test_a_lesion_at_the_edge_of_a_small_image_is_found() -> None:
    image, true = paint(LUNG, (Egg((0, 0, 0), (9, 9, 9)),))
    part = image.cropped((12, 10, 6), (28, 30, 8))
    cut = Mask(true.array[6:8, 10:30, 12:28], part.geometry)
    found = ClassicalSegmenter().segment(part, LinePrompt((-8, 0, -4), (8, 0, -4)))
    assert overlap(found, cut) > 0.8


# --- followed into a later scan -----------------------------------------------------------------------------------

BEFORE = Egg((0, 0, 0), (13, 11, 12), 0.3)


def followed(organ: Organ, later: tuple[Egg, ...]) -> tuple[Mask, Mask]:
    """What is found of a lesion of 26 mm later on, and what is there."""
    earlier_image, earlier_mask = paint(organ, (BEFORE,), seed=1)
    image, true = paint(organ, later, seed=2)
    return ClassicalSegmenter().follow(image, earlier_image, earlier_mask), true


@pytest.mark.parametrize("organ", ORGANS)
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_a_lesion_that_shrank_stayed_or_grew_is_found_at_its_size(organ: str, factor: float) -> None:
    semi = tuple(factor * half for half in BEFORE.semi)
    found, true = followed(ORGANS[organ], (Egg((1.0, -1.0, 1.5), semi, 0.3),))
    assert len(measure_fragments(found)) == 1
    assert measure(found, 1).long_axis_mm == pytest.approx(measure(true, 1).long_axis_mm, abs=1.5 * PIXEL_MM)


@pytest.mark.parametrize("organ", ORGANS)
def test_a_lesion_that_is_gone_leaves_nothing(organ: str) -> None:
    found, _ = followed(ORGANS[organ], ())
    assert found.is_empty


def test_a_vessel_beside_a_nodule_is_not_the_nodule_when_that_is_gone() -> None:
    organ = Organ(-850, 40, 18, ((tube((15, 0, 0), (0, 1, 0.3), 2), 150),))
    found, _ = followed(organ, ())
    assert found.is_empty


@pytest.mark.parametrize("organ", ["lung", "liver"])
def test_a_lesion_that_split_is_found_in_two_pieces(organ: str) -> None:
    pieces = Egg((-9, 1, 0), (4.5, 4.5, 6)), Egg((9, -1, 0), (4.5, 4.5, 6))
    found, true = followed(ORGANS[organ], pieces)
    assert len(measure_fragments(found)) == 2
    assert overlap(found, true) > 0.7


def test_a_tiny_remainder_in_the_lung_is_kept() -> None:
    found, _ = followed(LUNG, (Egg((1, 1, 0), (2.4, 2.4, 3)),))
    assert not found.is_empty
    assert measure(found, 1).long_axis_mm < 10


def test_an_empty_earlier_mask_has_nothing_to_follow() -> None:
    image, mask = paint(LUNG, ())
    with pytest.raises(GeometryError, match="no lesion to follow"):
        ClassicalSegmenter().follow(image, image, mask)


def test_the_answer_does_not_depend_on_the_direction_of_the_stack() -> None:
    image, true = paint(LUNG, (Egg((1, 0, 2), (11, 8, 9), 0.4),))
    grid = image.geometry
    x, y, z = grid.to_lps((0, 0, grid.size[2] - 1)).tolist()
    upside = Geometry(grid.size, grid.spacing_mm, (x, y, z), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    prompt = LinePrompt((-10, 0, 2), (12, 0, 2))
    found = ClassicalSegmenter().segment(image, prompt)
    flipped = ClassicalSegmenter().segment(Volume(image.array[::-1], upside, image.modality, image.unit), prompt)
    assert np.count_nonzero(flipped.array[::-1] != found.array) <= 0.01 * np.count_nonzero(true.array)
