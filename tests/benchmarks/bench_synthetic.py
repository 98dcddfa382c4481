"""Dice and long-axis error of each segmenter on synthetic lesions of 5 to 50 mm in real CT, with seeds of their own.

Generator and backgrounds are those that trialimg-prompt was trained with, the lesions are not: this measures small and
odd lesions, not strange images. Names of segmenters as arguments: these alone.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from trialimg.bootstrap import open_image, segmenter
from trialimg.imaging.measure import measure
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand, reader_prompt
from trialimg.imaging.synthetic_lesion import turned_about
from trialimg.imaging.synthetic_scene import Look, SceneSettings, scene_on
from trialimg.volume import Mask, Volume

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
BACKGROUNDS = ("ct_background/aorta_ct_cropped.nii.gz", "ct_background/example_ct.nii.gz", "lung_dx/dicom/A0001")
COUNT = 24
SEED = 20_000


def scene(number: int, backgrounds: list[Volume]) -> tuple[Volume, Mask]:
    """A lesion of some size in a part of a CT, on the CT's own grid."""
    random = np.random.default_rng([SEED, number])
    whole = backgrounds[number % len(backgrounds)]
    spacing, size = np.array(whole.geometry.spacing_mm), np.array(whole.geometry.size)
    long_mm = float(np.exp(random.uniform(np.log(5), np.log(50))))
    while True:
        spot = (size * random.uniform(0.2, 0.8, 3)).astype(int)
        if -950 < whole.array[tuple(spot[::-1])] < 250:
            break
    reach = np.ceil(1.6 * long_mm / spacing + 4).astype(int)
    low, high = np.maximum(spot - reach, 0), np.minimum(spot + reach + 1, size)
    part = whole.cropped(tuple(low.tolist()), tuple(high.tolist()))
    semi = long_mm / 2 * np.array([random.uniform(0.6, 1.2), random.uniform(0.6, 1.0), 1.0])
    z, y, x = spacing[::-1].tolist()
    k, j, i = (spot - low)[::-1].astype(float).tolist()
    a, b, c = semi.tolist()
    settings = SceneSettings(Look.CT, (z, y, x), (k, j, i), (a, b, c), turned_about(random, 0.35), z)
    made = scene_on(random, np.clip(part.array, -1000, 2000).astype(np.float32), settings)
    return replace(part, array=made.values), Mask(made.region.astype(np.uint8), part.geometry)


def main() -> None:
    """Print one line a prompt and segmenter."""
    if not REFERENCE.is_dir():
        print(f"no reference data at {REFERENCE}; set TRIALIMG_REFERENCE")
        return
    backgrounds = [open_image(REFERENCE / name) for name in BACKGROUNDS]
    methods = [segmenter(name) for name in sys.argv[1:] or ("ellipsoid", "classical", "trialimg-prompt")]
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(COUNT):
        image, truth = scene(number, backgrounds)
        if np.count_nonzero(truth.array) < 10:
            continue
        length = measure(truth, 1).long_axis_mm
        for kind in PromptKind:
            prompt = reader_prompt(truth, kind, ReaderHand(), lesion=str(number))
            for method in methods:
                mask = method.segment(image, prompt)
                both = np.count_nonzero((mask.array > 0) & (truth.array > 0))
                dice = 2 * both / (np.count_nonzero(mask.array) + np.count_nonzero(truth.array))
                error = length if mask.is_empty else abs(measure(mask, 1).long_axis_mm - length)
                found.setdefault((kind.value, method.name), []).append((dice, error))
    for (prompt_name, name), rows in found.items():
        dices, errors = np.array(rows).T
        figures = f"Dice {dices.mean():.3f}  long axis off by {np.median(errors):.2f} mm"
        print(f"{prompt_name:10} {name:15} n={len(rows)}  {figures}")


if __name__ == "__main__":
    main()
