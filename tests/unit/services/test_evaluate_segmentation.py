"""Segmenters held against true masks: what is scored, what counts as a failure, and what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from trialimg.core.errors import GeometryError, ModelError
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand
from trialimg.services.evaluate_segmentation import (
    EvaluationCase,
    EvaluationSettings,
    evaluate_segmenters,
    size_class,
)
from trialimg.services.evaluation_summary import summarise
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((50, 40, 16), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))
BALLS = (((12.0, 15.0, 14.0), 8.0), ((35.0, 22.0, 18.0), 4.0))
SETTINGS = EvaluationSettings()


def scene(balls=BALLS, *, speck: bool = False, labels: bool = False) -> tuple[Volume, Mask]:
    k, j, i = np.indices(GRID.shape)
    points = GRID.to_lps(np.stack([i, j, k], axis=-1))
    array = np.zeros(GRID.shape, np.uint8)
    for number, (centre, radius_mm) in enumerate(balls, start=1):
        array[np.linalg.norm(points - centre, axis=-1) <= radius_mm] = number if labels else 1
    if speck:
        array[1, 1, 1:4] = 1
    image = Volume(np.where(array > 0, 200.0, 40.0).astype(np.float32), GRID, "CT", Unit.HU)
    return image, Mask(array, GRID)


def case(name: str, subject: str = "", modality: str = "CT") -> EvaluationCase:
    return EvaluationCase(name, subject or name, Path(name), Path(name), modality)


@dataclass(frozen=True)
class Scripted:
    """Answers with the true lesion under the prompt, changed in one way."""

    name: str = "scripted"
    how: str = "exact"
    version: str = "1"
    model_digest: str = ""

    def parameters(self) -> Mapping[str, object]:
        return {"how": self.how}

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        if self.how == "refuses":
            raise ModelError("it does not run today")
        array = self._lesion(image, prompt)
        if self.how == "empty":
            array[:] = 0
        if self.how == "half":
            array[:, :, : int(np.nonzero(array)[2].mean())] = 0
        return Mask(array.astype(np.uint8), image.geometry)

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        raise NotImplementedError

    def _lesion(self, image: Volume, prompt: Prompt) -> np.ndarray:
        match prompt:
            case LinePrompt():
                centre = np.add(prompt.start_lps_mm, prompt.end_lps_mm) / 2
            case PointPrompt():
                centre = np.array(prompt.point_lps_mm)
            case BoxPrompt():
                centre = np.add(prompt.corner_lps_mm, prompt.opposite_lps_mm) / 2
            case _:
                centre = np.add(prompt.long_axis.start_lps_mm, prompt.long_axis.end_lps_mm) / 2
        distances = [np.linalg.norm(centre - ball[0]) for ball in BALLS]
        middle, radius_mm = BALLS[int(np.argmin(distances))]
        k, j, i = np.indices(GRID.shape)
        away = np.linalg.norm(GRID.to_lps(np.stack([i, j, k], axis=-1)) - middle, axis=-1)
        return away <= radius_mm


def compared(*segmenters: Scripted, settings: EvaluationSettings = SETTINGS, cases=("a", "b"), opened=None):
    return evaluate_segmenters(
        [item if isinstance(item, EvaluationCase) else case(item) for item in cases],
        {segmenter.name: segmenter for segmenter in segmenters},
        opened or (lambda _: scene()),
        settings,
    )


class TestScores:
    @pytest.mark.parametrize("kind", PromptKind)
    def test_the_true_mask_is_perfect_from_every_prompt(self, kind):
        found = compared(Scripted(), settings=replace(SETTINGS, prompt=kind))
        assert len(found.scores) == 4  # two cases with two lesions each
        for score in found.scores:
            assert (score.dice, score.surface_dice, score.hd95_mm, score.uls23) == (1.0, 1.0, 0.0, pytest.approx(1.0))
            assert (score.long_axis_error_mm, score.short_axis_error_mm, score.volume_error_pct) == (0.0, 0.0, 0.0)
            assert (score.false_positive_ml, score.false_negative_ml, score.failure) == (0.0, 0.0, "")

    def test_uls23_is_put_together_as_the_challenge_does(self):
        score = compared(Scripted(how="half"), cases=["a"]).scores[0]
        true_mm, found_mm = score.true_long_axis_mm, score.true_long_axis_mm + score.long_axis_error_mm
        long_error = abs(found_mm - true_mm) / (found_mm + true_mm)
        rest = score.uls23 - 0.8 * score.dice - 0.05 * (1 - long_error) - 0.1 * score.consistency
        assert score.consistency == 1.0
        assert 0.0 < rest < 0.05  # what the short axis leaves of its twentieth
        assert score.dice < 0.8

    def test_each_label_and_each_connected_part_is_a_lesion(self):
        assert len(compared(Scripted(), cases=["a"], opened=lambda _: scene(labels=True)).scores) == 2

    def test_specks_are_counted_and_not_judged(self):
        found = compared(Scripted(), cases=["a"], opened=lambda _: scene(speck=True))
        assert len(found.scores) == 2
        assert found.left_out == {"a parts": "1 connected part(s) of fewer than 10 voxels"}

    def test_a_case_without_a_lesion_is_named(self):
        found = compared(Scripted(), cases=["a"], opened=lambda _: scene(()))
        assert found.scores == ()
        assert found.left_out == {"a": "its true mask holds no lesion"}
        assert summarise(found).groups == ()

    @pytest.mark.parametrize(("mm", "words"), [(9.9, "< 10 mm"), (10.0, "10-20 mm"), (50.0, ">= 50 mm")])
    def test_size_classes_begin_at_their_lower_edge(self, mm, words):
        assert size_class(mm) == words

    def test_mask_and_image_on_different_grids_are_refused(self):
        image, mask = scene()
        elsewhere = Mask(mask.array, Geometry(GRID.size, GRID.spacing_mm, (5.0, 0.0, 0.0)))
        with pytest.raises(GeometryError, match="the true mask of a"):
            compared(Scripted(), cases=["a"], opened=lambda _: (image, elsewhere))


class TestFailures:
    @pytest.mark.parametrize(("how", "why"), [("empty", "no lesion was found"), ("refuses", "it does not run today")])
    def test_no_mask_is_a_dice_of_0_and_never_missing(self, how, why):
        found = compared(Scripted(how=how), cases=["a"])
        assert [(score.dice, score.surface_dice, score.failure) for score in found.scores] == [(0.0, 0.0, why)] * 2
        for score in found.scores:
            assert (score.hd95_mm, score.long_axis_error_mm, score.consistency, score.uls23) == (None, None, 0.0, 0.0)
            assert {"hd95_mm", "long_axis_error_mm"} <= set(score.undefined)
        group = summarise(found).groups[0]
        assert (group.lesions, group.failures, group.metrics["dice"].value, group.metrics["dice"].n) == (2, 2, 0.0, 2)
        assert (group.metrics["hd95_mm"].value, group.metrics["hd95_mm"].n) == (None, 0)
        assert group.median_long_axis_error_mm is None


MANY = [case(f"{subject} {kind}", subject, kind) for subject in "abcdef" for kind in ("CT", "PET")]


class TestSummary:
    def test_groups_are_all_each_modality_and_each_size(self):
        found = summarise(compared(Scripted(), Scripted("other", "half"), cases=MANY))
        assert [(row.by, row.group, row.model) for row in found.groups][::2] == [
            ("all", "all", "scripted"),
            ("modality", "CT", "scripted"),
            ("modality", "PET", "scripted"),
            ("size_class", "< 10 mm", "scripted"),
            ("size_class", "10-20 mm", "scripted"),
        ]
        first = found.groups[0]
        assert (first.lesions, first.subjects) == (24, 6)

    def test_the_gain_over_another_is_paired(self):
        comparison = compared(Scripted(), Scripted("other", "half"), cases=MANY)
        summary = summarise(comparison)
        gain = summary.differences[0]
        halves = np.mean([score.dice for score in comparison.scores if score.model == "other"])
        assert (gain.model, gain.than) == ("scripted", "other")
        assert gain.metrics["dice"].value == pytest.approx(1 - halves)
        assert gain.metrics["dice"].lower > 0

    def test_the_same_seed_gives_the_same_scores_but_for_the_time(self):
        settings = replace(SETTINGS, hand=ReaderHand(seed=5))
        first, second = (compared(Scripted(), settings=settings) for _ in range(2))
        timeless = [tuple(replace(score, seconds=0.0) for score in found.scores) for found in (first, second)]
        assert timeless[0] == timeless[1]


@pytest.mark.parametrize("wrong", [{"draws": 1}, {"tolerance_mm": 0}, {"least_voxels": 0}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="are needed"):
        EvaluationSettings(**wrong)
