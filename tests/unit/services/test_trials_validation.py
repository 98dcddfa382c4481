"""What a dry run shows, and who signs what they conclude from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.records import memory_records
from tests.fakes.results import trial_result
from tests.fakes.trials import opened
from trialimg.core.errors import ProtocolError
from trialimg.services.results import TruthCheck, TruthDisagreement
from trialimg.services.run import RunOutcome
from trialimg.services.sample import SampleSummary
from trialimg.services.signatures import signature_of
from trialimg.services.trials_validation import keep_validation, validation_of
from trialimg.services.work import Tally

TRUTH = TruthCheck(4, 0.3, 0.4, 0.9, 2.0, 6, 6, ())
RESULT = replace(trial_result(), truth=TRUTH)
COHORT = SampleSummary(len(RESULT.subjects), 8, 300, 9000, (), "sha256:" + "c" * 64)
LIBRARIES = {"python": "3.11", "numpy": "2.4"}


def outcome(result=RESULT, manifest: str = "sha256:" + "a" * 64) -> RunOutcome:
    return RunOutcome(result, manifest, (), Tally())


def report(result=RESULT, again: str = "sha256:" + "a" * 64, cohort: SampleSummary = COHORT):
    return validation_of(outcome(result), outcome(result, again), cohort, environment=LIBRARIES)


def failed(found) -> list[str]:
    return [check.name for check in found.checks if not check.passed]


def test_all_checks_pass_where_everything_is_as_known():
    found = report()
    assert found.passed
    assert len(found.checks) == 4
    assert found.protocol_digest == RESULT.protocol_digest


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"again": "sha256:" + "b" * 64}, ["a second run gives the same manifest"]),
        ({"cohort": replace(COHORT, subjects=99)}, ["every subject has a result"]),
        ({"result": replace(RESULT, truth=None)}, ["known answers are met"]),
        ({"result": replace(RESULT, truth=replace(TRUTH, responses_compared=0))}, ["known answers are met"]),
        (
            {"result": replace(RESULT, truth=replace(TRUTH, median_abs_long_axis_error_voxels=1.01))},
            ["long axis, median error"],
        ),
    ],
)
def test_what_departs_is_named(change, names):
    assert failed(report(**change)) == names


def test_each_response_that_departs_is_in_the_report():
    other = TruthDisagreement("01-001", "W06", "overall", "PR", "SD")
    found = report(replace(RESULT, truth=replace(TRUTH, responses_equal=5, disagreements=(other,))))
    assert failed(found) == ["known responses are met"]
    assert found.checks[2].found == "5 of 6 (01-001 W06: SD, known PR)"


@pytest.mark.requirement("E6-10")
@pytest.mark.parametrize(("truth", "state"), [(TRUTH, "passed"), (None, "failed")])
def test_a_report_is_kept_for_its_protocol_version_and_its_conclusion_signed(truth, state):
    records = memory_records()
    actor, proof = opened(records)
    made = report(replace(RESULT, truth=truth))
    with pytest.raises(ProtocolError, match="conclude"):
        keep_validation(records, actor, proof, made, conclusion=" ")
    kept = keep_validation(records, actor, proof, made, conclusion="fit for use")
    assert (kept.id, kept.place.state) == (f"{made.trial}/{made.version}", state)
    assert kept.body["protocol_digest"] == RESULT.protocol_digest
    assert kept.body["libraries"] == LIBRARIES
    with records.store.reading() as transaction:
        signed = signature_of(transaction, kept)
    assert (signed.user, signed.meaning) == ("ana", "I have judged this validation of the protocol")
