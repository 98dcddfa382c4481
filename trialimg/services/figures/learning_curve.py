"""How a network's loss fell while it learnt."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.services.figures.figure import Axis, Figure, Line, Panel
from trialimg.services.figures.scales import nice_step, steps, ticks
from trialimg.services.figures.tones import series_tone

__all__ = ["learning_curve"]

NAME = "learning_curve"
WIDTH_PX, HEIGHT_PX = 560.0, 240.0
_PARTS = 6


def learning_curve(losses: Sequence[tuple[int, float]]) -> Figure:
    """The mean loss over the iterations up to each mark.

    Parameters
    ----------
    losses
        Iteration and mean loss since the one before, in their order.
    """
    title = "Loss while learning"
    if not losses:
        why = "Nothing was learnt yet."
        return Figure(NAME, title, (), why, 0, message=why)
    last, highest = losses[-1][0], max(loss for _, loss in losses)
    across, up = nice_step(last, _PARTS), nice_step(highest, _PARTS)
    top = up * -(-highest // up)
    panel = Panel(
        Axis("iteration", 0.0, float(last), ticks(steps(0.0, last, across))),
        Axis("Dice loss + cross-entropy", 0.0, top, ticks(steps(0.0, top, up)), has_grid=True),
        (Line(tuple((float(at), loss) for at, loss in losses), series_tone(0)),),
    )
    return Figure(NAME, title, (panel,), f"{title}: {last} iterations", last, width_px=WIDTH_PX, height_px=HEIGHT_PX)
