"""WHO 1979 as tables a clinician can read."""

from __future__ import annotations

import pytest

from tests.fakes.readings import judged_by
from trialimg.core.responses import NewLesionResponse, NonTargetResponse, TargetResponse
from trialimg.criteria import who
from trialimg.criteria.who import Facts, ProgressionOf, Rules

BY_SUM = Rules(who_pd=ProgressionOf.SUM)
ONE_GREW = """
                BL     W06
    T1 liver    20x20  20x20
    T2 lung     10x10  13x10
    = overall          {}
"""


def test_one_lesion_alone_progresses_or_only_the_sum() -> None:
    (answer,) = judged_by(who, ONE_GREW.format("PD"))
    assert answer.rule[0].sentence == "T2 130 mm2 >= 1.25 x its smallest 100 mm2 = 125 mm2: PD"
    judged_by(who, ONE_GREW.format("NC"), BY_SUM)


@pytest.mark.parametrize(
    ("then", "now", "word"),
    [("20x10", "10x10", "PR"), ("20x10", "10x10.1", "NC"), ("20x10", "25x10", "PD"), ("20x10", "24.9x10", "NC"),
     ("20x10", "0", "CR"), ("20x10", "NE", "NE"), ("20x10", "15", "NE"), ("10x10", "small", "PR")],
)  # fmt: skip
@pytest.mark.parametrize("rules", [Rules(), BY_SUM])
def test_limits_are_met_exactly(then: str, now: str, word: str, rules: Rules) -> None:
    judged_by(who, f"BL W06\nT1 liver {then} {now}\n= target {word}\n= overall {word}", rules)


def test_growth_is_held_against_the_smallest_so_far() -> None:
    judged_by(who, "BL W06 W12\nT1 liver 20x20 10x10 13x10\n= overall PR PD")
    judged_by(who, "BL W06 W12\nT1 liver 20x20 10x10 13x10\n= overall PR PD", BY_SUM)


def test_a_lesion_that_comes_back_is_progression() -> None:
    judged_by(who, "BL W06 W12\nT1 liver 20x20 0 5x5\nNT1 bone yes yes yes\n= overall PR PD")
    judged_by(who, "BL W06 W12\nT1 liver 20x20 0 5x5\n= overall CR PD")


def test_new_lesions_and_other_disease() -> None:
    judged_by(
        who,
        """
                    BL     W06    W12
        T1 liver    20x20  10x10  10x10
        NT1 bone    yes    yes    worse
        = target           PR     PR
        = overall          PR     PD
    """,
    )
    judged_by(
        who,
        """
                    BL     W06    W12
        T1 liver    20x20  10x10  10x10
        NL1 brain   .      maybe  new
        = overall          PD     PD
    """,
    )


def test_disease_that_cannot_be_measured_may_be_estimated() -> None:
    table = "BL W06\nNT1 bone yes yes\n= overall {}"
    judged_by(who, table.format("NC"))
    judged_by(who, table.format("PR"), W06=Facts(estimated_decrease=True))


def test_its_table_says_nc_for_sd() -> None:
    triple = TargetResponse.SD, NonTargetResponse.NON_CR_NON_PD, NewLesionResponse.NO
    assert who.overall(*triple).value == "NC"
    assert who.overall_firing(*triple).sentence == "target NC, non-target NON-CR/NON-PD, new lesion no: overall NC"
