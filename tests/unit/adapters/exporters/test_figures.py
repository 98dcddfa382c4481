"""Figures: what they show, that they say it in words and letters too, and that it is right."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.courses import COURSES, Course, Row
from tests.fakes.results import trial_result
from trialimg.adapters.exporters.figures.axes import WEEKS, calendar_step, nice_step, signed, steps
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.figure import short_name
from trialimg.adapters.exporters.figures.kaplan_meier import at_risk, kaplan_meier_figure
from trialimg.adapters.exporters.figures.key_image import field_of_view_mm, key_image_svg
from trialimg.adapters.exporters.figures.look import look_of
from trialimg.adapters.exporters.figures.spider import apart, spider
from trialimg.adapters.exporters.figures.sum_course import sum_course_svg
from trialimg.adapters.exporters.figures.swimmer import ROWS_A_FIGURE, swimmers
from trialimg.adapters.exporters.figures.thresholds import Thresholds, thresholds_of
from trialimg.adapters.exporters.figures.waterfall import waterfall
from trialimg.adapters.exporters.wording import MINUS
from trialimg.services.results import TrialResult
from trialimg.stats.survival import kaplan_meier

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ("CR", "PR", "SD", "PD")


@pytest.fixture(scope="module")
def result() -> TrialResult:
    return trial_result()


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def tooltips(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}title")][1:]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lightness(colour: str) -> float:
    """CIE L*, 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def test_response_colours_differ_in_lightness_so_that_they_survive_grey_print() -> None:
    for one, other in combinations(WORDS, 2):
        assert abs(lightness(look_of(one).fill) - lightness(look_of(other).fill)) > 15, (one, other)


@pytest.mark.parametrize("word", [*WORDS, "NE", "NON-CR/NON-PD", "NED", ""])
def test_letters_can_be_read_on_their_colour(word: str) -> None:
    look = look_of(word)
    light, dark = sorted((luminance(look.fill), luminance(look.ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert look.letters


def test_every_figure_is_a_drawing_that_says_in_words_what_it_shows(result: TrialResult) -> None:
    made = [waterfall(result), spider(result), kaplan_meier_figure(result), *swimmers(result)]
    for figure in made:
        assert figure is not None
        root = ElementTree.fromstring(figure.svg)
        assert root.get("role") == "img"
        first = root.find(f"{SVG}title")
        assert first is not None
        assert first.text
        assert figure.caption


class TestWaterfall:
    def test_bars_stand_in_order_with_letters_and_arms(self, result: TrialResult) -> None:
        figure = waterfall(result)
        assert figure is not None
        bars = [re.fullmatch(r"(\S+), Arm (\S+): (\S+) %, best response (\S+)", t) for t in tooltips(figure.svg)]
        found = [(b[1], b[2], b[4]) for b in bars if b]
        assert found[0] == ("S-1007", "B", "PD")
        assert found[-1] == ("S-1002", "A", "CR")
        changes = [float(b[3]) for b in bars if b]
        assert changes == sorted(changes, reverse=True)
        assert len(found) == 10

    def test_those_who_cannot_be_shown_are_named(self, result: TrialResult) -> None:
        figure = waterfall(result)
        assert figure is not None
        assert "S-1011 (NE), S-1012 (no usable baseline)" in figure.caption

    def test_its_lines_are_those_of_the_criterion_in_force(self, result: TrialResult) -> None:
        rules = {"pr_decrease": "0.65", "pd_increase": "0.4"}
        changed = replace(result, protocol={**result.protocol, "response": {"criterion": "x", "rules": rules}})
        assert thresholds_of(changed) == Thresholds(-65.0, 40.0, 0.0)
        figure = waterfall(changed)
        assert figure is not None
        assert {f"{MINUS}65 %", "+40 %"} <= set(texts(figure.svg))

    def test_a_criterion_without_such_numbers_has_no_lines(self, result: TrialResult) -> None:
        figure = waterfall(replace(result, protocol={}))
        assert figure is not None
        assert "Dashed" not in figure.caption

    def test_a_change_beyond_the_frame_is_cut_and_says_so(self) -> None:
        course = Course("S-1", "01", "A", [Row("T01", "lung", [10.0, 40.0])], weeks=(-1, 8))
        figure = waterfall(trial_result([course]))
        assert figure is not None
        assert "+300↑" in texts(figure.svg)

    def test_bars_too_narrow_for_upright_letters_still_carry_them(self) -> None:
        many = [replace(COURSES[i % 10], id=f"S-{i:03d}") for i in range(90)]
        figure = waterfall(trial_result(many, key_images=False))
        assert figure is not None
        assert sum(text in WORDS for text in texts(figure.svg)) == 90 + len(WORDS)  # with those of the legend

    def test_nobody_evaluable_gives_no_figure(self) -> None:
        assert waterfall(trial_result([c for c in COURSES if c.id == "S-1011"])) is None


class TestSpider:
    def test_a_gap_is_dotted_and_a_new_lesion_ringed(self, result: TrialResult) -> None:
        figure = spider(result)
        assert figure is not None
        assert figure.svg.count('stroke-dasharray="2 3"') == 1  # S-1005 at W08
        assert figure.svg.count('r="6.5"') == 2  # S-1004 at W24, S-1010 at W08

    def test_each_arm_has_its_panel(self, result: TrialResult) -> None:
        figure = spider(result)
        assert figure is not None
        assert {"Arm A (n = 6)", "Arm B (n = 4)"} <= set(texts(figure.svg))

    @given(st.lists(st.floats(0, 200), min_size=1, max_size=15))
    def test_labels_keep_their_order_and_their_distance(self, wished: list[float]) -> None:
        placed = apart(sorted(wished), 12.5, 0, 200)
        assert all(after - before >= 12.5 - 1e-9 for before, after in pairwise(placed))
        assert placed[0] >= -1e-9
        assert placed[-1] <= 200 + 1e-9


class TestSwimmer:
    def test_every_response_stands_at_its_week(self, result: TrialResult) -> None:
        (figure,) = swimmers(result)
        assert "S-1004, week 24.0: PD" in tooltips(figure.svg)
        assessed = sum(t.assessment is not None for s in result.subjects for t in s.timepoints)
        assert len(tooltips(figure.svg)) == assessed

    def test_only_those_without_event_go_on(self, result: TrialResult) -> None:
        (figure,) = swimmers(result)
        title = ElementTree.fromstring(figure.svg).find(f"{SVG}title")
        assert title is not None
        assert title.text is not None
        assert "12 subjects: 6 with progression, 4 died, 5 without progression, death or new therapy" in title.text

    def test_a_large_trial_is_cut_into_figures_that_fit_a_page(self) -> None:
        many = [replace(COURSES[i % 11], id=f"S-{i:03d}") for i in range(ROWS_A_FIGURE + 5)]
        figures = swimmers(trial_result(many, key_images=False))
        assert len(figures) == 2
        assert all(float(ElementTree.fromstring(f.svg).get("height", "0")) < 960 for f in figures)


class TestKaplanMeier:
    @given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=25), st.integers(0, 70))
    def test_at_risk_counts_those_not_yet_gone(self, subjects: list[tuple[int, bool]], day: int) -> None:
        days, events = zip(*subjects, strict=True)
        assert at_risk(kaplan_meier(days, events, label="A"), day) == sum(d >= day for d in days)

    def test_it_says_medians_and_the_test(self, result: TrialResult) -> None:
        figure = kaplan_meier_figure(result)
        assert figure is not None
        found = texts(figure.svg)
        assert "Log-rank p = 0.039, two-sided" in found
        assert any(t.startswith("Arm B: 4 events in 5, median in months 3.7 (1.8 to not reached)") for t in found)

    def test_at_risk_and_censored_and_events_add_up_to_the_arm(self, result: TrialResult) -> None:
        figure = kaplan_meier_figure(result)
        assert figure is not None
        rows = [re.fullmatch(r"(\d+) \((\d+)\)", t) for t in texts(figure.svg)]
        counts = [(int(r[1]), int(r[2])) for r in rows if r]
        assert counts[0] == (6, 0)
        assert all(n + censored <= 6 for n, censored in counts)

    def test_a_trial_of_one_arm_has_one_curve(self) -> None:
        figure = kaplan_meier_figure(trial_result([c for c in COURSES if c.arm == "A"]))
        assert figure is not None
        assert "No test of arms." in figure.caption


class TestKeyImage:
    def test_pictures_of_a_lesion_share_one_scale(self, result: TrialResult) -> None:
        images = [t.lesions[0].key_image for t in result.subjects[0].timepoints[:2]]
        first, second = (image for image in images if image)
        small = replace(second, grey=second.grey[20:80, 20:80].copy())
        view_mm = field_of_view_mm([first, small])
        assert view_mm == pytest.approx(103 * 0.78)
        axis = _axis_length_px(key_image_svg(first, "x", view_mm=view_mm, edge_px=130))
        assert axis == pytest.approx(41.2 * 130 / view_mm, abs=0.02)

    def test_it_carries_outline_axes_scale_bar_and_sides(self, result: TrialResult) -> None:
        image = result.subjects[0].timepoints[0].lesions[0].key_image
        assert image is not None
        svg = key_image_svg(image, "T01 at BL", view_mm=80, edge_px=130)
        assert texts(svg)[:2] == ["R", "L"]
        assert texts(svg)[2] == "20 mm"
        assert svg.count("<polygon") == len(image.outlines)
        assert "data:image/png;base64," in svg


def _axis_length_px(svg: str) -> float:
    line = next(e for e in ElementTree.fromstring(svg).iter(f"{SVG}line") if e.get("stroke-dasharray") == "none")
    return float(line.get("x2", "0")) - float(line.get("x1", "0"))


class TestSumCourse:
    def test_progression_needs_its_millimetres_too(self) -> None:
        course = Course("S-1", "01", "A", [Row("T01", "lung", [20.0, 10.0, 11.0])], weeks=(-1, 8, 16))
        (subject,) = trial_result([course]).subjects
        found = texts(sum_course_svg(subject, Thresholds(-30, 20, 5)))
        assert {"PR 14.0", "PD 15.0"} <= set(found)  # 1.2 x 10 = 12 mm is less than 10 + 5 mm

    def test_one_sum_is_no_course(self) -> None:
        subject = next(s for s in trial_result().subjects if s.subject.id == "S-1011")
        assert sum_course_svg(subject, Thresholds(-30, 20, 5)) == ""


class TestDrawing:
    def test_text_and_attributes_cannot_break_out(self) -> None:
        drawing = Drawing(10, 10)
        drawing.text((0, 0), "<script>&", fill='"><script>')
        drawing.rect((0, 0), (1, 1), tooltip="</title><script>")
        root = ElementTree.fromstring(drawing.svg("</title><script>"))
        assert {e.tag.removeprefix(SVG) for e in root.iter()} == {"svg", "title", "text", "rect"}

    @given(st.floats(-1e4, 1e4))
    def test_numbers_are_short_and_never_minus_zero(self, value: float) -> None:
        drawing = Drawing(10, 10)
        drawing.line((value, 0), (0, 0))
        match = re.search(r'x1="([^"]+)"', drawing.svg("x"))
        assert match is not None
        assert re.fullmatch(r"-?\d+(\.\d{1,2})?", match[1])
        assert match[1] != "-0"
        assert float(match[1]) == pytest.approx(value, abs=0.0051)


class TestAxes:
    @given(st.floats(0.01, 1e5), st.integers(2, 12))
    def test_a_nice_step_is_the_smallest_that_fits(self, span: float, most: int) -> None:
        step = nice_step(span, most)
        assert span / step <= most
        assert span / step > most / 2.6

    def test_calendar_steps_are_whole(self) -> None:
        assert calendar_step(0.4, 10, WEEKS) == 1
        assert calendar_step(45, 10, WEEKS) == 8
        assert calendar_step(9999, 10, WEEKS) == WEEKS[-1]

    def test_steps_include_both_ends(self) -> None:
        assert steps(-40, 40, 20) == [-40, -20, 0, 20, 40]

    def test_signs_are_true_signs(self) -> None:
        assert [signed(v) for v in (-12.4, 0.2, -0.4, 7.6)] == [f"{MINUS}12", "0", "0", "+8"]

    def test_a_long_code_keeps_its_end(self) -> None:
        assert short_name("SITE-0000-SUBJECT-0001", 9) == "…ECT-0001"
        assert short_name("S-1001", 9) == "S-1001"
