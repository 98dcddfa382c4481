"""A trial on one page for the one who pays for it: how it stands, and each bill with the case behind every line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trialimg.billing.bill import Bill, BillKind, state_of
from trialimg.core.access import Action, Actor
from trialimg.core.reading import Stage
from trialimg.services.billing import payments_of
from trialimg.services.billing_account import Account, account_of
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import CASE
from trialimg.services.records import Place
from trialimg.services.trials import protocol_of, require_trial

__all__ = ["BilledLine", "Standing", "TrialBill", "bills_of", "lines_of", "standing_of"]


@dataclass(frozen=True)
class Standing:
    """How a trial stands; nothing of arms, sites, readers or answers."""

    title: str
    sponsor: str
    state: str
    is_blinded: bool
    protocol_version: str
    cases: Mapping[str, int]
    """Stage to number of cases."""


@dataclass(frozen=True)
class BilledLine:
    """One line of a bill."""

    case: str
    """Code of the case that it charges; empty for what is due without one."""
    subject: str
    item: str
    text: str
    quantity: int
    price: Decimal
    amount: Decimal
    note: str


@dataclass(frozen=True)
class TrialBill:
    """An invoice or credit note, and how far it has come."""

    bill: Bill
    state: str
    paid: Decimal
    lines: tuple[BilledLine, ...]


def standing_of(records: Records, actor: Actor, trial: str) -> Standing:
    """How the trial stands.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ProtocolError
        If there is no such trial.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        opened = require_trial(transaction, trial)
        cases = {stage.value: transaction.count(CASE, Place(trial, state=stage.value)) for stage in Stage}
        version = protocol_of(transaction, trial).body["version"]
    body = opened.body
    return Standing(body["title"], body["sponsor"], opened.place.state, body["blinded"], version, cases)


def bills_of(records: Records, actor: Actor, trial: str) -> tuple[TrialBill, ...]:
    """Every invoice and credit note of a trial, latest first.

    Raises
    ------
    AccessError
        If the actor may not see the trial's invoices.
    BillingError
        If the trial has no price plan.
    """
    with records.look(actor, Action.VIEW_INVOICES, trial=trial) as transaction:
        account = account_of(transaction, trial)
        return tuple(_bill(transaction, account, bill) for bill in reversed(account.bills))


def _bill(transaction: Transaction, account: Account, bill: Bill) -> TrialBill:
    paid = sum(payments_of(transaction, bill), Decimal(0))
    notes = [note for note in account.bills if note.corrects == bill.number]
    state = state_of(bill, notes, paid).value if bill.kind is BillKind.INVOICE else "issued"
    return TrialBill(bill, state, paid, tuple(lines_of(bill)))


def lines_of(bill: Bill) -> Iterator[BilledLine]:
    """Each line with the code of its case, which its key names as ``trial/case/item``."""
    for line in bill.lines:
        trial, _, rest = line.key.partition("/")
        case = rest.partition("/")[0] if trial == bill.trial and rest else ""
        yield BilledLine(case, line.subject, line.item, line.text, line.quantity, line.price, line.amount, line.note)
