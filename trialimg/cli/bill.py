"""`trialimg bill`: what a trial's reads cost, and who gets which part of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.bill_output import print_bills, print_preview, print_statement
from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialimg.billing.bill import Bill
    from trialimg.services.billing_statement import PayeeStatement, PayerStatement

__all__ = ["bill"]


class _Day(click.ParamType[dt.date]):
    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date like 2026-03-31", param, ctx)


class _Amount(click.ParamType[Decimal]):
    name = "AMOUNT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount like 2000.00", param, ctx)
        if not amount.is_finite():
            self.fail(f"{value!r} is not an amount like 2000.00", param, ctx)
        return amount


_OUT = click.option("--out", type=click.Path(path_type=Path), help="Folder for the files; made if it is not there.")
_UNTIL = click.option(
    "--until", "last_day", type=_Day(), required=True, help="Last day that is billed, UTC; usually a month's last."
)


@click.group("bill")
def bill() -> None:
    """Preview, issue, credit and settle the invoices of a trial.

    The price plan stands in the trial's protocol. What is charged derives from signed steps in the ledger.
    """


@bill.command("preview")
@click.argument("trial")
@_UNTIL
@_OUT
@signed_in()
@json_option
def preview(desk: Desk, trial: str, last_day: dt.date, out: Path | None, as_json: bool) -> None:
    """What would be invoiced for TRIAL, and how each amount comes about. Nothing is kept."""
    from trialimg.services.billing import preview as previewed

    found = previewed(desk.records, desk.actor, trial, last_day)
    files = _written([draft.bill for draft in found.drafts], out)
    print_preview(found, files, as_json=as_json)


@bill.command("issue")
@click.argument("trial")
@_UNTIL
@_OUT
@signed_in(Role.ADMINISTRATOR)
@json_option
def issue(desk: Desk, trial: str, last_day: dt.date, out: Path | None, as_json: bool) -> None:
    """Issue TRIAL's invoices, one to each payer who owes something; they get their numbers and stay as they are."""
    from trialimg.services.billing import issue as issued_by

    _ready(out)
    issued = issued_by(desk.records, desk.actor, trial, last_day)
    print_bills(issued.invoices, _written(issued.invoices, out), as_json=as_json, carried=issued.carried)


@bill.command("credit")
@click.argument("trial")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it is printed on the credit note.")
@click.option("--line", "lines", multiple=True, metavar="KEY[=AMOUNT]", help="This line, or an amount of it.")
@click.option("--charge-again", is_flag=True, help="Let a later invoice charge again what the records still show.")
@_OUT
@signed_in(Role.ADMINISTRATOR)
@json_option
def credit(
    desk: Desk,
    trial: str,
    number: str,
    reason: str,
    lines: tuple[str, ...],
    charge_again: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Give back the invoice NUMBER of TRIAL, or some lines of it, by a credit note.

    Without --charge-again what is given back is given up for good. KEY is what `bill print --json` calls a line.
    """
    from trialimg.services.billing import CreditOrder
    from trialimg.services.billing import credit as credited_by

    _ready(out)
    order = CreditOrder(trial, number, reason, _chosen(lines), charge_again)
    note = credited_by(desk.records, desk.actor, order)
    print_bills((note,), _written((note,), out), as_json=as_json)


@bill.command("pay")
@click.argument("trial")
@click.argument("number")
@click.option("--amount", type=_Amount(), required=True, help="What came in.")
@click.option("--on", "received_on", type=_Day(), required=True, help="Day on which it came in.")
@click.option("--reference", default="", help="What the bank's statement calls it.")
@signed_in(Role.ADMINISTRATOR)
@json_option
def pay(
    desk: Desk, trial: str, number: str, amount: Decimal, received_on: dt.date, reference: str, as_json: bool
) -> None:
    """Keep that money came in for the invoice NUMBER of TRIAL."""
    from trialimg.services.billing import Receipt
    from trialimg.services.billing import pay as paid_by

    state = paid_by(desk.records, desk.actor, Receipt(trial, number, amount, received_on, reference))
    if as_json:
        print_json({"invoice": number, "amount": amount, "state": state})
    else:
        click.echo(f"{number}: {amount} received, {state.value}")


@bill.command("print")
@click.argument("trial")
@click.argument("number")
@_OUT
@signed_in()
@json_option
def print_again(desk: Desk, trial: str, number: str, out: Path | None, as_json: bool) -> None:
    """Write the invoice or credit note NUMBER of TRIAL once more: the same bytes as when it was issued."""
    from trialimg.services.billing import find_bill

    found = find_bill(desk.records, desk.actor, trial, number)
    print_bills((found,), _written((found,), out), as_json=as_json)


@bill.command("statement")
@click.argument("trial")
@click.option("--payer", help="Id of a payer: what was billed and paid.")
@click.option("--payee", help="Who gets a part: reader/NAME, site/CODE, model_owner/NAME, platform/NAME.")
@click.option("--from", "first", type=_Day(), required=True, help="First day of issue.")
@click.option("--to", "last", type=_Day(), required=True, help="Last day of issue.")
@_OUT
@signed_in()
@json_option
def statement(
    desk: Desk,
    trial: str,
    payer: str | None,
    payee: str | None,
    first: dt.date,
    last: dt.date,
    out: Path | None,
    as_json: bool,
) -> None:
    """What a payer was billed, or what a payee gets, of the bills of some days; with neither, each payee's total."""
    from trialimg.services.billing_statement import Days, payee_statement, payee_totals, payer_statement

    if payer and payee:
        raise click.UsageError("a statement is for a payer or for a payee, not for both")
    days = Days(first, last)
    found: PayerStatement | PayeeStatement
    if payer:
        found = payer_statement(desk.records, desk.actor, trial, payer, days=days)
    elif payee:
        found = payee_statement(desk.records, desk.actor, trial, payee, days=days)
    else:
        print_json({"trial": trial, "payees": payee_totals(desk.records, desk.actor, trial, days)})
        return
    files: tuple[Path, ...] = ()
    if out is not None:
        from trialimg import bootstrap

        bootstrap.make_folder(out)
        files = bootstrap.bill_files().write_statement(found, out)
    print_statement(found, files, as_json=as_json)


def _chosen(lines: tuple[str, ...]) -> dict[str, Decimal | None] | None:
    """Key to amount of ``KEY=AMOUNT``, to None of ``KEY``; None where no line is named."""
    chosen: dict[str, Decimal | None] = {}
    for line in lines:
        key, equals, amount = line.partition("=")
        if key in chosen:
            raise click.UsageError(f"line {key} is named twice")
        chosen[key] = _Amount().convert(amount, None, None) if equals else None
    return chosen or None


def _ready(out: Path | None) -> None:
    """Make the folder before anything is issued that should stand in it."""
    from trialimg import bootstrap

    if out is not None:
        bootstrap.make_folder(out)


def _written(bills: Sequence[Bill], out: Path | None) -> tuple[Path, ...]:
    from trialimg import bootstrap

    if out is None:
        return ()
    bootstrap.make_folder(out)
    writer = bootstrap.bill_files()
    return tuple(path for one in bills for path in writer.write_bill(one, out))
