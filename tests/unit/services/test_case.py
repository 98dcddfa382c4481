"""One case from scans to endpoints, in a world of bright balls."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.imaging import GRID, BrightSegmenter, VoxelCounter, World
from tests.fakes.store import MemoryBlobStore
from trialimg.core.lesions import LesionKind, NonTargetStatus, Role, Seen
from trialimg.core.prompts import PointPrompt
from trialimg.core.trial import Subject
from trialimg.protocol.images import PromptKind
from trialimg.protocol.load import load_protocol
from trialimg.services.annotations import Annotation, Status
from trialimg.services.case import CaseMaterial, CasePipeline
from trialimg.services.images import ContourSet, FileRecord
from trialimg.volume import Mask

BASELINE, W06, W12 = dt.date(2025, 1, 13), dt.date(2025, 2, 26), dt.date(2025, 4, 9)
LIVER, NECK, NEXT_TO_LIVER = (70.0, 10.0, 30.0), (-40.0, 60.0, 72.0), (38.0, 10.0, 30.0)


@pytest.fixture(scope="module")
def protocol(root: Path):
    return load_protocol(root / "protocols" / "nsclc_recist11.yaml")


def says(lesion: str, day: dt.date, *, at=None, role=Role.TARGET, status=None, kind=PromptKind.POINT, reason=""):
    """A reader points at a place, or says a word."""
    shown = at is not None or kind is PromptKind.CONTOUR
    return Annotation(
        "S1", day, f"S1.{day.isoformat()}", lesion, role, LesionKind.NON_NODAL, "liver", kind if shown else None,
        PointPrompt(at) if at is not None else None, status, reason, "R1", f"annotations.csv:{lesion}:{day}",
    )  # fmt: skip


def run(protocol, world: World, *annotations: Annotation, store: MemoryBlobStore | None = None):
    pipeline = CasePipeline(protocol, Path(), world, BrightSegmenter(), VoxelCounter(), store or MemoryBlobStore())
    subject = Subject("S1", "01", "A", reference_date=dt.date(2025, 1, 15))
    material = CaseMaterial(subject, tuple(world.series), tuple(world.contour_sets), annotations)
    return pipeline(material)


def seen_at(outcome, visit: str) -> dict[str, tuple[str, str]]:
    """Lesion label to what was seen and its diameter."""
    timepoint = next(t for t in outcome.result.timepoints if t.timepoint.id == visit)
    return {
        lesion.observation.lesion.label: (lesion.observation.seen.value, str(lesion.observation.diameter_mm))
        for lesion in timepoint.lesions
    }


def overall(outcome) -> dict[str, str]:
    return {t.timepoint.id: t.assessment.overall.value for t in outcome.result.timepoints if t.assessment is not None}


def codes(outcome) -> list[str]:
    return [finding.code for finding in outcome.result.findings]


def test_a_lesion_that_shrinks_and_then_goes_is_pr_then_cr(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 20))
    world.add("S1", W12)
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    assert [seen for seen, _ in (seen_at(outcome, v)["T01"] for v in ("BL", "W06", "W12"))] == [
        "measured",
        "measured",
        "absent",
    ]
    assert overall(outcome) == {"W06": "PR", "W12": "CR"}
    baseline = outcome.result.timepoints[0]
    assert float(baseline.baseline_sum_mm) == pytest.approx(40, abs=4)
    assert baseline.lesions[0].features == {"voxels": pytest.approx(np.pi / 6 * 40**3 / 96, rel=0.1)}
    assert baseline.lesions[0].observation.evidence[0].digest.startswith("sha256:")
    assert outcome.result.endpoints is not None


def test_the_body_may_lie_elsewhere_on_the_table(protocol):
    moved = replace(GRID, origin_lps_mm=(-114.0, -100.0, -12.0))
    world = World()
    world.add("S1", BASELINE, (LIVER, 32))
    world.add("S1", W06, (LIVER, 32), grid=moved)
    shift = np.subtract(moved.origin_lps_mm, GRID.origin_lps_mm)
    world.volumes[f"S1.{W06.isoformat()}"] = replace(world.volumes[f"S1.{BASELINE.isoformat()}"], geometry=moved)
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    lesion = outcome.result.timepoints[1].lesions[0]
    assert lesion.observation.seen is Seen.MEASURED
    assert lesion.measurement is not None
    middle = np.mean(lesion.measurement.long_axis_lps_mm, axis=0)
    assert np.linalg.norm(middle - np.add(LIVER, shift)) < 8


def test_one_bad_series_is_not_evaluable_with_its_reason_and_a_finding(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, broken="3 slices missing after slice 10")
    world.add("S1", W12, (LIVER, 20))
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    assert seen_at(outcome, "W06")["T01"] == ("not_evaluable", "None")
    reason = outcome.result.timepoints[1].lesions[0].observation.reason
    assert "3 slices missing after slice 10" in reason
    assert overall(outcome) == {"W06": "NE", "W12": "PR"}
    excluded = [f for f in outcome.result.findings if f.severity.value == "excluded"]
    assert [(f.code, f.timepoint) for f in excluded] == [("missing_slices", "W06")]


def test_a_place_that_the_later_scan_does_not_show_is_not_evaluable_never_absent(protocol):
    low_part = replace(GRID, size=(64, 56, 8), origin_lps_mm=(-126.0, -110.0, 96.0))
    world = World()
    world.add("S1", BASELINE, (LIVER, 30))
    world.add("S1", W06, grid=low_part)
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    assert seen_at(outcome, "W06")["T01"][0] == "not_evaluable"


def test_a_split_lesion_counts_as_the_sum_of_its_parts(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 48))
    world.add("S1", W06, ((54.0, 10.0, 30.0), 16), ((86.0, 10.0, 30.0), 16))
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    lesion = outcome.result.timepoints[1].lesions[0]
    assert lesion.fragments == 2
    assert float(lesion.observation.diameter_mm) == pytest.approx(32, abs=6)


def test_lesions_that_meet_share_no_voxel_and_a_reader_is_asked(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 24), (NEXT_TO_LIVER, 24))
    world.add("S1", W06, (LIVER, 40), (NEXT_TO_LIVER, 40))
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER), says("T02", BASELINE, at=NEXT_TO_LIVER))
    diameters = [float(diameter) for _, diameter in seen_at(outcome, "W06").values()]
    assert max(diameters) < 48
    assert codes(outcome).count("lesions_meet") == 2


def test_a_new_lesion_is_progression_and_is_followed_from_then_on(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 40), (NECK, 24))
    world.add("S1", W12, (LIVER, 40), (NECK, 32))
    new = says("N01", W06, at=NECK, role=Role.NEW, status=Status.UNEQUIVOCAL)
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER), new)
    assert "N01" not in seen_at(outcome, "BL")
    assert seen_at(outcome, "W12")["N01"][0] == "measured"
    assert overall(outcome) == {"W06": "PD", "W12": "PD"}


def test_a_readers_word_stands_over_what_the_software_saw(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40), (NECK, 24))
    world.add("S1", W06, (LIVER, 40), (NECK, 24))
    outcome = run(
        protocol,
        world,
        says("T01", BASELINE, at=LIVER),
        says("NT01", BASELINE, at=NECK, role=Role.NON_TARGET),
        says("T01", W06, status=Status.NOT_EVALUABLE, reason="motion"),
        says("NT01", W06, role=Role.NON_TARGET, status=Status.UNEQUIVOCAL_PROGRESSION),
    )
    assert seen_at(outcome, "W06")["T01"] == ("not_evaluable", "None")
    non_target = outcome.result.timepoints[1].lesions[1].observation
    assert non_target.status is NonTargetStatus.UNEQUIVOCAL_PROGRESSION
    assert overall(outcome) == {"W06": "PD"}


def test_non_targets_are_present_or_absent_by_what_is_seen(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40), (NECK, 24))
    world.add("S1", W06, (LIVER, 40))
    said = (says("T01", BASELINE, at=LIVER), says("NT01", BASELINE, at=NECK, role=Role.NON_TARGET))
    outcome = run(protocol, world, *said)
    statuses = [t.lesions[1].observation.status for t in outcome.result.timepoints]
    assert statuses == [NonTargetStatus.PRESENT, NonTargetStatus.ABSENT]


def test_an_outlined_lesion_is_taken_as_it_was_drawn(protocol):
    world = World()
    record = world.add("S1", BASELINE, (LIVER, 40))
    drawn = np.zeros(GRID.shape, np.uint8)
    drawn[4:6, 28:32, 46:52] = 1
    world.contour_sets.append(
        ContourSet("S1", record.series_uid, record.frame_of_reference_uid, FileRecord("rt.dcm", "sha256:rt"), ("T01",))
    )
    world.regions["rt.dcm"] = {"T01": Mask(drawn, GRID)}
    outcome = run(protocol, world, says("T01", BASELINE, kind=PromptKind.CONTOUR))
    assert outcome.result.timepoints[0].lesions[0].features == {"voxels": float(drawn.sum())}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (says("T01", BASELINE, at=(900.0, 0.0, 0.0)), "lesion_not_found"),
        (says("T01", BASELINE, at=NECK), "lesion_not_found"),
        (says("T01", BASELINE, kind=PromptKind.CONTOUR), "lesion_not_found"),
        (says("T01", dt.date(2024, 1, 1), at=LIVER), "annotation_without_image"),
        (says("N01", BASELINE, at=LIVER, role=Role.NEW, status=Status.UNEQUIVOCAL), "lesion_out_of_turn"),
        (says("T09", W06, at=LIVER), "lesion_out_of_turn"),
    ],
)
def test_what_cannot_be_used_is_a_finding_and_the_case_goes_on(protocol, said, code):
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 40))
    outcome = run(protocol, world, said)
    assert code in codes(outcome)
    assert outcome.result.endpoints is None or overall(outcome) == {"W06": "NE"}


def test_without_baseline_images_nothing_is_judged_and_the_reason_is_given(protocol):
    world = World()
    world.add("S1", W06, (LIVER, 40))
    outcome = run(protocol, world)
    assert outcome.result.endpoints is None
    assert "no_baseline" in codes(outcome)


def test_run_again_nothing_is_computed_or_decoded(protocol):
    store = MemoryBlobStore()
    world = World()
    world.add("S1", BASELINE, (LIVER, 40))
    world.add("S1", W06, (LIVER, 20))
    first = run(protocol, world, says("T01", BASELINE, at=LIVER), store=store)
    world.decoded.clear()
    again = run(protocol, world, says("T01", BASELINE, at=LIVER), store=store)
    assert again.tally.computed == {}
    assert world.decoded == []
    assert again.tally.reused == first.tally.computed
    assert overall(again) == overall(first)


def test_a_target_thinner_than_two_thick_slices_is_questioned_at_baseline(protocol):
    world = World()
    world.add("S1", BASELINE, (LIVER, 11))
    outcome = run(protocol, world, says("T01", BASELINE, at=LIVER))
    (finding,) = (f for f in outcome.result.findings if f.code == "target_too_small")
    assert "2 x slice thickness 6.0 mm" in finding.message
