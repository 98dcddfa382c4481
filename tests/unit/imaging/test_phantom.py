"""The drawn anatomy, the poses, and what the scanner makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.imaging import phantom, phantom_slab
from trialimg.imaging.phantom import Kernel, Person, Technique, acquire, draw
from trialimg.imaging.phantom_anatomy import Anatomy
from trialimg.imaging.phantom_lesion import LesionShape, LesionSolid
from trialimg.imaging.phantom_person import Bed, Want, draw_person, draw_pose
from trialimg.imaging.phantom_pose import Pose
from trialimg.volume import Geometry

GRID = Geometry((84, 84, 22), (4.5, 4.5, 10.0), (-186.75, -186.75, -72.5))
ANATOMY = Anatomy()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return draw(Person(ANATOMY), Pose(), (), GRID)


def hu_at(image: np.ndarray, x: float, y: float, z: float) -> float:
    i, j, k = np.round(GRID.to_index((x, y, z))).astype(int)
    return float(image[k, j, i])


@pytest.mark.parametrize(
    ("what", "place", "low", "high"),
    [
        ("air beside the body", (-180, 0, 40), -1000, -1000),
        ("right lung", (-80, 20, 60), -900, -780),
        ("left lung", (85, 20, 60), -900, -780),
        ("liver, on the right", (-80, 0, -45), 98, 114),
        ("spleen, on the left and to the back", (102, 40, -52), 114, 130),
        ("stomach gas, to the front", (50, -38, -72), -1000, -500),
        ("blood of the left ventricle", (46, -20, 27), 140, 170),
        ("descending aorta, left of the spine", (22, 43, 37), 140, 170),
        ("trachea", (1, 11, 135), -1000, -800),
        ("vertebral marrow", (0, 63, 37), 90, 400),
        ("spinal canal", (0, 88, 37), 0, 150),
        ("muscle of the back", (30, 100, -30), 30, 80),
    ],
)
def test_organs_lie_where_they_belong_with_their_density(image, what, place, low, high):
    assert low <= hu_at(image, *place) <= high, what


def test_everything_is_painted_in_single_precision_and_within_the_range_of_tissue(image):
    # double precision would let processors differ in the last digit of sines and thus in stored values
    assert image.dtype == np.float32
    assert image.min() == -1000.0
    assert 300.0 < image.max() < 700.0


def test_image_does_not_depend_on_how_many_slices_are_painted_at_once(image, monkeypatch):
    monkeypatch.setattr(phantom, "_SLICES_AT_ONCE", 1)
    assert np.array_equal(draw(Person(ANATOMY), Pose(), (), GRID), image)


@pytest.mark.long
def test_painting_only_where_a_shape_may_reach_leaves_nothing_out(monkeypatch):
    person, _ = draw_person((Want(Bed.NODE, 15.0),), np.random.default_rng(2))
    for seed in range(3):
        pose = draw_pose(np.random.default_rng(seed))
        x, y, z = GRID.origin_lps_mm
        grid = Geometry(GRID.size, GRID.spacing_mm, (x, y, z + pose.shift_mm[2]))
        quick = draw(person, pose, (), grid)
        with monkeypatch.context() as patch:
            patch.setattr(phantom_slab, "_SLACK_MM", 500.0)
            assert np.abs(draw(person, pose, (), grid) - quick).max() < 1.0


def test_deeper_breath_moves_the_liver_down_and_leaves_the_spine(image):
    deep = draw(Person(ANATOMY), Pose(breath_mm=10.0), (), GRID)
    column = tuple(np.round(GRID.to_index((-66.0, -8.0, 0.0))[:2]).astype(int))
    top = [np.flatnonzero(scan[:, column[1], column[0]] > -400).max() for scan in (image, deep)]
    assert top[0] - top[1] == 1  # one slice of 10 mm
    spine = np.s_[:8, 54:58, 39:44]
    assert np.abs(deep[spine] - image[spine]).max() < 10.0  # bone against soft tissue would be hundreds


def test_pose_finds_its_way_back_to_the_scan():
    rng = np.random.default_rng(5)
    for _ in range(20):
        pose = draw_pose(rng)
        point = tuple(rng.uniform((-110, -70, -60), (110, 70, 140)).tolist())
        x, y, z = (np.array([v]) for v in pose.to_scan(point))
        back = [float(v[0]) for v in pose.inner(pose.wall((x, y, z)))]
        assert back == pytest.approx(point, abs=1e-4)


def test_two_visits_differ_by_more_than_a_rigid_motion_but_smoothly():
    rng = np.random.default_rng(8)
    first, second = draw_pose(rng), draw_pose(rng)
    points = [tuple(p) for p in np.random.default_rng(1).uniform((-90, -60, -50), (90, 60, 120), (60, 3)).tolist()]
    here = np.array([first.to_scan(p) for p in points])
    there = np.array([second.to_scan(p) for p in points])
    residual = _after_best_rigid_fit(here, there)
    assert 0.8 < np.sqrt((residual**2).mean(axis=0).sum()) < 8.0
    gaps = [np.linalg.norm(scan[:, None] - scan[None], axis=2) for scan in (here, there)]
    apart = gaps[0] > 10
    assert np.abs(gaps[1][apart] / gaps[0][apart] - 1).max() < 0.35


def _after_best_rigid_fit(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Kabsch: what no rotation and shift can explain, mm."""
    a, b = here - here.mean(axis=0), there - there.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return a @ turn - b


def uniform(value: float) -> np.ndarray:
    return np.full((20, 90, 90), value, dtype=np.float32)


WATER = Geometry((90, 90, 20), (2.25, 2.25, 5.0), (0.0, 0.0, 0.0))


@pytest.mark.parametrize("kernel", list(Kernel))
def test_noise_has_the_deviation_that_the_technique_states(kernel):
    technique = Technique(kernel, 120.0)
    seen = acquire(uniform(50.0), technique, WATER, np.random.default_rng(3))
    middle = seen[:, 35:55, 35:55]  # the rays pass through tissue on all sides
    # 8000 pixels with neighbours alike: standard error of the deviation about 2 %
    assert middle.std() == pytest.approx(technique.noise_hu, rel=0.06)


def test_noise_falls_with_the_root_of_the_dose():
    assert Technique(Kernel.SOFT, 60.0).noise_hu / Technique(Kernel.SOFT, 240.0).noise_hu == pytest.approx(2.0)


def test_softer_kernel_has_coarser_grain():
    def likeness_of_neighbours(kernel: Kernel) -> float:
        noise = acquire(uniform(50.0), Technique(kernel), WATER, np.random.default_rng(4))[:, 20:70, 20:70] - 50.0
        return float(np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1])

    sharp, standard, soft = (likeness_of_neighbours(k) for k in (Kernel.SHARP, Kernel.STANDARD, Kernel.SOFT))
    assert sharp < standard < soft


def test_air_far_from_the_body_is_quiet():
    noise = acquire(uniform(-1000.0), Technique(), WATER, np.random.default_rng(4))
    assert noise.std() < 1.0


def test_lesion_stands_in_the_drawing_at_its_place():
    solid = LesionSolid(LesionShape((1, 1, 1), (1, 0, 0, 0, 1, 0, 0, 0, 1)), (-80.0, 20.0, 60.0), 15.0, 45.0)
    assert hu_at(draw(Person(ANATOMY), Pose(), (solid,), GRID), -80, 20, 60) == pytest.approx(45.0, abs=0.1)
