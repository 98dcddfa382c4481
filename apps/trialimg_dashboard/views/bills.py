"""Invoices and credit notes, the case behind every line, and what was done and is not invoiced yet."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.kept import worked_out
from trialimg.bootstrap import bill_files
from trialimg.core.access import Action
from trialimg.services.billing import preview
from trialimg.services.dashboard_downloads import fetch_bill
from trialimg.services.dashboard_sponsor import BilledLine, TrialBill, bills_of, lines_of

__all__ = ["listed", "not_invoiced", "present_bills"]


def present_bills(at: Desk) -> Sequence[TrialBill] | None:
    """Every invoice and credit note now."""
    return worked_out(at, "bills", Action.VIEW_INVOICES, lambda: bills_of(at.records, at.actor, at.trial))


def listed(at: Desk, found: Sequence[TrialBill]) -> None:
    """Every bill, with its lines and its files."""
    st.subheader(at.t("bills.title"))
    if not found:
        st.info(at.t("bills.none"))
    for one in found:
        bill = one.bill
        kind = at.t(f"bills.kind.{bill.kind.name.lower()}")
        total = f"{bill.total} {bill.currency}"
        with st.expander(f"{kind} {bill.number} · {bill.issued_on} · {total} · {at.t(f'bills.state.{one.state}')}"):
            period = at.t("bills.period", first=bill.first_day, last=bill.last_day, due=bill.due_on or "-")
            st.caption(f"{period} {at.t('bills.sums', net=bill.net, total=bill.total, paid=one.paid)}")
            _lines(at, one.lines, bill.currency)
            for ending in ("pdf", "xml", "csv"):
                name = f"{bill.number.replace('/', '-')}.{ending}"
                st.download_button(
                    f"{at.t('downloads.take')} {ending.upper()}",
                    _writing(at, one, ending),
                    file_name=name,
                    key=name,
                    on_click="ignore",
                )


def not_invoiced(at: Desk) -> None:
    """What was signed since, at the plan's prices."""
    today = dt.date.fromisoformat(at.records.now()[:10])
    found = worked_out(at, "next_bill", Action.VIEW_INVOICES, lambda: preview(at.records, at.actor, at.trial, today))
    if found is None:
        return
    st.subheader(at.t("bills.next"))
    drafts = [draft.bill for draft in found.drafts if draft.bill.lines]
    if not drafts:
        st.caption(at.t("bills.nothing_next"))
    for bill in drafts:
        st.caption(
            at.t(
                "bills.draft",
                payer=bill.payer.party.name if bill.payer else "-",
                total=bill.total,
                currency=bill.currency,
            )
        )
        _lines(at, list(lines_of(bill)), bill.currency)


def _lines(at: Desk, lines: Sequence[BilledLine], currency: str) -> None:
    rows = [
        (one.case, one.subject, one.text or one.item, one.quantity, f"{one.price:.2f}", f"{one.amount:.2f}", one.note)
        for one in lines
    ]
    heads = [at.t(f"bills.{name}") for name in ("case", "subject", "what", "quantity")]
    heads += [f"{at.t(f'bills.{name}')}, {currency}" for name in ("price", "amount")]
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        pd.DataFrame(rows, columns=[*heads, at.t("bills.note")]),
        hide_index=True,
        column_config={heads[4]: right, heads[5]: right},
    )


def _writing(at: Desk, one: TrialBill, ending: str) -> Callable[[], bytes]:
    """The bytes of one form of a bill, made at the click."""

    def written() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            files = bill_files().write_bill(one.bill, Path(folder))
            content = next(path for path in files if path.suffix == f".{ending}").read_bytes()
        return fetch_bill(at.records, at.actor, at.trial, file=f"{one.bill.number}.{ending}", content=content)

    return written
