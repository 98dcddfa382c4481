"""Bills and statements as CSV and JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from trialimg.adapters.exporters.cells import Column, csv_bytes
from trialimg.billing.bill import Bill, BillLine
from trialimg.billing.money import rounded
from trialimg.core.digest import plain
from trialimg.services.billing_statement import PayeeRow, PayeeStatement, PayerRow, PayerStatement, printed

__all__ = ["bill_csv", "bill_json", "statement_csv", "statement_json"]


def bill_csv(bill: Bill) -> bytes:
    """One row for each line of the bill."""
    columns: tuple[Column[tuple[int, BillLine]], ...] = (
        Column("number", lambda _: bill.number),
        Column("line", lambda row: row[0]),
        Column("item", lambda row: row[1].item),
        Column("text", lambda row: row[1].text),
        Column("subject", lambda row: row[1].subject),
        Column("note", lambda row: row[1].note),
        Column("quantity", lambda row: row[1].quantity),
        Column("price", lambda row: rounded(row[1].price, bill.currency)),
        Column("amount", lambda row: rounded(row[1].amount, bill.currency)),
        Column("currency", lambda _: bill.currency),
        Column("tax_category", lambda row: row[1].tax.category if row[1].tax else None),
        Column("tax_rate_pct", lambda row: row[1].tax.rate_pct if row[1].tax else None),
    )
    return csv_bytes(columns, enumerate(bill.lines, start=1))


def bill_json(bill: Bill) -> bytes:
    """The bill as one JSON document; amounts are text, so that none loses a digit."""
    return _json(printed(bill))


def statement_csv(statement: PayerStatement | PayeeStatement) -> bytes:
    """One row for each bill of a payer, or for each line that a payee has a part in."""
    if isinstance(statement, PayerStatement):
        return csv_bytes([Column(field.name, _cell(field.name)) for field in fields(PayerRow)], statement.rows)
    return csv_bytes([Column(field.name, _cell(field.name)) for field in fields(PayeeRow)], statement.rows)


def statement_json(statement: PayerStatement | PayeeStatement) -> bytes:
    """The statement as one JSON document; amounts are text."""
    return _json(plain(statement))


def _cell(name: str) -> Any:
    return lambda row: getattr(row, name)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
