"""Progression-free survival under both authorities' censoring, side by side in ADTTE."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.courses import START, Course, Row
from tests.fakes.results import trial_result
from tests.unit.services.cdisc.test_conformance import delivered
from trialimg.endpoints.settings import Censoring, EndpointSettings, PlannedVisit
from trialimg.endpoints.summary import summarise
from trialimg.services.cdisc.conformance import conformance
from trialimg.services.cdisc.from_results import study_of_results
from trialimg.services.document import document
from trialimg.services.results import SubjectResult, TrialResult

TREATED = Course("S-1", "01", "A", [Row("T01", "lung", [40.0, 36.0, 60.0])], weeks=(-1, 8, 16), new_therapy_week=10)
"""Stable at week 8, a new therapy at week 10, progression at week 16."""
UNSEEN = Course("S-2", "01", "B", [Row("T01", "lung", [40.0, 60.0])], weeks=(-1, 24))
"""Progression at week 24, when two planned assessments had been missed."""
PLAIN = Course("S-3", "01", "B", [Row("T01", "lung", [40.0, 60.0])], weeks=(-1, 8))
"""Progression at the first visit: nothing to censor."""


def summed(one: SubjectResult, settings: EndpointSettings) -> SubjectResult:
    assessments = [at.assessment for at in one.timepoints if at.assessment is not None]
    return replace(
        one, endpoints=summarise(one.subject, assessments, baseline=one.timepoints[0].timepoint, settings=settings)
    )


def told(censoring: Censoring) -> dict[str, Any]:
    """The results as JSON, with endpoints by the real rules."""
    result: TrialResult = trial_result([TREATED, UNSEEN, PLAIN], key_images=False)
    visits = result.protocol["schedule"]["visits"]
    planned = tuple(
        PlannedVisit(v["id"], v["day"], v["day"] + v["window_days"][0], v["day"] + v["window_days"][1]) for v in visits
    )
    settings = EndpointSettings(censoring=censoring, schedule=planned)
    found = document(replace(result, subjects=tuple(summed(one, settings) for one in result.subjects)))
    own = found["protocol"]["endpoints"]["settings"]
    return {
        **found,
        "protocol": {**found["protocol"], "endpoints": {"settings": {**own, "censoring": censoring.value}}},
    }


def study_day(subject: str, place: int, which: str) -> int:
    """Of a visit's last image (``date``), on which a time is censored, or its first, which dates a progression."""
    one = next(one for one in told(Censoring.FDA)["subjects"] if one["subject"]["id"] == subject)
    timepoint = one["timepoints"][place]["timepoint"]
    return (dt.date.fromisoformat(timepoint[which] or timepoint["date"]) - START).days + 1


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return delivered(study_of_results(told(Censoring.FDA)), tmp_path_factory.mktemp("adtte"))


def rows(delivery: Any, code: str) -> dict[str, dict[str, Any]]:
    return {row["USUBJID"][-3:]: row for row in delivery.tables["ADTTE"].rows if row["PARAMCD"] == code}


def test_what_one_authority_censors_is_an_event_for_the_other(delivery: Any) -> None:
    fda, ema = rows(delivery, "PFSB"), rows(delivery, "PFSEMAB")
    assert {who: (row["AVAL"], row["CNSR"]) for who, row in fda.items()} == {
        "S-1": (study_day("S-1", 1, "date"), 4), "S-2": (1, 3), "S-3": (study_day("S-3", 1, "first_date"), 0),
    }  # fmt: skip
    assert {who: (row["AVAL"], row["CNSR"]) for who, row in ema.items()} == {
        "S-1": (study_day("S-1", 2, "first_date"), 0),
        "S-2": (study_day("S-2", 1, "first_date"), 0),
        "S-3": (study_day("S-3", 1, "first_date"), 0),
    }  # fmt: skip
    assert {row["PARAM"] for row in ema.values()} == {"Progression Free Survival by BICR, EMA Censoring (Days)"}


def test_the_event_leads_to_the_progression_that_it_is(delivery: Any) -> None:
    row = rows(delivery, "PFSEMAB")["S-1"]
    source = next(
        one for one in delivery.tables["ADRS"].rows if (one["USUBJID"], one["ASEQ"]) == (row["USUBJID"], row["SRCSEQ"])
    )
    day = START + dt.timedelta(days=study_day("S-1", 2, "first_date") - 1)
    assert (source["PARAMCD"], source["AVALC"], source["ADT"]) == ("PDB", "Y", day)


def test_the_delivery_passes_its_checks_and_define_describes_the_parameter(delivery: Any) -> None:
    assert conformance(delivery) == ()
    assert "PFSEMAB" in delivery.described["adam"].values["ADTTE"]["PARAMCD"]


def test_where_the_protocol_follows_the_ema_the_other_is_the_fdas(tmp_path: Path) -> None:
    found = delivered(study_of_results(told(Censoring.EMA)), tmp_path)
    assert {who: row["CNSR"] for who, row in rows(found, "PFSB").items()} == {"S-1": 0, "S-2": 0, "S-3": 0}
    assert {who: row["CNSR"] for who, row in rows(found, "PFSFDAB").items()} == {"S-1": 4, "S-2": 3, "S-3": 0}
    assert rows(found, "PFSEMAB") == {}
