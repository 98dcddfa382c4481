"""Where the display really puts the patient: measured on the screenshot, without asking the viewer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from tests.e2e.viewer import phantom


def grey(png):
    """Grey level where a pixel is grey, 0 where it is coloured (marks, outlines, captions)."""
    rgb = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return np.where(np.ptp(rgb, axis=2) < 12, rgb.mean(axis=2), 0)


def balls(image):
    """Centroid (x, y) of every ball of the phantom; the area alone says which one it is."""
    labels, count = ndimage.label(image > 170)
    areas = ndimage.sum_labels(np.ones_like(image), labels, range(1, count + 1))
    largest = np.argsort(areas)[::-1][: len(phantom.BALLS)] + 1
    names = sorted(phantom.BALLS, key=lambda name: -phantom.BALLS[name][2])
    centroids = ndimage.center_of_mass(np.ones_like(image), labels, largest)
    return {name: np.array([x + 0.5, y + 0.5]) for name, (y, x) in zip(names, centroids, strict=True)}


class Projection:
    """Affine map between the patient (LPS mm) and the page (CSS pixels), fitted to the balls on a screenshot."""

    def __init__(self, page, pane, scaling):
        box = pane.bounding_box()
        x, y, w, h = (int(box[side] * scaling) for side in ("x", "y", "width", "height"))
        found = balls(grey(page.screenshot())[y : y + h, x : x + w])
        self.found = {name: (xy + np.array([x, y])) / scaling for name, xy in found.items()}
        plane = np.array([[*phantom.BALLS[name][:2], 1.0] for name in self.found])
        screen = np.array(list(self.found.values()))
        self.matrix, *_ = np.linalg.lstsq(plane, screen, rcond=None)
        self.residual_px = np.abs(plane @ self.matrix - screen).max()

    def screen(self, point_lps_mm):
        away = np.asarray(point_lps_mm) - phantom.CENTRE
        return np.array([away @ phantom.ROW, away @ phantom.COLUMN, 1.0]) @ self.matrix

    def patient(self, xy):
        a, b = np.linalg.solve(self.matrix[:2].T, np.asarray(xy) - self.matrix[2])
        return phantom.in_plane(a, b)
