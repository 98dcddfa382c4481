"""What may be a target at baseline; each row one lesion at the edge of a rule."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from trialimg.core.lesions import Lesion, LesionKind, LesionNature, Observation, Seen
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist10
from trialimg.criteria.recist11 import BaselineTarget, IrradiatedTarget, Modality, Rules, conformance
from trialimg.criteria.registry import criterion

BASELINE = Timepoint("BL", 0, dt.date(2024, 3, 1))
START = dt.date(2024, 3, 10)


def target(
    size_mm: str,
    *,
    name: str = "T1",
    organ: str = "liver",
    kind: LesionKind = LesionKind.NON_NODAL,
    slice_mm: str | None = "5",
    modality: Modality = Modality.CT_MRI,
    treated: bool = False,
    nature: LesionNature | None = None,
) -> BaselineTarget:
    lesion = Lesion(name, kind, organ, prior_local_therapy=treated, nature=nature)
    seen = Observation(lesion, BASELINE, Seen.MEASURED, Decimal(size_mm))
    return BaselineTarget(seen, Decimal(slice_mm) if slice_mm else None, modality)


def codes(
    *targets: BaselineTarget, rules: Rules | None = None, start: dt.date | None = START, baseline: Timepoint = BASELINE
) -> list[str]:
    return [finding.code for finding in conformance("S1", targets, baseline, start_date=start, rules=rules or Rules())]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (target("10.0"), []),
        (target("9.9"), ["target_too_small"]),
        (target("10.0", slice_mm=None), []),
        (target("12.0", slice_mm="6"), []),
        (target("11.9", slice_mm="6"), ["target_too_small"]),
        (target("15.9", slice_mm="8"), ["target_too_small"]),
        (target("10.0", modality=Modality.CALIPER, slice_mm=None), []),
        (target("19.9", modality=Modality.CHEST_XRAY, slice_mm=None), ["target_too_small"]),
        (target("20.0", modality=Modality.CHEST_XRAY, slice_mm=None), []),
        (target("15.0", kind=LesionKind.NODAL), []),
        (target("14.9", kind=LesionKind.NODAL), ["target_node_too_small"]),
        (target("30.0", treated=True), ["target_treated_before"]),
    ],
)
def test_size_of_a_target(chosen: BaselineTarget, found: list[str]) -> None:
    assert codes(chosen) == found


def test_a_treated_target_may_be_allowed() -> None:
    assert codes(target("30.0", treated=True), rules=Rules(irradiated_target=IrradiatedTarget.ALLOWED)) == []


def test_a_target_that_was_not_measured_is_named() -> None:
    lesion = Lesion("T1", LesionKind.NON_NODAL, "liver")
    small = BaselineTarget(Observation(lesion, BASELINE, Seen.TOO_SMALL))
    assert codes(small) == ["target_not_measured"]


def test_six_targets_are_one_too_many_and_three_in_an_organ_too() -> None:
    organs = ["liver", "liver", "bone", "spleen", "adrenal"]
    five = [target("20", name=f"T{i}", organ=organ) for i, organ in enumerate(organs)]
    assert codes(*five) == []
    assert codes(*five, target("20", name="T6", organ="skin")) == ["too_many_targets"]
    assert codes(*five[:4], target("20", name="T6", organ="Liver")) == ["too_many_targets_in_organ"]


def test_both_lungs_are_one_organ_and_so_are_all_nodes() -> None:
    lungs = [target("20", name=f"T{i}", organ=o) for i, o in enumerate(["left lung", "Lung, right", "lungs"])]
    assert codes(*lungs) == ["too_many_targets_in_organ"]
    nodes = [
        target("20", name=f"N{i}", organ=o, kind=LesionKind.NODAL) for i, o in enumerate(["axilla", "neck", "pelvis"])
    ]
    assert codes(*nodes) == ["too_many_targets_in_organ"]


@pytest.mark.parametrize(
    ("days_before", "found"), [(0, []), (28, []), (29, ["baseline_too_early"]), (-1, ["baseline_after_start"])]
)
def test_age_of_the_baseline(days_before: int, found: list[str]) -> None:
    assert codes(target("20"), start=BASELINE.date + dt.timedelta(days=days_before)) == found


def test_the_earliest_image_decides_the_age_of_the_baseline() -> None:
    spread = Timepoint("BL", 0, dt.date(2024, 3, 1), first_date=dt.date(2024, 2, 1))
    assert codes(target("20"), baseline=spread) == ["baseline_too_early"]


def test_without_a_start_date_the_age_is_said_to_be_unknown() -> None:
    assert codes(target("20"), start=None) == ["baseline_window_unknown"]


def test_a_normal_node_is_no_non_target_disease() -> None:
    node = Lesion("NT1", LesionKind.NODAL, "neck")
    nodes = [Observation(node, BASELINE, Seen.MEASURED, Decimal(size)) for size in ("9.9", "10.0")]
    found = conformance("S1", [target("20")], BASELINE, start_date=START, rules=Rules(), non_targets=nodes)
    assert [finding.code for finding in found] == ["non_target_node_normal"]


@pytest.mark.parametrize("nature", LesionNature)
def test_what_can_never_be_measured_is_no_target_whatever_its_size(nature: LesionNature) -> None:
    never = {
        "leptomeningeal", "ascites", "effusion", "inflammatory_breast", "lymphangitis", "palpable_only",
        "blastic_bone", "lytic_bone",
    }  # fmt: skip
    expected = ["target_never_measurable"] if nature.value in never else []
    expected = ["not_disease"] if nature is LesionNature.SIMPLE_CYST else expected
    assert codes(target("80", nature=nature)) == expected


def test_the_soft_tissue_of_a_lytic_lesion_is_measured_as_any_other() -> None:
    assert codes(target("9.9", nature=LesionNature.LYTIC_BONE_SOFT_TISSUE)) == ["target_too_small"]


@pytest.mark.parametrize(
    ("size_mm", "nature", "found"),
    [
        ("10.0", LesionNature.SOLID, ["target_cystic"]),
        ("9.9", LesionNature.SOLID, []),
        ("30", LesionNature.CYSTIC_METASTASIS, []),
        ("30", None, []),
    ],
)
def test_a_cystic_target_stands_behind_solid_lesions(
    size_mm: str, nature: LesionNature | None, found: list[str]
) -> None:
    other = target(size_mm, name="NT1", nature=nature).observation
    cystic = target("30", nature=LesionNature.CYSTIC_METASTASIS)
    answer = conformance("S1", [cystic], BASELINE, start_date=START, rules=Rules(), non_targets=[other])
    assert [finding.code for finding in answer] == found


def test_a_simple_cyst_is_no_disease_in_any_role_and_by_any_criterion() -> None:
    cyst = target("30", name="NT1", nature=LesionNature.SIMPLE_CYST).observation
    for name in ("recist11", "mrecist", "volumetric", "rano2", "percist"):
        wanted = criterion(name)
        found = wanted.conformance("S1", [], BASELINE, start_date=START, rules=wanted.rules, non_targets=[cyst])
        assert [(f.code, f.where) for f in found] == [("not_disease", "S1 BL NT1")], name


def test_recist_10_allows_ten_targets_and_knows_no_nodal_size() -> None:
    ten = [target("12", name=f"T{i}", organ=f"organ {i % 2}", kind=LesionKind.NODAL) for i in range(10)]
    assert codes(*ten, rules=recist10.Rules()) == []
    assert "too_many_targets" in codes(*ten)


def test_a_finding_says_where_and_why() -> None:
    (finding,) = conformance("S1", [target("14.9", kind=LesionKind.NODAL)], BASELINE, start_date=START, rules=Rules())
    assert (finding.subject, finding.timepoint) == ("S1", "BL")
    assert finding.where == "S1 BL T1"
    assert finding.message == "node short axis 14.9 mm < 15 mm (R3)"
