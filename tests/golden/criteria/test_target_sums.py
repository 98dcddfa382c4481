"""1,899 sums of diameters with the RECIST 1.1 answer of an independent script.

Source: pharmaversesdtm rs_onco and tr_onco (Apache-2.0), answers derived from the sums alone; the published responses
of that data set are random and are not used. Exact: the same word for every sum, and the same nadir.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from trialimg.core.lesions import (
    Designation,
    Lesion,
    LesionKind,
    NonTargetStatus,
    Observation,
    Role,
    Seen,
    Track,
)
from trialimg.core.responses import TimepointAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11

pytestmark = pytest.mark.reference

Row = dict[str, str]
TARGET = Lesion("T1", LesionKind.NON_NODAL, "all targets")
NON_TARGET = Lesion("NT1", LesionKind.NON_NODAL, "persistent")
"""Keeps the overall response from being CR, which the sums alone say nothing about."""


def test_every_target_response_is_the_independent_one(reference: Path) -> None:
    with (reference / "criteria/derived/target_sums_rs_onco.csv").open() as file:
        rows = list(csv.DictReader(file))
    checked: dict[int, bool] = {}
    for numbered in _histories(rows):
        answers = _assess([row for _, row in numbered])
        for (index, row), answer in zip(numbered, answers, strict=True):
            same_nadir = answer.sums.nadir_mm == Decimal(row["NADIR_BEFORE_MM"])
            checked[index] = same_nadir and answer.target.value == row["TRGRESP_RECIST11"]
    assert len(checked) == 1899
    assert [rows[index] for index, same in checked.items() if not same] == []


def _histories(rows: list[Row]) -> Iterator[list[tuple[int, Row]]]:
    """One list per subject and reader in order of visit; a visit that stands twice makes two of them."""
    by_reader: dict[tuple[str, ...], dict[float, list[tuple[int, Row]]]] = defaultdict(lambda: defaultdict(list))
    for index, row in enumerate(rows):
        key = (row["USUBJID"], row["RSEVAL"], row["RSEVALID"])
        by_reader[key][float(row["VISITNUM"])].append((index, row))
    for visits in by_reader.values():
        for history in product(*(visits[number] for number in sorted(visits))):
            yield list(history)


def _assess(rows: list[Row]) -> tuple[TimepointAssessment, ...]:
    sums = [rows[0]["BASE_SUMDIAM_MM"], *(row["SUMDIAM_MM"] for row in rows)]
    timepoints = [Timepoint(f"V{n}", n, dt.date(2020, 1, 1) + dt.timedelta(weeks=6 * n)) for n in range(len(sums))]
    target = Track(TARGET, tuple(_sum(t, text) for t, text in zip(timepoints, sums, strict=True)))
    seen = {"seen": Seen.MEASURED, "status": NonTargetStatus.PRESENT}
    persistent = Track(NON_TARGET, tuple(Observation(NON_TARGET, t, **seen) for t in timepoints))  # type: ignore[arg-type]
    roles = [Designation("r", TARGET, Role.TARGET), Designation("r", NON_TARGET, Role.NON_TARGET)]
    return recist11.assess([target, persistent], roles, timepoints)


def _sum(timepoint: Timepoint, text: str) -> Observation:
    value = Decimal(text)
    if value == 0:
        return Observation(TARGET, timepoint, Seen.ABSENT)
    return Observation(TARGET, timepoint, Seen.MEASURED, value)
