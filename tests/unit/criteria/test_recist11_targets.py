"""RECIST 1.1 target lesions as tables: rows of lesions, columns of visits, expected words below."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.readings import judged
from trialimg.core.errors import ReadingError
from trialimg.criteria.recist11 import (
    CrLost,
    Facts,
    LocalTherapy,
    PrHold,
    Rules,
)


class TestTargetThresholds:
    def test_thirty_per_cent_below_baseline_is_pr_and_a_tenth_less_is_not(self) -> None:
        judged("""
                        BL     W06   W12
            T1 liver    100.0  70.0  70.1
            = target           PR    SD
        """)

    def test_twenty_per_cent_and_five_mm_above_nadir_is_pd(self) -> None:
        judged("""
                        BL     W06   W12
            T1 liver    100.0  25.0  30.0
            = target           PR    PD
        """)

    def test_twenty_per_cent_but_only_four_mm_above_nadir_is_not(self) -> None:
        judged("""
                        BL     W06   W12
            T1 liver    100.0  20.0  24.0
            = target           PR    PR
        """)

    def test_five_mm_but_less_than_twenty_per_cent_is_not(self) -> None:
        judged("""
                        BL    W06   W12
            T1 liver    50.0  40.0  47.9
            T2 lung     50.0  40.0  48.0
            = sum             80.0  95.9
            = target          SD    SD
        """)

    def test_the_five_mm_belong_to_the_sum_not_to_one_lesion(self) -> None:
        judged("""
                        BL    W06
            T1 liver    12.0  14.5
            T2 lung     12.0  14.5
            = target          PD
        """)

    def test_growth_is_judged_against_the_nadir_and_shrinkage_against_baseline(self) -> None:
        judged("""
                        BL   W06  W12  W18
            T1 liver    165  63   65   110
            = target         PR   PR   PD
        """)

    def test_the_nadir_lies_before_the_timepoint_that_is_judged(self) -> None:
        first, second = judged("""
                        BL   W06  W12
            T1 liver    50   30   20
            = target         PR   PR
        """)
        assert (first.sums.nadir_mm, second.sums.nadir_mm) == (Decimal(50), Decimal(30))

    def test_strict_needs_more_than_twenty_per_cent(self) -> None:
        table = """
                        BL   W06
            T1 liver    100  120
            = target         {}
        """
        judged(table.format("PD"))
        judged(table.format("SD"), Rules(strict=True))


class TestNodes:
    def test_normal_nodes_allow_cr_with_a_sum_above_zero(self) -> None:
        judged("""
                        BL    W06
            T1 liver    20    0
            N1 node     18    9
            NT1 bone    yes   yes
            = target          CR
            = sum             9
            = overall         PR
        """)
        judged("""
                        BL    W06
            T1 liver    20    0
            N1 node     18    9
            NT1 bone    yes   gone
            = overall         CR
        """)

    def test_a_node_of_ten_mm_is_not_normal(self) -> None:
        judged("""
                        BL    W06   W12
            T1 liver    20    0     0
            N1 node     18    10.0  9.9
            = target          PR    CR
        """)

    def test_growth_among_normal_nodes_is_progression_only_where_the_charter_says_so(self) -> None:
        table = """
                        BL   W06  W12
            N1 node     16   4    7
            N2 node     16   4    7
            NT1 bone    yes  yes  yes
            = target         CR   {}
        """
        judged(table.format("CR"))
        judged(table.format("PD"), Rules(pd_within_normal_nodes=True))


class TestTooSmallAndAbsent:
    def test_too_small_counts_five_mm(self) -> None:
        judged("""
                        BL   W06    W12
            T1 liver    20   small  small
            T2 lung     20   10     0
            = sum            15     5
            = target         PR     PR
        """)

    def test_a_measured_value_below_five_mm_is_kept(self) -> None:
        judged("""
                        BL   W06
            T1 liver    20   3.2
            = sum            3.2
        """)

    def test_a_too_small_node_is_normal(self) -> None:
        judged("""
                        BL   W06
            N1 node     20   small
            = sum            5
            = target         CR
        """)

    def test_the_default_is_named_in_the_rules_trail(self) -> None:
        (answer,) = judged("""
                        BL   W06
            T1 liver    20   small
        """)
        assert "T1 counts 5 mm: too small to measure" in [firing.sentence for firing in answer.rule]


class TestMissingTargets:
    def test_a_missing_target_makes_ne(self) -> None:
        judged("""
                        BL   W06
            T1 liver    40   35
            T2 lung     30   30
            T3 kidney   20   .
            = target         NE
            = overall        NE
            = sum            None
        """)

    def test_unless_the_measured_ones_alone_are_pd(self) -> None:
        judged("""
                        BL   W06
            T1 liver    40   60
            T2 lung     30   50
            T3 kidney   20   NE
            = target         PD
            = overall        PD
        """)

    def test_an_ne_timepoint_sets_no_nadir(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   5    40
            T2 lung     40   NE   38
            = target         NE   SD
        """)

    def test_nothing_measured_at_all_is_ne(self) -> None:
        judged("""
                        BL   W06
            T1 liver    40   NE
            NT1 bone    yes  NE
            = target         NE
            = non_target     NE
            = overall        NE
        """)

    def test_without_a_baseline_sum_only_pd_and_cr_can_be_said(self) -> None:
        judged("""
                        BL   W06  W12  W18
            T1 liver    NE   40   60   0
            = target         NE   PD   CR
        """)

    def test_the_bound_check_answers_where_both_bounds_agree(self) -> None:
        table = """
                        BL   W06
            T1 liver    60   15
            T2 lung     20   NE
            = target         {}
        """
        judged(table.format("NE"))
        judged(table.format("PR"), Rules(missing_bound_factor=Decimal(1)))
        judged(table.format("NE"), Rules(missing_bound_factor=Decimal("2.1")))


class TestPartialResponseHeld:
    TABLE = """
                        BL   W06  W12  W18
            T1 liver    100  70   70   80
            = target         PR   PR   {}
    """

    def test_recompute_lets_it_fall_back_to_sd(self) -> None:
        judged(self.TABLE.format("SD"))

    def test_a_confirmed_pr_is_held(self) -> None:
        *_, last = judged(self.TABLE.format("PR"), Rules(pr_hold=PrHold.HOLD_AFTER_CONFIRMED_PR))
        assert last.rule[1].rule == "R-1.1/H1"

    def test_an_unconfirmed_pr_is_held_only_where_no_confirmation_is_asked(self) -> None:
        table = """
                        BL   W06  W12
            T1 liver    100  70   80
            = target         PR   {}
        """
        judged(table.format("SD"), Rules(pr_hold=PrHold.HOLD_AFTER_CONFIRMED_PR))
        judged(table.format("PR"), Rules(pr_hold=PrHold.HOLD_AFTER_PR))

    def test_a_pr_repeated_too_early_is_not_confirmed(self) -> None:
        judged(
            """
                        BL   W06  W09  W18
            T1 liver    100  70   70   80
            = target         PR   PR   SD
            """,
            Rules(pr_hold=PrHold.HOLD_AFTER_CONFIRMED_PR),
        )

    def test_pd_against_the_nadir_ends_the_hold(self) -> None:
        judged(
            """
                        BL   W06  W12  W18  W24
            T1 liver    100  60   60   72   80
            = target         PR   PR   PD   PD
            """,
            Rules(pr_hold=PrHold.HOLD_AFTER_PR),
        )


class TestReappearance:
    def test_a_target_back_after_an_overall_cr_is_pd_whatever_its_size(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   0    3
            = target         CR   PD
            = overall        CR   PD
        """)

    def test_even_if_a_timepoint_between_could_not_be_evaluated(self) -> None:
        judged("""
                        BL   W06  W12  W18
            T1 liver    40   0    NE   3
            = overall        CR   NE   PD
        """)

    def test_one_of_several_targets_back_without_a_cr_is_judged_by_the_sum(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   0    4
            T2 lung     20   20   19
            = target         PR   PR
        """)

    def test_after_a_target_cr_without_overall_cr_five_mm_decide(self) -> None:
        judged("""
                        BL   W06  W12  W18
            T1 liver    40   0    4.9  5.0
            NT1 bone    yes  yes  yes  yes
            = target         CR   PR   PD
        """)

    def test_a_node_back_to_ten_mm_after_cr_is_pd(self) -> None:
        judged("""
                        BL   W06  W12  W18
            N1 node     20   8    9    10
            = overall        CR   CR   PD
        """)

    def test_a_non_target_back_after_cr_is_pd(self) -> None:
        judged("""
                        BL   W06   W12
            T1 liver    40   0     0
            NT1 bone    yes  gone  yes
            = non_target     CR    PD
            = overall        CR    PD
        """)

    def test_a_doubtful_cr_is_amended_to_pr_and_sets_no_nadir(self) -> None:
        table = """
                        BL   W06  W12
            T1 liver    40   0    6
            = target         PR   PR
            = overall        PR   PR
        """
        judged(table, Rules(cr_lost=CrLost.AMEND_TO_PR))
        first, _ = judged(table, W06=Facts(cr_doubtful=True))
        assert {"overall_before": "CR", "amended_at": "W12"} in [dict(firing.numbers) for firing in first.rule]

    def test_a_doubtful_cr_of_non_targets_is_amended_to_pr(self) -> None:
        judged(
            """
                        BL   W06   W12
            T1 liver    40   0     0
            NT1 bone    yes  gone  yes
            = target         CR    CR
            = overall        PR    PR
            """,
            W06=Facts(cr_doubtful=True),
        )


class TestSplitAndMerge:
    def test_the_fragments_of_a_split_target_stand_in_for_it(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   .    0
            T1a<T1 liver  .  12   10
            T1b<T1 liver  .  10   8
            = sum            22   18
            = target         PR   PR
        """)

    def test_a_parent_that_is_measured_beside_its_fragments_is_one_of_the_parts(self) -> None:
        judged("""
                        BL   W06
            T1 liver    40   15
            T1a<T1 liver  .  12
            = sum            27
        """)

    def test_a_missing_fragment_makes_ne(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   .    .
            T1a<T1 liver  .  12   12
            T1b<T1 liver  .  10   .
            = target         PR   NE
        """)

    def test_fragments_that_came_together_again_are_measured_in_the_parent(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   .    24
            T1a<T1 liver  .  12   .
            T1b<T1 liver  .  10   .
            = sum            22   24
        """)

    def test_a_fragment_of_a_fragment_counts_in_its_place(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   .    .
            T1a<T1 liver  .  12   .
            T1b<T1 liver  .  10   9
            T1c<T1a liver  .  .   5
            = sum            22   14
        """)

    def test_a_merged_mass_counts_once(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    20   .    0
            T2 liver    30   45   50
            T3 lung     10   10   10
            = sum            None 60
        """)
        judged("""
                        BL   W06  W12
            T1 liver    20   >T2  .
            T2 liver    30   45   50
            T3 lung     10   10   10
            = sum            55   60
            = target         SD   SD
        """)

    def test_a_lesion_that_separates_again_counts_itself(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    20   >T2  15
            T2 liver    30   45   20
            = sum            45   35
        """)

    def test_a_merged_lesion_is_missing_where_its_mass_is_no_target(self) -> None:
        judged("""
                        BL   W06
            T1 liver    20   >NT1
            T2 liver    30   30
            NT1 liver   yes  yes
            = target         NE
        """)

    def test_a_merged_mass_that_is_missing_makes_ne_not_zero(self) -> None:
        judged("""
                        BL   W06
            T1 liver    20   >T2
            T2 liver    30   NE
            = target         NE
        """)

    def test_a_circle_of_merges_is_refused(self) -> None:
        with pytest.raises(ReadingError) as refused:
            judged("""
                        BL   W06
            T1 liver    20   >T2
            T2 liver    30   >T1
            """)
        assert {fault.code for fault in refused.value.faults} == {"circle"}


class TestLocalTherapy:
    def test_a_treated_target_is_not_evaluable_from_then_on(self) -> None:
        judged("""
                        BL   W06  W12  W18
            T1 liver    40   30   *0   0
            T2 lung     40   30   30   30
            = target         SD   NE   NE
        """)

    def test_progression_of_the_others_is_still_seen(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    20   20   *0
            T2 lung     40   40   75
            = target         SD   PD
        """)

    def test_by_charter_a_removed_target_counts_zero(self) -> None:
        table = """
                        BL   W06
            T1 liver    40   *{}
            T2 lung     20   20
            = target         {}
        """
        charter = Rules(local_therapy=LocalTherapy.ZERO_IF_REMOVED)
        judged(table.format("0", "PR"), charter)
        judged(table.format("12", "NE"), charter)
        judged(table.format("12", "PR"), Rules(local_therapy=LocalTherapy.MEASURE))
