"""Previewing, issuing, crediting and settling a trial's invoices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trialimg.billing.bill import Bill, BillKind, BillState, credited, state_of
from trialimg.billing.en16931 import violations
from trialimg.billing.money import is_whole
from trialimg.billing.usage import Usage
from trialimg.core.access import Action, Actor
from trialimg.core.digest import plain
from trialimg.core.errors import BillingError
from trialimg.services.billing_account import CREDIT_NOTE, INVOICE, Account, Draft, account_of, bill_of, drafts_of
from trialimg.services.billing_usage import record_usage, trial_usage
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "PAYMENT",
    "CreditOrder",
    "Issued",
    "Preview",
    "Receipt",
    "credit",
    "find_bill",
    "issue",
    "pay",
    "payments_of",
    "preview",
]

PAYMENT = "payment"
"""Kind of a record: money that came in for an invoice; its id is the invoice's number and a number."""

_NUMBER_DIGITS = 6


@dataclass(frozen=True)
class Preview:
    """What could be invoiced, and what was done that the plan has no price for."""

    drafts: tuple[Draft, ...]
    unpriced: tuple[Usage, ...]


@dataclass(frozen=True)
class Issued:
    """What was issued, and the drafts that were not because nothing is owed on them: their lines come later."""

    invoices: tuple[Bill, ...]
    carried: tuple[Bill, ...]


@dataclass(frozen=True)
class CreditOrder:
    """What is given back of an invoice, and why."""

    trial: str
    invoice: str
    """Its number."""
    reason: str
    lines: Mapping[str, Decimal | None] | None = None
    """Keys of the lines, each with an amount before tax or None for all that is left; None: every line."""
    charge_again: bool = False
    """Whether a later invoice charges again what the records still show; False: it is given up for good."""


@dataclass(frozen=True)
class Receipt:
    """Money that came in."""

    trial: str
    invoice: str
    amount: Decimal
    received_on: dt.date
    reference: str = ""


def preview(records: Records, actor: Actor, trial: str, last_day: dt.date) -> Preview:
    """What would be invoiced up to the end of a day in UTC; nothing is kept.

    Raises
    ------
    AccessError
        If the actor may not see the trial's invoices.
    BillingError
        If the trial has no price plan, or its records contradict one another.
    """
    with records.look(actor, Action.VIEW_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
        usage = trial_usage(transaction, trial)
        drafts = drafts_of(account, usage, last_day)
        priced = {due.key for draft in drafts for due in draft.dues}
        rest = (u for u in usage if u.key not in priced and u.at[:10] <= last_day.isoformat())
        return Preview(drafts, tuple(rest))


def issue(records: Records, actor: Actor, trial: str, last_day: dt.date) -> Issued:
    """Issue an invoice to each payer who owes something up to the end of a day in UTC.

    Numbers have no gap: they are taken in the transaction that keeps the invoices.

    Raises
    ------
    AccessError
        If the actor may not issue invoices of the trial.
    BillingError
        If the day lies ahead, nothing is due, or the invoice would break a rule of EN 16931; nothing is kept then.
    """
    with records.change(actor, Action.ISSUE_INVOICES, trial=trial) as journal:
        today = dt.date.fromisoformat(journal.at[:10])
        if last_day > today:
            raise BillingError(f"{last_day} lies ahead; what is done until then is not known (today is {today}, UTC)")
        account = account_of(journal.transaction, trial)
        drafts = [draft.bill for draft in drafts_of(account, record_usage(journal, trial), last_day)]
        owing = [bill for bill in drafts if bill.net > 0]
        if not owing:
            raise BillingError(f"{trial}: nothing is owed up to {last_day} that was not invoiced before")
        due_on = (today + dt.timedelta(days=account.plan.payment_days)).isoformat()
        issued = tuple(_kept(journal, replace(bill, due_on=due_on), "issue_invoice", "") for bill in owing)
        return Issued(issued, tuple(bill for bill in drafts if bill.lines and bill not in owing))


def credit(records: Records, actor: Actor, order: CreditOrder) -> Bill:
    """Give back an invoice, or some of it, by a credit note; the invoice itself stays as it is.

    Raises
    ------
    AccessError
        If the actor may not issue invoices of the trial.
    BillingError
        If there is no such invoice, no reason, or less is left of a line.
    """
    if not order.reason.strip():
        raise BillingError("a credit note says why it is given")
    with records.change(actor, Action.ISSUE_INVOICES, trial=order.trial) as journal:
        account = account_of(journal.transaction, order.trial)
        invoice = _invoice(account, order.invoice)
        former = _credit_notes(account, invoice)
        note = replace(
            invoice,
            kind=BillKind.CREDIT_NOTE,
            lines=credited(invoice, former, order.lines),
            due_on="",
            corrects=invoice.number,
            corrects_issued_on=invoice.issued_on,
            reason=order.reason,
            charge_again=order.charge_again,
        )
        kept = _kept(journal, note, "issue_credit_note", order.reason)
        _advance(journal, invoice, [*former, kept], "issue_credit_note")
        return kept


def pay(records: Records, actor: Actor, receipt: Receipt) -> BillState:
    """Keep that money came in for an invoice; how far the invoice has come with it.

    Raises
    ------
    AccessError
        If the actor may not issue invoices of the trial.
    BillingError
        If there is no such invoice, or more came in than is owed.
    """
    with records.change(actor, Action.ISSUE_INVOICES, trial=receipt.trial) as journal:
        account = account_of(journal.transaction, receipt.trial)
        invoice = _invoice(account, receipt.invoice)
        notes = _credit_notes(account, invoice)
        paid = payments_of(journal.transaction, invoice)
        open_amount = invoice.total + sum((note.total for note in notes), Decimal(0)) - sum(paid, Decimal(0))
        if not is_whole(receipt.amount, invoice.currency) or not 0 < receipt.amount <= open_amount:
            message = f"{receipt.amount} {invoice.currency} cannot be paid on invoice {invoice.number}"
            raise BillingError(f"{message}: {open_amount} is open")
        place = Place(trial=receipt.trial, person=invoice.payer.id if invoice.payer else "", state="received")
        key = f"{invoice.number}/{len(paid) + 1}"
        journal.write(PAYMENT, key, plain(receipt), action="pay_invoice", place=place)
        return _advance(journal, invoice, notes, "pay_invoice")


def find_bill(records: Records, actor: Actor, trial: str, number: str) -> Bill:
    """An invoice or a credit note by its number.

    Raises
    ------
    AccessError
        If the actor may not see the trial's invoices.
    BillingError
        If the trial has no such bill.
    """
    with records.look(actor, Action.VIEW_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
    for bill in account.bills:
        if bill.number == number:
            return bill
    known = ", ".join(bill.number for bill in account.bills) or "none yet"
    raise BillingError(f"{trial} has no bill {number!r}; its bills: {known}")


def payments_of(transaction: Transaction, invoice: Bill) -> tuple[Decimal, ...]:
    """Every amount that came in for an invoice."""
    found = transaction.find(PAYMENT, Place(trial=invoice.trial), after=f"{invoice.number}/")
    return tuple(Decimal(version.body["amount"]) for version in found if version.body["invoice"] == invoice.number)


def _kept(journal: Journal, bill: Bill, action: str, reason: str) -> Bill:
    """The bill with its number and date, kept as a record."""
    entity, year = bill.seller.entity if bill.seller else "", journal.at[:4]
    number = 1 + sum(1 for _ in _numbers(journal.transaction, f"{entity}/{year}/"))
    issued = replace(bill, number=f"{entity}/{year}/{number:0{_NUMBER_DIGITS}d}", issued_on=journal.at[:10])
    if broken := violations(issued):
        faults = "; ".join(f"{fault.where}: {fault.message} [{fault.code}]" for fault in broken)
        raise BillingError(f"{bill.trial}: the invoice would break rules of EN 16931: {faults}")
    kind = INVOICE if issued.kind is BillKind.INVOICE else CREDIT_NOTE
    journal.write(kind, issued.number, _body(issued), action=action, place=_place(issued, "issued"), reason=reason)
    return issued


def _numbers(transaction: Transaction, prefix: str) -> Iterator[str]:
    """Every number of a seller and year; invoices and credit notes share one series."""
    for kind in (INVOICE, CREDIT_NOTE):
        for version in transaction.find(kind, Place(), after=prefix):
            if not version.id.startswith(prefix):
                break
            yield version.id


def _advance(journal: Journal, invoice: Bill, notes: Sequence[Bill], action: str) -> BillState:
    """Keep how far the invoice has come, where that changed; what the invoice says never does."""
    paid = sum(payments_of(journal.transaction, invoice), Decimal(0))
    state = state_of(invoice, notes, paid)
    version = _version(journal.transaction, invoice)
    if version.place.state != state.value:
        journal.write(INVOICE, invoice.number, version.body, action=action, place=_place(invoice, state.value))
    return state


def _version(transaction: Transaction, invoice: Bill) -> RecordVersion:
    version = transaction.current(INVOICE, invoice.number)
    if version is None or bill_of(version) != invoice:
        raise BillingError(f"there is no invoice {invoice.number}")
    return version


def _place(bill: Bill, state: str) -> Place:
    return Place(trial=bill.trial, person=bill.payer.id if bill.payer else "", state=state)


def _body(bill: Bill) -> dict[str, object]:
    totals = {"net": bill.net, "tax": bill.tax, "total": bill.total}
    body: dict[str, object] = plain({**plain(bill), "totals": totals})
    return body


def _invoice(account: Account, number: str) -> Bill:
    for bill in account.bills:
        if bill.kind is BillKind.INVOICE and bill.number == number:
            return bill
    raise BillingError(f"{account.trial} has no invoice {number!r}")


def _credit_notes(account: Account, invoice: Bill) -> list[Bill]:
    return [bill for bill in account.bills if bill.corrects == invoice.number]
