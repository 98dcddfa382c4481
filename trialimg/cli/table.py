"""`trialimg table`: one summary table as HTML, RTF or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import CONFIDENCE, DATA
from trialimg.cli.figure_output import CUT, SOURCE, TABLE, Output, imprint
from trialimg.cli.gathered import gathered

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
@TABLE
def orr(source: Path, output: Output) -> None:
    """Best response, objective response and disease control by arm, and the difference of two arms."""
    from trialimg.services.tabulation.response import response_table

    output.give_table(response_table(_courses(source)))


@table.command("disposition")
@SOURCE
@TABLE
def disposition(source: Path, output: Output) -> None:
    """How far the subjects came, and what became of them."""
    from trialimg.services.tabulation.response import disposition_table

    output.give_table(disposition_table(_courses(source)))


@table.command("pfs")
@SOURCE
@TABLE
def pfs(source: Path, output: Output) -> None:
    """Progression-free survival by arm, and the comparison of two arms."""
    from trialimg.services.tabulation.times import progression_free_table

    output.give_table(progression_free_table(_courses(source)))


@table.command("dor")
@SOURCE
@TABLE
def dor(source: Path, output: Output) -> None:
    """Duration of response of the responders, by arm."""
    from trialimg.services.tabulation.times import duration_table

    output.give_table(duration_table(_courses(source)))


@dataclass(frozen=True)
class _Compared:
    """Two readings, and how far apart their dates may lie."""

    first_name: str
    second_name: str
    tolerance_days: int
    confidence: float


@table.command("concordance")
@DATA
@gathered(
    "compared", _Compared,
    click.option("--first", "first_name", default="central", show_default=True, help="Name of the first reading."),
    click.option("--second", "second_name", default="investigator", show_default=True, help="Name of the second."),
    click.option("--tolerance-days", type=int, default=0, show_default=True, help="Dates no further apart are one."),
    CONFIDENCE,
)  # fmt: skip
@CUT
@TABLE
def concordance(data: Path, compared: _Compared, data_cut: str, output: Output) -> None:
    """Agreement of two readings on best response and date of progression."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.tabulation.concordance import concordance_table, readings_of_table

    text = read_text(data)
    readings = readings_of_table(text, data.name, first_name=compared.first_name, second_name=compared.second_name)
    made = concordance_table(
        readings,
        confidence=compared.confidence,
        tolerance_days=compared.tolerance_days,
        imprint=imprint(data, data_cut),
    )
    output.give_table(made)
