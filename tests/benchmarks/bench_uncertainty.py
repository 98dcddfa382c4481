"""What the uncertainty of the prompt network is worth, on subjects it never saw, fold by fold.

`python tests/benchmarks/bench_uncertainty.py [RUNS [fold ...]]`, where RUNS (runs/training) holds the folds that
`trialimg train --fold N` wrote. One row a lesion and prompt goes into RUNS/uncertainty.csv. Printed for each kind of
prompt: how many answers are flagged, the mean Dice of flagged and other answers, how often a bad answer (Dice below
0.7) is more uncertain than a good one (area under the curve of the agreement), how often the spread holds the truth.

What the card of the weights says of earlier answers goes into RUNS/experience.json: between which ratios of true to
said value nine tenths of the answers lay. How often such ratios of four folds hold the truth of the fifth is printed.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

from trialimg.bootstrap import lesion_set, open_case, segmenter
from trialimg.imaging.measure import measure
from trialimg.imaging.overlap import dice
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand, reader_prompt
from trialimg.services.propagation import on_grid
from trialimg.services.uncertainty import Spread, uncertainty_of

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
COLUMNS = (
    "fold", "subject", "modality", "prompt", "dice", "flagged", "agreement", "entropy", "long_axis", "volume",
    "long_axis_ratio", "volume_ratio",
)  # fmt: skip
BAD = 0.7
SHARE = 0.9


def holds(spread: Spread | None, truth: float) -> str:
    """Whether a spread holds the true value; empty where there is none."""
    return "" if spread is None else str(int(spread.lower <= truth <= spread.upper))


def ratio(spread: Spread | None, truth: float) -> str:
    """The true value over the said one; empty where none was said."""
    return "" if spread is None else f"{truth / spread.value:.4f}"


def rows_of(fold: int, runs: Path) -> Iterator[tuple[object, ...]]:
    """What the network says of every lesion that a fold left out."""
    network = segmenter(str(runs / f"fold-{fold}"), device="cpu")
    left_out = set(network.shipped.card["left_out"])  # type: ignore[attr-defined]
    for case in lesion_set(REFERENCE / "sarcoma"):
        if case.subject not in left_out:
            continue
        image, truth = open_case(case)
        true = measure(truth, 1)
        for kind in PromptKind:
            prompt = reader_prompt(truth, kind, ReaderHand(), lesion=case.id)
            said = uncertainty_of(network, image, prompt)  # type: ignore[arg-type]
            overlap = dice(on_grid(said.mask, image.geometry), truth) or 0.0
            yield (
                fold, case.subject, case.modality, kind.value, f"{overlap:.4f}", int(said.flag.needs_person),
                f"{said.agreement:.4f}", "" if said.mean_entropy is None else f"{said.mean_entropy:.4f}",
                holds(said.long_axis_mm, true.long_axis_mm), holds(said.volume_ml, true.volume_ml),
                ratio(said.long_axis_mm, true.long_axis_mm), ratio(said.volume_ml, true.volume_ml),
            )  # fmt: skip


def bounds(ratios: Sequence[float]) -> tuple[float, float]:
    """The order statistics between which a further ratio lies with that share, or the outermost ones."""
    ordered, n = sorted(ratios), len(ratios)
    cut = max(int((n + 1) * (1 - SHARE) / 2), 1)
    return ordered[cut - 1], ordered[n - cut]


def experience(rows: Sequence[Sequence[str]]) -> dict[str, object]:
    """What is known from some answers to one kind of prompt."""
    ratios = {name: [float(row[at]) for row in rows if row[at]] for name, at in (("long_axis", 10), ("volume", 11))}
    return {
        "answers": len(rows), "subjects": len({row[1] for row in rows}),
        "bad": sum(float(row[4]) < BAD for row in rows), "share": SHARE,
        **{name: [round(r, 3) for r in bounds(values)] for name, values in ratios.items()},
    }  # fmt: skip


def held(rows: Sequence[Sequence[str]], at: int) -> str:
    """How often the ratios of the other folds hold the truth of a fold."""
    inside = []
    for fold in sorted({row[0] for row in rows}):
        others = [float(row[at]) for row in rows if row[at] and row[0] != fold]
        low, high = bounds(others)
        inside += [low <= float(row[at]) <= high for row in rows if row[at] and row[0] == fold]
    return f"{np.mean(inside):.0%} of {len(inside)}"


def share(values: Sequence[str]) -> str:
    """Of ones among what is known."""
    known = [int(value) for value in values if value]
    return f"{np.mean(known):.0%} of {len(known)}" if known else "none"


def main() -> None:
    """Judge some folds, or all, and print the table of every fold judged so far."""
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "training"
    if not REFERENCE.is_dir() or not (runs / "fold-0" / "card.json").is_file():
        print(f"no reference data at {REFERENCE}, or no trained folds at {runs}")
        return
    path = runs / "uncertainty.csv"
    kept = list(csv.reader(path.open(encoding="utf-8")))[1:] if path.is_file() else []
    for fold in [int(word) for word in sys.argv[2:]] or range(5):
        kept = [row for row in kept if int(row[0]) != fold]
        kept += [[str(value) for value in row] for row in rows_of(fold, runs)]
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *kept])
    for kind in PromptKind:
        rows = [row for row in kept if row[3] == kind.value]
        scores, flagged = np.array([float(row[4]) for row in rows]), np.array([row[5] == "1" for row in rows])
        agreement = np.array([float(row[6]) for row in rows])
        bad = scores < BAD
        known = bad.any() and not bad.all()
        area = mannwhitneyu(agreement[~bad], agreement[bad]).statistic / (bad.sum() * (~bad).sum()) if known else np.nan
        means = [f"{scores[chosen].mean():.3f}" if chosen.any() else "none" for chosen in (flagged, ~flagged)]
        print(
            f"{kind.value:9} n={len(rows):2}  flagged {flagged.mean():.0%}  "
            f"Dice of flagged {means[0]}, of others {means[1]}  "
            f"bad {bad.sum()}, of them flagged {flagged[bad].sum()}, area {area:.2f}  "
            f"holds the true long axis {share([row[8] for row in rows])}, volume {share([row[9] for row in rows])}"
        )
        if len({row[0] for row in rows}) > 1:
            print(f"{'':9} ratios of other folds hold the true long axis {held(rows, 10)}, volume {held(rows, 11)}")
    known = {kind.value: experience([row for row in kept if row[3] == kind.value]) for kind in PromptKind}
    (runs / "experience.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
