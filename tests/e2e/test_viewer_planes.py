"""Uptake over anatomy, and the patient's own planes: measured on the screenshot, expected from the phantom alone."""

from __future__ import annotations

import io
import itertools
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.e2e.viewer import phantom, screen
from tests.e2e.viewer.acts import drag, loaded, pane, press, projection

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

PATHS = ["cpu", pytest.param("gpu", marks=pytest.mark.slow)]
STRENGTH, WINDOW_SUV = 0.7, 20.0
PIXEL_MM = 0.65
PLANES = {"axial": ((1, 0, 0), (0, 1, 0)), "coronal": ((1, 0, 0), (0, 0, -1)), "sagittal": ((0, 1, 0), (0, 0, -1))}
"""Directions right and down on the screen, LPS."""


def colours(page):
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(float)


def hot_iron(suv):
    """The palette as DICOM PS3.6 Annex B tabulates it: three ramps, one after the other."""
    level = np.clip(suv / WINDOW_SUV, 0, 1) * 255
    return np.array([min(2 * level, 255), np.clip(2 * level - 256, 0, 255), np.clip(4 * level - 768, 0, 255)])


def uptake_at(point_lps_mm):
    """SUV between the voxels of the PET."""
    image = phantom.uptake()
    return ndimage.map_coordinates(image.array, image.geometry.to_index(point_lps_mm)[::-1, None], order=1)[0]


@pytest.mark.parametrize("path", PATHS)
def test_uptake_lies_in_its_colour_on_the_patients_own_place(reading, path):
    with reading(path, query="fused=1") as page:
        where = projection(page)
        plain = colours(page)
        press(page, action="fusion")
        press(page, uptake="suv20")
        page.wait_for_function("[...document.querySelectorAll('.ti-pane')].every(p => +p.dataset.fused === 50)")
        page.wait_for_timeout(300)
        fused = colours(page)
        for along_row, along_column in ((0, 0), (4, 0), (0, -5), (-6, 3), (30, 30)):
            x, y = np.round(where.screen(phantom.HOT_SPOT + along_row * phantom.ROW + along_column * phantom.COLUMN))
            suv = uptake_at(where.patient((x + 0.5, y + 0.5)))
            level = suv / WINDOW_SUV
            strength = STRENGTH * np.clip((level - 0.1) / 0.3, 0, 1)
            below = plain[int(y), int(x)]
            expected = strength * hot_iron(suv) + (1 - strength) * below
            assert fused[int(y), int(x)] == pytest.approx(expected, abs=14), (along_row, along_column)
        (red, green, blue) = fused[tuple(np.round(where.screen(phantom.HOT_SPOT)).astype(int)[::-1])]
        assert red > green > blue
        press(page, action="fusion")
        x, y = np.round(where.screen(phantom.HOT_SPOT)).astype(int)
        around = np.s_[y - 80 : y + 80, x - 80 : x + 80]
        assert np.abs(colours(page) - plain)[around].max() < 1


@pytest.mark.parametrize("path", PATHS)
def test_the_strength_of_the_colours_is_the_readers(reading, path):
    with reading(path, query="fused=1") as page:
        where = projection(page)
        spot = tuple(np.round(where.screen(phantom.HOT_SPOT)).astype(int)[::-1])
        plain = colours(page)[spot]
        page.mouse.move(*where.screen(phantom.CENTRE))
        page.keyboard.press("f")
        page.wait_for_function("[...document.querySelectorAll('.ti-pane')].every(p => +p.dataset.fused === 50)")
        page.locator(".ti-colours input").fill("0")
        page.wait_for_timeout(300)
        assert colours(page)[spot] == pytest.approx(plain, abs=1)
        page.locator(".ti-colours input").fill("100")
        page.wait_for_timeout(300)
        assert colours(page)[spot] == pytest.approx([255, 255, 252], abs=4)  # above 10 SUV: the end of the palette


def test_the_pet_is_fetched_when_it_is_asked_for_and_not_before(reading):
    with reading("cpu", query="fused=1") as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "s-7p" in request.url else None)
        page.get_by_label("Comment").fill("before")
        page.get_by_label("Comment").press("Enter")
        page.wait_for_timeout(600)
        assert asked == []
        press(page, action="fusion")
        page.wait_for_function("[...document.querySelectorAll('.ti-pane')].every(p => +p.dataset.fused === 50)")
        assert asked[0].endswith("/images/s-7p/geometry")


def test_where_no_pet_fits_the_button_says_so(reading):
    with reading("cpu") as page:
        button = page.locator("button[data-action=fusion]")
        assert button.is_disabled()
        assert "frame of reference" in button.get_attribute("title")


def test_slices_of_the_next_case_come_once_this_one_is_here_and_are_said_to_be_sent_ahead(reading):
    with reading("cpu", query="ahead=1") as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        loaded(page)
        page.wait_for_timeout(1000)
        ahead = [number for number, address in enumerate(asked) if "/s-8a/" in address]
        assert [asked[number].rpartition("/")[2] for number in ahead] == ["20", "21", "22"]
        assert min(ahead) > max(number for number, address in enumerate(asked) if "/s-7a/slice" in address)
        page.get_by_label("Comment").fill("look again")
        page.get_by_label("Comment").press("Enter")
        page.get_by_text("sent ahead: [('reader1', 's-8a')]").wait_for()


class Shown:
    """One of the three planes: where the patient lies on it, from the size of the plane and the phantom alone."""

    def __init__(self, page, name):
        self.frame = page.locator(f".ti-plane[data-plane={name}]")
        self.right, self.down = (np.array(direction, float) for direction in PLANES[name])
        self.box = self.frame.bounding_box()
        grid = phantom.grid()
        ends = [(-0.5, size - 0.5) for size in grid.size]
        corners = grid.to_lps(list(itertools.product(*ends)))
        fits = []
        for name_of, (right, down) in PLANES.items():
            box = page.locator(f".ti-plane[data-plane={name_of}]").bounding_box()
            fits += [np.ptp(corners @ np.array(right)) / box["width"], np.ptp(corners @ np.array(down)) / box["height"]]
        self.mm_per_pixel = max(fits)
        self.middle = grid.to_lps([(size - 1) / 2 for size in grid.size])

    def place(self, point_lps_mm):
        """On the plane, in CSS pixels from its corner."""
        away = np.asarray(point_lps_mm) - self.middle
        middle = np.array([self.box["width"], self.box["height"]]) / 2
        return middle + np.array([away @ self.right, away @ self.down]) / self.mm_per_pixel

    def screen(self, point_lps_mm):
        return self.place(point_lps_mm) + np.array([self.box["x"], self.box["y"]])

    def ball(self, page):
        """Middle (CSS pixels on the page) and radius (mm) of the one bright disc."""
        image = screen.grey(page.screenshot())
        x, y, w, h = (int(self.box[side]) for side in ("x", "y", "width", "height"))
        labels, count = ndimage.label(ndimage.binary_closing(image[y : y + h, x : x + w] > 170, iterations=2))
        areas = ndimage.sum_labels(labels > 0, labels, range(1, count + 1))
        row, column = ndimage.center_of_mass(labels == np.argmax(areas) + 1)
        return np.array([column + 0.5 + x, row + 0.5 + y]), np.sqrt(max(areas) / np.pi) * self.mm_per_pixel


def in_planes(page):
    pane(page).hover()
    page.keyboard.press("m")
    page.wait_for_timeout(500)
    press(page, preset="bone")
    return {name: Shown(page, name) for name in PLANES}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["left", "right"])
def test_a_landmark_lies_where_it_is_in_all_three_planes(reading, path, name):
    along_row, along_column, radius = phantom.BALLS[name]
    ball = phantom.in_plane(along_row, along_column)
    with reading(path) as page:
        planes = in_planes(page)
        page.mouse.click(*planes["axial"].screen(ball))
        page.wait_for_timeout(300)
        page.mouse.click(*planes["coronal"].screen(ball))
        page.wait_for_timeout(300)
        for shown in planes.values():
            middle, found = shown.ball(page)
            assert np.abs(middle - shown.screen(ball)).max() < 1.5
            assert found == pytest.approx(radius, abs=1.0)
        page.keyboard.press("m")
        page.wait_for_timeout(500)
        assert pane(page).get_attribute("data-slice") == str(phantom.MIDDLE)  # where the planes met


@pytest.mark.parametrize("path", PATHS)
def test_the_planes_open_at_the_lesion_with_its_outline(reading, path):
    with reading(path) as page:
        planes = in_planes(page)
        lesion = phantom.in_plane(*phantom.LESION_CENTRE)
        turn = np.deg2rad(phantom.LESION_DEGREES)
        long_axis = np.cos(turn) * phantom.ROW + np.sin(turn) * phantom.COLUMN
        short_axis = -np.sin(turn) * phantom.ROW + np.cos(turn) * phantom.COLUMN
        axes = np.array([long_axis, short_axis, phantom.NORMAL]) / np.array(phantom.LESION_HALF_AXES_MM)[:, None]
        for shown in planes.values():
            pieces = shown.frame.locator(".ti-contour").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
            assert pieces
            for piece in pieces:
                for text in piece.strip("M").split("L"):
                    x, y = map(float, text.split(","))
                    offset = (np.array([x, y]) - shown.place(lesion)) * shown.mm_per_pixel
                    away = offset[0] * shown.right + offset[1] * shown.down
                    assert np.linalg.norm(axes @ away) == pytest.approx(1, abs=0.2)  # on the ellipsoid's surface


def test_esc_leaves_the_planes_and_a_measuring_tool_does_too(reading):
    with reading("cpu") as page:
        in_planes(page)
        assert not pane(page).is_visible()
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)
        assert pane(page).is_visible()
        assert page.get_by_text("asked: nothing").count() == 1
        in_planes(page)
        page.keyboard.press("b")
        page.wait_for_timeout(500)
        where = projection(page)
        ends = [np.round(where.screen(point)) for point in phantom.lesion_axis("long")]
        drag(page, *ends)
        assert pane(page).locator(".ti-view svg text").count() == 1
