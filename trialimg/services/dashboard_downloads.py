"""What may be taken away from a trial as files; every taking is in the ledger, and nothing of it unblinds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, IntegrityError
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.spreadsheet import harmless
from trialimg.services.trials import READ, require_trial
from trialimg.services.trials_data_cut import CASE, DATA_CUT, cut_of, latest_of, moved_since, results_among

__all__ = ["CutFile", "cut_files", "fetch_bill", "fetch_cut", "fetch_output", "may_take_outputs", "taken"]

_COLUMNS = (
    "case", "subject", "best_response", "progression_date", "response_date", "by", "read", "read_version",
    "read_digest",
)  # fmt: skip


@dataclass(frozen=True)
class CutFile:
    """The results of one data cut as a table."""

    name: str
    """Of the cut."""
    state: str
    cut_at: str
    cases: int
    left_out: int
    hash: str
    """Of the results that were locked."""
    file: str
    """Name of the table as a file."""
    digest: str
    """Of the table."""
    moved: tuple[str, ...]
    """Cases whose records are no longer those that were locked."""


def cut_files(records: Records, actor: Actor, trial: str) -> tuple[CutFile, ...]:
    """Every data cut of a trial with the table that it gives, in order of name.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        cuts = tuple(transaction.find(DATA_CUT, Place(trial)))
        latest = latest_of(transaction, trial) if cuts else {}
        results = results_among(latest)
        return tuple(
            _file(cut, _table(transaction, cut, latest), moved_since(transaction, cut, results=results)) for cut in cuts
        )


def fetch_cut(records: Records, actor: Actor, trial: str, name: str) -> bytes:
    """The results of a data cut as they were locked, as CSV; that they were taken is in the ledger.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ReadingError
        If there is no such cut.
    """
    with records.change(actor, Action.VIEW_REPORTS, trial=trial) as journal:
        cut = cut_of(journal.transaction, f"{trial}/{name}")
        table = _table(journal.transaction, cut, latest_of(journal.transaction, trial))
        journal.note("download", kind="file", key=_file_name(cut), trial=trial, reason=digest_of(table))
        return table


def may_take_outputs(records: Records, actor: Actor, trial: str) -> bool:
    """Whether what a run wrote may be taken: it compares arms, so a sponsor gets it only once the trial is unblinded.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        return not _is_blinded_to(transaction, actor, trial)


def fetch_output(records: Records, actor: Actor, trial: str, *, run: FinishedRun, name: str) -> bytes:
    """One file that a run of the trial wrote; that it was taken is in the ledger.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports, or not yet those that compare arms.
    IntegrityError
        If the file is not what the run wrote, or the run is of another trial.
    """
    content = run.content(name)
    run.results_of(trial)
    with records.change(actor, Action.VIEW_REPORTS, trial=trial) as journal:
        if _is_blinded_to(journal.transaction, actor, trial):
            raise AccessError(f"{trial} is blinded: what compares its arms is given out after unblinding")
        journal.note("download", kind="file", key=name, trial=trial, reason=run.manifest["outputs"][name])
    return content


def fetch_bill(records: Records, actor: Actor, trial: str, *, file: str, content: bytes) -> bytes:
    """A bill that was written as a file, once it is in the ledger that it was taken.

    Raises
    ------
    AccessError
        If the actor may not see the trial's invoices.
    """
    return taken(records, actor, trial, file=file, content=content, right=Action.VIEW_INVOICES)


def taken(
    records: Records, actor: Actor, trial: str, *, file: str, content: bytes, right: Action = Action.VIEW_REPORTS
) -> bytes:
    """A file that was made, once it is in the ledger that it was taken.

    Raises
    ------
    AccessError
        If the actor has no right to it.
    """
    with records.change(actor, right, trial=trial) as journal:
        journal.note("download", kind="file", key=file, trial=trial, reason=digest_of(content))
    return content


def _is_blinded_to(transaction: Transaction, actor: Actor, trial: str) -> bool:
    return actor.role is Role.SPONSOR and bool(require_trial(transaction, trial).body["blinded"])


def _file(cut: RecordVersion, table: bytes, moved: tuple[str, ...]) -> CutFile:
    body = cut.body
    return CutFile(
        body["name"],
        cut.place.state,
        body["cut_at"],
        len(body["cases"]),
        len(body["left_out"]),
        body["hash"],
        _file_name(cut),
        digest_of(table),
        moved,
    )


def _file_name(cut: RecordVersion) -> str:
    return f"{cut.place.trial}-{cut.body['name']}-results.csv"


def _table(transaction: Transaction, cut: RecordVersion, latest: Mapping[tuple[str, str], RecordVersion]) -> bytes:
    """One row for each case, by the versions that were locked; no arm, no site, no reader's name."""
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, _COLUMNS, lineterminator="\r\n")
    table.writeheader()

    def version(kind: str, key: str, number: str) -> RecordVersion:
        found = latest.get((kind, key))
        if found is None or found.version != int(number):
            found = transaction.version(kind, key, int(number))
        if found is None:
            raise IntegrityError(f"{cut.id}: {kind} {key} version {number}, which it locked, is missing")
        return found

    for locked in cut.body["cases"]:
        numbers = {(kind, key): number for kind, key, number, _ in locked["records"]}
        case = version(CASE, locked["case"], numbers[CASE, locked["case"]])
        read = case.body["result"]["read"]
        cells = (harmless(cell) for cell in _row(case, version(READ, read, numbers[READ, read])))
        table.writerow(dict(zip(_COLUMNS, cells, strict=True)))
    return out.getvalue().encode()


def _row(case: RecordVersion, read: RecordVersion) -> Iterator[str]:
    said = read.body["answer"]["compared"]
    yield from (case.body["code"], case.body["subject"], said["best_response"])
    yield from (said["progression_date"] or "", said["response_date"] or "", case.body["result"]["by"])
    yield from (read.id, str(read.version), read.digest)
