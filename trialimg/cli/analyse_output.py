"""What the verbs of `trialimg analyse` share: their options, and how a document is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import print_json

if TYPE_CHECKING:
    from trialimg.services.analyse_table import Kind, Selection

__all__ = [
    "BY",
    "CONFIDENCE",
    "DATA",
    "EVENT",
    "FACTOR",
    "MISSING",
    "OPTIONAL_DATA",
    "STRATA",
    "TIME",
    "analysed",
    "factors_of",
    "give_document",
    "levels",
    "names",
    "numbers",
]

_FILE = click.Path(path_type=Path)
DATA = click.argument("data", type=_FILE)
OPTIONAL_DATA = click.argument("data", type=_FILE, required=False)
TIME = click.option("--time", required=True, metavar="COLUMN", help="Time to the event or to censoring.")
EVENT = click.option("--event", required=True, metavar="COLUMN", help="1: event, 0: none (censored).")
BY = click.option("--by", metavar="COLUMN", help="Groups to compare.")
STRATA = click.option("--strata", default="", metavar="A,B", help="Columns whose values together make a stratum.")
CONFIDENCE = click.option(
    "--conf", "confidence", type=float, default=0.95, show_default=True, help="Coverage of intervals."
)
MISSING = click.option(
    "--missing",
    type=click.Choice(["refuse", "drop"]),
    default="refuse",
    show_default=True,
    help="Rows in which a needed cell is missing.",
)
FACTOR = click.option(
    "--factor",
    multiple=True,
    metavar="COLUMN[=REFERENCE]",
    help="Take a covariate as categories, compared with this one (default: the first); repeatable.",
)
DIGITS = 6
WIDEST_TABLE = 200
SAID_ONCE = ("data_digest", "method", "confidence")
"""What rows of a list share with their heading."""
SHOWN_DIGEST = len("sha256:") + 12


def names(listed: str) -> list[str]:
    """Column names separated by commas."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def numbers(listed: str) -> list[float]:
    """Numbers separated by commas."""
    try:
        return [float(item) for item in names(listed)]
    except ValueError:
        raise click.UsageError(f"{listed!r} is not a list of numbers separated by commas") from None


def factors_of(given: tuple[str, ...]) -> dict[str, str | None]:
    """Each categorical covariate with its reference, None where the first is meant."""
    pairs = (item.partition("=") for item in given)
    return {name.strip(): reference.strip() or None for name, _, reference in pairs}


def analysed(data: Path, wanted: Mapping[str, Kind], missing: str) -> Selection:
    """The wanted columns of a file."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.analyse_table import Wanted, read_analysis_table, select

    table = read_analysis_table(read_text(data), str(data))
    return select(table, [Wanted(name, kind) for name, kind in wanted.items()], drop_missing=missing == "drop")


def levels(data: Selection, column: str) -> list[str]:
    """The groups in a column, in order of name; numbers in order of size."""
    from trialimg.stats.design import in_order

    return sorted({str(cell) for cell in data.columns[column]}, key=in_order)


def give_document(document: Mapping[str, Any], title: str, *, as_json: bool) -> None:
    """Print an answer as one JSON document, or as tables with its warnings on stderr."""
    if as_json:
        print_json(document)
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.width = max(console.width, WIDEST_TABLE)  # a number cut short would be a wrong number
    _print_block(console, title, document)
    for warning in dict.fromkeys(_warnings(document)):
        click.echo(f"warning: {warning}", err=True)


def _print_block(console: Any, title: str, document: Mapping[str, Any]) -> None:
    """Single answers first, then what holds several."""
    from rich.table import Table

    single = {key: value for key, value in document.items() if not isinstance(value, Mapping | list | tuple)}
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for key, value in single.items():
        table.add_row(key, _text(value)[:SHOWN_DIGEST] if key == "data_digest" else _text(value))
    if single:
        console.print(table)
    for key, value in document.items():
        if key == "warnings":
            continue
        if isinstance(value, Mapping) and value and all(isinstance(item, list | tuple) for item in value.values()):
            console.print(_rows(key, list(value), list(zip(*value.values(), strict=True))))
        elif isinstance(value, Mapping):
            _print_block(console, key, value)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            _print_list(console, key, value)


def _print_list(console: Any, key: str, items: Sequence[Mapping[str, Any]]) -> None:
    """One row each where the items are flat, otherwise one block each."""
    if any(isinstance(value, Mapping) for item in items for value in item.values()):
        for item in items:
            _print_block(console, str(next(iter(item.values()))), item)
        return
    columns = [name for name in items[0] if not isinstance(items[0][name], list | tuple) and name not in SAID_ONCE]
    console.print(_rows(key, columns, [[item.get(name) for name in columns] for item in items]))


def _rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        words = any(isinstance(row[place], str) for row in rows)
        table.add_column(column, justify="left" if words else "right")
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def _warnings(document: Mapping[str, Any]) -> list[str]:
    found = list(document.get("warnings", ()))
    for value in document.values():
        if isinstance(value, Mapping):
            found += _warnings(value)
        elif isinstance(value, list | tuple):
            found += [said for item in value if isinstance(item, Mapping) for said in _warnings(item)]
    return found
