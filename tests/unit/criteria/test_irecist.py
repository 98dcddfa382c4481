"""iRECIST as tables a clinician can read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.readings import judged_by
from trialimg.core.responses import CriterionAssessment, NewLesionResponse, NonTargetResponse, TargetResponse
from trialimg.criteria import irecist
from trialimg.criteria.irecist import Facts, Growth, Rules
from trialimg.criteria.recist11 import Pet


def judged(table: str, rules: Rules | None = None, **facts: Facts) -> tuple[CriterionAssessment, ...]:
    """The table's answers, after comparing each claimed word with the one that was given."""
    return judged_by(irecist, table, rules, **facts)


def fired(answer: CriterionAssessment) -> list[str]:
    return [firing.rule for firing in answer.rule if firing.rule.startswith("iRECIST")]


ADDITIVE = """
                BL   W06  W12   W18   W24   W30
    T1 liver    100  60   75    77    79    80
    = overall        iPR  iUPD  iUPD  iUPD  iCPD
    = target         iPR  iUPD  iUPD  iUPD  iCPD
    = recist11       PR   PD    PD    PD    PD
"""


def test_small_increases_add_up_to_a_confirmation() -> None:
    answers = judged(ADDITIVE)
    last = answers[-1].rule
    assert "target lesions 75 mm at the first iUPD, 80 mm now: +5 mm >= 5 mm" in [f.sentence for f in last]
    assert last[-1].numbers["first_iupd"] == str(answers[1].timepoint.date)
    assert fired(answers[-1]) == ["iRECIST/I4", "iRECIST/I3", "iRECIST/I4"]


def test_strict_growth_must_exceed_five_mm() -> None:
    table = ADDITIVE.replace("iUPD  iCPD", "iUPD  iUPD").replace("iUPD  iCPD", "iUPD  iUPD")
    judged(table, Rules(irecist_som_strict=True))


def test_a_response_resets_the_bar_while_the_new_lesion_stays() -> None:
    judged("""
                    BL   W06   W12  W18  W24
        T1 liver    100  90    65   66   66
        NL1 lung    .    12    11   15   17
        = target         iSD   iPR  iPR  iPR
        = overall        iUPD  iPR  iPR  iUPD
        = recist11       PD    PD   PD   PD
    """)


def test_each_reason_alone_confirms() -> None:
    judged("""
                    BL   W06   W12
        T1 liver    100  100   100
        NL1 lung    .    12    17
        = overall        iUPD  iCPD
    """)
    judged("""
                    BL   W06   W12
        T1 liver    100  100   100
        NL1 lung    .    12    16.9
        = overall        iUPD  iUPD
    """)
    judged("""
                    BL   W06   W12
        T1 liver    100  100   100
        NL1 lung    .    12    12
        NL2 bone    .    .     new
        = overall        iUPD  iCPD
    """)
    judged("""
                    BL   W06   W12
        T1 liver    100  120   120
        NT1 bone    yes  yes   worse
        = overall        iUPD  iCPD
        = target         iUPD  iUPD
        = non_target     NON-iCR/NON-iUPD iCPD
    """)
    judged("""
                    BL   W06   W12
        T1 liver    100  100   100
        NL1 lung    .    12    12
        = overall        iUPD  iSD
    """)


def test_non_target_growth_need_not_be_unequivocal() -> None:
    table = """
                    BL   W06    W12
        T1 liver    100  100    100
        NT1 bone    yes  worse  yes
        = overall        iUPD   {}
    """
    judged(table.format("iCPD"), W12=Facts(non_target_growth=Growth.INCREASED))
    judged(table.format("iSD"), W12=Facts(non_target_growth=Growth.UNCHANGED))
    judged(table.format("iSD"))


def test_an_unequivocal_word_that_is_repeated_says_nothing_of_further_growth() -> None:
    table = """
                    BL   W06    W12
        T1 liver    100  100    100
        NT1 bone    yes  worse  worse
        = overall        iUPD   {}
    """
    judged(table.format("iUPD"))
    judged(table.format("iCPD"), W12=Facts(non_target_growth=Growth.INCREASED))


def test_new_lesions_that_are_no_targets_confirm_by_any_increase() -> None:
    table = """
                    BL   W06   W12
        T1 liver    100  100   100
        NL1 lung    .    {}    {}
        = overall        iUPD  {}
    """
    judged(table.format("8", "8.5", "iCPD"))
    judged(table.format("8", "12", "iCPD"))
    judged(table.format("new", "new", "iSD"))
    judged(table.format("new", "new", "iCPD"), W12=Facts(new_lesion_growth=Growth.INCREASED))


def test_a_scan_within_four_weeks_confirms_only_with_symptoms_and_a_further_lesion() -> None:
    table = """
                    BL   W06   W09   W12
        T1 liver    100  120   140   140
        = overall        iUPD  iUPD  iCPD
    """
    assert "iRECIST/I3" in fired(judged(table)[1])
    further = """
                    BL   W06   W09   W12
        T1 liver    100  120   120   120
        NL1 lung    .    .     new   new
        = overall        iUPD  {}    iCPD
    """
    judged(further.format("iUPD"))
    judged(further.format("iCPD"), W09=Facts(new_symptoms=True))
    judged(table, W09=Facts(new_symptoms=True))


def test_what_cannot_be_evaluated_leaves_the_progression_open() -> None:
    judged("""
                    BL   W06   W12  W18
        T1 liver    100  120   NE   125
        = overall        iUPD  NE   iCPD
    """)
    judged("""
                    BL   W06   W12
        T1 liver    100  70    70
        NL1 lung    .    12    NE
        = overall        iUPD  iUPD
    """)


def test_no_complete_response_while_a_new_lesion_is_there() -> None:
    judged("""
                    BL   W06   W12  W18
        T1 liver    30   0     0    0
        NL1 lung    .    12    11   0
        = target         iCR   iCR  iCR
        = overall        iUPD  iPR  iCR
    """)
    judged("""
                    BL   W06   W12               W18
        NT1 liver   yes  gone  gone              gone
        NL1 lung    .    12    11                0
        = overall        iUPD  NON-iCR/NON-iUPD  iCR
    """)


def test_a_new_block_is_measured_from_its_own_first_progression() -> None:
    judged("""
                    BL   W06   W12  W18   W24   W30
        T1 liver    100  120   100  121   125   126
        = overall        iUPD  iSD  iUPD  iUPD  iCPD
    """)


def test_at_most_two_new_targets_in_an_organ_and_nodes_by_short_axis() -> None:
    (answer,) = judged("""
                    BL   W06
        T1 liver    100  100
        NL1 lung    .    12
        NL2 lung    .    14
        NL3 lung    .    13
        NL4 bone    .    9
        NL5 node    .    15
        = overall        iUPD
    """)
    assert answer.measures[0].value == Decimal(14 + 13 + 15)


def test_an_equivocal_new_lesion_is_dated_back() -> None:
    judged("""
                    BL   W06    W12
        T1 liver    100  100    100
        NL1 bone    .    maybe  new
        = overall        iUPD   iSD
    """)


def test_a_pet_may_show_what_is_new() -> None:
    judged(
        """
                    BL   W06    W12
        T1 liver    100  100    100
        = overall        iUPD   iSD
    """,
        BL=Facts(pet=Pet.NEGATIVE),
        W06=Facts(pet=Pet.POSITIVE),
        W12=Facts(pet=Pet.NEGATIVE),
    )


@pytest.mark.parametrize(
    ("triple", "word"),
    [
        (("CR", "CR", "no"), "iCR"), (("CR", "NON-CR/NON-PD", "no"), "iPR"), (("PR", "NE", "no"), "iPR"),
        (("SD", "CR", "no"), "iSD"), (("SD", "CR", "unequivocal"), "iUPD"), (("PR", "PD", "no"), "iUPD"),
        (("NE", "CR", "equivocal"), "NE"), (("NA", "NON-CR/NON-PD", "no"), "NON-iCR/NON-iUPD"),
    ],
)  # fmt: skip
def test_the_table_without_an_earlier_progression(triple: tuple[str, str, str], word: str) -> None:
    target, non_target, new = TargetResponse(triple[0]), NonTargetResponse(triple[1]), NewLesionResponse(triple[2])
    assert irecist.overall(target, non_target, new).value == word
    assert irecist.overall_firing(target, non_target, new).sentence.endswith(f"overall {word}")
