"""What a sponsor pays, as a trial protocol sets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.errors import BillingError, Fault, InvalidValueError

__all__ = ["PriceItem", "PricePlan", "PriceUnit"]

_CURRENCY = re.compile(r"[A-Z]{3}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class PriceUnit(Enum):
    """What a price buys one of."""

    CASE = "case"
    """One subject, charged by the final signed case result."""
    TIMEPOINT = "timepoint"
    READ = "read"
    ADJUDICATION = "adjudication"


@dataclass(frozen=True)
class PriceItem:
    """One line of the price list."""

    item: str
    """Name that a charge and an invoice line carry: lower case letters, digits and underscores."""
    unit: PriceUnit
    """What the price buys one of."""
    price: Decimal
    """Price of one unit, in the currency of the plan; 0 where it is included."""
    description: str = ""
    """Text of the invoice line."""

    def __post_init__(self) -> None:
        faults = []
        if not _NAME.fullmatch(self.item):
            faults.append(Fault("item", "bad_name", f"{self.item!r} is not lower case letters, digits, underscores"))
        if not self.price.is_finite() or self.price < 0:
            faults.append(Fault("price", "out_of_range", f"a price is 0 or more, not {self.price}"))
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class PricePlan:
    """The price list of a trial."""

    currency: str
    """Three letters of ISO 4217, e.g. CNY."""
    items: tuple[PriceItem, ...]
    """What is charged, each item once."""
    version: str = "1"
    """Version of the plan, printed on every invoice."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        if not _CURRENCY.fullmatch(self.currency):
            message = f"{self.currency!r} is not the three capital letters of a currency (ISO 4217)"
            yield Fault("currency", "bad_currency", message)
        seen: set[str] = set()
        for position, item in enumerate(self.items):
            if item.item in seen:
                yield Fault(f"items[{position}].item", "duplicate", f"{item.item!r} has a price already")
            seen.add(item.item)

    def price_of(self, item: str) -> Decimal:
        """The price of one unit of an item.

        Raises
        ------
        BillingError
            If the plan has no such item: what is not priced is not charged as 0.
        """
        for line in self.items:
            if line.item == item:
                return line.price
        known = ", ".join(line.item for line in self.items) or "nothing"
        raise BillingError(f"the price plan has no item {item!r}; it prices {known}")
