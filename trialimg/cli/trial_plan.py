"""`trialimg trial plan`: how much reading a trial will need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.review_options import columns

if TYPE_CHECKING:
    from trialimg.review.simulation import MonthPlan, Range

__all__ = ["plan"]


@click.command("plan")
@click.argument("protocol", type=click.Path(path_type=Path))
@click.option("--cases", "cases", required=True, help="Cases ready to read each month, e.g. 5,10,15x6 (x: repeated).")
@click.option("--baseline-min", type=float, required=True, help="Minutes of a reader for a baseline timepoint.")
@click.option("--followup-min", type=float, required=True, help="Minutes for each later timepoint.")
@click.option("--adjudication-min", type=float, required=True, help="Minutes for an adjudication.")
@click.option("--fewest", type=click.IntRange(1), default=2, show_default=True, help="Fewest timepoints of a case.")
@click.option("--most", type=click.IntRange(1), help="Most timepoints of a case; default: all of the schedule.")
@click.option("--adjudication-rate", type=float, help="Expected share of cases that differ; default: published 0.42.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same answer.")
@click.option("--replicates", type=click.IntRange(20), default=1000, show_default=True, help="Simulated trials.")
@json_option
def plan(
    protocol: Path, cases: str, baseline_min: float, followup_min: float, adjudication_min: float, fewest: int,
    most: int | None, adjudication_rate: float | None, seed: int, replicates: int, as_json: bool,
) -> None:  # fmt: skip
    """Simulate the reads of a trial by its PROTOCOL: reads, adjudications and hours each month, with their spread.

    The minutes are yours to time in a pilot. Limits hold nine of ten simulated trials.
    """
    from trialimg.core.errors import InvalidValueError
    from trialimg.protocol.load import load_protocol
    from trialimg.review.simulation import PUBLISHED_ADJUDICATION_RATE, Effort, TrialPlan, plan_workload

    valid = load_protocol(protocol)
    rate = PUBLISHED_ADJUDICATION_RATE if adjudication_rate is None else adjudication_rate
    timepoints = (fewest, most or 1 + len(valid.schedule.visits))
    try:
        effort = Effort(baseline_min, followup_min, adjudication_min)
        asked = TrialPlan(_months(cases), timepoints, valid.reading, effort, rate)
    except InvalidValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    months = plan_workload(asked, seed=seed, replicates=replicates)
    if as_json:
        print_json({"trial": valid.trial.id, "adjudication_rate": rate, "seed": seed, "months": months})
    else:
        _print_plan(valid.trial.id, months)


def _months(text: str) -> tuple[float, ...]:
    months: list[float] = []
    for part in text.split(","):
        value, _, times = part.strip().partition("x")
        try:
            months += [float(value)] * (int(times) if times else 1)
        except ValueError:
            raise click.UsageError(f"--cases: {part.strip()!r} is neither a number nor number x months") from None
    return tuple(months)


def _print_plan(trial: str, months: tuple[MonthPlan, ...]) -> None:
    names = ("cases", "reads", "adjudications", "reader_hours", "adjudicator_hours")
    rows = [
        {"month": "all" if one.month == 0 else one.month, **{name: _range(getattr(one, name)) for name in names}}
        for one in months
    ]
    click.echo(f"{trial}: median, and between which limits nine of ten simulated trials lie")
    click.echo(columns(rows, ("month", *names), ""))


def _range(value: Range) -> str:
    return f"{value.median:.0f} ({value.lower:.0f}-{value.upper:.0f})"
