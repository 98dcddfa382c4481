"""Who sells, who pays, who gets a share, and which tax is due."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["Party", "Payer", "Share", "ShareRole", "Tax", "TaxCategory"]

_HUNDRED = Decimal(100)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class TaxCategory(Enum):
    """Kind of value added tax, by its code of UNCL 5305 as EN 16931 restricts it."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUT_OF_SCOPE = "O"

    @property
    def needs_reason(self) -> bool:
        """True where an invoice says why no tax is charged (BR-E-10, BR-AE-10, BR-G-10, BR-O-10)."""
        return self not in (TaxCategory.STANDARD, TaxCategory.ZERO)


@dataclass(frozen=True)
class Tax:
    """The value added tax of an invoice line."""

    category: TaxCategory
    """Code of EN 16931: S standard rate, Z zero rate, E exempt, AE reverse charge, G export, O out of scope."""
    rate_pct: Decimal = Decimal(0)
    """Rate in percent; more than 0 exactly for S."""
    reason: str = ""
    """Why no tax is charged, as the law words it; for E, AE, G and O."""

    def __post_init__(self) -> None:
        faults = []
        is_standard = self.category is TaxCategory.STANDARD
        if not self.rate_pct.is_finite() or not 0 <= self.rate_pct <= _HUNDRED or is_standard != (self.rate_pct > 0):
            message = f"the rate is more than 0 (and at most 100) exactly for category S, not {self.rate_pct}"
            faults.append(Fault("rate_pct", "out_of_range", message))
        if self.category.needs_reason != bool(self.reason):
            needs = "needs" if self.category.needs_reason else "has no"
            message = f"category {self.category.value} {needs} reason why no tax is charged"
            faults.append(Fault("reason", "tax_reason", message))
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class Party:
    """A company as an invoice names it."""

    name: str
    """Registered name."""
    country: str
    """Two letters of ISO 3166-1, e.g. CN."""
    street: str = ""
    """Street and number."""
    city: str = ""
    """Town."""
    postal_code: str = ""
    """Postal code."""
    tax_id: str = ""
    """Number for value added tax, with its country's letters where it has them."""
    registration: str = ""
    """Number in the register of companies."""
    email: str = ""
    """Where the invoice is sent, or questions are answered."""

    def __post_init__(self) -> None:
        faults = []
        if not self.name.strip():
            faults.append(Fault("name", "empty", "a company has a name"))
        if not _COUNTRY.fullmatch(self.country):
            message = f"{self.country!r} is not the two capital letters of a country (ISO 3166-1)"
            faults.append(Fault("country", "bad_country", message))
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class Payer:
    """Someone who pays a part: a percentage of every line, or the lines of some sites."""

    id: str
    """Short name: letters, digits, dot, dash, underscore."""
    party: Party
    """The company that the invoice goes to."""
    share_pct: Decimal | None = None
    """Percentage of every line; null: this payer pays by site."""
    sites: tuple[str, ...] = ()
    """Sites whose cases this payer pays; empty, and no share: all that no other payer pays."""
    tax: Tax | None = None
    """Tax of everything on this payer's invoices; null: as the plan says."""
    reference: str = ""
    """What the payer wants printed: an order number, a department."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        if not _CODE.fullmatch(self.id):
            yield Fault("id", "bad_name", f"{self.id!r} is not letters, digits, dot, dash, underscore")
        if self.share_pct is not None and (not self.share_pct.is_finite() or not 0 < self.share_pct <= _HUNDRED):
            yield Fault("share_pct", "out_of_range", f"a share lies above 0 and up to 100, not {self.share_pct}")
        if self.share_pct is not None and self.sites:
            yield Fault("sites", "one_of_two", "a payer pays a share of everything or the cases of sites, not both")


class ShareRole(Enum):
    """What a share of the revenue is given for."""

    READER = "reader"
    """To those who signed what a line charges."""
    SITE = "site"
    """To the site that contributed the case."""
    MODEL_OWNER = "model_owner"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Share:
    """A part of the net revenue of every line."""

    role: ShareRole
    """What it is given for."""
    pct: Decimal
    """Percentage of the net amount."""
    payee: str = ""
    """Who gets it, for model_owner and platform; readers and sites are known by their work."""

    def __post_init__(self) -> None:
        faults = []
        if not self.pct.is_finite() or not 0 < self.pct <= _HUNDRED:
            faults.append(Fault("pct", "out_of_range", f"a share lies above 0 and up to 100, not {self.pct}"))
        by_work = self.role in (ShareRole.READER, ShareRole.SITE)
        if by_work == bool(self.payee):
            needs = "is known by the work, so it has no" if by_work else "needs the name of its"
            faults.append(Fault("payee", "bad_payee", f"a share of the {self.role.value} {needs} payee"))
        if faults:
            raise InvalidValueError(*faults)
