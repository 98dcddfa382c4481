"""Lymphoma criteria as tables: ``25x16`` is a lesion's longest diameter and the one perpendicular to it."""

from __future__ import annotations

import itertools
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.core.errors import ReadingError
from trialimg.core.responses import CriterionAssessment
from trialimg.criteria import cheson2007, lugano2014, lyric, recil
from trialimg.criteria.lugano2014 import Facts, FivePoint, Marrow, Rules, SizeBand, Uptake, five_point_score


def pet(score: str, uptake: Uptake | None = None, **more: Any) -> Facts:
    return Facts(deauville=FivePoint(score), uptake=uptake, **more)


def spleen(length_mm: int | str) -> Facts:
    return Facts(spleen_mm=Decimal(length_mm))


def last(criterion: ModuleType, table: str, rules: Any = None, **facts: Any) -> CriterionAssessment:
    return judged_by(criterion, table, rules, **facts)[-1]


class TestSingleNode:
    """Growth of one node from its nadir, all three conditions together (L8)."""

    @pytest.mark.parametrize(
        ("nadir", "now", "word"),
        [
            ("14x10", "19x12", "PD"),
            ("25x16", "32x20", "SD"),
            ("10x8", "15x10", "SD"),
            ("10x8", "15.1x10", "PD"),
            ("20x16", "25x19.2", "PD"),
            ("20x16", "24.9x19.5", "SD"),
            ("20.1x16", "30.1x16", "SD"),
            ("20x10", "22x15", "PD"),
            ("22x10", "24x20", "PD"),
            ("22x10", "24x19.9", "SD"),
        ],
    )
    def test_length_share_and_step_are_asked_for_together(self, nadir: str, now: str, word: str) -> None:
        table = f"BL W06 W12\nT1 node 40x30 {nadir} {now}\nT2 node 100x80 100x80 100x80"
        assert last(lugano2014, table).target.value == word

    def test_the_sentence_names_all_three(self) -> None:
        answer = last(lugano2014, "BL W06\nT1 node 14x10 19x12")
        (fired,) = (f for f in answer.rule if f.rule == "LUGANO/L8")
        assert "T1 19 mm > 15 mm long, T1 product 228 mm2 >= 1.50 x own nadir 140 mm2" in fired.sentence
        assert "a diameter +5 mm >= 5 mm" in fired.sentence

    def test_a_strict_step_must_be_exceeded(self) -> None:
        assert last(lugano2014, "BL W06\nT1 node 14x10 19x12", Rules(lugano_step_strict=True)).target.value != "PD"

    def test_the_band_may_be_taken_from_the_size_now(self) -> None:
        table = "BL W06\nT1 node 18x14 25x19"
        assert last(lugano2014, table).target.value == "PD"
        assert last(lugano2014, table, Rules(size_band=SizeBand.NOW)).target.value == "SD"

    def test_each_lesion_has_its_own_nadir(self) -> None:
        judged_by(lugano2014, "BL W06 W12\nT1 node 30x20 20x10 26x16\nT2 node 30x20 30x20 30x20\n= ct SAD PAD")


class TestCt:
    def test_half_the_products_counting_what_is_too_small_by_five_mm(self) -> None:
        answer = last(lugano2014, "BL W06\nT1 node 40x30 small\nT2 node 40x20 39x25\n= overall PAR")
        assert (answer.measures[0].value, answer.measures[0].baseline) == (Decimal(1000), Decimal(2000))

    @pytest.mark.parametrize(("now", "word"), [(160, "SAD"), (161, "PAD")])
    def test_an_enlarged_spleen_progresses_by_more_than_half_its_excess(self, now: int, word: str) -> None:
        table = f"BL W06\nT1 node 40x30 40x30\n= overall {word}"
        judged_by(lugano2014, table, BL=spleen(150), W06=spleen(now))

    @pytest.mark.parametrize(("now", "word"), [(139, "PAR"), (140, "SAD"), (None, "NE")])
    def test_a_response_needs_more_than_half_of_its_excess_gone(self, now: int | None, word: str) -> None:
        later = Facts() if now is None else spleen(now)
        judged_by(lugano2014, f"BL W06\nT1 node 40x30 30x20\n= overall {word}", BL=spleen(150), W06=later)

    @pytest.mark.parametrize(("first", "now", "word"), [(125, 144, "SAD"), (125, 145, "PAD"), (105, 130, "SAD")])
    def test_a_normal_spleen_progresses_by_twenty_mm_beyond_normal(self, first: int, now: int, word: str) -> None:
        table = f"BL W06\nT1 node 40x30 40x30\n= overall {word}"
        judged_by(lugano2014, table, BL=spleen(first), W06=spleen(now))

    def test_all_nodes_normal_and_nothing_else_is_complete(self) -> None:
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15x10\nT2 liver 20x20 gone\n= overall CAR")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15.1x10\nT2 liver 20x20 gone\n= overall PAR")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15x10\nT2 liver 20x20 small\n= overall PAR")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15x10\nNT1 bone yes yes\n= overall PAR")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15x10\n= overall PAR", BL=spleen(150), W06=spleen(131))
        judged_by(lugano2014, "BL W06\nT1 node 40x30 15x10\n= overall PAR", W06=Facts(marrow=Marrow.PERSISTENT))

    @pytest.mark.parametrize(
        ("organ", "cell", "word"),
        [
            ("node", "15x10", "SAD"),
            ("node", "15.1x9", "PAD"),
            ("liver", "10x9", "SAD"),
            ("liver", "10.1x9", "PAD"),
            ("liver", "new", "PAD"),
        ],
    )
    def test_a_new_lesion_progresses_by_its_size_or_the_readers_word(self, organ: str, cell: str, word: str) -> None:
        judged_by(lugano2014, f"BL W06\nT1 node 40x30 40x30\nNL1 {organ} . {cell}\n= overall {word}")

    def test_non_targets_marrow_and_regrowth_progress(self) -> None:
        judged_by(lugano2014, "BL W06\nT1 node 40x30 30x20\nNT1 bone yes worse\n= overall PAD")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 30x20\n= overall PAD", W06=Facts(marrow=Marrow.NEW))
        judged_by(lugano2014, "BL W06 W12\nT1 node 40x30 gone 15.1x10\n= overall CAR PAD")
        judged_by(lugano2014, "BL W06 W12\nT1 node 40x30 gone 15x10\n= overall CAR CAR")

    def test_a_missing_lesion_leaves_no_word_unless_another_progresses(self) -> None:
        judged_by(lugano2014, "BL W06\nT1 node 40x30 20x10\nT2 node 40x30 .\n= overall NE")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 60x40\nT2 node 40x30 .\n= overall PAD")
        judged_by(lugano2014, "BL W06\nT1 node 40x30 20\n= overall NE")


class TestPet:
    TABLE = "BL W06\nT1 node 60x40 40x30\n= overall {}"

    @pytest.mark.parametrize(
        ("facts", "word"),
        [
            (pet("3"), "CMR"),
            (pet("4", Uptake.DECREASED), "PMR"),
            (pet("4", Uptake.UNCHANGED), "NMR"),
            (pet("5", Uptake.INCREASED, new_focus=True), "PMD"),
            (pet("5", Uptake.DECREASED), "PMR"),
            (pet("4", Uptake.INCREASED), "PMD"),
            (pet("4"), "NE"),
            (pet("X"), "CMR"),
            (pet("2", marrow=Marrow.REDUCED), "PMR"),
            (pet("2", marrow=Marrow.NEW), "PMD"),
            (pet("1", new_focus=True), "PMD"),
        ],
    )
    def test_the_score_and_the_change_decide(self, facts: Facts, word: str) -> None:
        judged_by(lugano2014, self.TABLE.format(word), W06=facts)

    def test_a_residual_mass_does_not_matter_to_pet(self) -> None:
        judged_by(lugano2014, "BL W06\nT1 node 60x40 40x30\n= overall CMR\n= ct PAR", W06=pet("3"))

    def test_ct_governs_where_the_lymphoma_is_not_avid(self) -> None:
        judged_by(lugano2014, self.TABLE.format("PAR"), Rules(fdg_avid=False), W06=pet("3"))

    @pytest.mark.parametrize(("suv", "score"), [("1.5", "2"), ("1.6", "3"), ("3.0", "3"), ("3.1", "4"), ("6.0", "5")])
    def test_the_score_from_uptake(self, suv: str, score: str) -> None:
        found = five_point_score(Decimal(suv), mediastinum=Decimal("1.5"), liver=Decimal(3), markedly=Decimal(2))
        assert found.value == score

    def test_no_uptake_above_background_scores_one(self) -> None:
        numbers = {"mediastinum": Decimal("1.5"), "liver": Decimal(3), "markedly": Decimal(2)}
        assert five_point_score(Decimal("0.5"), background=Decimal("0.5"), **numbers) is FivePoint.ONE

    def uptake(self, lesion: str, **more: Any) -> Facts:
        return Facts(lesion_suv=Decimal(lesion), mediastinum_suv=Decimal("1.5"), liver_suv=Decimal(3), **more)

    @pytest.mark.parametrize(("suv", "overall"), [("1.5", "CMR"), ("3.0", "CMR"), ("3.1", "PMR"), ("6.0", "PMR")])
    def test_measured_uptake_gives_the_score_of_a_timepoint(self, suv: str, overall: str) -> None:
        scan = self.uptake(suv, uptake=Uptake.DECREASED)
        assert last(lugano2014, "BL W08\nT1 node 40x20 30x20", W08=scan).overall.value == overall

    def test_the_score_says_what_it_was_measured_from(self) -> None:
        answer = last(lugano2014, "BL W08\nT1 node 40x20 30x20", W08=self.uptake("2"))
        assert "SUVmax 2 beside mediastinum 1.5, liver 3 (5: 2 x liver): score 3" in answer.rule[-2].sentence
        limit = Rules(deauville5_factor=Decimal("0.5"))
        assert (
            "score 3" in last(lugano2014, "BL W08\nT1 node 40x20 30x20", limit, W08=self.uptake("2")).rule[-2].sentence
        )

    def test_the_readers_score_stands_and_the_measured_one_is_named(self) -> None:
        scan = self.uptake("6", deauville=FivePoint.THREE)
        answer = last(lugano2014, "BL W08\nT1 node 40x20 30x20", W08=scan)
        assert answer.overall.value == "CMR"
        assert "would be score 5, but the reader says score 3" in answer.rule[-2].sentence

    @pytest.mark.parametrize("criterion", [lugano2014, lyric])
    def test_uptake_that_nothing_is_held_against_is_refused(self, criterion: ModuleType) -> None:
        alone = criterion.Facts(lesion_suv=Decimal(4), liver_suv=Decimal(3))
        with pytest.raises(ReadingError, match="mediastinum"):
            last(criterion, "BL W08\nT1 node 40x20 30x20", W08=alone)


class TestLyric:
    def test_early_growth_of_a_well_patient_is_ir1(self) -> None:
        assert last(lyric, "BL W10\nT1 node 40x25 50x30").overall.value == "IR1"

    def test_with_decline_or_after_twelve_weeks_it_is_progression(self) -> None:
        worse = lyric.Facts(clinical=lyric.Clinical.WORSE)
        assert last(lyric, "BL W10\nT1 node 40x25 50x30", W10=worse).overall.value == "PAD"
        assert last(lyric, "BL W12\nT1 node 40x25 50x30").overall.value == "IR1"
        assert last(lyric, "BL W13\nT1 node 40x25 50x30").overall.value == "PAD"
        stated = lyric.Facts(weeks_on_treatment=Decimal(12))
        assert last(lyric, "BL W13\nT1 node 40x25 50x30", W13=stated).overall.value == "IR1"

    def test_a_new_lesion_without_much_growth_is_ir2(self) -> None:
        assert last(lyric, "BL W30\nT1 node 40x25 40x30\nNL1 node . new").overall.value == "IR2"

    def test_one_lesion_grown_by_half_is_ir2(self) -> None:
        assert last(lyric, "BL W30\nT1 node 10x10 15x10\nT2 node 45x20 47.5x20").overall.value == "IR2"
        assert last(lyric, "BL W30\nT1 node 10x10 14.9x10\nT2 node 45x20 47.5x20").overall.value == "SAD"

    def test_uptake_alone_is_ir3(self) -> None:
        more = lyric.Facts(deauville=FivePoint.FIVE, uptake=Uptake.INCREASED)
        assert last(lyric, "BL W10\nT1 node 40x25 40x25", W10=more).overall.value == "IR3"

    def test_responses_and_other_progression_stay_those_of_lugano(self) -> None:
        assert last(lyric, "BL W10\nT1 node 40x25 20x10").overall.value == "PAR"
        assert last(lyric, "BL W10\nT1 node 40x25 20x10\nNT1 bone yes worse").overall.value == "PAD"

    @pytest.mark.parametrize(
        ("now", "words"), [("60x30", "PAD PAD"), ("54x31", "IR1 IR1"), ("60x27", "IR1 IR1"), ("40x25", "IR1 SAD")]
    )
    def test_ir1_becomes_progression_by_a_tenth_more_and_a_step(self, now: str, words: str) -> None:
        table = f"BL W10 W20\nT1 node 40x25 50x30 {now}\n= overall {words}"
        first, _ = judged_by(lyric, table)
        if words.startswith("PAD"):
            assert first.rule[-1].sentence == "was IR1; confirmed at W20, so it is dated here: PAD"
            assert first.rule[-1].numbers == {"overall_before": "IR1"}

    def test_ir2_becomes_progression_once_targets_and_new_lesions_have_grown_by_half(self) -> None:
        table = "BL W10 W20\nT1 node 40x25 40x25 40x25\nNL1 node . 20x10 {}\n= overall {}"
        judged_by(lyric, table.format("25x20", "PAD PAD"))
        judged_by(lyric, table.format("25x19", "IR2 IR2"))

    def test_a_biopsy_proves_it(self) -> None:
        proven = lyric.Facts(biopsy=lyric.Biopsy.POSITIVE)
        judged_by(lyric, "BL W10 W20\nT1 node 40x25 50x30 40x25\n= overall PAD PAD", W20=proven)

    def test_a_missing_scan_leaves_it_open(self) -> None:
        judged_by(lyric, "BL W10 W14 W20\nT1 node 40x25 50x30 NE 60x30\n= overall PAD NE PAD")


class TestRecil:
    @pytest.mark.parametrize(
        ("now", "word"),
        [
            ("70.0", "PR"),
            ("70.1", "MR"),
            ("90.0", "MR"),
            ("90.1", "SD"),
            ("120.0", "SD"),
            ("120.1", "PD"),
            ("9.9", "CR"),
            ("10.0", "PR"),
            ("gone", "CR"),
            ("NE", "NE"),
        ],
    )
    def test_words_by_the_sum(self, now: str, word: str) -> None:
        judged_by(recil, f"BL W06\nT1 node 100.0 {now}\n= overall {word}")

    def test_a_normal_pet_makes_a_partial_response_complete(self) -> None:
        judged_by(recil, "BL W06\nT1 node 100 60\n= overall CR", W06=recil.Facts(pet=recil.Pet.NORMAL))
        judged_by(recil, "BL W06\nT1 node 100 80\n= overall MR", W06=recil.Facts(pet=recil.Pet.NORMAL))
        judged_by(recil, "BL W06\nT1 node 100 gone\n= overall PR", W06=recil.Facts(pet=recil.Pet.POSITIVE))

    def test_relapse_after_complete_response_needs_twenty_mm(self) -> None:
        judged_by(recil, "BL W06 W12\nT1 liver 100 gone 19.9\n= overall CR PR")
        judged_by(recil, "BL W06 W12\nT1 liver 100 gone 20\n= overall CR PD")

    def test_growth_is_held_against_the_nadir(self) -> None:
        judged_by(recil, "BL W06 W12\nT1 liver 100 50 60\n= overall PR PR")
        judged_by(recil, "BL W06 W12\nT1 liver 100 50 60.1\n= overall PR PD")

    def test_new_lesions_and_marrow_progress(self) -> None:
        judged_by(recil, "BL W06\nT1 liver 100 60\nNL1 liver . new\n= overall PD")
        judged_by(recil, "BL W06\nT1 liver 100 60\n= overall PD", W06=recil.Facts(marrow=recil.Marrow.NEW))


class TestCheson2007:
    def test_a_wide_node_progresses_by_half_its_length(self) -> None:
        judged_by(cheson2007, "BL W06\nT1 node 20x12 30x12\n= overall PD")
        judged_by(cheson2007, "BL W06\nT1 node 20x12 29.9x12\n= overall SD")
        judged_by(cheson2007, "BL W06\nT1 node 20x10 30x10\n= overall SD")

    def test_the_sum_of_products_needs_more_than_one_mass(self) -> None:
        judged_by(cheson2007, "BL W06\nT1 node 20x10 20x15\n= overall SD")
        judged_by(cheson2007, "BL W06\nT1 node 20x10 20x15\nT2 node 20x10 20x15\n= overall PD")

    @pytest.mark.parametrize(("now", "word"), [("20x15", "PR"), ("20x15.1", "SD"), ("15x9", "CR"), ("15.1x9", "PR")])
    def test_half_the_products_or_normal_size(self, now: str, word: str) -> None:
        judged_by(cheson2007, f"BL W06\nT1 node 30x20 {now}\n= overall {word}")

    def test_a_small_node_is_normal_by_its_width(self) -> None:
        judged_by(cheson2007, "BL W06\nT1 node 14x12 14x10\n= overall CR")
        judged_by(cheson2007, "BL W06\nT1 node 14x12 14x10.1\n= overall SD")

    def test_a_negative_pet_makes_a_mass_of_any_size_complete(self) -> None:
        negative = cheson2007.Facts(pet=cheson2007.Pet.NEGATIVE)
        judged_by(cheson2007, "BL W06\nT1 node 60x40 50x40\n= overall CR", W06=negative)
        rules = cheson2007.Rules(fdg_avid=False)
        judged_by(cheson2007, "BL W06\nT1 node 60x40 50x40\n= overall SD", rules, W06=negative)

    def test_a_new_lesion_progresses_beyond_fifteen_mm(self) -> None:
        judged_by(cheson2007, "BL W06\nT1 node 60x40 60x40\nNL1 node . 15x9\n= overall SD")
        judged_by(cheson2007, "BL W06\nT1 node 60x40 60x40\nNL1 node . 15.1x9\n= overall PD")

    def test_a_nodule_of_the_liver_progresses_by_its_product(self) -> None:
        judged_by(cheson2007, "BL W06\nT1 liver 20x10 20x15\n= overall PD")
        judged_by(cheson2007, "BL W06\nT1 liver 20x10 20x14.9\n= overall SD")


@pytest.mark.parametrize("criterion", [lugano2014, lyric, recil, cheson2007])
def test_the_order_of_lesions_changes_nothing(criterion: ModuleType) -> None:
    record = readings("BL W06\nT1 node 30x20 25x12\nT2 liver 20x10 10x10\nNT1 node yes yes\nNL1 node . maybe")
    answers = {
        criterion.assess(tracks, record.designations, record.timepoints)[0].overall
        for tracks in itertools.permutations(record.tracks)
    }
    assert len(answers) == 1
