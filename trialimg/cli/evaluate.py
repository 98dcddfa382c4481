"""`trialimg evaluate`: how near answers come to known truth."""

from __future__ import annotations

import click

from trialimg.cli.evaluate_segment import segment
from trialimg.cli.evaluate_track import track

__all__ = ["evaluate"]


@click.group("evaluate")
def evaluate() -> None:
    """How near masks and links come to known truth, beside simple baselines."""


evaluate.add_command(segment)
evaluate.add_command(track)
