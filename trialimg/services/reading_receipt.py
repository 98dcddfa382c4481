"""Cases as they come in: from a table of visits, or from a finished run with what the software measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import length_mm
from trialimg.core.reading import CaseKind
from trialimg.review.design import ConfirmationCause
from trialimg.services.cases import CaseTimepoint, Proposal, ReceivedCase
from trialimg.services.finished import FinishedRun
from trialimg.services.tables import Row, read_table

__all__ = ["RunCases", "cases_of_run", "cases_of_table"]

_REQUIRED = ("case", "subject", "timepoint", "date")
_OPTIONAL = ("first_date", "series", "images", "kind", "site", "reference_date", "cause")
_OF_CASE = ("subject", "kind", "site", "reference_date", "cause")
_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True)
class RunCases:
    """The cases of a run, and the subjects that are none."""

    trial: str
    protocol_digest: str
    cases: tuple[ReceivedCase, ...]
    without_baseline: tuple[str, ...]


def cases_of_table(text: str, source: str) -> tuple[ReceivedCase, ...]:
    """The cases of a CSV with one line per visit.

    Parameters
    ----------
    text, source
        Columns ``case, subject, timepoint, date``, optionally ``first_date``, ``series`` (UIDs, parted by blanks),
        ``images`` (digest), ``kind``, ``site``, ``reference_date``, ``cause``. Visits stand in order of date.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    table = read_table(text, source, required=_REQUIRED, optional=_OPTIONAL)
    by_case: dict[str, list[tuple[Row, CaseTimepoint | None]]] = {}
    for row in table.rows:
        by_case.setdefault(row.text("case", required=True), []).append((row, _visit(row)))
    cases = [_case(code, rows) for code, rows in by_case.items() if code]
    if not table.rows and not table.faults:
        table.fault(1, "empty", "the table has no rows")
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s), no case was received", tuple(table.faults))
    return tuple(case for case in cases if case is not None)


def _visit(row: Row) -> CaseTimepoint | None:
    name, day, first = row.text("timepoint", required=True), row.day("date", required=True), row.day("first_date")
    if day is None:
        return None
    return CaseTimepoint(name, day, first, tuple(row.text("series").split()), row.text("images"))


def _case(code: str, rows: list[tuple[Row, CaseTimepoint | None]]) -> ReceivedCase | None:
    head = rows[0][0]
    kind, cause = head.word("kind", CaseKind) or CaseKind.EFFICACY, head.word("cause", ConfirmationCause)
    start, subject = head.day("reference_date"), head.text("subject", required=True)
    for row, _ in rows[1:]:
        for column in _OF_CASE:
            if row.text(column) != head.text(column):
                message = f"{column} is {row.text(column)!r}, but {head.text(column)!r} in line {head.line}"
                row.table.fault(row.line, "contradiction", message)
    visits = tuple(visit for _, visit in rows if visit is not None)
    return ReceivedCase(code, subject, visits, kind, start, cause, site=head.text("site"))


def cases_of_run(run: FinishedRun) -> RunCases:
    """One case for each subject of a run that has a baseline, with its measurements as the software's proposal.

    Raises
    ------
    IntegrityError
        If the results are not what the run wrote.
    ReadingError
        If they are not the results of a run that this release reads.
    """
    results = run.results()
    try:
        device = _device(run, results)
        subjects = {one["subject"]["id"]: one for one in results["subjects"]}
        usable = {name: one for name, one in subjects.items() if _has_baseline(one)}
        images = digest_of(run.manifest["inputs"])
        cases = tuple(_run_case(one, images, device) for one in usable.values())
    except (KeyError, TypeError, ValueError) as wrong:
        message = f"results.json lacks or misstates {wrong}"
        raise ReadingError(f"{run.folder}: {message}", (Fault(str(run.folder), "bad_results", message),)) from None
    missing = tuple(name for name in subjects if name not in usable)
    return RunCases(results["trial"], results["protocol_digest"], cases, missing)


def _has_baseline(subject: Mapping[str, Any]) -> bool:
    return bool(subject["timepoints"]) and subject["timepoints"][0]["timepoint"]["order"] == 0


def _device(run: FinishedRun, results: Mapping[str, Any]) -> dict[str, str]:
    return {
        "software": str(run.manifest["software"]),
        "segmenter": str(results["protocol"]["segmentation"]["segmenter"]),
        "model": str(run.manifest["model"] or ""),
        "run": digest_of(run.manifest),
    }


def _run_case(subject: Mapping[str, Any], images: str, device: Mapping[str, str]) -> ReceivedCase:
    start = subject["subject"]["reference_date"]
    return ReceivedCase(
        code=subject["subject"]["id"],
        subject=subject["subject"]["id"],
        timepoints=tuple(_run_visit(one, images) for one in subject["timepoints"]),
        reference_date=dt.date.fromisoformat(start) if start else None,
        site=subject["subject"]["site"] or "",
        proposal=Proposal({one["timepoint"]["id"]: _proposed(one) for one in subject["timepoints"]}, device),
    )


def _run_visit(one: Mapping[str, Any], images: str) -> CaseTimepoint:
    at = one["timepoint"]
    first = dt.date.fromisoformat(at["first_date"]) if at["first_date"] else None
    series = tuple(sorted({lesion["series_uid"] for lesion in one["lesions"]} - {""}))
    return CaseTimepoint(at["id"], dt.date.fromisoformat(at["date"]), first, series, images)


def _proposed(one: Mapping[str, Any]) -> dict[str, Any]:
    lesions = [_lesion(lesion) for lesion in one["lesions"]]
    is_new = any(lesion["role"] == "new" and lesion["seen"] != "absent" for lesion in lesions)
    is_baseline = one["timepoint"]["order"] == 0
    return {
        "image_quality": "not_stated",
        "new_lesions": "" if is_baseline else ("yes" if is_new else "no"),
        "lesions": lesions,
    }


def _lesion(found: Mapping[str, Any]) -> dict[str, Any]:
    seen, measured = found["observation"], found["measurement"]
    lesion, is_measured = seen["lesion"], measured is not None and seen["diameter_mm"] is not None
    return {
        "lesion": _label(lesion),
        "role": found["role"],
        "kind": lesion["kind"],
        "organ": lesion["organ"],
        "seen": seen["seen"],
        "diameter_mm": seen["diameter_mm"] or "",
        "short_mm": str(length_mm(measured["short_axis_mm"])) if is_measured else "",
        "volume_ml": str(Decimal(str(found["volume_ml"])).quantize(_THOUSANDTH)) if is_measured else "",
        "reason": seen["reason"],
        "status": seen["status"] or "",
        "local_therapy": "yes" if seen["local_therapy"] else "no",
        **dict(_evidence(found)),
    }


def _label(lesion: Mapping[str, Any]) -> str:
    """What people call it; the id would name the subject."""
    return str(lesion["label"] or str(lesion["id"]).rpartition("/")[2])


def _evidence(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The mask, and the axes of a lesion in one piece (in several, the diameter is their sum)."""
    masks, measured = found["observation"]["evidence"], found["measurement"]
    evidence: dict[str, Any] = {"series_uid": found["series_uid"]}
    if masks:
        evidence["digest"] = masks[0]["digest"]
    if measured is not None and found["fragments"] == 1:
        for axis in ("long_axis_lps_mm", "short_axis_lps_mm"):
            evidence[axis] = [[str(round(c, 4)) for c in point] for point in measured[axis]]
    yield "evidence", evidence
