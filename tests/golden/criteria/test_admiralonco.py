"""Every answer of the R package admiralonco for 300 random subjects.

Source: admiralonco @83370b12 under R 4.2.2 (Apache-2.0): confirmed best response at 36 settings, best response and
clinical benefit at 3, confirmed response at 12, response. Exact: the same word and the same date.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from trialimg.core.responses import OverallResponse
from trialimg.core.trial import Subject
from trialimg.endpoints.results import BestResponse, SubjectEndpoints
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import PROFILES, EndpointSettings
from trialimg.endpoints.summary import summarise_responses

pytestmark = pytest.mark.reference

Row = dict[str, str]
Answer = tuple[str, str]
Summarise = Callable[[str, EndpointSettings], SubjectEndpoints]


def rows(path: Path) -> list[Row]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(reference: Path) -> Path:
    return reference / "criteria/admiralonco_oracle"


@pytest.fixture(scope="module")
def summarised(folder: Path) -> Summarise:
    """A subject of the data set summed up, each settings once."""
    starts = {row["USUBJID"]: dt.date.fromisoformat(row["TRTSDT"]) for row in rows(folder / "input_adsl.csv")}
    courses: dict[str, list[DatedResponse]] = defaultdict(list)
    for row in rows(folder / "input_ovr.csv"):
        day = dt.date.fromisoformat(row["ADT"])
        courses[row["USUBJID"]].append(DatedResponse(OverallResponse(row["AVALC"]), day, day))

    @cache
    def summarise(name: str, settings: EndpointSettings) -> SubjectEndpoints:
        subject = Subject(name, reference_date=starts[name])
        return summarise_responses(subject, courses[name], baseline=None, settings=settings)

    return summarise


def settings_of(row: Row) -> EndpointSettings:
    """The settings that a row of expected answers was made with."""
    return replace(
        PROFILES["admiralonco"],
        min_sd_days=int(row.get("ref_start_window", 42)),
        confirmation_days=int(row.get("ref_confirm", 28)),
        max_ne=int(row.get("max_nr_ne", 1)),
        accept_sd=row.get("accept_sd", "FALSE") == "TRUE",
    )


def word(best: BestResponse) -> Answer:
    return best.response.value, "" if best.date is None else str(best.date)


def flag(day: dt.date | None) -> Answer:
    return ("N", "") if day is None else ("Y", str(day))


CASES: tuple[tuple[str, int, Callable[[SubjectEndpoints], Answer]], ...] = (
    ("expected_bor.csv", 3 * 300, lambda found: word(found.best)),
    ("expected_cbor.csv", 36 * 300, lambda found: word(found.confirmed)),
    ("expected_crsp.csv", 12 * 300, lambda found: flag(found.confirmed_response_date)),
    ("expected_rsp.csv", 300, lambda found: flag(found.response_date)),
    ("expected_cb.csv", 3 * 300, lambda found: flag(found.disease_control_date)),
)


@pytest.mark.parametrize(("file", "count", "answer"), CASES, ids=[case[0] for case in CASES])
def test_every_answer_is_the_same(
    folder: Path, summarised: Summarise, file: str, count: int, answer: Callable[[SubjectEndpoints], Answer]
) -> None:
    expected = rows(folder / file)
    assert len(expected) == count
    assert list(_differences(expected, summarised, answer)) == []


def _differences(
    expected: list[Row], summarised: Summarise, answer: Callable[[SubjectEndpoints], Answer]
) -> Iterator[tuple[Row, Answer]]:
    for row in expected:
        given = answer(summarised(row["USUBJID"], settings_of(row)))
        if given != (row["AVALC"], row["ADT"]):
            yield row, given
