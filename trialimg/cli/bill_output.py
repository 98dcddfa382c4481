"""How bills and statements read at the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import print_json
from trialimg.core.digest import plain

if TYPE_CHECKING:
    from trialimg.billing.bill import Bill
    from trialimg.services.billing import Preview
    from trialimg.services.billing_account import Draft

__all__ = ["print_bills", "print_preview", "print_statement"]


def print_preview(preview: Preview, files: Sequence[Path], *, as_json: bool) -> None:
    """Each payer's draft with how every amount comes about, then what has no price."""
    if as_json:
        drafts = [_draft_document(draft) for draft in preview.drafts]
        unpriced = [{"key": usage.key, "unit": usage.unit, "entry": usage.entry} for usage in preview.unpriced]
        print_json({"drafts": drafts, "unpriced": unpriced, "files": [str(path) for path in files]})
        return
    for draft in preview.drafts:
        _print_bill(draft.bill)
        on_bill = {line.key for line in draft.bill.lines}
        for due in draft.dues:
            if due.key not in on_bill:
                why = "invoiced before" if due.amount else "; ".join(due.because)
                click.echo(f"  {'-':>14}  {due.text} ({why})")
    if preview.unpriced:
        click.echo(f"without a price in this plan: {len(preview.unpriced)} steps (--json lists them)")
    _print_files(files)


def print_bills(bills: Sequence[Bill], files: Sequence[Path], *, as_json: bool, carried: Sequence[Bill] = ()) -> None:
    """Bills that have their numbers, and the payers who got none because nothing is owed on balance."""
    if as_json:
        from trialimg.services.billing_statement import printed

        documents = [{**printed(bill), "keys": [line.key for line in bill.lines]} for bill in bills]
        left = [{"payer": bill.payer.id if bill.payer else "", "net": bill.net} for bill in carried]
        print_json({"bills": documents, "carried": left, "files": [str(path) for path in files]})
        return
    for bill in bills:
        _print_bill(bill)
    for bill in carried:
        payer = bill.payer.id if bill.payer else "nobody"
        click.echo(f"{payer}: {bill.currency} {bill.net} in their favour is carried to their next invoice")
    _print_files(files)


def print_statement(statement: Any, files: Sequence[Path], *, as_json: bool) -> None:
    """A statement row by row, then its sums."""
    if as_json:
        print_json({**plain(statement), "files": [str(path) for path in files]})
        return
    document = plain(statement)
    for row in document.pop("rows"):
        click.echo("  ".join(str(cell) for cell in row.values() if cell != ""))
    for name, value in document.items():
        click.echo(f"{name}: {value}")
    _print_files(files)


def _print_bill(bill: Bill) -> None:
    name = bill.number or "draft"
    click.echo(f"{name}: {bill.payer.party.name if bill.payer else 'no payer named'}, up to {bill.last_day}")
    for line in bill.lines:
        click.echo(f"  {_money(line.amount, bill):>14}  {line.text} ({line.note})")
        if bill.number:
            click.echo(f"  {'':>14}  {line.key}")
    for total in bill.taxes:
        rate = f"{total.tax.category.value} {total.tax.rate_pct} %"
        click.echo(f"  {_money(total.amount, bill):>14}  tax {rate} on {_money(total.base, bill)}")
    if any(line.tax is None for line in bill.lines):
        click.echo("  the plan does not state the tax (price_plan.tax); nothing can be issued")
    click.echo(f"  {_money(bill.total, bill):>14}  {bill.currency} in all")


def _draft_document(draft: Draft) -> dict[str, Any]:
    from trialimg.services.billing_statement import printed

    dues = [
        {
            "key": due.key,
            "item": due.item,
            "text": due.text,
            "month": due.month,
            "price": due.price,
            "amount": due.amount,
            "because": due.because,
            "entry": due.usage.entry if due.usage else None,
        }
        for due in draft.dues
    ]
    return {"bill": printed(draft.bill), "dues": dues}


def _money(amount: Decimal, bill: Bill) -> str:
    from trialimg.billing.money import rounded

    return f"{rounded(amount, bill.currency):,}"


def _print_files(files: Sequence[Path]) -> None:
    for path in files:
        click.echo(str(path))
