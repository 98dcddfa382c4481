from __future__ import annotations

from dataclasses import replace

import pytest

from trialimg.core.trial import Severity
from trialimg.imaging.quality import (
    AcquisitionFacts,
    AcquisitionRule,
    acquisition_findings,
    regular_gap_mm,
    skipped_slices,
)

CHEST = AcquisitionFacts("S1", "series 1.2", "CT", (0.8, 0.8), 5.0, (5.0,) * 59, "B30f\\3", "Omnipaque 350")
ANY = AcquisitionRule("CT")


def codes(facts: AcquisitionFacts = CHEST, **rule: object) -> list[str]:
    return [finding.code for finding in acquisition_findings(facts, replace(ANY, **rule))]


def test_a_rule_that_asks_nothing_finds_nothing():
    assert codes() == []


def test_a_rule_of_another_modality_says_nothing():
    assert codes(modality="MR", max_slice_thickness_mm=1.0) == []


@pytest.mark.parametrize(
    ("what", "facts", "rule", "expected"),
    [
        ("as thick as allowed", {}, {"max_slice_thickness_mm": 5.0}, []),
        ("too thick and too far apart", {}, {"max_slice_thickness_mm": 3.0}, ["slice_thickness", "slice_spacing"]),
        ("thin but far apart", {"slice_thickness_mm": 1.0, "slice_gaps_mm": (10.0,) * 9},
         {"max_slice_thickness_mm": 5.0}, ["slice_spacing"]),
        ("thickness not stated", {"slice_thickness_mm": None}, {"max_slice_thickness_mm": 5.0},
         ["slice_thickness_unknown"]),
        ("a missing slice does not widen the spacing", {"slice_gaps_mm": (5.0, 10.0, 5.0, 5.0)},
         {"max_slice_thickness_mm": 5.0}, []),
        ("contrast given", {}, {"contrast": "required"}, []),
        ("contrast not stated", {"contrast_agent": None}, {"contrast": "required"}, ["contrast_unknown"]),
        ("stated that none was given", {"contrast_agent": "none"}, {"contrast": "required"}, ["contrast_missing"]),
        ("contrast where none is wanted", {}, {"contrast": "forbidden"}, ["contrast_forbidden"]),
        ("none given, none wanted", {"contrast_agent": " NONE "}, {"contrast": "forbidden"}, []),
        ("not stated, none wanted", {"contrast_agent": None}, {"contrast": "forbidden"}, []),
        ("kernel in other letters", {}, {"kernels": ("b30F", "I30f")}, []),
        ("another kernel", {}, {"kernels": ("B70f",)}, ["kernel"]),
        ("kernel not stated", {"kernel": None}, {"kernels": ("B30f",)}, ["kernel_unknown"]),
        ("fine pixels", {}, {"max_pixel_spacing_mm": 0.8}, []),
        ("coarse pixels", {"pixel_spacing_mm": (0.7, 1.2)}, {"max_pixel_spacing_mm": 1.0}, ["pixel_spacing"]),
        ("pixels not stated", {"pixel_spacing_mm": None}, {"max_pixel_spacing_mm": 1.0}, ["pixel_spacing_unknown"]),
        ("60 slices of 5 mm cover 300 mm", {}, {"min_coverage_mm": 300.0}, []),
        ("less covered than asked", {}, {"min_coverage_mm": 301.0}, ["coverage"]),
        ("coverage cannot be told", {"slice_gaps_mm": ()}, {"min_coverage_mm": 100.0}, ["coverage_unknown"]),
    ],
)  # fmt: skip
def test_departures(what, facts, rule, expected):
    assert codes(replace(CHEST, **facts), **rule) == expected


def test_a_departure_is_a_question_that_says_where_and_how_much():
    (finding,) = acquisition_findings(replace(CHEST, slice_gaps_mm=()), replace(ANY, max_slice_thickness_mm=2.5))
    assert finding.severity is Severity.WARNING
    assert (finding.subject, finding.where) == ("S1", "series 1.2")
    assert "5 mm" in finding.message
    assert "2.5 mm" in finding.message


def test_a_contrast_rule_is_one_of_three_words():
    with pytest.raises(ValueError, match="required, optional or forbidden"):
        AcquisitionRule("CT", contrast="maybe")


@pytest.mark.parametrize(
    ("what", "gaps", "expected"),
    [
        ("even", (2.5, 2.5, 2.5), 2.5),
        ("one slice missing", (2.5, 5.0, 2.5), 2.5),
        ("positions written with one decimal", (1.2, 1.3, 1.2, 1.3, 1.2, 1.3), 1.25),
        ("a jump that is no whole number of slices", (2.5, 3.6, 2.5), None),
        ("two spacings", (1.0, 1.0, 1.0, 1.5, 1.5), None),
        ("far more missing than there", (1.25, 202.5), None),
        ("nothing to tell it from", (), None),
        ("two slices at one place", (0.0, 2.0), None),
    ],
)
def test_the_regular_gap(what, gaps, expected):
    found = regular_gap_mm(gaps)
    assert found == (None if expected is None else pytest.approx(expected, abs=0.01))


def test_skipped_slices_are_named_by_the_slice_before_them():
    assert skipped_slices((2.0, 6.0, 2.0, 4.0), 2.0) == ((2, 2), (4, 1))
    assert skipped_slices((2.0, 2.01, 1.99), 2.0) == ()
