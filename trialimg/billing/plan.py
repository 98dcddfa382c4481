"""What a sponsor pays, as a trial protocol sets it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from trialimg.billing.money import is_currency, is_whole
from trialimg.billing.parties import Party, Payer, Share, Tax, TaxCategory
from trialimg.billing.prices import LARGEST_AMOUNT, Bundle, Monthly, PriceItem, PriceUnit, price_fault
from trialimg.core.errors import Fault, InvalidValueError
from trialimg.core.reading import CaseKind

__all__ = ["PricePlan", "Seller", "Withdrawn"]

_HUNDRED = Decimal(100)
_ENTITY = re.compile(r"[A-Z0-9]{1,12}")
_LONGEST_TERM_DAYS = 365


class Withdrawn(Enum):
    """What of a case is charged when its subject withdraws consent."""

    AS_WORKED = "as_worked"
    """What had been signed before."""
    NOT_CHARGED = "not_charged"
    """Nothing but an item of the unit withdrawal; what was invoiced is given back on the next invoice."""


@dataclass(frozen=True)
class Seller:
    """The company that issues the invoices."""

    entity: str
    """Code that its invoice numbers begin with: capital letters and digits."""
    party: Party
    """The company."""
    account: str = ""
    """Bank account for payments (IBAN or number)."""

    def __post_init__(self) -> None:
        if not _ENTITY.fullmatch(self.entity):
            message = f"{self.entity!r} is not 1 to 12 capital letters and digits"
            raise InvalidValueError(Fault("entity", "bad_name", message))


@dataclass(frozen=True)
class PricePlan:
    """The price list of a trial."""

    currency: str
    """Three letters of ISO 4217, e.g. CNY."""
    items: tuple[PriceItem, ...]
    """What is charged, each item once."""
    version: str = "1"
    """Version of the plan, printed on every invoice."""
    bundles: tuple[Bundle, ...] = ()
    """Cases sold together; a case that a bundle covers costs nothing else."""
    monthly: Monthly = field(default_factory=Monthly)
    """What is due every month, whatever is read."""
    cap_per_month: Decimal | None = None
    """Most that a month's charges come to, before tax; null: no cap."""
    cap_per_trial: Decimal | None = None
    """Most that all charges come to, before tax; null: no cap."""
    free_reasons: tuple[str, ...] = ("quality_failure",)
    """Reason codes under which a further read or verdict costs nothing: we had caused it."""
    withdrawn: Withdrawn = Withdrawn.AS_WORKED
    """What of a case is charged when its subject withdraws consent."""
    tax: Tax | None = None
    """Tax of every line; null: not stated, and nothing can be invoiced."""
    seller: Seller | None = None
    """Who issues the invoices; null: nothing can be invoiced."""
    payers: tuple[Payer, ...] = ()
    """Who pays, all by share or all by site; nobody: nothing can be invoiced."""
    payment_days: int = 30
    """Days after the invoice's date until it is due."""
    shares: tuple[Share, ...] = ()
    """How the net revenue is shared, 100 % in all; none: not shared."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def item_of(self, unit: PriceUnit, kind: CaseKind | None) -> PriceItem | None:
        """The item that prices a unit of a case of that kind; None where the plan does not charge it."""
        own = (item for item in self.items if item.unit is unit and item.case_kind is kind)
        rest = (item for item in self.items if item.unit is unit and item.case_kind is None)
        return next(own, None) or next(rest, None)

    def _faults(self) -> Iterator[Fault]:
        if not is_currency(self.currency):
            message = f"{self.currency!r} is not the three capital letters of a currency (ISO 4217)"
            yield Fault("currency", "bad_currency", message)
        else:
            yield from self._too_fine()
        for where in ("cap_per_month", "cap_per_trial"):
            yield from price_fault(where, getattr(self, where) or Decimal(0))
        if not 0 <= self.payment_days <= _LONGEST_TERM_DAYS:
            yield Fault("payment_days", "out_of_range", f"0 to {_LONGEST_TERM_DAYS} days, not {self.payment_days}")
        cap = self.cap_per_month
        if cap is not None and cap.is_finite() and cap < self.monthly.minimum:
            message = f"the cap of a month lies below its minimum of {self.monthly.minimum}"
            yield Fault("cap_per_month", "contradiction", message)
        yield from self._duplicates()
        yield from _not_all("shares", [share.pct for share in self.shares])
        yield from self._payer_faults()
        yield from self._tax_faults()

    def _too_fine(self) -> Iterator[Fault]:
        for where, amount in self._amounts():
            if amount.is_finite() and 0 <= amount < LARGEST_AMOUNT and not is_whole(amount, self.currency):
                yield Fault(where, "too_fine", f"{amount} has more digits than the smallest amount of {self.currency}")

    def _amounts(self) -> Iterator[tuple[str, Decimal]]:
        for position, item in enumerate(self.items):
            yield f"items[{position}].price", item.price
            yield from (
                (f"items[{position}].tiers[{place}].price", tier.price) for place, tier in enumerate(item.tiers)
            )
        yield from ((f"bundles[{position}].price", bundle.price) for position, bundle in enumerate(self.bundles))
        yield "monthly.subscription", self.monthly.subscription
        yield "monthly.minimum", self.monthly.minimum
        yield "cap_per_month", self.cap_per_month or Decimal(0)
        yield "cap_per_trial", self.cap_per_trial or Decimal(0)

    def _duplicates(self) -> Iterator[Fault]:
        names: set[str] = set()
        units: set[tuple[PriceUnit, CaseKind | None]] = set()
        for position, item in enumerate(self.items):
            if item.item in names:
                yield Fault(f"items[{position}].item", "duplicate", f"{item.item!r} has a price already")
            elif (item.unit, item.case_kind) in units:
                message = f"another item prices the unit {item.unit.value} already"
                yield Fault(f"items[{position}].unit", "duplicate", message)
            names.add(item.item)
            units.add((item.unit, item.case_kind))

    def _payer_faults(self) -> Iterator[Fault]:
        for id_, times in Counter(payer.id for payer in self.payers).items():
            if times > 1:
                yield Fault("payers", "duplicate", f"{id_!r} is the id of {times} payers")
        for site, times in Counter(site for payer in self.payers for site in payer.sites).items():
            if times > 1:
                yield Fault("payers", "duplicate", f"the cases of site {site!r} are paid by {times} payers")
        by_share = [payer.share_pct for payer in self.payers if payer.share_pct is not None]
        if not by_share:
            rest = [payer.id for payer in self.payers if not payer.sites]
            if self.payers and len(rest) != 1:
                message = "exactly one payer names no sites: the one who pays all the rest"
                yield Fault("payers", "one_rest", message)
        elif len(by_share) < len(self.payers):
            yield Fault("payers", "one_of_two", "all payers pay by share, or all by site")
        else:
            yield from _not_all("payers", by_share)

    def _tax_faults(self) -> Iterator[Fault]:
        for position, payer in enumerate(self.payers):
            categories = self._categories(payer)
            if TaxCategory.OUT_OF_SCOPE in categories and len(categories) > 1:
                message = "category O cannot stand on one invoice with another (EN 16931, BR-O-11)"
                yield Fault(f"payers[{position}].tax", "contradiction", message)
            if TaxCategory.REVERSE_CHARGE in categories and not payer.party.tax_id:
                message = "reverse charge needs the payer's number for value added tax (EN 16931, BR-AE-02)"
                yield Fault(f"payers[{position}].party.tax_id", "missing_key", message)
        everything = {category for payer in self.payers for category in self._categories(payer)}
        if self.seller and not self.seller.party.tax_id and everything - {TaxCategory.OUT_OF_SCOPE}:
            message = "taxes need the seller's number for value added tax (EN 16931, BR-S-02)"
            yield Fault("seller.party.tax_id", "missing_key", message)

    def _categories(self, payer: Payer) -> set[TaxCategory]:
        taxes = [payer.tax] if payer.tax else [self.tax, *(item.tax for item in self.items)]
        return {tax.category for tax in taxes if tax}


def _not_all(where: str, parts: list[Decimal]) -> Iterator[Fault]:
    if parts and sum(parts) != _HUNDRED:
        yield Fault(where, "not_100_percent", f"{' + '.join(map(str, parts))} = {sum(parts)}, not 100")
