"""One comparison with a share of a reference: exact, with the sentence and the numbers that say how it went."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Comparison", "Quantity", "require_not_negative"]


@dataclass(frozen=True)
class Quantity:
    """A number with the name and the unit that a sentence gives it."""

    name: str
    value: Decimal
    unit: str

    def at_most(self, factor: Decimal, reference: Quantity, *, strict: bool = False) -> Comparison:
        """Whether it is at most (strict: less than) so many times a reference of the same unit."""
        limit = factor * reference.value
        met = self.value < limit if strict else self.value <= limit
        sign = ("<" if met else ">=") if strict else ("<=" if met else ">")
        return self._told(sign, factor, reference, met=met)

    def at_least(self, factor: Decimal, reference: Quantity, *, strict: bool = False) -> Comparison:
        """Whether it is at least (strict: more than) so many times a reference of the same unit."""
        limit = factor * reference.value
        met = self.value > limit if strict else self.value >= limit
        sign = (">" if met else "<=") if strict else (">=" if met else "<")
        return self._told(sign, factor, reference, met=met)

    def _told(self, sign: str, factor: Decimal, reference: Quantity, *, met: bool) -> Comparison:
        limit = factor * reference.value
        sentence = (
            f"{self.name} {_plain(self.value)} {self.unit} {sign} {factor} x {reference.name} "
            f"{_plain(reference.value)} {self.unit} = {_plain(limit)} {self.unit}"
        )
        numbers = {self.name: _plain(self.value), reference.name: _plain(reference.value), "limit": _plain(limit)}
        return Comparison(met, sentence, {f"{name} ({self.unit})": number for name, number in numbers.items()})


@dataclass(frozen=True)
class Comparison:
    """How a quantity compared with so many times its reference."""

    met: bool
    sentence: str
    numbers: dict[str, str]


def require_not_negative(rules: DataclassInstance) -> None:
    """Refuse rules with a negative number.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    for field in fields(rules):
        value = getattr(rules, field.name)
        if isinstance(value, Decimal | int) and not (Decimal(value).is_finite() and value >= 0):
            raise ValueError(f"{field.name} is {value}; it cannot be negative")


def _plain(value: Decimal) -> str:
    """No exponent and no zeros that say nothing."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
