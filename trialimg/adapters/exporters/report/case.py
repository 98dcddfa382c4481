"""Reports that are asked for after a run: of the whole trial, and of one subject."""

from __future__ import annotations

import re
from pathlib import Path

from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.report.page import case_html, html_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.results import SubjectResult, TrialResult
from trialimg.services.review_record import ReviewRecord
from trialimg.services.review_report import CaseRecord

__all__ = ["write_case", "write_report"]

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def write_report(result: TrialResult, out: Path, record: ReviewRecord | None = None) -> tuple[Path, ...]:
    """Write `report.html` and `report.pdf` into an existing folder."""
    return _both(html_of(result, record), out, "report")


def write_case(
    result: TrialResult, subject: SubjectResult, out: Path, record: CaseRecord | None = None
) -> tuple[Path, ...]:
    """Write `case-SUBJECT.html` and `.pdf` into an existing folder."""
    name = _NOT_IN_A_NAME.sub("_", subject.subject.id)
    return _both(case_html(result, subject, record), out, f"case-{name}")


def _both(html: str, out: Path, name: str) -> tuple[Path, ...]:
    return (write_whole(out / f"{name}.html", html.encode()), write_whole(out / f"{name}.pdf", pdf_of(html)))
