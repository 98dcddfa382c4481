"""RECIST 1.1 tables 1 and 3, EORTC's worked answers, and the triples of a public data set, word by word."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.readings import readings
from trialimg.core.responses import NewLesionResponse, NonTargetResponse, OverallResponse, TargetResponse
from trialimg.core.trial import Subject
from trialimg.criteria.recist11 import PrHold, Rules, overall
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import PROFILES
from trialimg.endpoints.summary import summarise_responses

pytestmark = pytest.mark.reference

START = dt.date(2024, 1, 1)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_table_1_overall_response(reference: Path) -> None:
    table = rows(reference / "criteria/published_examples/recist11_table1_overall.csv")
    new = {"N": NewLesionResponse.NO, "Y": NewLesionResponse.UNEQUIVOCAL}
    for row in table:
        target = TargetResponse.NOT_APPLICABLE if row["target"] == "-" else TargetResponse(row["target"])
        answer = overall(target, NonTargetResponse(row["nontarget"]), new[row["new"]])
        assert answer.value == row["overall"], row
    assert len(table) == 30


def test_triples_of_a_public_data_set(reference: Path) -> None:
    """35 combinations; the three whose published response is marked CHECK give no one answer and are left out."""
    table = rows(reference / "criteria/derived/overall_response_triples.csv")
    plain = [row for row in table if "|" not in row["OVRLRESP"]]
    for row in plain:
        new = NewLesionResponse(row["NEWLPROG"].lower() or "no")
        answer = overall(TargetResponse(row["TRGRESP"]), NonTargetResponse(row["NTRGRESP"]), new)
        assert answer.value == row["OVRLRESP"], row
    assert (len(table), len(plain)) == (35, 32)


def test_table_3_confirmed_best_response(reference: Path) -> None:
    table = rows(reference / "criteria/published_examples/recist11_table3_cbor.csv")
    settings = replace(PROFILES["recist11_table3"], min_sd_days=42)
    for row in table:
        first = START + dt.timedelta(days=42 if row["min_sd_met_at_first"] == "Y" else 41)
        second = first + dt.timedelta(days=28)
        pair = [
            DatedResponse(OverallResponse(row["first"]), first, first),
            DatedResponse(OverallResponse(row["second"]), second, second),
        ]
        subject = Subject("S1", reference_date=START)
        found = summarise_responses(subject, pair, baseline=None, settings=settings)
        assert found.confirmed.response.value == row["expected"], row
    assert len(table) == 18


@pytest.mark.parametrize(
    ("example", "rules"),
    [
        ("EORTC-1", Rules(pr_hold=PrHold.HOLD_AFTER_CONFIRMED_PR)),
        ("EORTC-2", Rules()),
        ("EORTC-2", Rules(pr_hold=PrHold.HOLD_AFTER_CONFIRMED_PR)),
        ("EORTC-2", Rules(pr_hold=PrHold.HOLD_AFTER_PR)),
    ],
)
def test_eortc_examples(reference: Path, example: str, rules: Rules) -> None:
    table = rows(reference / "criteria/published_examples/recist11_examples.csv")
    row = next(row for row in table if row["id"] == example)
    sums = row["tp_sums"].split(";")
    visits = [f"W{6 * (n + 1):02d}" for n in range(len(sums))]
    record = readings(f"BL {' '.join(visits)}\nT1 liver {row['baseline_sum']} {' '.join(sums)}")
    assert [a.overall.value for a in record.assess(rules)] == row["expected_tp_response"].split(";")


def test_the_papers_example_of_a_missing_target(reference: Path) -> None:
    """Baseline 50 mm of three lesions, two of them measured at 80 mm: PD."""
    table = rows(reference / "criteria/published_examples/recist11_examples.csv")
    row = next(row for row in table if row["id"] == "E1.1-missing")
    (answer,) = readings("BL W06\nT1 liver 20 40\nT2 lung 20 40\nT3 bone 10 NE").assess()
    assert answer.target.value == row["expected_tp_response"]
