"""The tables that people fill in beside the images."""

from __future__ import annotations

import datetime as dt

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import LesionKind, Role
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointPrompt
from trialimg.protocol.images import PromptKind
from trialimg.services.annotations import Status, read_annotations, read_subjects

HEADER = (
    "subject,date,series_uid,lesion,role,kind,organ,prompt,x1_mm,y1_mm,z1_mm,x2_mm,y2_mm,z2_mm,status,reason,reader"
)


def test_each_prompt_kind_is_read_in_patient_coordinates():
    said = read_annotations(
        "\n".join(
            (
                HEADER,
                "S1,2025-01-10,1.2.3,T01,target,non_nodal,lung,line,1,2,3,4,5,6,,,R1",
                "S1,2025-01-10,1.2.3,T01,target,non_nodal,lung,point,1,2,3,,,,,,R1",
                "S1,2025-01-10,1.2.3,T02,target,nodal,lymph node,box,1,2,3,4,5,6,,,R1",
                "S1,2025-01-10,1.2.3,T02,target,nodal,lymph node,contour,,,,,,,,,R1",
                "S1,2025-03-10,,N01,new,non_nodal,liver,,,,,,,,unequivocal,,R1",
            )
        )
    )
    assert [a.prompt for a in said] == [
        LinePrompt((1, 2, 3), (4, 5, 6)),
        PointPrompt((1, 2, 3)),
        BoxPrompt((1, 2, 3), (4, 5, 6)),
        None,
        None,
    ]
    assert said[3].prompt_kind is PromptKind.CONTOUR
    assert (said[4].role, said[4].status, said[4].kind) == (Role.NEW, Status.UNEQUIVOCAL, LesionKind.NON_NODAL)
    assert said[0].date == dt.date(2025, 1, 10)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("S1,10.01.2025,u,T01,target,non_nodal,lung,point,1,2,3,,,,,,", "bad_value"),
        ("S1,2025-01-10,u,T01,goal,non_nodal,lung,point,1,2,3,,,,,,", "bad_value"),
        ("S1,2025-01-10,u,T01,target,node,lung,point,1,2,3,,,,,,", "bad_value"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,line,1,2,3,,,,,,", "blank"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,line,1,2,3,1,2,3,,,", "bad_prompt"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,point,1,2,nan,,,,,,", "bad_value"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,point,1,2,3,4,,,,,", "superfluous"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,,,,,,,,,,", "says_nothing"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,,,,,,,,unequivocal,,", "bad_status"),
        ("S1,2025-01-10,u,T01,target,non_nodal,lung,,,,,,,,not_evaluable,,", "blank"),
        ("S1,2025-01-10,u,N01,new,non_nodal,lung,point,1,2,3,,,,,,", "blank"),
        (",2025-01-10,u,T01,target,non_nodal,lung,point,1,2,3,,,,,,", "blank"),
        ("S1,2025-01-10,u,T01,target", "cells"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_its_line(row, code):
    with pytest.raises(ReadingError) as refusal:
        read_annotations(f"{HEADER}\n{row}\n")
    assert code in [fault.code for fault in refusal.value.faults]
    assert all(fault.where == "annotations.csv:2" for fault in refusal.value.faults)


def test_every_fault_is_reported_at_once():
    rows = (
        "S1,x,u,T01,target,non_nodal,lung,point,1,2,3,,,,,,",
        "S1,2025-01-10,u,T02,bad,non_nodal,lung,point,1,b,3,,,,,,",
    )
    with pytest.raises(ReadingError) as refusal:
        read_annotations("\n".join((HEADER, *rows)))
    assert [(fault.where, fault.code) for fault in refusal.value.faults] == [
        ("annotations.csv:2", "bad_value"),
        ("annotations.csv:3", "bad_value"),
        ("annotations.csv:3", "bad_value"),
    ]


def test_a_lesion_that_changes_its_nature_and_a_doubled_row_are_refused():
    rows = (
        "S1,2025-01-10,u,T01,target,non_nodal,lung,point,1,2,3,,,,,,",
        "S1,2025-01-10,u,T01,target,non_nodal,lung,point,1,2,4,,,,,,",
        "S1,2025-02-10,u,T01,target,nodal,lung,point,1,2,3,,,,,,",
    )
    with pytest.raises(ReadingError) as refusal:
        read_annotations("\n".join((HEADER, *rows)))
    assert [fault.code for fault in refusal.value.faults] == ["double_row", "changed_lesion"]


def test_unknown_missing_and_doubled_columns_are_named():
    with pytest.raises(ReadingError) as refusal:
        read_subjects("site,colour,site\n01,red,01\n")
    assert {fault.code for fault in refusal.value.faults} == {"missing_column", "unknown_column", "double_column"}


def test_blank_is_unknown_never_a_date():
    (subject,) = read_subjects("\ufeffsubject,site,arm,reference_date,death_date\nS1,01,,2025-01-10,\n")
    assert (subject.arm, subject.reference_date, subject.death_date) == ("", dt.date(2025, 1, 10), None)


def test_a_subject_stands_once():
    with pytest.raises(ReadingError, match="1 fault"):
        read_subjects("subject\nS1\nS1\n")
