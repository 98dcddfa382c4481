"""The verifier as a command of its own: what it is given, and what it says."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trialimg.core.errors import IntegrityError, InvalidValueError, TrialimgError
from trialimg.ledger.canonical import parse
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.ledger.findings import Report
from trialimg.ledger.keys import KeyHistory
from trialimg.ledger.verifier import verify_bundle

__all__ = ["command", "read_checkpoint", "read_trusted_keys", "report_lines", "report_plain"]


def read_checkpoint(path: Path) -> SignedCheckpoint:
    """The signed checkpoint in a file; of several, one a line, the last.

    Raises
    ------
    IntegrityError
        If the file is not there or holds something else.
    """
    lines = [line for line in _read(path).splitlines() if line.strip()]
    try:
        return SignedCheckpoint.parse(lines[-1] if lines else b"")
    except InvalidValueError as wrong:
        raise IntegrityError(f"{path}: no signed checkpoint ({wrong})") from None


def read_trusted_keys(path: Path) -> frozenset[str]:
    """Ids of the key pairs in a file: the ``keys.json`` of an earlier bundle, or one id a line.

    Raises
    ------
    IntegrityError
        If the file is not there or holds something else.
    """
    data = _read(path)
    if not data.lstrip().startswith(b"{"):
        ids = data.decode(errors="replace").split()
        if ids and all(re.fullmatch("[0-9a-f]{64}", id_) for id_ in ids):
            return frozenset(ids)
        raise IntegrityError(f"{path}: neither a keys.json nor key ids of 64 hexadecimal digits, one a line")
    try:
        return frozenset(pair.keys.id for pair in KeyHistory.from_plain(parse(data.strip())).pairs)
    except InvalidValueError as wrong:
        raise IntegrityError(f"{path}: no key history ({wrong})") from None


def report_plain(report: Report) -> dict[str, Any]:
    """As JSON types."""
    return {"ok": report.ok, **asdict(report)}


def report_lines(report: Report) -> tuple[str, ...]:
    """What a person reads: every finding, or one line that says what was verified."""
    if not report.ok:
        more = (f"and {report.unlisted} more",) if report.unlisted else ()
        total = len(report.findings) + report.unlisted
        return (
            *(str(finding) for finding in report.findings),
            *more,
            f"{total} finding(s) in {report.entries} entries",
        )
    withheld = f" ({report.withheld} of other trials withheld)" if report.withheld else ""
    signed = f"checkpoint of {report.checkpoint_at}" if report.checkpoints else "no checkpoint yet"
    line = (
        f"verified: {report.entries} entries{withheld}, {report.trials} trials, {report.records} record versions "
        f"({report.redacted} tombstones), {signed}, root {report.root}"
    )
    if report.is_trusted or not report.key:
        return (line,)
    return (line, f"note: the keys came with the records; compare key {report.key} with the one you were given")


def command(arguments: Sequence[str] | None = None, *, bundle: Path | None = None) -> int:
    """Verify and write the answer to stdout: 0 if all is as signed, 1 with findings, 2 if nothing can be read.

    Parameters
    ----------
    bundle
        What is verified where the arguments name nothing.
    """
    parser = argparse.ArgumentParser(description="Verify an exported ledger bundle without any network or database.")
    parser.add_argument("bundle", type=Path, nargs=None if bundle is None else "?", default=bundle)
    parser.add_argument("--checkpoint", type=Path, help="a signed checkpoint kept from an earlier day")
    parser.add_argument("--keys", type=Path, help="trusted keys: a keys.json, or key ids, one a line")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    try:
        known = None if given.checkpoint is None else read_checkpoint(given.checkpoint)
        trusted = None if given.keys is None else read_trusted_keys(given.keys)
        report = verify_bundle(given.bundle, trusted, known)
    except TrialimgError as refusal:
        sys.stderr.write(f"verify: error: {refusal}\n")
        return 2
    lines = (json.dumps(report_plain(report), indent=2),) if given.json else report_lines(report)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.ok else 1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise IntegrityError(f"{path}: cannot be read ({wrong.strerror})") from None
