"""Bills: a credit note is the exact negative of what is left, and a state follows from what was given back and paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.usages import cases, due, plan_of
from trialimg.billing.bill import UNASSIGNED, Bill, BillKind, BillState, credited, invoiced, state_of
from trialimg.billing.en16931 import violations
from trialimg.billing.parties import Party, Payer, Share, ShareRole, Tax, TaxCategory
from trialimg.billing.plan import Seller
from trialimg.billing.prices import Monthly, PriceItem, PriceUnit
from trialimg.core.errors import BillingError

SIX_PCT = Tax(TaxCategory.STANDARD, Decimal(6))
SHARES = (Share(ShareRole.READER, Decimal("33.3")), Share(ShareRole.SITE, Decimal("0.7")),
          Share(ShareRole.PLATFORM, Decimal(66), "us"))  # fmt: skip
COMPANY = Party("Example Ltd", "CN", tax_id="CN911")


def bill(*prices: str, currency: str = "CNY") -> Bill:
    """An issued invoice with a case for each price."""
    plan = plan_of(PriceItem("case", PriceUnit.CASE, Decimal(1)), shares=SHARES, tax=SIX_PCT)
    dues = [
        replace(one, amount=Decimal(price)) for one, price in zip(due(plan, cases(len(prices))), prices, strict=True)
    ]
    return Bill(
        kind=BillKind.INVOICE,
        trial="T-1",
        currency=currency,
        plan_version="1",
        protocol_digest="sha256:0",
        payer=Payer("sponsor", COMPANY),
        seller=Seller("CRO1", COMPANY),
        first_day="2026-01-01",
        last_day="2026-01-31",
        lines=invoiced(dues, (), currency),
        number="CRO1/2026/000001",
        issued_on="2026-02-01",
        due_on="2026-03-03",
    )


def credit_note(invoice: Bill, former: list[Bill], chosen: dict[str, Decimal | None] | None = None) -> Bill:
    lines = credited(invoice, former, chosen)
    return replace(invoice, kind=BillKind.CREDIT_NOTE, lines=lines, corrects=invoice.number, due_on="")


@given(st.lists(st.integers(1, 10**8).map(lambda cents: str(Decimal(cents) / 100)), min_size=1, max_size=5))
def test_a_whole_credit_note_is_the_exact_negative(prices):
    invoice = bill(*prices)
    note = credit_note(invoice, [])
    assert (note.net, note.tax, note.total) == (-invoice.net, -invoice.tax, -invoice.total)
    assert [(one.key, one.amount) for one in note.lines] == [(one.key, -one.amount) for one in invoice.lines]
    assert [part for one in note.lines for part in one.parts] == [
        replace(part, amount=-part.amount) for one in invoice.lines for part in one.parts
    ]


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), max_size=4))
def test_credits_in_pieces_come_to_the_whole_for_the_payer_and_every_payee(cents, pieces):
    invoice = bill(str(Decimal(cents) / 100))
    key, notes, left = invoice.lines[0].key, [], cents
    for piece in pieces:
        if piece < left:
            notes.append(credit_note(invoice, notes, {key: Decimal(piece) / 100}))
            left -= piece
    notes.append(credit_note(invoice, notes))
    assert sum(note.net for note in notes) == -invoice.net
    sums: dict[str, Decimal] = {}
    for part in (part for one in (invoice, *notes) for line in one.lines for part in line.parts):
        sums[part.payee] = sums.get(part.payee, Decimal(0)) + part.amount
    assert set(sums.values()) <= {Decimal(0)}
    assert state_of(invoice, notes, Decimal(0)) is BillState.CREDITED


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"T-1/C0001/case": Decimal("2000.01")}, "2000.00 is left"),
        ({"T-1/C0001/case": Decimal(0)}, "cannot be credited"),
        ({"T-1/C0001/case": Decimal(-5)}, "cannot be credited"),
        ({"T-1/C0001/case": Decimal("0.001")}, "more digits"),
        ({"T-1/C0009/case": None}, "no line T-1/C0009/case; it has T-1/C0001/case"),
    ],
)
def test_no_more_is_given_back_than_is_left_of_a_line(chosen, words):
    with pytest.raises(BillingError, match=words):
        credited(bill("2000.00"), [], chosen)


def test_nothing_is_credited_twice():
    invoice = bill("2000.00")
    with pytest.raises(BillingError, match="nothing is left"):
        credited(invoice, [credit_note(invoice, [])], None)


def test_an_invoice_is_paid_when_the_rest_is_and_credited_when_nothing_is_left():
    invoice = bill("2000.00", "300.00")
    assert state_of(invoice, [], Decimal("2437.99")) is BillState.ISSUED
    assert state_of(invoice, [], Decimal("2438.00")) is BillState.PAID
    part = credit_note(invoice, [], {"T-1/C0002/case": None})
    assert state_of(invoice, [part], Decimal("2120.00")) is BillState.PAID
    whole = credit_note(invoice, [part])
    assert state_of(invoice, [part, whole], Decimal("2120.00")) is BillState.CREDITED


def test_what_nobody_did_goes_to_nobody_rather_than_to_somebody():
    plan = plan_of(shares=SHARES, monthly=Monthly("2026-01", "2026-01", Decimal(100)))
    (line,) = invoiced(due(plan, []), (), "CNY")
    assert [(part.payee, str(part.amount)) for part in line.parts] == [
        (f"reader/{UNASSIGNED}", "33.30"),
        (f"site/{UNASSIGNED}", "0.70"),
        ("platform/us", "66.00"),
    ]


def test_an_issued_bill_keeps_every_rule():
    assert violations(bill("2000.00", "0.01")) == ()
    invoice = bill("2000.00")
    assert violations(credit_note(invoice, [])) == ()


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"number": ""}, ["BR-02"]),
        ({"issued_on": ""}, ["BR-03"]),
        ({"seller": None}, ["BR-06"]),
        ({"payer": None}, ["BR-07"]),
        ({"lines": ()}, ["BR-16"]),
        ({"last_day": "2025-12-31"}, ["BR-29"]),
        ({"due_on": ""}, ["BR-CO-25"]),
        ({"kind": BillKind.CREDIT_NOTE}, ["BR-55"]),
        ({"seller": Seller("CRO1", Party("Example Ltd", "CN"))}, ["BR-CO-26", "BR-S-02"]),
        ({"payer": Payer("sponsor", Party("Example Ltd", "CN", tax_id="911"))}, ["BR-CO-09"]),
    ],
)
def test_each_rule_of_the_standard_bites(change, codes):
    assert [fault.code for fault in violations(replace(bill("2000.00"), **change))] == codes


def test_lines_without_tax_amounts_too_fine_and_mixed_categories_are_named():
    invoice = bill("2000.00", "1.00")
    first, second = invoice.lines
    assert [fault.code for fault in violations(replace(invoice, lines=(replace(first, tax=None), second)))] == [
        "BR-CO-04"
    ]
    assert "BR-DEC-12" in [fault.code for fault in violations(bill("2.001", currency="KWD"))]
    out = Tax(TaxCategory.OUT_OF_SCOPE, reason="Not subject to tax")
    assert "BR-O-11" in [fault.code for fault in violations(replace(invoice, lines=(replace(first, tax=out), second)))]
    reverse = replace(first, tax=Tax(TaxCategory.REVERSE_CHARGE, reason="Reverse charge"))
    nameless = replace(invoice, lines=(reverse,), payer=Payer("sponsor", Party("Example Ltd", "CN")))
    assert [fault.code for fault in violations(nameless)] == ["BR-AE-02"]
