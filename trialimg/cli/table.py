"""`trialimg table`: one summary table as HTML, RTF or PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import CONFIDENCE, DATA
from trialimg.cli.figure_output import CUT, SOURCE, TABLE_OUT, TITLE, give_table, imprint
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.services.figures.courses import TrialCourses

__all__ = ["table"]


@click.group("table")
def table() -> None:
    """One summary table of a run, of analysis datasets or of a table, as HTML, RTF or PDF."""


def _courses(source: Path) -> TrialCourses:
    from trialimg.bootstrap.figures import read_courses

    return read_courses(source)


@table.command("orr")
@SOURCE
@TABLE_OUT
@TITLE
@json_option
def orr(source: Path, out: Path, title: str, as_json: bool) -> None:
    """Best response, objective response and disease control by arm, and the difference of two arms."""
    from trialimg.services.tabulation.response import response_table

    give_table(response_table(_courses(source)), out, title=title, as_json=as_json)


@table.command("disposition")
@SOURCE
@TABLE_OUT
@TITLE
@json_option
def disposition(source: Path, out: Path, title: str, as_json: bool) -> None:
    """How far the subjects came, and what became of them."""
    from trialimg.services.tabulation.response import disposition_table

    give_table(disposition_table(_courses(source)), out, title=title, as_json=as_json)


@table.command("pfs")
@SOURCE
@TABLE_OUT
@TITLE
@json_option
def pfs(source: Path, out: Path, title: str, as_json: bool) -> None:
    """Progression-free survival by arm, and the comparison of two arms."""
    from trialimg.services.tabulation.times import progression_free_table

    give_table(progression_free_table(_courses(source)), out, title=title, as_json=as_json)


@table.command("dor")
@SOURCE
@TABLE_OUT
@TITLE
@json_option
def dor(source: Path, out: Path, title: str, as_json: bool) -> None:
    """Duration of response of the responders, by arm."""
    from trialimg.services.tabulation.times import duration_table

    give_table(duration_table(_courses(source)), out, title=title, as_json=as_json)


@table.command("concordance")
@DATA
@click.option("--first", "first_name", default="central", show_default=True, help="Name of the first reading.")
@click.option("--second", "second_name", default="investigator", show_default=True, help="Name of the second.")
@click.option("--tolerance-days", type=int, default=0, show_default=True, help="Dates no further apart are one.")
@CONFIDENCE
@TABLE_OUT
@TITLE
@CUT
@json_option
def concordance(
    data: Path,
    first_name: str,
    second_name: str,
    tolerance_days: int,
    confidence: float,
    out: Path,
    title: str,
    data_cut: str,
    as_json: bool,
) -> None:
    """Agreement of two readings on best response and date of progression."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.tabulation.concordance import concordance_table, readings_of_table

    readings = readings_of_table(read_text(data), data.name, first_name=first_name, second_name=second_name)
    made = concordance_table(
        readings, confidence=confidence, tolerance_days=tolerance_days, imprint=imprint(data, data_cut)
    )
    give_table(made, out, title=title, as_json=as_json)
