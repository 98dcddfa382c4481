"""PCWG3: bone scans by the 2+2 rule, soft tissue beside them, PSA."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.core.errors import ReadingError
from trialimg.core.responses import BoneResponse, CriterionAssessment, OverallResponse, PsaResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria import pcwg3
from trialimg.criteria.pcwg3 import Facts, Rules, combined, judge_psa


def assessed(rules: Rules | None = None, **facts: Facts) -> tuple[CriterionAssessment, ...]:
    """Visits by week (``W08``), without lesions; baseline with ten bone lesions unless it is given."""
    facts = {"BL": Facts(bone_lesions=10), **facts}
    first = dt.date(2024, 1, 1)
    visits = [
        Timepoint(name, order, first + dt.timedelta(weeks=0 if name == "BL" else int(name[1:])))
        for order, name in enumerate(facts)
    ]
    return pcwg3.assess((), (), visits, rules or Rules(), facts=facts)


def bone(rules: Rules | None = None, **new: int | None) -> list[str]:
    """Bone words of scans with so many lesions that were not there at baseline."""
    facts = {week: Facts(soft_tissue=OverallResponse.SD, bone_new=count) for week, count in new.items()}
    return [str(a.parts["bone"].value) for a in assessed(rules, **facts)]


class TestBone:
    def test_two_and_two_more_is_progression_of_the_first_scan(self) -> None:
        answers = assessed(
            W08=Facts(soft_tissue=OverallResponse.SD, bone_new=2), W16=Facts(soft_tissue=OverallResponse.SD, bone_new=4)
        )
        assert [a.parts["bone"].value for a in answers] == ["PD", "PD"]
        assert [a.overall.value for a in answers] == ["PD", "PD"]
        (changed,) = (f for f in answers[0].rule if f.numbers.get("bone_before"))
        assert changed.numbers == {"bone_before": "PDu"}
        assert changed.sentence == "was PDu; 2 further lesion(s) at W16 (>= 2): PD, dated at W08"

    def test_unconfirmed_it_is_stable_beside_stable_soft_tissue(self) -> None:
        (answer,) = assessed(W08=Facts(soft_tissue=OverallResponse.SD, bone_new=2))
        assert (answer.parts["bone"].value, answer.overall.value) == ("PDu", "SD")

    def test_a_flare_and_later_lesions_one_by_one(self) -> None:
        assert bone(W08=3, W16=4) == ["NON-PD", "NON-PD"]
        assert bone(W08=3, W16=4, W24=5) == ["NON-PD", "NON-PD", "PDu"]
        assert bone(W08=3, W16=4, W24=5, W32=5) == ["NON-PD", "NON-PD", "PD", "PD"]

    def test_later_lesions_that_do_not_last_are_no_progression(self) -> None:
        assert bone(W08=0, W16=2, W24=1) == ["NON-PD", "NON-PD", "NON-PD"]
        assert bone(W08=0, W16=2, W24=2) == ["NON-PD", "PD", "PD"]

    def test_one_new_lesion_is_nothing_and_the_first_scan_is_the_reference(self) -> None:
        assert bone(W08=1, W16=2, W24=2) == ["NON-PD", "NON-PD", "NON-PD"]

    def test_a_scan_within_six_weeks_settles_nothing(self) -> None:
        assert bone(W08=2, W13=4) == ["PDu", "PDu"]
        assert bone(W08=2, W13=4, W19=4) == ["PD", "PD", "PD"]
        assert bone(W08=2, W14=4) == ["PD", "PD"]

    def test_a_scan_not_done_settles_nothing(self) -> None:
        assert bone(W08=2, W16=None, W24=4) == ["PD", "NE", "PD"]

    def test_beyond_the_flare_window_new_lesions_need_only_last(self) -> None:
        assert bone(W12=2, W20=2) == ["NON-PD", "NON-PD"]
        assert bone(W13=2, W20=2) == ["PD", "PD"]

    def test_no_lesion_at_all_is_no_evidence_of_disease(self) -> None:
        answers = assessed(BL=Facts(bone_lesions=0), W08=Facts(bone_lesions=0), W16=Facts(bone_lesions=2))
        assert [a.parts["bone"].value for a in answers] == ["NED", "PDu"]
        assert [a.overall.value for a in answers] == ["NED", "PDu"]

    def test_the_readers_own_word_stands(self) -> None:
        (answer,) = assessed(W08=Facts(soft_tissue=OverallResponse.PR, bone=BoneResponse.PD))
        assert answer.overall.value == "PD"

    def test_more_new_lesions_than_lesions_are_refused(self) -> None:
        with pytest.raises(ReadingError, match="counts of bone lesions"):
            assessed(W08=Facts(bone_lesions=1, bone_new=2))


@pytest.mark.parametrize(
    ("soft", "bone_words", "word"),
    [
        ("PD", "PD PDu NON-PD NED NE", "PD"),
        ("CR PR SD NON-CR/NON-PD NE NED", "PD", "PD"),
        ("NE", "NON-PD PDu NED NE", "NE"),
        ("NED", "NON-PD", "NON-CR/NON-PD"),
        ("NED", "PDu", "PDu"),
        ("NED", "NED NE", "NE"),
        ("SD", "NON-PD PDu NED NE", "SD"),
        ("NON-CR/NON-PD", "NON-PD PDu NED NE", "NON-CR/NON-PD"),
        ("PR", "NON-PD PDu NED NE", "PR"),
        ("CR", "NON-PD PDu NE", "PR"),
        ("CR", "NED", "CR"),
    ],
)
def test_soft_tissue_and_bone_together(soft: str, bone_words: str, word: str) -> None:
    for tissue in soft.split():
        for skeleton in bone_words.split():
            assert combined(OverallResponse(tissue), BoneResponse(skeleton)).value == word


def test_without_targets_complete_soft_tissue_is_neither() -> None:
    assert combined(OverallResponse.CR, BoneResponse.NON_PD, targets=False).value == "NON-CR/NON-PD"


def test_soft_tissue_comes_from_lesions_by_recist() -> None:
    table = "BL W08\nT1 liver 100 70\n= soft_tissue PR\n= bone NE\n= overall PR"
    judged_by(pcwg3, table)
    judged_by(pcwg3, table.replace("NE\n", "PD\n").replace("overall PR", "overall PD"), W08=Facts(bone=BoneResponse.PD))


PCWG2 = Rules(pcwg2_soft_confirm=True)


def soft(rules: Rules, **words: str) -> list[str]:
    """Overall words of soft tissue by week, beside bone that does not progress."""
    said = {week: Facts(soft_tissue=OverallResponse(w), bone=BoneResponse.NON_PD) for week, w in words.items()}
    return [str(a.overall.value) for a in assessed(rules, **said)]


class TestConfirmingScanOfSoftTissue:
    def test_pcwg3_asks_for_none(self) -> None:
        assert soft(Rules(), W08="PD", W16="SD") == ["PD", "SD"]

    def test_progression_at_the_first_assessment_waits_six_weeks(self) -> None:
        assert soft(PCWG2, W08="PD") == ["PDu"]
        assert soft(PCWG2, W08="PD", W14="PD") == ["PD", "PD"]
        assert soft(PCWG2, W08="PD", W13="PD") == ["PDu", "PDu"]
        assert soft(PCWG2, W08="PD", W13="PD", W16="PD") == ["PD", "PD", "PD"]

    def test_a_later_scan_without_it_ends_it(self) -> None:
        assert soft(PCWG2, W08="PD", W16="PR") == ["SD", "PR"]
        assert soft(PCWG2, W08="PD", W16="SD", W24="PD") == ["SD", "SD", "PD"]

    def test_what_cannot_be_evaluated_is_passed_over(self) -> None:
        assert soft(PCWG2, W08="PD", W16="NE", W24="PD") == ["PD", "NE", "PD"]
        assert soft(PCWG2, W08="NE", W16="PD") == ["NE", "PDu"]

    def test_a_later_progression_stands_at_once(self) -> None:
        assert soft(PCWG2, W08="SD", W16="PD") == ["SD", "PD"]

    def test_progression_of_bone_needs_no_soft_tissue(self) -> None:
        (answer,) = assessed(PCWG2, W08=Facts(soft_tissue=OverallResponse.PD, bone=BoneResponse.PD))
        assert (answer.overall.value, answer.parts["soft_tissue"].value) == ("PD", "PDu")

    def test_it_says_what_it_was(self) -> None:
        said = {w: Facts(soft_tissue=OverallResponse(x)) for w, x in (("W08", "PD"), ("W16", "SD"))}
        first = assessed(PCWG2, **said)[0]
        (changed,) = (f for f in first.rule if f.rule == "PCWG3/B6")
        assert changed.sentence == "was soft tissue PDu; SD at W16, so it had not progressed: SD"
        assert first.settings["pcwg2_soft_confirm"] == "true"

    def test_without_targets_it_becomes_neither(self) -> None:
        table = "BL W08 W16\nNT1 liver yes worse yes"
        record = readings(table)
        bone = {"BL": Facts(bone_lesions=3)} | {w: Facts(bone=BoneResponse.NON_PD) for w in ("W08", "W16")}
        answers = pcwg3.assess(record.tracks, record.designations, record.timepoints, PCWG2, facts=bone)
        assert [a.overall.value for a in answers] == ["NON-CR/NON-PD", "NON-CR/NON-PD"]


def psa(*samples: tuple[int, str | None], **changes: Any) -> list[str]:
    """Words of values by day, the first that of baseline."""
    values = [(day, None if value is None else Decimal(value)) for day, value in samples]
    weeks = [Decimal(day) / 7 for day, _ in samples]
    return [word.value for word, _ in judge_psa(values, weeks, Rules(**changes))]


class TestPsa:
    def test_a_quarter_and_two_above_nadir_confirmed_after_three_weeks(self) -> None:
        assert psa((0, "20"), (28, "8.0"), (56, "9.9"), (77, "9.9")) == ["PSA50", "PSA50", "NON-PD"]
        assert psa((0, "20"), (28, "8.0"), (56, "10.0"), (77, "10.4"))[1:] == ["PD", "PD"]
        assert psa((0, "20"), (28, "8.0"), (56, "10.0"), (76, "10.4"))[1:] == ["NON-PD", "NON-PD"]
        assert psa((0, "20"), (28, "8.0"), (56, "10.0"), (77, "9.9"))[1] == "PSA50"

    def test_two_above_a_small_nadir_are_asked_for_as_well(self) -> None:
        assert psa((0, "20"), (28, "4.0"), (56, "5.9"), (77, "5.9"))[1] == "PSA50"
        assert psa((0, "20"), (28, "4.0"), (56, "6.0"), (77, "6.0"))[1] == "PD"

    def test_without_a_decline_rises_count_from_week_twelve(self) -> None:
        assert psa((0, "10"), (77, "14"), (105, "14")) == ["NON-PD", "NON-PD"]
        assert psa((0, "10"), (84, "14"), (105, "14")) == ["PD", "PD"]

    def test_responses_need_a_second_value(self) -> None:
        assert psa((0, "100"), (28, "50"), (49, "50"))[0] == PsaResponse.PSA50.value
        assert psa((0, "100"), (28, "50"), (49, "50.1"))[0] == "NON-PD"
        assert psa((0, "100"), (28, "10"), (49, "10"))[0] == PsaResponse.PSA90.value

    def test_what_was_not_measured_says_nothing(self) -> None:
        assert psa((0, "20"), (28, None), (56, "8")) == ["NE", "NON-PD"]
        assert psa((0, None), (28, "8")) == ["NE"]
