"""The main job: from a folder of DICOM and a protocol to an endpoint report."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trialimg import __version__
from trialimg.core.digest import digest_of, file_digest
from trialimg.core.errors import ReadingError
from trialimg.core.provenance import Provenance
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.criteria.registry import criterion
from trialimg.protocol.criteria import Criterion
from trialimg.protocol.model import full, protocol_digest
from trialimg.radiomics.perturbation import Perturbation
from trialimg.services.annotations import Annotation, read_annotations, read_subjects
from trialimg.services.case import CaseMaterial, CaseOutcome, CasePipeline
from trialimg.services.cohort import compare_arms, outside_protocol
from trialimg.services.cohort_analyses import cohort_analyses
from trialimg.services.images import ImageIndex
from trialimg.services.outputs import Outputs, RunOutcome
from trialimg.services.ports import Executor, Progress
from trialimg.services.radiomics_perturbed import FILE, PerturbedExtractor, perturbed_document
from trialimg.services.respond_facts import read_facts
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.response import require_built, schedule
from trialimg.services.results import TrialResult, TruthCheck
from trialimg.services.truth import check_truth
from trialimg.services.work import Tally

__all__ = ["RunOutcome", "TrialRun"]

_TABLES = ("subjects.csv", "annotations.csv", "truth.csv", "assessments.csv")
_UNSCHEDULED = re.compile(r"UNS-\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class TrialRun:
    """One trial's pipeline, ready to run."""

    pipeline: CasePipeline
    executor: Executor
    outputs: Outputs

    def __call__(self, out: Path, *, progress: Progress | None = None) -> RunOutcome:
        """Work through every subject of the study folder and write the report.

        Parameters
        ----------
        out
            Existing folder for the outputs; a file there is replaced only by a whole new one.
        progress
            Told what is going on.

        Raises
        ------
        IntakeError
            If the study folder holds no image.
        ProtocolError
            If the protocol asks for something this release cannot do.
        ReadingError
            With every fault of the tables beside the images.
        """
        tables, index = self._received(progress)
        materials, findings = self._materials(index, tables)
        outcomes = self._cases(materials, progress)
        tally = Tally()
        for outcome in outcomes:
            tally.add(outcome.tally)
        result = self._result(index, tables, outcomes, findings)
        return self.outputs.write(result, out, tally=tally, progress=progress)

    def perturbed(self, out: Path, how: Perturbation, *, progress: Progress | None = None) -> Path:
        """Measure every lesion's features again under perturbation, and keep those of targets beside the results.

        Parameters
        ----------
        out
            Folder of a finished run of the same studies; everything but the features is found done.
        """
        extractor = PerturbedExtractor(self.pipeline.extractor, how)
        again = replace(self, pipeline=replace(self.pipeline, extractor=extractor))
        tables, index = again._received(progress)
        materials, _ = again._materials(index, tables)
        subjects = [outcome.result for outcome in again._cases(materials, progress)]
        document = perturbed_document(subjects, how, results_digest=file_digest(out / "results.json"))
        return self.outputs.place_beside(out, FILE, document)

    def _received(self, progress: Progress | None) -> tuple[dict[str, str | None], ImageIndex]:
        """The tables and the images of the study folder."""
        root = self.pipeline.root
        tables = {name: _text(root / name) for name in _TABLES}
        require_built(self.pipeline.protocol, assessments=tables["assessments.csv"] is not None)
        return tables, self.pipeline.source.index(root, progress=progress)

    def _materials(
        self, index: ImageIndex, tables: Mapping[str, str | None]
    ) -> tuple[list[CaseMaterial], list[Finding]]:
        """What was received, subject by subject, in the order of their codes."""
        subjects = {s.id: s for s in read_subjects(tables["subjects.csv"] or "subject\n")}
        text = tables["annotations.csv"]
        if text is None:
            raise ReadingError(
                f"{self.pipeline.root}: annotations.csv is missing; it says where the baseline lesions are "
                "(docs/reference/run.md describes it)"
            )
        annotations = read_annotations(text)
        imaged = {series.subject for series in index.series}
        names = sorted(imaged | set(subjects))
        facts = self._facts(tables["assessments.csv"], names)
        materials = [
            CaseMaterial(
                subjects.get(name, Subject(name)),
                tuple(s for s in index.series if s.subject == name),
                tuple(c for c in index.contour_sets if c.subject == name),
                tuple(a for a in annotations if a.subject == name),
                facts.get((name, ""), {}),
            )
            for name in names
        ]
        strangers = outside_protocol([material.subject for material in materials], self.pipeline.protocol)
        return materials, [*index.findings, *_strangers(annotations, names), *strangers]

    def _facts(self, text: str | None, names: Sequence[str]) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What assessments.csv says of the visits, planned or not, by subject."""
        if text is None:
            return {}
        protocol = self.pipeline.protocol
        planned = schedule(protocol)
        visits = [visit.id for visit in (planned.baseline, *planned.followups)]
        visits += sorted(set(_UNSCHEDULED.findall(text)))
        timepoints = tuple(Timepoint(visit, order, dt.date.min) for order, visit in enumerate(visits))
        readings = [SubjectReading(name, "", (), (), timepoints) for name in names]
        return read_facts(text, "assessments.csv", criterion(protocol.response.criterion.value), readings)

    def _cases(self, materials: Sequence[CaseMaterial], progress: Progress | None) -> list[CaseOutcome]:
        outcomes: list[CaseOutcome] = []
        for outcome in self.executor.map(self.pipeline, materials):
            outcomes.append(outcome)
            if progress is not None:
                progress("subjects", len(outcomes), len(materials))
        return outcomes

    def _result(
        self,
        index: ImageIndex,
        tables: Mapping[str, str | None],
        outcomes: Sequence[CaseOutcome],
        findings: Sequence[Finding],
    ) -> TrialResult:
        protocol = self.pipeline.protocol
        subjects = tuple(outcome.result for outcome in outcomes)
        return TrialResult(
            protocol.trial.id,
            protocol.trial.title,
            protocol.response.criterion.value,
            full(protocol),
            protocol_digest(protocol),
            subjects,
            compare_arms(subjects, protocol.arms, protocol.statistics),
            _once([*findings, *(finding for subject in subjects for finding in subject.findings)]),
            self._truth(index, tables["truth.csv"], outcomes),
            self._provenance(index, tables),
            analyses=cohort_analyses(subjects, (), {}, protocol),
        )

    def _truth(self, index: ImageIndex, text: str | None, outcomes: Sequence[CaseOutcome]) -> TruthCheck | None:
        if text is None:
            return None
        pixel_mm = {s.series_uid: max(s.pixel_spacing_mm) for s in index.series if s.pixel_spacing_mm is not None}
        recist = self.pipeline.protocol.response.criterion is Criterion.RECIST_1_1
        return check_truth(text, [outcome.result for outcome in outcomes], pixel_mm, words=recist)

    def _provenance(self, index: ImageIndex, tables: Mapping[str, str | None]) -> Provenance:
        files = [file for series in index.series for file in series.files]
        files += [contours.file for contours in index.contour_sets]
        inputs = {file.path: file.digest for file in sorted(files, key=lambda file: file.path)}
        inputs |= {name: digest_of(text.encode()) for name, text in tables.items() if text is not None}
        segmenter, extractor = self.pipeline.segmenter, self.pipeline.extractor
        parameters = {
            "protocol": self.pipeline.protocol.digest,
            "segmenter": {"name": f"{segmenter.name}@{segmenter.version}", **segmenter.parameters()},
            "features": {"name": f"{extractor.name}@{extractor.version}", **extractor.parameters()},
        }
        return Provenance("trialimg run", parameters, inputs, f"trialimg {__version__}", segmenter.model_digest)


def _text(path: Path) -> str | None:
    """The table's text; None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as fault:
        raise ReadingError(f"{path.name} is not UTF-8 text ({fault.reason} at byte {fault.start})") from fault


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each fault once: what the index said of a series is dropped where its visit says the same."""
    at_visits = {(f.subject, f.code, f.message) for f in findings if f.timepoint}
    return tuple(f for f in findings if f.timepoint or (f.subject, f.code, f.message) not in at_visits)


def _strangers(annotations: Sequence[Annotation], subjects: Sequence[str]) -> list[Finding]:
    """Statements on subjects of whom nothing was received."""
    return [
        Finding("annotation_without_subject", Severity.WARNING, a.where, f"no images of {a.subject}", a.subject)
        for a in annotations
        if a.subject not in subjects
    ]
