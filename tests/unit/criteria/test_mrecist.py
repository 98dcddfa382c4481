"""mRECIST: what counts is the viable part."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.fakes.readings import BASELINE, Readings, readings
from trialimg.core.lesions import Track
from trialimg.core.responses import TimepointAssessment
from trialimg.criteria import mrecist, recist11
from trialimg.criteria.mrecist import Facts, Rules


def hilar(record: Readings) -> Readings:
    """The record with its nodes at the porta hepatis."""
    tracks = tuple(_hilar(track) for track in record.tracks)
    roles = tuple(replace(role, lesion=track.lesion) for role, track in zip(record.designations, tracks, strict=True))
    return replace(record, tracks=tracks, designations=roles)


def _hilar(track: Track) -> Track:
    if track.lesion.organ != "node":
        return track
    lesion = replace(track.lesion, organ="Porta hepatis")
    return Track(lesion, tuple(replace(seen, lesion=lesion) for seen in track.observations))


def assess(record: Readings, rules: Rules | None = None, **facts: Facts) -> tuple[TimepointAssessment, ...]:
    return mrecist.assess(record.tracks, record.designations, record.timepoints, rules or Rules(), facts=facts)


def judged(table: str, rules: Rules | None = None, **facts: Facts) -> tuple[TimepointAssessment, ...]:
    return assess(readings(table), rules, **facts)


def words(table: str, rules: Rules | None = None, **facts: Facts) -> list[str]:
    return [answer.overall.value for answer in judged(table, rules, **facts)]


def test_necrosis_counts_as_shrinkage() -> None:
    """Viable part 50 to 33 mm in a tumour of 50 to 48 mm."""
    assert words("BL W06\nT1 liver 50 33") == ["PR"]
    assert [a.overall.value for a in readings("BL W06\nT1 liver 50 48").assess()] == ["SD"]


def test_the_5_mm_of_recist_are_a_setting() -> None:
    table = "BL W06 W12\nT1 liver 40 10 13"
    assert words(table) == ["PR", "PR"]
    assert words(table, Rules(mrecist_abs5=False)) == ["PR", "PD"]
    assert words("BL W06 W12\nT1 liver 40 10 12", Rules(mrecist_abs5=False, strict=True)) == ["PR", "PR"]


def test_no_enhancement_left_is_complete_response() -> None:
    assert words("BL W06\nT1 liver 40 gone\nNT1 liver yes gone") == ["CR"]
    assert words("BL W06\nT1 liver 40 gone\nNT1 liver yes yes") == ["PR"]


@pytest.mark.parametrize(("size_mm", "word"), [("9", "SD"), ("15", "SD"), ("19.9", "SD"), ("20", "PD")])
def test_a_new_node_at_the_porta_hepatis_must_be_larger(size_mm: str, word: str) -> None:
    (answer,) = assess(hilar(readings(f"BL W06\nT1 liver 40 40\nNL1 node . {size_mm}")))
    assert answer.overall.value == word


@pytest.mark.parametrize(("size_mm", "word"), [("14.9", "SD"), ("15", "PD")])
def test_a_new_node_elsewhere(size_mm: str, word: str) -> None:
    assert words(f"BL W06\nT1 liver 40 40\nNL1 node . {size_mm}") == [word]


@pytest.mark.parametrize(
    ("organ", "sizes_mm", "expected"),
    [
        ("liver", "9.9 9.9", ["SD", "SD"]),
        ("liver", "10 10", ["PD", "PD"]),
        ("liver", "9 18.9", ["SD", "SD"]),
        ("lung", "4 4", ["PD", "PD"]),
    ],
)
def test_a_new_liver_nodule_below_a_centimetre_is_equivocal(organ: str, sizes_mm: str, expected: list[str]) -> None:
    assert words(f"BL W06 W12\nT1 liver 40 40 40\nNL1 {organ} . {sizes_mm}") == expected


def test_growth_of_an_equivocal_nodule_dates_it_back() -> None:
    answers = judged("BL W06 W12\nT1 liver 40 40 40\nNL1 liver . 8 18")
    assert [answer.overall.value for answer in answers] == ["PD", "PD"]
    sentence = "NL1: liver nodule grew from 8 to 18 mm, by at least 10 mm, so it is unequivocal"
    assert sentence in [firing.sentence for firing in answers[1].rule]


def test_an_effusion_is_progression_only_when_it_is_proven() -> None:
    table = "BL W06 W12\nT1 liver 40 40 40\nNT1 ascites yes worse worse"
    assert words(table) == ["SD", "SD"]
    assert words(table, W12=Facts(effusion_proven=True)) == ["SD", "PD"]
    new = "BL W06\nT1 liver 40 40\nNL1 ascites . new"
    assert words(new) == ["SD"]
    assert words(new, W06=Facts(effusion_proven=True)) == ["PD"]


def test_its_answers_name_mrecist_and_its_settings() -> None:
    (answer,) = judged("BL W06\nT1 liver 60 40")
    assert {firing.rule.split("/")[0] for firing in answer.rule} == {"mRECIST"}
    assert answer.settings["mrecist_abs5"] == "true"


def test_a_target_node_at_the_porta_hepatis_needs_20_mm() -> None:
    record = hilar(readings("BL W06\nN1 node 18 18"))
    seen = record.tracks[0].at("BL")
    assert seen is not None
    found = mrecist.conformance(
        "S1", [recist11.BaselineTarget(seen)], record.timepoints[0], start_date=BASELINE + dt.timedelta(days=7)
    )
    assert [finding.message for finding in found] == ["node at the porta hepatis, short axis 18 mm < 20 mm (M7)"]
