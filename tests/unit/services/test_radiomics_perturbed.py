"""Features of a run's lesions under perturbation: kept beside the results that they are of, told as correlations."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from tests.fakes.dashboard import TRIAL, write_run
from trialimg.core.digest import file_digest
from trialimg.core.errors import GeometryError, IntegrityError
from trialimg.core.lesions import Lesion, LesionKind, Observation, Role, Seen
from trialimg.core.trial import Subject, Timepoint
from trialimg.radiomics.perturbation import Perturbation
from trialimg.services.finished import open_run
from trialimg.services.radiomics_perturbed import (
    FILE,
    PerturbedExtractor,
    PerturbedLesion,
    perturbed_document,
    perturbed_lesions,
    robustness,
)
from trialimg.services.results import LesionResult, SubjectResult, TimepointResult
from trialimg.stats.reliability import intraclass_correlation
from trialimg.volume import Geometry, Mask, Volume


@dataclass(frozen=True)
class Sized:
    """Tells how many voxels a region has; one that is smaller than so many has no features."""

    least: int = 1
    name: str = "sized"
    version: str = "1"

    def parameters(self) -> Mapping[str, object]:
        return {"least": self.least}

    def extract(self, image: Volume, mask: Mask, label: int) -> Mapping[str, float]:
        count = int(np.count_nonzero(mask.array == label))
        if count < self.least:
            raise GeometryError("too small")
        return {"voxels": float(count), "mean": float(image.array[mask.array == label].mean())}


def scan(radius: int = 5) -> tuple[Volume, Mask]:
    geometry = Geometry((30, 30, 20), (1.0, 1.0, 1.5), (0.0, 0.0, 0.0))
    k, j, i = np.indices(geometry.shape)
    inside = (i - 15) ** 2 + (j - 14) ** 2 + (1.5 * (k - 10)) ** 2 <= radius**2
    return Volume(np.where(inside, 60.0, 0.0), geometry, "CT"), Mask(inside.astype(np.uint8), geometry)


def test_an_extractor_gives_each_feature_once_for_each_perturbation_and_says_how():
    how = Perturbation(3, seed=7)
    extractor = PerturbedExtractor(Sized(), how)
    found = extractor.extract(*scan(), 1)
    assert set(found) == {f"{number}|{name}" for number in range(3) for name in ("voxels", "mean")}
    assert len({found[f"{number}|voxels"] for number in range(3)}) > 1
    assert extractor.parameters()["perturbation"]["seed"] == 7
    assert extractor.parameters()["least"] == 1
    assert PerturbedExtractor(Sized(10**6), how).extract(*scan(), 1) == {}


def subject(number: int, *visits: Mapping[str, Mapping[str, float]]) -> SubjectResult:
    """Visits as label to features; those that begin with N are no targets."""
    points = []
    for order, lesions in enumerate(visits):
        at = Timepoint(f"V{order}", order, dt.date(2026, 1, 1) + dt.timedelta(days=order))
        seen = tuple(
            LesionResult(
                Observation(Lesion(f"{number}/{label}", LesionKind.NON_NODAL, "liver", label=label), at, Seen.ABSENT),
                Role.NON_TARGET if label.startswith("N") else Role.TARGET,
                "",
                None,
                0,
                None,
                None,
                features,
            )
            for label, features in lesions.items()
        )
        points.append(TimepointResult(at, order, None, seen, None))
    return SubjectResult(Subject(f"S{number}"), tuple(points), None, ())


def test_targets_are_kept_as_they_first_have_features_and_a_feature_only_where_it_is_always_defined(tmp_path):
    write_run(tmp_path / TRIAL)
    run = open_run(tmp_path / TRIAL)
    features = {"0|a": 1.0, "1|a": 2.0, "0|b": 3.0}
    later = {"T1": {"0|a": 9.0, "1|a": 9.0}, "T2": {"0|a": 4.0, "1|a": 5.0}}
    subjects = [subject(1, {"T1": features, "T2": {}, "NT1": features}, later)]
    how = Perturbation(2, seed=3)
    digest = file_digest(run.folder / "results.json")
    (run.folder / FILE).write_bytes(perturbed_document(subjects, how, results_digest=digest))
    lesions, said = perturbed_lesions(run)
    assert [(one.lesion, dict(one.values)) for one in lesions] == [("T1", {"a": [1.0, 2.0]}), ("T2", {"a": [4.0, 5.0]})]
    assert (said["count"], said["seed"]) == (2, 3)


def test_what_is_of_other_results_or_is_no_such_file_is_refused(tmp_path):
    write_run(tmp_path / TRIAL)
    run = open_run(tmp_path / TRIAL)
    assert perturbed_lesions(run) is None
    (run.folder / FILE).write_bytes(perturbed_document([], Perturbation(), results_digest="sha256:0"))
    with pytest.raises(IntegrityError, match="other results"):
        perturbed_lesions(run)
    (run.folder / FILE).write_text(json.dumps({"lesions": []}))
    with pytest.raises(IntegrityError, match="--perturb"):
        perturbed_lesions(run)


def test_robustness_is_the_one_way_correlation_over_lesions_the_steadiest_first():
    random = np.random.default_rng(4)
    size = random.normal(50, 20, size=8)
    steady, loose = (size[:, None] + random.normal(0, spread, size=(8, 6)) for spread in (0.5, 40))
    lesions = [
        PerturbedLesion(f"S{n}", "T1", "liver", {"steady": steady[n].tolist(), "loose": loose[n].tolist()})
        for n in range(8)
    ]
    found = robustness(lesions, ["loose", "steady", "unknown"])
    assert [one.feature for one in found.features] == ["steady", "loose"]
    alone = intraclass_correlation(steady, form="ICC1")
    assert (found.features[0].icc, found.features[0].lower) == (alone.value, alone.lower)
    assert found.features[0].lower > 0.9 > found.features[1].icc
    assert robustness(lesions[:4], ["steady"]).why_not == "too_few"
