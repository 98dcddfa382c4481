"""`trialimg analyse power|adjust`: figures only, no table."""

from __future__ import annotations

from typing import Any

import click

from trialimg.cli.analyse_output import give_document, names, numbers
from trialimg.cli.output import json_option

__all__ = ["adjust", "power"]


@click.command("power")
@click.option(
    "--design",
    type=click.Choice(["one-arm", "two-arm", "logrank", "simon"]),
    required=True,
    help="What is compared.",
)
@click.option("--p0", type=float, help="Null rate of one arm.")
@click.option("--p1", type=float, help="Rate of the arm, or of the first arm.")
@click.option("--p2", type=float, help="Rate of the second arm.")
@click.option("--hr", type=float, help="Hazard ratio.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Level of the whole test.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Asked for, where a size is the answer.")
@click.option("--n", type=int, help="Subjects of one arm, where the power is the answer.")
@click.option("--n1", type=int, help="Subjects of the first arm, likewise.")
@click.option("--n2", type=int, help="Subjects of the second arm.")
@click.option("--events", type=int, help="Events, likewise.")
@click.option("--ratio", type=float, default=1.0, show_default=True, help="First arm's subjects per second arm's.")
@click.option("--sided", type=click.IntRange(1, 2), default=2, show_default=True, help="Of the log-rank test.")
@click.option("--method", default="schoenfeld", show_default=True, help="Events: schoenfeld or freedman.")
@json_option
def power(design: str, as_json: bool, **figures: Any) -> None:
    """The size of a trial that reaches a power, or the power of a size; exact for response rates."""
    from trialimg.services.analyse_design import power_document

    give_document(power_document(design, figures), "power", as_json=as_json)


@click.command("adjust")
@click.option("--p", "p_values", required=True, metavar="P1,P2", help="The p-values.")
@click.option("--names", "called", default="", metavar="A,B", help="Of the hypotheses.")
@click.option("--weights", default="", metavar="W1,W2", help="Graphical test: shares of the level to begin with.")
@click.option(
    "--pass", "rows", multiple=True, metavar="G1,G2", help="Graphical test: one row per hypothesis, in order."
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Graphical test: level of the family.")
@json_option
def adjust(p_values: str, called: str, weights: str, rows: tuple[str, ...], alpha: float, as_json: bool) -> None:
    """P-values adjusted for multiplicity; with --weights and --pass, a graphical test."""
    from trialimg.services.analyse_design import adjusted_document, graph_document

    values = numbers(p_values)
    hypotheses = names(called) or [f"H{place + 1}" for place in range(len(values))]
    if len(hypotheses) != len(values):
        raise click.UsageError(f"{len(values)} p-values, but {len(hypotheses)} names")
    if weights or rows:
        transitions = [numbers(row) for row in rows]
        document = graph_document(values, hypotheses, weights=numbers(weights), transitions=transitions, alpha=alpha)
    else:
        document = adjusted_document(values, hypotheses)
    give_document(document, "adjust", as_json=as_json)
