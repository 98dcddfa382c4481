"""An evaluation as files: every lesion's scores as CSV, the summary as JSON, Dice as a figure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from pathlib import Path

from trialimg.adapters.exporters.figures.static import figure_svg
from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.digest import plain
from trialimg.services.evaluate_segmentation import Comparison, LesionScore
from trialimg.services.evaluation_summary import Summary
from trialimg.services.figures.dice_by_lesion import dice_by_lesion

__all__ = ["write_evaluation_files"]


def write_evaluation_files(comparison: Comparison, summary: Summary, out: Path) -> tuple[Path, ...]:
    """``lesions.csv``, ``summary.json`` and ``dice.svg`` in an existing folder."""
    document = {
        "settings": comparison.settings,
        "models": comparison.models,
        "left_out": comparison.left_out,
        "groups": summary.groups,
        "differences": summary.differences,
    }
    text = json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return (
        write_whole(out / "lesions.csv", _table(comparison.scores).encode()),
        write_whole(out / "summary.json", text.encode()),
        write_whole(out / "dice.svg", figure_svg(dice_by_lesion(comparison), has_words=True).encode()),
    )


def _table(scores: tuple[LesionScore, ...]) -> str:
    """One line a lesion and segmenter; a score that does not exist is a blank, and the last column says why."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [field.name for field in fields(LesionScore)]
    writer.writerow(columns)
    for score in scores:
        writer.writerow([_cell(getattr(score, name)) for name in columns])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {reason}" for name, reason in value.items())
    return str(value)
