"""A lesion table is read whole or refused whole, with every fault and its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import LesionNature, NewLesionStatus, NonTargetStatus, Role, Seen
from trialimg.criteria.registry import criterion
from trialimg.services.respond import judge
from trialimg.services.respond_facts import read_facts
from trialimg.services.respond_lesions import SubjectReading, read_lesions

HEADER = "subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm"
GOOD = """
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,40
S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,20
"""


def table(rows: str, extra: str = "") -> str:
    """A table with more columns, if any."""
    return f"{HEADER}{',' + extra if extra else ''}\n{rows.strip()}\n"


def read(rows: str, extra: str = "", baseline: str | None = None) -> tuple[SubjectReading, ...]:
    return read_lesions(table(rows, extra), "lesions.csv", baseline=baseline)


def faults(rows: str, extra: str = "", baseline: str | None = None) -> list[tuple[int, str]]:
    """(line, code) of everything that is refused."""
    with pytest.raises(ReadingError) as refused:
        read(rows, extra, baseline)
    return [(int(fault.where.rpartition(":")[2]), fault.code) for fault in refused.value.faults]


def test_a_good_table_becomes_tracks_in_order_of_date() -> None:
    (reading,) = read(GOOD)
    (track,) = reading.tracks
    assert [timepoint.id for timepoint in reading.timepoints] == ["BL", "W06"]
    assert [o.diameter_mm for o in track.observations] == [Decimal(40), Decimal(20)]
    assert reading.designations[0].role is Role.TARGET


def test_the_order_of_lines_does_not_matter() -> None:
    lines = GOOD.strip().splitlines()
    assert read("\n".join(lines[::-1]))[0].tracks == read(GOOD)[0].tracks


def test_a_timepoint_of_several_dates_keeps_the_first_and_the_last() -> None:
    rows = GOOD + "S1,W06,2024-02-20,NT1,non_target,non_nodal,bone,absent,\n"
    timepoint = read(rows)[0].timepoints[1]
    assert (str(timepoint.first_date), str(timepoint.date)) == ("2024-02-12", "2024-02-20")


def test_readers_are_kept_apart() -> None:
    rows = "".join(
        f"S1,{visit},{day},T1,{role},non_nodal,liver,measured,40,{reader}\n"
        for reader, role in (("R1", "target"), ("R2", "non_target"))
        for visit, day in (("BL", "2024-01-01"), ("W06", "2024-02-12"))
    )
    assert [(r.reader, r.designations[0].role) for r in read(rows, "reader")] == [
        ("R1", Role.TARGET),
        ("R2", Role.NON_TARGET),
    ]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ("S1,W06,2024-02-12,T1,goal,non_nodal,liver,measured,20", "bad_value"),
        ("S1,W06,2024-02-12,T1,target,lump,liver,measured,20", "bad_value"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,gone,", "bad_value"),
        ("S1,W06,12/02/2024,T1,target,non_nodal,liver,measured,20", "bad_value"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,twenty", "bad_value"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,nan", "bad_value"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,-20", "negative"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,0", "zero_diameter"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,", "no_diameter"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,absent,20", "diameter_of_unmeasured"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,absent,0", "zero_diameter"),
        ("S1,W06,2023-12-31,T1,target,non_nodal,liver,measured,20", "before_baseline"),
        ("S1,W06,2024-01-01,T1,target,non_nodal,liver,measured,20", "same_date"),
        ("S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,20", "double_row"),
        ("S1,W06,2024-02-12,T1,non_target,non_nodal,liver,measured,20", "role_changes"),
        ("S1,W06,2024-02-12,T1,target,nodal,liver,measured,20", "kind_changes"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,lung,measured,20", "organ_changes"),
        (",W06,2024-02-12,T1,target,non_nodal,liver,measured,20", "blank"),
        ("S1,W06,,T1,target,non_nodal,liver,measured,20", "blank"),
        ("S1,BL,2024-01-01,NL1,new,non_nodal,brain,measured,20", "new_at_baseline"),
        ("S1,W06,2024-02-12,T1,target,non_nodal,liver,measured,20,9", "cells"),
    ],
)
def test_what_is_refused(cells: str, fault: str) -> None:
    baseline = GOOD.strip().splitlines()[0]
    assert (3, fault) in faults(f"{baseline}\n{cells}")


@pytest.mark.parametrize(
    ("extra", "values", "fault"),
    [
        ("status", "present", "bad_value"),
        ("local_therapy", "perhaps", "bad_value"),
        ("slice_mm", "-5", "negative"),
        ("split_from", "T9", "unknown_lesion"),
        ("split_from", "T1", "own_relative"),
        ("merged_into", "T1", "own_relative"),
        ("nature", "bone", "bad_value"),
        ("treated_before", "perhaps", "bad_value"),
    ],
)
def test_what_is_refused_in_optional_columns(extra: str, values: str, fault: str) -> None:
    first, second = GOOD.strip().splitlines()
    assert (3, fault) in faults(f"{first},\n{second},{values}", extra)


@pytest.mark.parametrize(
    ("role", "seen", "status", "fault"),
    [
        ("non_target", "absent", "present", "status_contradicts"),
        ("non_target", "measured", "absent", "status_contradicts"),
        ("non_target", "measured", "not_evaluable", "status_contradicts"),
        ("non_target", "measured", "equivocal", "bad_value"),
        ("new", "absent", "unequivocal", "status_contradicts"),
        ("new", "measured", "present", "bad_value"),
    ],
)
def test_a_status_that_contradicts_is_refused(role: str, seen: str, status: str, fault: str) -> None:
    first, second = GOOD.strip().splitlines()
    assert (4, fault) in faults(
        f"{first},\n{second},\nS1,W06,2024-02-12,X1,{role},non_nodal,bone,{seen},,{status}", "status"
    )


def test_every_fault_comes_out_at_once_in_order_of_lines() -> None:
    rows = """
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,-40
S1,BL,2024-01-01,T2,target,non_nodal,liver,measured,30
S1,W06,2024-02-12,T2,target,non_nodal,liver,seen,30
S1,W06,2023-02-12,T1,target,non_nodal,liver,measured,0
S1,W12,2024-03-25,T2,non_target,non_nodal,liver,measured,30
"""
    assert faults(rows) == [
        (2, "negative"),
        (4, "bad_value"),
        (5, "zero_diameter"),
        (5, "before_baseline"),
        (6, "role_changes"),
    ]


def test_unknown_and_missing_columns_are_refused() -> None:
    assert faults(GOOD.replace(",40", ",40,x").replace(",20\n", ",20,x\n"), "colour") == [(1, "unknown_column")]
    with pytest.raises(ReadingError) as refused:
        read_lesions("subject,timepoint\n", "lesions.csv")
    assert {fault.code for fault in refused.value.faults} == {"missing_column"}


def test_a_table_without_rows_is_refused() -> None:
    assert faults("") == [(1, "empty")]


@pytest.mark.parametrize("name", ["BL", "baseline", "Screening", "0", "Week 0", "TP0", "V0"])
def test_a_baseline_is_known_by_its_name(name: str) -> None:
    rows = GOOD.replace("BL", name)
    assert read(rows)[0].timepoints[0].id == name


def test_without_a_name_the_earliest_is_baseline_if_it_also_comes_first() -> None:
    rows = GOOD.replace("BL", "first scan").strip().splitlines()
    assert read("\n".join(rows))[0].timepoints[0].id == "first scan"
    assert faults("\n".join(rows[::-1])) == [(2, "baseline_unclear")]
    assert read("\n".join(rows[::-1]), baseline="first scan")[0].timepoints[0].id == "first scan"


def test_a_baseline_that_is_asked_for_must_be_there() -> None:
    assert faults(GOOD, baseline="W00") == [(2, "no_baseline")]


def test_two_baselines_are_one_too_many() -> None:
    rows = GOOD + "S1,screening,2023-12-30,T1,target,non_nodal,liver,measured,40\n"
    assert (2, "baseline_unclear") in faults(rows)


def test_what_a_blank_cell_means() -> None:
    rows = (
        GOOD.strip().replace("\n", ",,\n")
        + ",,\n"
        + (
            "S1,W06,2024-02-12,NT1,non_target,non_nodal,bone,measured,,,\n"
            "S1,W06,2024-02-12,NL1,new,non_nodal,brain,measured,,,\n"
            "S1,W06,2024-02-12,T2,target,non_nodal,lung,not_evaluable,,,\n"
        )
    )
    said = {track.lesion.id: track.observations[-1] for track in read(rows, "status,reason")[0].tracks}
    assert said["NT1"].status is NonTargetStatus.PRESENT
    assert said["NL1"].status is NewLesionStatus.UNEQUIVOCAL
    assert (said["T2"].seen, said["T2"].reason) == (Seen.NOT_EVALUABLE, "reason not recorded")


def test_splits_merges_and_local_therapy_are_carried() -> None:
    rows = """
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,40,,,
S1,BL,2024-01-01,T2,target,non_nodal,liver,measured,20,,,
S1,W06,2024-02-12,T1a,target,non_nodal,liver,measured,12,T1,,
S1,W06,2024-02-12,T2,target,non_nodal,liver,absent,,,T1a,yes
"""
    tracks = {track.lesion.id: track for track in read(rows, "split_from,merged_into,local_therapy")[0].tracks}
    assert tracks["T1a"].lesion.split_from == "T1"
    assert tracks["T2"].observations[1].merged_into == "T1a"
    assert tracks["T2"].observations[1].local_therapy


def test_what_a_lesion_is_made_of_is_said_once_and_holds_for_all_of_its_rows() -> None:
    first, second = GOOD.strip().splitlines()
    extra = "nature,treated_before"
    (track,) = read(f"{first},lytic_bone,\n{second},,yes", extra)[0].tracks
    assert track.lesion.nature is LesionNature.LYTIC_BONE
    assert track.lesion.prior_local_therapy
    assert faults(f"{first},lytic_bone,\n{second},solid,", extra) == [(3, "nature_changes")]


def test_a_lesion_has_one_parent() -> None:
    first, second = GOOD.strip().splitlines()
    other = first.replace("T1", "T2")
    rows = f"{first},\n{other},\n{first.replace('T1', 'T3')},T1\n{second.replace('T1', 'T3')},T2"
    assert faults(rows, "split_from") == [(5, "split_from_changes")]


def test_a_simple_cyst_is_no_new_lesion() -> None:
    first, second = GOOD.strip().splitlines()
    cyst = "S1,W06,2024-02-12,NL1,new,non_nodal,liver,measured,15,simple_cyst"
    assert faults(f"{first},\n{second},\n{cyst}", "nature") == [(4, "not_disease")]


def test_a_target_that_can_never_be_measured_is_named_and_judged_all_the_same() -> None:
    first, second = GOOD.strip().splitlines()
    recist = criterion("recist11")
    (one,) = judge(read(f"{first},ascites\n{second},", "nature"), recist, recist.rules)
    assert [finding.code for finding in one.findings] == ["target_never_measurable"]
    assert one.assessments[0].overall.value == "PR"


@pytest.mark.parametrize("number", ["40,5", "4_0", "\uff14\uff10", "1e3", "0x28", "NaN", "inf", "1" * 30, "", "4 0"])
def test_a_number_is_written_in_plain_digits_with_a_point(number: str) -> None:
    second = GOOD.strip().splitlines()[1].removesuffix("20") + f'"{number}"'
    expected = "no_diameter" if not number else "bad_value"
    assert faults(f"{GOOD.strip().splitlines()[0]}\n{second}") == [(3, expected)]


@pytest.mark.parametrize("day", ["20240212", "2024-W07-1", "2024-2-12", "12.02.2024", "2024-02-12T10:00", "2024-02-30"])
def test_a_date_is_written_in_one_way(day: str) -> None:
    assert faults(GOOD.replace("2024-02-12", day)) == [(3, "bad_value")]


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing() -> None:
    windows = "\ufeff" + table(GOOD).replace("\n", "\r\n")
    assert read_lesions(windows, "lesions.csv") == read(GOOD)


@pytest.mark.parametrize("sign", [";", "\t"])
def test_columns_that_are_not_separated_by_commas_are_named_once(sign: str) -> None:
    with pytest.raises(ReadingError) as refused:
        read_lesions(table(GOOD).replace(",", sign), "lesions.csv")
    assert [fault.code for fault in refused.value.faults] == ["separator"]


def test_a_follow_up_is_never_taken_for_baseline_where_others_have_one() -> None:
    follow_ups = GOOD.replace("S1,BL,2024-01-01", "S2,W12,2024-03-25").replace("S1,W06", "S2,W18")
    follow_ups = follow_ups.replace("2024-02-12", "2024-05-06")
    assert faults(GOOD + follow_ups.strip()) == [(4, "no_baseline")]


def noted(rows: str, baseline: str | None = None) -> list[str]:
    recist = criterion("recist11")
    return [f.code for one in judge(read(rows, baseline=baseline), recist, recist.rules) for f in one.findings]


def test_a_baseline_that_nobody_named_is_noted() -> None:
    unnamed = GOOD.replace("BL", "first")
    assert noted(unnamed) == ["baseline_assumed"]
    assert noted(unnamed, baseline="first") == []
    assert noted(GOOD) == []


def test_a_target_that_was_not_there_at_baseline_is_noted() -> None:
    assert noted(f"{GOOD.strip()}\n{GOOD.strip().splitlines()[1].replace('T1', 'T2')}") == ["target_without_baseline"]


def test_visits_whose_dates_do_not_follow_their_numbers_are_noted() -> None:
    early = GOOD.strip().splitlines()[1].replace("W06,2024-02-12", "W12,2024-01-20")
    assert noted(f"{GOOD.strip()}\n{early}") == ["visit_order"]


class TestFacts:
    def read(self, rows: str) -> dict[str, object]:
        text = f"subject,timepoint,pet,markers,cr_doubtful\n{rows}\n"
        return dict(read_facts(text, "facts.csv", criterion("recist11"), read(GOOD))[("S1", "")])

    def test_facts_are_given_by_column(self) -> None:
        facts = self.read("S1,W06,negative,elevated,yes")["W06"]
        assert [getattr(facts, name) for name in ("cr_doubtful",)] == [True]
        assert (facts.pet.value, facts.markers.value) == ("negative", "elevated")  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("rows", "code"),
        [
            ("S1,W12,negative,,", "unknown_timepoint"),
            ("S2,W06,negative,,", "unknown_timepoint"),
            ("S1,W06,bright,,", "bad_value"),
            ("S1,W06,,,\nS1,W06,,,", "double_row"),
        ],
    )
    def test_what_is_refused(self, rows: str, code: str) -> None:
        with pytest.raises(ReadingError) as refused:
            self.read(rows)
        assert [fault.code for fault in refused.value.faults] == [code]

    @pytest.mark.parametrize(("value", "code"), [("-5", "negative"), ("1e999999", "bad_value"), ("5,5", "cells")])
    def test_a_quantity_is_a_plain_number_and_never_negative(self, value: str, code: str) -> None:
        with pytest.raises(ReadingError) as refused:
            read_facts(f"subject,timepoint,psa_ng_ml\nS1,W06,{value}\n", "facts.csv", criterion("pcwg3"), read(GOOD))
        assert [fault.code for fault in refused.value.faults] == [code]
