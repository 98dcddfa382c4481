"""How far features hold still when the lesions of a run are sampled and outlined a little otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trialimg.core.digest import canonical_json, file_digest
from trialimg.core.errors import GeometryError, IntegrityError
from trialimg.radiomics.perturbation import Perturbation, perturbed
from trialimg.services.analyse_radiomics import LEAST_PAIRS, FeatureStability, Stability
from trialimg.services.finished import FinishedRun
from trialimg.services.ports import FeatureExtractor
from trialimg.services.results import SubjectResult
from trialimg.stats.reliability import intraclass_correlation
from trialimg.volume import Mask, Volume

__all__ = [
    "FILE",
    "ROBUST_FROM",
    "PerturbedExtractor",
    "PerturbedLesion",
    "perturbed_document",
    "perturbed_lesions",
    "robustness",
]

FILE = "perturbed_features.json"
"""Beside the results of a run, outside of its manifest: it is measured afterwards, of the same results."""
ROBUST_FROM = 0.90
"""Lower limit of the correlation from which Zwanenburg et al. call a feature robust."""
_SCHEMA = "trialimg/perturbed-features/v1"
_BETWEEN = "|"


@dataclass(frozen=True)
class PerturbedExtractor:
    """The features of a region under each of its perturbations, named ``number|feature``."""

    inner: FeatureExtractor
    how: Perturbation

    @property
    def name(self) -> str:
        return f"{self.inner.name} perturbed"

    @property
    def version(self) -> str:
        return self.inner.version

    def parameters(self) -> Mapping[str, object]:
        return {**self.inner.parameters(), "perturbation": asdict(self.how)}

    def extract(self, image: Volume, mask: Mask, label: int) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for number, (moved, region) in enumerate(perturbed(image, mask, label, self.how)):
            try:
                values = self.inner.extract(moved, region, 1)
            except GeometryError:  # too small by now for any texture; the lesion is not counted for such features
                continue
            found |= {f"{number}{_BETWEEN}{name}": value for name, value in values.items()}
        return found


@dataclass(frozen=True)
class PerturbedLesion:
    """One lesion at its first visit."""

    subject: str
    lesion: str
    organ: str
    values: Mapping[str, Sequence[float]]
    """Feature to its value under each perturbation; one that is undefined under some is left out."""


def perturbed_document(subjects: Iterable[SubjectResult], how: Perturbation, *, results_digest: str) -> bytes:
    """What is kept of a run's perturbed lesions: targets, each at its first visit with features.

    Parameters
    ----------
    subjects
        Of a run whose extractor was a `PerturbedExtractor`.
    results_digest
        Of the results that the lesions are of.
    """
    lesions = [asdict(one) for subject in subjects for one in _first_seen(subject, how.count)]
    about = {"schema": _SCHEMA, "results": results_digest, "perturbation": asdict(how)}
    return canonical_json({**about, "lesions": lesions}) + b"\n"


def _first_seen(subject: SubjectResult, count: int) -> Iterable[PerturbedLesion]:
    known: set[str] = set()
    for visit in subject.timepoints:
        for one in visit.lesions:
            lesion = one.observation.lesion
            if one.role.value == "target" and one.features and lesion.id not in known:
                known.add(lesion.id)
                values = _by_feature(one.features, count)
                yield PerturbedLesion(subject.subject.id, lesion.label or lesion.id, lesion.organ, values)


def _by_feature(found: Mapping[str, float], count: int) -> dict[str, tuple[float, ...]]:
    names = sorted({name.partition(_BETWEEN)[2] for name in found})
    series = {name: [found.get(f"{number}{_BETWEEN}{name}") for number in range(count)] for name in names}
    whole = {name: tuple(value for value in values if value is not None) for name, values in series.items()}
    return {name: values for name, values in whole.items() if len(values) == count}


def perturbed_lesions(run: FinishedRun) -> tuple[tuple[PerturbedLesion, ...], Mapping[str, Any]] | None:
    """The perturbed lesions of a run and how they were perturbed; None where nobody asked for it.

    Raises
    ------
    IntegrityError
        If the file is of other results, or none of ours.
    """
    path = run.folder / FILE
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_bytes())
        lesions = tuple(PerturbedLesion(**one) for one in told["lesions"])
        how, of = told["perturbation"], told["results"]
    except (ValueError, KeyError, TypeError) as fault:
        raise IntegrityError(f"{path} holds no perturbed features ({fault}); run again with --perturb") from fault
    if of != file_digest(run.folder / "results.json"):
        raise IntegrityError(f"{path} is of other results than those beside it; run again with --perturb")
    return lesions, how


def robustness(lesions: Sequence[PerturbedLesion], features: Sequence[str], *, confidence: float = 0.95) -> Stability:
    """How far each feature holds still under perturbation, over lesions.

    Notes
    -----
    ICC(1,1), one-way: each lesion has perturbations of its own. Five lesions are needed.
    """
    if len(lesions) < LEAST_PAIRS:
        return Stability((), len(lesions), "too_few")
    found = [_held(name, lesions, confidence) for name in features]
    known = sorted((one for one in found if one is not None), key=lambda one: (-(one.icc or 0.0), one.feature))
    return Stability(tuple(known), len(lesions))


def _held(name: str, lesions: Sequence[PerturbedLesion], confidence: float) -> FeatureStability | None:
    ratings = [one.values[name] for one in lesions if name in one.values]
    if len(ratings) < LEAST_PAIRS or len({value for row in ratings for value in row}) == 1:
        return None
    icc = intraclass_correlation(ratings, form="ICC1", confidence=confidence)
    return FeatureStability(name, icc.value, icc.lower, icc.upper, len(ratings))
