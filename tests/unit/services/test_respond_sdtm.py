"""SDTM tumour tables: what is read of them, and what is named and left out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import LesionKind, NewLesionStatus, NonTargetStatus, Observation, Seen
from trialimg.services.respond_sdtm import SdtmReadings, read_sdtm
from trialimg.services.respond_sdtm_rows import Nodes, read_nodes, read_sdtm_rows

TU = """\
USUBJID,VISIT,VISITNUM,TULOC,TUTESTCD,TUSTRESC,TULNKID,TUEVAL,TUEVALID
S1,SCREENING,1,LIVER,TUMIDENT,TARGET,T01,INDEPENDENT ASSESSOR,RADIOLOGIST 1
S1,SCREENING,1,LYMPH NODE,TUMIDENT,TARGET,T02,INDEPENDENT ASSESSOR,RADIOLOGIST 1
S1,SCREENING,1,BONE,TUMIDENT,NON-TARGET,NT01,INDEPENDENT ASSESSOR,RADIOLOGIST 1
S1,WEEK 6,2,BRAIN,TUMIDENT,NEW,NEW01,INDEPENDENT ASSESSOR,RADIOLOGIST 1
"""
HEADER = "USUBJID,TRLNKID,TRTESTCD,TRSTRESC,TRSTRESU,TRSTAT,TRREASND,VISITNUM,VISIT,TREVAL,TREVALID,TRDTC\n"
WHO = "INDEPENDENT ASSESSOR,RADIOLOGIST 1"
BASELINE = f"""\
S1,T01,LDIAM,40,mm,,,1,SCREENING,{WHO},2024-01-01
S1,T01,LPERP,30,mm,,,1,SCREENING,{WHO},2024-01-01
S1,T02,LDIAM,25,mm,,,1,SCREENING,{WHO},2024-01-01
S1,T02,LPERP,18,mm,,,1,SCREENING,{WHO},2024-01-01
S1,NT01,TUMSTATE,PRESENT,,,,1,SCREENING,{WHO},2024-01-03
"""


def read(later: str, nodes: Nodes | None = None) -> SdtmReadings:
    rows = "".join(f"S1,{line[:-1] if line.endswith(';') else line}\n" for line in later.split())
    listed = nodes if nodes is not None else Nodes("nodes", locations=frozenset({"LYMPH NODE"}))
    return read_sdtm(read_sdtm_rows((TU, "tu.csv"), (HEADER + BASELINE + rows.replace("~", " "), "tr.csv")), listed)


def row(lesion: str, test: str, value: str, *, unit: str = "mm", status: str = "", day: str = "2024-02-12") -> str:
    cells = [lesion, test, value, unit, status, "not~imaged" if status else "", "2", "WEEK~6", WHO, day]
    return ",".join(cells).replace(" ", "~")


def at_week_6(found: SdtmReadings, lesion: str) -> Observation | None:
    (reading,) = found.readings
    return next(track for track in reading.tracks if track.lesion.id == lesion).at("WEEK 6")


def codes(found: SdtmReadings) -> list[str]:
    return [finding.code for finding in found.findings]


def test_a_node_is_measured_across_and_anything_else_along() -> None:
    found = read(row("T01", "LDIAM", "20.25"))
    (reading,) = found.readings
    assert [str(track.at("SCREENING").diameter_mm) for track in reading.tracks[:2]] == ["40", "18"]  # type: ignore[union-attr]
    assert [track.lesion.kind for track in reading.tracks[:2]] == [LesionKind.NON_NODAL, LesionKind.NODAL]
    assert at_week_6(found, "T01").diameter_mm == Decimal("20.25")  # type: ignore[union-attr]
    assert (reading.subject, reading.reader) == ("S1", "RADIOLOGIST 1")
    assert str(reading.timepoints[0].first_date) == "2024-01-01"
    assert codes(found) == []


def test_what_is_nodal_is_never_guessed() -> None:
    found = read(row("T01", "LDIAM", "20"), Nodes("--nodes"))
    assert {track.lesion.kind for track in found.readings[0].tracks} == {LesionKind.NON_NODAL}
    assert codes(found) == ["nodes_not_given"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (row("T01", "LDIAM", "0"), Seen.ABSENT),
        (row("T01", "LDIAM", "TOO SMALL TO MEASURE", unit=""), Seen.TOO_SMALL),
        (row("T01", "LDIAM", "", status="NOT~DONE"), Seen.NOT_EVALUABLE),
        (row("T01", "DIAMETER", "1.2", unit="cm"), Seen.MEASURED),
        (row("NT01", "TUMSTATE", "ABSENT", unit=""), Seen.ABSENT),
    ],
)
def test_zero_too_small_and_not_done_are_three_things(line: str, seen: Seen) -> None:
    observation = at_week_6(read(line), line.split(",")[0])
    assert observation is not None
    assert observation.seen is seen


def test_words_on_other_lesions() -> None:
    found = read(f"{row('NT01', 'TUMSTATE', 'UNEQUIVOCAL', unit='')} {row('NEW01', 'TUMSTATE', 'EQUIVOCAL', unit='')}")
    assert at_week_6(found, "NT01").status is NonTargetStatus.UNEQUIVOCAL_PROGRESSION  # type: ignore[union-attr]
    assert at_week_6(found, "NEW01").status is NewLesionStatus.EQUIVOCAL  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (row("T01", "LDIAM", "20", day="2024-02"), "partial_date"),
        (row("T01", "LDIAM", "-3"), "bad_value"),
        (row("T01", "LDIAM", "about~20"), "bad_value"),
        (row("T01", "LDIAM", "2", unit="in"), "bad_value"),
        (row("T09", "LDIAM", "20"), "unknown_lesion"),
        (row("T01", "COLOUR", "20"), "not_supported"),
        (row("NT01", "TUMSTATE", "BIGGER", unit=""), "unknown_word"),
        (row("T01", "LDIAM", "20") + " " + row("T01", "LDIAM", "21"), "two_results"),
        (row("T01", "LDIAM", "20", day="2023-01-01"), "before_baseline"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_becomes_a_number(line: str, code: str) -> None:
    found = read(line)
    assert codes(found) == [code]
    if found.readings[0].timepoints[1:]:
        observation = at_week_6(found, "T01")
        assert observation is None or observation.seen is Seen.NOT_EVALUABLE


def test_a_file_that_is_not_the_table_is_refused() -> None:
    with pytest.raises(ReadingError) as refused:
        read_sdtm_rows((TU, "tu.csv"), ("subject,date\n", "tr.csv"))
    assert "column TRLNKID is missing" in {fault.message for fault in refused.value.faults}


def test_the_table_of_nodes_names_lesions_or_locations() -> None:
    nodes = read_nodes("subject,lesion,location\nS1,T02,\n,,Lymph node\n", "nodes.csv")
    assert (nodes.lesions, nodes.locations) == ({("S1", "T02")}, {"LYMPH NODE"})
    with pytest.raises(ReadingError):
        read_nodes("subject,lesion,location\nS1,,\n", "nodes.csv")
    strange = read(row("T01", "LDIAM", "20"), Nodes("nodes.csv", lesions=frozenset({("S1", "T99")})))
    assert codes(strange) == ["unknown_lesion"]
