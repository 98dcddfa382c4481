"""The tables that leave the house as CSV: lesions, responses, endpoints, estimates and findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from trialimg.adapters.exporters.analysis_rows import ANALYSIS_COLUMNS, analysis_rows
from trialimg.adapters.exporters.cells import Cell, Column, csv_bytes, one_decimal
from trialimg.adapters.exporters.endpoint_columns import ENDPOINT_COLUMNS
from trialimg.adapters.exporters.wording import segmenter_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.prompts import PointLps
from trialimg.core.responses import CriterionAssessment, Firing, Sums
from trialimg.core.trial import Finding, Subject
from trialimg.imaging.measure import LesionMeasurement
from trialimg.services.results import LesionResult, TimepointResult, TrialResult

__all__ = ["CsvExporter"]


class CsvExporter:
    """`lesions.csv`, `responses.csv`, `endpoints.csv`, `analyses.csv` and `findings.csv`."""

    name = "csv"
    version = "2"

    def export(self, result: TrialResult, out: Path) -> tuple[Path, ...]:
        """Write the five tables into a folder."""
        site_of = {s.subject.id: s.subject.site for s in result.subjects}
        files = {
            "lesions.csv": csv_bytes(_LESION_COLUMNS, _lesion_rows(result)),
            "responses.csv": csv_bytes(_RESPONSE_COLUMNS, _timepoint_rows(result)),
            "endpoints.csv": csv_bytes(ENDPOINT_COLUMNS, result.subjects),
            "analyses.csv": csv_bytes(ANALYSIS_COLUMNS, analysis_rows(result)),
            "findings.csv": csv_bytes(_finding_columns(site_of), result.findings),
        }
        return tuple(write_whole(out / name, data) for name, data in files.items())


@dataclass(frozen=True)
class _TimepointRow:
    subject: Subject
    at: TimepointResult

    @property
    def sums(self) -> Sums:
        """At baseline the sum is the baseline itself, and there is no nadir before it."""
        if self.at.assessment is not None:
            return self.at.assessment.sums
        return Sums(self.at.baseline_sum_mm, self.at.baseline_sum_mm, None)

    def judged(self, answer: str) -> Cell:
        found: Cell = getattr(self.at.assessment, answer, None)
        return found

    def change(self, name: str) -> Decimal | None:
        """A change, which baseline itself has none of."""
        found: Decimal | None = getattr(self.sums, name) if self.at.assessment is not None else None
        return found

    @property
    def decided_by(self) -> Firing | None:
        return self.at.assessment.rule[-1] if self.at.assessment and self.at.assessment.rule else None


@dataclass(frozen=True)
class _LesionRow:
    subject: Subject
    at: TimepointResult
    lesion: LesionResult
    segmenter: str

    def measured(self, name: str) -> Cell:
        found: Cell = getattr(self.lesion.measurement, name, None)
        return found


def _timepoint_rows(result: TrialResult) -> Iterator[_TimepointRow]:
    for subject in result.subjects:
        for timepoint in subject.timepoints:
            yield _TimepointRow(subject.subject, timepoint)


def _lesion_rows(result: TrialResult) -> Iterator[_LesionRow]:
    for subject in result.subjects:
        for timepoint in subject.timepoints:
            for lesion in timepoint.lesions:
                yield _LesionRow(subject.subject, timepoint, lesion, segmenter_of(result))


def _points(line: tuple[PointLps, PointLps]) -> str:
    return " ".join("(" + " ".join(f"{coordinate:.4f}" for coordinate in point) + ")" for point in line)


def _line(measurement: LesionMeasurement | None, name: str) -> str | None:
    return None if measurement is None else _points(getattr(measurement, name))


def _firings(assessment: CriterionAssessment | None) -> tuple[Firing, ...]:
    return assessment.rule if assessment else ()


_LESION_COLUMNS: tuple[Column[_LesionRow], ...] = (
    Column("subject", lambda r: r.subject.id),
    Column("site", lambda r: r.subject.site),
    Column("arm", lambda r: r.subject.arm),
    Column("timepoint", lambda r: r.at.timepoint.id),
    Column("date", lambda r: r.at.timepoint.date),
    Column("day", lambda r: r.at.day),
    Column("lesion", lambda r: r.lesion.observation.lesion.label or r.lesion.observation.lesion.id),
    Column("lesion_id", lambda r: r.lesion.observation.lesion.id),
    Column("role", lambda r: r.lesion.role),
    Column("kind", lambda r: r.lesion.observation.lesion.kind),
    Column("organ", lambda r: r.lesion.observation.lesion.organ),
    Column("location", lambda r: r.lesion.observation.lesion.site),
    Column("seen", lambda r: r.lesion.observation.seen),
    Column("status", lambda r: r.lesion.observation.status),
    Column("reason", lambda r: r.lesion.observation.reason),
    Column("diameter_mm", lambda r: one_decimal(r.lesion.observation.diameter_mm)),
    Column("long_axis_mm", lambda r: r.measured("long_axis_mm")),
    Column("short_axis_mm", lambda r: r.measured("short_axis_mm")),
    Column("caliper_width_mm", lambda r: r.measured("caliper_width_mm")),
    Column("who_product_mm2", lambda r: r.measured("who_product_mm2")),
    Column("fragments", lambda r: r.lesion.fragments),
    Column("volume_ml", lambda r: r.lesion.volume_ml),
    Column("max_3d_mm", lambda r: r.lesion.max_3d_mm),
    Column("slice_index", lambda r: r.measured("slice_index")),
    Column("long_axis_lps_mm", lambda r: _line(r.lesion.measurement, "long_axis_lps_mm")),
    Column("short_axis_lps_mm", lambda r: _line(r.lesion.measurement, "short_axis_lps_mm")),
    Column("flags", lambda r: "; ".join(r.lesion.measurement.flags) if r.lesion.measurement else None),
    Column("convention", lambda r: r.measured("convention")),
    Column("local_therapy", lambda r: r.lesion.observation.local_therapy),
    Column("split_from", lambda r: r.lesion.observation.lesion.split_from),
    Column("merged_into", lambda r: r.lesion.observation.lesion.merged_into),
    Column("series_uid", lambda r: r.lesion.series_uid),
    Column("segmenter", lambda r: r.segmenter),
    Column("evidence", lambda r: "; ".join(e.digest for e in r.lesion.observation.evidence)),
)

_RESPONSE_COLUMNS: tuple[Column[_TimepointRow], ...] = (
    Column("subject", lambda r: r.subject.id),
    Column("site", lambda r: r.subject.site),
    Column("arm", lambda r: r.subject.arm),
    Column("timepoint", lambda r: r.at.timepoint.id),
    Column("date", lambda r: r.at.timepoint.date),
    Column("first_image_date", lambda r: r.at.timepoint.progression_date),
    Column("day", lambda r: r.at.day),
    Column("target", lambda r: r.judged("target")),
    Column("non_target", lambda r: r.judged("non_target")),
    Column("new_lesion", lambda r: r.judged("new_lesion")),
    Column("overall", lambda r: r.judged("overall")),
    Column("sum_mm", lambda r: one_decimal(r.sums.sum_mm)),
    Column("baseline_mm", lambda r: one_decimal(r.sums.baseline_mm)),
    Column("nadir_mm", lambda r: one_decimal(r.sums.nadir_mm)),
    Column("change_from_baseline_mm", lambda r: one_decimal(r.change("change_from_baseline_mm"))),
    Column("change_from_baseline_pct", lambda r: one_decimal(r.change("change_from_baseline_pct"))),
    Column("change_from_baseline_pct_exact", lambda r: r.change("change_from_baseline_pct")),
    Column("change_from_nadir_mm", lambda r: one_decimal(r.change("change_from_nadir_mm"))),
    Column("change_from_nadir_pct", lambda r: one_decimal(r.change("change_from_nadir_pct"))),
    Column("change_from_nadir_pct_exact", lambda r: r.change("change_from_nadir_pct")),
    Column("rule", lambda r: r.decided_by.rule if r.decided_by else None),
    Column("sentence", lambda r: r.decided_by.sentence if r.decided_by else None),
    Column("reasoning", lambda r: "; ".join(f"{f.rule}: {f.sentence}" for f in _firings(r.at.assessment))),
    Column("settings", lambda r: _settings(r.at.assessment)),
)


def _settings(assessment: CriterionAssessment | None) -> str | None:
    if assessment is None:
        return None
    return "; ".join(f"{name}={value}" for name, value in sorted(assessment.settings.items()))


def _finding_columns(site_of: dict[str, str]) -> tuple[Column[Finding], ...]:
    return (
        Column("severity", lambda f: f.severity),
        Column("code", lambda f: f.code),
        Column("site", lambda f: site_of.get(f.subject)),
        Column("subject", lambda f: f.subject),
        Column("timepoint", lambda f: f.timepoint),
        Column("where", lambda f: f.where),
        Column("message", lambda f: f.message),
    )
