"""What the verbs `trialimg figure` and `trialimg table` share: their options, and what they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trialimg.services.figures.courses import Imprint, Thresholds
    from trialimg.services.figures.figure import Figure
    from trialimg.services.tabulation.table import SummaryTable

__all__ = [
    "CUT",
    "FIGURE",
    "SOURCE",
    "TABLE",
    "THRESHOLDS",
    "Output",
    "imprint",
    "lines",
]

_FILE = click.Path(path_type=Path)
SOURCE = click.argument("source", type=_FILE, metavar="RUN_DIR|ADAM_DIR|DATA.csv")
CUT = click.option("--data-cut", default="", metavar="DATE", help="Data cut, for the footnote.")
THRESHOLDS = click.option(
    "--thresholds",
    default="",
    metavar="FALL,RISE",
    help="Lines at which response and progression begin, in percent; of a table or datasets: -30,20.",
)


def lines(given: str) -> Thresholds | None:
    """The thresholds that were given; None where none were."""
    from trialimg.cli.analyse_output import numbers
    from trialimg.services.figures.courses import Thresholds

    if not given:
        return None
    values = numbers(given)
    if len(values) != 2 or not values[0] < 0 < values[1]:
        raise click.UsageError(f"--thresholds {given!r} is not a fall and a rise in percent, such as -30,20")
    return Thresholds(values[0], values[1])


def imprint(data: Path, data_cut: str) -> Imprint:
    """What stands below a figure that is made of a table."""
    from trialimg import __version__
    from trialimg.services.figures.courses import Imprint

    return Imprint(data_cut, f"trialimg {__version__}", data.name)


@dataclass(frozen=True)
class Output:
    """Where a figure or table is written, under which title, and how that is told."""

    out: Path
    title: str
    as_json: bool

    def give_figure(self, figure: Figure) -> None:
        """Write a figure, and say where it is or, as JSON, all that it consists of."""
        from trialimg.bootstrap.figures import write_figure

        shown = replace(figure, title=self.title) if self.title else figure
        path = write_figure(shown, self.out)
        if shown.message:
            click.echo(f"warning: {shown.message}", err=True)
        self._say(path, _document(shown))

    def give_table(self, table: SummaryTable) -> None:
        """Write a table, and say where it is or, as JSON, all that it consists of."""
        from trialimg.bootstrap.figures import write_table

        shown = replace(table, title=self.title) if self.title else table
        self._say(write_table(shown, self.out), _document(shown))

    def _say(self, path: Path, document: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json({"file": str(path), **document})
        else:
            click.echo(str(path))


_TITLE = click.option("--title", default="", help="Title in place of the one that it has by itself.")
FIGURE = gathered(
    "output", Output,
    click.option("--out", type=_FILE, required=True, metavar="FILE.svg|.pdf|.png", help="File to write."),
    _TITLE, json_option,
)  # fmt: skip
TABLE = gathered(
    "output", Output,
    click.option("--out", type=_FILE, required=True, metavar="FILE.html|.rtf|.pdf", help="File to write."),
    _TITLE, json_option,
)  # fmt: skip


def _document(specification: Figure | SummaryTable) -> dict[str, Any]:
    """The numbers first, then everything that is drawn or printed."""
    from trialimg.core.digest import plain

    whole: dict[str, Any] = plain(specification)
    return {"numbers": whole.pop("numbers"), "specification": whole}
