"""Every criterion that a protocol may name judges a read; facts are the reader's words at a timepoint."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import Trial, single, target
from tests.unit.protocol.texts import broken
from trialimg.core.errors import ReadingError
from trialimg.core.reading import CaseKind
from trialimg.core.trial import Timepoint
from trialimg.criteria.registry import CRITERIA, criterion
from trialimg.protocol.load import read_protocol
from trialimg.services.reading_answer import derived_answer
from trialimg.services.reading_content import Written, entry_faults, normal_entry

VISITS = tuple(
    Timepoint(name, order, dt.date(2026, 1, 5) + dt.timedelta(days=42 * order))
    for order, name in enumerate(("BL", "W06", "W12"))
)
SIZES = {"BL": ("50", "40"), "W06": ("20", "15"), "W12": ("18", "14")}


def written(**facts: str) -> Written:
    entries = {
        step: normal_entry(step, {
            "image_quality": "adequate",
            "new_lesions": "" if step == "BL" else "no",
            "facts": facts,
            "lesions": [target(long, short_mm=short, volume_ml=long, mean_hu="60", sul_peak=str(int(long) // 5))],
        })
        for step, (long, short) in SIZES.items()
    }  # fmt: skip
    return Written("R1", VISITS, entries)


def under(name: str):
    text = broken("criterion: recist11\n  rules:\n    pr_decrease: 0.30", f"criterion: {name}", single())
    return read_protocol(text)


@pytest.mark.parametrize("name", sorted(CRITERIA))
def test_a_read_is_judged_by_it_in_its_own_words_with_its_rules(name):
    words, protocol = written(), under(name)
    for step in SIZES:
        assert entry_faults(words, step, criterion(name), CaseKind.EFFICACY) == []
    answer = derived_answer(words, protocol, CaseKind.EFFICACY, reference_date=VISITS[0].date)
    assert answer["criterion"] == name
    assert [one["timepoint"]["id"] for one in answer["timepoints"]] == ["W06", "W12"]
    assert all(one["rule"] and one["rule"][-1]["sentence"] for one in answer["timepoints"])
    assert answer["compared"]["best_response"] == answer["best_response"]


@pytest.mark.parametrize(
    ("name", "best"),
    [("recist11", "PR"), ("irecist", "iPR"), ("who", "PR"), ("volumetric", "SD"), ("choi", "PR"), ("recil", "PR")],
)
def test_the_best_response_is_in_the_words_of_the_criterion(name, best):
    answer = derived_answer(written(), under(name), CaseKind.EFFICACY, reference_date=VISITS[0].date)
    assert answer["best_response"] == best


def test_a_fact_that_the_criterion_does_not_know_keeps_a_timepoint_from_being_locked():
    faults = entry_faults(written(mood="good"), "W06", criterion("rano2"), CaseKind.EFFICACY)
    assert {fault.code for fault in faults} == {"unknown_setting"}
    with pytest.raises(ReadingError, match="contradiction"):
        derived_answer(written(mood="good"), under("rano2"), CaseKind.EFFICACY, reference_date=None)


def test_without_a_reference_date_baseline_stands_for_it_and_the_answer_says_so():
    answer = derived_answer(written(), under("recist11"), CaseKind.EFFICACY, reference_date=None)
    assert answer["reference_date"] == "date of baseline"


def test_no_disease_at_baseline_is_said_not_left_blank():
    blank = {"image_quality": "adequate", "lesions": []}
    words = Written("R1", VISITS[:1], {"BL": normal_entry("BL", blank)})
    (fault,) = entry_faults(words, "BL", criterion("recist11"), CaseKind.EFFICACY)
    assert "answer no_lesions by yes" in fault.message
    said = Written("R1", VISITS[:1], {"BL": normal_entry("BL", {**blank, "no_lesions": True})})
    assert entry_faults(said, "BL", criterion("recist11"), CaseKind.EFFICACY) == []


def test_a_new_lesion_after_a_clean_baseline_is_progression():
    lesion = target("12", "N1", role="new", organ="brain", status="unequivocal")
    entries = {
        "BL": normal_entry("BL", {"image_quality": "adequate", "no_lesions": True, "lesions": []}),
        "W06": normal_entry("W06", {"image_quality": "adequate", "new_lesions": True, "lesions": [lesion]}),
    }
    words = Written("R1", VISITS[:2], entries)
    assert entry_faults(words, "W06", criterion("recist11"), CaseKind.EFFICACY) == []
    answer = derived_answer(words, under("recist11"), CaseKind.EFFICACY, reference_date=None)
    assert (answer["timepoints"][0]["overall"], answer["progression_date"]) == ("PD", "2026-02-16")


def test_a_trial_by_another_criterion_is_read_to_its_end():
    trial = Trial(text=broken("criterion: recist11\n  rules:\n    pr_decrease: 0.30", "criterion: irecist", single()))
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "50", "W06": "70"})
    assert trial.state("C0001") == "final"
