"""Features against outcomes on tables whose answers are known by construction."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import numpy as np
import pytest

from tests.fakes.dashboard import TRIAL, write_run
from trialimg.core.errors import ReadingError
from trialimg.services.analyse_radiomics import Outcome, Pick, Question, associated, clusters, course_of, stability
from trialimg.services.finished import open_run
from trialimg.services.radiomics_table import FeatureName, FeatureTable, OutcomeColumns, of_run, of_table
from trialimg.stats.association import area_under_curve, hazard_per_sd
from trialimg.stats.logistic import odds_per_sd

COLUMNS = OutcomeColumns("days", "progressed", "responded")
HEADS = ("subject", "timepoint", "day", "lesion", "role", "organ", "diameter_mm", "days", "progressed", "responded")


def text(rows: list[Mapping[str, object]], features: tuple[str, ...] = ("original_glcm_Contrast", "noise")) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, [*HEADS, *features], extrasaction="raise")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def row(subject: int, timepoint: str = "BL", lesion: str = "T01", **more: object) -> dict[str, object]:
    """Subjects 1 to 12: the higher the number, the sooner the event; the first six respond."""
    said = {"subject": f"S{subject:02d}", "timepoint": timepoint, "lesion": lesion, "role": "target", "organ": "liver"}
    outcome = {"days": 400 - 20 * subject, "progressed": int(subject % 4 != 0), "responded": int(subject <= 6)}
    values = {"original_glcm_Contrast": subject + (subject * 7 % 5), "noise": subject * 11 % 13}
    day = {"BL": "", "W06": 43}[timepoint]
    return {**said, "day": day, "diameter_mm": 30 + subject, **outcome, **values, **more}


def table(rows: list[Mapping[str, object]]) -> FeatureTable:
    return of_table(text(rows), "t.csv", COLUMNS)


@pytest.fixture
def at_baseline() -> FeatureTable:
    return table([row(number) for number in range(1, 13)])


def test_each_feature_has_the_effect_that_the_statistics_give_it_alone(at_baseline):
    found = associated(at_baseline, Question())
    contrast = {one.feature: one for one in found.effects}["original_glcm_Contrast"]
    rows = [row(number) for number in range(1, 13)]
    alone = hazard_per_sd(
        [float(one["original_glcm_Contrast"]) for one in rows],
        [float(one["days"]) for one in rows],
        [one["progressed"] for one in rows],
    )
    assert contrast.effect == pytest.approx(alone.value)
    assert contrast.estimate == pytest.approx(np.exp(alone.value))
    assert (contrast.p, contrast.n, contrast.events) == (pytest.approx(alone.p), 12, 9)
    assert found.effects[0] is contrast
    assert (found.subjects, found.events) == (12, 9)


def test_q_values_are_those_of_benjamini_and_hochberg_over_all_features_tested(at_baseline):
    first, second = associated(at_baseline, Question()).effects
    assert first.q == pytest.approx(min(2 * first.p, second.p))
    assert second.q == pytest.approx(second.p)


def test_response_is_held_against_features_by_the_area_under_the_curve(at_baseline):
    found = associated(at_baseline, Question(Outcome.RESPONSE))
    contrast = {one.feature: one for one in found.effects}["original_glcm_Contrast"]
    rows = [row(number) for number in range(1, 13)]
    alone = area_under_curve([float(o["original_glcm_Contrast"]) for o in rows], [o["responded"] for o in rows])
    assert (contrast.estimate, contrast.p) == (pytest.approx(alone.value), pytest.approx(alone.p))
    assert contrast.effect == pytest.approx(2 * alone.value - 1)


def test_every_answer_warns_of_multiplicity_and_few_events(at_baseline):
    codes = [said.partition(":")[0] for said in associated(at_baseline, Question()).warnings]
    assert codes == ["multiplicity", "small_n"]


def test_a_value_after_baseline_counts_time_from_its_visit_in_those_still_without_an_event():
    """Day 43 of 100 + 10 x subject days: subject 1's 40 days lie before it."""
    rows = [row(n, step, days=40 if n == 1 else 100 + 10 * n) for n in range(1, 13) for step in ("BL", "W06")]
    found = associated(table(rows), Question(timepoint="W06"))
    assert found.subjects == 11
    assert any(said.startswith("landmark: 1 subject") for said in found.warnings)
    own = [one for one in rows if one["timepoint"] == "W06" and one["subject"] != "S01"]
    alone = hazard_per_sd(
        [float(one["noise"]) for one in own], [one["days"] - 43 for one in own], [one["progressed"] for one in own]
    )
    noise = {one.feature: one for one in found.effects}["noise"]
    assert noise.effect == pytest.approx(alone.value)


def test_a_change_is_in_percent_of_the_baseline_value_and_undefined_from_zero():
    rows = [row(n, noise=0 if n == 1 else n) for n in range(1, 13)]
    rows += [row(n, "W06", noise=3 * n, original_glcm_Contrast=1) for n in range(1, 13)]
    changes = {one.subject: one.change_pct for one in course_of(table(rows), "noise") if one.timepoint == "W06"}
    assert changes["S01"] is None
    assert changes["S02"] == pytest.approx(200.0)
    found = associated(table(rows), Question(timepoint="W06", change=True))
    assert {one.feature: one.n for one in found.effects} == {"original_glcm_Contrast": 12, "noise": 11}
    with pytest.raises(ReadingError, match="after BL"):
        associated(table(rows), Question(change=True))


def test_the_largest_target_or_the_mean_of_all_stands_for_a_subject():
    rows = [row(n) for n in range(1, 13)]
    rows += [row(n, lesion="T02", diameter_mm=10, noise=100 + n) for n in range(1, 13)]
    rows += [row(n, lesion="NT01", role="non_target", diameter_mm=99, noise=-1) for n in range(1, 13)]
    largest = associated(table(rows), Question())
    alone = associated(table(rows[:12]), Question())
    assert largest.effects == alone.effects
    means = [(rows[n]["noise"] + rows[n + 12]["noise"]) / 2 for n in range(12)]
    both = {one.feature: one for one in associated(table(rows), Question(pick=Pick.MEAN)).effects}["noise"]
    expected = hazard_per_sd(means, [one["days"] for one in rows[:12]], [one["progressed"] for one in rows[:12]])
    assert both.effect == pytest.approx(expected.value)


def test_a_feature_of_too_few_subjects_and_one_that_does_not_vary_are_listed_without_a_number():
    rows = [row(n, noise="" if n > 4 else n, original_glcm_Contrast=7) for n in range(1, 13)]
    found = {one.feature: one for one in associated(table(rows), Question()).effects}
    assert (found["noise"].note, found["noise"].p, found["noise"].n) == ("too_few", None, 4)
    assert (found["original_glcm_Contrast"].note, found["original_glcm_Contrast"].q) == ("constant", None)


def test_five_subjects_are_too_few():
    with pytest.raises(ReadingError, match=r"5 subject.*6 are needed"):
        associated(table([row(n) for n in range(1, 6)]), Question())


def test_stability_is_measured_in_lesions_whose_diameter_held_still():
    """Six still lesions repeat exactly; the seventh grew and is not looked at."""
    rows = [row(n, step) for n in range(1, 7) for step in ("BL", "W06")]
    rows += [row(7), row(7, "W06", diameter_mm=60, noise=99)]
    found = stability(table(rows))
    assert found.pairs == 6
    assert {one.feature: (one.icc, one.n) for one in found.features}["noise"] == (pytest.approx(1.0), 6)
    assert stability(table(rows[:8])).why_not == "too_few"


def test_clusters_leave_out_what_does_not_vary_or_is_not_known_in_everyone():
    rows = [row(n, noise=n, original_glcm_Contrast=-2 * n) for n in range(1, 13)]
    found, left_out = clusters(table(rows), Question())
    assert set(found.names) == {"noise", "original_glcm_Contrast"}
    assert found.number == (1, 1)
    assert left_out == ()
    rows[3]["noise"] = ""
    assert clusters(table(rows), Question())[1] == ("noise",)


def test_filters_keep_the_organs_classes_and_images_that_are_named(at_baseline):
    assert at_baseline.narrowed(families=["glcm"]).features == ("original_glcm_Contrast",)
    assert at_baseline.narrowed(organs=["lung"]).lesions == ()
    name = FeatureName.of("log-sigma-1-0-mm-3D_firstorder_10Percentile")
    assert (name.image, name.family, name.quantity) == ("log-sigma-1-0-mm-3D", "firstorder", "10Percentile")


def test_a_table_with_faults_is_refused_whole_with_every_line():
    rows = [row(1), row(2, noise="high"), row(1, "W06", days=7)]
    with pytest.raises(ReadingError) as refused:
        table(rows)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [
        ("t.csv:3", "bad_number"), ("t.csv:4", "two_outcomes"),
    ]  # fmt: skip
    with pytest.raises(ReadingError, match="1 column"):
        of_table("subject,lesion\nS1,T01\n", "t.csv", OutcomeColumns())


def test_a_run_gives_its_features_with_survival_and_response(tmp_path):
    folder = tmp_path / TRIAL
    write_run(folder)
    results = json.loads((folder / "results.json").read_text())
    first = results["subjects"][0]
    first["endpoints"] |= {"progression_free_survival": {"days": 84, "event": True}, "responder": True}
    lesion = {"observation": {"lesion": {"id": "S/T01", "label": "T01", "organ": "liver"}, "diameter_mm": "40.0"},
              "role": "target", "features": {"original_shape_Sphericity": 0.8, "bad": float("inf")}}  # fmt: skip
    first["timepoints"][0] |= {"lesions": [lesion], "day": 1}

    class Run:
        manifest = open_run(folder).manifest

        def results(self):
            return results

    found = of_run(Run())
    (one,) = [lesion for lesion in found.lesions if lesion.values.get("original_shape_Sphericity") == 0.8]
    assert (one.lesion, one.organ, one.diameter_mm, one.order) == ("T01", "liver", 40.0, 0)
    assert dict(one.values) == {"original_shape_Sphericity": 0.8}
    outcome = found.outcomes[one.subject]
    assert (outcome.days, outcome.event, outcome.group) == (84, True, True)


def test_beside_its_area_a_response_has_an_odds_ratio_with_q_of_its_own():
    rows = [row(n, noise=n, original_glcm_Contrast=n * 7 % 13) for n in range(1, 13)]
    found = {one.feature: one for one in associated(table(rows), Question(Outcome.RESPONSE)).effects}
    alone = odds_per_sd([n * 7 % 13 for n in range(1, 13)], [n <= 6 for n in range(1, 13)])
    contrast = found["original_glcm_Contrast"].odds
    assert contrast.value == pytest.approx(np.exp(alone.value))
    assert (contrast.lower, contrast.upper) == pytest.approx((np.exp(alone.lower), np.exp(alone.upper)))
    assert contrast.p == contrast.q == pytest.approx(alone.p), "the other has no p: it is not counted"
    assert (found["noise"].estimate, found["noise"].odds.value) == (0.0, None)
    assert (found["noise"].odds.note, found["noise"].odds.q) == ("separated", None)
    survival = associated(table(rows), Question()).effects
    assert all(one.odds is None for one in survival)
