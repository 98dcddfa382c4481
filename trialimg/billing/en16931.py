"""What the European standard for invoices asks of one, checked on the bill itself before it is issued.

References
----------
EN 16931-1:2017, Electronic invoicing, semantic data model of the core elements of an electronic invoice, clauses 6.4
(business rules) and 6.5. Rules that only its written form can break are checked on the XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from trialimg.billing.bill import Bill, BillKind, BillLine
from trialimg.billing.money import minor_digits, rounded
from trialimg.billing.parties import Party, TaxCategory
from trialimg.core.errors import Fault

__all__ = ["UNIT_CODES", "violations"]

UNIT_CODES = {"subscription": "MON", "minimum": "MON"}
"""Unit of an item, by its code of UN/ECE Recommendation 20, where it is not C62 (one)."""

_MOST_DIGITS = 2
_TAX_ID = re.compile(r"[A-Z]{2}[0-9A-Za-z+*]{2,}")
_HUNDRED = Decimal(100)


def violations(bill: Bill) -> tuple[Fault, ...]:
    """Every rule that the bill breaks, with the rule's identifier as the reason code."""
    return (*_head(bill), *_parties(bill), *_lines(bill), *_totals(bill), *_taxes(bill))


def _head(bill: Bill) -> Iterator[Fault]:
    if not bill.number:
        yield Fault("number", "BR-02", "an invoice has a number")
    if not bill.issued_on:
        yield Fault("issued_on", "BR-03", "an invoice has a date")
    if minor_digits(bill.currency) > _MOST_DIGITS:
        message = (
            f"amounts have at most {_MOST_DIGITS} decimal digits; {bill.currency} has {minor_digits(bill.currency)}"
        )
        yield Fault("currency", "BR-DEC-12", message)
    if bill.total > 0 and not bill.due_on:
        yield Fault("due_on", "BR-CO-25", "something is to be paid, but no day by which")
    if bill.last_day < bill.first_day:
        yield Fault("last_day", "BR-29", f"the period ends on {bill.last_day}, before it begins on {bill.first_day}")
    if bill.kind is BillKind.CREDIT_NOTE and not bill.corrects:
        yield Fault("corrects", "BR-55", "a credit note names the invoice that it corrects")


def _parties(bill: Bill) -> Iterator[Fault]:
    if bill.payer is None:
        yield Fault("payer", "BR-07", "the price plan names nobody who pays: price_plan.payers")
    else:
        yield from _tax_id("payer", bill.payer.party)
    if bill.seller is None:
        yield Fault("seller", "BR-06", "the price plan does not name the seller: price_plan.seller")
        return
    party = bill.seller.party
    yield from _tax_id("seller", party)
    if not (party.tax_id or party.registration):
        message = "a seller has a number for value added tax or one in the register of companies"
        yield Fault("seller.party.registration", "BR-CO-26", message)


def _tax_id(where: str, party: Party) -> Iterator[Fault]:
    if party.tax_id and not _TAX_ID.fullmatch(party.tax_id):
        message = f"{party.tax_id!r} does not begin with the two letters of its country"
        yield Fault(f"{where}.party.tax_id", "BR-CO-09", message)


def _lines(bill: Bill) -> Iterator[Fault]:
    if not bill.lines:
        yield Fault("lines", "BR-16", "an invoice has a line")
    for number, line in enumerate(bill.lines, start=1):
        yield from _line(f"line {number}", line)


def _line(where: str, line: BillLine) -> Iterator[Fault]:
    if not line.text:
        yield Fault(where, "BR-25", "a line says what it charges")
    if line.price < 0:
        yield Fault(where, "BR-27", f"a price is 0 or more, not {line.price}")
    if line.tax is None:
        yield Fault(where, "BR-CO-04", f"no tax is stated for {line.item}: price_plan.tax")


def _totals(bill: Bill) -> Iterator[Fault]:
    base = sum((total.base for total in bill.taxes), Decimal(0))
    if all(line.tax for line in bill.lines) and base != bill.net:
        yield Fault("taxes", "BR-CO-10", f"the bases of taxes sum to {base}, the lines to {bill.net}")
    for total in bill.taxes:
        due = rounded(total.base * total.tax.rate_pct / _HUNDRED, bill.currency)
        if due != total.amount:
            yield Fault("taxes", "BR-CO-17", f"{total.tax.rate_pct} % of {total.base} is {due}, not {total.amount}")
    if bill.net + bill.tax != bill.total:
        yield Fault("total", "BR-CO-15", f"{bill.net} and {bill.tax} do not sum to {bill.total}")


def _taxes(bill: Bill) -> Iterator[Fault]:
    categories = {total.tax.category for total in bill.taxes}
    if TaxCategory.OUT_OF_SCOPE in categories and len(categories) > 1:
        yield Fault("taxes", "BR-O-11", "category O stands alone on an invoice")
    for category in categories - {TaxCategory.OUT_OF_SCOPE}:
        if bill.seller and not bill.seller.party.tax_id:
            message = f"category {category.value} needs the seller's number for value added tax"
            yield Fault("seller.party.tax_id", f"BR-{category.value}-02", message)
    if TaxCategory.REVERSE_CHARGE in categories and bill.payer and not bill.payer.party.tax_id:
        yield Fault("payer.party.tax_id", "BR-AE-02", "reverse charge needs the payer's number for value added tax")
