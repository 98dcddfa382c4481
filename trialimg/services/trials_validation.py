"""A trial's own configuration validated: its protocol run on a synthetic cohort whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError
from trialimg.services.journal import Records
from trialimg.services.records import Place, RecordVersion
from trialimg.services.results import TruthCheck
from trialimg.services.run import RunOutcome
from trialimg.services.sample import SampleSummary
from trialimg.services.signatures import Proof, sign

__all__ = ["VALIDATION_REPORT", "Check", "ValidationReport", "keep_validation", "validation_of"]

VALIDATION_REPORT = "validation_report"
"""Kind of a record; its id is ``trial/version of the protocol``, its state ``passed`` or ``failed``."""

_MEANING = "I have judged this validation of the protocol"
_LARGEST_ERROR_VOXELS = 1.0


@dataclass(frozen=True)
class Check:
    """One thing that had to be so, and what was found."""

    name: str
    expected: str
    found: str
    passed: bool


@dataclass(frozen=True)
class ValidationReport:
    """What a dry run of a protocol showed."""

    trial: str
    version: str
    protocol_digest: str
    software: str
    environment: Mapping[str, str]
    cohort: Mapping[str, str]
    """The synthetic cohort: subjects, series, digest."""
    manifest_digest: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether everything was as it had to be."""
        return all(check.passed for check in self.checks)


def validation_of(
    outcome: RunOutcome, again: RunOutcome, cohort: SampleSummary, *, environment: Mapping[str, str]
) -> ValidationReport:
    """What two runs of a protocol on the same synthetic cohort show.

    Parameters
    ----------
    again
        The second run, which kept nothing of the first.
    """
    result = outcome.result
    trial: Mapping[str, Any] = result.protocol["trial"]
    checks = (
        _same("every subject has a result", str(cohort.subjects), str(len(result.subjects))),
        _same("a second run gives the same manifest", outcome.manifest_digest, again.manifest_digest),
        *_against_truth(result.truth),
    )
    return ValidationReport(
        result.trial,
        str(trial["version"]),
        result.protocol_digest,
        result.provenance.software,
        dict(environment),
        {"subjects": str(cohort.subjects), "series": str(cohort.series), "digest": cohort.digest},
        outcome.manifest_digest,
        checks,
    )


def keep_validation(
    records: Records, actor: Actor, proof: Proof, report: ValidationReport, *, conclusion: str
) -> RecordVersion:
    """Keep a validation report and sign what is concluded from it.

    Parameters
    ----------
    conclusion
        In the signer's words; a report with a failed check says here why the protocol may be used, or that it may not.

    Raises
    ------
    ProtocolError
        If nothing is concluded.
    """
    if not conclusion.strip():
        raise ProtocolError("say what you conclude from the validation report")
    body = {
        "protocol_digest": report.protocol_digest,
        "version": report.version,
        "software": report.software,
        "environment": digest_of(dict(report.environment)),
        "libraries": dict(report.environment),
        "cohort": dict(report.cohort),
        "manifest_digest": report.manifest_digest,
        "checks": [[check.name, check.expected, check.found, check.passed] for check in report.checks],
        "conclusion": conclusion,
    }
    with records.change(actor, Action.AMEND_PROTOCOL, trial=report.trial) as journal:
        place = Place(report.trial, state="passed" if report.passed else "failed")
        key = f"{report.trial}/{report.version}"
        kept = journal.write(VALIDATION_REPORT, key, body, action="validate_protocol", place=place)
        sign(journal, proof, kept, _MEANING)
        return kept


def _against_truth(truth: TruthCheck | None) -> tuple[Check, ...]:
    """How the known answers were met; no answer to compare with is a failed check, not a passed one."""
    if truth is None or not truth.responses_compared:
        return (Check("known answers are met", "at least one to compare", "none", passed=False),)
    error = truth.median_abs_long_axis_error_voxels
    named = "; ".join(f"{one.subject} {one.timepoint}: {one.found}, known {one.truth}" for one in truth.disagreements)
    met = truth.responses_equal == truth.responses_compared
    found = f"{truth.responses_equal} of {truth.responses_compared}" + (f" ({named})" if named else "")
    return (
        Check("known responses are met", "all", found, met),
        Check(
            "long axis, median error",
            f"at most {_LARGEST_ERROR_VOXELS:g} voxel",
            f"{error:.2f} voxel",
            error <= _LARGEST_ERROR_VOXELS,
        ),
    )


def _same(name: str, expected: str, found: str) -> Check:
    return Check(name, expected, found, expected == found)
