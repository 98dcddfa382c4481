"""Factors worked out by hand: 70 kg, 350 MBq, so 2e-4 without decay, doubled by every half-life waited."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from trialimg.core.errors import IntakeError
from trialimg.imaging.suv import PetFacts, suv_factor

F18_S = 6586.2
NOON = dt.datetime.fromisoformat("2024-03-01T12:00")  # scanners write local time
HALF_LIFE = dt.timedelta(seconds=F18_S)
ACTIVITY = PetFacts(
    units="BQML",
    corrections=("NORM", "DTIM", "ATTN", "SCAT", "DECY"),
    decay_correction="START",
    weight_kg=70.0,
    dose_bq=350e6,
    half_life_s=F18_S,
    injection=NOON - HALF_LIFE,
    series_start=NOON,
    first_acquisition=NOON + dt.timedelta(seconds=5),
)


def factor(**facts: object) -> float:
    return suv_factor(replace(ACTIVITY, **facts), "series 1")


def codes(**facts: object) -> list[str]:
    with pytest.raises(IntakeError) as refused:
        factor(**facts)
    assert "series 1" in str(refused.value)
    return [fault.code for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("what", "facts", "expected"),
    [
        ("one half-life from injection to scan", {}, 4e-4),
        ("injected as the scan began", {"injection": NOON}, 2e-4),
        ("two half-lives", {"injection": NOON - 2 * HALF_LIFE}, 8e-4),
        ("image corrected back to the injection", {"decay_correction": "ADMIN"}, 2e-4),
        ("twice the weight", {"weight_kg": 140.0}, 8e-4),
        ("twice the dose", {"dose_bq": 700e6}, 2e-4),
        ("series made later: the first acquisition counts",
         {"series_start": NOON + 3 * HALF_LIFE, "first_acquisition": NOON}, 4e-4),
        ("series made later, GE tells the start of the scan",
         {"series_start": NOON + 9 * HALF_LIFE, "first_acquisition": NOON + HALF_LIFE, "private_scan_start": NOON},
         4e-4),
        ("no series time", {"series_start": None, "first_acquisition": NOON}, 4e-4),
        ("injection by time of day alone", {"injection": None, "injection_time": dt.time(12)}, 2e-4),
        ("SUV already", {"units": "GML", "weight_kg": None, "dose_bq": None}, 1.0),
        ("SUV already, and it says by weight", {"units": "GML", "suv_type": "BW"}, 1.0),
        ("Philips counts with their factor", {"units": "CNTS", "private_suv_factor": 3.5e-4}, 3.5e-4),
    ],
)  # fmt: skip
def test_factor(what, facts, expected):
    assert factor(**facts) == pytest.approx(expected, rel=1e-12)


def test_an_injection_before_midnight_belongs_to_the_day_before():
    midnight = dt.datetime.fromisoformat("2024-03-01T00:30")
    before = {"series_start": midnight, "first_acquisition": midnight, "injection": None}
    expected = 2e-4 * 2 ** (3600 / F18_S)
    assert factor(**before, injection_time=dt.time(23, 30)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("what", "facts", "expected"),
    [
        ("no weight", {"weight_kg": None}, ["suv_missing"]),
        ("a weight of zero is no weight", {"weight_kg": 0.0}, ["suv_missing"]),
        ("everything missing is said at once",
         {"weight_kg": None, "dose_bq": None, "half_life_s": None, "injection": None}, ["suv_missing"] * 4),
        ("no time of the scan", {"series_start": None, "first_acquisition": None}, ["suv_missing"]),
        ("not corrected for attenuation", {"corrections": ("DECY",)}, ["suv_not_corrected"]),
        ("not corrected for decay", {"decay_correction": "NONE"}, ["suv_not_corrected"]),
        ("decay correction unknown", {"decay_correction": ""}, ["suv_not_corrected"]),
        ("injected after the scan", {"injection": NOON + HALF_LIFE}, ["suv_times"]),
        ("injected the day before", {"injection": NOON - dt.timedelta(days=1)}, ["suv_times"]),
        ("time of day alone, zirconium 89",
         {"injection": None, "injection_time": dt.time(9), "half_life_s": 282240.0}, ["suv_missing"]),
        ("SUV by lean mass", {"units": "GML", "suv_type": "LBM"}, ["suv_type"]),
        ("counts without a factor", {"units": "CNTS"}, ["pet_units"]),
        ("no units", {"units": ""}, ["pet_units"]),
    ],
)  # fmt: skip
def test_nothing_is_guessed(what, facts, expected):
    assert codes(**facts) == expected
