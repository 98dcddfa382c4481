"""The RANO family as tables: ``30x20`` is a lesion's two diameters, ``v7.0`` its volume in mL."""

from __future__ import annotations

import itertools
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.core.errors import ReadingError
from trialimg.core.responses import CriterionAssessment, RanoResponse
from trialimg.criteria import rano, rano2, rano2010, rano_bm, rano_lgg
from trialimg.criteria.rano import (
    Change,
    Clinical,
    ConfirmReference,
    Disease,
    LesionReference,
    Metric,
    SteroidReason,
    Steroids,
    Unstated,
    combined,
)


def facts(weeks: int | None = None, **more: Any) -> rano.Facts:
    """Steroids and clinical state stable, so many weeks after radiotherapy."""
    known = {"steroids": Steroids.OFF, "clinical": Clinical.STABLE, **more}
    return rano.Facts(weeks_since_rt=None if weeks is None else Decimal(weeks), **known)


def words(criterion: ModuleType, *cells: str, rules: Any = None, **known: rano.Facts) -> list[str]:
    """Overall words of one lesion at visits six weeks apart."""
    visits = ["BL", *(f"W{6 * i:02d}" for i in range(1, len(cells)))]
    everything = {visit: known.get(visit, facts()) for visit in visits}
    answers = judged_by(criterion, f"{' '.join(visits)}\nT1 brain {' '.join(cells)}", rules, **everything)
    return [str(a.overall.value) for a in answers]


class TestLowGrade:
    @pytest.mark.parametrize(
        ("now", "word"),
        [
            ("30x28", "MR"),
            ("30x20", "PR"),
            ("50x30", "PD"),
            ("30x20.1", "MR"),
            ("30x30", "MR"),
            ("30x30.1", "SD"),
            ("50x29.9", "SD"),
            ("gone", "CR"),
        ],
    )
    def test_words_by_the_product(self, now: str, word: str) -> None:
        assert words(rano_lgg, "40x30", now) == [word]

    def test_new_enhancement_bars_a_response(self) -> None:
        assert words(rano_lgg, "40x30", "30x20", W06=facts(enhancement=Change.INCREASED)) == ["SD"]


class TestProduct:
    def test_half_is_a_response_that_a_later_scan_confirms(self) -> None:
        first, second = judged_by(
            rano2, "BL W08 W12\nT1 brain 30x20 25x12 29x10\n= overall PR PR", BL=facts(), W08=facts(20), W12=facts(24)
        )
        assert first.rule[-1].sentence == "PR held at W12, 28 days later: confirmed"
        assert second.rule[-1].sentence == "PR not yet held for 28 days"

    def test_early_growth_that_does_not_last_becomes_stable_disease(self) -> None:
        first, second = judged_by(
            rano2, "BL W04 W08\nT1 brain 30x20 30x25 34x20\n= overall SD SD", W04=facts(8), W08=facts(12)
        )
        assert "preliminary until a later scan confirms it" in first.rule[-2].sentence
        assert first.rule[-1].sentence == "was preliminary PD; not confirmed at W08: SD"
        assert first.rule[-1].numbers == {"overall_before": "preliminary PD"}
        assert "sum 680 mm2 > 0.50 x baseline 600 mm2" in second.rule[0].sentence

    def test_late_growth_progresses_at_once(self) -> None:
        assert words(rano2, "30x20", "30x25", W06=facts(20)) == ["PD"]

    @pytest.mark.parametrize(
        ("now", "word"),
        [("30x10", "PR"), ("30x10.1", "SD"), ("30x24.9", "SD"), ("30x25", "PD"), ("gone", "CR"), ("30", "NE")],
    )
    def test_thresholds(self, now: str, word: str) -> None:
        assert words(rano2, "30x20", now) == [word]

    def test_growth_is_held_against_the_nadir(self) -> None:
        assert words(rano2, "30x20", "20x10", "25x10") == ["PR", "PD"]

    def test_a_lesion_back_after_all_had_gone_has_no_ratio(self) -> None:
        (_, last) = judged_by(rano2, "BL W06 W12\nT1 brain 30x20 gone 12x10\n= overall CR PD")
        assert any(firing.rule == "RANO/N4" for firing in last.rule)


class TestVolume:
    @pytest.mark.parametrize(("now", "word"), [("v7.0", "PR"), ("v7.1", "SD"), ("v28.0", "PD"), ("v27.9", "SD")])
    def test_words_by_the_volume(self, now: str, word: str) -> None:
        assert words(rano2, "v20.0", now, rules=rano2.Rules(metric=Metric.VOLUME)) == [word]

    @pytest.mark.parametrize(("now", "word"), [("v14.0", "PD"), ("v13.9", "SD")])
    def test_growth_over_the_nadir(self, now: str, word: str) -> None:
        rules = rano2.Rules(metric=Metric.VOLUME)
        assert words(rano2, "v20.0", "v10.0", now, rules=rules) == ["SD", word]

    def test_minor_response_in_non_enhancing_disease(self) -> None:
        rules = rano2.Rules(metric=Metric.VOLUME, disease=Disease.NON_ENHANCING)
        assert words(rano2, "v20.0", "v12.0", rules=rules) == ["MR"]
        assert words(rano2, "v20.0", "v12.1", rules=rules) == ["SD"]


class TestMixedDisease:
    @pytest.mark.parametrize(
        ("enhancing", "other", "word"),
        [
            ("PR", "PD", "PD"),
            ("CR", "SD", "SD"),
            ("CR", "MR", "MR"),
            ("MR", "SD", "MR"),
            ("PR", "SD", "PR"),
            ("PR", "MR", "MR"),
            ("CR", "PR", "PR"),
            ("CR", "CR", "CR"),
            ("SD", "SD", "SD"),
            ("CR", "NE", "NE"),
            ("PD", "NE", "PD"),
        ],
    )
    def test_two_compartments_become_one_word_either_way_round(self, enhancing: str, other: str, word: str) -> None:
        assert combined(RanoResponse(enhancing), RanoResponse(other)).value == word
        assert combined(RanoResponse(other), RanoResponse(enhancing)).value == word

    def test_both_are_scored_side_by_side(self) -> None:
        rules = rano2.Rules(disease=Disease.MIXED)
        judged_by(
            rano2,
            """
                               BL     W06
            T1 enhancing       30x20  25x12
            T2 non_enhancing   40x30  50x30
            = enhancing        PR
            = non_enhancing    PD
            = overall          PD
            """,
            rules,
        )

    def test_a_lesion_of_neither_compartment_is_refused(self) -> None:
        with pytest.raises(ReadingError) as refused:
            judged_by(rano2, "BL W06\nT1 brain 30x20 25x12", rano2.Rules(disease=Disease.MIXED))
        assert refused.value.faults[0].code == "no_compartment"


class TestSteroidsAndClinic:
    def test_a_higher_dose_for_another_reason_holds_the_word(self) -> None:
        higher = facts(steroids=Steroids.INCREASED, steroid_reason=SteroidReason.OTHER)
        assert words(rano2, "30x20", "30x20", W06=higher) == ["hold"]

    def test_once_the_dose_is_back_it_was_stable(self) -> None:
        higher = facts(steroids=Steroids.INCREASED)
        assert words(rano2, "30x20", "30x20", "30x20", W06=higher) == ["SD", "SD"]

    def test_once_the_tumour_is_the_reason_it_was_progression_from_the_first_higher_dose(self) -> None:
        higher = facts(steroids=Steroids.INCREASED)
        worse = facts(steroids=Steroids.INCREASED, clinical=Clinical.WORSE)
        answers = judged_by(rano2, "BL W06 W12\nT1 brain 30x20 30x20 30x20\n= overall PD PD", W06=higher, W12=worse)
        assert answers[0].rule[-1].numbers == {"overall_before": "hold"}

    def test_complete_response_needs_no_steroids_beyond_replacement(self) -> None:
        for dose, word in ((Steroids.OFF, "CR"), (Steroids.PHYSIOLOGICAL, "CR"), (Steroids.STABLE, "PR")):
            assert words(rano2010, "30x20", "gone", W06=facts(steroids=dose)) == [word]

    def test_clinical_decline_progresses(self) -> None:
        assert words(rano2, "30x20", "20x10", W06=facts(clinical=Clinical.WORSE)) == ["PD"]

    def test_what_was_not_recorded_is_said_or_stops(self) -> None:
        (answer,) = judged_by(rano2, "BL W06\nT1 brain 30x20 25x12\n= overall PR")
        assert any("steroids and clinical state not recorded" in f.sentence for f in answer.rule)
        judged_by(rano2, "BL W06\nT1 brain 30x20 25x12\n= overall NE", rano2.Rules(unstated=Unstated.NE))


class TestEarlyProgression:
    @pytest.mark.parametrize(
        ("weeks", "by_2", "by_2010"), [(11, "preliminary PD", "hold"), (12, "preliminary PD", "PD"), (13, "PD", "PD")]
    )
    def test_twelve_weeks_belong_to_the_window_in_rano_2_only(self, weeks: int, by_2: str, by_2010: str) -> None:
        assert words(rano2, "30x20", "30x25", W06=facts(weeks)) == [by_2]
        assert words(rano2010, "30x20", "30x25", W06=facts(weeks)) == [by_2010]

    def test_outside_of_the_field_or_proven_it_stands_at_once(self) -> None:
        assert words(rano2010, "30x20", "30x25", W06=facts(6, outside_field=True)) == ["PD"]
        assert words(rano2, "30x20", "30x25", W06=facts(6, histology=True)) == ["PD"]

    def test_confirmed_it_is_dated_at_the_first_scan(self) -> None:
        first, second = judged_by(
            rano2, "BL W04 W08\nT1 brain 30x20 30x25 30x25\n= overall PD PD", W04=facts(6), W08=facts(10)
        )
        assert first.rule[-1].sentence == "was preliminary PD; confirmed at W08, so it is dated here: PD"
        assert second.overall is RanoResponse.PD

    def test_a_scan_within_four_weeks_settles_nothing(self) -> None:
        table = "BL W04 W07\nT1 brain 30x20 30x25 {}\n= overall preliminary_PD {}"
        judged_by(rano2, table.format("30x25", "preliminary_PD"), W04=facts(6), W07=facts(9))
        judged_by(rano2, table.format("30x20", "SD"), W04=facts(6), W07=facts(9))

    def test_a_missing_scan_settles_nothing(self) -> None:
        judged_by(
            rano2,
            "BL W04 W08 W12\nT1 brain 30x20 30x25 NE 30x25\n= overall PD NE PD",
            W04=facts(4), W08=facts(8), W12=facts(12),
        )  # fmt: skip

    def test_the_confirming_scan_may_have_to_exceed_the_first(self) -> None:
        rules = rano2.Rules(rano_confirm_ref=ConfirmReference.PRELIMINARY)
        table = "BL W04 W08\nT1 brain 30x20 30x25 {}\n= overall {}"
        known = {"W04": facts(4), "W08": facts(8)}
        judged_by(rano2, table.format("30x31", "preliminary_PD preliminary_PD"), rules, **known)
        judged_by(rano2, table.format("30x31.25", "PD PD"), rules, **known)

    def test_every_progression_may_have_to_wait(self) -> None:
        rules = rano2.Rules(confirm_pd_always=True)
        assert words(rano2, "30x20", "30x25", rules=rules) == ["preliminary PD"]


class TestOtherSigns:
    def test_a_new_lesion_progresses_once_it_is_measurable(self) -> None:
        table = "BL W06\nT1 brain 30x20 30x20\nNL1 brain . {}\n= overall {}"
        for cell, by_2, by_2010 in (("10x10", "PD", "PD"), ("10x9.9", "SD", "PD"), ("new", "PD", "PD")):
            judged_by(rano2, table.format(cell, by_2))
            judged_by(rano2010, table.format(cell, by_2010))

    def test_flair_counts_in_2010_only(self) -> None:
        more = facts(flair=Change.INCREASED)
        assert words(rano2010, "30x20", "30x20", W06=more) == ["PD"]
        assert words(rano2, "30x20", "30x20", W06=more) == ["SD"]

    def test_a_non_target_that_grew_counts_together_with_the_targets(self) -> None:
        table = "BL W06\nT1 brain 30x20 {}\nNT1 brain 10x10 20x15\n= overall {}"
        judged_by(rano2, table.format("30x20", "PD"))
        judged_by(rano2, table.format("20x20", "SD"))

    def test_without_targets_2010_knows_no_complete_response(self) -> None:
        judged_by(rano2010, "BL W06\nNT1 brain yes gone\n= overall SD")
        judged_by(rano2, "BL W06\nNT1 brain yes gone\n= overall CR")

    def test_a_new_lesion_confirmed_later_is_dated_back_and_says_what_was_read(self) -> None:
        first, _ = judged_by(rano2010, "BL W06 W12\nT1 brain 30x20 30x20 30x20\nNL1 brain . maybe new\n= overall PD PD")
        assert any("overall was SD as first read" in f.sentence for f in first.rule)


class TestBrainMetastases:
    FOUR = "BL W06\n{}\n= overall {}"

    def rows(self, *sizes: str) -> str:
        return "\n".join(f"T{i} brain 10 {size}" for i, size in enumerate(sizes, 1))

    def test_the_sum_progresses_only_with_one_lesion_larger_by_five_mm(self) -> None:
        judged_by(rano_bm, self.FOUR.format(self.rows("12", "12", "12", "12"), "SD"))
        judged_by(rano_bm, self.FOUR.format(self.rows("18", "10", "10", "10"), "PD"))
        judged_by(rano_bm, self.FOUR.format(self.rows("15", "11", "11", "11"), "PD"))
        judged_by(rano_bm, self.FOUR.format(self.rows("14.9", "11.1", "11", "11"), "SD"))

    def test_the_growth_of_a_lesion_is_held_against_the_nadir_or_its_own_smallest(self) -> None:
        table = "BL W06 W12\nT1 brain 20 6 11\nT2 brain 40 9 7.5\nT3 brain 10 1 1\n= overall PR {}"
        judged_by(rano_bm, table.format("PD"))
        table = "BL W06 W12 W18\nT1 brain 20 6 8 12\nT2 brain 40 14 9 9\n= overall PR PR {}"
        judged_by(rano_bm, table.format("PR"))
        judged_by(rano_bm, table.format("PD"), rano_bm.Rules(lesion_growth_reference=LesionReference.OWN_NADIR))

    def test_a_higher_steroid_dose_takes_a_response_but_leaves_stable_disease(self) -> None:
        higher = facts(steroids=Steroids.INCREASED)
        assert words(rano_bm, "20", "14", W06=higher) == ["SD"]
        assert words(rano_bm, "20", "20", W06=higher) == ["SD"]

    def test_under_immunotherapy_a_new_lesion_alone_is_no_progression(self) -> None:
        table = "BL W06\nT1 brain 20 {}\nNL1 brain . new\n= overall {}"
        judged_by(rano_bm, table.format("14", "PD"))
        judged_by(rano_bm, table.format("14", "PR"), rano_bm.Rules(new_lesion_is_pd=False))
        judged_by(rano_bm, table.format("gone", "PR"), rano_bm.Rules(new_lesion_is_pd=False))


@pytest.mark.parametrize("criterion", [rano2, rano2010, rano_lgg, rano_bm])
def test_the_order_of_lesions_changes_nothing(criterion: ModuleType) -> None:
    record = readings("BL W06\nT1 brain 30x20 25x12\nT2 brain 20x10 10x10\nNT1 brain yes yes\nNL1 brain . maybe")
    answers = {
        criterion.assess(tracks, record.designations, record.timepoints)[0].overall
        for tracks in itertools.permutations(record.tracks)
    }
    assert len(answers) == 1


def test_sums_stand_beside_the_words() -> None:
    def of(answers: tuple[CriterionAssessment, ...]) -> Any:
        return answers[0].measures[0]

    measure = of(judged_by(rano2, "BL W06\nT1 brain 30x20 25x12"))
    assert (measure.name, measure.value, measure.baseline) == ("spd_mm2", Decimal(300), Decimal(600))
    (answer,) = judged_by(rano_bm, "BL W06\nT1 brain 20 14")
    assert (answer.sums.sum_mm, answer.measures) == (Decimal(14), ())
