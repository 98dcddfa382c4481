"""One case: a subject's scans and what readers said of them, from visits to endpoints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trialimg.core.errors import GeometryError
from trialimg.core.trial import Finding, Severity, Subject
from trialimg.imaging.quality import AcquisitionFacts, AcquisitionRule, acquisition_findings
from trialimg.protocol import images as protocol_images
from trialimg.protocol.model import Protocol
from trialimg.services.annotations import Annotation
from trialimg.services.counted import counts_of
from trialimg.services.course import Course
from trialimg.services.images import ContourSet, SeriesRecord
from trialimg.services.lesion_tracking import LesionTracker, TrackingSettings
from trialimg.services.ports import BlobStore, FeatureExtractor, ImageSource, Segmenter
from trialimg.services.response import Response, respond, schedule
from trialimg.services.results import LesionResult, SubjectResult, TimepointResult
from trialimg.services.scans import Scan
from trialimg.services.visits import Visit, match_visits
from trialimg.services.work import Tally, Workbench
from trialimg.volume import Mask

__all__ = ["CaseMaterial", "CaseOutcome", "CasePipeline", "facts_of", "quality_rule"]


@dataclass(frozen=True)
class CaseMaterial:
    """Everything received for one subject."""

    subject: Subject
    series: tuple[SeriesRecord, ...]
    contour_sets: tuple[ContourSet, ...]
    annotations: tuple[Annotation, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is known of a timepoint beside its lesions, by timepoint id, in the criterion's own type."""


@dataclass(frozen=True, eq=False)
class CaseOutcome:
    """What came of one case, and how much of it had to be computed."""

    result: SubjectResult
    tally: Tally


@dataclass(frozen=True)
class CasePipeline:
    """Works through one case after another; can be sent to another process."""

    protocol: Protocol
    root: Path
    source: ImageSource
    segmenter: Segmenter
    extractor: FeatureExtractor
    store: BlobStore

    def __call__(self, material: CaseMaterial) -> CaseOutcome:
        """One subject from images to endpoints; what cannot be used becomes a finding, never an exception."""
        bench = Workbench(self.store)
        reference, findings = _reference_date(material)
        visits, unmatched = match_visits(material.series, reference, schedule(self.protocol), material.subject.id)
        findings = [*findings, *unmatched]
        course = self._course(bench, material)
        lesions: list[tuple[LesionResult, ...]] = []
        for visit in visits:
            scans, unused = self._admitted(visit, bench)
            findings += unused
            findings += self._quality(visit, scans)
            lesions.append(course.visit(visit.timepoint, scans, _said_at(visit, material.annotations)))
            if visit.timepoint.order > 0:  # later visits are compared with the first sight of a lesion alone
                for scan in scans:
                    scan.release()
        findings += [*course.findings, *_unheard(visits, material), *_unseen_facts(visits, material)]
        subject = replace(material.subject, reference_date=reference)
        thickness = {s.series_uid: Decimal(str(s.slice_thickness_mm)) for s in material.series if s.slice_thickness_mm}
        timepoints = [visit.timepoint for visit in visits]
        response = respond(
            subject, timepoints, lesions, self.protocol, slice_thickness_mm=thickness, facts=material.facts
        )
        results = tuple(_timepoint(visit, seen, response) for visit, seen in zip(visits, lesions, strict=True))
        findings += response.findings
        return CaseOutcome(SubjectResult(subject, results, response.endpoints, tuple(findings)), bench.tally)

    def _course(self, bench: Workbench, material: CaseMaterial) -> Course:
        tracking = self.protocol.tracking
        settings = TrackingSettings(tracking.registration == "affine", float(tracking.local_margin_mm))

        def region(annotation: Annotation, scan: Scan) -> Mask:
            return self._region(material, annotation, scan)

        return Course(
            material.subject.id,
            LesionTracker(bench, self.segmenter, self.extractor, settings),
            region,
            self.protocol.segmentation.prompts,
            Decimal(self.protocol.measurement.too_small_below_mm),
            counts_of(self.protocol.response.criterion.value, self.protocol.response.rules),
        )

    def _region(self, material: CaseMaterial, annotation: Annotation, scan: Scan) -> Mask:
        for contour_set in material.contour_sets:
            drawn_here = contour_set.series_uid in ("", scan.record.series_uid)
            same_frame = contour_set.frame_of_reference_uid in ("", scan.record.frame_of_reference_uid)
            if drawn_here and same_frame and annotation.lesion in contour_set.names:
                regions = self.source.contours(contour_set, scan.volume, self.root)
                return regions[annotation.lesion]
        raise GeometryError(f"{annotation.where}: no contour set on this series names {annotation.lesion}")

    def _admitted(self, visit: Visit, bench: Workbench) -> tuple[list[Scan], list[Finding]]:
        """The series of the modalities that the protocol reads; the others are named."""
        read = {rule.modality for rule in self.protocol.acquisition}
        scans, findings = [], []
        for record in visit.series:
            if record.modality in read:
                scans.append(Scan(record, self.root, self.source, bench))
            else:
                message = f"the protocol reads no {record.modality} series"
                where = f"{record.subject} {visit.timepoint.id} series {record.series_uid}"
                findings.append(
                    Finding("series_not_used", Severity.INFO, where, message, record.subject, visit.timepoint.id)
                )
        return scans, findings

    def _quality(self, visit: Visit, scans: Sequence[Scan]) -> list[Finding]:
        """Departures of each series from the protocol, and why a series cannot be used."""
        findings: list[Finding] = []
        where = f"{visit.series[0].subject} {visit.timepoint.id}"
        for scan in scans:
            for rule in self.protocol.acquisition:
                found = acquisition_findings(facts_of(scan.record), quality_rule(rule))
                findings += [replace(item, timepoint=visit.timepoint.id) for item in found]
            findings += [
                Finding(fault.code, Severity.EXCLUDED, f"{where} {fault.where}", fault.message,
                        scan.record.subject, visit.timepoint.id)
                for fault in scan.faults
            ]  # fmt: skip
        present = {scan.record.modality for scan in scans}
        for rule in self.protocol.acquisition:
            if rule.required and rule.modality not in present:
                message = f"no {rule.modality} series at this visit"
                subject = visit.series[0].subject
                findings.append(
                    Finding("missing_modality", Severity.WARNING, where, message, subject, visit.timepoint.id)
                )
        return findings


def _reference_date(material: CaseMaterial) -> tuple[dt.date, list[Finding]]:
    """Day 1; the first annotated scan where nobody gave it, which is said."""
    subject = material.subject
    if subject.reference_date is not None:
        return subject.reference_date, []
    dates = [a.date for a in material.annotations] or [
        s.acquisition_date for s in material.series if s.acquisition_date
    ]
    reference = min(dates, default=dt.date.min)
    message = f"no reference date given; {reference} (first annotated scan) stands for day 1"
    return reference, [Finding("no_reference_date", Severity.WARNING, subject.id, message, subject.id)]


def _said_at(visit: Visit, annotations: Sequence[Annotation]) -> list[Annotation]:
    """What readers said of the scans of one visit: by date, or by the series they drew on."""
    dates = {record.acquisition_date for record in visit.series}
    series = {record.series_uid for record in visit.series}
    return [a for a in annotations if (a.series_uid in series if a.series_uid else a.date in dates)]


def _unheard(visits: Sequence[Visit], material: CaseMaterial) -> list[Finding]:
    """Statements about a scan that is not there."""
    heard = {a.where for visit in visits for a in _said_at(visit, material.annotations)}
    subject = material.subject.id
    return [
        Finding("annotation_without_image", Severity.WARNING, a.where, f"{a.lesion} on {a.date}: no such scan", subject)
        for a in material.annotations
        if a.where not in heard
    ]


def _unseen_facts(visits: Sequence[Visit], material: CaseMaterial) -> list[Finding]:
    """Assessments of visits without images, where nothing is judged."""
    seen, subject = {visit.timepoint.id for visit in visits}, material.subject.id
    return [
        Finding("assessment_without_image", Severity.WARNING, f"{subject} {name}",
                "assessments.csv speaks of a visit without images; nothing is judged there", subject, name)
        for name in material.facts
        if name not in seen
    ]  # fmt: skip


def _timepoint(visit: Visit, lesions: tuple[LesionResult, ...], response: Response) -> TimepointResult:
    is_baseline = visit.timepoint.order == 0
    return TimepointResult(
        visit.timepoint,
        visit.day,
        response.at(visit.timepoint.id),
        lesions,
        response.baseline_sum_mm if is_baseline else None,
    )


def quality_rule(rule: protocol_images.AcquisitionRule) -> AcquisitionRule:
    """What a protocol asks of one modality's series, as numbers."""

    def number(value: Decimal | None) -> float | None:
        return None if value is None else float(value)

    return AcquisitionRule(
        rule.modality,
        number(rule.max_slice_thickness_mm),
        rule.contrast,
        rule.kernels,
        number(rule.min_coverage_mm),
        number(rule.max_pixel_spacing_mm),
    )


def facts_of(record: SeriesRecord) -> AcquisitionFacts:
    """What a series says of its acquisition."""
    return AcquisitionFacts(
        record.subject,
        f"series {record.series_uid}",
        record.modality,
        record.pixel_spacing_mm,
        record.slice_thickness_mm,
        record.slice_gaps_mm,
        record.kernel,
        record.contrast_agent,
    )
