"""Figures on paper: marks land where the numbers say, words and letters are there, and files are what they claim."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.fakes.courses import COURSES, Course, Row
from tests.fakes.results import trial_result
from trialimg.adapters.exporters.figure_files import pdf_of_figure, png_of_figure, write_figure
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.frame import apart
from trialimg.adapters.exporters.figures.key_image import field_of_view_mm, key_image_svg
from trialimg.adapters.exporters.figures.letters import text_width, wrapped
from trialimg.adapters.exporters.figures.look import look_of
from trialimg.adapters.exporters.figures.printed import response_figures, sum_course_svg, time_figures
from trialimg.adapters.exporters.figures.static import figure_svg
from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import Thresholds, courses_of_result
from trialimg.services.figures.figure import Axis, Bar, Figure, Panel, Point, Shape
from trialimg.services.figures.kaplan_meier import Curves, kaplan_meier_figure
from trialimg.services.figures.scales import MINUS
from trialimg.services.figures.spider import spider
from trialimg.services.figures.swimmer import ROWS_A_FIGURE, swimmer, swimmers
from trialimg.services.figures.tones import Tone
from trialimg.services.figures.waterfall import waterfall
from trialimg.services.results import TrialResult
from trialimg.stats.survival import kaplan_meier

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ("CR", "PR", "SD", "PD")


@pytest.fixture(scope="module")
def result() -> TrialResult:
    return trial_result()


@pytest.fixture(scope="module")
def drawings(result: TrialResult) -> dict[str, str]:
    trial = courses_of_result(result)
    curves = tuple(curve for arm, curve in result.cohort.progression_free if arm != "all")
    survival = kaplan_meier_figure([Curves(curves)], test=result.cohort.log_rank)
    return {one.name: figure_svg(one) for one in (waterfall(trial), spider(trial), swimmer(trial), survival)}


def elements(svg: str, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}{name}"))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in elements(svg, "text")]


def tooltips(svg: str) -> list[str]:
    return [element.text or "" for element in elements(svg, "title")][1:]


def about(svg: str, words: str) -> ElementTree.Element:
    """The shape that says these words to whoever points at it."""
    return next(
        shape for shape in ElementTree.fromstring(svg).iter() if (shape.findtext(f"{SVG}title") or "").startswith(words)
    )


def number_of(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name, "nan"))


def inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def place_of(svg: str, text: str) -> tuple[float, float]:
    found = next(element for element in elements(svg, "text") if element.text == text)
    return number_of(found, "x"), number_of(found, "y")


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


@pytest.mark.parametrize("word", [*WORDS, "NE", "NON-CR/NON-PD", "NED", "", "iCPD", "CMR", "MR", "hold", "nonsense"])
def test_letters_can_be_read_on_their_colour(word: str) -> None:
    look = look_of(word)
    light, dark = sorted((luminance(look.fill), luminance(look.ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert look.letters


def test_every_figure_says_in_words_what_it_shows(drawings: dict[str, str]) -> None:
    for svg in drawings.values():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert [root.find(f"{SVG}{name}") is not None for name in ("title", "desc")] == [True, True]
        assert (root.findtext(f"{SVG}desc") or "").count(" ") > 5


def test_the_report_prints_every_figure_once(result: TrialResult) -> None:
    trial = courses_of_result(result)
    made = [*response_figures(trial), *time_figures(result, trial)]
    assert [figure.title for figure in made] == [
        "Best change of the sum of target diameters",
        "Change of the sum of target diameters over time",
        "Progression-free survival",
        "Time in the trial, responses and events",
    ]
    assert all("Programme: trialimg 0.1.0." in figure.caption for figure in made)


class TestPlaces:
    def test_a_bar_ends_where_its_number_stands_on_the_axis(self, drawings: dict[str, str]) -> None:
        svg = drawings["waterfall"]
        (_, zero), (_, lower) = place_of(svg, "0"), place_of(svg, f"{MINUS}80")
        bar = about(svg, "S-1002")
        said = re.search(r"(-\d+\.\d) %", bar.findtext(f"{SVG}title") or "")
        assert said
        reached = number_of(bar, "height") * 80 / (lower - zero)
        assert -reached == pytest.approx(float(said[1]), abs=0.1)

    def test_a_response_stands_at_its_week(self, drawings: dict[str, str]) -> None:
        svg = drawings["swimmer"]
        (start, _), (later, _) = place_of(svg, "0"), place_of(svg, "40")
        chip = about(svg, "S-1004, week 24.0: PD")
        middle = number_of(chip, "x") + number_of(chip, "width") / 2
        assert (middle - start) * 40 / (later - start) == pytest.approx(24, abs=0.05)

    def test_a_curve_steps_at_its_times_and_heights(self, result: TrialResult) -> None:
        curve = dict(result.cohort.progression_free)["B"]
        svg = figure_svg(kaplan_meier_figure([Curves((curve,))]))
        (x0, _), (x1, _) = place_of(svg, "0"), place_of(svg, "7")
        line = about(svg, "B").get("points", "").split()
        drawn = [tuple(map(float, point.split(","))) for point in line]
        (_, top), (_, half) = place_of(svg, "100 %"), place_of(svg, "50 %")
        steps = {
            (round((x - x0) * 7 / (x1 - x0), 1), round(1 - (y - top + 3.5) / (half - top) / 2, 2)) for x, y in drawn
        }
        wanted = {(round(t / 30.4375, 1), round(s, 2)) for t, s in zip(curve.time_days, curve.survival, strict=True)}
        assert wanted <= steps

    def test_marks_keep_to_a_logarithmic_axis(self) -> None:
        marks = tuple(Point(x, 0.5, Shape.CIRCLE, Tone.INK, about=f"at {x:g}") for x in (0.1, 1.0, 10.0))
        panel = Panel(Axis("", 0.1, 10.0, (), is_log=True), Axis("", 0, 1, ()), marks)
        svg = figure_svg(Figure("x", "t", (panel,), "w", 3))
        low, one, high = (number_of(about(svg, f"at {x}"), "cx") for x in ("0.1", "1", "10"))
        assert one - low == pytest.approx(high - one, abs=0.02)

    def test_a_bar_across_is_drawn_from_either_end(self) -> None:
        marks = (Bar((3.0, 1.0), (1.0, 0.0), Tone.INK, "back"), Bar((1.0, 3.0), (0.0, 1.0), Tone.INK, "forth"))
        panel = Panel(Axis("", 0, 4, ()), Axis("", 0, 1, ()), marks)
        svg = figure_svg(Figure("x", "t", (panel,), "w", 2))
        assert about(svg, "back").attrib == about(svg, "forth").attrib


class TestWaterfall:
    def test_a_change_beyond_the_frame_is_cut_and_says_so(self) -> None:
        course = Course("S-1", "01", "A", [Row("T01", "lung", [10.0, 40.0])], weeks=(-1, 8))
        figure = waterfall(courses_of_result(trial_result([course])))
        svg = figure_svg(figure)
        assert "+300" in texts(svg)
        bar = about(svg, "S-1")
        strokes = [e for e in elements(svg, "polyline") if e.get("stroke") == "#ffffff"]
        assert len(strokes) == 2
        ys = [float(point.split(",")[1]) for stroke in strokes for point in stroke.get("points", "").split()]
        assert number_of(bar, "y") < min(ys) < max(ys) < number_of(bar, "y") + number_of(bar, "height")

    def test_bars_too_narrow_for_upright_letters_still_carry_them(self) -> None:
        many = [replace(COURSES[i % 10], id=f"S-{i:03d}") for i in range(90)]
        svg = figure_svg(waterfall(courses_of_result(trial_result(many, key_images=False))))
        assert sum(text in WORDS for text in texts(svg)) == 90 + len(WORDS)  # with those of the legend

    def test_letters_of_neighbours_do_not_meet(self) -> None:
        many = [replace(COURSES[i % 10], id=f"S-{i:03d}") for i in range(24)]
        svg = figure_svg(waterfall(courses_of_result(trial_result(many, key_images=False))))
        root = ElementTree.fromstring(svg)
        found = [e for e in root.iter(f"{SVG}text") if e.text in WORDS and e.get("font-size") != "9"]
        spans = [(e, text_width(e.text or "", number_of(e, "font-size"), is_bold=True) / 2) for e in found]
        by_row = sorted(spans, key=lambda s: (number_of(s[0], "y"), number_of(s[0], "x")))
        for (one, half), (other, next_half) in pairwise(by_row):
            if one.get("y") == other.get("y"):
                assert number_of(other, "x") - number_of(one, "x") > half + next_half


class TestSpider:
    def test_a_gap_is_dotted_and_a_new_lesion_ringed(self, drawings: dict[str, str]) -> None:
        svg = drawings["spider"]
        assert svg.count('stroke-dasharray="2 3"') == 1  # S-1005 at W08
        assert svg.count('r="6.5"') == 2  # S-1004 at W24, S-1010 at W08

    @given(st.lists(st.floats(0, 200), min_size=1, max_size=15))
    def test_labels_keep_their_order_and_their_distance(self, wished: list[float]) -> None:
        placed = apart(sorted(wished), 12.5, 0, 200)
        assert all(after - before >= 12.5 - 1e-9 for before, after in pairwise(placed))
        assert placed[0] >= -1e-9
        assert placed[-1] <= 200 + 1e-9


def test_a_large_trial_is_cut_into_swimmers_that_fit_a_page() -> None:
    many = [replace(COURSES[i % 11], id=f"S-{i:03d}") for i in range(ROWS_A_FIGURE + 5)]
    figures = swimmers(courses_of_result(trial_result(many, key_images=False)))
    assert len(figures) == 2
    assert all(float(ElementTree.fromstring(figure_svg(f)).get("height", "0")) < 960 for f in figures)


class TestFiles:
    @pytest.fixture(scope="class")
    def figure(self) -> Figure:
        curve = kaplan_meier([30, 60, 90, 200], [1, 0, 1, 0], label="Arm A")
        return kaplan_meier_figure([Curves((curve,))])

    def test_one_specification_gives_every_format(self, figure: Figure, tmp_path: Path) -> None:
        heads = {".svg": b"<svg", ".pdf": b"%PDF-", ".png": b"\x89PNG"}
        for ending, head in heads.items():
            assert write_figure(figure, tmp_path / f"km{ending}").read_bytes().startswith(head)

    def test_the_same_figure_gives_the_same_bytes(self, figure: Figure, tmp_path: Path) -> None:
        for ending in (".svg", ".pdf", ".png"):
            once, twice = (write_figure(figure, tmp_path / f"{n}{ending}").read_bytes() for n in "ab")
            assert once == twice

    def test_a_picture_that_stands_alone_has_title_footnotes_and_letters(self, figure: Figure) -> None:
        svg = figure_svg(figure, has_words=True)
        assert figure.title in texts(svg)
        assert any(text.startswith("Kaplan-Meier estimate") for text in texts(svg))
        assert svg.count("@font-face") == 2

    def test_the_page_is_as_large_as_the_drawing_and_its_letters_are_in_it(self, figure: Figure) -> None:
        data = pdf_of_figure(figure)
        root = ElementTree.fromstring(figure_svg(figure, has_words=True))
        document = pypdfium2.PdfDocument(data)
        assert len(document) == 1
        wanted = [float(root.get(name, "0")) * 0.75 for name in ("width", "height")]
        assert document[0].get_size() == pytest.approx(wanted, abs=0.5)
        words = document[0].get_textpage().get_text_bounded()
        assert "Progression-free survival" in words
        streams = [inflated(part) for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)]
        assert any(re.search(rb"/FontFile[23]?\b", stream) for stream in streams)

    def test_a_png_is_made_for_print(self, figure: Figure, tmp_path: Path) -> None:
        path = tmp_path / "km.png"
        path.write_bytes(png_of_figure(figure))
        with Image.open(path) as picture:
            assert picture.width == pytest.approx(700 / 96 * 300, abs=2)
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 10

    def test_another_ending_is_refused(self, figure: Figure, tmp_path: Path) -> None:
        with pytest.raises(ReadingError, match=r"\.svg, \.pdf, \.png, not as \.gif"):
            write_figure(figure, tmp_path / "km.gif")
        assert list(tmp_path.iterdir()) == []

    def test_nothing_to_draw_is_said_in_the_picture(self) -> None:
        trial = courses_of_result(trial_result([c for c in COURSES if c.id == "S-1011"]))
        svg = figure_svg(waterfall(trial), has_words=True)
        assert "No subject has an evaluable sum after baseline: there is nothing to draw." in texts(svg)


class TestLetters:
    def test_bold_is_wider_and_width_grows_with_size(self) -> None:
        assert text_width("Response", 10) < text_width("Response", 10, is_bold=True)
        assert text_width("Response", 20) == pytest.approx(2 * text_width("Response", 10))

    @given(st.text(alphabet="abc ", max_size=80))
    def test_wrapping_loses_no_word_and_no_line_is_too_wide(self, text: str) -> None:
        lines = wrapped(text, 10, 40)
        assert " ".join(lines).split() == text.split()
        assert all(text_width(line, 10) <= 40 or " " not in line for line in lines)


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
