"""Reports of a finished run, and of one subject of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialimg.services.results import SubjectResult, TrialResult
    from trialimg.services.review_record import ReviewRecord
    from trialimg.services.review_report import CaseRecord

__all__ = ["case_pdf", "case_report", "endpoint_report", "finished_result", "report_pdf"]


def finished_result(run: Path, work: Path | None = None) -> TrialResult:
    """The results of a finished run, with its key images where its finished work is still there.

    Raises
    ------
    IntakeError
        If there is no run.
    IntegrityError
        If its results are not what the run wrote.
    """
    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.services.finished import open_run
    from trialimg.services.results_file import read_result

    kept = work or run / "work"
    return read_result(open_run(run).results(), DirectoryBlobStore(kept) if kept.is_dir() else None)


def endpoint_report(result: TrialResult, out: Path, record: ReviewRecord | None = None) -> tuple[Path, ...]:
    """Write the endpoint report as HTML and PDF into an existing folder."""
    from trialimg.adapters.exporters.report.case import write_report

    return write_report(result, out, record)


def case_report(
    result: TrialResult, subject: SubjectResult, out: Path, record: CaseRecord | None = None
) -> tuple[Path, ...]:
    """Write the report of one subject as HTML and PDF into an existing folder."""
    from trialimg.adapters.exporters.report.case import write_case

    return write_case(result, subject, out, record)


def report_pdf(result: TrialResult, record: ReviewRecord | None) -> bytes:
    """The endpoint report as PDF."""
    from trialimg.adapters.exporters.rendering import pdf_of
    from trialimg.adapters.exporters.report.page import html_of

    return pdf_of(html_of(result, record))


def case_pdf(result: TrialResult, subject: SubjectResult, record: CaseRecord | None) -> bytes:
    """The report of one subject as PDF."""
    from trialimg.adapters.exporters.rendering import pdf_of
    from trialimg.adapters.exporters.report.page import case_html

    return pdf_of(case_html(result, subject, record))
