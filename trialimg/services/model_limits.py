"""When an indicator of the model's health is amber, and when red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["HealthLimits"]

_PERCENT = 100
_LOWER_IS_WORSE = ("dice", "coverage_pct")


@dataclass(frozen=True)
class HealthLimits:
    """Windows, numbers needed, and the figures from which an indicator is amber or red.

    Notes
    -----
    No guideline gives these numbers. Each default says what it follows; an installation sets its own.
    """

    window_days: int = 90
    """Days before today whose answers are judged; all earlier ones are the reference of drift."""
    min_answers: int = 10
    """Answers (and cases) below which nothing is judged: a share of fewer has an interval of more than 50 points."""
    min_group: int = 10
    """Answers below which a group is not shown: of a few people a figure says who they are."""
    min_drift: int = 30
    """Answers in each of the two windows below which drift is not judged: the chance limit of the index is then 0.6."""
    quiet_days: int = 14
    """Days after a task was closed in which the same indicator opens none: what was done needs time to show."""
    watts: Decimal = Decimal(10)
    """Power of one busy core in W, with its share of the machine: a round guess, to be set to one's own."""
    dice_amber: Decimal = Decimal("0.85")
    """Median Dice of proposal and accepted mask. This and the limits below it are choices, not measurements."""
    dice_red: Decimal = Decimal("0.75")
    edited_amber_pct: Decimal = Decimal(30)
    """Answers taken and then changed, of those taken; a half changed saves the reader little."""
    edited_red_pct: Decimal = Decimal(50)
    rejected_amber_pct: Decimal = Decimal(20)
    """Answers put away, of those given; readers stop asking where every third answer is useless."""
    rejected_red_pct: Decimal = Decimal(35)
    failed_amber_pct: Decimal = Decimal(5)
    """Lines without an answer, of those drawn."""
    failed_red_pct: Decimal = Decimal(10)
    bias_amber_mm: Decimal = Decimal("1.0")
    """Mean of proposed minus accepted diameter: a pixel of a usual CT is 0.7 to 0.9 mm."""
    bias_red_mm: Decimal = Decimal("2.0")
    bias_amber_pct: Decimal = Decimal(3)
    """The same in percent of the accepted diameter: a response turns at 20 % and 30 %."""
    bias_red_pct: Decimal = Decimal(6)
    seconds_amber: Decimal = Decimal(2)
    """95th percentile of the time from line to answer: the reading room's budget."""
    seconds_red: Decimal = Decimal(5)
    psi_amber: Decimal = Decimal("0.10")
    """Stability index, customary in monitoring; red only beyond what chance explains at these numbers."""
    psi_red: Decimal = Decimal("0.25")
    gap_amber_pct: Decimal = Decimal(10)
    """Share of answers taken unchanged, largest difference of one group from all others, in percentage points."""
    gap_red_pct: Decimal = Decimal(20)
    coverage_amber_pct: Decimal = Decimal(90)
    """Accepted diameters inside the interval that was shown, of those with one. It holds the answers
    to the line drawn again; whether it holds what readers accept is what this watches."""
    coverage_red_pct: Decimal = Decimal(80)
    validated_amber_days: int = 180
    """Days since the protocol was validated; half a year, as access is reviewed."""
    validated_red_days: int = 365
    energy_amber_wh: Decimal = Decimal(1)
    """Energy per case in Wh, estimated from CPU time."""
    energy_red_wh: Decimal = Decimal(10)

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def of(self, name: str) -> tuple[float, float]:
        """From where the indicator of a name is amber, and from where red: ``dice``, ``edited_pct``, ``seconds``."""
        stem, _, unit = name.partition("_")
        tail = f"_{unit}" if unit else ""
        return float(getattr(self, f"{stem}_amber{tail}")), float(getattr(self, f"{stem}_red{tail}"))

    def is_low_worse(self, name: str) -> bool:
        """Whether the indicator of a name is bad where it is low."""
        return name in _LOWER_IS_WORSE

    def _faults(self) -> Iterator[Fault]:
        for name in ("window_days", "min_answers", "min_group", "min_drift"):
            if getattr(self, name) < 1:
                yield Fault(name, "out_of_range", f"at least 1, not {getattr(self, name)}")
        if self.watts < 0 or self.quiet_days < 0:
            yield Fault("watts, quiet_days", "out_of_range", "are not below 0")
        for name in (
            "dice", "edited_pct", "rejected_pct", "failed_pct", "bias_mm", "bias_pct", "seconds", "psi", "gap_pct",
            "coverage_pct", "validated_days", "energy_wh",
        ):  # fmt: skip
            amber, red = self.of(name)
            if red < 0 or (red > amber if self.is_low_worse(name) else red < amber):
                yield Fault(name, "out_of_order", f"red ({red:g}) lies on the worse side of amber ({amber:g})")
            if name.endswith("_pct") and max(amber, red) > _PERCENT:
                yield Fault(name, "out_of_range", "a percentage lies in 0..100")
