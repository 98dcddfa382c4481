"""Cases from a table of visits, and from a finished run with what the software measured."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import TRIAL, Trial, active_site, single
from tests.fakes.results import trial_result
from trialimg.core.digest import canonical_json, file_digest
from trialimg.core.errors import IntegrityError, ReadingError
from trialimg.core.reading import CaseKind
from trialimg.services import cases, reading
from trialimg.services.document import document
from trialimg.services.finished import FinishedRun
from trialimg.services.reading_receipt import cases_of_run, cases_of_table

TABLE = """\
case,subject,timepoint,date,kind,reference_date,series
C1,S1,BL,2026-01-05,,2026-01-08,2.25.1 2.25.2
C1,S1,W06,2026-02-16,,2026-01-08,
E1,S1,BL,2026-01-05,eligibility,,
"""


def test_a_table_of_visits_becomes_cases():
    first, second = cases_of_table(TABLE, "cases.csv")
    assert (first.code, first.subject, first.reference_date) == ("C1", "S1", dt.date(2026, 1, 8))
    assert [(visit.id, visit.date.isoformat(), visit.series) for visit in first.timepoints] == [
        ("BL", "2026-01-05", ("2.25.1", "2.25.2")),
        ("W06", "2026-02-16", ()),
    ]
    assert (second.kind, len(second.timepoints)) == (CaseKind.ELIGIBILITY, 1)


def test_every_fault_of_the_table_is_named_with_its_line():
    text = TABLE.replace("2026-02-16", "16.2.2026").replace("eligibility", "elegibility")
    text = text.replace("C1,S1,W06", "C1,S9,W06")
    with pytest.raises(ReadingError) as refused:
        cases_of_table(text, "cases.csv")
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [
        ("cases.csv:3", "bad_value"),
        ("cases.csv:3", "contradiction"),
        ("cases.csv:4", "bad_value"),
    ]


@pytest.fixture
def run(tmp_path):
    """A finished run's folder: twelve subjects, one of them without a usable baseline."""
    path = tmp_path / "results.json"
    path.write_bytes(canonical_json(document(trial_result(key_images=False))))
    manifest = {
        "outputs": {"results.json": file_digest(path)},
        "inputs": {"a.dcm": "sha256:00"},
        "software": "trialimg 0.1.0",
        "model": "",
    }
    return FinishedRun(tmp_path, manifest)


def test_each_subject_with_a_baseline_is_a_case_of_its_site_and_nothing_says_the_arm(run):
    found = cases_of_run(run)
    assert len(found.cases) == 11
    assert found.without_baseline == ("S-1012",)
    assert found.trial == "LUMEN-301"
    assert all(case.site for case in found.cases)
    for case in found.cases:
        assert "arm" not in str(case)
        assert all(case.subject not in one["lesion"] for e in case.proposal.entries.values() for one in e["lesions"])


def test_results_that_are_not_what_the_run_wrote_are_refused(run):
    (run.folder / "results.json").write_text("{}")
    with pytest.raises(IntegrityError):
        cases_of_run(run)


def test_results_of_another_shape_are_refused(run):
    path = run.folder / "results.json"
    path.write_text('{"subjects": []}')
    run.manifest["outputs"]["results.json"] = file_digest(path)
    with pytest.raises(ReadingError, match=r"results\.json lacks or misstates"):
        cases_of_run(run)


def test_a_reader_who_accepts_every_proposal_comes_to_the_responses_of_the_run(run):
    trial = Trial(text=single(order="as_received"))
    trial.trained("rita")
    found = cases_of_run(run)
    for site in {case.site for case in found.cases}:
        active_site(trial.records, trial.actor("ana"), site)
    cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, found.cases)
    trial.assign()
    subjects = {one["subject"]["id"]: one for one in run.results()["subjects"]}
    rita = trial.actor("rita")
    for case in found.cases:
        alias = trial.alias(case.code, "rita")
        for step, entry in case.proposal.entries.items():
            lesions = [{**one, "proposal": one["lesion"]} for one in entry["lesions"]]
            trial.write("rita", alias, step, {**entry, "lesions": lesions})
        version = reading.lock_read(trial.records, rita, TRIAL, alias)
        expected = [one["assessment"]["overall"] for one in subjects[case.code]["timepoints"][1:]]
        assert [one["overall"] for one in version.body["answer"]["timepoints"]] == expected, case.code
        became = [p["became"] for entry in version.body["timepoints"].values() for p in entry["proposals"]]
        assert set(became) == {"accepted"}
