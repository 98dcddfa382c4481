"""Usage as the ledger would give it, without a ledger."""

from __future__ import annotations

from decimal import Decimal

from trialimg.billing.plan import PricePlan
from trialimg.billing.prices import PriceItem, PriceUnit
from trialimg.billing.rating import Due, Span, rated
from trialimg.billing.usage import Usage

END_OF_2026 = "2027-01-01T00:00:00.000000+00:00"


def used(number: int, unit: PriceUnit = PriceUnit.CASE, *, day: str = "2026-01-15", **said: object) -> Usage:
    """One thing done for the case of that number; ``item`` tells several of one unit apart."""
    case = f"T-1/C{number:04d}"
    item = str(said.pop("item", unit.value))
    more: dict[str, object] = {"entry": number, "site": "01", "people": ("raul", "rita"), **said}
    return Usage(f"{case}/{item}", unit, case, f"S{number:03d}", f"{day}T10:00:00.000000+00:00", **more)


def cases(count: int, *, day: str = "2026-01-15", start: int = 1) -> list[Usage]:
    """Final cases of one day."""
    return [used(number, day=day) for number in range(start, start + count)]


def plan_of(*items: PriceItem, currency: str = "CNY", **settings: object) -> PricePlan:
    """A plan; without an item, one that charges 2,000 a case."""
    return PricePlan(currency, items or (PriceItem("case", PriceUnit.CASE, Decimal(2000)),), **settings)


def due(plan: PricePlan, usage: list[Usage], until: str = END_OF_2026) -> tuple[Due, ...]:
    """Everything due up to a day, which is not part of it, or to the end of 2026."""
    moment = until if "T" in until else f"{until}T00:00:00.000000+00:00"
    return rated(plan, usage, Span(moment))


def amounts(dues: tuple[Due, ...]) -> list[str]:
    """Key without the trial, and amount, of everything that costs something."""
    return [f"{one.key.removeprefix('T-1/')} {one.amount}" for one in dues if one.amount]


def total(dues: tuple[Due, ...]) -> Decimal:
    return sum((one.amount for one in dues), Decimal(0))
