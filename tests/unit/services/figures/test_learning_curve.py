"""The loss of a training as a figure."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.exporters.learning import write_curve
from trialimg.services.figures.figure import Line
from trialimg.services.figures.learning_curve import learning_curve


def test_the_curve_runs_through_every_mark_and_its_axes_hold_it() -> None:
    figure = learning_curve([(100, 0.83), (200, 0.5), (300, 0.41)])
    (panel,) = figure.panels
    (line,) = panel.marks
    assert isinstance(line, Line)
    assert line.points == ((100.0, 0.83), (200.0, 0.5), (300.0, 0.41))
    assert panel.x.high == 300
    assert panel.y.low == 0 < 0.83 <= panel.y.high


def test_without_a_mark_the_figure_says_so() -> None:
    assert learning_curve([]).message == "Nothing was learnt yet."


def test_a_part_learnt_again_after_a_kill_counts_once(tmp_path: Path) -> None:
    table = tmp_path / "curve.csv"
    table.write_text("100,0.8\n200,0.6\n100,0.8\n200,0.6\n300,0.5\n")
    once = tmp_path / "once.csv"
    once.write_text("100,0.8\n200,0.6\n300,0.5\n")
    pictures = [write_curve(path, tmp_path / f"{path.stem}.svg").read_bytes() for path in (table, once)]
    assert pictures[0] == pictures[1]
