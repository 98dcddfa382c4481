"""Published SDTM records: every overall response of PCWG3 and GCIG from the answers it was put together from.

Source: pharmaversesdtm (Apache-2.0), data sets RS_ONCO_PCWG3 and RS_ONCO_CA125; no tolerance, words are equal or not.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from trialimg.core.responses import BoneResponse, OverallResponse
from trialimg.criteria import gcig, pcwg3


def visits(file: Path, key: str) -> list[dict[str, str]]:
    """Answers of each subject and date by the value of a column."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    with file.open() as rows:
        for row in csv.DictReader(rows):
            found[row["USUBJID"], row["RSDTC"]][row[key]] = row["RSSTRESC"]
    return list(found.values())


@pytest.mark.reference
def test_soft_tissue_and_bone_make_every_published_overall_response(reference: Path) -> None:
    records = visits(reference / "criteria/pharmaversesdtm/rs_onco_pcwg3.csv", "RSTESTCD")
    complete = [r for r in records if {"SFTSRESP", "BONERESP", "OVRLRESP"} <= set(r)]
    assert len(complete) == 30
    for record in complete:
        word = pcwg3.combined(OverallResponse(record["SFTSRESP"]), BoneResponse(record["BONERESP"]))
        assert word.value == record["OVRLRESP"], record


@pytest.mark.reference
def test_recist_and_ca125_make_every_published_overall_response(reference: Path) -> None:
    records = visits(reference / "criteria/pharmaversesdtm/rs_onco_ca125.csv", "RSCAT")
    complete = [r for r in records if len(r) == 3]
    assert len(complete) == 22
    for record in complete:
        word = gcig.combined(OverallResponse(record["RECIST 1.1"]), OverallResponse(record["CA125"]))
        assert word.value == record["RECIST 1.1 - CA125"], record
