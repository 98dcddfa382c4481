"""Price plans: exact prices, each item once, nothing unpriced charged as 0."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialimg.billing.plan import PricePlan
from trialimg.billing.prices import PriceItem, PriceUnit
from trialimg.core.errors import InvalidValueError

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
