"""A trial's account: the plans that were in force, what was invoiced, and what is due."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from pydantic import TypeAdapter

from trialimg.billing.bill import Bill, BillKind, BillLine, invoiced
from trialimg.billing.parties import Payer
from trialimg.billing.plan import PricePlan
from trialimg.billing.rating import Due, Span, due_of_payer, rated
from trialimg.billing.usage import Usage
from trialimg.core.errors import BillingError
from trialimg.protocol.load import read_protocol
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["CREDIT_NOTE", "INVOICE", "Account", "Draft", "account_of", "bill_of", "drafts_of"]

INVOICE = "invoice"
"""Kind of a record; its id is the invoice's number, its state a `BillState`, its person the payer's id."""
CREDIT_NOTE = "credit_note"
"""Kind of a record; its id is the credit note's number."""

_PROTOCOL = "protocol"


@dataclass(frozen=True)
class _PlanInForce:
    plan: PricePlan
    first_month: str
    end_month: str


@dataclass(frozen=True)
class Account:
    """What a trial's records say about its money, at one moment."""

    trial: str
    plans: tuple[_PlanInForce, ...]
    """In order of time; each rates whole months."""
    protocol_digest: str
    bills: tuple[Bill, ...]
    """Every invoice and credit note, in order of number."""

    @property
    def plan(self) -> PricePlan:
        """The plan in force now."""
        return self.plans[-1].plan

    @property
    def payers(self) -> tuple[Payer, ...]:
        """Everybody who pays, or has paid, under one of the plans; as the latest plan has them."""
        return tuple({payer.id: payer for found in self.plans for payer in found.plan.payers}.values())

    def settled(self, payer: str) -> tuple[BillLine, ...]:
        """The lines that count as invoiced to a payer: a credit that is charged again takes them back."""
        return tuple(
            line
            for bill in self.bills
            if _payer_id(bill) == payer and (bill.kind is BillKind.INVOICE or bill.charge_again)
            for line in bill.lines
        )


@dataclass(frozen=True)
class Draft:
    """An invoice that could be issued, and everything that it rests on."""

    bill: Bill
    dues: tuple[Due, ...]
    """What the payer owes of everything, also what was invoiced before or costs nothing."""


def account_of(transaction: Transaction, trial: str) -> Account:
    """The account of a trial.

    Raises
    ------
    BillingError
        If there is no such trial, or its protocol has no price plan, or plans in several currencies.
    """
    protocols = transaction.versions(_PROTOCOL, trial)
    if not protocols:
        raise BillingError(f"there is no trial {trial!r}, or no protocol of it is in force")
    plans = tuple(_plans(transaction, protocols))
    if not plans:
        raise BillingError(f"{trial}: the protocol has no price_plan, so nothing can be charged")
    currencies = {found.plan.currency for found in plans}
    if len(currencies) > 1:
        raise BillingError(f"{trial}: its price plans are in {' and '.join(sorted(currencies))}; an account has one")
    found = (bill for kind in (INVOICE, CREDIT_NOTE) for bill in transaction.find(kind, Place(trial=trial)))
    bills = tuple(sorted((bill_of(version) for version in found), key=lambda bill: bill.number))
    return Account(trial, plans, protocols[-1].body["digest"], bills)


def drafts_of(account: Account, usage: Iterable[Usage], last_day: dt.date) -> tuple[Draft, ...]:
    """One draft for each payer of everything that is due up to the end of a day in UTC, less what was invoiced."""
    usage = tuple(usage)
    until = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), dt.UTC).isoformat(timespec="microseconds")
    dues = [
        (found.plan, rated(found.plan, usage, Span(until, found.first_month, found.end_month)))
        for found in account.plans
    ]
    return tuple(_draft(account, payer, dues, last_day) for payer in account.payers or (None,))


def bill_of(version: RecordVersion) -> Bill:
    """The invoice or credit note that a record holds."""
    return _adapter().validate_json(json.dumps(version.body))


def _draft(
    account: Account, payer: Payer | None, dues: Sequence[tuple[PricePlan, Sequence[Due]]], last_day: dt.date
) -> Draft:
    owed = tuple(due for plan, found in dues for due in _owed(plan, payer, found))
    lines = invoiced(owed, account.settled(payer.id if payer else ""), account.plan.currency)
    bill = Bill(
        kind=BillKind.INVOICE,
        trial=account.trial,
        currency=account.plan.currency,
        plan_version=account.plan.version,
        protocol_digest=account.protocol_digest,
        payer=payer,
        seller=account.plan.seller,
        first_day=min(_first_day(account, payer, owed), last_day).isoformat(),
        last_day=last_day.isoformat(),
        lines=lines,
    )
    return Draft(bill, owed)


def _owed(plan: PricePlan, payer: Payer | None, dues: Sequence[Due]) -> tuple[Due, ...]:
    if payer is None:
        return tuple(dues)
    its = next((other for other in plan.payers if other.id == payer.id), None)
    return due_of_payer(dues, plan, its) if its else ()


def _first_day(account: Account, payer: Payer | None, dues: Sequence[Due]) -> dt.date:
    """The day after the last invoice's period; for the first invoice, the day of the first thing that is due."""
    ends = [
        dt.date.fromisoformat(bill.last_day)
        for bill in account.bills
        if bill.kind is BillKind.INVOICE and _payer_id(bill) == (payer.id if payer else "")
    ]
    if ends:
        return max(ends) + dt.timedelta(days=1)
    days = [due.usage.at[:10] if due.usage else f"{due.month}-01" for due in dues]
    return dt.date.fromisoformat(min(days)) if days else dt.date.max


def _plans(transaction: Transaction, protocols: Sequence[RecordVersion]) -> Iterator[_PlanInForce]:
    """The plans with the months that each rates: a new plan rates from the first month that begins under it."""
    beginnings: list[tuple[PricePlan | None, str]] = []
    for version in protocols:
        plan = _plan(version.body["text"])
        if not beginnings or beginnings[-1][0] != plan:
            at = next(transaction.entries(EntryQuery(start=version.entry, limit=1))).at
            beginnings.append((plan, _month_after(at) if beginnings else ""))
    ends = [*(month for _, month in beginnings[1:]), ""]
    for (plan, first), end in zip(beginnings, ends, strict=True):
        if plan is not None:
            yield _PlanInForce(plan, first, end)


@lru_cache(maxsize=32)
def _plan(text: str) -> PricePlan | None:
    """The plan of a protocol's text, which is read once in a process: a text never says anything else."""
    return read_protocol(text).price_plan


def _month_after(at: str) -> str:
    first = dt.date.fromisoformat(f"{at[:7]}-01")
    return (first + dt.timedelta(days=31)).isoformat()[:7]


def _payer_id(bill: Bill) -> str:
    return bill.payer.id if bill.payer else ""


@cache
def _adapter() -> TypeAdapter[Bill]:
    return TypeAdapter(Bill)
