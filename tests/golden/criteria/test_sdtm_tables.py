"""Public SDTM tumour tables, read straight.

Source: pharmaversesdtm (Apache-2.0); sums and target responses by an independent script. Exact: the same sum wherever
no target is missing, the same word wherever baseline and nadir are the same.
"""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from trialimg.criteria.registry import criterion
from trialimg.services.respond import judge
from trialimg.services.respond_sdtm import SdtmReadings, read_sdtm
from trialimg.services.respond_sdtm_rows import Nodes, read_sdtm_rows

pytestmark = pytest.mark.reference

NODES = Nodes("nodes", locations=frozenset({"LYMPH NODE"}))


def tables(reference: Path, name: str, nodes: Nodes) -> SdtmReadings:
    tu, tr = ((reference / f"criteria/pharmaversesdtm/{domain}_{name}.csv").read_text() for domain in ("tu", "tr"))
    return read_sdtm(read_sdtm_rows((tu, "tu.csv"), (tr, "tr.csv")), nodes)


def test_complete_sums_and_their_words_are_the_independent_ones(reference: Path) -> None:
    recist = criterion("recist11")
    found = tables(reference, "onco", Nodes("nodes"))
    answers = {
        (one.reading.subject, one.reading.reader, answer.timepoint.id): answer
        for one in judge(found.readings, recist, recist.rules)
        for answer in one.assessments
    }
    with (reference / "criteria/pharmaversesdtm/tr_onco.csv").open() as file:
        visits = {row["VISITNUM"]: row["VISIT"] for row in csv.DictReader(file)}
    with (reference / "criteria/derived/target_sums_rs_onco.csv").open() as file:
        rows = list(csv.DictReader(file))
    counted: Counter[str] = Counter()
    for row in rows:
        answer = answers[row["USUBJID"], row["RSEVALID"] or row["RSEVAL"], visits[row["VISITNUM"]]]
        sums = answer.sums
        if sums.sum_mm is None:
            counted["a target is missing"] += 1
            continue
        assert sums.sum_mm == Decimal(row["SUMDIAM_MM"]), row
        published = (Decimal(row["BASE_SUMDIAM_MM"]), Decimal(row["NADIR_BEFORE_MM"]))
        if (sums.baseline_mm, sums.nadir_mm) == published:
            assert answer.target.value == row["TRGRESP_RECIST11"], row
            counted["same word"] += 1
        else:
            counted["another reference"] += 1
    assert counted == {"same word": 1803, "a target is missing": 50, "another reference": 46}


def test_sums_of_the_small_tables_by_node_and_longest_diameter(reference: Path) -> None:
    found = tables(reference, "onco_recist", NODES)
    assert Counter(finding.code for finding in found.findings) == {"partial_date": 12, "zero_size": 27}
    with (reference / "criteria/pharmaversesdtm/tu_onco_recist.csv").open() as file:
        places = {(r["USUBJID"], r["TUEVALID"] or r["TUEVAL"], r["TULNKID"]): r["TULOC"] for r in csv.DictReader(file)}
    sums: Counter[tuple[str, str, str]] = Counter()
    with (reference / "criteria/pharmaversesdtm/tr_onco_recist.csv").open() as file:
        for row in csv.DictReader(file):
            who = (row["USUBJID"], row["TREVALID"] or row["TREVAL"])
            wanted = "LPERP" if places[*who, row["TRLNKID"]] == "LYMPH NODE" else "LDIAM"
            if row["TRTESTCD"] == wanted and len(row["TRDTC"]) == 10:
                sums[*who, row["VISIT"]] += Decimal(row["TRSTRESC"])  # type: ignore[assignment]
    recist = criterion("recist11")
    compared = 0
    for one in judge(found.readings, recist, recist.rules):
        for answer in one.assessments:
            if answer.sums.sum_mm is not None:
                assert answer.sums.sum_mm == sums[one.reading.subject, one.reading.reader, answer.timepoint.id]
                compared += 1
    assert compared > 40


def test_two_readers_of_one_subject_whose_target_splits(reference: Path) -> None:
    folder = reference / "cdisc/example"
    tu, tr = ((folder / f"{domain}.csv").read_text() for domain in ("tu", "tr"))
    found = read_sdtm(
        read_sdtm_rows((tu, "tu.csv"), (tr, "tr.csv")), Nodes("n", locations=frozenset({"MEDIASTINAL LYMPH NODE"}))
    )
    assert found.findings == ()
    recist = criterion("recist11")
    answers = {
        (one.reading.reader, answer.timepoint.id): answer
        for one in judge(found.readings, recist, recist.rules)
        for answer in one.assessments
    }
    words = {"TRGRESP": "target", "NTRGRESP": "non_target", "OVRLRESP": "overall"}
    with (folder / "rs.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["RSTESTCD"] in words and r["RSEVALID"].startswith("RADIOLOGIST")]
    with (folder / "tr.csv").open() as file:
        sums = [r for r in csv.DictReader(file) if r["TRTESTCD"] == "SUMDIAM" and r["VISITNUM"] != "1"]
    assert (len(rows), len(sums)) == (12, 4)
    for row in rows:
        answer = answers[row["RSEVALID"], row["VISIT"]]
        assert getattr(answer, words[row["RSTESTCD"]]).value == row["RSSTRESC"], row
    for row in sums:
        assert answers[row["TREVALID"], row["VISIT"]].sums.sum_mm == Decimal(row["TRSTRESC"]), row
