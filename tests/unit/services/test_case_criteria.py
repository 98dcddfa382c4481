"""One case from scans to endpoints by criteria other than RECIST 1.1, in a world of bright balls."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.imaging import BrightSegmenter, VoxelCounter, World
from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import ProtocolError
from trialimg.core.lesions import LesionKind, Role
from trialimg.core.prompts import PointPrompt
from trialimg.core.trial import Subject
from trialimg.criteria import lugano2014, pcwg3
from trialimg.criteria.registry import CRITERIA
from trialimg.protocol.analysis import Response
from trialimg.protocol.criteria import Criterion
from trialimg.protocol.images import PromptKind
from trialimg.protocol.load import load_protocol
from trialimg.protocol.model import Protocol
from trialimg.services.annotations import Annotation, Status
from trialimg.services.case import CaseMaterial, CaseOutcome, CasePipeline
from trialimg.services.response import require_built

BASELINE, W06, W12 = dt.date(2025, 1, 13), dt.date(2025, 2, 26), dt.date(2025, 4, 9)
LIVER, NECK = (70.0, 10.0, 30.0), (-40.0, 60.0, 72.0)
STORE = MemoryBlobStore()
"""The same scan is registered and measured once for all criteria."""
FROM_IMAGES = sorted(set(CRITERIA) - {"percist", "eortc_pet", "pcwg3", "gcig"})


def protocol(root: Path, criterion: str, **rules: Any) -> Protocol:
    shipped = load_protocol(root / "protocols" / "nsclc_recist11.yaml")
    return shipped.model_copy(update={"response": Response(criterion=Criterion(criterion), rules=rules)})


def says(
    lesion: str,
    day: dt.date,
    at: tuple[float, float, float],
    *,
    role: Role = Role.TARGET,
    status: Status | None = None,
    kind: LesionKind = LesionKind.NON_NODAL,
) -> Annotation:
    return Annotation(
        "S1", day, f"S1.{day.isoformat()}", lesion, role, kind, "liver", PromptKind.POINT, PointPrompt(at), status, "",
        "R1", f"annotations.csv:{lesion}:{day}",
    )  # fmt: skip


def run(wanted: Protocol, world: World, *said: Annotation, facts: dict[str, Any] | None = None) -> CaseOutcome:
    pipeline = CasePipeline(wanted, Path(), world, BrightSegmenter(), VoxelCounter(), STORE)
    subject = Subject("S1", "01", "A", reference_date=dt.date(2025, 1, 15))
    return pipeline(CaseMaterial(subject, tuple(world.series), (), said, facts or {}))


def overall(outcome: CaseOutcome) -> list[str]:
    return [str(t.assessment.overall.value) for t in outcome.result.timepoints if t.assessment is not None]


@pytest.fixture(scope="module")
def shrinking() -> World:
    """A ball of 40 mm, then 30 mm: -25 % in diameter, -44 % in product, -58 % in volume."""
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 30))
    return world


@pytest.mark.parametrize("criterion", FROM_IMAGES)
def test_every_criterion_that_images_suffice_for_is_judged(root: Path, shrinking: World, criterion: str) -> None:
    outcome = run(protocol(root, criterion), shrinking, says("T01", BASELINE, LIVER))
    (assessment,) = (t.assessment for t in outcome.result.timepoints if t.assessment is not None)
    expected = {"who": "NC", "irrc": "irSD", "irecist": "iSD", "irrecist": "irSD", "imrecist": "imSD"}
    expected |= {"lugano2014": "SAD", "lyric": "SAD", "recil": "MR", "choi": "PR", "rano_lgg": "MR"}
    assert assessment.overall.value == expected.get(criterion, "SD"), assessment.rule
    assert outcome.result.endpoints is not None
    assert outcome.result.endpoints.best is not None


def test_products_and_volumes_are_those_of_the_image(root: Path, shrinking: World) -> None:
    for criterion, share in (("who", (30 / 40) ** 2), ("volumetric", (30 / 40) ** 3)):
        outcome = run(protocol(root, criterion), shrinking, says("T01", BASELINE, LIVER))
        (assessment,) = (t.assessment for t in outcome.result.timepoints if t.assessment is not None)
        leading = assessment.measures[0]
        assert leading.value is not None and leading.baseline is not None
        assert float(leading.value / leading.baseline) == pytest.approx(share, abs=0.08)  # voxels of 4 x 4 x 6 mm


def test_attenuation_is_the_mean_of_the_voxels(root: Path, shrinking: World) -> None:
    outcome = run(protocol(root, "choi"), shrinking, says("T01", BASELINE, LIVER))
    for timepoint in outcome.result.timepoints:
        hu = timepoint.lesions[0].observation.quantities.mean_hu
        assert hu == pytest.approx(Decimal(200), abs=Decimal(3))  # a ball of 200 HU with noise of 5 HU


def test_a_node_is_measured_as_its_criterion_asks(root: Path) -> None:
    world = World()
    world.add("S1", BASELINE, (NECK, 24))
    node = says("T01", BASELINE, NECK, kind=LesionKind.NODAL)
    lengths = {}
    for criterion in ("recist11", "recist10"):
        lesion = run(protocol(root, criterion), world, node).result.timepoints[0].lesions[0]
        assert lesion.measurement is not None
        lengths[criterion] = lesion.observation.diameter_mm
        axis = {"recist11": lesion.measurement.short_axis_mm, "recist10": lesion.measurement.long_axis_mm}[criterion]
        assert float(lesion.observation.diameter_mm or 0) == pytest.approx(axis, abs=0.05)


def test_a_new_lesion_is_unconfirmed_by_irecist_and_the_subject_has_its_own_best_response(root: Path) -> None:
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 26), (NECK, 20))
    world.add("S1", W12, (LIVER, 26), (NECK, 20))
    new = says("N01", W06, NECK, role=Role.NEW, status=Status.UNEQUIVOCAL)
    said = (says("T01", BASELINE, LIVER), new)
    assert overall(run(protocol(root, "recist11"), world, *said)) == ["PD", "PD"]
    outcome = run(protocol(root, "irecist"), world, *said)
    assert overall(outcome) == ["iUPD", "iPR"]
    endpoints = outcome.result.endpoints
    assert endpoints is not None and endpoints.own_best is not None
    assert (endpoints.own_best.response.value, endpoints.progression_date) == ("iPR", None)


def test_assessments_beside_the_images_enter_the_answer(root: Path, shrinking: World) -> None:
    pet = {"W06": lugano2014.Facts(deauville=lugano2014.FivePoint.TWO)}
    outcome = run(protocol(root, "lugano2014"), shrinking, says("T01", BASELINE, LIVER), facts=pet)
    assert overall(outcome) == ["CMR"]


def test_bone_scans_beside_the_images_enter_the_answer_of_pcwg3(root: Path, shrinking: World) -> None:
    bone = {"BL": pcwg3.Facts(bone_lesions=2), "W06": pcwg3.Facts(bone_lesions=5, bone_new=3)}
    outcome = run(protocol(root, "pcwg3"), shrinking, says("T01", BASELINE, LIVER), facts=bone)
    (assessment,) = (t.assessment for t in outcome.result.timepoints if t.assessment is not None)
    assert (assessment.overall.value, assessment.parts["bone"].value) == ("SD", "PDu")


def test_assessments_of_a_visit_without_images_are_named(root: Path, shrinking: World) -> None:
    pet = {"W12": lugano2014.Facts(deauville=lugano2014.FivePoint.TWO)}
    outcome = run(protocol(root, "lugano2014"), shrinking, says("T01", BASELINE, LIVER), facts=pet)
    assert [(f.code, f.timepoint) for f in outcome.result.findings if f.code == "assessment_without_image"] == [
        ("assessment_without_image", "W12")
    ]


@pytest.mark.parametrize("criterion", sorted(CRITERIA))
def test_what_was_not_looked_at_is_said(root: Path, shrinking: World, criterion: str) -> None:
    outcome = run(protocol(root, criterion), shrinking, says("T01", BASELINE, LIVER))
    said = [f.message for f in outcome.result.findings if f.code == "not_looked_at"]
    contrast = criterion in {"mrecist", "choi", "mchoi"} or criterion.startswith("rano")
    assert len(said) == int(contrast)


@pytest.mark.parametrize(
    ("criterion", "missing", "enough"),
    [
        ("gcig", "CA-125 (ca125)", True),
        ("pcwg3", "PSA (bone_lesions, bone_new, psa_ng_ml)", True),
        ("percist", "SULpeak of every lesion", False),
        ("eortc_pet", "uptake of every lesion", False),
    ],
)
def test_what_images_do_not_give_is_named(root: Path, criterion: str, missing: str, enough: bool) -> None:
    wanted = protocol(root, criterion)
    with pytest.raises(ProtocolError) as refused:
        require_built(wanted)
    assert missing in str(refused.value)
    if enough:
        assert "assessments.csv" in str(refused.value)
        require_built(wanted, assessments=True)
    else:
        with pytest.raises(ProtocolError):
            require_built(wanted, assessments=True)


@pytest.mark.parametrize("criterion", FROM_IMAGES)
def test_what_images_suffice_for_is_not_refused(root: Path, criterion: str) -> None:
    require_built(protocol(root, criterion))
