"""The results of a central review: signed reads, verdicts and signatures as the report prints them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, double
from tests.fakes.results import trial_result
from trialimg.adapters.exporters.report.page import case_html, html_of
from trialimg.core.access import Role
from trialimg.core.digest import canonical_json, digest_of
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.trial import Subject
from trialimg.services.adjudication import adjudication_view
from trialimg.services.dashboard_reports import fetch_case_report
from trialimg.services.document import document
from trialimg.services.finished import FinishedRun
from trialimg.services.results import SubjectResult, TrialResult
from trialimg.services.review_report import CaseRecord, case_record, review_result

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
    """One case on which the readers agree, one that was adjudicated, one that nobody has read."""
    trial = Trial(text=double(repeat_pct="0"))
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


def run_of(*subjects: str) -> TrialResult:
    """What the run of the same studies knows."""
    people = tuple(SubjectResult(Subject(name, "01", "A", DATES["BL"]), (), None, ()) for name in subjects)
    return replace(trial_result(key_images=False), trial=TRIAL, subjects=people, findings=(), truth=None)


@pytest.fixture(scope="module")
def found(trial: Trial) -> TrialResult:
    return review_result(run_of("S-C0001", "S-C0002", "S-C0003"), trial.records, trial.actor("ana"), TRIAL)


def test_the_read_that_counts_makes_the_cohort_and_the_other_stands_beside_it(found: TrialResult) -> None:
    best = [s.endpoints.best.response.value if s.endpoints else "" for s in found.subjects]
    assert best == ["PR", "PR", ""]
    assert [s.is_read for s in found.subjects] == [True, True, False]
    assert found.cohort.notes[0] == "no final read, counted as non-responders and left out of the curves: S-C0003"
    assert dict(found.cohort.objective_response)["all"].events == 2
    assert [(s.subject.id, s.endpoints.best.response.value) for s in found.further_reads if s.endpoints] == [
        ("S-C0001", "PR"),
        ("S-C0002", "SD"),
    ]
    assert found.analyses is not None
    assert sum(one.agreement.n for one in found.analyses.concordances) == 2


def test_the_report_says_that_it_is_a_central_review_and_names_no_reader(found: TrialResult) -> None:
    html = html_of(found)
    assert "Status: central review." in html
    assert "No data cut was set: every final case counts." in html
    assert "not adjudicated by a person" not in html
    assert not any(name in html for name in ("rita", "raul", "Rita", "Raul"))


def test_whom_the_review_has_not_come_to_is_told_from_whom_it_found_nothing_to_compare(found: TrialResult) -> None:
    html = html_of(found)
    assert re.search(r"No final read</th><td[^>]*>1 \(33.3 %\)</td>", html)
    assert re.search(r"With a final read</th><td[^>]*>2 \(66.7 %\)</td>", html)
    assert "No final read: the review has not come to an end with this subject." in html
    assert "usable baseline:" not in html
    assert "No usable baseline" not in html


def test_a_case_has_its_reads_its_verdict_and_its_signatures(trial: Trial, found: TrialResult) -> None:
    record = case_record(trial.records, trial.actor("ana"), TRIAL, "S-C0002")
    assert record is not None
    assert [(r.best, r.counts) for r in record.reads].count(("PR", True)) == 1
    assert record.verdict.startswith("measurement")
    assert [one.under for one in record.signatures] == ["Radiologist 1", "Radiologist 2", "Adjudication"]
    assert all(one.name and one.at and one.meaning and not one.void for one in record.signatures)
    html = case_html(found, found.subjects[1], record)
    assert all(one.meaning in html and one.at in html for one in record.signatures)
    assert case_record(trial.records, trial.actor("ana"), TRIAL, "S-C0003") is None


def test_a_reader_gets_neither_report_nor_case(trial: Trial) -> None:
    with pytest.raises(AccessError):
        review_result(run_of("S-C0001", "S-C0002"), trial.records, trial.actor("rita"), TRIAL)
    with pytest.raises(AccessError):
        case_record(trial.records, trial.actor("rita"), TRIAL, "S-C0001")


def test_a_run_of_other_subjects_is_refused(trial: Trial) -> None:
    with pytest.raises(ReadingError, match="the run knows no S-C0002"):
        review_result(run_of("S-C0001"), trial.records, trial.actor("ana"), TRIAL)


def test_a_cut_that_nobody_made_is_refused(trial: Trial) -> None:
    with pytest.raises(ReadingError, match="there is no data cut"):
        review_result(run_of("S-C0001", "S-C0002"), trial.records, trial.actor("ana"), TRIAL, cut="IA1")


def test_taking_a_case_report_is_in_the_ledger(trial: Trial, tmp_path: Path) -> None:
    data = canonical_json(document(run_of("S-C0001", "S-C0002"))) + b"\n"
    (tmp_path / "results.json").write_bytes(data)
    run = FinishedRun(tmp_path, {"outputs": {"results.json": digest_of(data)}})

    def render(result: TrialResult, subject: SubjectResult, record: CaseRecord | None) -> bytes:
        assert record is not None
        return f"{subject.subject.id} {len(record.reads)}".encode()

    made = fetch_case_report(trial.records, trial.actor("ana"), TRIAL, "S-C0002", run=run, render=render)
    assert made == b"S-C0002 2"
    with trial.records.store.reading() as transaction:
        last = transaction.last(TRIAL)
    assert last is not None
    assert (last.action, last.object_id) == ("download", f"{TRIAL}-S-C0002-case.pdf")
    with pytest.raises(ReadingError, match="no subject"):
        fetch_case_report(trial.records, trial.actor("ana"), TRIAL, "S-C0009", run=run, render=render)
