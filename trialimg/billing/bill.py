"""An invoice or a credit note: its lines, their totals, and how far it has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from trialimg.billing.money import divided, rounded
from trialimg.billing.parties import Payer, Share, ShareRole, Tax
from trialimg.billing.plan import Seller
from trialimg.billing.rating import Due
from trialimg.billing.usage import Usage
from trialimg.core.errors import BillingError

__all__ = [
    "UNASSIGNED",
    "Bill",
    "BillKind",
    "BillLine",
    "BillState",
    "PayeePart",
    "TaxTotal",
    "credited",
    "invoiced",
    "state_of",
]

UNASSIGNED = "unassigned"
"""Payee of a reader's or a site's share of what no reader or site did, such as a subscription."""

_HUNDRED = Decimal(100)


class BillKind(Enum):
    """What a bill is, by its code of UNTDID 1001."""

    INVOICE = "380"
    CREDIT_NOTE = "381"


class BillState(Enum):
    """How far an invoice has come; a credit note is issued and stays so."""

    ISSUED = "issued"
    PAID = "paid"
    CREDITED = "credited"


@dataclass(frozen=True)
class PayeePart:
    """What of a line goes to whom."""

    payee: str
    """``role/name``."""
    amount: Decimal


@dataclass(frozen=True)
class BillLine:
    """One line: what it charges, or gives back where the quantity is -1."""

    key: str
    """What is charged; the same key on a later bill corrects it."""
    item: str
    text: str
    subject: str
    """Blinded code; empty for what is due without a subject."""
    quantity: int
    price: Decimal
    """0 or more."""
    note: str
    """How the amount came about."""
    tax: Tax | None
    parts: tuple[PayeePart, ...] = ()
    """Who gets what of it; kept with the invoice, never printed on it."""

    @property
    def amount(self) -> Decimal:
        """Before tax."""
        return self.quantity * self.price


@dataclass(frozen=True)
class TaxTotal:
    """The tax of all lines of one category and rate."""

    tax: Tax
    base: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Bill:
    """An invoice, or the credit note of one; without a number it is a draft, and nothing of it is kept.

    Every amount of a credit note is negative.
    """

    kind: BillKind
    trial: str
    currency: str
    plan_version: str
    protocol_digest: str
    payer: Payer | None
    seller: Seller | None
    first_day: str
    """First day of what is billed, ISO 8601."""
    last_day: str
    lines: tuple[BillLine, ...]
    number: str = ""
    issued_on: str = ""
    due_on: str = ""
    corrects: str = ""
    """Number of the invoice that a credit note gives back."""
    corrects_issued_on: str = ""
    reason: str = ""
    """Why a credit note was given."""
    charge_again: bool = False
    """Whether what a credit note gives back is charged on a later invoice if the records still show it."""

    @property
    def net(self) -> Decimal:
        """Sum of the lines, before tax."""
        return rounded(sum((line.amount for line in self.lines), Decimal(0)), self.currency)

    @property
    def taxes(self) -> tuple[TaxTotal, ...]:
        """The tax of each category and rate, rounded once for each (EN 16931, BR-CO-17), half away from zero."""
        bases: dict[Tax, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            if line.tax is not None:
                bases[line.tax] += line.amount
        return tuple(
            TaxTotal(tax, rounded(base, self.currency), rounded(base * tax.rate_pct / _HUNDRED, self.currency))
            for tax, base in sorted(bases.items(), key=lambda pair: (pair[0].category.value, pair[0].rate_pct))
        )

    @property
    def tax(self) -> Decimal:
        """All taxes together."""
        return rounded(sum((total.amount for total in self.taxes), Decimal(0)), self.currency)

    @property
    def total(self) -> Decimal:
        """With tax: what is to be paid, or is given back."""
        return self.net + self.tax


def invoiced(dues: Iterable[Due], before: Iterable[BillLine], currency: str) -> tuple[BillLine, ...]:
    """The lines that bring what was invoiced before to what is due now.

    Parameters
    ----------
    dues
        Everything that this payer owes, from the beginning of the trial.
    before
        The lines of this payer's former invoices, and of the credit notes that let a thing be charged again.

    Notes
    -----
    A thing without a price has no line. A thing that was invoiced already has one only where its price has changed
    since: because the number of units reached another tier, a minimum was no longer missing, or consent was withdrawn.
    """
    settled: dict[str, list[BillLine]] = defaultdict(list)
    for line in before:
        settled[line.key].append(line)
    current = {due.key: due for due in dues}
    found = (
        _change(settled[key], _line(due, currency) if (due := current.get(key)) else None)
        for key in dict.fromkeys((*current, *settled))
    )
    return tuple(line for line in found if line is not None)


def credited(
    invoice: Bill, former: Iterable[Bill], chosen: Mapping[str, Decimal | None] | None
) -> tuple[BillLine, ...]:
    """The lines of a credit note: the exact negatives of what is left of an invoice's lines.

    Parameters
    ----------
    former
        Credit notes that the invoice has already.
    chosen
        Keys of the lines, with the amount to give back or None for all that is left; None: every line.

    Raises
    ------
    BillingError
        If the invoice has no such line, or less is left of it.
    """
    by_key = {line.key: line for line in invoice.lines}
    left = {key: line.amount for key, line in by_key.items()}
    for line in (line for credit in former for line in credit.lines):
        left[line.key] += line.amount
    wanted = dict.fromkeys(left) if chosen is None else chosen
    lines = []
    for key, amount in wanted.items():
        if key not in by_key:
            raise BillingError(f"invoice {invoice.number} has no line {key}; it has {', '.join(by_key)}")
        taken = left[key] if amount is None else _sign(left[key]) * amount
        if abs(taken) > abs(left[key]) or (amount is not None and amount <= 0):
            message = f"{amount} cannot be credited of line {key} of invoice {invoice.number}"
            raise BillingError(f"{message}: {abs(left[key])} is left of it")
        if rounded(taken, invoice.currency) != taken:
            raise BillingError(f"{amount} has more digits than the smallest amount of {invoice.currency}")
        if taken:
            lines.append(_reversed(by_key[key], taken, left[key], invoice.currency))
    if not lines:
        raise BillingError(f"nothing is left of invoice {invoice.number} to be credited")
    return tuple(lines)


def state_of(invoice: Bill, credit_notes: Sequence[Bill], paid: Decimal) -> BillState:
    """How far an invoice has come; one of which a part was credited is paid when the rest is."""
    given_back = sum((credit.net for credit in credit_notes), Decimal(0))
    if invoice.net + given_back == 0:
        return BillState.CREDITED
    owed = invoice.total + sum((credit.total for credit in credit_notes), Decimal(0))
    return BillState.PAID if paid >= owed else BillState.ISSUED


def _line(due: Due, currency: str) -> BillLine:
    parts = tuple(_parts(due, currency))
    subject = due.usage.subject if due.usage else ""
    return BillLine(due.key, due.item, due.text, subject, 1, due.amount, "; ".join(due.because), due.tax, parts)


def _change(former: Sequence[BillLine], now: BillLine | None) -> BillLine | None:
    """The line between what was invoiced of a thing and what is due of it now; None where that is the same."""
    before = sum((line.amount for line in former), Decimal(0))
    change = (now.amount if now else Decimal(0)) - before
    if not change:
        return None
    if not before:
        return now
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for sign, line in ((1, now), *((-1, line) for line in former)):
        for part in line.parts if line else ():
            parts[part.payee] += sign * part.amount
    line = now or replace(former[-1], note="no longer due")
    note = f"{line.note}; invoiced before: {before}"
    kept = tuple(PayeePart(payee, amount) for payee, amount in parts.items() if amount)
    return replace(line, quantity=_sign(change), price=abs(change), note=note, parts=kept)


def _parts(due: Due, currency: str) -> Iterator[PayeePart]:
    """An amount divided among the payees: first by share, then a share among those who did the work."""
    if not due.shares:
        return
    portions = divided(due.amount, [share.pct for share in due.shares], currency)
    for share, portion in zip(due.shares, portions, strict=True):
        names = _payees(share, due.usage)
        equal = divided(portion, [Decimal(1)] * len(names), currency)
        yield from (
            PayeePart(f"{share.role.value}/{name}", each) for name, each in zip(names, equal, strict=True) if each
        )


def _payees(share: Share, usage: Usage | None) -> tuple[str, ...]:
    match share.role:
        case ShareRole.READER:
            return (usage.people if usage else ()) or (UNASSIGNED,)
        case ShareRole.SITE:
            return ((usage.site if usage else "") or UNASSIGNED,)
        case ShareRole.MODEL_OWNER | ShareRole.PLATFORM:
            return (share.payee,)


def _reversed(line: BillLine, taken: Decimal, left: Decimal, currency: str) -> BillLine:
    """A line that gives back an amount of another one of which some is left; so do the payees, to the last cent."""
    weights = [abs(part.amount) for part in line.parts]
    parts: tuple[PayeePart, ...] = ()
    if weights:
        before, after = divided(left, weights, currency), divided(left - taken, weights, currency)
        parts = tuple(
            PayeePart(part.payee, rest - whole) for part, whole, rest in zip(line.parts, before, after, strict=True)
        )
    return replace(line, quantity=-_sign(taken), price=abs(taken), parts=tuple(part for part in parts if part.amount))


def _sign(amount: Decimal) -> int:
    return -1 if amount < 0 else 1
