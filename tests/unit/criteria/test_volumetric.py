"""Response by volume, at its thresholds and beside them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.readings import judged_by
from trialimg.criteria import volumetric
from trialimg.criteria.volumetric import Rules


@pytest.mark.parametrize(
    ("course", "words"),
    [
        ("v20.0 v7.0", "PR"), ("v20.0 v7.1", "SD"), ("v20.0 v10.0 v14.0", "SD PD"), ("v20.0 v10.0 v13.9", "SD SD"),
        ("v20 0", "CR"), ("v20 0 v0.1", "CR PD"), ("v20 NE", "NE"), ("v20 12", "NE"), ("v20 small", "PR"),
    ],
)  # fmt: skip
def test_thresholds_are_met_exactly(course: str, words: str) -> None:
    visits = " ".join(["BL", "W06", "W12"][: len(course.split())])
    judged_by(volumetric, f"{visits}\nT1 liver {course}\n= overall {words}")


def test_thresholds_are_settings() -> None:
    table = "BL W06 W12\nT1 liver v20 v13 v16\n= overall {}"
    judged_by(volumetric, table.format("SD SD"))
    judged_by(volumetric, table.format("PR SD"), Rules(pr_decrease=Decimal("0.30")))
    judged_by(volumetric, table.format("SD PD"), Rules(pd_increase=Decimal("0.20")))
    judged_by(volumetric, table.format("SD SD"), Rules(pd_increase=Decimal("0.20"), pd_min_increase_ml=Decimal(4)))
    judged_by(volumetric, "BL W06\nT1 liver v10 v14\n= overall SD", Rules(strict=True))
    with pytest.raises(ValueError, match="pr_decrease"):
        Rules(pr_decrease=Decimal(1))


def test_missing_volumes_never_count_and_may_be_progression_without_them() -> None:
    judged_by(
        volumetric,
        """
                    BL   W06  W12  W18
        T1 liver    v10  v10  v5   v28
        T2 lung     v10  NE   v5   NE
        = target         NE   SD   PD
    """,
    )


def test_a_target_back_after_nothing_needs_no_ratio() -> None:
    answers = judged_by(
        volumetric,
        """
                    BL   W06  W12
        T1 liver    v10  0    v0.2
        NT1 bone    yes  yes  yes
        = overall        PR   PD
    """,
    )
    assert answers[1].rule[0].rule == "VOL/N4"
    assert answers[1].measures[0].change_from_nadir_pct is None


def test_new_lesions_and_non_targets_count_as_in_recist() -> None:
    judged_by(volumetric, "BL W06\nT1 liver v10 v1\nNL1 lung . new\n= overall PD")
    judged_by(volumetric, "BL W06\nT1 liver v10 0\nNT1 lung yes yes\n= overall PR")
