"""What is counted of a lesion in an image, criterion by criterion."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trialimg.core.lesions import LesionKind, Quantities
from trialimg.criteria.registry import CRITERIA
from trialimg.imaging.measure import LesionMeasurement
from trialimg.services.counted import DIAMETERS, Counted, Counts, counts_of

EVERYTHING = Counts(node_short_axis=False, sizes=True, attenuation=True)


def part(long_mm: float, short_mm: float, volume_ml: float = 1.0) -> LesionMeasurement:
    line = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    return LesionMeasurement(
        1, long_mm, short_mm, short_mm, volume_ml, long_mm, long_mm * short_mm, 0, line, line, (), "c"
    )


@pytest.mark.parametrize(
    ("kind", "counts", "diameter"),
    [
        (LesionKind.NON_NODAL, DIAMETERS, "30.1"),
        (LesionKind.NODAL, DIAMETERS, "20.3"),
        (LesionKind.NODAL, EVERYTHING, "30.1"),
    ],
)
def test_the_diameter_of_a_node_is_the_one_its_criterion_takes(kind: LesionKind, counts: Counts, diameter: str) -> None:
    counted = Counted.of([part(30.05, 20.25)], kind, counts)
    assert str(counted.diameter_mm) == diameter  # half up, once


def test_by_diameters_alone_nothing_else_is_counted() -> None:
    assert Counted.of([part(30, 20)], LesionKind.NON_NODAL, DIAMETERS).quantities == Quantities()


def test_products_volumes_and_attenuation_stand_beside_it() -> None:
    counted = Counted.of([part(30.0, 20.0, 7.0004)], LesionKind.NON_NODAL, EVERYTHING, mean_hu=59.96)
    assert counted.quantities == Quantities(Decimal("20.0"), Decimal("7.000"), Decimal("60.0"))


def test_the_product_of_a_split_lesion_is_that_of_its_parts() -> None:
    counted = Counted.of([part(30.0, 20.0, 5.0), part(10.0, 8.0, 0.5)], LesionKind.NON_NODAL, EVERYTHING)
    assert counted.diameter_mm == Decimal("40.0")
    assert counted.quantities.short_axis_mm is not None
    assert counted.diameter_mm * counted.quantities.short_axis_mm == 30 * 20 + 10 * 8
    assert counted.quantities.volume_ml == Decimal("5.500")


def test_a_lesion_that_is_gone_has_no_numbers() -> None:
    assert Counted.of([], LesionKind.NON_NODAL, EVERYTHING) == Counted(None, Quantities())


@pytest.mark.parametrize(
    ("criterion", "short_axis", "sizes", "attenuation"),
    [
        ("recist11", True, False, False),
        ("recist10", False, False, False),
        ("irecist", True, False, False),
        ("mrecist", True, False, False),
        ("irrecist", True, False, False),
        ("who", False, True, False),
        ("volumetric", False, True, False),
        ("lugano2014", False, True, False),
        ("choi", False, True, True),
        ("mchoi", False, True, True),
    ],
)
def test_each_criterion_is_given_what_it_counts(
    criterion: str, short_axis: bool, sizes: bool, attenuation: bool
) -> None:
    assert counts_of(criterion, CRITERIA[criterion].rules) == Counts(short_axis, sizes, attenuation)
