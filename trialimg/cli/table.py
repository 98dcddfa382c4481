"""`trialimg table`: one summary table as HTML, RTF or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import CONFIDENCE, OPTIONAL_DATA
from trialimg.cli.figure_output import CUT, SOURCE, TABLE, Output, imprint
from trialimg.cli.gathered import gathered
from trialimg.cli.reviewed import EITHER, REVIEWED, Reviewed

if TYPE_CHECKING:
    from trialimg.services.figures.courses import Imprint
    from trialimg.services.tabulation.concordance import Readings

__all__ = ["table"]


@click.group("table")
def table() -> None:
    """One summary table of a run, of analysis datasets or of a table, as HTML, RTF or PDF."""


_SUMMARIES = {
    "orr": "Best response, objective response and disease control by arm, and the difference of two arms.",
    "disposition": "How far the subjects came, and what became of them.",
    "pfs": "Progression-free survival by arm, and the comparison of two arms.",
    "dor": "Duration of response of the responders, by arm.",
}


def _summary(name: str, says: str) -> click.Command:
    """The verb that gives one summary of a trial's courses."""

    @click.command(name, help=says)
    @SOURCE
    @TABLE
    def verb(source: Path, output: Output) -> None:
        from trialimg.bootstrap.figures import read_courses
        from trialimg.services.tabulation.summaries import SUMMARIES

        output.give_table(SUMMARIES[name](read_courses(source)))

    return verb


for _name, _says in _SUMMARIES.items():
    table.add_command(_summary(_name, _says))


@dataclass(frozen=True)
class _Compared:
    """Two readings, and how far apart their dates may lie."""

    first_name: str
    second_name: str
    tolerance_days: int
    confidence: float


@table.command("concordance")
@OPTIONAL_DATA
@gathered(
    "compared", _Compared,
    click.option("--first", "first_name", default="central", show_default=True, help="Of a table: the first reading."),
    click.option("--second", "second_name", default="investigator", show_default=True, help="Of a table: the second."),
    click.option("--tolerance-days", type=int, default=0, show_default=True, help="Dates no further apart are one."),
    CONFIDENCE,
)  # fmt: skip
@REVIEWED
@CUT
@TABLE
def concordance(data: Path | None, compared: _Compared, reviewed: Reviewed, data_cut: str, output: Output) -> None:
    """Agreement of two readings on best response and date of progression: of a table, or of a review's two reads."""
    from trialimg.services.tabulation.concordance import concordance_table

    readings, imprinted = _readings(data, compared, reviewed, data_cut)
    made = concordance_table(
        readings,
        confidence=compared.confidence,
        tolerance_days=compared.tolerance_days,
        imprint=imprinted,
    )
    output.give_table(made)


def _readings(data: Path | None, compared: _Compared, reviewed: Reviewed, data_cut: str) -> tuple[Readings, Imprint]:
    from trialimg.cli.respond_output import read_text
    from trialimg.services.tabulation.concordance import readings_of_table

    if (record := reviewed.record()) is not None and data is None:
        return record.readings, reviewed.imprint(data_cut)
    if data is None or record is not None:
        raise click.UsageError(EITHER)
    names = {"first_name": compared.first_name, "second_name": compared.second_name}
    return readings_of_table(read_text(data), data.name, **names), imprint(data, data_cut)
