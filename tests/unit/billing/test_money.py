"""Amounts in whole minor units, divided without losing one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.billing.money import divided, is_currency, is_whole, minor_digits, rounded

WEIGHTS = st.lists(st.integers(0, 10_000).map(lambda n: Decimal(n) / 100), min_size=1, max_size=9).filter(any)


@pytest.mark.parametrize(("code", "digits"), [("CNY", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_digits(code, digits):
    assert minor_digits(code) == digits


@pytest.mark.parametrize("code", ["RMB", "cny", "", "EURO", "XXX"])
def test_what_is_not_a_currency_of_iso_4217_is_not_one_here(code):
    assert not is_currency(code)


@pytest.mark.parametrize(
    ("amount", "currency", "answer"),
    [
        ("0.125", "EUR", "0.13"),
        ("-0.125", "EUR", "-0.13"),
        ("0.124", "EUR", "0.12"),
        ("100.5", "JPY", "101"),
        ("-0.001", "EUR", "0.00"),
        ("2000", "CNY", "2000.00"),
    ],
)
def test_amounts_are_rounded_half_away_from_zero(amount, currency, answer):
    assert str(rounded(Decimal(amount), currency)) == answer


def test_an_amount_finer_than_the_minor_unit_is_not_whole():
    assert is_whole(Decimal("0.010"), "EUR")
    assert not is_whole(Decimal("0.001"), "EUR")
    assert not is_whole(Decimal("0.1"), "JPY")


@given(st.integers(-(10**12), 10**12), WEIGHTS, st.sampled_from(("JPY", "CNY", "KWD")))
def test_parts_sum_to_the_whole_and_none_is_off_by_a_unit(units, weights, currency):
    unit = Decimal(1).scaleb(-minor_digits(currency))
    amount = units * unit
    parts = divided(amount, weights, currency)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / sum(weights)) < unit
        assert part == 0 or (part < 0) == (amount < 0)


@given(st.integers(0, 10**9), WEIGHTS)
def test_what_is_given_back_is_divided_as_what_was_charged(units, weights):
    amount = Decimal(units) / 100
    assert divided(-amount, weights, "EUR") == tuple(-part for part in divided(amount, weights, "EUR"))
