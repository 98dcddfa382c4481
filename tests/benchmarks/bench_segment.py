"""Dice of each segmenter on real lesions, from the prompts that the true masks give; seconds a lesion, peak memory.

Sarcomas: TCIA Soft-tissue-Sarcoma (19 subjects, CT, T1, PET). The shipped weights of trialimg-prompt were trained on
them, so its figures there only say that it remembers; `bench_prompt_network.py` has those of subjects left out. lung1,
brain1, breast1 (pyradiomics' test cases) and ibsi (a lung tumour) it never saw. `--unseen` runs these alone.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trialimg.bootstrap import segmenter
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.imaging.measure import measure
from trialimg.volume import Mask, Unit, Volume

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
MODALITIES = {"sarcoma CT": "CT", "sarcoma PET": "PT", "lung1": "CT", "ibsi": "CT"}
"""Which kind of image each group is; MR for the others."""


def cases() -> Iterator[tuple[str, Path, Path]]:
    """Group, image and mask."""
    for series in () if "--unseen" in sys.argv else ("CT", "MR_T1", "PET"):
        for folder in sorted((REFERENCE / "sarcoma" / "nifti").iterdir()):
            yield f"sarcoma {series}", folder / f"{series}_image.nii.gz", folder / f"{series}_mask.nii.gz"
    for name in ("lung1", "brain1", "breast1"):
        folder = REFERENCE / "pyradiomics"
        yield name, folder / f"{name}_image.nrrd", folder / f"{name}_label.nrrd"
    folder = REFERENCE / "ibsi" / "ibsi1_ct"
    yield "ibsi", folder / "image.nii.gz", folder / "mask.nii.gz"


def prompts(truth: Mask) -> dict[str, Prompt]:
    """The line of the long axis, the short one with it, the long one's middle, and the tight box around the region."""
    found = measure(truth, 1)
    start, end = found.long_axis_lps_mm
    both = BidirectionalPrompt(LinePrompt(start, end), LinePrompt(*found.short_axis_lps_mm))
    k, j, i = np.nonzero(truth.array == 1)
    edges = [[axis.min() - 0.5 for axis in (i, j, k)], [axis.max() + 0.5 for axis in (i, j, k)]]
    inside = [np.maximum(edges[0], -0.49), np.minimum(edges[1], np.array(truth.geometry.size) - 0.51)]
    low, high = (tuple(corner) for corner in truth.geometry.to_lps(np.array(inside)).tolist())
    middle = tuple(np.mean([start, end], axis=0).tolist())
    line = LinePrompt(start, end)
    return {"line": line, "both": both, "box": BoxPrompt(low, high), "point": PointPrompt(middle)}


def dice(found: Mask, truth: Mask) -> float:
    """Overlap of two regions."""
    a, b = found.array > 0, truth.array == 1
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def main() -> None:
    """Print one line a group and prompt."""
    if not REFERENCE.is_dir():
        print(f"no reference data at {REFERENCE}; set TRIALIMG_REFERENCE")
        return
    methods = [segmenter("ellipsoid"), segmenter("classical"), segmenter("trialimg-prompt", device="cpu")]
    scores: dict[tuple[str, str], list[list[float]]] = {}
    seconds: dict[tuple[str, str], list[list[float]]] = {}
    for group, image_path, mask_path in cases():
        truth = Mask.from_sitk(sitk.ReadImage(str(mask_path)))
        modality = MODALITIES.get(group, "MR")
        values = sitk.GetArrayFromImage(sitk.ReadImage(str(image_path)))
        image = Volume(values, truth.geometry, modality, Unit.HU if modality == "CT" else Unit.ARBITRARY)
        for kind, prompt in prompts(truth).items():
            began = [time.perf_counter()]
            found = []
            for method in methods:
                found.append(dice(method.segment(image, prompt), truth))
                began.append(time.perf_counter())
            scores.setdefault((group, kind), []).append(found)
            seconds.setdefault((group, kind), []).append(np.diff(began).tolist())
    names = "  ".join(f"{method.name:>15}" for method in methods)
    print(f"{'lesions':14} {'prompt':6} {'n':>3}  {names}   s of the last")
    for (group, kind), rows in scores.items():
        means = "  ".join(f"{value:15.3f}" for value in np.mean(rows, axis=0))
        took = np.mean(seconds[group, kind], axis=0)[-1]
        print(f"{group:14} {kind:6} {len(rows):3}  {means}  {took:.2f}")
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
