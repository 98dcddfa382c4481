"""`trialimg figure`: one figure as SVG, PDF or PNG."""

from __future__ import annotations

from pathlib import Path

import click

from trialimg.cli.figure_analysis import adjudication_flow, bland_altman, forest, kaplan_meier, volcano
from trialimg.cli.figure_output import FIGURE_OUT, SOURCE, THRESHOLDS, TITLE, give_figure, lines
from trialimg.cli.output import json_option

__all__ = ["figure"]


@click.group("figure")
def figure() -> None:
    """One figure of a run, of analysis datasets or of a table, as SVG, PDF or PNG."""


@figure.command("waterfall")
@SOURCE
@FIGURE_OUT
@TITLE
@THRESHOLDS
@json_option
def waterfall(source: Path, out: Path, title: str, thresholds: str, as_json: bool) -> None:
    """Best change of every subject, ordered, with the criterion's lines."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.waterfall import waterfall as made

    give_figure(made(read_courses(source, thresholds=lines(thresholds))), out, title=title, as_json=as_json)


@figure.command("spider")
@SOURCE
@FIGURE_OUT
@TITLE
@THRESHOLDS
@json_option
def spider(source: Path, out: Path, title: str, thresholds: str, as_json: bool) -> None:
    """Change of every subject over time, a panel per arm."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.spider import spider as made

    give_figure(made(read_courses(source, thresholds=lines(thresholds))), out, title=title, as_json=as_json)


@figure.command("swimmer")
@SOURCE
@FIGURE_OUT
@TITLE
@json_option
def swimmer(source: Path, out: Path, title: str, as_json: bool) -> None:
    """Time in the trial with responses, progression, death and new therapy."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.swimmer import swimmer as made

    give_figure(made(read_courses(source)), out, title=title, as_json=as_json)


for verb in (kaplan_meier, forest, bland_altman, adjudication_flow, volcano):
    figure.add_command(verb)
