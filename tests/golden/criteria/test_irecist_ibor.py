"""Table 3 of the iRECIST paper (Seymour 2017): every sequence that its rows stand for, 261 in all."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from trialimg.core.responses import ImmuneResponse
from trialimg.core.trial import Subject
from trialimg.endpoints.settings import PROFILES
from trialimg.endpoints.vocabulary import CRITERIA
from trialimg.endpoints.words import Reading, own_best_response

pytestmark = pytest.mark.reference

START = dt.date(2024, 1, 1)
ANY = ("iCR", "iPR", "iSD", "iUPD", "iCPD", "NE")
IRECIST = CRITERIA["irecist"].vocabulary
SETTINGS = replace(PROFILES["recist11_table3"], min_sd_days=0)


def test_every_sequence_of_table_3(reference: Path) -> None:
    with (reference / "criteria/published_examples/irecist_ibor_examples.csv").open() as file:
        rows = list(csv.DictReader(file))
    sequences = 0
    for row in rows:
        named = list(product(*(row[f"tp{n}"].split("|") for n in range(1, 6))))
        for words in named:
            for filled in product(*(ANY if word == "ANY" else (word,) for word in words)):
                best = own_best_response(_readings(filled), IRECIST, Subject("S1"), SETTINGS)
                assert best is not None
                assert best.response.value == row["expected_ibor"], (row["example"], filled)
        sequences += len(named)
    assert sequences == 261


def _readings(words: tuple[str, ...]) -> list[Reading]:
    days = [START + dt.timedelta(weeks=6 * n) for n in range(1, len(words) + 1)]
    return [Reading(ImmuneResponse(w), day, day) for w, day in zip(words, days, strict=True)]
