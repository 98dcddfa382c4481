"""Price plans: exact prices, each item once, nothing unpriced charged as 0."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.unit.protocol.texts import VALID
from trialimg.billing.parties import Party, Payer, Share, ShareRole, Tax, TaxCategory
from trialimg.billing.plan import PricePlan, Seller
from trialimg.billing.prices import Bundle, Monthly, PriceItem, PriceUnit, Tier
from trialimg.core.errors import InvalidValueError, ProtocolError
from trialimg.protocol.faults import ProtocolFault
from trialimg.protocol.load import read_protocol

CASE = PriceItem("case", PriceUnit.CASE, Decimal("2000"))
FREE = PriceItem("adjudication", PriceUnit.ADJUDICATION, Decimal("0"))


@pytest.mark.parametrize("price", ["-0.01", "NaN", "Infinity"])
def test_a_price_is_a_finite_number_of_0_or_more(price: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        PriceItem("case", PriceUnit.CASE, Decimal(price))
    assert [fault.where for fault in refusal.value.faults] == ["price"]


@pytest.mark.parametrize("name", ["", "Case", "1case", "case item", "case/item"])
def test_an_item_is_named_in_lower_case(name: str) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        PriceItem(name, PriceUnit.CASE, Decimal(1))
    assert [fault.code for fault in refusal.value.faults] == ["bad_name"]


@pytest.mark.parametrize("currency", ["", "cny", "RMB ", "YUAN", "¥"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(InvalidValueError, match="ISO 4217"):
        PricePlan(currency, (CASE,))


def test_an_item_has_one_price() -> None:
    with pytest.raises(InvalidValueError) as refusal:
        PricePlan("CNY", (CASE, FREE, CASE, CASE))
    assert [fault.where for fault in refusal.value.faults] == ["items[2].item", "items[3].item"]


def party(**said: str) -> Party:
    return Party("Example Ltd", "CN", **said)


def faults_of(**settings: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidValueError) as refusal:
        PricePlan(**{"currency": "CNY", "items": (CASE,), **settings})  # type: ignore[arg-type]
    return [(fault.where, fault.code) for fault in refusal.value.faults]


def test_everything_wrong_with_a_plan_is_said_at_once() -> None:
    found = faults_of(
        currency="JPY",
        items=(PriceItem("case", PriceUnit.CASE, Decimal("0.5")), CASE, PriceItem("other", PriceUnit.CASE, Decimal(1))),
        monthly=Monthly("2026-01", minimum=Decimal(100)),
        cap_per_month=Decimal(50),
        cap_per_trial=Decimal(-1),
        payment_days=400,
        shares=(Share(ShareRole.READER, Decimal(40)), Share(ShareRole.PLATFORM, Decimal("59.99"), "us")),
        payers=(Payer("a", party(), Decimal(50)), Payer("a", party(), Decimal(40))),
    )
    assert found == [
        ("items[0].price", "too_fine"),
        ("cap_per_trial", "out_of_range"),
        ("payment_days", "out_of_range"),
        ("cap_per_month", "contradiction"),
        ("items[1].item", "duplicate"),
        ("items[2].unit", "duplicate"),
        ("shares", "not_100_percent"),
        ("payers", "duplicate"),
        ("payers", "not_100_percent"),
    ]


@pytest.mark.parametrize(
    ("payers", "code"),
    [
        ((Payer("a", party(), Decimal(50)), Payer("b", party())), "one_of_two"),
        ((Payer("a", party()), Payer("b", party())), "one_rest"),
        ((Payer("a", party(), sites=("01",)),), "one_rest"),
        ((Payer("a", party(), sites=("01",)), Payer("b", party(), sites=("01",)), Payer("c", party())), "duplicate"),
    ],
)
def test_payers_pay_all_by_share_or_all_by_site_with_one_for_the_rest(payers: tuple[Payer, ...], code: str) -> None:
    assert faults_of(payers=payers) == [("payers", code)]


def test_taxes_have_the_numbers_that_the_standard_asks_for() -> None:
    reverse = Tax(TaxCategory.REVERSE_CHARGE, reason="Reverse charge")
    seller = Seller("CRO1", party())
    assert faults_of(tax=reverse, seller=seller, payers=(Payer("a", party()),)) == [
        ("payers[0].party.tax_id", "missing_key"),
        ("seller.party.tax_id", "missing_key"),
    ]
    out_of_scope = Tax(TaxCategory.OUT_OF_SCOPE, reason="Not subject to tax")
    assert PricePlan("CNY", (CASE,), tax=out_of_scope, seller=seller, payers=(Payer("a", party()),)).seller is seller
    mixed = (PriceItem("case", PriceUnit.CASE, Decimal(1), tax=Tax(TaxCategory.ZERO)),)
    assert faults_of(items=mixed, tax=out_of_scope, payers=(Payer("a", party()),)) == [
        ("payers[0].tax", "contradiction")
    ]


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Tier(0, Decimal(-1)), ["price", "above"]),
        (lambda: PriceItem("a", PriceUnit.CASE, Decimal(1), tiers=(Tier(5, Decimal(1)), Tier(5, Decimal(1)))),
         ["tiers[1].above"]),
        (lambda: Bundle(0, Decimal("NaN")), ["price", "cases"]),
        (lambda: Monthly("2026-13", "2019", Decimal(-1)), ["first_month", "last_month", "subscription", "last_month"]),
        (lambda: Monthly(minimum=Decimal(1)), ["first_month"]),
        (lambda: Tax(TaxCategory.STANDARD), ["rate_pct"]),
        (lambda: Tax(TaxCategory.EXEMPT, Decimal(6)), ["rate_pct", "reason"]),
        (lambda: Tax(TaxCategory.ZERO, reason="why"), ["reason"]),
        (lambda: Party(" ", "China"), ["name", "country"]),
        (lambda: Payer("a b", party(), Decimal(101), sites=("01",)), ["id", "share_pct", "sites"]),
        (lambda: Share(ShareRole.READER, Decimal(0), "rita"), ["pct", "payee"]),
        (lambda: Share(ShareRole.PLATFORM, Decimal(1)), ["payee"]),
        (lambda: Seller("cro 1", party()), ["entity"]),
    ],
)  # fmt: skip
def test_a_part_of_a_plan_that_cannot_be_is_refused(make: Callable[[], object], found: list[str]) -> None:
    with pytest.raises(InvalidValueError) as refusal:
        make()
    assert [fault.where for fault in refusal.value.faults] == found


def test_the_plan_of_a_protocol_says_where_its_faults_stand() -> None:
    plan = "price_plan: {currency: RMB, items: [{item: case, unit: case, price: 2000}], "
    payers = "payers: [{id: a, party: {name: A, country: CN}, sites: ['09']}, {id: b, party: {name: B, country: CHN}}]}"
    with pytest.raises(ProtocolError) as refusal:
        read_protocol(VALID[: VALID.index("price_plan:")] + plan + payers)
    found = [(fault.key, fault.code) for fault in refusal.value.faults if isinstance(fault, ProtocolFault)]
    assert found == [
        ("price_plan.currency", "bad_currency"),
        ("price_plan.payers[0].sites[0]", "unknown_site"),
        ("price_plan.payers[1].party.country", "bad_country"),
    ]
