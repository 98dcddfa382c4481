"""What one unit of work costs: items, tiers, bundles, monthly amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.billing.parties import Tax
from trialimg.core.errors import Fault, InvalidValueError
from trialimg.core.reading import CaseKind

__all__ = [
    "LARGEST_AMOUNT",
    "Bundle",
    "CountedOver",
    "Monthly",
    "PriceItem",
    "PriceUnit",
    "Tier",
    "Tiering",
    "price_fault",
]

LARGEST_AMOUNT = Decimal("1000000000000")
"""Beyond this, sums would not stay exact to the cent; no price comes near."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MONTH = re.compile(r"(|[0-9]{4}-(0[1-9]|1[0-2]))")


class PriceUnit(Enum):
    """What a price buys one of; each is derived from one signed step."""

    CASE = "case"
    """One subject, charged by the final signed case result."""
    TIMEPOINT = "timepoint"
    """A timepoint of a case, charged with its final result."""
    LATE_TIMEPOINT = "late_timepoint"
    """A timepoint that came after the case had been final."""
    READ = "read"
    """The first signed read of a seat."""
    REREAD = "reread"
    """A signed read that supersedes one."""
    REPEAT_READ = "repeat_read"
    """A case given to its reader once more, to measure repeatability."""
    QUALIFICATION_READ = "qualification_read"
    """A read by which a reader qualifies."""
    ADJUDICATION = "adjudication"
    """The first signed verdict of a case."""
    READJUDICATION = "readjudication"
    """A further signed verdict of the same case."""
    WITHDRAWAL = "withdrawal"
    """A case whose subject withdrew consent."""


class Tiering(Enum):
    """Which units a tier's price holds for."""

    GRADUATED = "graduated"
    """Each unit costs what the tier says that it falls into."""
    VOLUME = "volume"
    """All units cost what the tier says that their number falls into."""


class CountedOver(Enum):
    """Where the counting of units begins anew."""

    TRIAL = "trial"
    MONTH = "month"


def price_fault(where: str, amount: Decimal) -> Iterator[Fault]:
    """The fault of an amount that no invoice can carry."""
    if not amount.is_finite() or not 0 <= amount < LARGEST_AMOUNT:
        yield Fault(where, "out_of_range", f"a price is 0 or more, and less than {LARGEST_AMOUNT}, not {amount}")


@dataclass(frozen=True)
class Tier:
    """A price that begins after a number of units."""

    above: int
    """Units that come before this tier: 50 for a price that begins with the 51st."""
    price: Decimal
    """Price of one unit."""

    def __post_init__(self) -> None:
        faults = list(price_fault("price", self.price))
        if self.above < 1:
            faults.append(Fault("above", "out_of_range", f"a tier begins above 1 unit or more, not {self.above}"))
        if faults:
            raise InvalidValueError(*faults)


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
    case_kind: CaseKind | None = None
    """Only for cases read for this; null: for those that no other item of the unit names."""
    included_per_case: int = 0
    """Units of each case, its first ones, that cost nothing."""
    tiers: tuple[Tier, ...] = ()
    """Other prices from some number of units on."""
    tiering: Tiering = Tiering.GRADUATED
    """Which units a tier's price holds for."""
    counted: CountedOver = CountedOver.TRIAL
    """Over what the units of tiers are counted."""
    tax: Tax | None = None
    """Tax of this item; null: as the plan says."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        if not _NAME.fullmatch(self.item):
            yield Fault("item", "bad_name", f"{self.item!r} is not lower case letters, digits, underscores")
        yield from price_fault("price", self.price)
        if self.included_per_case < 0:
            yield Fault("included_per_case", "out_of_range", f"0 units or more, not {self.included_per_case}")
        for position in range(1, len(self.tiers)):
            before, tier = self.tiers[position - 1], self.tiers[position]
            if tier.above <= before.above:
                message = f"a tier above {tier.above} stands behind one above {before.above}"
                yield Fault(f"tiers[{position}].above", "tiers_out_of_order", message)

    def tier_of(self, number: int) -> int:
        """Which price holds for the unit of that number, counted from 1: 0 is `price`, 1 the first of `tiers`."""
        return sum(1 for tier in self.tiers if number > tier.above)

    def price_in(self, tier: int) -> Decimal:
        """The price of one unit in a tier as `tier_of` counts them."""
        return self.tiers[tier - 1].price if tier else self.price


@dataclass(frozen=True)
class Bundle:
    """A number of cases for one price, everything that is done for them included."""

    cases: int
    """How many cases it covers: the first ones that something is done for, behind those of the bundle before."""
    price: Decimal
    """Price of the whole bundle, due when something is done for its first case."""
    description: str = ""
    """Text of the invoice line."""

    def __post_init__(self) -> None:
        faults = list(price_fault("price", self.price))
        if self.cases < 1:
            faults.append(Fault("cases", "out_of_range", f"a bundle covers 1 case or more, not {self.cases}"))
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class Monthly:
    """What is due every month, whatever is read; months are those of UTC."""

    first_month: str = ""
    """First month, e.g. "2026-01"; needed for a subscription or a minimum."""
    last_month: str = ""
    """Last month; empty: no end."""
    subscription: Decimal = Decimal(0)
    """Due when a month begins."""
    minimum: Decimal = Decimal(0)
    """What a month's charges, the subscription among them, are raised to when it has ended."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        for where in ("first_month", "last_month"):
            if not _MONTH.fullmatch(getattr(self, where)):
                yield Fault(where, "bad_month", f'{getattr(self, where)!r} is not a month like "2026-01"')
        yield from price_fault("subscription", self.subscription)
        yield from price_fault("minimum", self.minimum)
        if not self.first_month and (self.subscription or self.minimum):
            yield Fault("first_month", "missing_key", "a subscription or a minimum needs its first month")
        if self.last_month and self.last_month < self.first_month:
            message = f"{self.last_month} lies before the first month, {self.first_month}"
            yield Fault("last_month", "window_reversed", message)
