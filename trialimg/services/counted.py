"""What a criterion counts of a lesion in an image: which diameter of a node, products, volumes, attenuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trialimg.core.lesions import LesionKind, Quantities, length_mm
from trialimg.imaging.measure import LesionMeasurement

__all__ = ["DIAMETERS", "Counted", "Counts", "counts_of"]

_BY_DIAMETER = frozenset({"recist11", "recist10", "irecist", "mrecist", "irrecist", "imrecist", "recil"})
_BY_ATTENUATION = frozenset({"choi", "mchoi"})
_ACROSS, _VOLUME, _ATTENUATION = Decimal("0.01"), Decimal("0.001"), Decimal("0.1")


@dataclass(frozen=True)
class Counts:
    """What is read off a lesion's region for a criterion."""

    node_short_axis: bool
    """The diameter of a node is its short axis; otherwise its longest, as of any lesion."""
    sizes: bool
    """The diameter across and the volume as well."""
    attenuation: bool
    """Mean HU as well."""


DIAMETERS = Counts(node_short_axis=True, sizes=False, attenuation=False)
"""As RECIST 1.1 counts."""


def counts_of(criterion: str, rules: Any) -> Counts:
    """What a criterion counts, by its name and rules."""
    return Counts(
        node_short_axis=bool(getattr(rules, "nodes_by_short_axis", False)),
        sizes=criterion not in _BY_DIAMETER,
        attenuation=criterion in _BY_ATTENUATION,
    )


@dataclass(frozen=True)
class Counted:
    """The numbers of one lesion at one timepoint; None and nothing where it is gone."""

    diameter_mm: Decimal | None
    """Sum over the parts of a lesion that has split, each rounded once (RECIST 1.1: split lesions)."""
    quantities: Quantities

    @classmethod
    def of(
        cls, parts: Sequence[LesionMeasurement], kind: LesionKind, counts: Counts, *, mean_hu: float | None = None
    ) -> Counted:
        """The numbers of a lesion that was measured in these parts.

        Notes
        -----
        The product of a split lesion is the sum of its parts' products: its diameter across is that sum divided by
        its diameter, rounded to 0.01 mm.
        """
        if not parts:
            return cls(None, Quantities())
        by_short = counts.node_short_axis and kind is LesionKind.NODAL
        lengths = [length_mm(part.short_axis_mm if by_short else part.long_axis_mm) for part in parts]
        diameter_mm = sum(lengths, Decimal(0))
        if not counts.sizes:
            return cls(diameter_mm, Quantities())
        across = [length_mm(part.short_axis_mm) for part in parts]
        product_mm2 = sum((long * short for long, short in zip(lengths, across, strict=True)), Decimal(0))
        volume_ml = Decimal(str(sum(part.volume_ml for part in parts)))
        return cls(
            diameter_mm,
            Quantities(
                short_axis_mm=across[0] if len(parts) == 1 else _rounded(product_mm2 / diameter_mm, _ACROSS),
                volume_ml=_rounded(volume_ml, _VOLUME),
                mean_hu=None if mean_hu is None else _rounded(Decimal(str(mean_hu)), _ATTENUATION),
            ),
        )


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, rounding=ROUND_HALF_UP)
