"""Overall responses of published SDTM records, summed up in the words of their criteria.

Source: pharmaversesdtm (Apache-2.0), data sets RS_ONCO_LYMPHOMA, RS_ONCO_PCWG3 and RS_ONCO_CA125. What
is expected was read off each subject's words by a few lines that know nothing of the package: no tolerance.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from trialimg.endpoints.settings import PROFILES
from trialimg.services.respond_subjects import read_responses, subject_rows, summarise_subjects

pytestmark = pytest.mark.reference

Course = list[tuple[str, str]]
"""Date and word."""


def courses(file: Path, category: str) -> dict[str, Course]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with file.open() as rows:
        for row in csv.DictReader(rows):
            word, day = row["RSSTRESC"], row["RSDTC"]
            if row["RSTESTCD"] == "OVRLRESP" and row["RSCAT"] == category and word and len(day) == 10:
                found[row["USUBJID"]].setdefault(day, word)
    return {subject: sorted(course.items()) for subject, course in found.items()}


def best_and_progression(course: Course, best_first: str, progressions: str) -> tuple[str, str]:
    """The best word up to the first progression, and that progression's date."""
    until = next((n for n, (_, word) in enumerate(course) if word in progressions.split()), len(course))
    words = [word for _, word in course[: until + 1]]
    best = next(word for word in best_first.split() if word in words)
    return best, course[until][0] if until < len(course) else ""


@pytest.mark.parametrize(
    ("name", "category", "criterion", "best_first", "progressions"),
    [
        ("lymphoma", "LUGANO 2014", "lugano2014", "CMR CAR PMR PAR NMR SAD PMD PAD NE ND", "PMD PAD"),
        ("pcwg3", "PCWG SCHER PROSTATE CANCER 2016", "pcwg3", "CR PR SD NON-CR/NON-PD PDu PD NED NE", "PD"),
        ("ca125", "RECIST 1.1 - CA125", "gcig", "CR PR SD PD NE", "PD"),
    ],
)
def test_published_words_are_summed_up(
    reference: Path, name: str, category: str, criterion: str, best_first: str, progressions: str
) -> None:
    found = courses(reference / f"criteria/pharmaversesdtm/rs_onco_{name}.csv", category)
    assert len(found) >= 5
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["subject", "date", "response"])
    writer.writerows([subject, day, word] for subject, course in found.items() for day, word in course)
    table = read_responses(file.getvalue(), "rs.csv", criterion=criterion)
    settings = replace(PROFILES["admiralonco"], min_sd_days=0)
    rows = {row["subject"]: row for row in subject_rows(summarise_subjects(table, None, settings))}
    for subject, course in found.items():
        best, day = best_and_progression(course, best_first, progressions)
        row = rows[subject]
        assert row.get("own_bor", row["bor"]) == best, (subject, course)
        assert str(row["progression_date"] or "") == day, (subject, course)
