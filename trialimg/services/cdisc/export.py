"""Which datasets are asked for, and the study that they are made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.from_results import study_of_results
from trialimg.services.cdisc.specification import DATASETS, Standard
from trialimg.services.cdisc.tables import Table
from trialimg.services.finished import FinishedRun

__all__ = ["read_demographics", "study_of_run", "tables_for"]

_OF = {
    "sdtm": (Standard.SDTM,),
    "adam": (Standard.ADAM,),
}


def study_of_run(run: FinishedRun, demographics: Sequence[Mapping[str, str]] = ()) -> Study:
    """The study that a finished run read.

    Raises
    ------
    IntegrityError
        If its results are not what the run wrote.
    """
    content = run.content("results.json")
    return study_of_results(run.results(), digest=digest_of(content), demographics=demographics)


def tables_for(study: Study, what: str) -> tuple[Table, ...]:
    """The datasets of ``sdtm``, ``adam``, or of both.

    Raises
    ------
    ReadingError
        If no subject has been read, or the sponsor's DM does not fit.
    """
    if not any(course.reads for course in study.courses):
        raise ReadingError(f"{study.code}: no subject has been read, so there is nothing to export")
    wanted = _OF.get(what, tuple(Standard))
    return tuple(table for table in datasets(study) if table.spec.standard in wanted)


def read_demographics(text: str, source: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a sponsor's DM in CSV, with SDTM's own names of columns.

    Raises
    ------
    ReadingError
        If it has no USUBJID, or lacks a required column.
    """
    try:
        reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), strict=True)
        rows = tuple(reader)
    except csv.Error as fault:
        raise ReadingError(f"{source} is no CSV ({fault})") from fault
    names = reader.fieldnames or ()
    missing = [v.name for v in DATASETS["DM"].variables if v.core == "Req" and v.name not in names]
    if missing:
        raise ReadingError(f"{source} is no DM: it has no {', '.join(missing)}")
    return tuple({name: value or "" for name, value in row.items() if name} for row in rows)
