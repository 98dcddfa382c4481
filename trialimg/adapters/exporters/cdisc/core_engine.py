"""The CDISC CORE engine, where the user has it: run apart, with a limit of time, its report read as findings.

References
----------
CDISC. CDISC Rules Engine (CORE), command `validate`, JSON report: https://github.com/cdisc-org/cdisc-rules-engine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trialimg.core.errors import IntakeError
from trialimg.services.cdisc.conformance import Finding

__all__ = ["core_findings"]

_STANDARD = ("-s", "sdtmig", "-v", "3-4")
_MOST_BYTES = 500_000_000
_SHOWN = 400
"""Characters of a complaint."""


def core_findings(engine: Path, folder: Path, *, timeout_seconds: float) -> tuple[Finding, ...]:
    """What the engine finds in the transport files of a folder, rule by rule.

    Parameters
    ----------
    engine
        Its executable (``core``), which finds its own rules beside it.
    timeout_seconds
        How long it may take.

    Raises
    ------
    IntakeError
        If it cannot be started, takes too long, fails, or leaves no report that can be read; or without XPT files.
    """
    program = engine.resolve()
    if not any(folder.glob("*.xpt")):
        raise IntakeError(f"{folder}: no .xpt is here, which is what CORE is given; export with --format xpt")
    with tempfile.TemporaryDirectory() as scratch:
        report, data = Path(scratch) / "core-report", Path(scratch) / "data"
        data.mkdir()
        for path in sorted(folder.glob("*.xpt")):  # the engine takes one format at a time, and SDTM alone
            if not path.stem.upper().startswith("AD"):
                shutil.copyfile(path, data / path.name)
        command = [str(program), "validate", *_STANDARD, "-d", str(data), "-o", str(report), "-of", "JSON"]
        try:
            done = subprocess.run(  # noqa: S603  the user's own program, no shell
                command, capture_output=True, timeout=timeout_seconds, check=False, cwd=program.parent, text=True
            )
        except subprocess.TimeoutExpired as fault:
            raise IntakeError(
                f"{engine}: took longer than {timeout_seconds:g} seconds; nothing of it is used"
            ) from fault
        except OSError as fault:
            raise IntakeError(f"{engine}: cannot be run ({fault.strerror})") from fault
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[-_SHOWN:]
            raise IntakeError(f"{engine}: ended in {done.returncode}: {said or 'it said nothing'}")
        return tuple(_findings(_read(report.with_suffix(".json"), engine)))


def _read(path: Path, engine: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise IntakeError(f"{engine}: its report is larger than {_MOST_BYTES} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise IntakeError(f"{engine}: left no report that can be read ({fault})") from fault
    if not isinstance(found, dict) or not isinstance(found.get("Issue_Details"), list):
        raise IntakeError(
            f"{engine}: its report has no Issue_Details; this release reads the JSON of CORE 0.9 and later"
        )
    return found


def _findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    for issue in report["Issue_Details"]:
        if not isinstance(issue, dict):
            continue
        variables, values = issue.get("variables") or [], issue.get("values") or []
        record = issue.get("row")
        yield Finding(
            rule=str(issue.get("core_id") or "CORE"),
            severity="warning",
            dataset=str(issue.get("dataset") or "").removesuffix(".xpt").upper(),
            record=record if isinstance(record, int) else None,
            variable=", ".join(map(str, variables)),
            value=", ".join("" if value is None else str(value) for value in values),
            message=str(issue.get("message") or "")[:_SHOWN],
        )
