"""Features brought together over sites: estimated at baseline alone, and outcomes that come from central reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import Course, Outcome, TrialCourses
from trialimg.services.radiomics_harmonised import harmonised
from trialimg.services.radiomics_outcomes import with_central_outcomes
from trialimg.services.radiomics_table import FeatureTable, LesionFeatures, SubjectOutcome

NAMES = tuple(f"original_glcm_F{number}" for number in range(6))


def lesion(number: int, site: str, *, order: int = 0, organ: str = "liver", **values: float) -> LesionFeatures:
    random = np.random.default_rng([number, order])
    drawn = random.normal(3.0 if site == "01" else 30.0, 1.0, size=len(NAMES))
    measured = {**dict(zip(NAMES, map(float, drawn), strict=True)), **values}
    visit = ("BL", "W06")[order]
    return LesionFeatures(f"S{number:02d}", visit, order, None, "T01", "target", organ, 20.0, measured, site)


@pytest.fixture
def table() -> FeatureTable:
    first = [lesion(number, "01" if number < 12 else "02") for number in range(24)]
    later = [lesion(number, "01" if number < 12 else "02", order=1) for number in range(24)]
    return FeatureTable("made", "sha256:0", (*first, *later), {})


def means(table: FeatureTable, order: int = 0) -> dict[str, float]:
    own = [one for one in table.lesions if one.order == order]
    return {
        site: float(np.mean([list(one.values.values()) for one in own if one.batch == site])) for site in ("01", "02")
    }


def test_sites_are_brought_together_at_every_visit_and_the_table_says_how(table):
    found = harmonised(table, by="site")
    assert abs(np.diff(list(means(table).values())))[0] > 20
    for order in (0, 1):
        assert abs(np.diff(list(means(found, order).values())))[0] < 1
    note = found.harmonised
    assert (note.by, note.batches, note.kept) == ("site", {"01": 12, "02": 12}, ())
    assert (note.features_left_out, note.lesions_left_out) == ((), 0)
    assert found.narrowed(families=["glcm"]).harmonised == note


def test_nothing_that_came_after_baseline_has_a_part_in_the_numbers(table):
    changed = tuple(
        one if one.order == 0 else replace(one, values={name: 1e6 * value for name, value in one.values.items()})
        for one in table.lesions
    )
    once, again = harmonised(table, by="site"), harmonised(replace(table, lesions=changed), by="site")
    assert [one.values for one in once.lesions if not one.order] == [
        one.values for one in again.lesions if not one.order
    ]


def test_what_is_not_known_everywhere_is_left_out_and_a_gap_later_stays_a_gap(table):
    lesions = list(table.lesions)
    lesions[3] = replace(
        lesions[3], values={name: value for name, value in lesions[3].values.items() if name != NAMES[0]}
    )
    lesions[30] = replace(lesions[30], values={name: v for name, v in lesions[30].values.items() if name != NAMES[1]})
    found = harmonised(replace(table, lesions=tuple(lesions)), by="site")
    assert found.harmonised.features_left_out == (NAMES[0],)
    assert set(found.lesions[30].values) == set(NAMES[2:])


def test_a_lesion_of_an_organ_that_baseline_does_not_know_is_left_out_and_counted(table):
    new = lesion(5, "01", order=1, organ="bone")
    found = harmonised(replace(table, lesions=(*table.lesions, new)), by="site")
    assert (len(found.lesions), found.harmonised.lesions_left_out) == (48, 1)


def test_organs_that_are_one_site_each_cannot_be_told_from_sites(table):
    lesions = tuple(replace(one, organ="lung" if one.batch == "02" else "liver") for one in table.lesions)
    with pytest.raises(ReadingError, match="cannot be told"):
        harmonised(replace(table, lesions=lesions), by="site")


def test_a_site_that_comes_only_later_is_refused(table):
    with pytest.raises(ReadingError) as refused:
        harmonised(replace(table, lesions=(*table.lesions, lesion(40, "03", order=1))), by="site")
    assert refused.value.faults[0].where == "03"


def test_outcomes_of_central_reads_take_the_place_of_the_runs_and_the_unread_have_none(table):
    table = replace(table, outcomes={"S00": SubjectOutcome(10.0, True, True), "S02": SubjectOutcome(99.0, True, True)})
    courses = (
        Course("S00", "C1", "SD", -10.0, (), progression_free=Outcome(84, False)),
        Course("S01", "C2", "PR", -40.0, ()),
        Course("S99", "C3", "CR", -100.0, ()),
    )
    found = with_central_outcomes(table, TrialCourses("T-1", "recist11", courses, ())).outcomes
    assert found == {"S00": SubjectOutcome(84.0, False, False), "S01": SubjectOutcome(None, None, True)}
    lymphoma = TrialCourses(
        "T-1", "lugano2014", (Course("S00", "C1", "PMR", None, ()), Course("S01", "C2", "?", None, ())), ()
    )
    found = with_central_outcomes(table, lymphoma).outcomes
    assert (found["S00"].group, found["S01"].group) == (True, None)
