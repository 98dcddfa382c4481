"""The choice of targets held against the limits of a criterion: findings, never a refusal."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.fakes.readings import BASELINE, readings
from trialimg.core.lesions import Role
from trialimg.criteria.recist11 import BaselineTarget
from trialimg.criteria.registry import criterion


def codes(name: str, rows: str, *, slice_mm: str | None = None, days_before: int = 7) -> list[str]:
    record = readings(f"BL\n{rows}")
    wanted = criterion(name)
    thickness = None if slice_mm is None else Decimal(slice_mm)
    targets = [
        BaselineTarget(track.observations[0], thickness)
        for track, designation in zip(record.tracks, record.designations, strict=True)
        if designation.role is Role.TARGET
    ]
    start = BASELINE + dt.timedelta(days=days_before)
    found = wanted.conformance("S1", targets, record.timepoints[0], start_date=start, rules=wanted.rules)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("name", "row", "found"),
    [
        ("rano2", "T1 brain 10x10", []),
        ("rano2", "T1 brain 10x9.9", ["target_too_small"]),
        ("rano2", "T1 brain 9.9x9.9", ["target_too_small", "target_too_small"]),
        ("rano_bm", "T1 brain 10x5", []),
        ("rano_bm", "T1 brain 10x4.9", ["target_too_small"]),
        ("lugano2014", "T1 node 15.1x9", []),
        ("lugano2014", "T1 node 15x9", ["target_too_small"]),
        ("lugano2014", "T1 liver 10.1x9", []),
        ("lugano2014", "T1 liver 10x9", ["target_too_small"]),
        ("choi", "T1 liver gone", ["target_not_measured"]),
    ],
)
def test_smallest_sizes(name: str, row: str, found: list[str]) -> None:
    assert codes(name, row) == found


def test_numbers_in_all_and_per_organ() -> None:
    three = "\n".join(f"T{i} brain 20x20" for i in range(3))
    assert codes("rano2", three) == []
    assert "too_many_targets" in codes("rano2", three + "\nT4 brain 20x20")
    assert codes("percist", "\n".join(f"T{i} lung 20u5" for i in range(3))) == ["too_many_targets_in_organ"]


def test_thick_slices_ask_for_twice_their_thickness() -> None:
    assert codes("rano2", "T1 brain 11x11", slice_mm="5") == []
    assert codes("rano2", "T1 brain 11x11", slice_mm="6") == ["target_too_small", "target_too_small"]


def test_the_age_of_the_baseline_where_a_criterion_limits_it() -> None:
    assert codes("rano_bm", "T1 brain 20x20", days_before=28) == []
    assert codes("rano_bm", "T1 brain 20x20", days_before=29) == ["baseline_too_early"]
    assert codes("rano2", "T1 brain 20x20", days_before=99) == []
