"""The forms by which invoices are issued, credited and settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.acting import act, wanted
from trialimg.core.errors import BillingError
from trialimg.services.billing import CreditOrder, Receipt, credit, issue, pay
from trialimg.services.dashboard_sponsor import TrialBill

__all__ = ["crediting", "issuing", "paying"]


@dataclass(frozen=True)
class _Credit:
    invoice: str
    lines: tuple[str, ...]
    charge_again: bool


@dataclass(frozen=True)
class _Payment:
    invoice: str
    amount: str
    received_on: dt.date
    reference: str


def issuing(at: Desk) -> None:
    """Everything that is due up to a day, invoiced."""
    today = _today(at)
    asked = wanted(
        at,
        "invoices.issue",
        lambda: st.date_input(at.t("invoices.until"), value=today, max_value=today),
        has_reason=False,
    )
    if asked is not None:
        day = asked.fields
        act(
            at,
            lambda: ", ".join(bill.number for bill in issue(at.records, at.actor, at.trial, day).invoices),
            lambda numbers: at.t("invoices.issued", numbers=numbers),
        )


def crediting(at: Desk, found: Sequence[TrialBill]) -> None:
    """An invoice given back, whole or by its lines."""
    open_ones = [one for one in _invoices(found) if one.state != "credited"]
    if not open_ones:
        return
    number = st.selectbox(at.t("invoices.credit_which"), [one.bill.number for one in open_ones], key="invoices_credit")
    bill = next(one.bill for one in open_ones if one.bill.number == number)
    texts = {line.key: f"{line.subject} {line.text or line.item} {line.amount}" for line in bill.lines}

    def fields() -> _Credit:
        lines = st.multiselect(
            at.t("invoices.lines"),
            list(texts),
            format_func=lambda key: texts[key],
            placeholder=at.t("invoices.every_line"),
        )
        return _Credit(number, tuple(lines), st.checkbox(at.t("invoices.charge_again")))

    asked = wanted(at, "invoices.credit", fields)
    if asked is not None:
        wish = asked.fields
        lines: dict[str, Decimal | None] | None = dict.fromkeys(wish.lines) if wish.lines else None
        order = CreditOrder(at.trial, wish.invoice, asked.reason, lines, wish.charge_again)
        act(at, lambda: credit(at.records, at.actor, order).number, lambda n: at.t("invoices.credited", number=n))


def paying(at: Desk, found: Sequence[TrialBill]) -> None:
    """Money that came in."""
    unpaid = [one.bill.number for one in _invoices(found) if one.state == "issued"]
    if not unpaid:
        return

    def fields() -> _Payment:
        number = st.selectbox(at.t("invoices.invoice"), unpaid)
        amount = st.text_input(at.t("invoices.amount"), max_chars=20)
        day = st.date_input(at.t("invoices.received_on"), value=_today(at), max_value=_today(at))
        return _Payment(number, amount, day, st.text_input(at.t("invoices.reference"), max_chars=100))

    asked = wanted(at, "invoices.pay", fields, has_reason=False)
    if asked is not None:
        paid = asked.fields
        act(at, lambda: pay(at.records, at.actor, _receipt(at, paid)))


def _receipt(at: Desk, paid: _Payment) -> Receipt:
    try:
        amount = Decimal(paid.amount.strip())
    except InvalidOperation as fault:
        raise BillingError(at.t("invoices.bad_amount", amount=paid.amount)) from fault
    return Receipt(at.trial, paid.invoice, amount, paid.received_on, paid.reference)


def _invoices(found: Sequence[TrialBill]) -> list[TrialBill]:
    return [one for one in found if one.bill.kind.name == "INVOICE"]


def _today(at: Desk) -> dt.date:
    return dt.date.fromisoformat(at.records.now()[:10])
