"""Where the network looks, with a network in its place that sees whatever is bright."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.adapters.segmenters.prompt_network.channels import EDGE, Appearance
from trialimg.adapters.segmenters.prompt_network.framing import AROUND_BOX, AROUND_LINE, MOST_STRETCH, Frame
from trialimg.adapters.segmenters.prompt_network.looking import found_again, found_at
from trialimg.adapters.segmenters.prompt_network.sampling import appearance_of, sampled
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointPrompt
from trialimg.volume import Geometry, Mask, Unit, Volume

TURNED = (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def body(half_mm: tuple[float, float, float], direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)) -> Volume:
    """A bright box about the origin of patient coordinates, in darkness."""
    grid = Geometry((100, 100, 80), (2.0, 2.0, 3.0), (0.0, 0.0, 0.0), tuple(map(float, direction)))
    middle = grid.to_lps([49.5, 49.5, 39.5])
    grid = Geometry(grid.size, grid.spacing_mm, tuple((-middle).tolist()), grid.direction)
    k, j, i = np.indices(grid.shape)
    inside = np.all(np.abs(grid.to_lps(np.stack([i, j, k], axis=-1))) <= half_mm, axis=-1)
    return Volume(np.where(inside, 100.0, -900.0).astype(np.float32), grid, "CT", Unit.HU)


def bright(given: np.ndarray, mirrors: int) -> np.ndarray:
    return (given[:, 0] > 0).astype(np.float32)


LINE = LinePrompt((-20.0, 0.0, 0.0), (20.0, 0.0, 0.0))


@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), TURNED], ids=["straight", "turned"])
def test_a_line_is_looked_at_once_around_its_middle(direction: tuple[float, ...]) -> None:
    found = found_at(body((20.0, 15.0, 12.0), direction), LINE, bright)
    assert found.grid.spacing_mm == pytest.approx((AROUND_LINE * 40 / EDGE,) * 3)
    assert found.grid.to_lps([(EDGE - 1) / 2] * 3) == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.region.sum() * found.grid.voxel_volume_mm3 == pytest.approx(40 * 30 * 24, rel=0.2)


def test_a_lesion_that_reaches_beyond_the_grid_is_looked_at_more_widely() -> None:
    found = found_at(body((20.0, 15.0, 60.0)), LINE, bright)
    assert found.grid.spacing_mm[2] * EDGE > 120
    assert np.ptp(np.nonzero(found.region)[0]) * found.grid.spacing_mm[2] == pytest.approx(120, abs=8)


@pytest.mark.parametrize("half_mm", [(5.0, 4.0, 5.0), (20.0, 18.0, 22.0), (60.0, 55.0, 58.0)], ids=["11", "44", "120"])
def test_a_click_finds_the_scale_at_which_a_lesion_is_seen_whole(half_mm: tuple[float, float, float]) -> None:
    found = found_at(body(half_mm), PointPrompt((1.0, -1.0, 2.0)), bright)
    assert found.region.sum() * found.grid.voxel_volume_mm3 == pytest.approx(8 * np.prod(half_mm), rel=0.4)
    assert 1.2 * 2 * max(half_mm) < found.grid.spacing_mm[0] * EDGE < 3 * 2 * max(half_mm)


def test_a_box_is_as_wide_as_it_is_drawn_and_its_height_is_its_own() -> None:
    found = found_at(body((20.0, 15.0, 40.0)), BoxPrompt((-20.0, -15.0, -40.0), (20.0, 15.0, 40.0)), bright)
    assert np.array(found.grid.spacing_mm) * EDGE == pytest.approx([40 * AROUND_BOX, 40 * AROUND_BOX, 80 * AROUND_BOX])


def test_only_the_part_that_the_prompt_touches_is_kept() -> None:
    image = body((8.0, 8.0, 8.0))
    image.array[:, :, 70:75] = 100.0  # a bright wall beside it
    found = found_at(image, LinePrompt((-8.0, 0.0, 0.0), (8.0, 0.0, 0.0)), bright)
    assert (found.chance >= 0.5).sum() >= found.region.sum()
    assert found.region.sum() * found.grid.voxel_volume_mm3 < 1.5 * 16**3


def test_nothing_under_the_prompt_is_nothing_found() -> None:
    assert not found_at(body((1.0, 1.0, 1.0)), PointPrompt((60.0, 60.0, 60.0)), bright).region.any()


def earlier_region(image: Volume, half_mm: tuple[float, float, float], x_mm: float = 0.0) -> Mask:
    k, j, i = np.indices(image.geometry.shape)
    offsets = image.geometry.to_lps(np.stack([i, j, k], axis=-1)) - (x_mm, 0.0, 0.0)
    return Mask(np.all(np.abs(offsets) <= half_mm, axis=-1).astype(np.uint8), image.geometry)


@pytest.mark.parametrize("direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), TURNED], ids=["straight", "turned"])
@pytest.mark.parametrize("before", [(30.0, 24.0, 20.0), (14.0, 9.0, 9.0), (20.0, 15.0, 12.0)])
def test_what_became_of_an_earlier_region_is_found_larger_or_smaller(
    direction: tuple[float, ...], before: tuple[float, float, float]
) -> None:
    image = body((20.0, 15.0, 12.0), direction)
    found = found_again(image, earlier_region(image, before, 4.0), bright)
    between_voxel_centres = 38 * 28 * 21
    assert found.region.sum() * found.grid.voxel_volume_mm3 == pytest.approx(between_voxel_centres, rel=0.15)


def test_a_lesion_that_fell_into_two_is_found_in_both_parts_and_what_lies_aside_is_not() -> None:
    image = body((20.0, 8.0, 8.0))
    image.array[:, :, 47:53] = -900.0  # the gap
    image.array[:, :, 66:70] = 100.0  # another body, 13 mm from the earlier edge
    found = found_again(image, earlier_region(image, (20.0, 8.0, 8.0)), bright)
    between_voxel_centres = 2 * 12 * 14 * 15
    assert found.region.sum() * found.grid.voxel_volume_mm3 == pytest.approx(between_voxel_centres, rel=0.15)


def test_where_nothing_is_left_nothing_is_found() -> None:
    image = body((1.0, 1.0, 1.0))
    image.array[:] = -900.0
    assert not found_again(image, earlier_region(image, (10.0, 8.0, 8.0)), bright).region.any()


def test_a_frame_is_never_stretched_beyond_what_was_learnt() -> None:
    frame = Frame.around((0, 0, 0), (10, 10, 90), 1.5)
    assert frame.voxel_ratio == pytest.approx(MOST_STRETCH)
    assert frame.height_mm == pytest.approx(135)


def test_what_the_numbers_mean_is_read_from_unit_modality_or_air() -> None:
    grid = Geometry((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    warm = np.full(grid.shape, 5.0, np.float32)
    assert appearance_of(Volume(warm, grid, "CT")) is Appearance.HU
    assert appearance_of(Volume(warm, grid, "PT")) is Appearance.SUV
    assert appearance_of(Volume(warm * 1000, grid, "PT")) is Appearance.FREE
    assert appearance_of(Volume(warm, grid)) is Appearance.FREE
    assert appearance_of(Volume(warm - 1000, grid)) is Appearance.HU


def test_a_coarse_grid_shows_the_mean_of_fine_stripes() -> None:
    grid = Geometry((96, 96, 40), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0))
    stripes = np.broadcast_to(np.where(np.arange(96) % 2 == 0, 0.0, 100.0), grid.shape).astype(np.float32)
    coarse = Geometry((16, 16, 16), (4.0, 4.0, 4.0), (16.0, 16.0, 30.0))
    shown = sampled(Volume(stripes, grid, "CT", Unit.HU), coarse, Appearance.HU)
    assert shown == pytest.approx(50, abs=5)


def test_a_guess_of_its_size_is_one_more_place_to_begin_after_a_click() -> None:
    image = body((20.0, 18.0, 22.0))
    asked: list[int] = []

    def watched(given: np.ndarray, mirrors: int) -> np.ndarray:
        asked.append(len(given))
        return bright(given, mirrors)

    click = PointPrompt((1.0, -1.0, 2.0))
    found_at(image, click, watched)
    found_at(image, click, watched, Mask(np.zeros(image.geometry.shape, np.uint8), image.geometry))
    found_at(image, click, watched, earlier_region(image, (20.0, 18.0, 22.0)))
    assert [asked[0], asked[5], asked[10]] == [3, 3, 4]
