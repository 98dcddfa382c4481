"""The main job: from a folder of DICOM and a protocol to an endpoint report."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg import __version__
from trialimg.core.digest import canonical_json, digest_of, file_digest
from trialimg.core.errors import IntegrityError, ReadingError
from trialimg.core.provenance import Provenance
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.criteria.registry import criterion
from trialimg.protocol.criteria import Criterion
from trialimg.protocol.model import full, protocol_digest
from trialimg.services.annotations import Annotation, read_annotations, read_subjects
from trialimg.services.case import CaseMaterial, CaseOutcome, CasePipeline
from trialimg.services.cohort import compare_arms
from trialimg.services.document import document
from trialimg.services.images import ImageIndex
from trialimg.services.ports import Executor, Exporter, Progress
from trialimg.services.respond_facts import read_facts
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.response import require_built, schedule
from trialimg.services.results import TrialResult, TruthCheck
from trialimg.services.truth import check_truth
from trialimg.services.work import Stage, Tally, Workbench

__all__ = ["RunOutcome", "TrialRun"]

_TABLES = ("subjects.csv", "annotations.csv", "truth.csv", "assessments.csv")
_UNSCHEDULED = re.compile(r"UNS-\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, eq=False)
class RunOutcome:
    """What a run found, what it wrote, and how much of it had to be computed."""

    result: TrialResult
    manifest_digest: str
    """One digest for everything: the same studies, protocol and software give the same."""
    files: tuple[Path, ...]
    tally: Tally


@dataclass(frozen=True)
class TrialRun:
    """One trial's pipeline, ready to run."""

    pipeline: CasePipeline
    executor: Executor
    exporters: tuple[Exporter, ...]
    environment: Mapping[str, str]
    """Name to version of everything whose release can change a number."""

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
        root = self.pipeline.root
        tables = {name: _text(root / name) for name in _TABLES}
        require_built(self.pipeline.protocol, assessments=tables["assessments.csv"] is not None)
        index = self.pipeline.source.index(root, progress=progress)
        materials, findings = self._materials(index, tables)
        outcomes = self._cases(materials, progress)
        tally = Tally()
        for outcome in outcomes:
            tally.add(outcome.tally)
        result = self._result(index, tables, outcomes, findings)
        written, names = self._export(result, out, tally, progress)
        manifest = {**self._manifest(result), "outputs": names}
        data = canonical_json(manifest) + b"\n"
        _place(out / "manifest.json", data)
        return RunOutcome(result, digest_of(data), (*written, out / "manifest.json"), tally)

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
        findings = [*index.findings, *_strangers(annotations, names)]
        return materials, findings + self._outside_protocol([material.subject for material in materials])

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

    def _outside_protocol(self, subjects: Sequence[Subject]) -> list[Finding]:
        """Sites and arms that the protocol does not name."""
        protocol = self.pipeline.protocol
        checks = (("site", protocol.sites), ("arm", protocol.arms))
        return [
            Finding(f"unknown_{what}", Severity.WARNING, s.id, f"{what} {value!r} is not in the protocol", s.id)
            for s in subjects
            for what, known in checks
            if (value := getattr(s, what)) and value not in known
        ]

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

    def _manifest(self, result: TrialResult) -> dict[str, Any]:
        return {
            "schema": "trialimg/manifest/v1",
            "trial": result.trial,
            "protocol": result.protocol,
            "protocol_digest": result.protocol_digest,
            "software": result.provenance.software,
            "environment": dict(self.environment),
            "parameters": dict(result.provenance.parameters),
            "model": result.provenance.model,
            "inputs": dict(result.provenance.inputs),
        }

    def _export(
        self, result: TrialResult, out: Path, tally: Tally, progress: Progress | None
    ) -> tuple[list[Path], dict[str, str]]:
        """Every output in its place; what was written before for the same results is not made again."""
        bench = Workbench(self.pipeline.store, tally)
        facts = canonical_json(document(result))
        _place(out / "results.json", facts + b"\n")
        written, digests = [out / "results.json"], {"results.json": digest_of(facts + b"\n")}
        for number, exporter in enumerate(self.exporters, start=1):
            for name, digest in self._outputs(bench, exporter, result, digest_of(facts)):
                data = self.pipeline.store.get(digest)
                if data is None:
                    raise IntegrityError(
                        f"stored work: the bytes of {name} are gone; remove the work folder, run again"
                    )
                _place(out / name, data)
                written.append(out / name)
                digests[name] = digest
            if progress is not None:
                progress("outputs", number, len(self.exporters))
        return written, digests

    def _outputs(
        self, bench: Workbench, exporter: Exporter, result: TrialResult, facts_digest: str
    ) -> list[tuple[str, str]]:
        """Name and digest of every file that an exporter makes of the results."""

        def compute() -> object:
            with tempfile.TemporaryDirectory() as scratch:
                made = exporter.export(result, Path(scratch))
                contents = {path.relative_to(scratch).as_posix(): path.read_bytes() for path in made}
            for data in contents.values():
                self.pipeline.store.put(digest_of(data), data)
            return [[name, digest_of(data)] for name, data in sorted(contents.items())]

        inputs = {"exporter": exporter.name, "results": facts_digest, "environment": self.environment}
        listing = bench.once_json(Stage("export", exporter.version), inputs, compute)
        return [(name, digest) for name, digest in listing]


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


def _place(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that says the same already is left alone."""
    if path.is_file() and file_digest(path) == digest_of(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    partial.write_bytes(data)
    partial.replace(path)
