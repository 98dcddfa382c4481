"""SDTM tumour tables: lesions that split (TUSPLIT) and lesions that merged (TUMERGE)."""

from __future__ import annotations

import pytest

from trialimg.core.lesions import LesionKind, Seen
from trialimg.core.responses import CriterionAssessment
from trialimg.criteria.registry import criterion
from trialimg.services.respond import judge
from trialimg.services.respond_sdtm import SdtmReadings, read_sdtm
from trialimg.services.respond_sdtm_rows import Nodes, read_sdtm_rows

VISITS = {"SCREENING": (1, "2024-01-01"), "WEEK 8": (2, "2024-02-26"), "WEEK 16": (3, "2024-04-22")}
TARGETS = """
    T01 TUMIDENT TARGET . 1
    T02 TUMIDENT TARGET . 1
    N03 TUMIDENT TARGET . 1
"""
BASELINE = "T01 40 1; T02 30 1; N03 20 1"


def read(identified: str, measured: str, *, nodes: frozenset[tuple[str, str]] | None = None) -> SdtmReadings:
    """``lesion test role group visit`` by line, and ``lesion result visit``; a reason ends in an exclamation mark."""
    tu = "USUBJID,TULNKID,TUTESTCD,TUSTRESC,TUGRPID,VISITNUM\n" + "".join(
        "S1," + ",".join("" if cell == "." else cell for cell in line.split()) + "\n"
        for line in identified.strip().splitlines()
    )
    tr = "USUBJID,TRLNKID,TRTESTCD,TRORRES,TRSTRESC,TRSTRESU,TRSTAT,TRREASND,VISITNUM,VISIT,TRDTC\n"
    for cell in measured.split(";"):
        lesion, result, number = cell.split()
        name, day = next((name, day) for name, (n, day) in VISITS.items() if n == int(number))
        kinds = {name.rpartition("-")[2].rstrip("0123456789.") for name in lesion.split("/")}
        test = "LDIAM" if "T" in kinds else "TUMSTATE" if "NT" in kinds else "LPERP"
        said = f"{result},{result},mm,," if result[0].isdigit() else f"{result},{result},,,"
        if result == "small":
            said = "TOO SMALL TO MEASURE,5,mm,,"
        elif result.endswith("!"):
            said = f",,,NOT DONE,{result[:-1].replace('_', ' ')}"
        elif test == "TUMSTATE":
            said = f",{result.replace('_', ' ')},,,"
        tr += f"S1,{lesion},{test},{said},{number},{name},{day}\n"
    listed = Nodes("nodes", nodes if nodes is not None else frozenset({("S1", "N03")}))
    return read_sdtm(read_sdtm_rows((tu, "tu.csv"), (tr, "tr.csv")), listed)


def answers(found: SdtmReadings) -> tuple[CriterionAssessment, ...]:
    recist = criterion("recist11")
    assert found.findings == ()
    (one,) = judge(found.readings, recist, recist.rules)
    return one.assessments


def sums(found: SdtmReadings) -> list[str]:
    return [str(answer.sums.sum_mm) for answer in answers(found)]


SPLIT = "    T01.1 TUSPLIT TARGET T01 2\n    T01.2 TUSPLIT TARGET T01 2\n"


@pytest.mark.parametrize("parent", ["", "; T01 TUMOR_SPLIT! 2; T01 TUMOR_SPLIT! 3"])
def test_the_fragments_stand_in_for_a_lesion_that_has_split(parent: str) -> None:
    later = "; T01.1 14 2; T01.2 10 2; T02 30 2; N03 9 2; T01.1 12 3; T01.2 small 3; T02 30 3; N03 9 3"
    found = read(TARGETS + SPLIT, BASELINE + later + parent)
    assert sums(found) == ["63", "56"]
    assert "R-1.1/R11" in {firing.rule for firing in answers(found)[0].rule}


def test_the_parent_of_a_fragment_stands_in_its_name_where_no_group_does() -> None:
    found = read(TARGETS + SPLIT.replace(" T01 ", " . "), BASELINE + "; T01.1 14 2; T01.2 10 2; T02 30 2; N03 9 2")
    assert sums(found) == ["63"]


def test_a_fragment_that_is_not_recorded_makes_the_sum_unknown() -> None:
    later = "; T01.1 14 2; T01.2 10 2; T02 30 2; N03 9 2; T01.1 14 3; T02 30 3; N03 9 3"
    assert sums(read(TARGETS + SPLIT, BASELINE + later)) == ["63", "None"]


def test_a_fragment_of_a_node_is_a_node() -> None:
    found = read(TARGETS + "    N03.1 TUSPLIT TARGET N03 2\n", BASELINE + "; N03.1 9 2")
    kinds = {track.lesion.id: track.lesion.kind for track in found.readings[0].tracks}
    assert (kinds["N03.1"], kinds["T01"]) == (LesionKind.NODAL, LesionKind.NON_NODAL)


MERGED = "    T01/T02 TUMERGE TARGET T01/T02 2\n"


@pytest.mark.parametrize("parents", ["", "; T01 TUMOR_MERGED! 2; T02 TUMOR_MERGED! 2; T02 TUMOR_MERGED! 3"])
def test_a_mass_counts_once_and_its_parents_no_more(parents: str) -> None:
    later = "; T01/T02 55 2; N03 20 2; T01/T02 60 3; N03 20 3"
    found = read(TARGETS + MERGED, BASELINE + later + parents)
    assert sums(found) == ["75", "80"]
    assert "R-1.1/R12" in {firing.rule for firing in answers(found)[0].rule}


def test_a_mass_that_was_not_measured_is_missing() -> None:
    assert sums(read(TARGETS + MERGED, BASELINE + "; T01/T02 not_imaged! 2; N03 20 2")) == ["None"]


def test_the_reader_before_the_first_name_belongs_to_the_others_too() -> None:
    rows = TARGETS.replace("T0", "R1-T0").replace("N0", "R1-N0") + "    R1-T01/T02 TUMERGE TARGET R1-T01/T02 2\n"
    measured = (BASELINE + "; T01/T02 55 2; N03 9 2").replace("T01", "R1-T01", 1).replace("; T01/", "; R1-T01/")
    measured = measured.replace("; T02 30 1", "; R1-T02 30 1").replace("N03", "R1-N03")
    found = read(rows, measured, nodes=frozenset({("S1", "R1-N03")}))
    (reading,) = found.readings
    assert [track.lesion.id for track in reading.tracks] == ["R1-T01", "R1-T02", "R1-N03"]
    merged = reading.tracks[1].at("WEEK 8")
    assert merged is not None
    assert (merged.seen, merged.merged_into) == (Seen.NOT_EVALUABLE, "R1-T01")


def test_a_mass_with_a_target_in_it_is_measured_as_that_target() -> None:
    rows = TARGETS + "    NT04 TUMIDENT NON-TARGET . 1\n    NT04/T01 TUMERGE TARGET . 2\n"
    found = read(rows, BASELINE + "; NT04 PRESENT 1; NT04/T01 55 2; T02 30 2; N03 20 2")
    (answer,) = answers(found)
    assert (str(answer.sums.sum_mm), answer.non_target.value) == ("105", "CR")


def test_a_mass_that_takes_in_another_lesion_is_one_mass() -> None:
    rows = TARGETS + MERGED + "    T02/N03 TUMERGE TARGET . 3\n"
    found = read(rows, BASELINE + "; T01/T02 55 2; N03 20 2; T02/N03 90 3")
    assert sums(found) == ["75", "90"]


def test_a_mass_that_is_named_twice_in_another_order_is_the_same() -> None:
    rows = TARGETS + MERGED + "    T02/T01 TUMERGE TARGET . 3\n"
    assert sums(read(rows, BASELINE + "; T01/T02 55 2; N03 20 2; T02/T01 60 3; N03 20 3")) == ["75", "80"]


def test_a_non_target_that_has_split_is_judged_by_its_fragments() -> None:
    rows = TARGETS + "    NT04 TUMIDENT NON-TARGET . 1\n    NT04.1 TUSPLIT NON-TARGET NT04 3\n"
    later = "; NT04 PRESENT 1; T01 40 2; T02 30 2; N03 20 2; NT04 PRESENT 2; T01 40 3; T02 30 3; N03 20 3"
    words = [answer.non_target.value for answer in answers(read(rows, BASELINE + later + "; NT04.1 ABSENT 3"))]
    assert words == ["NON-CR/NON-PD", "CR"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("T09.1 TUSPLIT TARGET T09 2", "unknown_lesion"),
        ("T01.1 TUSPLIT NEW T01 2", "role_changes"),
        ("T01/T09 TUMERGE TARGET . 2", "unknown_lesion"),
        ("M1 TUMERGE TARGET T01 2", "unknown_lesion"),
        ("T01 TUOTHER TARGET . 2", "not_supported"),
        ("T01/T01 TUMERGE TARGET . 2", "unknown_lesion"),
        ("T02 TUSPLIT TARGET T01 2", "split_of_known_lesion"),
    ],
)
def test_relatives_that_cannot_be_told_are_named_and_left_out(row: str, code: str) -> None:
    found = read(TARGETS + f"    {row}\n", BASELINE + "; T01 40 2; T02 30 2; N03 20 2")
    assert [finding.code for finding in found.findings] == [code]


def test_what_was_not_done_needs_no_date_and_ne_is_not_evaluable() -> None:
    tu = "USUBJID,TULNKID,TUTESTCD,TUSTRESC,VISITNUM\nS1,T01,TUMIDENT,TARGET,1\nS1,T02,TUMIDENT,TARGET,1\n"
    tr = (
        "USUBJID,TRLNKID,TRTESTCD,TRSTRESC,TRSTRESU,TRSTAT,TRREASND,VISITNUM,VISIT,TRDTC\n"
        "S1,T01,LDIAM,40,mm,,,1,SCREENING,2024-01-01\nS1,T02,LDIAM,30,mm,,,1,SCREENING,2024-01-01\n"
        "S1,T01,LDIAM,,,NOT DONE,NOT SCANNED,2,WEEK 8,\nS1,T02,LDIAM,NE,,,,2,WEEK 8,2024-02-26\n"
    )
    found = read_sdtm(read_sdtm_rows((tu, "tu.csv"), (tr, "tr.csv")), Nodes("n", locations=frozenset({"NODE"})))
    assert found.findings == ()
    seen = [track.at("WEEK 8") for track in found.readings[0].tracks]
    assert [(o.seen, o.reason) for o in seen if o is not None] == [
        (Seen.NOT_EVALUABLE, "NOT SCANNED"),
        (Seen.NOT_EVALUABLE, "not evaluable"),
    ]
