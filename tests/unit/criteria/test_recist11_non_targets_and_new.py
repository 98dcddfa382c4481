"""RECIST 1.1 non-target and new lesions as tables: rows of lesions, columns of visits, expected words below."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.readings import judged, readings
from trialimg.core.errors import ReadingError
from trialimg.criteria.recist11 import Facts, Markers, PartialNonTarget, Pet, Rules


class TestNonTargets:
    def test_words(self) -> None:
        judged("""
                        BL   W06   W12   W18   W24
            T1 liver    20   20    20    20    20
            NT1 bone    yes  yes   gone  NE    worse
            NT2 lung    yes  gone  gone  gone  gone
            = non_target     NON-CR/NON-PD CR  NE  PD
            = overall        SD    SD    SD    PD
        """)

    def test_a_node_below_ten_mm_is_gone_and_one_of_ten_is_not(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    20   0    0
            NT1 node    12   9.9  9.9
            NT2 node    14   9.9  10.0
            = non_target     CR   PD
        """)

    def test_some_present_and_some_not_assessed(self) -> None:
        table = """
                        BL   W06
            NT1 bone    yes  yes
            NT2 lung    yes  .
            = non_target     {0}
            = overall        {0}
        """
        judged(table.format("NE"))
        judged(table.format("NON-CR/NON-PD"), Rules(partial_non_target=PartialNonTarget.NON_CR_NON_PD))

    def test_tumour_markers_above_normal_bar_cr(self) -> None:
        table = """
                        BL   W06
            T1 liver    20   0
            NT1 bone    yes  gone
            = overall        {}
        """
        judged(table.format("CR"), W06=Facts(markers=Markers.NORMAL))
        judged(table.format("PR"), W06=Facts(markers=Markers.ELEVATED))
        judged(table.format("PR"), W06=Facts(markers=Markers.NOT_EVALUABLE))

    def test_non_target_only_disease(self) -> None:
        judged("""
                        BL   W06   W12   W18  W24
            NT1 bone    yes  yes   gone  NE   worse
            = target         NA    NA    NA   NA
            = overall        NON-CR/NON-PD CR NE PD
        """)

    def test_no_disease_at_baseline(self) -> None:
        judged("""
                        BL   W06  W12
            NL1 lung    .    .    new
            = overall        NED  PD
        """)


class TestNewLesions:
    def test_an_unequivocal_new_lesion_is_pd_whatever_the_rest(self) -> None:
        judged("""
                        BL   W06  W12
            T1 liver    40   10   0
            NL1 brain   .    .    new
            = target         PR   CR
            = new_lesion     no   unequivocal
            = overall        PR   PD
        """)

    def test_an_equivocal_one_changes_nothing_and_if_it_goes_never_did(self) -> None:
        judged("""
                        BL   W06    W12
            T1 liver    40   40     40
            NL1 liver   .    maybe  gone
            = new_lesion     equivocal no
            = overall        SD     SD
        """)

    def test_once_confirmed_the_progression_is_dated_at_the_first_scan(self) -> None:
        first, second, _ = judged("""
                        BL   W06    W12    W18
            T1 liver    40   10     10     10
            NL1 liver   .    maybe  maybe  new
            = new_lesion     unequivocal unequivocal unequivocal
            = overall        PD     PD     PD
        """)
        pre_image = {"overall_before": "PR", "new_lesion_before": "equivocal"}
        assert pre_image in [dict(firing.numbers) for firing in first.rule]
        assert pre_image in [dict(firing.numbers) for firing in second.rule]

    def test_a_lesion_that_went_away_between_is_dated_from_its_return(self) -> None:
        judged("""
                        BL   W06    W12    W18    W24
            T1 liver    40   40     40     40     40
            NL1 liver   .    maybe  gone   maybe  new
            = overall        SD     SD     PD     PD
        """)

    def test_by_charter_it_is_dated_at_the_confirming_scan(self) -> None:
        judged(
            """
                        BL   W06    W12
            T1 liver    40   40     40
            NL1 liver   .    maybe  new
            = overall        SD     PD
            """,
            Rules(backdate_equivocal=False),
        )

    def test_one_lesion_confirms_only_itself(self) -> None:
        judged("""
                        BL   W06    W12
            T1 liver    40   40     40
            NL1 liver   .    maybe  gone
            NL2 brain   .    .      new
            = overall        SD     PD
        """)

    def test_a_new_lesion_counts_until_it_is_recorded_absent(self) -> None:
        table = """
                        BL   W06  W12  W18
            T1 liver    40   40   40   40
            NL1 brain   .    new  .    gone
            = overall        PD   {}   SD
        """
        judged(table.format("PD"))
        judged(table.format("SD"), Rules(new_lesion_persists=False))

    def test_a_new_node_is_judged_by_its_short_axis(self) -> None:
        judged("""
                        BL   W06  W12   W18
            T1 liver    40   40   40    40
            NL1 node    .    9.9  .     .
            NL2 node    .    .    14.9  14.9
            = new_lesion     no   equivocal equivocal
            = overall        SD   SD    SD
        """)
        judged("""
                        BL   W06   W12
            T1 liver    40   40    40
            NL1 node    .    10.0  15.0
            = new_lesion     unequivocal unequivocal
            = overall        PD    PD
        """)

    def test_the_short_axis_that_makes_a_new_node_certain_is_a_setting(self) -> None:
        judged(
            """
                        BL   W06
            T1 liver    40   40
            NL1 node    .    10.0
            = overall        PD
            """,
            Rules(new_node_pd_sa_mm=Decimal(10)),
        )

    def test_a_reader_who_is_sure_of_a_small_node_is_believed(self) -> None:
        record = """
                        BL   W06
            T1 liver    40   40
            NL1 node    .    new
            = overall        PD
        """
        judged(record)


class TestPet:
    TABLE = """
                        BL   W06  W12
            T1 liver    40   40   40
            = overall        {}   {}
    """

    def test_negative_at_baseline_and_positive_later_is_pd(self) -> None:
        judged(self.TABLE.format("PD", "PD"), BL=Facts(pet=Pet.NEGATIVE), W06=Facts(pet=Pet.POSITIVE))

    def test_without_a_baseline_pet_the_ct_of_that_time_decides(self) -> None:
        judged(self.TABLE.format("PD", "PD"), W06=Facts(pet=Pet.POSITIVE_CT_CONFIRMED))
        judged(self.TABLE.format("SD", "SD"), W06=Facts(pet=Pet.POSITIVE_CT_DOUBTFUL))
        judged(self.TABLE.format("SD", "SD"), W06=Facts(pet=Pet.POSITIVE_KNOWN_SITE))

    def test_a_doubtful_site_that_a_later_ct_confirms_is_dated_at_the_pet(self) -> None:
        judged(
            self.TABLE.format("PD", "PD"),
            W06=Facts(pet=Pet.POSITIVE_CT_DOUBTFUL),
            W12=Facts(pet=Pet.POSITIVE_CT_CONFIRMED),
        )


class TestContradictions:
    def test_everything_wrong_is_named_at_once(self) -> None:
        record = readings("""
                        BL   W06
            T1 liver    40   40
            NL1 brain   20   new
        """)
        other = readings("""
                        BL   W06
            NT1 bone    yes  new
        """)
        with pytest.raises(ReadingError) as refused:
            type(record)((*record.tracks, *other.tracks), record.designations, record.timepoints[1:], {}).assess()
        codes = {fault.code for fault in refused.value.faults}
        assert codes == {"no_baseline", "no_role", "unknown_timepoint", "new_at_baseline"}

    def test_a_word_for_another_role_is_refused(self) -> None:
        with pytest.raises(ReadingError) as refused:
            judged("""
                        BL   W06
            NT1 bone    yes  new
            """)
        assert [fault.code for fault in refused.value.faults] == ["status_of_another_role"]
