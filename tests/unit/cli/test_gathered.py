"""Options of a verb that belong together reach it as one value."""

from __future__ import annotations

from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner

from trialimg.cli.gathered import gathered


@dataclass(frozen=True)
class Place:
    site: str
    floor: int


@click.command()
@click.argument("who")
@gathered(
    "place", Place,
    click.option("--site", default="01"),
    click.option("--floor", type=int, required=True),
)  # fmt: skip
@click.option("--loud", is_flag=True)
def visit(who: str, place: Place, loud: bool) -> None:
    """Visit."""
    click.echo(f"{who} {place} {loud}")


def test_a_verb_gets_one_value_of_the_options_and_the_others_as_before():
    answer = CliRunner().invoke(visit, ["ana", "--floor", "2", "--loud"])
    assert answer.output == "ana Place(site='01', floor=2) True\n"


def test_help_lists_the_options_in_the_order_of_the_text():
    told = CliRunner().invoke(visit, ["--help"]).output
    assert told.index("--site") < told.index("--floor") < told.index("--loud")


@pytest.mark.parametrize("arguments", [["ana"], ["ana", "--floor", "two"]])
def test_what_click_refuses_is_refused(arguments):
    assert CliRunner().invoke(visit, arguments).exit_code == 2
