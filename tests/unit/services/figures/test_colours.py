"""Colours: every word of every criterion has one, and none of a kind is like another to any eye."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from trialimg.endpoints.vocabulary import VOCABULARIES
from trialimg.services.figures.palette import DARK, LIGHT, Palette
from trialimg.services.figures.tones import SERIES, Tone, in_order, response_word

Vector = npt.NDArray[np.float64]

SIGHTS = {
    "ordinary": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Machado GM, Oliveira MM, Fernandes LAF. IEEE Trans Vis Comput Graph 2009, severity 1.0, on linear RGB."""

ANSWERS = (Tone.COMPLETE, Tone.PARTIAL, Tone.STABLE, Tone.PROGRESSION)
LEAST_DIFFERENCE = 15.0
"""CIE76; about 2.3 is just noticeable side by side."""


def linear(colour: str) -> Vector:
    share = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb: Vector) -> Vector:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb.clip(0, 1)
    t = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_of(one: str, other: str) -> float:
    """Of WCAG 2.2."""
    dark, light = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tones", [ANSWERS, SERIES[:4]], ids=["responses", "arms"])
def test_no_two_colours_are_alike_to_any_eye(sight: str, palette: Palette, tones: tuple[Tone, ...]) -> None:
    seen = {tone: lab(SIGHTS[sight] @ linear(palette[tone].fill)) for tone in tones}
    for one, other in combinations(tones, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > LEAST_DIFFERENCE, (one, other)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_tone_has_a_colour_and_its_letters_can_be_read(palette: Palette) -> None:
    for tone in Tone:
        contrast = contrast_of(palette[tone].fill, palette[tone].ink)
        assert contrast >= (4.5 if tone not in (Tone.AXIS, Tone.MUTED) else 3.0), tone


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_words_stand_out_from_the_ground(palette: Palette) -> None:
    for tone in (Tone.INK, Tone.MUTED, *SERIES, *ANSWERS):
        assert contrast_of(palette[tone].edge, palette.ground) >= 2.3, tone


def test_every_word_of_every_criterion_has_a_meaning_and_short_letters() -> None:
    for vocabulary in VOCABULARIES:
        for word in vocabulary.known:
            found = response_word(word)
            assert found.tone is not Tone.UNKNOWN, word
            assert 0 < len(found.letters) <= 5, word


@pytest.mark.parametrize(
    ("word", "tone"),
    [
        ("iCPD", Tone.PROGRESSION),
        ("iUPD", Tone.WAITING),
        ("CMR", Tone.COMPLETE),
        ("PMR", Tone.PARTIAL),
        ("NMR", Tone.STABLE),
        ("MR", Tone.MINOR),
        ("preliminary PD", Tone.WAITING),
        ("PSA50", Tone.PARTIAL),
        ("IR2", Tone.WAITING),
        ("NC", Tone.STABLE),
        ("NON-iCR/NON-iUPD", Tone.NEITHER),
        ("", Tone.NOT_EVALUABLE),
        ("MISSING", Tone.NOT_EVALUABLE),
        ("anything else", Tone.UNKNOWN),
    ],
)
def test_words_count_as_their_criterion_says(word: str, tone: Tone) -> None:
    assert response_word(word).tone is tone


def test_words_stand_from_best_to_worst_and_no_answer_last() -> None:
    found = in_order({"", "PD", "NE", "CR", "MR", "iUPD", "PR", "SD", "odd"})
    assert found == ["CR", "PR", "MR", "SD", "iUPD", "PD", "NE", "odd", ""]
