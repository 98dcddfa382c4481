"""From a scenario to one subject of the sample trial: dates, person, poses, and lesions of exactly known size."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace

import numpy as np

from trialimg.core.lesions import Seen
from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom import Kernel, Person, Technique
from trialimg.imaging.phantom_lesion import LesionShape, LesionSolid
from trialimg.imaging.phantom_person import COVERED_Z_MM, Bed, Want, draw_person, draw_pose, draw_shape
from trialimg.imaging.phantom_pose import Pose
from trialimg.imaging.phantom_ruler import Reading, read_diameters, sized
from trialimg.services.sample_scenarios import SCENARIOS, TOO_SMALL_MM, Course, Scenario
from trialimg.volume import Geometry

__all__ = ["LesionAt", "SubjectPlan", "VisitPlan", "plan_subject", "sample_uid"]

VERSION = "1"
"""Part of every UID: changes whenever the same arguments give other images."""
PIXEL_MM = 2.4
MATRIX = 160
SLICE_MM = 5.0
SLICES = 43
SITES = ("01", "02", "03")
_FIRST_REFERENCE_DATE = dt.date(2024, 1, 15)
_DAYS_BETWEEN_SUBJECTS = 11
_WEEKS_BETWEEN_VISITS = 6
_LATEST_DAYS = 4
"""No visit is early, so that stable disease at the first one has lasted its 42 days."""
_MISSING_SLICES = 3
_SPLIT_GAP_MM = 8.0
_NAMESPACE = uuid.UUID("6f1f7a3e-3a57-5c0c-9a3b-5b7d2a6c1e40")
_KERNELS = {"01": Kernel.STANDARD, "02": Kernel.SOFT, "03": Kernel.STANDARD}


@dataclass(frozen=True)
class LesionAt:
    """A lesion at a visit: its parts as they are, and as a perfect ruler reads each."""

    course: Course
    seen: Seen
    parts: tuple[LesionSolid, ...] = ()
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class VisitPlan:
    """One visit of one subject; a missed one has no date."""

    id: str
    number: int
    """0 for baseline."""
    date: dt.date | None
    pose: Pose
    grid: Geometry
    technique: Technique
    lesions: tuple[LesionAt, ...]
    missing_slices: frozenset[int] = frozenset()

    @property
    def imaged(self) -> bool:
        return self.date is not None

    @property
    def evaluable(self) -> bool:
        return self.imaged and not self.missing_slices

    @property
    def slices_z_mm(self) -> tuple[float, ...]:
        return tuple(self.grid.origin_lps_mm[2] + SLICE_MM * k for k in range(SLICES))


@dataclass(frozen=True)
class SubjectPlan:
    """One subject: who, which course, and every visit."""

    id: str
    index: int
    seed: int
    site: str
    arm: str
    scenario: Scenario
    reference_date: dt.date
    person: Person
    visits: tuple[VisitPlan, ...]

    def date_of_day(self, day: int) -> dt.date:
        """The date of a study day; day 1 is the reference date, there is no day 0."""
        return self.reference_date + dt.timedelta(days=day - 1 if day > 0 else day)

    def uid(self, *parts: object) -> str:
        """The UID of something of this subject."""
        return sample_uid(self.seed, self.id, *parts)

    def noise_generator(self, visit: int) -> np.random.Generator:
        return _generator(self.seed, self.index, 1000 + visit)

    def reader_generator(self, visit: int) -> np.random.Generator:
        return _generator(self.seed, self.index, 2000 + visit)


def sample_uid(*parts: object) -> str:
    """The DICOM UID (``2.25.`` and a name-based UUID, PS3.5 B.2) of something named by its parts."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(map(str, (VERSION, *parts)))).int}"


def plan_subject(index: int, *, timepoints: int, seed: int) -> SubjectPlan:
    """Everything about the subject with this index (0 = first); its images do not depend on the other subjects.

    Parameters
    ----------
    timepoints
        Scheduled visits, baseline included.
    """
    rng = _generator(seed, index, 0)
    scenario = SCENARIOS[index % len(SCENARIOS)]
    site = SITES[index % len(SITES)]
    factor = float(rng.uniform(0.95, 1.08))
    arm = scenario.arm
    if index >= len(SCENARIOS) and rng.uniform() < 0.25:
        arm = "B" if arm == "A" else "A"
    shapes = tuple(draw_shape(course.bed, rng) for course in scenario.courses)
    wants = [_want(course, shape, factor) for course, shape in zip(scenario.courses, shapes, strict=True)]
    person, centres = draw_person(wants, rng)
    subject = SubjectPlan(
        id=f"{site}-{index + 1:03d}",
        index=index,
        seed=seed,
        site=site,
        arm=arm,
        scenario=scenario,
        reference_date=_FIRST_REFERENCE_DATE + dt.timedelta(days=_DAYS_BETWEEN_SUBJECTS * index),
        person=person,
        visits=(),
    )
    growths = tuple(
        _Growth(course, shape, centre, factor)
        for course, shape, centre in zip(scenario.courses, shapes, centres, strict=True)
    )
    visits = range(_visits_held(scenario, timepoints))
    return replace(subject, visits=tuple(_visit(subject, growths, number) for number in visits))


def _visits_held(scenario: Scenario, timepoints: int) -> int:
    """How many of the scheduled visits take place: none after imaging stopped, none after death."""
    held = timepoints if scenario.last_visit is None else min(timepoints, scenario.last_visit + 1)
    if scenario.death_day is None:
        return held
    return sum(_planned_day(number) + _LATEST_DAYS < scenario.death_day for number in range(held))


def _planned_day(visit: int) -> int:
    """Study day of a scheduled visit; day 1 for baseline."""
    return 1 + 7 * _WEEKS_BETWEEN_VISITS * visit


@dataclass(frozen=True)
class _Growth:
    """A course with its form, its place in the body and the subject's own size factor."""

    course: Course
    shape: LesionShape
    centre_mm: PointLps
    factor: float

    def diameters_mm(self, visit: int) -> tuple[float, ...]:
        parts = self.course.parts_mm(visit)
        return tuple(part if part < TOO_SMALL_MM else part * self.factor for part in parts)


def _visit(subject: SubjectPlan, growths: tuple[_Growth, ...], number: int) -> VisitPlan:
    rng = _generator(subject.seed, subject.index, 1 + number)
    late = int(rng.integers(0, _LATEST_DAYS + 1))
    day = _planned_day(number) + late if number else -2 - 2 * late
    pose = draw_pose(rng)
    grid = _grid(pose, rng)
    technique = Technique(_KERNELS[subject.site], float(rng.integers(100, 141)))
    missed = number in subject.scenario.missed
    visit = VisitPlan(
        id="BL" if number == 0 else f"W{_WEEKS_BETWEEN_VISITS * number:02d}",
        number=number,
        date=None if missed else subject.date_of_day(day),
        pose=pose,
        grid=grid,
        technique=technique,
        lesions=(),
    )
    lesions = tuple(_lesion_at(growth, visit, rng) for growth in growths)
    incomplete = number in subject.scenario.incomplete
    return replace(visit, lesions=lesions, missing_slices=_missing(lesions) if incomplete else frozenset())


def _lesion_at(growth: _Growth, visit: VisitPlan, rng: np.random.Generator) -> LesionAt:
    diameters = growth.diameters_mm(visit.number)
    if not diameters or not visit.imaged:
        return LesionAt(growth.course, Seen.ABSENT if visit.imaged else Seen.NOT_EVALUABLE)
    centre = visit.pose.to_scan(growth.centre_mm)
    shapes = (growth.shape,) if len(diameters) == 1 else tuple(draw_shape(growth.course.bed, rng) for _ in diameters)
    value = _density_hu(growth, visit, rng)
    parts = tuple(
        _sized_part(growth, visit, LesionSolid(shape, place, diameter / 2, *value), diameter)
        for shape, place, diameter in zip(shapes, _places(growth, centre, diameters), diameters, strict=True)
    )
    readings = tuple(read_diameters(part, visit.slices_z_mm) for part in parts)
    small = sum(diameters) < TOO_SMALL_MM
    return LesionAt(growth.course, Seen.TOO_SMALL if small else Seen.MEASURED, parts, readings)


def _sized_part(growth: _Growth, visit: VisitPlan, part: LesionSolid, diameter_mm: float) -> LesionSolid:
    """The part with exactly its diameter on this scan's slices; a tiny one is moved into the nearest slice."""
    x, y, z = part.centre_lps_mm
    if diameter_mm < 2 * SLICE_MM:
        planes = np.array(visit.slices_z_mm)
        part = replace(part, centre_lps_mm=(x, y, float(planes[int(np.argmin(np.abs(planes - z)))])))
    return sized(part, diameter_mm, visit.slices_z_mm, short=growth.course.bed is Bed.NODE)


def _places(growth: _Growth, centre: PointLps, diameters: tuple[float, ...]) -> tuple[PointLps, ...]:
    """One part lies at the lesion's centre; two lie side by side along its long axis, with a gap between them."""
    if len(diameters) == 1:
        return (centre,)
    first, second = diameters
    dx, dy = growth.shape.rotation[0], growth.shape.rotation[1]
    flat = float(np.sqrt(dx * dx + dy * dy))
    whole = first + _SPLIT_GAP_MM + second
    offsets = (first / 2 - whole / 2, whole / 2 - second / 2)
    x, y, z = centre
    return tuple((x + o * dx / flat, y + o * dy / flat, z) for o in offsets)


def _density_hu(growth: _Growth, visit: VisitPlan, rng: np.random.Generator) -> tuple[float, float]:
    """Density of the solid part, and what its core differs by."""
    drift = float(rng.uniform(-4, 4))
    if growth.course.bed is Bed.LIVER:
        return 56.0 + drift, -8.0
    if growth.course.bed is Bed.NODE:
        return 72.0 + drift, 0.0
    return 44.0 + drift, -12.0 if max(growth.diameters_mm(visit.number)) > 30 else 0.0


def _want(course: Course, shape: LesionShape, factor: float) -> Want:
    """The room a lesion needs over all of its course."""
    reach = 0.0
    for visit in range(course.visits):
        parts = course.parts_mm(visit)
        whole = sum(parts) + _SPLIT_GAP_MM * max(0, len(parts) - 1)
        reach = max(reach, whole * factor / 2)
    thin = shape.semi[1] if course.bed is Bed.NODE else 1.0
    return Want(course.bed, reach / thin * 1.12)


def _grid(pose: Pose, rng: np.random.Generator) -> Geometry:
    """The scan planned over the chest as it lies, not quite the same every time."""
    half = PIXEL_MM * (MATRIX - 1) / 2
    low = COVERED_Z_MM[0] - 12.0 + pose.shift_mm[2] + float(rng.uniform(-2, 2))
    origin = (-half, -half, round(low, 1))
    return Geometry((MATRIX, MATRIX, SLICES), (PIXEL_MM, PIXEL_MM, SLICE_MM), origin)


def _missing(lesions: tuple[LesionAt, ...]) -> frozenset[int]:
    """Slices through the first lesion."""
    middle = next((lesion.readings[0].slice_index for lesion in lesions if lesion.readings), SLICES // 2)
    first = middle - _MISSING_SLICES // 2
    return frozenset(range(first, first + _MISSING_SLICES))


def _generator(seed: int, index: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, index, stream])
