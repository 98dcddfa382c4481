"""Figures for Plotly: the marks of the specification, no more and no fewer, and what a click carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.trialimg_dashboard.views.interactive import interactive
from tests.fakes.results import trial_result
from trialimg.services.figures.adjudication import ReviewedCase, adjudication_flow
from trialimg.services.figures.courses import TrialCourses, courses_of_result
from trialimg.services.figures.figure import Axis, Bar, Figure, Panel, Point, Rule, Shape
from trialimg.services.figures.kaplan_meier import survival_of_trial
from trialimg.services.figures.palette import DARK, LIGHT
from trialimg.services.figures.spider import spider
from trialimg.services.figures.swimmer import swimmer
from trialimg.services.figures.tones import Tone
from trialimg.services.figures.volcano import volcano
from trialimg.services.figures.waterfall import waterfall


@pytest.fixture(scope="module")
def trial() -> TrialCourses:
    trial = courses_of_result(trial_result(key_images=False))
    return replace(trial, courses=tuple(replace(c, case=f"case {c.subject}") for c in trial.courses))


def drawn(figure: Figure) -> dict[str, Any]:
    """Plotly's own document; its library has refused what it does not know."""
    found: dict[str, Any] = interactive(figure, LIGHT).to_plotly_json()
    return found


def test_each_bar_stands_at_its_change_and_carries_its_case(trial: TrialCourses) -> None:
    figure = waterfall(trial)
    found = {}
    for trace in drawn(figure)["data"]:
        if trace["type"] == "bar":
            for case, base, height in zip(trace["customdata"], trace["base"], trace["y"], strict=True):
                found[case] = base + height
    wanted = {mark.key: mark.y[1] for mark in figure.panels[0].marks if isinstance(mark, Bar)}
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("made", [spider, swimmer])
def test_each_point_stands_where_it_is_specified(trial: TrialCourses, made: Any) -> None:
    figure = made(trial)
    wanted = {(m.x, m.y, m.key) for panel in figure.panels for m in panel.marks if isinstance(m, Point)}
    found = {
        point
        for trace in drawn(figure)["data"]
        if "customdata" in trace and trace["type"] == "scatter"
        for point in zip(trace["x"], trace["y"], trace["customdata"], strict=True)
    }
    assert found == wanted


def test_a_figure_of_many_subjects_has_few_traces(trial: TrialCourses) -> None:
    many = [replace(c, subject=f"{c.subject}-{n}") for n in range(20) for c in trial.courses]
    assert len(drawn(spider(replace(trial, courses=tuple(many))))["data"]) < 60


def test_curves_are_steps_and_numbers_at_risk_are_written(trial: TrialCourses) -> None:
    figure = survival_of_trial(trial)
    document = drawn(figure)
    assert sum(trace.get("line", {}).get("shape") == "hv" for trace in document["data"]) == 2
    texts = {note["text"] for note in document["layout"]["annotations"]}
    assert {cell.text for row in figure.panels[0].rows for cell in row.cells} <= texts
    assert set(figure.panels[0].notes) <= {text.removeprefix("<b>").removesuffix("</b>") for text in texts}


def test_boxes_and_arrows_of_a_flow_are_all_there() -> None:
    layout = drawn(adjudication_flow([ReviewedCase("1", True, ()), ReviewedCase("2", False)]))["layout"]
    assert sum(shape["type"] == "rect" for shape in layout["shapes"]) == 8
    assert sum(bool(note.get("showarrow")) for note in layout["annotations"]) == 7


def test_words_on_a_logarithmic_axis_stand_at_the_logarithm() -> None:
    x = Axis("", 0.1, 10.0, (), is_log=True)
    panel = Panel(x, x, (Point(1.0, 1.0, Shape.CIRCLE, Tone.INK),), (Rule(10.0, text="ten"),))
    layout = drawn(Figure("x", "t", (panel,), "w", 1))["layout"]
    assert layout["xaxis"]["range"] == [-1.0, 1.0]
    assert next(note["y"] for note in layout["annotations"] if note["text"] == "ten") == 1.0


def test_the_dark_page_has_the_dark_palette(trial: TrialCourses) -> None:
    light, dark = (interactive(waterfall(trial), palette).to_plotly_json() for palette in (LIGHT, DARK))
    assert light["layout"]["font"]["color"] != dark["layout"]["font"]["color"]
    fills = [{trace["marker"]["color"] for trace in one["data"] if trace["type"] == "bar"} for one in (light, dark)]
    assert not fills[0] & fills[1] - {"#f3d469"}


def test_nothing_to_draw_is_said() -> None:
    assert drawn(volcano(()))["layout"]["annotations"][0]["text"] == "There are no features: there is nothing to draw."
