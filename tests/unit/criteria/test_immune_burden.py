"""irRC, irRECIST and imRECIST: new lesions join the burden, and a progression has to be confirmed."""

from __future__ import annotations

from decimal import Decimal
from types import ModuleType

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.criteria import imrecist, irecist, irrc, irrecist, who

NEW_AND_GROWN = """
                BL   W06  W12  W18
    T1 liver    100  80   82   75
    NL1 lung    .    .    16   15
    = overall        {0}SD {1}  {0}SD
"""


@pytest.mark.parametrize(("criterion", "prefix"), [(irrecist, "ir"), (imrecist, "im")])
def test_a_progression_is_cancelled_by_what_is_none(criterion: ModuleType, prefix: str) -> None:
    answers = judged_by(criterion, NEW_AND_GROWN.format(prefix, f"unconfirmed_{prefix}PD"))
    assert [answer.sums.sum_mm for answer in answers] == [80, 98, 90]
    sentence = "burden 98 mm >= 1.20 x nadir 80 mm = 96 mm and +18 mm"
    assert sentence in [firing.sentence for firing in answers[1].rule]


def test_recist_and_irecist_see_a_progression_there_at_once() -> None:
    record = readings(NEW_AND_GROWN)
    assert record.assess()[1].overall.value == "PD"
    answers = irecist.assess(record.tracks, record.designations, record.timepoints)
    assert answers[1].overall.value == "iUPD"


@pytest.mark.parametrize(
    ("weeks", "words"),
    [("W06 W10", "unconfirmed_irPD irPD"), ("W06 W09", "unconfirmed_irPD unconfirmed_irPD")],
)
def test_four_weeks_confirm(weeks: str, words: str) -> None:
    judged_by(irrecist, f"BL {weeks}\nT1 liver 50 60 60\n= overall {words}")


def test_what_cannot_be_evaluated_neither_confirms_nor_cancels() -> None:
    judged_by(irrecist, "BL W06 W12 W18\nT1 liver 50 60 NE 60\n= overall unconfirmed_irPD NE irPD")
    judged_by(irrecist, "BL W06 W12 W18\nT1 liver 50 60 55 60\n= overall unconfirmed_irPD irSD unconfirmed_irPD")


def test_irrc_beside_who() -> None:
    """One lesion grown by 30 % of a sum grown by 6 %; a new lesion in a shrinking sum; other disease worse."""
    one_grew = "BL W06\nT1 liver 20x20 20x20\nT2 lung 10x10 13x10\n= overall {}"
    judged_by(who, one_grew.format("PD"))
    judged_by(irrc, one_grew.format("irSD"))
    new = "BL W06\nT1 liver 40x25 40x20\nNL1 lung . 10x10\n= overall {}"
    judged_by(who, new.format("PD"))
    (answer,) = judged_by(irrc, new.format("irSD"))
    assert (answer.measures[0].value, answer.measures[0].baseline) == (900, 1000)
    worse = "BL W06 W12\nT1 liver 40x25 45x10 45x10\nNT1 bone yes worse worse\n= overall {}"
    judged_by(who, worse.format("PD PD"))
    judged_by(irrc, worse.format("irPR irPR"))


@pytest.mark.parametrize(
    ("now", "word"), [("25x10", "unconfirmed_irPD"), ("24.9x10", "irSD"), ("10x10", "irPR"), ("10x10.1", "irSD")]
)
def test_irrc_limits_are_met_exactly(now: str, word: str) -> None:
    judged_by(irrc, f"BL W06\nT1 liver 20x10 {now}\n= overall {word}")


def test_a_new_lesion_counts_once_it_can_be_measured_and_bars_a_complete_response() -> None:
    judged_by(
        irrc,
        """
                    BL     W06  W12  W18  W24
        T1 liver    20x20  0    0    0    0
        NL1 lung    .      4x4  4x4  6x6  0
        = overall          irPR irPR unconfirmed_irPD irCR
    """,
    )


def test_at_most_five_new_lesions_of_an_organ_count_and_five_of_the_skin() -> None:
    organs = ["lung"] * 6 + ["skin"] * 6
    rows = "\n".join(f"NL{n} {organ} . 10x10" for n, organ in enumerate(organs))
    (answer,) = judged_by(irrc, f"BL W06\nT1 liver 50x50 50x50\n{rows}")
    assert answer.measures[0].value == 2500 + 500 + 500


def test_non_targets_are_progression_only_by_setting() -> None:
    table = "BL W06 W12\nT1 liver 50 50 50\nNT1 bone yes worse worse\n= overall {}"
    judged_by(irrecist, table.format("irSD irSD"))
    judged_by(irrecist, table.format("unconfirmed_irPD irPD"), irrecist.Rules(irrecist_nt_pd=True))
    judged_by(imrecist, table.format("imSD imSD"))
    new = "BL W06\nT1 liver 50 50\nNL1 bone . new\n= overall {}"
    judged_by(irrecist, new.format("irSD"))
    judged_by(irrecist, new.format("unconfirmed_irPD"), irrecist.Rules(irrecist_nt_pd=True))


def test_a_complete_response_needs_normal_nodes_and_nothing_else_left() -> None:
    judged_by(irrecist, "BL W06 W12\nT1 liver 50 0 0\nN1 node 20 9 9\nNT1 bone yes yes gone\n= overall irPR irCR")
    judged_by(irrecist, "BL W06\nT1 liver 50 0\nN1 node 20 10\n= overall irPR")


def test_without_index_lesions_anything_measured_is_a_progression() -> None:
    judged_by(irrecist, "BL W06 W12\nNT1 bone yes gone yes\nNL1 lung . . 12\n= overall irCR unconfirmed_irPD")
    judged_by(irrecist, "BL W06\nNT1 bone yes yes\n= overall irSD")


def test_a_missing_lesion_never_counts_as_gone() -> None:
    judged_by(imrecist, "BL W06 W12\nT1 liver 50 30 30\nT2 lung 20 NE 12\nNL1 bone . 15 NE\n= overall NE NE")
    judged_by(imrecist, "BL W06\nT1 liver 50 90\nT2 lung 20 NE\n= overall unconfirmed_imPD")


def test_the_date_of_a_confirmed_progression_is_its_first() -> None:
    first, second = judged_by(irrecist, "BL W06 W12\nT1 liver 50 60 62\n= overall unconfirmed_irPD irPD")
    assert second.rule[-1].numbers["progression_date"] == str(first.timepoint.date)


def test_negative_numbers_are_refused() -> None:
    for rules in (irrc.Rules, irrecist.Rules, who.Rules):
        with pytest.raises(ValueError, match="pd_increase"):
            rules(pd_increase=Decimal(-1))
