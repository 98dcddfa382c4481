"""The curve of a training as a picture."""

from __future__ import annotations

import csv
from pathlib import Path

from trialimg.adapters.exporters.figures.static import figure_svg
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.figures.learning_curve import learning_curve

__all__ = ["write_curve"]


def write_curve(table: Path, out: Path) -> Path:
    """The picture of a table of iterations and losses; a part that was learnt twice after a kill counts once."""
    with table.open(newline="", encoding="utf-8") as file:
        losses = {int(at): float(loss) for at, loss in csv.reader(file)}
    return write_whole(out, figure_svg(learning_curve(sorted(losses.items())), has_words=True).encode())
