"""How often a place that is offered as a possible new lesion is one: fits the weights of the score, then tests them.

Simulated follow-ups (`imaging.synthetic_followup`) of made-up bodies and of real CTs are aligned and searched as at
ingest. What lies at or beside a known lesion is left out, as for a reader who has measured them; every other place is
new or is not, as the simulation knows. `fit`: the logistic weights of `imaging.new_lesions`, where each new lesion is
weighed such that every second follow-up has one. `test`: other seeds, on half of them other bodies, every second
follow-up with one new lesion; and the synthetic sample trial, which no weight has seen.

    python tests/benchmarks/bench_new_lesions.py [--each N] [--processes N] [--keep FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.stats import mannwhitneyu
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from trialimg.core.errors import GeometryError
from trialimg.core.lesions import Role
from trialimg.core.links import LinkKind
from trialimg.imaging.new_lesions import Candidate, CandidateSettings, candidate_score, new_lesion_candidates
from trialimg.imaging.phantom import acquire, draw
from trialimg.imaging.register import Alignment, register_body
from trialimg.imaging.synthetic_followup import FollowUp, FollowUpSettings, simulated_follow_up
from trialimg.services.evaluate_tracking import phantom_backgrounds
from trialimg.services.new_lesion_offers import KnownPlace, Offered, shown_first
from trialimg.services.sample_plan import LesionAt, plan_subject
from trialimg.volume import Geometry, Unit, Volume
from trialimg.volume.resample import Interpolator, resample

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
SETTINGS = CandidateSettings(most=20)
FIT = FollowUpSettings(lesions=5, new=0.6, diameters_mm=(6.0, 30.0))
"""Three new lesions in each, so that enough of them are seen."""
TEST = FollowUpSettings(lesions=5, new=0.1, diameters_mm=(6.0, 30.0))
"""One in every second."""
NEW_PER_FOLLOW_UP = 0.5
BESIDE_MM = 3.0
"""A place that lies at most so far from a lesion's outline is that lesion."""
COARSE_MM = 1.2
SAMPLE_SEED, SAMPLE_VISITS = 2024, 4
SAMPLE_SUBJECTS = (3, 9, 0)
"""Two of whom have a new lesion at some visit; the third one, by design, never has."""
BINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Place:
    """A candidate that is not at or beside a known lesion."""

    contrast_sds: float
    diameter_mm: float
    compactness: float
    new: int
    """Which new lesion it is; 0 where it is none."""


@dataclass(frozen=True)
class Looked:
    """One follow-up: how many new lesions it has, and what was found."""

    group: str
    body: str
    seed: int
    new: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Task:
    group: str
    body: str
    seed: int


def bodies(*, tested: bool) -> tuple[str, ...]:
    """What follow-ups are simulated of; those of the fit, or those that only the test has."""
    sarcoma = sorted(path.parent.name for path in (REFERENCE / "sarcoma" / "nifti").glob("*/CT_image.nii.gz"))
    if tested:
        return ("phantom 4", "phantom 5", "pyradiomics/lung1_image.nrrd", *sarcoma[8:16])
    real = ("ct_background/example_ct.nii.gz", "ct_background/aorta_ct_cropped.nii.gz", *sarcoma[:8])
    return ("phantom 1", "phantom 2", "phantom 3", *real)


@lru_cache(maxsize=32)
def body_of(name: str) -> Volume:
    """A CT in HU, its pixels not much finer than the search needs."""
    if name.startswith("phantom"):
        number = int(name.split()[1])
        return phantom_backgrounds(number, seed=31)[name]
    path = REFERENCE / ("sarcoma/nifti/" + name + "/CT_image.nii.gz" if name.startswith("STS") else name)
    read = Volume.from_sitk(sitk.ReadImage(str(path)), modality="CT", unit=Unit.HU)
    volume = Volume(read.array.astype(np.float32), read.geometry, "CT", Unit.HU)
    i, j, k = volume.geometry.size
    x, y, z = volume.geometry.spacing_mm
    if min(x, y) >= COARSE_MM / 2:
        return volume
    size = (int(i * x / COARSE_MM), int(j * y / COARSE_MM), k)
    grid = Geometry(size, (COARSE_MM, COARSE_MM, z), volume.geometry.origin_lps_mm, volume.geometry.direction)
    return resample(volume, grid, Interpolator.LINEAR, outside=-1000.0)


def looked(task: Task) -> Looked | None:
    """One follow-up, aligned and searched; None where the body has no room for the lesions."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    if task.group == "sample":
        return sample_looked(task)
    try:
        truth = simulated_follow_up(body_of(task.body), FIT if task.group == "fit" else TEST, seed=task.seed)
    except GeometryError:
        return None
    there = register_body(truth.baseline, truth.follow, affine=True)
    if there.reason:
        return Looked(task.group, task.body, task.seed, len(births(truth)), ())
    found = new_lesion_candidates(truth.follow, truth.baseline, inverted(there), (), settings=SETTINGS)
    return judged(task, found, list(known_places(truth, there)), new_regions(truth))


def births(truth: FollowUp) -> list[int]:
    return sorted(label for kind, _, after in truth.events if kind is LinkKind.BIRTH for label in after)


def inverted(alignment: Alignment) -> Alignment:
    back = np.linalg.inv(np.reshape(alignment.matrix, (3, 3)))
    x, y, z = (-back @ np.asarray(alignment.translation_mm)).tolist()
    return Alignment(tuple(back.ravel().tolist()), (x, y, z), alignment.similarity, alignment.reason)


def known_places(truth: FollowUp, there: Alignment) -> Iterator[KnownPlace]:
    """What a reader has measured: the lesions of baseline where they should now lie, and what became of them."""
    for label, middle, radius_mm in regions(truth.baseline_mask.array, truth.baseline.geometry):
        if label:
            yield KnownPlace("", there.apply(middle), radius_mm)
    for label, middle, radius_mm in regions(truth.follow_mask.array, truth.follow.geometry):
        if label not in births(truth):
            yield KnownPlace("", middle, radius_mm)


def regions(labels: Any, grid: Geometry) -> Iterator[tuple[int, tuple[float, float, float], float]]:
    """Label, middle (LPS mm) and half the longest extent within a slice of every region."""
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            k, j, i = np.nonzero(labels[box] == label)
            points = grid.to_lps(np.stack([i + box[2].start, j + box[1].start, k + box[0].start], axis=-1))
            x, y, z = points.mean(axis=0).tolist()
            extent = np.ptp(points[:, :2], axis=0) + np.asarray(grid.spacing_mm[:2])
            yield label, (x, y, z), float(extent.max()) / 2


def new_regions(truth: FollowUp) -> list[np.ndarray]:
    """The voxels of each new lesion, LPS mm."""
    answer = []
    for label in births(truth):
        k, j, i = np.nonzero(truth.follow_mask.array == label)
        answer.append(truth.follow.geometry.to_lps(np.stack([i, j, k], axis=-1)))
    return answer


def judged(task: Task, found: Sequence[Candidate], known: Sequence[KnownPlace], new: Sequence[np.ndarray]) -> Looked:
    places = []
    for one in found:
        if any(math.dist(one.centre_lps_mm, k.centre_lps_mm) <= k.radius_mm + SETTINGS.apart_mm for k in known):
            continue
        away = [float(np.linalg.norm(points - one.centre_lps_mm, axis=1).min()) for points in new]
        hit = next((number for number, mm in enumerate(away, start=1) if mm <= BESIDE_MM), 0)
        places.append(Place(one.contrast_sds, one.diameter_mm, one.compactness, hit))
    return Looked(task.group, task.body, task.seed, len(new), tuple(places))


def sample_looked(task: Task) -> Looked | None:
    """One later visit of the sample trial, whose number is the seed, against its baseline."""
    subject = plan_subject(int(task.body), timepoints=SAMPLE_VISITS, seed=SAMPLE_SEED)
    if task.seed >= len(subject.visits) or not subject.visits[task.seed].evaluable:
        return None
    volumes = []
    for visit in (subject.visits[0], subject.visits[task.seed]):
        solids = [part for lesion in visit.lesions for part in lesion.parts]
        anatomy = draw(subject.person, visit.pose, solids, visit.grid)
        seen = acquire(anatomy, visit.technique, visit.grid, subject.noise_generator(visit.number))
        volumes.append(Volume(np.rint(seen).astype(np.int16), visit.grid, "CT", Unit.HU))
    there = register_body(volumes[0], volumes[1], affine=True)
    if there.reason:
        return None
    found = new_lesion_candidates(volumes[1], volumes[0], inverted(there), (), settings=SETTINGS)
    before, now = (subject.visits[number].lesions for number in (0, task.seed))
    known = [KnownPlace("", there.apply(solid.centre_lps_mm), solid.reach_mm) for solid in parts_of(before, new=False)]
    known += [KnownPlace("", solid.centre_lps_mm, solid.reach_mm) for solid in parts_of(now, new=False)]
    fresh = [ball(solid.centre_lps_mm, solid.reach_mm) for solid in parts_of(now, new=True)]
    return judged(task, found, known, fresh)


def parts_of(lesions: Sequence[LesionAt], *, new: bool) -> list[Any]:
    return [part for one in lesions if (one.course.role is Role.NEW) is new for part in one.parts]


def ball(centre: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    ticks = np.linspace(-radius_mm, radius_mm, 15)
    offsets = np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)
    return offsets[np.linalg.norm(offsets, axis=1) <= radius_mm] + np.asarray(centre)


def features(places: Sequence[Place]) -> np.ndarray:
    return np.array([(math.log(p.contrast_sds), math.log(p.diameter_mm), p.compactness) for p in places])


def fitted(follow_ups: Sequence[Looked]) -> tuple[float, ...]:
    """Intercept and weights of ln contrast, ln diameter and compactness (logistic regression)."""
    places = [place for one in follow_ups for place in one.places]
    is_new = np.array([place.new > 0 for place in places])
    share = NEW_PER_FOLLOW_UP / (sum(one.new for one in follow_ups) / len(follow_ups))
    table = np.column_stack([np.ones(len(places)), features(places)])
    weights = np.where(is_new, share, 1.0)
    made = GLM(is_new.astype(float), table, family=Binomial(), freq_weights=weights).fit()
    return tuple(map(float, made.params))


def tell(name: str, follow_ups: Sequence[Looked]) -> None:
    """What the score in force is worth on some follow-ups, and what a reader would be shown of them."""
    places = [place for one in follow_ups for place in one.places]
    scores = np.array([score_of(place) for place in places])
    is_new = np.array([place.new > 0 for place in places])
    missed = sum(one.new - len({p.new for p in one.places if p.new}) for one in follow_ups)
    lesions = sum(one.new for one in follow_ups)
    print(f"\n{name}: {len(follow_ups)} follow-ups with {lesions} new lesions")
    print(f"  {len(places)} places, {is_new.sum()} of them new")
    if 0 < is_new.sum() < len(places):
        auc = mannwhitneyu(scores[is_new], scores[~is_new]).statistic / (is_new.sum() * (~is_new).sum())
        brier, blind = np.mean((scores - is_new) ** 2), is_new.mean() * (1 - is_new.mean())
        print(f"  AUC {auc:.3f}  Brier {brier:.4f} ({blind:.4f} for always the share)")
    print(f"  never among the places: {missed} of {lesions}")
    print("  score           places   mean score   truly new")
    for low, high in pairwise(BINS):
        here = (scores >= low) & (scores < high if high < 1 else scores <= 1)
        if here.any():
            print(f"  {low:.2f} to {high:.2f} {here.sum():9d} {scores[here].mean():12.3f} {is_new[here].mean():11.3f}")
    shown = [[p for p, _ in picked(one)] for one in follow_ups]
    hits = sum(len({p.new for p in few if p.new}) for few in shown)
    wrong = sum(p.new == 0 for few in shown for p in few)
    false, offered = wrong / len(follow_ups), sum(map(len, shown)) / len(follow_ups)
    print(f"  shown to a reader: {offered:.2f} a follow-up, {false:.2f} of them false; {hits} of {lesions} new ones")


def score_of(place: Place) -> float:
    return candidate_score(
        contrast_sds=place.contrast_sds, diameter_mm=place.diameter_mm, compactness=place.compactness
    )


def picked(one: Looked) -> list[tuple[Place, float]]:
    """What a reader is shown: by the rule of the reading room itself."""
    ranked = sorted(((score_of(place), n) for n, place in enumerate(one.places)), reverse=True)
    offers = [
        Offered(str(n), "", "", (0.0, 0.0, 0.0), score, one.places[n].diameter_mm, one.places[n].compactness)
        for score, n in ranked
    ]
    return [(one.places[int(offer.name)], offer.score) for offer in shown_first(offers, ())]


def tasks(each: int) -> Iterator[Task]:
    for number, body in product(range(each), bodies(tested=False)):
        yield Task("fit", body, 4000 + number)
    for subject, visit in product(SAMPLE_SUBJECTS, range(1, SAMPLE_VISITS)):
        yield Task("sample", str(subject), visit)
    for number, body in product(range(each), bodies(tested=True)):
        yield Task("test, other bodies", body, 9500 + number)
    for number, body in product(range(each), bodies(tested=False)):
        yield Task("test, bodies of the fit", body, 9000 + number)


def main() -> None:
    """Print the fitted weights, then what the weights in force are worth on each group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=2, help="follow-ups of each body in each group")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep what was found there, or go on from it")
    asked = parser.parse_args()
    if not REFERENCE.is_dir():
        print(f"no reference data at {REFERENCE}; set TRIALIMG_REFERENCE")
        return
    found = read(asked.keep)
    done = {(one.group, one.body, one.seed) for one in found}
    todo = [task for task in tasks(asked.each) if (task.group, task.body, task.seed) not in done]
    with ProcessPoolExecutor(asked.processes) as pool:
        for number, future in enumerate(as_completed([pool.submit(looked, task) for task in todo]), start=1):
            one = future.result()
            found += [one] if one is not None else []
            if asked.keep and one is not None:
                with asked.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
            print(f"\r{number} of {len(todo)}", end="", flush=True)
    groups = {name: [one for one in found if one.group == name] for name in dict.fromkeys(one.group for one in found)}
    print("\nfitted weights:", " ".join(f"{weight:.2f}" for weight in fitted(groups["fit"])))
    for name, follow_ups in groups.items():
        tell(name, follow_ups)


def read(path: Path | None) -> list[Looked]:
    lines = path.read_text(encoding="utf-8").splitlines() if path is not None and path.exists() else []
    rows = [json.loads(line) for line in lines]
    return [Looked(**{**row, "places": tuple(Place(**place) for place in row["places"])}) for row in rows]


if __name__ == "__main__":
    main()
