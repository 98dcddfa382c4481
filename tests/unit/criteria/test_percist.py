"""PERCIST and EORTC as tables: ``u2.4`` is a lesion's SULpeak, ``30u2.4`` with its longest diameter."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.readings import judged_by, readings
from trialimg.core.responses import OverallResponse
from trialimg.criteria import eortc_pet, percist
from trialimg.criteria.percist import Facts, LeanMass, Reference, Rules, SulPeak, Unknown


def scan(liver: str = "1.2", sd: str = "0.1", **more: Any) -> Facts:
    """A scan with its liver, 60 minutes after injection, on the same scanner."""
    return Facts(
        **{
            "liver_sul_mean": Decimal(liver),
            "liver_sul_sd": Decimal(sd),
            "uptake_minutes": Decimal(60),
            "same_scanner": True,
            "sulpeak_def": SulPeak.SPHERE_12_MM,
            "lean_mass": LeanMass.JAMES,
            **more,
        }
    )


def word(before: str, now: str, rules: Rules | None = None, **facts: Facts) -> str:
    """Overall word of one lung lesion."""
    known = {"BL": scan(), "W06": scan(), **facts}
    (answer,) = judged_by(percist, f"BL W06\nT1 lung {before} {now}", rules, **known)
    return str(answer.overall.value)


class TestPublishedExample:
    def test_a_third_and_eight_tenths_less_is_a_response(self) -> None:
        (answer,) = judged_by(percist, "BL W06\nT1 lung u2.4 u1.6\n= overall PMR", BL=scan(), W06=scan())
        assert answer.rule[0].sentence == "hottest lesion 2.4 >= 1.5 x liver 1.2 + 2 x 0.1 = 2.00 SUL: measurable"
        assert "2.4 SUL = 1.68 SUL, -0.8 SUL (0.8 SUL needed): PMR" in answer.rule[1].sentence

    def test_a_third_but_seven_tenths_is_not(self) -> None:
        assert word("u2.1", "u1.4") == "SMD"

    def test_exactly_thirty_per_cent_more_progresses_only_where_not_strict(self) -> None:
        assert word("u5.0", "u6.5") == "SMD"
        assert word("u5.0", "u6.5", Rules(percist_pmd_strict=False)) == "PMD"

    def test_more_than_thirty_per_cent_and_eight_tenths_progresses(self) -> None:
        assert word("u5.0", "u6.6") == "PMD"

    def test_a_lesion_too_cool_for_its_liver_is_not_measurable(self) -> None:
        (answer,) = judged_by(
            percist, "BL W06\nT1 lung u3.0 u1.0\n= target NE", BL=scan("1.8", "0.2"), W06=scan("1.8", "0.2")
        )
        assert answer.rule[0].sentence == "hottest lesion 3.0 < 1.5 x liver 1.8 + 2 x 0.2 = 3.10 SUL: not measurable"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("u2.0", "u2.0", "SMD"),
        ("u1.9", "u1.0", "NE"),
        ("u10.0", "u7.0", "PMR"),
        ("u10.0", "u7.1", "SMD"),
        ("u2.5", "u1.7", "PMR"),
        ("u2.5", "u1.75", "SMD"),
        ("u2.0", "u2.8", "SMD"),
        ("u2.0", "u2.81", "PMD"),
        ("u10.0", "u13.0", "SMD"),
        ("u10.0", "u13.1", "PMD"),
        ("u10.0", "gone", "CMR"),
        ("u10.0", "NE", "NE"),
        ("u10.0", "20", "NE"),
    ],
)
def test_both_the_share_and_the_difference_count_at_their_limits(before: str, now: str, expected: str) -> None:
    assert word(before, now) == expected


def test_a_strict_response_needs_more_than_the_limits() -> None:
    assert word("u10.0", "u7.0", Rules(percist_pmr_strict=True)) == "SMD"
    assert word("u10.0", "u6.9", Rules(percist_pmr_strict=True)) == "PMR"


class TestCompleteResponse:
    def test_below_the_liver_and_like_its_background(self) -> None:
        assert word("u10.0", "u1.1", W06=scan(like_background=True)) == "CMR"

    def test_below_the_liver_alone_is_partial(self) -> None:
        assert word("u10.0", "u1.1") == "PMR"

    def test_not_below_the_liver_is_partial_even_below_the_measurable(self) -> None:
        assert word("u10.0", "u1.2", W06=scan(like_background=True)) == "PMR"

    def test_non_targets_that_persist_forbid_it(self) -> None:
        judged_by(
            percist, "BL W06\nT1 lung u10 gone\nNT1 bone yes yes\n= target CMR\n= overall PMR", BL=scan(), W06=scan()
        )


class TestComparableScans:
    @pytest.mark.parametrize(("liver", "expected"), [("1.44", "PMR"), ("1.45", "NE"), ("0.96", "PMR"), ("0.95", "NE")])
    def test_the_liver_may_change_by_a_fifth(self, liver: str, expected: str) -> None:
        assert word("u10.0", "u5.0", W06=scan(liver)) == expected

    @pytest.mark.parametrize(("liver", "expected"), [("2.29", "PMR"), ("2.30", "NE")])
    def test_and_by_less_than_three_tenths(self, liver: str, expected: str) -> None:
        assert word("u10.0", "u5.0", BL=scan("2.0"), W06=scan(liver)) == expected

    @pytest.mark.parametrize(("minutes", "expected"), [(70, "PMR"), (75, "PMR"), (76, "NE"), (44, "NE")])
    def test_uptake_times_may_differ_by_a_quarter_of_an_hour(self, minutes: int, expected: str) -> None:
        assert word("u10.0", "u5.0", W06=scan(uptake_minutes=Decimal(minutes))) == expected

    def test_another_scanner_cannot_be_compared(self) -> None:
        assert word("u10.0", "u5.0", W06=scan(same_scanner=False)) == "NE"

    def test_what_is_not_known_is_said_or_stops(self) -> None:
        assert word("u10.0", "u5.0", W06=Facts()) == "PMR"
        assert word("u10.0", "u5.0", Rules(unknown_comparability=Unknown.NE), W06=Facts()) == "NE"

    def test_a_diseased_liver_gives_way_to_blood_pool(self) -> None:
        pool = {"liver_diseased": True, "blood_pool_sul_mean": Decimal("1.0"), "blood_pool_sul_sd": Decimal("0.1")}
        assert word("u2.2", "u1.0", BL=scan("9.0", **pool), W06=scan("9.0", **pool)) == "PMR"
        assert word("u2.1", "u1.0", BL=scan("1.0", **pool), W06=scan("1.0", **pool)) == "NE"

    def test_without_liver_or_blood_pool_nothing_is_measurable(self) -> None:
        assert word("u10.0", "u5.0", BL=Facts()) == "NE"


class TestCourse:
    def test_the_hottest_lesion_may_be_another_one(self) -> None:
        judged_by(percist, "BL W06\nT1 lung u10 u4\nT2 liver u3 u4.5\n= overall SMD", BL=scan(), W06=scan())
        judged_by(percist, "BL W06\nT1 lung u10 u4\nT2 liver u4.4 u4.5\n= overall PMR", BL=scan(), W06=scan())

    def test_growth_elsewhere_in_size_forbids_a_response(self) -> None:
        judged_by(percist, "BL W06\nT1 lung u10 u4\nT2 liver 30u5 40u4\n= overall SMD", BL=scan(), W06=scan())
        judged_by(percist, "BL W06\nT1 lung u10 u4\nT2 liver 30u5 39u4\n= overall PMR", BL=scan(), W06=scan())

    def test_new_lesions_progress_even_where_uptake_cannot_be_judged(self) -> None:
        judged_by(percist, "BL W06\nT1 lung u10 u4\nNL1 bone . new\n= overall PMD", BL=scan(), W06=scan())
        judged_by(percist, "BL W06\nT1 lung u10 u4\nNL1 bone . new\n= target NE\n= overall PMD")

    def test_glycolysis_and_extent_progress(self) -> None:
        grown = scan(tlg=Decimal("175.1"))
        assert word("u10", "u10", BL=scan(tlg=Decimal(100)), W06=grown) == "PMD"
        assert word("u10", "u10", BL=scan(tlg=Decimal(100)), W06=scan(tlg=Decimal(175))) == "SMD"
        assert word("u10", "u10", W06=scan(extent_increased=True)) == "PMD"

    def test_progression_may_be_held_against_the_nadir(self) -> None:
        table = "BL W06 W12\nT1 lung u10 u4 u6\n= overall PMR {}"
        known = {"BL": scan(), "W06": scan(), "W12": scan()}
        judged_by(percist, table.format("PMR"), **known)
        judged_by(percist, table.format("PMD"), Rules(pmd_reference=Reference.NADIR), **known)

    def test_five_hottest_two_per_organ_are_added(self) -> None:
        rows = "\n".join(
            f"T{i} {organ} u{9 - i} u{9 - i}" for i, organ in enumerate(["a", "a", "a", "b", "c", "d", "e"])
        )
        (answer,) = judged_by(percist, f"BL W06\n{rows}", BL=scan(), W06=scan())
        assert answer.measures[1].value == 9 + 8 + 6 + 5 + 4

    def test_the_order_of_lesions_changes_nothing(self) -> None:
        record = readings("BL W06\nT1 lung u10 u4\nT2 liver u5 u4.4\nT3 bone u5 u5")
        facts = {"BL": scan(), "W06": scan()}
        words = {
            percist.assess(tracks, record.designations, record.timepoints, facts=facts)[0].overall
            for tracks in itertools.permutations(record.tracks)
        }
        assert len(words) == 1


@pytest.mark.parametrize(
    ("now", "one_cycle", "later", "unknown"),
    [
        ("u8.5", "PMR", "SMD", "NE"),
        ("u8.6", "SMD", "SMD", "SMD"),
        ("u7.5", "PMR", "SMD", "NE"),
        ("u7.4", "PMR", "PMR", "PMR"),
        ("u12.5", "SMD", "SMD", "SMD"),
        ("u12.6", "PMD", "PMD", "PMD"),
        ("gone", "CMR", "CMR", "CMR"),
        ("NE", "NE", "NE", "NE"),
    ],
)
def test_eortc_asks_for_more_after_more_cycles(now: str, one_cycle: str, later: str, unknown: str) -> None:
    table = f"BL W06\nT1 lung u10.0 {now}\n= overall {{}}"
    judged_by(eortc_pet, table.format(one_cycle), W06=eortc_pet.Facts(cycles=1))
    judged_by(eortc_pet, table.format(later), W06=eortc_pet.Facts(cycles=3))
    judged_by(eortc_pet, table.format(unknown))


class TestEortc:
    def test_a_fifth_more_extent_is_not_yet_progression(self) -> None:
        one = eortc_pet.Facts(cycles=1)
        judged_by(eortc_pet, "BL W06\nT1 lung 50u10 60u8\n= overall PMR", W06=one)
        judged_by(eortc_pet, "BL W06\nT1 lung 50u10 60.1u8\n= overall PMD", W06=one)

    def test_uptake_is_pooled_as_set(self) -> None:
        table = "BL W06\nT1 lung u10 u5\nT2 liver u4 u9\n= overall {}"
        two = eortc_pet.Facts(cycles=2)
        judged_by(eortc_pet, table.format("SMD"), W06=two)
        judged_by(eortc_pet, table.format("SMD"), eortc_pet.Rules(pooling=eortc_pet.Pooling.HOTTEST), W06=two)
        judged_by(eortc_pet, "BL W06\nT1 lung u10 u7\nT2 liver u4 u4\n= overall SMD", W06=two)
        hottest = eortc_pet.Rules(pooling=eortc_pet.Pooling.HOTTEST)
        judged_by(eortc_pet, "BL W06\nT1 lung u10 u7\nT2 liver u4 u4\n= overall PMR", hottest, W06=two)

    def test_new_lesions_progress(self) -> None:
        judged_by(eortc_pet, "BL W06\nT1 lung u10 u1\nNL1 bone . new\n= overall PMD", W06=eortc_pet.Facts(cycles=2))

    def test_like_background_is_complete(self) -> None:
        judged_by(eortc_pet, "BL W06\nT1 lung u10 u1\n= overall CMR", W06=eortc_pet.Facts(like_background=True))


class TestDefinitionOfPeak:
    def test_scans_measured_in_another_way_than_the_trials_cannot_be_compared(self) -> None:
        other = scan(sulpeak_def=SulPeak.SPHERE_1_ML)
        assert word("u5.0", "u3.0", W06=other) == "NE"
        assert word("u5.0", "u3.0", BL=other) == "NE"
        assert word("u5.0", "u3.0", BL=other, W06=other) == "NE"
        assert word("u5.0", "u3.0", Rules(sulpeak_def=SulPeak.SPHERE_1_ML), BL=other, W06=other) == "PMR"

    def test_two_formulas_of_lean_mass_are_never_mixed(self) -> None:
        assert word("u5.0", "u3.0", W06=scan(lean_mass=LeanMass.JANMAHASATIAN)) == "NE"

    def test_the_answer_names_what_differs(self) -> None:
        known = {"BL": scan(), "W06": scan(sulpeak_def=SulPeak.SPHERE_1_ML)}
        (answer,) = judged_by(percist, "BL W06\nT1 lung u5.0 u3.0", **known)
        told = [f.sentence for f in answer.rule if f.rule == "PERCIST/PE1"]
        assert told == ["sulpeak_def is 1ml, of the trial 12mm: scans cannot be compared"]

    def test_what_is_not_recorded_is_noted_or_stops(self) -> None:
        unsaid = {name: scan(sulpeak_def=None, lean_mass=None) for name in ("BL", "W06")}
        (answer,) = judged_by(percist, "BL W06\nT1 lung u5.0 u3.0", **unsaid)
        (note,) = (f for f in answer.rule if f.rule == "PERCIST/PE1")
        told = "sulpeak_def (12mm) and lean_mass (james) not recorded at both scans: taken to be so"
        assert (answer.overall.value, note.sentence) == ("PMR", told)
        assert word("u5.0", "u3.0", Rules(unknown_comparability=Unknown.NE), **unsaid) == "NE"


class TestSizeBesideUptake:
    GONE: Facts = scan(like_background=True)

    def due(self, table: str, **facts: Facts) -> list[str]:
        (answer,) = judged_by(percist, table, **{"BL": scan(), "W06": self.GONE, **facts})
        assert answer.overall.value == "CMR"
        return [f.sentence for f in answer.rule if "must decide" in f.sentence]

    def test_progression_of_size_in_a_complete_response_asks_for_a_further_scan(self) -> None:
        told = ["CMR, but RECIST shows PD: a further scan within 4 weeks must decide"]
        assert self.due("BL W06\nT1 lung 30u5.0 36u1.0") == told
        assert self.due("BL W06\nT1 lung 30u5.0 35u1.0") == []

    def test_a_stated_response_by_recist_stands(self) -> None:
        stated = scan(like_background=True, recist=OverallResponse.PD)
        assert len(self.due("BL W06\nT1 lung u5.0 u1.0", W06=stated)) == 1
        no_progression = scan(like_background=True, recist=OverallResponse.SD)
        assert self.due("BL W06\nT1 lung 30u5.0 36u1.0", W06=no_progression) == []

    def test_any_other_word_asks_for_nothing(self) -> None:
        (answer,) = judged_by(percist, "BL W06\nT1 lung 30u5.0 36u4.9", BL=scan(), W06=scan())
        assert (answer.overall.value, dict(answer.parts)) == ("SMD", {})
