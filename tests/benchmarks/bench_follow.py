"""Lesions carried into a simulated follow-up and found again: Dice where they are, how often gone is seen as gone.

Real CTs are bent, turned and shifted, their synthetic lesions grow, shrink, split or go
(`imaging.synthetic_followup`). Each lesion of baseline is carried over by the measured alignment and looked for by each
segmenter; `carried` is the earlier region left where the alignment puts it, without a look. A split lesion counts with
all of its parts; merged ones are left out, because their shares of the mass have no truth.
`python tests/benchmarks/bench_follow.py [SEEDS]`
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trialimg.bootstrap import segmenter
from trialimg.core.errors import TrialimgError
from trialimg.imaging.register import register_body, register_locally
from trialimg.imaging.synthetic_followup import FollowUp, FollowUpSettings, simulated_follow_up
from trialimg.services.propagation import around, carried_around, centre_of, find_again, on_grid, radius_of
from trialimg.volume import Mask, Unit, Volume

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
SCANS = ("ct_background/example_ct.nii.gz", "ct_background/aorta_ct_cropped.nii.gz")
SETTINGS = FollowUpSettings(lesions=10)
MARGIN_MM = 30.0

Found = tuple[str, bool, float, float]
"""Segmenter, whether the lesion is still there, Dice (1 for gone and not found), seconds."""


def became(truth: FollowUp) -> Iterator[tuple[int, Mask]]:
    """Label of baseline, and what it became: an empty mask where it is gone."""
    later = defaultdict(set)
    earlier = defaultdict(set)
    for before, after in truth.links:
        later[before].add(after)
        earlier[after].add(before)
    for label in truth.baseline_mask.labels:
        if all(len(earlier[after]) == 1 for after in later[label]):
            yield (
                label,
                Mask(np.isin(truth.follow_mask.array, list(later[label])).astype(np.uint8), truth.follow.geometry),
            )


def dice(found: Mask, truth: Mask) -> float:
    """Overlap of two regions; 1 where both are empty."""
    a, b = on_grid(found, truth.geometry).array > 0, truth.array > 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return float(2 * np.count_nonzero(a & b) / total) if total else 1.0


def rows_of(truth: FollowUp) -> Iterator[Found]:
    """Every segmenter's answer for every lesion."""
    methods = [segmenter("classical"), segmenter("trialimg-prompt", parameters={"following": "network"}, device="cpu")]
    body = register_body(truth.follow, truth.baseline, affine=True)
    for label, there in became(truth):
        region = around(truth.baseline_mask.only(label))
        start = body.inverse_apply(centre_of(region))
        near = register_locally(
            truth.follow, truth.baseline, body, centre_lps_mm=start, radius_mm=radius_of(region) + MARGIN_MM
        )
        yield "carried", not there.is_empty, dice(carried_around(region, near, truth.follow.geometry), there), 0.0
        for method in methods:
            began = time.process_time()
            try:
                found = find_again(method, truth.follow, (truth.baseline, region), near, margin_mm=MARGIN_MM)
            except TrialimgError as fault:
                print(f"  {method.name}: {fault}")
                continue
            yield method.name, not there.is_empty, dice(found, there), time.process_time() - began


def main() -> None:
    """Print one line a segmenter."""
    if not REFERENCE.is_dir():
        print(f"no reference data at {REFERENCE}; set TRIALIMG_REFERENCE")
        return
    seeds = range(200, 200 + (int(sys.argv[1]) if len(sys.argv) > 1 else 3))
    rows: list[Found] = []
    for path in SCANS:
        image = Volume.from_sitk(sitk.ReadImage(str(REFERENCE / path)), modality="CT", unit=Unit.HU)
        image = Volume(image.array.astype(np.float32), image.geometry, "CT", Unit.HU)
        for seed in seeds:
            rows += rows_of(simulated_follow_up(image, SETTINGS, seed=seed))
    print(f"{'':16} {'n':>3} {'Dice':>6} {'< 0.5':>6}   {'gone':>4} {'seen as gone':>12}   s")
    for name in dict.fromkeys(row[0] for row in rows):
        there = [row for row in rows if row[0] == name and row[1]]
        gone = [row for row in rows if row[0] == name and not row[1]]
        scores = [row[2] for row in there]
        print(
            f"{name:16} {len(there):3} {np.mean(scores):6.3f} {np.mean(np.less(scores, 0.5)):6.1%}   {len(gone):4} "
            f"{sum(row[2] == 1 for row in gone):12}   {np.mean([row[3] for row in there]):.2f}"
        )


if __name__ == "__main__":
    main()
