"""A bill's files: XML that keeps the rules of EN 16931, a tagged PDF, tables; and no byte of what is blinded."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from xml.dom import minidom
from xml.etree import ElementTree

import pytest

from tests.fakes.billed import TRIAL, BilledTrial
from trialimg.adapters.exporters.invoice.files import BillFiles
from trialimg.adapters.exporters.invoice.ubl import ubl_of
from trialimg.billing.bill import Bill, BillKind, BillLine, PayeePart
from trialimg.billing.parties import Party, Payer, Tax, TaxCategory
from trialimg.billing.plan import Seller
from trialimg.services.billing import CreditOrder, credit, issue
from trialimg.services.billing_statement import Days, payee_statement, payee_totals, payer_statement

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMES = {"cac": f"{UBL}CommonAggregateComponents-2", "cbc": f"{UBL}CommonBasicComponents-2"}
CENT = Decimal("0.01")

SIX = Tax(TaxCategory.STANDARD, Decimal(6))
SEVEN = Tax(TaxCategory.STANDARD, Decimal(7))
REVERSE = Tax(TaxCategory.REVERSE_CHARGE, reason="Reverse charge, article 196")
OUT = Tax(TaxCategory.OUT_OF_SCOPE, reason="Not subject to tax")


def said_by(program: str, *arguments: object) -> str:
    """What a program of poppler-utils prints; the test skips where it is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} (poppler-utils) is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def line(
    number: int, price: str, tax: Tax, *, quantity: int = 1, subject: str = "S001", item: str = "case"
) -> BillLine:
    parts = (PayeePart("reader/CANARY-PAYEE", Decimal(price)),)
    text = f"Central review <of> one & \N{LATIN SMALL LETTER E WITH ACUTE} subject: {subject}"
    return BillLine(f"T-1/C{number}/{item}", item, text, subject, quantity, Decimal(price), "case at 2", tax, parts)


def bill(*lines: BillLine, kind: BillKind = BillKind.INVOICE, currency: str = "CNY") -> Bill:
    company = Party("Example & Sons Ltd", "CN", "1 <Road>", "Shanghai", "200000", "CN911", "R-1", "pay@example.org")
    return Bill(
        kind=kind,
        trial="T-1",
        currency=currency,
        plan_version="3",
        protocol_digest="sha256:0",
        payer=Payer("sponsor", replace(company, name="Example Pharma"), reference="PO-17"),
        seller=Seller("CRO1", company, "CN00000000000001"),
        first_day="2026-01-01",
        last_day="2026-01-31",
        lines=lines,
        number="CRO1/2026/000001",
        issued_on="2026-02-01",
        due_on="2026-03-03" if kind is BillKind.INVOICE else "",
        corrects="" if kind is BillKind.INVOICE else "CRO1/2026/000000",
        corrects_issued_on="" if kind is BillKind.INVOICE else "2026-01-05",
        reason="" if kind is BillKind.INVOICE else "wrong\x00price",
    )


BILLS = {
    "one rate": bill(line(1, "2000.00", SIX), line(2, "0.01", SIX)),
    "two rates": bill(*(line(number, "1.25", SEVEN) for number in range(10)), line(11, "0.33", SIX)),
    "reverse charge": bill(line(1, "260.00", REVERSE)),
    "out of scope": bill(line(1, "260.00", OUT)),
    "a line given back": bill(line(1, "2000.00", SIX), line(2, "300.00", SIX, quantity=-1)),
    "yen": bill(line(1, "1005", Tax(TaxCategory.STANDARD, Decimal(10))), currency="JPY"),
    "a month": bill(line(1, "5000.00", SIX, subject="", item="subscription")),
    "credit note": bill(line(1, "500.00", SIX, quantity=-1), kind=BillKind.CREDIT_NOTE),
}


HEAD = """CustomizationID ID IssueDate DueDate InvoiceTypeCode CreditNoteTypeCode Note DocumentCurrencyCode
BuyerReference InvoicePeriod BillingReference ContractDocumentReference AccountingSupplierParty
AccountingCustomerParty PaymentMeans PaymentTerms TaxTotal LegalMonetaryTotal"""


class Reading:
    """An invoice as somebody else reads it: paths only, nothing of the writer."""

    def __init__(self, data: bytes) -> None:
        self.root = ElementTree.fromstring(data)
        self.is_invoice = self.root.tag == f"{{{UBL}Invoice-2}}Invoice"
        self.lines = self.root.findall(f"cac:{'InvoiceLine' if self.is_invoice else 'CreditNoteLine'}", NAMES)

    def text(self, path: str, at: ElementTree.Element | None = None) -> str | None:
        return (self.root if at is None else at).findtext(path, None, NAMES)

    def amount(self, path: str, at: ElementTree.Element | None = None) -> Decimal:
        found = (self.root if at is None else at).find(path, NAMES)
        assert found is not None, path
        assert found.get("currencyID") == self.text("cbc:DocumentCurrencyCode")
        return Decimal(found.text)

    def broken(self) -> list[str]:
        """Rules of EN 16931 that the document breaks."""
        return [rule for rule, holds in (*self._head(), *self._lines(), *self._sums(), *self._taxes()) if not holds]

    def _head(self):
        kind = "cbc:InvoiceTypeCode" if self.is_invoice else "cbc:CreditNoteTypeCode"
        yield "BR-01", self.text("cbc:CustomizationID") == "urn:cen.eu:en16931:2017"
        yield "BR-02", bool(self.text("cbc:ID"))
        yield "BR-03", bool(self.text("cbc:IssueDate"))
        yield "BR-04", self.text(kind) == ("380" if self.is_invoice else "381")
        yield "BR-05", len(self.text("cbc:DocumentCurrencyCode") or "") == 3
        for first, role in ((6, "AccountingSupplierParty"), (7, "AccountingCustomerParty")):
            party = f"cac:{role}/cac:Party"
            yield f"BR-{first:02d}", bool(self.text(f"{party}/cac:PartyLegalEntity/cbc:RegistrationName"))
            country = f"{party}/cac:PostalAddress/cac:Country/cbc:IdentificationCode"
            yield "BR-09" if first == 6 else "BR-11", bool(self.text(country))
        start, end = self.text("cac:InvoicePeriod/cbc:StartDate"), self.text("cac:InvoicePeriod/cbc:EndDate")
        yield "BR-29", start <= end
        yield "BR-CO-25", bool(self.text("cbc:DueDate") or self.text("cac:PaymentTerms/cbc:Note"))
        former = self.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
        yield "BR-55", self.is_invoice or bool(former)
        if self.text("cac:PaymentMeans/cbc:PaymentMeansCode") == "30":
            yield "BR-61", bool(self.text("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID"))

    def _lines(self):
        yield "BR-16", bool(self.lines)
        numbers = [self.text("cbc:ID", line) for line in self.lines]
        yield "BR-21", all(numbers) and len(set(numbers)) == len(numbers)
        for line in self.lines:
            quantity = line.find("cbc:InvoicedQuantity" if self.is_invoice else "cbc:CreditedQuantity", NAMES)
            price = self.amount("cac:Price/cbc:PriceAmount", line)
            yield "BR-22", quantity is not None and quantity.text
            yield "BR-23", quantity.get("unitCode") in ("C62", "MON")
            yield "BR-24", self.amount("cbc:LineExtensionAmount", line) == Decimal(quantity.text) * price
            yield "BR-25", bool(self.text("cac:Item/cbc:Name", line))
            yield "BR-27", price >= 0
            yield "BR-CO-04", bool(self.text("cac:Item/cac:ClassifiedTaxCategory/cbc:ID", line))

    def _sums(self):
        total = {name: self.amount(f"cac:LegalMonetaryTotal/cbc:{name}Amount") for name in
                 ("LineExtension", "TaxExclusive", "TaxInclusive", "Payable")}  # fmt: skip
        tax = self.amount("cac:TaxTotal/cbc:TaxAmount")
        yield "BR-CO-10", total["LineExtension"] == sum(self.amount("cbc:LineExtensionAmount", x) for x in self.lines)
        yield "BR-CO-13", total["TaxExclusive"] == total["LineExtension"]
        yield "BR-CO-15", total["TaxInclusive"] == total["TaxExclusive"] + tax
        yield "BR-CO-16", total["Payable"] == total["TaxInclusive"]
        yield "BR-DEC", all(-value.as_tuple().exponent <= 2 for value in (*total.values(), tax))

    def _taxes(self):
        parts = self.root.findall("cac:TaxTotal/cac:TaxSubtotal", NAMES)
        yield "BR-CO-18", bool(parts)
        tax = self.amount("cac:TaxTotal/cbc:TaxAmount")
        yield "BR-CO-14", tax == sum(self.amount("cbc:TaxAmount", part) for part in parts)
        unit = Decimal(1) if self.text("cbc:DocumentCurrencyCode") == "JPY" else CENT
        for part in parts:
            category = self.text("cac:TaxCategory/cbc:ID", part)
            rate = self.text("cac:TaxCategory/cbc:Percent", part)
            base = self.amount("cbc:TaxableAmount", part)
            mine = [
                self.amount("cbc:LineExtensionAmount", x)
                for x in self.lines
                if self.text("cac:Item/cac:ClassifiedTaxCategory/cbc:ID", x) == category
                and self.text("cac:Item/cac:ClassifiedTaxCategory/cbc:Percent", x) == rate
            ]
            yield f"BR-{category}-08", base == sum(mine)
            exact = base * Decimal(rate or 0) / 100
            yield "BR-CO-17", self.amount("cbc:TaxAmount", part) == exact.quantize(unit, rounding=ROUND_HALF_UP)
            yield (
                f"BR-{category}-10",
                bool(self.text("cac:TaxCategory/cbc:TaxExemptionReason", part)) == (category not in ("S", "Z")),
            )
            sellers = self.text("cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID")
            yield f"BR-{category}-02", bool(sellers) == (category != "O")
            yield "BR-O-05", (rate is None) == (category == "O")


@pytest.mark.parametrize("name", BILLS)
def test_the_xml_keeps_the_rules_of_en_16931(name):
    data = ubl_of(BILLS[name])
    assert Reading(data).broken() == []
    assert minidom.parseString(data).documentElement.localName in ("Invoice", "CreditNote")
    assert ubl_of(BILLS[name]) == data


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("cac:LegalMonetaryTotal/cbc:LineExtensionAmount", "1.00", "BR-CO-10"),
        ("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount", "1.00", "BR-CO-15"),
        ("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount", "1.00", "BR-CO-17"),
        ("cac:TaxTotal/cbc:TaxAmount", "1.00", "BR-CO-14"),
        ("cac:AccountingSupplierParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName", "", "BR-06"),
        ("cbc:ID", "", "BR-02"),
        ("cac:InvoiceLine/cac:Price/cbc:PriceAmount", "1.00", "BR-24"),
    ],
)
def test_the_check_of_the_rules_bites(path, text, rule):
    reading = Reading(ubl_of(BILLS["one rate"]))
    reading.root.find(path, NAMES).text = text
    assert rule in reading.broken()


def test_the_elements_stand_in_the_order_of_the_ubl_schema():
    order = [*HEAD.split(), "InvoiceLine", "CreditNoteLine"]
    for made in BILLS.values():
        found = [order.index(child.tag.partition("}")[2]) for child in Reading(ubl_of(made)).root]
        assert found == sorted(found)


def test_a_credit_note_says_what_it_corrects_and_gives_back_positive_amounts():
    reading = Reading(ubl_of(BILLS["credit note"]))
    assert reading.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == "CRO1/2026/000000"
    assert reading.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate") == "2026-01-05"
    assert reading.amount("cac:LegalMonetaryTotal/cbc:PayableAmount") == Decimal("530.00")
    assert reading.text("cbc:Note") == "wrong\N{REPLACEMENT CHARACTER}price"


def test_the_tables_say_what_the_bill_says(tmp_path):
    files = {path.suffix: path for path in BillFiles().write_bill(BILLS["two rates"], tmp_path)}
    rows = list(csv.DictReader(io.StringIO(files[".csv"].read_text())))
    document = json.loads(files[".json"].read_text())
    assert sum(Decimal(row["amount"]) for row in rows) == BILLS["two rates"].net == Decimal(document["net"])
    assert [row["tax_rate_pct"] for row in rows] == ["7"] * 10 + ["6"]
    assert [one["text"] for one in document["lines"]] == [row["text"] for row in rows]
    assert document["total"] == "13.73"


def test_the_pdf_is_tagged_says_the_totals_and_is_the_same_each_time(tmp_path):
    files = {path.suffix: path for path in BillFiles().write_bill(BILLS["a line given back"], tmp_path)}
    data = files[".pdf"].read_bytes()
    BillFiles().write_bill(BILLS["a line given back"], tmp_path)
    assert files[".pdf"].read_bytes() == data
    shown = said_by("pdftotext", "-layout", files[".pdf"], "-")
    assert "Tagged:          yes" in said_by("pdfinfo", files[".pdf"])
    for words in ("CRO1/2026/000001", "1,802.00", "\N{MINUS SIGN}300.00", "by 2026-03-03", "PO-17", "S001"):
        assert words in shown


def test_a_draft_is_no_invoice(tmp_path):
    draft = replace(BILLS["one rate"], number="", issued_on="", due_on="")
    files = BillFiles().write_bill(draft, tmp_path)
    assert {path.name for path in files} == {f"draft-T-1-sponsor{ending}" for ending in (".pdf", ".csv", ".json")}
    shown = said_by("pdftotext", files[0], "-")
    assert "This is a draft" in shown
    assert "Please pay" not in shown


@pytest.mark.requirement("E6-01")
def test_no_byte_of_any_file_tells_arm_response_or_who_gets_what(tmp_path):
    trial = BilledTrial()
    trial.finished(1)
    trial.finished(2, adjudicated=True, arm="CANARY-ARM", result={"bor": "CANARY-PR"})
    trial.at("2026-02-01")
    day = trial.clock.moment.date()
    made = issue(trial.records, trial.admin, TRIAL, day).invoices[0]
    note = credit(trial.records, trial.admin, CreditOrder(TRIAL, made.number, "wrong"))
    days = Days(day, day)
    files = [*BillFiles().write_bill(made, tmp_path), *BillFiles().write_bill(note, tmp_path)]
    files += BillFiles().write_statement(
        payer_statement(trial.records, trial.sponsor, TRIAL, "sponsor", days=days), tmp_path
    )
    for_sponsor = list(files)
    for payee in payee_totals(trial.records, trial.admin, TRIAL, days):
        found = payee_statement(trial.records, trial.admin, TRIAL, payee, days=days)
        files += BillFiles().write_statement(found, tmp_path)
    assert len(files) == 8 + 2 + 12
    for file in files:
        assert b"CANARY" not in _everything(file), file.name
    for file in for_sponsor:
        found = _everything(file)
        assert [name for name in (b"rita", b"raul", b"modelworks", b"reader/") if name in found] == [], file.name
    assert b"S002" in _everything(next(file for file in files if file.suffix == ".pdf"))


def _everything(file: Path) -> bytes:
    """The bytes of a file and, where they are compressed, what they say."""
    data = file.read_bytes()
    if file.suffix == ".pdf":
        data += said_by("pdftotext", file, "-").encode() + said_by("pdfinfo", "-struct-text", file).encode()
    return data
