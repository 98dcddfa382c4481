"""A bill as one HTML text, printed as the report is."""

from __future__ import annotations

from decimal import Decimal

from trialimg.adapters.exporters.rendering import environment
from trialimg.adapters.exporters.wording import MINUS
from trialimg.billing.bill import Bill, BillKind
from trialimg.billing.money import rounded
from trialimg.billing.parties import Tax, TaxCategory
from trialimg.protocol.model import exact_text

__all__ = ["html_of_bill"]

_TITLES = {BillKind.INVOICE: "Invoice", BillKind.CREDIT_NOTE: "Credit note"}


def html_of_bill(bill: Bill) -> str:
    """The bill; without a number it says that it is a draft. Same bill, same text."""

    def money(amount: Decimal) -> str:
        return f"{rounded(amount, bill.currency):,}".replace("-", MINUS)

    title = _TITLES[bill.kind] if bill.number else f"Draft {_TITLES[bill.kind].lower()}"
    is_invoice = bill.kind is BillKind.INVOICE
    page = environment().get_template("invoice.html.j2")
    text: str = page.render(bill=bill, title=title, is_invoice=is_invoice, money=money, tax_words=_tax_words)
    return text


def _tax_words(tax: Tax | None) -> str:
    if tax is None:
        return "not stated"
    rate = "" if tax.category is TaxCategory.OUT_OF_SCOPE else f" {exact_text(tax.rate_pct)} %"
    return f"{tax.category.value}{rate}"
