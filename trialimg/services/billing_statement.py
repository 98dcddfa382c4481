"""What a payer was billed and has paid; what a reader, a site, a model's owner or the platform gets of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trialimg.billing.bill import Bill, BillKind, state_of
from trialimg.core.access import Action, Actor
from trialimg.core.digest import plain
from trialimg.core.errors import BillingError
from trialimg.services.billing import payments_of
from trialimg.services.billing_account import Account, account_of
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction

__all__ = [
    "Days",
    "PayeeRow",
    "PayeeStatement",
    "PayerRow",
    "PayerStatement",
    "payee_statement",
    "payee_totals",
    "payer_statement",
    "printed",
]


@dataclass(frozen=True)
class Days:
    """The days on which what a statement lists was issued, both included."""

    first: dt.date
    last: dt.date

    def hold(self, bill: Bill) -> bool:
        """True if the bill was issued on one of them."""
        return self.first.isoformat() <= bill.issued_on <= self.last.isoformat()


@dataclass(frozen=True)
class PayerRow:
    """One invoice or credit note."""

    number: str
    kind: str
    corrects: str
    issued_on: str
    due_on: str
    net: Decimal
    tax: Decimal
    total: Decimal
    paid: Decimal
    state: str


@dataclass(frozen=True)
class PayerStatement:
    """Everything that a payer was billed in some days."""

    trial: str
    payer: str
    name: str
    currency: str
    first_day: str
    last_day: str
    rows: tuple[PayerRow, ...]
    billed: Decimal
    paid: Decimal
    balance: Decimal
    """Billed less paid; what is still to be paid of these bills."""


@dataclass(frozen=True)
class PayeeRow:
    """A payee's part of one line."""

    number: str
    issued_on: str
    item: str
    text: str
    subject: str
    amount: Decimal


@dataclass(frozen=True)
class PayeeStatement:
    """What a payee gets of the bills issued in some days; nothing of anybody else's part stands in it."""

    trial: str
    payee: str
    currency: str
    first_day: str
    last_day: str
    rows: tuple[PayeeRow, ...]
    total: Decimal


def payer_statement(records: Records, actor: Actor, trial: str, payer: str, *, days: Days) -> PayerStatement:
    """The bills of one payer, with what came in for them.

    Raises
    ------
    AccessError
        If the actor may not see the trial's invoices.
    BillingError
        If the trial has no such payer.
    """
    with records.look(actor, Action.VIEW_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
        known = {other.id: other for other in account.payers}
        if payer not in known:
            raise BillingError(f"{trial} has no payer {payer!r}; its payers are {', '.join(known) or 'not named yet'}")
        bills = [bill for bill in account.bills if bill.payer and bill.payer.id == payer and days.hold(bill)]
        rows = tuple(_payer_row(transaction, account, bill) for bill in bills)
    billed = sum((row.total for row in rows), Decimal(0))
    paid = sum((row.paid for row in rows), Decimal(0))
    name, currency = known[payer].party.name, account.plan.currency
    first_day, last_day = days.first.isoformat(), days.last.isoformat()
    return PayerStatement(trial, payer, name, currency, first_day, last_day, rows, billed, paid, billed - paid)


def payee_statement(records: Records, actor: Actor, trial: str, payee: str, *, days: Days) -> PayeeStatement:
    """The lines of which a payee gets a part.

    Raises
    ------
    AccessError
        If the actor may not issue invoices of the trial: what others get is not everybody's to see.
    BillingError
        If nobody of that name has a part in any bill of the trial.
    """
    with records.look(actor, Action.ISSUE_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
    everybody = {part.payee for bill in account.bills for line in bill.lines for part in line.parts}
    if payee not in everybody:
        known = ", ".join(sorted(everybody)) or "nobody yet"
        raise BillingError(f"{trial}: {payee!r} has no part in any bill; those who have: {known}")
    rows = tuple(row for bill in account.bills if days.hold(bill) for row in _payee_rows(bill, payee))
    total = sum((row.amount for row in rows), Decimal(0))
    first_day, last_day = days.first.isoformat(), days.last.isoformat()
    return PayeeStatement(trial, payee, account.plan.currency, first_day, last_day, rows, total)


def payee_totals(records: Records, actor: Actor, trial: str, days: Days) -> dict[str, Decimal]:
    """What each payee gets of the bills issued in some days; together their net sum, where revenue is shared.

    Raises
    ------
    AccessError
        As `payee_statement`.
    """
    with records.look(actor, Action.ISSUE_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for bill in account.bills:
        for line in bill.lines if days.hold(bill) else ():
            for part in line.parts:
                totals[part.payee] += part.amount
    return dict(sorted(totals.items()))


def printed(bill: Bill) -> dict[str, Any]:
    """What a bill says to the one who gets it, as JSON types; who gets which part of it is not said."""
    lines = [
        {
            "number": number,
            "item": line.item,
            "text": line.text,
            "subject": line.subject,
            "note": line.note,
            "quantity": line.quantity,
            "price": line.price,
            "amount": line.amount,
            "tax": {"category": line.tax.category, "rate_pct": line.tax.rate_pct} if line.tax else None,
        }
        for number, line in enumerate(bill.lines, start=1)
    ]
    heads = (
        "number", "trial", "currency", "plan_version", "protocol_digest", "payer", "seller", "first_day", "last_day",
        "issued_on", "due_on", "corrects", "corrects_issued_on", "reason",
    )  # fmt: skip
    answer: dict[str, Any] = plain(
        {
            "kind": bill.kind.name.lower(),
            **{name: getattr(bill, name) for name in heads},
            "lines": lines,
            "taxes": bill.taxes,
            "net": bill.net,
            "tax": bill.tax,
            "total": bill.total,
        }
    )
    return answer


def _payer_row(transaction: Transaction, account: Account, bill: Bill) -> PayerRow:
    paid = sum(payments_of(transaction, bill), Decimal(0))
    notes = [note for note in account.bills if note.corrects == bill.number]
    state = state_of(bill, notes, paid).value if bill.kind is BillKind.INVOICE else "issued"
    return PayerRow(
        number=bill.number,
        kind=bill.kind.name.lower(),
        corrects=bill.corrects,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        net=bill.net,
        tax=bill.tax,
        total=bill.total,
        paid=paid,
        state=state,
    )


def _payee_rows(bill: Bill, payee: str) -> Iterator[PayeeRow]:
    for line in bill.lines:
        for part in line.parts:
            if part.payee == payee:
                yield PayeeRow(bill.number, bill.issued_on, line.item, line.text, line.subject, part.amount)
