"""What is known of a segmenter's answers to one kind of prompt from lesions whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["Experience"]


@dataclass(frozen=True)
class Experience:
    """How answers compared with the truth, on lesions that the segmenter had not learnt from.

    Notes
    -----
    The ratios are order statistics of all answers, as in split conformal prediction (Lei et al., J Am Stat Assoc 2018;
    113:1094): of further lesions like these, that share has its true value between them times the said one.
    """

    answers: int
    subjects: int
    bad: int
    """Answers with a Dice below 0.7."""
    share: float
    long_axis: tuple[float, float]
    """True over said long axis, between which that share of the answers lay."""
    volume: tuple[float, float]
    """The same of the volume."""

    @property
    def is_mostly_bad(self) -> bool:
        """Whether more than half of the answers were bad."""
        return 2 * self.bad > self.answers

    def __post_init__(self) -> None:
        ratios = (*self.long_axis, *self.volume)
        in_order = self.long_axis[0] <= self.long_axis[1] and self.volume[0] <= self.volume[1]
        counted = 0 <= self.bad <= self.answers and 0 < self.subjects <= self.answers and 0 < self.share < 1
        if not counted or not in_order or not all(math.isfinite(r) and r > 0 for r in ratios):
            words = "counts of answers and ratios above 0, the lower one first, are needed"
            raise InvalidValueError(Fault("experience", "bad_value", words))
