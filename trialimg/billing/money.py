"""Amounts of money: the digits that a currency has, and how an amount is divided without losing a cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["divided", "is_currency", "is_whole", "minor_digits", "rounded"]

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}


def is_currency(code: str) -> bool:
    """True for a code of ISO 4217 that money is paid in; CNY is one, RMB is not."""
    return code in _MINOR_DIGITS


def minor_digits(currency: str) -> int:
    """Decimal digits of the smallest amount: 2 for CNY, 0 for JPY, 3 for KWD.

    References
    ----------
    ISO 4217:2015, Codes for the representation of currencies, table A.1 (minor units).
    """
    return _MINOR_DIGITS[currency]


def is_whole(amount: Decimal, currency: str) -> bool:
    """True if the amount can be paid in this currency: it has no digit beyond the minor unit."""
    return amount == rounded(amount, currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half away from zero; never minus zero."""
    answer = amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)
    return abs(answer) if answer == 0 else answer


def divided(amount: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """The amount in parts, as the weights are, that sum to it exactly.

    Every part is cut down to the minor unit; the units that are left go one each to the parts that lost most (the
    largest remainders), among equals to the earlier one. A negative amount is divided as its positive is.

    Parameters
    ----------
    amount
        In whole minor units.
    weights
        0 or more each, not all 0.

    References
    ----------
    Balinski ML, Young HP. Fair Representation: Meeting the Ideal of One Man, One Vote. Yale University Press, 1982
    (Hamilton's method).
    """
    digits = minor_digits(currency)
    units = abs(int(rounded(amount, currency).scaleb(digits)))
    total = sum(weights, Decimal(0))
    exact = [divmod(units * weight, total) for weight in weights]
    parts = [int(whole) for whole, _ in exact]
    by_loss = sorted(range(len(parts)), key=lambda place: (-exact[place][1], place))
    for place in by_loss[: units - sum(parts)]:
        parts[place] += 1
    sign = -1 if amount < 0 else 1
    return tuple(rounded(sign * Decimal(part).scaleb(-digits), currency) for part in parts)
