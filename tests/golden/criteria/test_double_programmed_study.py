"""Best responses and progression-free survival of a study that was programmed twice, in R and in SAS.

Source: Yunbeom0405/onco-recist-sdtm-adam, tables t_14_2_01 and t_14_3_01 (numbers only), made from pharmaversesdtm
(Apache-2.0): accepted reads of radiologist 1, planned arms, best response without confirmation, SD from study day 42
on, the first record of a date, none before the start. Exact: the same counts.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from trialimg.core.responses import BestOverallResponse, OverallResponse
from trialimg.core.trial import Subject, Timepoint
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import PROFILES
from trialimg.endpoints.summary import summarise_responses
from trialimg.stats.survival import kaplan_meier

pytestmark = pytest.mark.reference

SETTINGS = replace(PROFILES["admiralonco"], min_sd_days=41)
"""Study day 42 lies 41 days after day 1."""
ARMS = {"Pbo": "Placebo", "Xan_Lo": "XanLow", "Xan_Hi": "XanHigh"}
WORDS = {word.value for word in OverallResponse}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table, comment lines left out."""
    with path.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@pytest.fixture(scope="module")
def expected(reference: Path) -> dict[str, dict[str, str]]:
    """Measure to arm to value."""
    table = rows(reference / "criteria/published_examples/dual_r_sas_rs_onco_expected.csv")
    return {row["measure"]: row for row in table}


@pytest.fixture(scope="module")
def summed_up(reference: Path) -> dict[str, list[SubjectEndpoints]]:
    """Every subject's endpoints by arm."""
    folder = reference / "criteria/pharmaversesdtm"
    courses: dict[str, dict[dt.date, DatedResponse]] = {}
    for row in rows(folder / "rs_onco.csv"):
        accepted = row["RSEVALID"] == "RADIOLOGIST 1" and row["RSACPTFL"] == "Y"
        if row["RSTESTCD"] == "OVRLRESP" and accepted and row["RSSTRESC"] in WORDS:
            day = dt.date.fromisoformat(row["RSDTC"][:10])
            response = DatedResponse(OverallResponse(row["RSSTRESC"]), day, day)
            courses.setdefault(row["USUBJID"], {}).setdefault(day, response)
    found: dict[str, list[SubjectEndpoints]] = {arm: [] for arm in ARMS.values()}
    for row in rows(folder / "dm.csv"):
        if row["ARMCD"] in ARMS:
            found[ARMS[row["ARMCD"]]].append(_endpoints(row, courses.get(row["USUBJID"], {})))
    return found


def _endpoints(row: dict[str, str], course: dict[dt.date, DatedResponse]) -> SubjectEndpoints:
    start = dt.date.fromisoformat(row["RFXSTDTC"][:10])
    death = dt.date.fromisoformat(row["DTHDTC"][:10]) if row["DTHDTC"] else None
    return summarise_responses(
        Subject(row["USUBJID"], reference_date=start, death_date=death),
        [response for day, response in course.items() if day >= start],
        baseline=Timepoint("BL", 0, start),
        settings=SETTINGS,
    )


def test_counts_of_best_response(
    expected: dict[str, dict[str, str]], summed_up: dict[str, list[SubjectEndpoints]]
) -> None:
    for arm, subjects in summed_up.items():
        counted = Counter(found.best.response for found in subjects)
        assert len(subjects) == int(expected["N"][arm])
        for word in ("CR", "PR", "SD", "PD", "NE", "MISSING"):
            assert counted[BestOverallResponse(word)] == int(expected[f"BOR_{word}"][arm]), (arm, word)
        assert sum(found.responder for found in subjects) == int(expected["ORR_n"][arm])


def test_events_of_progression_free_survival(
    expected: dict[str, dict[str, str]], summed_up: dict[str, list[SubjectEndpoints]]
) -> None:
    for arm, subjects in summed_up.items():
        times = [found.progression_free_survival for found in subjects]
        events = [time for time in times if time is not None and time.event]
        deaths = [time for time in events if time.rule.sentence.endswith("death")]
        assert len(deaths) == int(expected["PFS_death"][arm])
        assert len(events) - len(deaths) == int(expected["PFS_PD"][arm])
        assert len(times) - len(events) == int(expected["PFS_censored"][arm])


def test_median_progression_free_survival(
    expected: dict[str, dict[str, str]], summed_up: dict[str, list[SubjectEndpoints]]
) -> None:
    for arm, subjects in summed_up.items():
        times = [found.progression_free_survival for found in subjects]
        known = [time for time in times if time is not None]
        median = kaplan_meier([time.days for time in known], [time.event for time in known], label=arm).median_days
        measures = ("PFS_median_days", "PFS_median_lo", "PFS_median_hi")
        assert [median.value, median.lower, median.upper] == [int(expected[measure][arm]) for measure in measures]
