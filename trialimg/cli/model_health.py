"""`trialimg model health | close-task`: how the model does in a trial, and the tasks that a red indicator opens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.model_health import ModelHealth
    from trialimg.services.model_indicators import Indicator

__all__ = ["close_task", "health"]


@click.command("health")
@click.argument("trial")
@signed_in(Role.ANALYST)
@json_option
def health(desk: Desk, trial: str, as_json: bool) -> None:
    """Print TRIAL's indicators with their limits, open a task for each red one that has none; exit 1 if one is red.

    Limits, windows and what is known of subjects: model-health.yaml in the installation's folder.
    """
    from trialimg.bootstrap import kept_masks, kept_series
    from trialimg.bootstrap.watching import health_settings
    from trialimg.services.model_evidence import Kept
    from trialimg.services.model_health import watch_model
    from trialimg.services.model_indicators import Light

    home: Path = click.get_current_context().params["home"].expanduser()
    kept = Kept(kept_masks(home), kept_series(home))
    found = watch_model(desk.records, desk.actor, trial, kept=kept, settings=health_settings(home))
    if as_json:
        print_json(found)
    else:
        _print(found)
    sys.exit(1 if found.worst is Light.RED else 0)


@click.command("close-task")
@click.argument("trial")
@click.argument("indicator")
@click.option("--reason", required=True, help="What was found and done.")
@signed_in(Role.ANALYST)
def close_task(desk: Desk, trial: str, indicator: str, reason: str) -> None:
    """End the open task of TRIAL's INDICATOR."""
    from trialimg.services.model_tasks import close_model_task

    kept = close_model_task(desk.records, desk.actor, trial, indicator, reason=reason)
    click.echo(f"{kept.id}: closed")


def _print(found: ModelHealth) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{found.trial}, {found.at[:10]}: {', '.join(found.models) or 'no model in use'}")
    for column in ("", "indicator", "value", "95 %", "n", "amber", "red", "remark"):
        table.add_column(column, justify="right" if column in ("value", "n", "amber", "red") else "left")
    for one in found.indicators:
        table.add_row(*_row(one))
    console = Console(soft_wrap=True, highlight=False)
    console.width = max(console.width, 150)
    console.print(table)
    for task in found.tasks:
        if task.state == "open":
            click.echo(f"open task {task.id} since {task.opened_at[:10]}, for the {task.for_role}")


def _row(one: Indicator) -> tuple[str, ...]:
    figure, limits = one.figure, one.limits or (None, None)
    ends = "" if figure.lower is None or figure.upper is None else f"{figure.lower:.3g} to {figure.upper:.3g}"
    detail = ", ".join(f"{name} {value:.3g}" for name, value in (figure.detail or {}).items())
    remark = "; ".join(word for word in (one.why.replace("_", " "), detail) if word)
    numbers = ("-" if value is None else f"{value:.3g}" for value in (figure.value, *limits))
    value, amber, red = numbers
    return one.light.value, one.name, value, ends, str(figure.n), amber, red, remark
