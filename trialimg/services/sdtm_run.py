"""A run on tumour tables that others made: from TU, TR and RS to the same results as a run on images."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trialimg import __version__
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.provenance import Provenance
from trialimg.core.trial import Finding, Subject
from trialimg.endpoints.vocabulary import CRITERIA
from trialimg.protocol.model import Protocol, full, protocol_digest
from trialimg.services.cdisc.vocabulary import vocabulary
from trialimg.services.cohort import compare_arms, outside_protocol
from trialimg.services.cohort_analyses import cohort_analyses
from trialimg.services.outputs import Outputs, RunOutcome
from trialimg.services.ports import Progress
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.respond_sdtm import read_sdtm
from trialimg.services.respond_sdtm_rows import TR_COLUMNS, TU_COLUMNS, Nodes, sdtm_tables
from trialimg.services.results import Assessor, TrialResult
from trialimg.services.sdtm_assessors import Assessors, assessors_of
from trialimg.services.sdtm_reads import ReadRecord, ReadSummary, checked, summed_up, without_records
from trialimg.services.sdtm_responses import RS_COLUMNS, GivenResponses, given_responses
from trialimg.services.sdtm_subjects import Enrolment, enrolment
from trialimg.services.sdtm_tables import SourceTables

__all__ = ["SdtmRun", "require_tables"]

_NODE = "LYMPH NODE"
_UNPLANNED = re.compile(r"UNS", re.IGNORECASE)
_NOT_A_LETTER = re.compile(r"[^A-Z0-9]")
_NEEDED = {"TU": TU_COLUMNS, "TR": TR_COLUMNS, "RS": RS_COLUMNS, "DM": ("USUBJID",), "ADSL": ("USUBJID",)}

Key = tuple[str, str]
"""Subject and reader."""


@dataclass(frozen=True)
class SdtmRun:
    """One trial's tables, ready to be summed up."""

    protocol: Protocol
    tables: SourceTables
    outputs: Outputs
    arms: Mapping[str, str] | None = None
    """Code of an arm to its blinded label; None: the codes are the labels."""

    def __call__(self, out: Path, *, progress: Progress | None = None) -> RunOutcome:
        """Sum every subject up and write the report.

        Parameters
        ----------
        out
            Existing folder for the outputs; a file there is replaced only by a whole new one.
        progress
            Told what is going on.

        Raises
        ------
        IntegrityError
            If stored work has lost its bytes.
        """
        return self.outputs.write(self.result(progress), out, progress=progress)

    def result(self, progress: Progress | None = None) -> TrialResult:
        """Everything that the tables come to."""
        recorded = self._recorded()
        people = enrolment(self.tables, recorded.subjects, origin=self.protocol.schedule.reference, arms=self.arms)
        assessors = assessors_of(self.tables, self.protocol.tables)
        cases = []
        for number, subject in enumerate(people.subjects, start=1):
            cases.append(self._case(subject, recorded, assessors))
            if progress is not None:
                progress("subjects", number, len(people.subjects))
        return self._result(cases, people, recorded)

    def _recorded(self) -> _Recorded:
        tables, protocol = self.tables, self.protocol
        found = _Recorded(GivenResponses(), list(tables.findings))
        if tables.has("RS"):
            words = CRITERIA[protocol.response.criterion.value].vocabulary
            category = vocabulary(protocol.response.criterion.value).category
            found.given = given_responses(tables.of("RS"), words, category)
            found.findings += found.given.findings
        if tables.has("TU") and tables.has("TR"):
            rows = sdtm_tables(tables.of("TU").placed(), tables.of("TR").placed())
            names, dates = _visit_names(protocol), found.given.dates()
            read = read_sdtm(rows, _nodes(tables), name_of=names, dates=dates)
            found.readings = {(one.subject, one.reader): one for one in read.readings}
            found.findings += read.findings
        return found

    def _case(self, subject: Subject, recorded: _Recorded, assessors: Assessors) -> _Case:
        counts, others, findings = assessors.choice(subject.id)
        further = tuple(self._summary(subject, one, recorded) for one in others)
        if counts is None:
            nothing = without_records(subject)
            return _Case(ReadSummary(replace(nothing, findings=(*nothing.findings, *findings))), further)
        return _Case(self._summary(subject, counts, recorded), further)

    def _summary(self, subject: Subject, assessor: Assessor, recorded: _Recorded) -> ReadSummary:
        key = (subject.id, assessor.name)
        given = recorded.given.by_reader.get(key, ())
        return summed_up(ReadRecord(subject, assessor, recorded.readings.get(key), given), self.protocol)

    def _result(self, cases: Sequence[_Case], people: Enrolment, recorded: _Recorded) -> TrialResult:
        protocol = self.protocol
        subjects = tuple(case.counts.result for case in cases)
        further = tuple(summary.result for case in cases for summary in case.further)
        check, differences = checked([summary for case in cases for summary in (case.counts, *case.further)])
        known = {subject.id for subject in people.subjects}
        findings = [
            *people.findings,
            *outside_protocol(people.subjects, protocol),
            *(one for one in recorded.findings if not one.subject or one.subject in known),
            *differences,
            *(one for result in (*subjects, *further) for one in result.findings),
        ]
        return TrialResult(
            protocol.trial.id,
            protocol.trial.title,
            protocol.response.criterion.value,
            full(protocol),
            protocol_digest(protocol),
            subjects,
            compare_arms(subjects, protocol.arms, protocol.statistics),
            tuple(findings),
            None,
            self._provenance(),
            further,
            check,
            people.covariates,
            cohort_analyses(subjects, further, people.covariates, protocol),
        )

    def _provenance(self) -> Provenance:
        parameters = {
            "protocol": self.protocol.digest,
            "tables": {name: table.source for name, table in sorted(self.tables.tables.items())},
            "arms": "by a table of labels" if self.arms is not None else "as the data calls them",
        }
        return Provenance(
            "trialimg run --from-sdtm", parameters, dict(self.tables.digests), f"trialimg {__version__}", ""
        )


def require_tables(tables: SourceTables) -> None:
    """Go on only with tables that can be judged.

    Raises
    ------
    ReadingError
    If there is neither RS, nor both TU and TR, or with every column that is missing.
    """
    faults = [
        Fault(f"{table.source}:1", "missing_column", f"column {column} is missing")
        for name, columns in _NEEDED.items()
        if tables.has(name)
        for table in (tables.of(name),)
        for column in columns
        if column not in table.columns
    ]
    if faults:
        raise ReadingError("the tables are not the SDTM tables they should be", tuple(faults))
    if not tables.has("RS") and not (tables.has("TU") and tables.has("TR")):
        raise ReadingError("there is nothing to judge: neither RS, nor both TU and TR")


@dataclass
class _Recorded:
    """Everything that TU, TR and RS say."""

    given: GivenResponses
    findings: list[Finding]
    readings: dict[Key, SubjectReading] = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        """Everybody of whom something is recorded."""
        return list(dict.fromkeys(key[0] for key in (*self.readings, *self.given.by_reader)))


@dataclass(frozen=True)
class _Case:
    """One subject: the record that counts, and the others."""

    counts: ReadSummary
    further: tuple[ReadSummary, ...]


def _nodes(tables: SourceTables) -> Nodes:
    """The lesions that TU places in a lymph node, and those that its supplement calls nodes."""
    flagged = {
        (row.get("USUBJID", ""), row.get("IDVARVAL", ""))
        for row in tables.of("SUPPTU").rows
        if row.get("QNAM") == "NODALFL" and row.get("QVAL") == "Y"
    }
    rows = tables.of("TU").rows
    lesions = {(r["USUBJID"], r["TULNKID"]) for r in rows if (r["USUBJID"], r.get("TUSEQ", "")) in flagged}
    places = {r["TULOC"].upper() for r in rows if _NODE in r.get("TULOC", "").upper()}
    return Nodes(tables.of("TU").source, frozenset(lesions), frozenset(places))


def _visit_names(protocol: Protocol) -> Callable[[str, dt.date, bool], str]:
    """What the protocol calls a visit of TR; one that it does not plan keeps its own name, or gets its date."""
    planned = {_letters(visit.id): visit.id for visit in protocol.schedule.visits}

    def name(visit: str, date: dt.date, is_baseline: bool) -> str:
        if is_baseline:
            return protocol.schedule.baseline.id
        if _UNPLANNED.match(visit):
            return f"UNS-{date.isoformat()}"
        return planned.get(_letters(visit), visit)

    return name


def _letters(name: str) -> str:
    return _NOT_A_LETTER.sub("", name.upper())
