"""The files of a bill and of a statement."""

from __future__ import annotations

import re
from pathlib import Path

from trialimg.adapters.exporters.invoice.page import html_of_bill
from trialimg.adapters.exporters.invoice.tables import bill_csv, bill_json, statement_csv, statement_json
from trialimg.adapters.exporters.invoice.ubl import ubl_of
from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.billing.bill import Bill
from trialimg.services.billing_statement import PayeeStatement, PayerStatement

__all__ = ["BillFiles"]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class BillFiles:
    """Bills as PDF (PDF/UA-1), XML (EN 16931), CSV and JSON; statements as CSV and JSON."""

    def write_bill(self, bill: Bill, out: Path) -> tuple[Path, ...]:
        """Write a bill that has its number, or the draft of one, which is not an invoice and gets no XML."""
        name = _name(bill.number or f"draft-{bill.trial}-{bill.payer.id if bill.payer else 'all'}")
        made = [(".pdf", pdf_of(html_of_bill(bill))), (".csv", bill_csv(bill)), (".json", bill_json(bill))]
        if bill.number:
            made.append((".xml", ubl_of(bill)))
        return tuple(write_whole(out / f"{name}{ending}", data) for ending, data in made)

    def write_statement(self, statement: PayerStatement | PayeeStatement, out: Path) -> tuple[Path, ...]:
        """Write a statement."""
        party = statement.payer if isinstance(statement, PayerStatement) else statement.payee
        name = _name(f"statement-{statement.trial}-{party}-{statement.first_day}-{statement.last_day}")
        made = ((".csv", statement_csv(statement)), (".json", statement_json(statement)))
        return tuple(write_whole(out / f"{name}{ending}", data) for ending, data in made)


def _name(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text)
