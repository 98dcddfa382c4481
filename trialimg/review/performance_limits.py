"""When a reader's figures ask for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["ReaderLimits"]

_PERCENT = 100


@dataclass(frozen=True)
class ReaderLimits:
    """Figures of a reader beyond which the reader is trained again.

    Notes
    -----
    No guideline gives these numbers: the defaults lie above the published averages (42 % of cases adjudicated,
    half of the adjudicated reads not chosen), so that a usual reader does not cross them. A trial sets its own.
    """

    min_cases: int = 20
    """Cases below which a reader's figures are not judged."""
    max_disagreement_index_pct: int = 33
    """Largest share of the reader's cases in which the adjudicator chose the other read, in percent."""
    max_adjudication_rate_pct: int = 60
    """Largest share of the reader's cases that went to the adjudicator, in percent."""
    min_repeats: int = 5
    """Repeated cases below which repeatability is not judged."""
    min_repeat_agreement_pct: int = 80
    """Smallest share of repeated cases in which the reader gave the same best response again, in percent."""
    min_repeat_kappa: Decimal | None = None
    """Smallest kappa between a reader's first and repeated best responses; null: not judged."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        for name in ("min_cases", "min_repeats"):
            if getattr(self, name) < 1:
                yield Fault(name, "out_of_range", f"at least 1, not {getattr(self, name)}")
        for name in ("max_disagreement_index_pct", "max_adjudication_rate_pct", "min_repeat_agreement_pct"):
            if not 0 <= getattr(self, name) <= _PERCENT:
                yield Fault(name, "out_of_range", f"a percentage lies in 0..100, not {getattr(self, name)}")
        if self.min_repeat_kappa is not None and not -1 <= self.min_repeat_kappa <= 1:
            yield Fault("min_repeat_kappa", "out_of_range", f"kappa lies in -1..1, not {self.min_repeat_kappa}")
