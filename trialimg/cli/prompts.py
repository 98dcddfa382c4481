"""A reader's prompt as options of the command line."""

from __future__ import annotations

import math

import click

from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointLps, PointPrompt, Prompt

__all__ = ["POINT", "TWO_POINTS", "prompt_of"]


class _Points(click.ParamType[tuple[PointLps, ...]]):
    """Some points as numbers with commas between them."""

    def __init__(self, count: int, metavar: str) -> None:
        self.count = count
        self.name = metavar

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[PointLps, ...]:
        """The points.

        Raises
        ------
        click.UsageError
            If it is not the right number of finite numbers.
        """
        try:
            numbers = [float(part) for part in str(value).split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != 3 * self.count or not all(math.isfinite(number) for number in numbers):
            self.fail(f"{value!r} is not {self.name} (numbers in mm, LPS, with commas between them)", param, ctx)
        return tuple((numbers[i], numbers[i + 1], numbers[i + 2]) for i in range(0, len(numbers), 3))


POINT = _Points(1, "X,Y,Z")
TWO_POINTS = _Points(2, "X1,Y1,Z1,X2,Y2,Z2")


def prompt_of(
    line: tuple[PointLps, ...] | None,
    point: tuple[PointLps, ...] | None,
    box: tuple[PointLps, ...] | None,
    *,
    short_axis: tuple[PointLps, ...] | None = None,
) -> Prompt:
    """The one prompt that was given; a short axis goes with a line.

    Raises
    ------
    click.UsageError
        If none or several were given, a short axis has no line, or its points coincide.
    """
    given = [name for name, points in (("--line", line), ("--point", point), ("--box", box)) if points is not None]
    if len(given) != 1:
        raise click.UsageError(f"give exactly one of --line, --point and --box, not {' and '.join(given) or 'none'}")
    if short_axis is not None and line is None:
        raise click.UsageError("--short-axis goes with --line, the long axis that it lies across")
    try:
        if line is not None:
            long_axis = LinePrompt(*line)
            return long_axis if short_axis is None else BidirectionalPrompt(long_axis, LinePrompt(*short_axis))
        return BoxPrompt(*box) if box is not None else PointPrompt(*(point or ()))
    except ValueError as refusal:
        where = given[0] if short_axis is None else f"{given[0]} with --short-axis"
        raise click.UsageError(f"{where}: {refusal}") from refusal
