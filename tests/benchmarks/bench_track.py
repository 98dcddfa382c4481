"""Target error and seconds of registration on known motions of real CTs, beside plain SimpleITK.

A CT is bent, turned, shifted and stretched by a drawn motion, and gets noise; 8 places in the body of each are looked
for. `body`, `shift` and `warp` are ours: the body, then every place shifted, then warped (seconds of all 8). Peers:
SimpleITK's affine by mutual information at the CT's own resolution, and the same with a B-spline of 8 x 8 x 8 elements
after it. Seconds are of the processor, on one thread for ours and for the peers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from trialimg.imaging.register import register_body, register_locally
from trialimg.imaging.register_warp import register_deformably
from trialimg.imaging.synthetic_followup import FollowUpSettings, Motion
from trialimg.volume import Unit, Volume

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
SCANS = {
    "ct_background 3 mm": ("ct_background/example_ct.nii.gz", (0, 1, 2)),
    "aorta 1.5 mm": ("ct_background/aorta_ct_cropped.nii.gz", (0, 1)),
    "lung1 0.6 x 5 mm": ("pyradiomics/lung1_image.nrrd", (0, 1)),
}
SPLINE_SEEDS = (0,)
"""Of the first scan; one run takes minutes."""
PLACES = 8
MOTION = FollowUpSettings(tilt_rad=0.15, shift_mm=18.0, bend_mm=9.0)

Point = tuple[float, float, float]
Finder = Callable[[list[Point]], list[Any]]


def places(moving: Any, motion: Motion, random: np.random.Generator) -> list[Point]:
    """Points of the later scan within the body of both."""
    array, found = sitk.GetArrayViewFromImage(moving), []
    size = np.array(moving.GetSize())
    while len(found) < PLACES:
        index = random.uniform(0.15, 0.85, 3) * (size - 1)
        point = motion.inverse_apply(moving.TransformContinuousIndexToPhysicalPoint(index.tolist()))
        later = np.array(moving.TransformPhysicalPointToContinuousIndex(point.tolist()))
        i, j, k = np.rint(index).astype(int)
        around = array[max(0, k - 2) : k + 3, max(0, j - 2) : j + 3, max(0, i - 2) : i + 3]
        if np.all(later > 0.08 * size) and np.all(later < 0.92 * size) and np.mean(around < -950) < 0.3:
            found.append((float(point[0]), float(point[1]), float(point[2])))
    return found


def ours(fixed: Volume, moving: Volume) -> dict[str, Finder]:
    """Body alone, with a shift for each place, with a warp for each place."""

    def body(points: list[Point]) -> list[Any]:
        found = register_body(fixed, moving, affine=True)
        return [found.apply(point) for point in points]

    def shift(points: list[Point]) -> list[Any]:
        start = register_body(fixed, moving, affine=True)
        return [
            register_locally(fixed, moving, start, centre_lps_mm=point, radius_mm=45.0).apply(point) for point in points
        ]

    def warp(points: list[Point]) -> list[Any]:
        start = register_body(fixed, moving, affine=True)
        return [
            register_deformably(fixed, moving, start, centre_lps_mm=point, shift_radius_mm=45.0).apply(point)
            for point in points
        ]

    return {"body": body, "shift": shift, "warp": warp}


def plain_affine(fixed: Any, moving: Any) -> Any:
    """SimpleITK's affine as its examples set it up."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method.SetInitialTransform(start, inPlace=False)
    return method.Execute(fixed, moving)


def plain_spline(fixed: Any, moving: Any) -> Any:
    """A B-spline over the whole scan, upon the affine."""
    affine = plain_affine(fixed, moving)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.02, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMovingInitialTransform(affine)
    spline = sitk.BSplineTransformInitializer(fixed, [8, 8, 8], 3)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetOptimizerAsLBFGSB(1e-5, 30, 5, 200)
    method.Execute(fixed, moving)
    return sitk.CompositeTransform([affine, spline])


def theirs(align: Callable[[Any, Any], Any], images: list[Any]) -> Finder:
    """A peer's transform applied to every place."""

    def find(points: list[Point]) -> list[Any]:
        found = align(*images)
        return [found.TransformPoint(point) for point in points]

    return find


def main() -> None:
    """Print one line a scan and method, with the ratio to ours."""
    if not REFERENCE.is_dir():
        print(f"no reference data at {REFERENCE}; set TRIALIMG_REFERENCE")
        return
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for number, (name, (path, seeds)) in enumerate(SCANS.items()):
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for seed in seeds:
            image = sitk.Cast(sitk.ReadImage(str(REFERENCE / path)), sitk.sitkFloat32)
            random = np.random.default_rng(seed)
            motion = Motion.drawn(random, image, MOTION)
            later = sitk.Resample(image, image, motion.to_sitk(), sitk.sitkLinear, -1000.0)
            noisy = sitk.GetArrayFromImage(later)
            noisy += random.normal(0, 12, noisy.shape).astype(np.float32)
            fixed_image = sitk.GetImageFromArray(noisy)
            fixed_image.CopyInformation(later)
            fixed, moving = (Volume.from_sitk(one, modality="CT", unit=Unit.HU) for one in (fixed_image, image))
            finders = ours(fixed, moving)
            peers = {"SimpleITK affine": plain_affine}
            if number == 0 and seed in SPLINE_SEEDS and "--quick" not in sys.argv:
                peers["SimpleITK affine + B-spline 8^3"] = plain_spline
            clamped = [sitk.Clamp(one, sitk.sitkFloat32, -1000, 300) for one in (fixed_image, image)]
            finders |= {peer: theirs(align, clamped) for peer, align in peers.items()}
            points = places(image, motion, random)
            truth = [motion.to_sitk().TransformPoint(point) for point in points]
            before = [float(np.linalg.norm(np.subtract(a, b))) for a, b in zip(points, truth, strict=True)]
            rows.setdefault("before", []).append((float(np.mean(before)), max(before), 0.0))
            for method, find in finders.items():
                began = time.process_time()
                found = find(points)
                seconds = time.process_time() - began
                errors = [float(np.linalg.norm(np.subtract(a, b))) for a, b in zip(found, truth, strict=True)]
                rows.setdefault(method, []).append((float(np.mean(errors)), max(errors), seconds))
        ours_mm, _, ours_s = np.mean(rows["warp"], axis=0)
        print(f"{name}, seeds {', '.join(map(str, seeds))}, {PLACES} places each")
        for method, values in rows.items():
            mean, _, seconds = np.mean(values, axis=0)
            print(
                f"  {method:32} n {len(values)}  mean {mean:5.1f} mm  worst {max(v[1] for v in values):5.1f} mm  "
                f"{seconds:6.1f} s  error x {mean / ours_mm:4.1f}  time x {seconds / ours_s:4.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
