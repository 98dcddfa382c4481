"""How far the software's answer to a line hangs on the hand that drew it: the same segmenter, asked with lines redrawn.

References
----------
Wilks SS. Determination of sample sizes for setting tolerance limits. Ann Math Stat 1941;12:91 (what the range of n
answers holds of a further one: (n - 1) / (n + 1) on average).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations

import numpy as np

from trialimg.core.errors import IntakeError
from trialimg.core.prompts import LinePrompt, PointLps
from trialimg.imaging.measure import LesionMeasurement, measure
from trialimg.imaging.overlap import dice
from trialimg.imaging.reader_prompts import redrawn
from trialimg.services.ports import Segmenter
from trialimg.services.prompted import KeptMasks, part_around
from trialimg.services.uncertainty import UncertaintySettings
from trialimg.services.viewing import KeptSeries
from trialimg.volume import Mask

__all__ = ["AnsweredLine", "Doubt", "Redrawn", "redrawn_answers"]

Range = tuple[float, float]

_MOST_SECONDS = 2.0
_FEWEST = 3
"""Answers below which nothing is said."""
_MOST_SECONDS_FOR_FEWEST = 20.0
"""A large lesion takes longer; it is asked about no more often than it must be.

Its image is not coarsened instead: with the noise averaged away a segmenter hangs on the line far less, and on four
phantoms of 50 to 80 mm the range of the volume came out at 7 to 25 % of its width.
"""


class Doubt(Enum):
    """Why a person should look twice."""

    EMPTY = "empty"
    """Some of the redrawn lines found no lesion."""
    SHAPE = "shape"
    """The outlines do not lie over one another."""
    LONG_AXIS = "long_axis"
    VOLUME = "volume"


@dataclass(frozen=True)
class AnsweredLine:
    """A line that a reader drew, and what it was answered with."""

    series_uid: str
    ends_lps_mm: tuple[PointLps, PointLps]
    digest: str
    """Of the answer's mask."""
    seconds: float
    """That the answer took."""


@dataclass(frozen=True)
class Redrawn:
    """What the answers to one line, drawn several times, say together; it tells nothing of the truth."""

    answers: int
    """The first one, which the reader sees, among them."""
    empty: int
    """Of these, found nothing."""
    long_mm: Range
    """From the smallest to the largest of the answers that found something."""
    short_mm: Range
    volume_ml: Range
    agreement: float
    """Mean Dice of every two answers; a pair with an empty one counts 0."""
    doubts: tuple[Doubt, ...]


def redrawn_answers(
    series: KeptSeries,
    masks: KeptMasks,
    segmenter: Segmenter,
    *,
    line: AnsweredLine,
    settings: UncertaintySettings | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Redrawn | None:
    """The range of a segmenter's answers to a line as an unsteady hand would draw it again; None where time is short.

    Parameters
    ----------
    settings
        Of these: how often, by which hand, and from where on a person has to look.
    clock
        Seconds; the segmenter is not asked again once the next answer would go beyond two of them, or, as long as there
        are fewer than three answers, beyond twenty.

    Raises
    ------
    IntakeError
        If the series or the answer's mask is not kept.
    ModelError
        If the segmenter cannot run.

    Notes
    -----
    Ends move within the slice by 3 % of the line, at least 0.5 mm; the slice stays. Prompt and image are all that is
    varied, so that a segmenter which is wrong in the same way each time is not found out.
    """
    settings = settings or UncertaintySettings()
    first = masks.mask(line.digest)
    if first is None:
        raise IntakeError("the outline of this answer is not here")
    part = part_around(series, line.series_uid, line.ends_lps_mm)
    prompt, found = LinePrompt(*line.ends_lps_mm), [first]
    began, took = clock(), line.seconds
    for draw in range(1, settings.runs):
        asked = clock()
        if asked - began + took > (_MOST_SECONDS if len(found) >= _FEWEST else _MOST_SECONDS_FOR_FEWEST):
            break
        found.append(segmenter.segment(part, redrawn(prompt, part.geometry, settings.hand, draw=draw)))
        took = clock() - asked
    return _summed_up(found, settings) if len(found) >= _FEWEST else None


def _summed_up(found: Sequence[Mask], settings: UncertaintySettings) -> Redrawn:
    measured = [measure(mask, 1) for mask in found if not mask.is_empty]
    made = Redrawn(
        answers=len(found),
        empty=len(found) - len(measured),
        long_mm=_range(one.long_axis_mm for one in measured),
        short_mm=_range(one.short_axis_mm for one in measured),
        volume_ml=_range(one.volume_ml for one in measured),
        agreement=float(np.mean([dice(one, other) or 0.0 for one, other in combinations(found, 2)])),
        doubts=(),
    )
    return replace(made, doubts=tuple(_doubts(made, measured[0], settings)))


def _range(values: Iterable[float]) -> Range:
    every = list(values)
    return min(every), max(every)


def _doubts(made: Redrawn, first: LesionMeasurement, settings: UncertaintySettings) -> Iterator[Doubt]:
    if made.empty:
        yield Doubt.EMPTY
    if made.agreement < settings.least_agreement:
        yield Doubt.SHAPE
    if made.long_mm[1] - made.long_mm[0] > settings.widest_long_axis * first.long_axis_mm:
        yield Doubt.LONG_AXIS
    if made.volume_ml[1] - made.volume_ml[0] > settings.widest_volume * first.volume_ml:
        yield Doubt.VOLUME
