"""`trialimg figure`: one figure as SVG, PDF or PNG."""

from __future__ import annotations

from pathlib import Path

import click

from trialimg.cli.figure_analysis import adjudication_flow, bland_altman, forest, kaplan_meier, volcano
from trialimg.cli.figure_output import FIGURE, SOURCE, THRESHOLDS, Output, lines

__all__ = ["figure"]


@click.group("figure")
def figure() -> None:
    """One figure of a run, of analysis datasets or of a table, as SVG, PDF or PNG."""


@figure.command("waterfall")
@SOURCE
@THRESHOLDS
@FIGURE
def waterfall(source: Path, thresholds: str, output: Output) -> None:
    """Best change of every subject, ordered, with the criterion's lines."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.waterfall import waterfall as made

    output.give_figure(made(read_courses(source, thresholds=lines(thresholds))))


@figure.command("spider")
@SOURCE
@THRESHOLDS
@FIGURE
def spider(source: Path, thresholds: str, output: Output) -> None:
    """Change of every subject over time, a panel per arm."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.spider import spider as made

    output.give_figure(made(read_courses(source, thresholds=lines(thresholds))))


@figure.command("swimmer")
@SOURCE
@FIGURE
def swimmer(source: Path, output: Output) -> None:
    """Time in the trial with responses, progression, death and new therapy."""
    from trialimg.bootstrap.figures import read_courses
    from trialimg.services.figures.swimmer import swimmer as made

    output.give_figure(made(read_courses(source)))


for verb in (kaplan_meier, forest, bland_altman, adjudication_flow, volcano):
    figure.add_command(verb)
