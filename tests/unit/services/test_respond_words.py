"""Answers in other words and measures than those of RECIST, as rows of a table."""

from __future__ import annotations

import pytest

from trialimg.core.errors import ReadingError
from trialimg.criteria.registry import CRITERIA, criterion
from trialimg.services.respond import judge, overall_rows, timepoint_rows
from trialimg.services.respond_lesions import read_lesions

TRIPLES = "target,non_target,new\nCR,NON-CR/NON-PD,no\n"
LESIONS = """subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm,short_mm,volume_ml
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,40,30,20
S1,W08,2024-02-26,T1,target,non_nodal,liver,measured,20,15,
"""


def row(name: str) -> dict[str, object]:
    wanted = criterion(name)
    (answer,) = timepoint_rows(judge(read_lesions(LESIONS, "lesions.csv"), wanted, wanted.rules))
    return answer


def test_a_product_stands_in_columns_of_its_own_and_gives_the_percentages() -> None:
    answer = row("rano2")
    assert (answer["spd_mm2"], answer["spd_mm2_baseline"], answer["sum_mm"]) == (300, 1200, None)
    assert answer["change_from_baseline_pct"] == -75


def test_the_parts_of_an_answer_are_columns_and_the_rules_stand_last() -> None:
    answer = row("lugano2014")
    assert (answer["ct"], list(answer)[-1]) == ("PAR", "rule")


def test_a_criterion_of_diameters_keeps_its_columns() -> None:
    answer = row("recil")
    assert (answer["sum_mm"], answer["change_from_baseline_pct"]) == (20, -50)
    assert "spd_mm2" not in answer


@pytest.mark.parametrize("name", sorted(name for name, one in CRITERIA.items() if one.overall is None))
def test_where_three_words_do_not_decide_the_table_of_triples_is_refused(name: str) -> None:
    with pytest.raises(ReadingError, match="do not decide the overall response"):
        overall_rows(TRIPLES, "triples.csv", criterion(name))


@pytest.mark.parametrize("name", ["choi", "mchoi"])
def test_where_they_do_it_is_read(name: str) -> None:
    (answer,) = overall_rows(TRIPLES, "triples.csv", criterion(name))
    assert answer["overall"] == "PR"
