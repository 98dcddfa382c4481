"""Lesions that split and merge, labels, visits and places, as the records say them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.cdisc import worked_example
from trialimg.core.lesions import Role, Seen
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.labels import lesion_labels
from trialimg.services.cdisc.specification import Row
from trialimg.services.cdisc.tables import number_text, study_day
from trialimg.services.cdisc.visit_numbers import VisitNumbers
from trialimg.services.cdisc.vocabulary import laterality, location


def merged() -> Study:
    """The first read with T02 grown into T03 at week 16, where T03 measures both: 40 mm."""
    study = worked_example()
    course = study.courses[0]
    first = course.reads[0]
    last = first.assessments[2]
    lesions = tuple(
        replace(one, seen=Seen.NOT_EVALUABLE, diameter_mm=None, reason="merged into T03", merged_into="T03")
        if one.label == "T02"
        else replace(one, diameter_mm=Decimal(40)) if one.label == "T03" else one
        for one in last.lesions
    )  # fmt: skip
    changed = replace(last, lesions=lesions, sum_mm=Decimal(57))
    read = replace(first, assessments=(*first.assessments[:2], changed))
    return replace(study, courses=(replace(course, reads=(read, course.reads[1])),))


def rows_of(study: Study, name: str, **wanted: object) -> list[Row]:
    found = next(table for table in datasets(study) if table.name == name).rows
    return [row for row in found if all(row.get(key) == value for key, value in wanted.items())]


def test_a_mass_is_identified_once_and_measured_in_place_of_its_lesions() -> None:
    study = merged()
    (mass,) = rows_of(study, "TU", TUTESTCD="TUMERGE")
    assert (mass["TULNKID"], mass["TUGRPID"], mass["TUSTRESC"]) == ("R1-T02/T03", "R1-T02/T03", "TARGET")
    here = {row["TRLNKID"]: row for row in rows_of(study, "TR", TREVALID="RADIOLOGIST 1", VISITNUM=3.0)}
    assert here["R1-T02/T03"]["TRSTRESN"] == 40.0
    assert [(here[link]["TRSTAT"], here[link]["TRREASND"]) for link in ("R1-T02", "R1-T03")] == [
        ("NOT DONE", "TUMOR MERGED")
    ] * 2


def test_a_sum_with_a_mass_counts_as_complete() -> None:
    (last,) = rows_of(merged(), "ADTR", PARAMCD="SDIAMB", AVISITN=3.0)
    assert (last["AVAL"], last["LSEXP"], last["LSASS"], last["ANL01FL"]) == (
        57.0,
        "T01, T02, T03",
        "T01, T02, T03",
        "Y",
    )


def test_labels_that_are_spelt_right_stay_and_others_are_numbered() -> None:
    said = [("a", "T02", Role.TARGET, ""), ("b", "T01", Role.TARGET, ""), ("c", "NL7", Role.NEW, "")]
    assert lesion_labels(said) == {"a": "T02", "b": "T01", "c": "NEW01"}
    said[0] = ("a", "left one", Role.TARGET, "")
    assert lesion_labels(said) == {"a": "T01", "b": "T02", "c": "NEW01"}


def test_parts_of_parts_are_named_after_both() -> None:
    said = [("a", "T01", Role.TARGET, "")] + [
        (name, name, Role.TARGET, of) for name, of in (("b", "a"), ("c", "a"), ("d", "b"))
    ]
    assert lesion_labels(said) == {"a": "T01", "b": "T01.1", "c": "T01.2", "d": "T01.1.1"}


def test_unscheduled_visits_are_numbered_after_the_planned_one_before_them() -> None:
    schedule = {"baseline": {"id": "BL"}, "visits": [{"id": "W12", "day": 85}, {"id": "W06", "day": 43}]}
    visits = VisitNumbers.of(schedule).number(["BL", "W06", "UNS-1", "UNS-2", "W12"])
    assert [(str(v.number), v.name, v.planned_day) for v in visits] == [
        ("1", "BL", None),
        ("2", "W06", 43),
        ("2.01", "UNSCHEDULED 2.01", None),
        ("2.02", "UNSCHEDULED 2.02", None),
        ("3", "W12", 85),
    ]


@pytest.mark.parametrize(
    ("organ", "site", "place", "side"),
    [
        ("lung", "", "LUNG", None),
        ("right lung", "upper lobe", "LUNG", "RIGHT"),
        ("Lymph nodes", "left axilla", "LYMPH NODE", "LEFT"),
        ("adrenal", "left and right", "ADRENAL GLAND", None),
        ("soft_tissue", "", "SOFT TISSUE", None),
        ("omental cake", "", "OMENTAL CAKE", None),
    ],
)
def test_organs_are_said_as_terms(organ: str, site: str, place: str, side: str | None) -> None:
    assert (location(organ), laterality(organ, site)) == (place, side)


@pytest.mark.parametrize(("day", "number"), [("2026-01-12", 1), ("2026-01-11", -1), ("2026-01-13", 2)])
def test_there_is_no_day_0(day: str, number: int) -> None:
    assert study_day(dt.date.fromisoformat(day), dt.date(2026, 1, 12)) == number


@pytest.mark.parametrize(("value", "text"), [("90", "90"), ("47.60", "47.6"), ("0", "0"), ("100", "100"), ("0.0", "0")])
def test_numbers_are_not_padded(value: str, text: str) -> None:
    assert number_text(Decimal(value)) == text


def test_an_assessment_that_did_not_take_place_has_a_status_and_no_response() -> None:
    study = worked_example()
    course = study.courses[0]
    read = course.reads[0]
    missed = replace(read.assessments[2], responses={"OVRLRESP": "ND"})
    read = replace(read, assessments=(*read.assessments[:2], missed))
    study = replace(study, courses=(replace(course, reads=(read,), endorsed=None),))
    (row,) = rows_of(study, "RS", VISITNUM=3.0)
    assert (row["RSORRES"], row["RSSTAT"], row["RSREASND"]) == (None, "NOT DONE", "ASSESSMENT NOT PERFORMED")
    assert [one["AVALC"] for one in rows_of(study, "ADRS", PARAMCD="OVRB")] == ["PR"]


def test_a_burden_with_new_lesions_is_no_sum_of_diameters() -> None:
    study = replace(worked_example(), criterion="irrecist")
    assert not rows_of(study, "TR", TRTESTCD="SUMDIAM")
    assert rows_of(study, "TR", TRTESTCD="LDIAM")
