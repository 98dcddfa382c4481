"""How sure a segmenter is: what its runs are asked, what they say together, and when a person has to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from trialimg.core.errors import GeometryError
from trialimg.core.experience import Experience
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.imaging.measure import measure
from trialimg.imaging.reader_prompts import ReaderHand
from trialimg.services.uncertainty import UncertaintySettings, uncertainty_of
from trialimg.volume import Geometry, Mask, Unit, Volume

TURN = np.radians(25)
DIRECTION = (np.cos(TURN), -np.sin(TURN), 0.0, np.sin(TURN), np.cos(TURN), 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((56, 48, 24), (1.0, 1.2, 2.0), (-20.0, 10.0, 5.0), DIRECTION)
CENTRE = tuple(GRID.to_lps((30.0, 20.0, 11.0)).tolist())
STEADY = UncertaintySettings(hand=ReaderHand(length_sd=0, least_sd_mm=0, click_sd_mm=0), shift_voxels=0, flips=False)


def along(i: float, j: float, k: float = 0.0) -> tuple[float, float, float]:
    """A point so many voxels from the lesion's centre."""
    x, y, z = GRID.to_lps((30.0 + i, 20.0 + j, 11.0 + k)).tolist()
    return x, y, z


LONG, SHORT = LinePrompt(along(-12, 0), along(12, 0)), LinePrompt(along(0, -7), along(0, 7))
PROMPTS: dict[str, Prompt] = {
    "line": LONG,
    "both axes": BidirectionalPrompt(LONG, SHORT),
    "click": PointPrompt(CENTRE),
    "box": BoxPrompt((CENTRE[0] - 9, CENTRE[1] - 9, CENTRE[2] - 8), (CENTRE[0] + 9, CENTRE[1] + 9, CENTRE[2] + 8)),
}


def egg() -> Mask:
    k, j, i = np.indices(GRID.shape)
    level = ((i - 30) / 12) ** 2 + ((j - 20) / 7) ** 2 + ((k - 11) / 4) ** 2
    return Mask((level <= 1).astype(np.uint8), GRID)


def image() -> Volume:
    return Volume(np.where(egg().array > 0, 200.0, 40.0).astype(np.float32), GRID, "CT", Unit.HU)


@dataclass
class Sees:
    """A segmenter that knows its chances, made by a function of image and prompt; it keeps what it was asked."""

    how: Callable[[Volume, Prompt], np.ndarray]
    asked: list[tuple[Volume, Prompt]] = field(default_factory=list)
    name: str = "sees"
    version: str = "1"
    model_digest: str = ""
    known: Experience | None = None

    def parameters(self) -> Mapping[str, object]:
        return {}

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        raise NotImplementedError

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        raise NotImplementedError

    def experience(self, prompt: Prompt) -> Experience | None:
        return self.known

    def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
        self.asked.append((image, prompt))
        return replace(image, array=self.how(image, prompt).astype(np.float32))


def bright(image: Volume, prompt: Prompt) -> np.ndarray:
    return np.clip((image.array - 40) / 160, 0, 1)


class TestRunsBroughtTogether:
    @pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
    def test_mirror_images_shifts_and_prompts_come_back_to_the_same_place(self, prompt):
        """What depends on the image alone is the same in every run, up to the interpolation at its edge."""
        seen = Sees(bright)
        found = uncertainty_of(seen, image(), prompt)
        whole = np.zeros(GRID.shape, bool)
        low = np.rint(GRID.to_index(found.mask.geometry.origin_lps_mm)).astype(int)
        i, j, k = low
        a, b, c = found.mask.array.shape
        whole[k : k + a, j : j + b, i : i + c] = found.mask.array > 0
        both = np.count_nonzero(whole & (egg().array > 0))
        assert 2 * both / (np.count_nonzero(whole) + np.count_nonzero(egg().array)) > 0.97
        assert found.agreement > 0.93
        assert len(seen.asked) == found.runs == 8

    def test_without_any_change_all_runs_are_one(self):
        found = uncertainty_of(Sees(bright), image(), LONG, STEADY)
        assert found.agreement == 1.0
        assert found.volume_ml.lower == found.volume_ml.upper == pytest.approx(found.volume_ml.value)
        assert found.long_axis_mm.value == pytest.approx(measure(egg(), 1).long_axis_mm)
        assert found.mean_entropy == pytest.approx(0.0, abs=1e-6)
        assert found.flag.reasons == ()

    def test_the_runs_are_asked_of_mirror_images_with_the_prompt_where_the_lesion_is(self):
        seen = Sees(bright)
        uncertainty_of(seen, image(), PROMPTS["click"])
        places = [part.geometry.to_index(prompt.point_lps_mm) for part, prompt in seen.asked]
        assert len({tuple(np.rint(place).astype(int)) for place in places}) > 3
        for (part, _), place in zip(seen.asked, places, strict=True):
            i, j, k = np.rint(place).astype(int)
            assert part.array[k, j, i] > 120

    def test_the_same_seed_gives_the_same_digits_and_another_one_others(self):
        def of(seed: int) -> np.ndarray:
            return uncertainty_of(
                Sees(bright), image(), LONG, UncertaintySettings(hand=ReaderHand(seed=seed))
            ).chance.array

        assert np.array_equal(of(1), of(1))
        assert not np.array_equal(of(1), of(2))

    def test_chances_on_a_grid_of_their_own_are_brought_to_the_voxels_of_the_image(self):
        coarse = Geometry((20, 20, 20), (2.0, 2.0, 2.0), tuple(np.subtract(CENTRE, 19.0).tolist()))

        class Coarse(Sees):
            def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
                k, j, i = np.indices(coarse.shape)
                away = np.linalg.norm(coarse.to_lps(np.stack([i, j, k], -1)) - prompt.point_lps_mm, axis=-1)
                return Volume((away < 9).astype(np.float32), coarse)

        found = uncertainty_of(Coarse(bright), image(), PROMPTS["click"], STEADY)
        assert found.volume_ml.value == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.07)  # voxels of 2 mm
        assert found.chance.geometry.spacing_mm == GRID.spacing_mm

    def test_a_lesion_at_the_very_edge_of_the_image_keeps_its_chances(self):
        edge = replace(image(), array=np.full(GRID.shape, 200.0, np.float32))
        moved = replace(STEADY, shift_voxels=0.45, flips=True)
        found = uncertainty_of(Sees(bright), edge, LONG, moved)
        assert found.chance.array.min() == 1.0
        assert "the lesion reaches the edge of what was looked at" in found.flag.reasons


class TestWhatTheySay:
    def test_a_chance_of_one_half_everywhere_is_a_bit_of_entropy(self):
        found = uncertainty_of(Sees(lambda part, _: np.full(part.array.shape, 0.5)), image(), LONG, STEADY)
        assert found.entropy.array == pytest.approx(1.0)
        assert any("entropy" in reason for reason in found.flag.reasons)

    def test_a_lesion_that_follows_the_prompt_spreads_with_the_hand(self):
        def ball(part: Volume, prompt: LinePrompt) -> np.ndarray:
            ends = np.array([prompt.start_lps_mm, prompt.end_lps_mm])
            k, j, i = np.indices(part.array.shape)
            away = np.linalg.norm(part.geometry.to_lps(np.stack([i, j, k], -1)) - ends.mean(axis=0), axis=-1)
            return away <= np.linalg.norm(ends[1] - ends[0]) / 2

        def spread(sd: float) -> float:
            settings = UncertaintySettings(hand=ReaderHand(length_sd=sd, seed=4), runs=6)
            found = uncertainty_of(Sees(ball), image(), LONG, settings)
            return (found.long_axis_mm.upper - found.long_axis_mm.lower) / found.long_axis_mm.value

        assert spread(0.02) < spread(0.15)
        wild = UncertaintySettings(hand=ReaderHand(length_sd=0.15, seed=4), runs=6)
        flag = uncertainty_of(Sees(ball), image(), LONG, wild).flag
        assert flag.needs_person
        assert any("long axis spreads over" in reason for reason in flag.reasons)

    def test_runs_that_find_nothing_are_counted_and_flagged(self):
        class Sometimes(Sees):
            def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
                found = super().probabilities(image, prompt)
                return found if len(self.asked) % 3 else replace(found, array=np.zeros_like(found.array))

        found = uncertainty_of(Sometimes(bright), image(), LONG, STEADY)
        assert found.empty_runs == 2
        assert "2 of 8 runs found no lesion" in found.flag.reasons
        assert found.volume_ml.lower == 0.0
        assert found.long_axis_mm.lower > 20
        assert found.agreement < 0.75

    def test_a_lesion_that_is_never_found_has_no_numbers(self):
        found = uncertainty_of(Sees(lambda part, _: np.zeros(part.array.shape)), image(), LONG)
        assert (found.volume_ml, found.long_axis_mm, found.mean_entropy, found.agreement) == (None, None, None, 0.0)
        assert found.flag.reasons == ("no lesion was found",)

    def test_the_part_at_the_prompt_counts_and_not_its_larger_neighbour(self):
        def two(part: Volume, prompt: Prompt) -> np.ndarray:
            chance = bright(part, prompt)
            i, _j, _k = np.rint(part.geometry.to_index(along(-22, 0))).astype(int)
            chance[:, :, : i + 3] = 1.0
            return chance

        found = uncertainty_of(Sees(two), image(), PROMPTS["click"], STEADY)
        assert found.long_axis_mm.value == pytest.approx(measure(egg(), 1).long_axis_mm)

    def test_limits_are_settings(self):
        strict = replace(STEADY, least_agreement=0.9999, shift_voxels=0.45)
        assert uncertainty_of(Sees(bright), image(), LONG, strict).flag.needs_person
        assert not uncertainty_of(Sees(bright), image(), LONG, replace(strict, least_agreement=0.5)).flag.needs_person


def test_a_prompt_outside_is_refused():
    with pytest.raises(GeometryError, match="outside of the image"):
        uncertainty_of(Sees(bright), image(), PointPrompt((900.0, 0.0, 0.0)))


@pytest.mark.parametrize("wrong", [{"runs": 2}, {"confidence": 1.0}, {"shift_voxels": 0.5}, {"least_agreement": 0}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"needed|at most"):
        UncertaintySettings(**wrong)


class TestExperience:
    KNOWN = Experience(answers=57, subjects=19, bad=12, share=0.9, long_axis=(0.9, 1.2), volume=(0.6, 1.7))

    def test_the_true_values_are_expected_where_they_lay_for_known_lesions(self):
        found = uncertainty_of(Sees(bright, known=self.KNOWN), image(), LONG, STEADY)
        axis, volume = found.long_axis_mm.value, found.volume_ml.value
        assert (found.expected_long_axis_mm.lower, found.expected_long_axis_mm.upper) == (axis * 0.9, axis * 1.2)
        assert (found.expected_volume_ml.lower, found.expected_volume_ml.upper) == (volume * 0.6, volume * 1.7)
        assert found.experience == self.KNOWN
        assert not found.flag.needs_person

    def test_a_kind_of_prompt_that_was_mostly_answered_badly_always_sends_to_a_person(self):
        bad = replace(self.KNOWN, bad=40)
        flag = uncertainty_of(Sees(bright, known=bad), image(), LONG, STEADY).flag
        assert flag.needs_person
        assert "of 57 answers to such a prompt whose truth is known, 40 were bad (Dice below 0.7)" in flag.reasons

    def test_without_experience_nothing_is_expected(self):
        found = uncertainty_of(Sees(bright), image(), LONG, STEADY)
        assert (found.experience, found.expected_long_axis_mm, found.expected_volume_ml) == (None, None, None)

    def test_of_a_lesion_that_is_not_found_nothing_is_expected(self):
        found = uncertainty_of(Sees(lambda part, _: np.zeros(part.array.shape), known=self.KNOWN), image(), LONG)
        assert (found.expected_long_axis_mm, found.expected_volume_ml) == (None, None)
