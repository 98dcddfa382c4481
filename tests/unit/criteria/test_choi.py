"""Choi and modified Choi as tables: sum of longest diameters @ mean attenuation."""

from __future__ import annotations

import itertools
from decimal import Decimal
from types import ModuleType

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.core.errors import ReadingError
from trialimg.core.settings import overridden
from trialimg.criteria import choi, mchoi
from trialimg.criteria.choi import Decline, Facts, GrowthReference, Nodule, Rules


def words(criterion: ModuleType, *cells: str) -> list[str]:
    """Target words of one liver lesion over visits."""
    visits = " ".join(["BL", *(f"W{6 * i:02d}" for i in range(1, len(cells)))])
    answers = judged_by(criterion, f"{visits}\nT1 liver {' '.join(cells)}")
    return [str(a.target.value) for a in answers]


class TestPublishedExample:
    def test_darker_alone_is_a_response_by_choi(self) -> None:
        assert words(choi, "100@60", "95@51") == ["PR"]

    def test_darker_alone_is_none_by_modified_choi(self) -> None:
        assert words(mchoi, "100@60", "95@51") == ["SD"]

    def test_a_larger_but_darker_lesion_responds(self) -> None:
        assert words(choi, "100@60", "112@50") == ["PR"]

    def test_a_larger_lesion_not_dark_enough_progresses(self) -> None:
        (answer,) = judged_by(choi, "BL W06\nT1 liver 100@60 112@55\n= overall PD")
        assert answer.rule[0].rule == "CHOI/CH3"
        assert "sum 112 mm >= 1.10 x nadir 100 mm = 110 mm" in answer.rule[0].sentence
        assert "attenuation 55 HU > 0.85 x baseline 60 HU = 51 HU" in answer.rule[0].sentence


@pytest.mark.parametrize(
    ("cell", "by_choi", "by_mchoi"),
    [
        ("90.0@100", "PR", "SD"),
        ("90.1@100", "SD", "SD"),
        ("100@85.0", "PR", "SD"),
        ("100@85.1", "SD", "SD"),
        ("90.0@85.0", "PR", "PR"),
        ("110.0@100", "PD", "PD"),
        ("109.9@100", "SD", "SD"),
        ("110.0@85.0", "PR", "SD"),
        ("gone", "CR", "CR"),
        ("NE", "NE", "NE"),
    ],
)
def test_thresholds_count_at_exactly_ten_and_fifteen_per_cent(cell: str, by_choi: str, by_mchoi: str) -> None:
    assert words(choi, "100@100", cell) == [by_choi]
    assert words(mchoi, "100@100", cell) == [by_mchoi]


class TestWhatIsNotKnown:
    def test_without_attenuation_stable_size_leaves_response_and_stability_open(self) -> None:
        assert words(choi, "100@60", "95") == ["NE"]
        assert words(mchoi, "100@60", "95") == ["SD"]

    def test_without_attenuation_ten_per_cent_smaller_responds_by_choi_only(self) -> None:
        assert words(choi, "100@60", "90") == ["PR"]
        assert words(mchoi, "100@60", "90") == ["NE"]

    def test_without_attenuation_growth_is_not_progression(self) -> None:
        assert words(choi, "100@60", "120") == ["NE"]

    def test_an_attenuation_of_zero_or_below_at_baseline_gives_no_ratio(self) -> None:
        assert words(choi, "100@-5", "95@-10") == ["NE"]
        assert words(choi, "100@0", "95@-10") == ["NE"]

    def test_a_missing_target_leaves_no_sum(self) -> None:
        judged_by(choi, "BL W06\nT1 liver 50@60 50@60\nT2 liver 50@60 .\n= target NE")


class TestCourse:
    def test_growth_is_held_against_the_nadir_or_baseline_as_set(self) -> None:
        table = "BL W06 W12\nT1 liver 100@60 80@60 90@60\n= target PR {}"
        judged_by(choi, table.format("PD"))
        judged_by(choi, table.format("PR"), Rules(growth_reference=GrowthReference.BASELINE))

    def test_attenuation_is_the_mean_over_targets(self) -> None:
        (answer,) = judged_by(choi, "BL W06\nT1 liver 50@60 50@40\nT2 liver 50@60 50@62\n= target PR")
        assert (answer.measures[0].value, answer.measures[0].baseline) == (Decimal(51), Decimal(60))

    def test_a_lesion_that_has_gone_leaves_the_mean_on_both_sides(self) -> None:
        judged_by(choi, "BL W06\nT1 liver 50@60 50@60\nT2 liver 4@20 gone\n= target SD")

    def test_a_lesion_back_after_complete_response_is_progression(self) -> None:
        judged_by(choi, "BL W06 W12\nT1 liver 50@60 gone 4@20\n= overall CR PD")

    def test_a_nodule_within_the_tumour_is_progression(self) -> None:
        table = "BL W06\nT1 liver 100@60 80@40\n= target {}"
        for nodule, word in ((Nodule.NEW, "PD"), (Nodule.GROWING, "PD"), (Nodule.ABSENT, "PR")):
            judged_by(choi, table.format(word), W06=Facts(nodule=nodule))

    def test_symptomatic_decline_forbids_stable_disease(self) -> None:
        table = "BL W06\nT1 liver 100@60 100@60\n= target {}"
        judged_by(choi, table.format("NE"), W06=Facts(symptomatic_decline=True))
        judged_by(choi, table.format("PD"), Rules(decline=Decline.PD), W06=Facts(symptomatic_decline=True))

    def test_new_and_worse_lesions_progress(self) -> None:
        judged_by(choi, "BL W06\nT1 liver 100@60 80@40\nNL1 lung . new\n= overall PD")
        judged_by(choi, "BL W06\nT1 liver 100@60 80@40\nNT1 lung yes worse\n= overall PD")

    def test_an_equivocal_lesion_confirmed_later_is_dated_back_and_says_what_was_read(self) -> None:
        first, _ = judged_by(choi, "BL W06 W12\nT1 liver 100@60 80@40 80@40\nNL1 lung . maybe new\n= overall PD PD")
        assert any("overall was PR as first read" in firing.sentence for firing in first.rule)


def test_the_order_of_lesions_changes_nothing() -> None:
    record = readings("BL W06\nT1 liver 50@60 30@70\nT2 liver 20@40 25@30\nNT1 lung yes yes\nNL1 lung . maybe")
    answers = {
        str(choi.assess(tracks, record.designations, record.timepoints)[0].overall)
        for tracks in itertools.permutations(record.tracks)
    }
    assert len(answers) == 1


def test_a_negative_setting_is_refused() -> None:
    with pytest.raises(ReadingError, match="cannot stand together"):
        overridden(Rules(), {"pr_hu_decrease": "-0.1"})
