"""Signed reads of the records become both readers' datasets; what was chosen is flagged, the verdict named."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, double
from trialimg.adapters.exporters.cdisc.files import write_delivery
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.trial import Subject
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import full
from trialimg.services.adjudication import adjudication_view
from trialimg.services.cdisc.course import Course, Study
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.from_records import with_final_reads
from trialimg.services.cdisc.from_results import study_of_protocol
from trialimg.services.cdisc.specification import Row
from trialimg.services.cdisc.tables import Table

CREATED = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PROTOCOL = double(repeat_pct="0")
AGREED, DIFFERED = "C0001", "C0002"
VISITS = ("BL", "W06", "W12")
SIZES = {
    (AGREED, "rita"): ("40", "26", "25"),
    (AGREED, "raul"): ("41", "27", "26"),
    (DIFFERED, "rita"): ("40", "39", "38"),
    (DIFFERED, "raul"): ("40", "26", "25"),
}


@pytest.fixture(scope="module")
def trial() -> Trial:
    """One case on which the readers agree, one that was adjudicated for the partial response, one not yet read."""
    trial = Trial(text=PROTOCOL)
    trial.trained("rita", "raul")
    trial.trained("ada", role=Role.ADJUDICATOR)
    trial.receive(AGREED, DIFFERED, "C0003", timepoints=VISITS)
    trial.assign()
    for (code, name), sizes in SIZES.items():
        trial.read(name, trial.alias(code, name), dict(zip(VISITS, sizes, strict=True)))
    trial.assign()
    alias = trial.alias(DIFFERED, "ada")
    shown = adjudication_view(trial.records, trial.actor("ada"), TRIAL, alias)
    letter = next(at for at, read in shown["reads"].items() if read["answer"]["best_response"] == "PR")
    trial.choose("ada", alias, letter)
    return trial


@pytest.fixture(scope="module")
def tables(trial: Trial) -> dict[str, Table]:
    study = with_final_reads(run_of("S-C0001", "S-C0002", "S-C0003"), trial.records, trial.actor("ana"), TRIAL)
    return {table.name: table for table in datasets(study)}


def run_of(*subjects: str) -> Study:
    """What the run of the same studies knows: the subjects and their dates."""
    people = tuple(Course(Subject(name, "01", "A", DATES["BL"]), (), None) for name in subjects)
    return study_of_protocol(full(read_protocol(PROTOCOL)), people, software="trialimg 1")


def rows(tables: dict[str, Table], name: str, subject: str, **wanted: str | None) -> list[Row]:
    found = tables[name].rows
    return [
        row for row in found if str(row["USUBJID"]).endswith(subject) and all(row[k] == v for k, v in wanted.items())
    ]


def test_both_readers_stand_side_by_side_and_one_is_accepted(tables: dict[str, Table]) -> None:
    sums = rows(tables, "TR", AGREED, TRTESTCD="SUMDIAM")
    assert {row["TREVALID"] for row in sums} == {"RADIOLOGIST 1", "RADIOLOGIST 2"}
    assert {row["TREVALID"] for row in sums if row["TRACPTFL"]} == {"RADIOLOGIST 1"}
    assert all(
        str(row["TRLNKID"]).startswith(f"R{str(row['TREVALID'])[-1]}-")
        for row in rows(tables, "TR", AGREED)
        if row["TRLNKID"]
    )


def test_the_verdict_has_records_of_its_own_that_rest_on_the_chosen_read(tables: dict[str, Table]) -> None:
    verdict = rows(tables, "RS", DIFFERED, RSEVALID="ADJUDICATOR 1")
    accepted = rows(tables, "RS", DIFFERED, RSTESTCD="OVRLRESP", RSACPTFL="Y")
    assert [row["RSSTRESC"] for row in verdict] == [row["RSSTRESC"] for row in accepted] == ["PR", "PR"]
    assert [row["RSLNKGRP"] for row in verdict] == [row["RSLNKGRP"] for row in accepted]
    assert all(row["RSACPTFL"] is None for row in verdict)
    said = {
        (row["QNAM"], row["QVAL"]) for row in rows(tables, "SUPPRS", DIFFERED) if str(row["QNAM"]).startswith("ADJ")
    }
    assert said == {("ADJSEL", str(accepted[0]["RSEVALID"])), ("ADJREAS", "MEASUREMENT")}
    assert not rows(tables, "RS", AGREED, RSEVALID="ADJUDICATOR 1")


def test_the_analysis_uses_the_accepted_read(tables: dict[str, Table]) -> None:
    best = {str(row["USUBJID"])[-5:]: row["AVALC"] for row in tables["ADRS"].rows if row["PARAMCD"] == "BORB"}
    assert best == {AGREED: "PR", DIFFERED: "PR", "C0003": "MISSING"}
    accepted = [row["TRSTRESN"] for row in rows(tables, "TR", AGREED, TRTESTCD="SUMDIAM", TRACPTFL="Y")]
    assert [row["AVAL"] for row in rows(tables, "ADTR", AGREED, PARAMCD="SDIAMB")] == accepted


def test_nobody_is_named(tables: dict[str, Table]) -> None:
    text = " ".join(str(value) for table in tables.values() for row in table.rows for value in row.values())
    assert not any(name in text for name in ("rita", "raul", "ada"))


def test_the_datasets_pass_every_check(trial: Trial, tables: dict[str, Table], tmp_path: Path) -> None:
    study = with_final_reads(run_of("S-C0001", "S-C0002", "S-C0003"), trial.records, trial.actor("ana"), TRIAL)
    _, findings = write_delivery(study, tuple(tables.values()), tmp_path, formats=("xpt", "json"), created=CREATED)
    assert findings == ()


def test_a_run_of_other_subjects_is_refused(trial: Trial) -> None:
    with pytest.raises(ReadingError, match="the run knows no S-C0002"):
        with_final_reads(run_of("S-C0001"), trial.records, trial.actor("ana"), TRIAL)


def test_a_reader_gets_no_cohort(trial: Trial) -> None:
    with pytest.raises(AccessError):
        with_final_reads(run_of("S-C0001"), trial.records, trial.actor("rita"), TRIAL)


def test_nothing_final_is_refused() -> None:
    trial = Trial(text=PROTOCOL)
    trial.receive(AGREED)
    with pytest.raises(ReadingError, match="no case is final yet"):
        with_final_reads(run_of("S-C0001"), trial.records, trial.actor("ana"), TRIAL)
