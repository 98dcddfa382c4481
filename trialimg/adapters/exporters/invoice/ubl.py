"""A bill as XML: UBL 2.1 in the syntax binding of EN 16931.

References
----------
EN 16931-1:2017 (the model; BT and BG numbers stand in `docs/reference/billing.md`) and CEN/TS 16931-3-2:2017 (its
binding to ISO/IEC 19845:2015, UBL 2.1).
"""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from trialimg.billing.bill import Bill, BillKind, BillLine
from trialimg.billing.en16931 import UNIT_CODES
from trialimg.billing.money import rounded
from trialimg.billing.parties import Party, Tax, TaxCategory

__all__ = ["SPECIFICATION", "ubl_of"]

SPECIFICATION = "urn:cen.eu:en16931:2017"

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_PREFIXES = {
    "xmlns:cac": f"{_UBL}:CommonAggregateComponents-2",
    "xmlns:cbc": f"{_UBL}:CommonBasicComponents-2",
}
_CREDIT_TRANSFER = "30"
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def ubl_of(bill: Bill) -> bytes:
    """The bill as one XML document in UTF-8; same bill, same bytes. What a credit note gives back is positive there."""
    return _Writer(bill).document()


class _Writer:
    """One bill being written."""

    def __init__(self, bill: Bill) -> None:
        self.bill = bill
        self.is_invoice = bill.kind is BillKind.INVOICE
        self.sign = 1 if self.is_invoice else -1
        categories = {total.tax.category for total in bill.taxes}
        self.names_tax_ids = categories != {TaxCategory.OUT_OF_SCOPE}

    def document(self) -> bytes:
        name = "Invoice" if self.is_invoice else "CreditNote"
        root = Element(name, {"xmlns": f"{_UBL}:{name}-2", **_PREFIXES})
        self._head(root)
        self._references(root)
        if self.bill.seller:
            self._party(root, "AccountingSupplierParty", self.bill.seller.party)
        if self.bill.payer:
            self._party(root, "AccountingCustomerParty", self.bill.payer.party)
        self._payment(root)
        self._taxes(root)
        self._totals(root)
        for number, line in enumerate(self.bill.lines, start=1):
            self._line(root, number, line)
        indent(root)
        text: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
        return text + b"\n"

    def _head(self, root: Element) -> None:
        bill = self.bill
        _text(root, "CustomizationID", SPECIFICATION)
        _text(root, "ID", bill.number)
        _text(root, "IssueDate", bill.issued_on)
        if self.is_invoice:
            _text(root, "DueDate", bill.due_on)
        _text(root, "InvoiceTypeCode" if self.is_invoice else "CreditNoteTypeCode", bill.kind.value)
        _text(root, "Note", bill.reason)
        _text(root, "DocumentCurrencyCode", bill.currency)
        _text(root, "BuyerReference", bill.payer.reference if bill.payer else "")

    def _references(self, root: Element) -> None:
        bill = self.bill
        period = _group(root, "InvoicePeriod")
        _text(period, "StartDate", bill.first_day)
        _text(period, "EndDate", bill.last_day)
        if bill.corrects:
            former = _group(_group(root, "BillingReference"), "InvoiceDocumentReference")
            _text(former, "ID", bill.corrects)
            _text(former, "IssueDate", bill.corrects_issued_on)
        _text(_group(root, "ContractDocumentReference"), "ID", f"{bill.trial}, price plan {bill.plan_version}")

    def _party(self, root: Element, role: str, about: Party) -> None:
        party = _group(_group(root, role), "Party")
        address = _group(party, "PostalAddress")
        _text(address, "StreetName", about.street)
        _text(address, "CityName", about.city)
        _text(address, "PostalZone", about.postal_code)
        _text(_group(address, "Country"), "IdentificationCode", about.country)
        if about.tax_id and self.names_tax_ids:
            scheme = _group(party, "PartyTaxScheme")
            _text(scheme, "CompanyID", about.tax_id)
            _text(_group(scheme, "TaxScheme"), "ID", "VAT")
        legal = _group(party, "PartyLegalEntity")
        _text(legal, "RegistrationName", about.name)
        _text(legal, "CompanyID", about.registration)
        if about.email:
            _text(_group(party, "Contact"), "ElectronicMail", about.email)

    def _payment(self, root: Element) -> None:
        account = self.bill.seller.account if self.bill.seller else ""
        if account and self.is_invoice:
            means = _group(root, "PaymentMeans")
            _text(means, "PaymentMeansCode", _CREDIT_TRANSFER)
            _text(means, "PaymentID", self.bill.number)
            _text(_group(means, "PayeeFinancialAccount"), "ID", account)
        if not self.is_invoice:
            terms = f"Set off against invoice {self.bill.corrects}, or refunded"
            _text(_group(root, "PaymentTerms"), "Note", terms)

    def _taxes(self, root: Element) -> None:
        whole = _group(root, "TaxTotal")
        self._amount(whole, "TaxAmount", self.bill.tax)
        for total in self.bill.taxes:
            part = _group(whole, "TaxSubtotal")
            self._amount(part, "TaxableAmount", total.base)
            self._amount(part, "TaxAmount", total.amount)
            _tax(part, "TaxCategory", total.tax, total.tax.reason)

    def _totals(self, root: Element) -> None:
        totals = _group(root, "LegalMonetaryTotal")
        self._amount(totals, "LineExtensionAmount", self.bill.net)
        self._amount(totals, "TaxExclusiveAmount", self.bill.net)
        self._amount(totals, "TaxInclusiveAmount", self.bill.total)
        self._amount(totals, "PayableAmount", self.bill.total)

    def _line(self, root: Element, number: int, line: BillLine) -> None:
        element = _group(root, "InvoiceLine" if self.is_invoice else "CreditNoteLine")
        _text(element, "ID", str(number))
        _text(element, "Note", line.note)
        quantity = "InvoicedQuantity" if self.is_invoice else "CreditedQuantity"
        _text(element, quantity, str(self.sign * line.quantity), unitCode=UNIT_CODES.get(line.item, "C62"))
        self._amount(element, "LineExtensionAmount", line.amount)
        item = _group(element, "Item")
        _text(item, "Name", line.text)
        _text(_group(item, "SellersItemIdentification"), "ID", line.item)
        if line.tax:
            _tax(item, "ClassifiedTaxCategory", line.tax)
        if line.subject:
            about = _group(item, "AdditionalItemProperty")
            _text(about, "Name", "Subject")
            _text(about, "Value", line.subject)
        price = str(rounded(line.price, self.bill.currency))
        _text(_group(element, "Price"), "PriceAmount", price, currencyID=self.bill.currency)

    def _amount(self, parent: Element, name: str, amount: Decimal) -> None:
        text = str(rounded(self.sign * amount, self.bill.currency))
        _text(parent, name, text, currencyID=self.bill.currency)


def _tax(parent: Element, name: str, tax: Tax, reason: str = "") -> None:
    category = _group(parent, name)
    _text(category, "ID", tax.category.value)
    if tax.category is not TaxCategory.OUT_OF_SCOPE:
        _text(category, "Percent", str(tax.rate_pct))
    _text(category, "TaxExemptionReason", reason)
    _text(_group(category, "TaxScheme"), "ID", "VAT")


def _group(parent: Element, name: str) -> Element:
    return SubElement(parent, f"cac:{name}")


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    """An element with a text; none where there is nothing to say. What XML cannot carry becomes U+FFFD."""
    if text:
        SubElement(parent, f"cbc:{name}", attributes).text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
