"""Dice of the prompt network on subjects it never saw, fold by fold, beside the ellipsoid and the classical segmenter.

`python tests/benchmarks/bench_prompt_network.py [RUNS [fold ...]]`, where RUNS (runs/training) holds fold-0 ... fold-4
as `trialimg train --fold N --out RUNS` wrote them. One row a lesion and prompt goes into RUNS/folds.csv, the table
to the screen. Prompts are those of an unsteady hand, `imaging.reader_prompts`, the same for every segmenter.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trialimg.bootstrap import lesion_set, open_case, segmenter
from trialimg.imaging.measure import measure
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand, reader_prompt
from trialimg.services.ports import Segmenter
from trialimg.volume import Mask

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
COLUMNS = ("fold", "subject", "modality", "prompt", "segmenter", "dice", "long_axis_error_pct", "seconds")


def dice(found: Mask, truth: Mask) -> float:
    """Overlap of two regions."""
    a, b = found.array > 0, truth.array == 1
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


def rows_of(fold: int, runs: Path) -> Iterator[tuple[object, ...]]:
    """Every segmenter's answer for every lesion that a fold left out."""
    network = segmenter(str(runs / f"fold-{fold}"), device="cpu")
    left_out = set(network.shipped.card["left_out"])  # type: ignore[attr-defined]
    methods: list[Segmenter] = [segmenter("ellipsoid"), segmenter("classical"), network]
    for case in lesion_set(REFERENCE / "sarcoma"):
        if case.subject not in left_out:
            continue
        image, truth = open_case(case)
        length = measure(truth, 1).long_axis_mm
        for kind in PromptKind:
            prompt = reader_prompt(truth, kind, ReaderHand(), lesion=case.id)
            for method in methods:
                began = time.process_time()
                found = method.segment(image, prompt)
                took = time.process_time() - began
                error = 100.0 if found.is_empty else 100 * (measure(found, 1).long_axis_mm / length - 1)
                yield (
                    fold, case.subject, case.modality, kind.value, method.name,
                    f"{dice(found, truth):.4f}", f"{error:.2f}", f"{took:.2f}",
                )  # fmt: skip


def main() -> None:
    """Judge some folds, or all, and print the table of every fold judged so far."""
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "training"
    if not REFERENCE.is_dir() or not (runs / "fold-0" / "card.json").is_file():
        print(f"no reference data at {REFERENCE}, or no trained folds at {runs}")
        return
    path = runs / "folds.csv"
    kept = list(csv.reader(path.open(encoding="utf-8")))[1:] if path.is_file() else []
    for fold in [int(word) for word in sys.argv[2:]] or range(5):
        kept = [row for row in kept if int(row[0]) != fold]
        kept += [[str(value) for value in row] for row in rows_of(fold, runs)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *kept])
    for modality in sorted({row[2] for row in kept}):
        for kind in PromptKind:
            chosen = [row for row in kept if row[2] == modality and row[3] == kind.value]
            words = []
            for name in ("ellipsoid", "classical", "trialimg-prompt"):
                mine = [row for row in chosen if row[4] == name]
                mean, error = np.mean([float(r[5]) for r in mine]), np.median(np.abs([float(r[6]) for r in mine]))
                words.append(f"{name} {mean:.3f} (long axis {error:.1f} %)")
            print(f"{modality:6} {kind.value:10} n={len(chosen) // 3:2}  " + "  ".join(words))


if __name__ == "__main__":
    main()
