"""Figures and summary tables: read from what a user has, written as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import ReadingError

if TYPE_CHECKING:
    from trialimg.services.figures.courses import Thresholds, TrialCourses
    from trialimg.services.figures.figure import Figure
    from trialimg.services.tabulation.table import SummaryTable

__all__ = ["read_courses", "write_figure", "write_table"]


def read_courses(source: Path, *, thresholds: Thresholds | None = None) -> TrialCourses:
    """The courses of a finished run's folder, a folder of analysis datasets, or a table.

    Parameters
    ----------
    thresholds
        Of the criterion, where the source does not say it; None: those of RECIST 1.1.

    Raises
    ------
    IntakeError, IntegrityError, ReadingError
        If there is none of these, or it has faults.
    """
    from trialimg import __version__
    from trialimg.services.figures.courses import RECIST, courses_of_run
    from trialimg.services.figures.courses_table import courses_of_datasets, courses_of_table
    from trialimg.services.finished import open_run

    lines, programme = thresholds or RECIST, f"trialimg {__version__}"
    if source.is_dir():
        if (source / "results.json").is_file():
            return courses_of_run(open_run(source))
        from trialimg.bootstrap.datasets import read_datasets

        return courses_of_datasets(read_datasets(source), source.name, thresholds=lines, programme=programme)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ReadingError(f"{source}: cannot be read as UTF-8 text ({fault})") from fault
    return courses_of_table(text, source.name, thresholds=lines, programme=programme)


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG, PDF or PNG, as the file's name ends.

    Raises
    ------
    ReadingError
        If it ends otherwise.
    """
    from trialimg.adapters.exporters.figure_files import write_figure as write

    return write(figure, path)


def write_table(table: SummaryTable, path: Path) -> Path:
    """Write a summary table as HTML, RTF or PDF, as the file's name ends.

    Raises
    ------
    ReadingError
        If it ends otherwise.
    """
    from trialimg.adapters.exporters.tables.files import write_table as write

    return write(table, path)
