"""The viewer in a real browser, without WebGL and with it, at the usual display scalings.

Where a thing lies on the screen is measured on the screenshot; the viewer is never asked about itself.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.e2e.viewer import phantom
from tests.e2e.viewer.acts import drag, loaded, pane, press, projection

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

PATHS = ["cpu", pytest.param("gpu", marks=pytest.mark.slow)]
RARE = [("cpu", 1.25), ("gpu", 1.25), ("gpu", 1.5)]
SCALED = [("cpu", 1.0), ("cpu", 1.5), ("gpu", 1.0), *(pytest.param(*one, marks=pytest.mark.slow) for one in RARE)]
PIXEL_MM = 0.65
"""One CSS pixel at this window size: no mouse can point more exactly."""


def slices(page):
    return tuple(int(pane(page, number).get_attribute("data-slice")) for number in (0, 1))


def recorded(page):
    """The drawings as Python has them."""
    return json.loads(page.locator("[data-testid=stCode] code").inner_text())


def labels(page, number=0):
    return pane(page, number).locator(".ti-view svg text").all_text_contents()


def draw_long_axis(page, where):
    press(page, tool="bidirectional")
    ends = [np.round(where.screen(point)) for point in phantom.lesion_axis("long")]
    drag(page, *ends)
    return ends


def letters(vector):
    order = [axis for axis in np.argsort(-np.abs(vector)) if abs(vector[axis]) >= 0.05]
    return "".join(("LR", "PA", "HF")[axis][int(vector[axis] < 0)] for axis in order)


@pytest.mark.parametrize(("path", "scaling"), SCALED)
def test_a_drawn_axis_has_the_patients_length_and_place(reading, path, scaling):
    with reading(path, scaling) as page:
        assert page.locator(".ti-root").get_attribute("data-rendering") == path
        where = projection(page, scaling)
        ends = draw_long_axis(page, where)
        (measured,) = recorded(page)
        expected = [where.patient(xy) for xy in ends]
        assert measured["diameters_mm"][0] == pytest.approx(np.linalg.norm(expected[0] - expected[1]), abs=0.1)
        assert measured["diameters_mm"][0] == pytest.approx(32.0, abs=PIXEL_MM)
        for end in expected:
            assert min(np.linalg.norm(np.array(point) - end) for point in measured["points_lps_mm"]) < PIXEL_MM
        assert measured["pixel_mm"] == pytest.approx(
            np.linalg.norm(where.patient((1, 0)) - where.patient((0, 0))), rel=0.01
        )


@pytest.mark.parametrize("scaling", [pytest.param(1.0, marks=pytest.mark.slow), 1.5])
@pytest.mark.parametrize("path", PATHS)
def test_lengths_hold_after_zoom_and_pan(reading, path, scaling):
    with reading(path, scaling) as page:
        before = projection(page, scaling)
        middle = np.round(before.screen(phantom.CENTRE))
        for button, move in (("right", (0, 15)), ("middle", (12, -9))):
            page.mouse.move(*middle)
            page.mouse.down(button=button)
            page.mouse.move(*(middle + move), steps=3)
            page.mouse.up(button=button)
            page.wait_for_timeout(400)
        where = projection(page, scaling)
        assert np.abs(where.matrix - before.matrix).max() > 5
        ends = draw_long_axis(page, where)
        (measured,) = recorded(page)
        assert measured["diameters_mm"][0] == pytest.approx(
            np.linalg.norm(np.subtract(*map(where.patient, ends))), abs=0.1
        )


@pytest.mark.parametrize("path", PATHS)
def test_letters_say_where_the_patients_sides_are(reading, path):
    with reading(path) as page:
        where = projection(page)
        sides = {"right": phantom.ROW, "left": -phantom.ROW, "bottom": phantom.COLUMN, "top": -phantom.COLUMN}
        for side, direction in sides.items():
            assert pane(page).locator(f".ti-{side}").inner_text() == letters(direction)
        assert where.found["left"][0] > where.found["right"][0]
        assert pane(page).locator(".ti-right").inner_text()[0] == "L"
        assert where.found["posterior"][1] > where.found["anterior"][1]
        assert pane(page).locator(".ti-bottom").inner_text()[0] == "P"


@pytest.mark.parametrize("path", PATHS)
def test_the_outline_lies_on_the_lesion_and_can_be_put_away(reading, path):
    with reading(path) as page:
        where = projection(page)
        outline = pane(page).locator(".ti-contour")
        assert outline.count() == 1
        box = pane(page).locator(".ti-contours").bounding_box()
        path_text = outline.get_attribute("d").strip("MZ").split("L")
        drawn = np.array([[float(x) for x in point.split(",")] for point in path_text]) + np.array([box["x"], box["y"]])
        for which in ("long", "short"):
            for end in phantom.lesion_axis(which):
                assert np.linalg.norm(drawn - where.screen(end), axis=1).min() < 1.5
        press(page, action="outlines")
        assert not outline.is_visible()


@pytest.mark.parametrize("path", PATHS)
def test_scrolling_is_linked_by_millimetres_and_shift_frees_it(reading, path):
    with reading(path, query="s-7b=22") as page:  # linked at 5 mm: two slices
        box = pane(page).bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        for _ in range(6):
            page.mouse.wheel(0, 100)
            page.wait_for_timeout(100)
        assert slices(page) == (26, 28)
        press(page, action="link")
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(300)
        assert slices(page) == (27, 28)
        press(page, action="link")  # linked again at what is on the screen now: one slice
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(300)
        assert slices(page) == (26, 27)
        page.keyboard.down("Shift")
        page.keyboard.press("ArrowUp")
        page.keyboard.up("Shift")
        page.wait_for_timeout(300)
        assert slices(page) == (25, 27)


@pytest.mark.parametrize("path", PATHS)
def test_keys_choose_tools_windows_and_what_comes_next(reading, path):
    with reading(path) as page:
        box = pane(page).bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.keyboard.press("3")
        page.wait_for_timeout(300)
        for number in (0, 1):
            assert "W 1500 L -600" in pane(page, number).locator(".ti-text").inner_text()
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(300)
        for number in (0, 1):  # the caption names the window that is on the screen, on the next slice too
            assert "W 1500 L -600" in pane(page, number).locator(".ti-text").inner_text()
        for key, tool in (("b", "bidirectional"), ("l", "length"), ("w", "windowLevel")):
            page.keyboard.press(key)
            assert page.locator(f"button[data-tool={tool}]").get_attribute("aria-pressed") == "true"
        page.keyboard.press("?")
        assert page.locator(".ti-help").is_visible()
        page.keyboard.press("n")
        page.get_by_text("asked: next").wait_for()
        page.keyboard.press("Enter")
        page.get_by_text("asked: accept").wait_for()


@pytest.mark.parametrize("path", PATHS)
def test_a_length_is_drawn_and_labelled(reading, path):
    with reading(path) as page:
        where = projection(page)
        press(page, tool="length")
        drag(page, *(np.round(where.screen(point)) for point in phantom.lesion_axis("short")))
        (measured,) = recorded(page)
        assert measured["kind"] == "length"
        assert measured["diameters_mm"] == [pytest.approx(12.0, abs=PIXEL_MM)]
        text = f"T01 liver {measured['diameters_mm'][0]:.1f} mm"
        assert labels(page) == [text]
        page.get_by_role("link", name="Worklist").click()
        page.get_by_text("1 measurements saved").wait_for()
        page.get_by_role("link", name="Read").click()
        loaded(page)
        assert labels(page) == [text]  # given back by Python, it is drawn again


@pytest.mark.parametrize("pixels", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", PATHS)
def test_a_handle_moves_by_as_little_as_a_pixel(reading, path, pixels):
    with reading(path) as page:
        where = projection(page)
        draw_long_axis(page, where)
        (before,) = recorded(page)
        points = before["points_lps_mm"]
        short_axis = min((points[:2], points[2:]), key=lambda axis: np.linalg.norm(np.subtract(*axis)))
        handle, other = (where.screen(np.array(point)) for point in short_axis)
        start = np.round(handle)
        outward = (handle - other) / np.linalg.norm(handle - other)
        drag(page, start, start + np.array([0, np.sign(outward[1]) * pixels]), steps=1)
        (after,) = recorded(page)
        grown = after["diameters_mm"][1] - before["diameters_mm"][1]
        assert grown != 0
        assert grown == pytest.approx(pixels * PIXEL_MM * abs(outward[1]), abs=2 * PIXEL_MM)
        assert after["diameters_mm"][0] == before["diameters_mm"][0]


@pytest.mark.parametrize("path", PATHS)
def test_drawings_survive_another_page_and_are_deleted_from_both_sides(reading, path):
    with reading(path) as page:
        where = projection(page)
        draw_long_axis(page, where)
        page.get_by_text("T02 lung").click()
        page.wait_for_timeout(600)
        drag(page, *(np.round(where.screen(phantom.in_plane(x, 95))) for x in (20, 60)))
        saved = recorded(page)
        assert [one["label"] for one in saved] == ["T01 liver", "T02 lung"]
        texts = ["{label} {0:.1f} x {1:.1f} mm".format(*one["diameters_mm"], label=one["label"]) for one in saved]
        assert labels(page) == texts
        assert labels(page, 1) == []
        page.get_by_role("link", name="Worklist").click()
        page.get_by_text("2 measurements saved").wait_for()
        page.get_by_role("link", name="Read").click()
        loaded(page)
        assert recorded(page) == saved
        assert labels(page) == texts
        page.get_by_text("T02 lung").first.click()
        page.wait_for_timeout(600)
        page.get_by_role("button", name="Delete all of this lesion").click()
        page.wait_for_timeout(1000)
        assert recorded(page) == saved[:1]
        assert labels(page) == texts[:1]
        press(page, tool="windowLevel")
        ends = [where.screen(np.array(point)) for point in saved[0]["points_lps_mm"][:2]]
        page.mouse.click(*(ends[0] * 0.75 + ends[1] * 0.25))
        page.wait_for_timeout(600)
        press(page, action="remove")
        page.wait_for_timeout(1000)
        assert recorded(page) == []
        assert labels(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_rerun_leaves_the_viewer_alone_and_the_token_is_renewed_while_reading(reading, path):
    with reading(path, query="short=1") as page:
        renewed = []
        page.on("response", lambda answer: renewed.append(answer.status) if answer.url.endswith("/token") else None)
        page.evaluate("document.querySelector('.ti-root').dataset.seen = 'before'")
        page.get_by_label("Comment").fill("measurable")
        page.get_by_label("Comment").press("Enter")
        box = pane(page).bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        for turn in range(9):  # longer than a token lasts here
            page.mouse.wheel(0, 100 if turn % 2 else -100)
            page.wait_for_timeout(1000)
        assert page.locator(".ti-root").get_attribute("data-seen") == "before"
        assert len(renewed) >= 2
        assert set(renewed) == {200}
        page.wait_for_timeout(4500)
        while_read = len(renewed)
        page.wait_for_timeout(4500)
        assert len(renewed) == while_read  # a page that is left alone keeps nobody signed in
        page.get_by_text("opened: [('reader1', 's-7a'), ('reader1', 's-7b')]").wait_for()


@pytest.mark.parametrize("path", PATHS)
def test_a_window_moved_to_another_display_still_measures_right(reading, path):
    with reading(path) as page:
        where = projection(page)
        page.evaluate("Object.defineProperty(window, 'devicePixelRatio', { value: 1.5 })")
        ends = draw_long_axis(page, where)
        (measured,) = recorded(page)
        assert measured["diameters_mm"][0] == pytest.approx(
            np.linalg.norm(np.subtract(*map(where.patient, ends))), abs=0.1
        )


def test_where_reading_is_over_nothing_can_be_drawn(reading):
    with reading("cpu", query="readonly=1") as page:
        assert page.locator("button[data-tool=bidirectional]").count() == 0
        where = projection(page)
        page.keyboard.press("b")
        drag(page, *(np.round(where.screen(point)) for point in phantom.lesion_axis("long")))
        assert recorded(page) == []
