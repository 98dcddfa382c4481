"""Waterfall, spider and swimmer as data: every mark stands where the run's own numbers say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.courses import COURSES, Course, Row
from tests.fakes.results import trial_result
from trialimg.services.figures.courses import (
    RECIST,
    Outcome,
    Thresholds,
    TrialCourses,
    courses_of_result,
    thresholds_of_protocol,
)
from trialimg.services.figures.figure import Bar, Dash, Figure, Line, Point, Shape, Text, translated
from trialimg.services.figures.spider import spider
from trialimg.services.figures.sum_course import DatedSum, sum_course
from trialimg.services.figures.swimmer import swimmer
from trialimg.services.figures.tones import Tone
from trialimg.services.figures.waterfall import waterfall
from trialimg.services.results import TrialResult


@pytest.fixture(scope="module")
def result() -> TrialResult:
    return trial_result(key_images=False)


@pytest.fixture(scope="module")
def trial(result: TrialResult) -> TrialCourses:
    return courses_of_result(result)


def marks(figure: Figure, kind: type) -> list:
    return [mark for panel in figure.panels for mark in panel.marks if isinstance(mark, kind)]


class TestCourses:
    def test_they_say_what_the_run_found(self, result: TrialResult, trial: TrialCourses) -> None:
        for told, found in zip(trial.courses, result.subjects, strict=True):
            assert told.subject == found.subject.id
            assert len(told.points) == sum(t.assessment is not None for t in found.timepoints)
            if found.endpoints is None:
                assert (told.is_usable, told.best_response, told.progression_free) == (False, "", None)
                continue
            change = found.endpoints.burden.best_change_pct
            assert told.best_change_pct == (None if change is None else float(change))
            pfs = found.endpoints.progression_free_survival
            assert told.progression_free == (None if pfs is None else Outcome(pfs.days, pfs.event))
            assert told.is_responder == found.endpoints.responder

    def test_arms_programme_and_lines_are_the_runs(self, trial: TrialCourses) -> None:
        assert trial.arms == ("A", "B")
        assert trial.thresholds == RECIST
        assert trial.imprint.footnotes == ("Data cut: none set. Programme: trialimg 0.1.0.",)

    @pytest.mark.parametrize(
        ("rules", "lines"),
        [
            ({"pr_decrease": "0.65", "pd_increase": "0.4"}, Thresholds(-65.0, 40.0)),
            ({"pr_size_decrease": "0.10", "pd_size_increase": "0.10"}, Thresholds(-10.0, 10.0)),
            ({"pmr_decrease": "0.30", "pmd_increase": "0.30"}, Thresholds(-30.0, 30.0)),
            ({"pr_decrease": "0.50", "pd_ppd_increase": "0.50"}, Thresholds(-50.0, None)),
            ({}, Thresholds()),
        ],
    )
    def test_thresholds_are_those_of_the_criterion_in_force(self, rules: dict[str, str], lines: Thresholds) -> None:
        assert thresholds_of_protocol({"response": {"rules": rules}}) == lines


class TestWaterfall:
    def test_bars_stand_in_order_at_their_change(self, trial: TrialCourses) -> None:
        figure = waterfall(trial)
        bars = marks(figure, Bar)
        known = {c.subject: c.best_change_pct for c in trial.courses if c.best_change_pct is not None}
        assert [bar.y[1] for bar in bars] == sorted(known.values(), reverse=True)
        assert [one["best_change_pct"] for one in figure.numbers["subjects"]] == [bar.y[1] for bar in bars]
        assert [tick.text for tick in figure.panels[0].x.ticks][:1] == ["S-1007"]
        assert figure.n == len(known) == 10

    def test_its_lines_are_those_of_the_criterion(self, trial: TrialCourses) -> None:
        figure = waterfall(replace(trial, thresholds=Thresholds(-65.0, 40.0)))
        assert [rule.at for rule in figure.panels[0].rules] == [0.0, -65.0, 40.0]
        bare = waterfall(replace(trial, thresholds=Thresholds()))
        assert [rule.at for rule in bare.panels[0].rules] == [0.0]
        assert "Dashed" not in bare.footnotes[0]

    def test_those_who_cannot_be_shown_are_named_with_the_reason(self, trial: TrialCourses) -> None:
        assert "S-1011 (NE), S-1012 (no usable baseline)" in waterfall(trial).footnotes[0]

    def test_a_change_beyond_the_axis_is_cut_with_its_number(self) -> None:
        course = Course("S-1", "01", "A", [Row("T01", "lung", [10.0, 40.0])], weeks=(-1, 8))
        figure = waterfall(courses_of_result(trial_result([course])))
        (bar,), (stroke,) = marks(figure, Bar), marks(figure, Point)
        assert bar.y == (0.0, 100.0)
        assert stroke.shape is Shape.BREAK
        assert "+300" in [text.text for text in marks(figure, Text)]
        assert figure.numbers["subjects"][0]["best_change_pct"] == 300

    def test_a_volumetric_trial_speaks_of_volumes(self, trial: TrialCourses) -> None:
        assert waterfall(replace(trial, criterion="volumetric")).title == "Best change of the sum of target volumes"

    def test_nobody_evaluable_gives_words_and_no_panel(self) -> None:
        figure = waterfall(courses_of_result(trial_result([c for c in COURSES if c.id == "S-1011"])))
        assert figure.panels == ()
        assert "nothing to draw" in figure.message

    def test_a_bar_leads_to_its_case(self, trial: TrialCourses) -> None:
        known = replace(trial, courses=tuple(replace(c, case=f"case of {c.subject}") for c in trial.courses))
        assert marks(waterfall(known), Bar)[0].key == "case of S-1007"


class TestSpider:
    def test_points_stand_at_week_and_change(self, trial: TrialCourses) -> None:
        found = {(p.x, p.y) for p in marks(spider(trial), Point) if p.shape is Shape.CIRCLE}
        wanted = {(p.day / 7, p.change_pct) for c in trial.courses for p in c.points if p.change_pct is not None}
        assert wanted <= found

    def test_a_timepoint_that_was_not_evaluable_is_passed_over_by_dots(self, trial: TrialCourses) -> None:
        dotted = [line for line in marks(spider(trial), Line) if line.dash is Dash.DOTTED]
        assert [tuple(x for x, _ in line.points) for line in dotted] == [(-1.0, 16.0)]

    def test_each_arm_has_its_panel_on_the_same_axes(self, trial: TrialCourses) -> None:
        one, other = spider(trial).panels
        assert (one.title, other.title) == ("Arm A (n = 6)", "Arm B (n = 4)")
        assert (one.x, one.y) == (other.x, other.y)

    def test_a_subject_of_no_known_arm_is_not_lost(self, trial: TrialCourses) -> None:
        stray = replace(
            trial, courses=tuple(replace(c, arm="Z") if c.subject == "S-1001" else c for c in trial.courses)
        )
        assert [panel.title for panel in spider(stray).panels][-1] == "Arm not known (n = 1)"


class TestSwimmer:
    def test_chips_and_ends_stand_at_their_weeks(self, trial: TrialCourses) -> None:
        figure = swimmer(trial)
        chips = [p for p in marks(figure, Point) if p.shape is Shape.CHIP]
        assert len(chips) == sum(len(c.points) for c in trial.courses)
        assert "S-1004, week 24.0: PD" in {chip.about for chip in chips if chip.x == 24}
        deaths = sorted(p.x for p in marks(figure, Point) if p.shape is Shape.CROSS)
        assert deaths == sorted(c.death_day / 7 for c in trial.courses if c.death_day is not None)

    def test_only_those_without_an_event_go_on(self, trial: TrialCourses) -> None:
        arrows = [p for p in marks(swimmer(trial), Point) if p.shape is Shape.ARROW]
        assert len(arrows) == 5
        assert "12 subjects: 6 with progression, 4 died, 5 without progression, death or new" in swimmer(trial).words

    def test_the_first_response_and_the_progression_are_marked_once(self, trial: TrialCourses) -> None:
        points = marks(swimmer(trial), Point)
        assert sum(p.shape is Shape.STAR for p in points) == sum(bool(c.is_responder) for c in trial.courses)
        assert sum(p.shape is Shape.TRIANGLE and p.tone is Tone.PROGRESSION for p in points) == 6

    def test_nobody_with_a_reference_date_gives_words(self, trial: TrialCourses) -> None:
        none = replace(trial, courses=tuple(replace(c, is_timed=False) for c in trial.courses))
        assert swimmer(none).message == "No subject has a reference date: there is nothing to draw."


class TestSumCourse:
    SUMS = (DatedSum(-7, 20.0, ""), DatedSum(56, 10.0, "PR"), DatedSum(112, 11.0, "PR"))

    def test_progression_needs_its_millimetres_too(self) -> None:
        rules = sum_course("S-1", self.SUMS, RECIST).panels[0].rules
        assert [rule.text for rule in rules] == ["PR 14.0", "PD 15.0"]  # 1.2 x 10 = 12 mm is less than 10 + 5 mm

    def test_one_sum_is_no_course(self) -> None:
        assert sum_course("S-1", self.SUMS[:1], RECIST).panels == ()


def test_a_figure_is_translated_and_its_numbers_stay(trial: TrialCourses) -> None:
    figure = waterfall(trial)
    shown = translated(figure, lambda words: f"<{words}>" if words else words)
    assert shown.panels[0].y.title == "<Best change from baseline (%)>"
    assert [item.text for item in shown.legend][:1] == ["<complete>"]
    assert shown.numbers == figure.numbers
    assert shown.panels[0].marks == figure.panels[0].marks
