"""What a plan makes of the usage: for each thing its price and why, then what is due for each payer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trialimg.billing.money import divided, rounded
from trialimg.billing.parties import Payer, Share, Tax
from trialimg.billing.plan import PricePlan, Withdrawn
from trialimg.billing.prices import CountedOver, PriceItem, PriceUnit, Tiering
from trialimg.billing.usage import Usage
from trialimg.core.errors import BillingError

__all__ = ["Due", "Span", "due_of_payer", "rated"]

_LAST_MONTH_OF_YEAR = 12


@dataclass(frozen=True)
class Span:
    """The whole months that a plan rates, and the moment up to which there is something to rate."""

    until: str
    """Moment before which, ISO 8601 in UTC with microseconds and offset, as the ledger writes it."""
    first_month: str = ""
    """Empty: from the beginning."""
    end_month: str = ""
    """First month that it no longer rates; empty: to the end."""

    def holds(self, month: str) -> bool:
        """True if the plan rates that month."""
        return self.first_month <= month and (not self.end_month or month < self.end_month)

    def has_begun(self, month: str) -> bool:
        """True if some of the month lies before the moment."""
        return f"{month}-01T00:00:00.000000+00:00" < self.until

    def has_ended(self, month: str) -> bool:
        """True if all of the month lies before the moment."""
        return f"{_next(month)}-01T00:00:00.000000+00:00" <= self.until


@dataclass(frozen=True)
class Due:
    """One thing that is charged, or would be: what it comes to and how."""

    key: str
    """Key of the usage, or ``subscription/2026-03``, ``minimum/2026-03``, ``bundle/2026-03/1``."""
    item: str
    """Item of the plan; subscription, minimum or bundle."""
    text: str
    """What the invoice line says."""
    month: str
    price: Decimal
    """Price before caps."""
    amount: Decimal
    """What is due, before tax."""
    because: tuple[str, ...] = ()
    """How the amount came about, step by step."""
    tax: Tax | None = None
    usage: Usage | None = None
    """What was used; None for what is due without."""
    shares: tuple[Share, ...] = ()


def rated(plan: PricePlan, usage: Iterable[Usage], span: Span) -> tuple[Due, ...]:
    """Everything due under a plan up to a moment, in order of time; it depends on the set of the usage alone.

    Raises
    ------
    BillingError
        If two usages of one key say different things.
    """
    so_far = [event for event in _once(usage) if event.at < span.until]
    events = [event for event in so_far if span.holds(event.month)]
    withdrawn = frozenset(event.case for event in so_far if event.unit is PriceUnit.WITHDRAWAL)
    priced = _Prices(plan, events, withdrawn)
    by_month: dict[str, list[Due]] = defaultdict(list)
    for event in events:
        by_month[event.month].extend(priced.of(event))
    months = sorted({*by_month, *_contract_months(plan, span)})
    running = _Running(plan)
    answer: list[Due] = []
    for month in months:
        running.month = Decimal(0)
        under_contract = _is_under_contract(plan, month)
        if under_contract and plan.monthly.subscription and span.has_begun(month):
            answer.append(running.charged(_monthly(plan, "subscription", month, plan.monthly.subscription)))
        answer.extend(running.charged(due) for due in by_month[month])
        missing = plan.monthly.minimum - running.month
        if under_contract and missing > 0 and span.has_ended(month):
            answer.append(running.charged(_monthly(plan, "minimum", month, missing)))
    return tuple(answer)


def due_of_payer(dues: Sequence[Due], plan: PricePlan, payer: Payer) -> tuple[Due, ...]:
    """What of it one payer owes; what all payers owe of a thing is the whole of it, to the last cent."""
    if payer.share_pct is None:
        named = {site for other in plan.payers for site in other.sites}
        return tuple(
            _taxed(due, payer)
            for due in dues
            if (_site(due) in payer.sites) or (not payer.sites and _site(due) not in named)
        )
    weights = [other.share_pct or Decimal(0) for other in plan.payers]
    place = plan.payers.index(payer)
    return tuple(_taxed(_part(due, weights, place, plan.currency), payer) for due in dues)


@dataclass
class _Running:
    """What has been charged so far, for the caps."""

    plan: PricePlan
    month: Decimal = Decimal(0)
    trial: Decimal = Decimal(0)

    def charged(self, due: Due) -> Due:
        """The due thing, as much of it as the caps leave."""
        amount, because, currency = due.price, due.because, self.plan.currency
        for name, cap, so_far in (
            (f"of {due.month}", self.plan.cap_per_month, self.month),
            ("of the trial", self.plan.cap_per_trial, self.trial),
        ):
            if cap is None or amount <= cap - so_far:
                continue
            amount = max(cap - so_far, Decimal(0))
            words = f"the cap {name}, {rounded(cap, currency)}, leaves {rounded(amount, currency)}"
            because = (*because, words)
        self.month += amount
        self.trial += amount
        amount = rounded(amount, currency)
        return replace(due, amount=amount, because=because, shares=self.plan.shares)


class _Prices:
    """The price of each event among all events."""

    def __init__(self, plan: PricePlan, events: Sequence[Usage], withdrawn: frozenset[str]) -> None:
        self.plan = plan
        self.bundles = _covered(plan, events)
        self.free = dict(_free(plan, events, self.bundles, withdrawn))
        self.totals = Counter(
            (item.item, _scope(item, event))
            for event in events
            if (item := plan.item_of(event.unit, event.kind)) and event.key not in self.free
        )
        self.counted: Counter[tuple[str, str]] = Counter()
        self.opened: set[int] = set()

    def of(self, event: Usage) -> Iterator[Due]:
        """What an event makes due: itself, and the bundle whose first case it is; nothing where it has no price."""
        item = self.plan.item_of(event.unit, event.kind)
        if item is None:
            return
        number = self.bundles.get(event.case)
        if number and number not in self.opened:
            self.opened.add(number)
            yield self._bundle(number, event)
        free = self.free.get(event.key)
        price, because = (Decimal(0), free) if free else self._price(item, event)
        text = f"{item.description or item.item}: {event.subject or event.case}{_detail(event)}"
        yield Due(event.key, item.item, text, event.month, price, price, (because,), item.tax or self.plan.tax, event)

    def _price(self, item: PriceItem, event: Usage) -> tuple[Decimal, str]:
        scope = _scope(item, event)
        self.counted[item.item, scope] += 1
        number, total = self.counted[item.item, scope], self.totals[item.item, scope]
        if not item.tiers:
            return item.price, f"{item.item} at {rounded(item.price, self.plan.currency)}"
        is_graduated = item.tiering is Tiering.GRADUATED
        tier = item.tier_of(number if is_graduated else total)
        counted = f"number {number} of {scope}" if is_graduated else f"{total} in {scope}"
        price = item.price_in(tier)
        at = rounded(price, self.plan.currency)
        return price, f"{item.item}, {counted}: tier {tier + 1} of {len(item.tiers) + 1} at {at}"

    def _bundle(self, number: int, event: Usage) -> Due:
        bundle = self.plan.bundles[number - 1]
        text = bundle.description or f"Bundle of {bundle.cases} cases, everything included"
        because = (f"bundle {number}, begun by {event.subject or event.case}",)
        key, price = f"bundle/{event.month}/{number}", bundle.price
        return Due(key, "bundle", text, event.month, price, price, because, self.plan.tax)


def _once(usage: Iterable[Usage]) -> list[Usage]:
    seen: dict[str, Usage] = {}
    for event in usage:
        if seen.setdefault(event.key, event) != event:
            raise BillingError(f"two usages are called {event.key}, and they differ; have the records verified")
    return sorted(seen.values(), key=lambda event: (event.at, event.entry, event.key))


def _free(
    plan: PricePlan, events: Iterable[Usage], bundles: Mapping[str, int], withdrawn: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Key of each event that costs nothing though its unit has a price, and why."""
    of_case: Counter[tuple[str, str]] = Counter()
    for event in events:
        item = plan.item_of(event.unit, event.kind)
        if item is None:
            continue
        is_work = event.unit is not PriceUnit.WITHDRAWAL
        if event.case in bundles:
            yield event.key, f"covered by bundle {bundles[event.case]}"
        elif event.because and event.because in plan.free_reasons:
            yield event.key, f"free: {event.because}"
        elif is_work and plan.withdrawn is Withdrawn.NOT_CHARGED and event.case in withdrawn:
            yield event.key, "not charged: consent was withdrawn"
        else:
            of_case[event.case, item.item] += 1
            if of_case[event.case, item.item] <= item.included_per_case:
                yield event.key, f"included: the first {item.included_per_case} of a case"


def _covered(plan: PricePlan, events: Iterable[Usage]) -> Mapping[str, int]:
    """Which bundle, counted from 1, covers a case: cases in the order in which something priced was done for them."""
    cases = dict.fromkeys(event.case for event in events if plan.item_of(event.unit, event.kind))
    numbers = [number for number, bundle in enumerate(plan.bundles, start=1) for _ in range(bundle.cases)]
    return dict(zip(cases, numbers, strict=False))


def _scope(item: PriceItem, event: Usage) -> str:
    return event.month if item.counted is CountedOver.MONTH else "the trial"


def _detail(event: Usage) -> str:
    """The timepoint, which tells units of one case apart."""
    if event.unit in (PriceUnit.TIMEPOINT, PriceUnit.LATE_TIMEPOINT):
        return f", {event.key.rpartition('/')[2]}"
    return ""


def _contract_months(plan: PricePlan, span: Span) -> Iterator[str]:
    month = plan.monthly.first_month
    while month and span.has_begun(month) and _is_under_contract(plan, month):
        if span.holds(month):
            yield month
        month = _next(month)


def _is_under_contract(plan: PricePlan, month: str) -> bool:
    first, last = plan.monthly.first_month, plan.monthly.last_month
    return bool(first) and first <= month and (not last or month <= last)


def _monthly(plan: PricePlan, item: str, month: str, price: Decimal) -> Due:
    texts = {"subscription": f"Subscription {month}", "minimum": f"Minimum commitment {month}"}
    because = {
        "subscription": f"subscription of {rounded(plan.monthly.subscription, plan.currency)} a month",
        "minimum": f"raises the charges of {month} to the minimum of {rounded(plan.monthly.minimum, plan.currency)}",
    }
    return Due(f"{item}/{month}", item, texts[item], month, price, price, (because[item],), plan.tax)


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1}-01" if number == _LAST_MONTH_OF_YEAR else f"{year}-{number + 1:02d}"


def _site(due: Due) -> str:
    return due.usage.site if due.usage else ""


def _taxed(due: Due, payer: Payer) -> Due:
    return replace(due, tax=payer.tax or due.tax)


def _part(due: Due, weights: Sequence[Decimal], place: int, currency: str) -> Due:
    part = divided(due.amount, weights, currency)[place]
    if part == due.amount:
        return due
    return replace(due, amount=part, because=(*due.because, f"{weights[place]} % of {due.amount}"))
