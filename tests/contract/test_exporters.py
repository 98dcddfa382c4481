"""What every exporter promises, and what a reader of its files relies on."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.fakes.courses import COURSES, Course, Row
from tests.fakes.results import subject_result, trial_result
from trialimg.adapters.exporters.csv_tables import CsvExporter
from trialimg.adapters.exporters.radiomics_table import ParquetExporter
from trialimg.adapters.exporters.report.html import HtmlExporter
from trialimg.adapters.exporters.report.pdf import PdfExporter
from trialimg.bootstrap import exporters
from trialimg.core.errors import ProtocolError
from trialimg.core.lesions import Seen
from trialimg.core.trial import Finding, Severity
from trialimg.services.ports import Exporter
from trialimg.services.results import TrialResult

EXPORTERS = [CsvExporter(), ParquetExporter(), HtmlExporter(), pytest.param(PdfExporter(), marks=pytest.mark.slow)]

NOBODY_EVALUABLE = [course for course in COURSES if course.id in ("S-1011", "S-1012")]
ONE_ARM_NO_EVENT = [course for course in COURSES if course.id in ("S-1001", "S-1002", "S-1003")]

SOME = [course for course in COURSES if course.id in ("S-1005", "S-1010", "S-1012")]
"""A gap, a new lesion with death, and a subject without a usable baseline."""

EDGE_CASES: dict[str, Sequence[Course]] = {
    "nobody evaluable": NOBODY_EVALUABLE,
    "one arm without an event": ONE_ARM_NO_EVENT,
    "nobody at all": (),
}


def digests(paths: Sequence[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def result() -> TrialResult:
    return trial_result()


@pytest.fixture(scope="module")
def tables(result: TrialResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables")
    CsvExporter().export(result, out)
    ParquetExporter().export(result, out)
    return out


def test_every_name_that_no_exporter_has_is_refused_at_once() -> None:
    with pytest.raises(ProtocolError) as refusal:
        exporters(["html", "docx", "xlsx"])
    assert [fault.code for fault in refusal.value.faults] == ["unknown_exporter"] * 2
    assert "csv, html, parquet, pdf" in refusal.value.faults[0].message


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda exporter: exporter.name)
class TestEveryExporter:
    def test_same_result_same_bytes(self, exporter: Exporter, tmp_path: Path) -> None:
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
        first = exporter.export(trial_result(SOME), tmp_path / "first")
        second = exporter.export(trial_result(SOME), tmp_path / "second")
        assert first
        assert digests(first) == digests(second)

    @pytest.mark.parametrize("case", EDGE_CASES)
    def test_every_kind_of_trial_is_written(self, exporter: Exporter, case: str, tmp_path: Path) -> None:
        written = exporter.export(trial_result(EDGE_CASES[case]), tmp_path)
        assert set(written) == set(tmp_path.iterdir()), "nothing unfinished is left, and every file is named"
        assert all(path.stat().st_size > 0 for path in written)

    def test_a_second_export_takes_the_place_of_the_first(self, exporter: Exporter, tmp_path: Path) -> None:
        before = exporter.export(trial_result(()), tmp_path)
        seen = digests(before)
        written = exporter.export(trial_result(NOBODY_EVALUABLE), tmp_path)
        assert set(written) == set(tmp_path.iterdir())
        assert digests(written) != seen

    def test_it_is_found_by_its_name(self, exporter: Exporter) -> None:
        (found,) = exporters([exporter.name])
        assert type(found) is type(exporter)
        assert found.version


class TestTables:
    def test_one_row_per_subject_timepoint_and_lesion(self, result: TrialResult, tables: Path) -> None:
        expected = [
            (s.subject.id, t.timepoint.id, r.observation.lesion.id)
            for s in result.subjects
            for t in s.timepoints
            for r in t.lesions
        ]
        rows = table(tables, "lesions.csv")
        assert [(r["subject"], r["timepoint"], r["lesion_id"]) for r in rows] == expected
        assert all(r["segmenter"] == "classical@1" for r in rows)

    def test_a_read_diameter_has_one_decimal_and_its_unrounded_value_stands_apart(self, tables: Path) -> None:
        row = next(
            r for r in table(tables, "lesions.csv") if r["lesion_id"] == "S-1001.T01" and r["timepoint"] == "W08"
        )
        assert row["diameter_mm"] == "27.9"
        assert float(row["long_axis_mm"]) == 27.9137
        assert row["evidence"].startswith("sha256:")
        assert row["long_axis_lps_mm"] == "(-60.0000 20.0000 -310.5000) (-32.0863 20.0000 -310.5000)"

    def test_what_was_not_measured_is_blank_and_says_why(self, tables: Path) -> None:
        unmeasured = [r for r in table(tables, "lesions.csv") if r["seen"] != Seen.MEASURED.value]
        assert {r["seen"] for r in unmeasured} == {"too_small", "absent", "not_evaluable"}
        assert {r["diameter_mm"] + r["long_axis_mm"] + r["volume_ml"] for r in unmeasured} == {""}
        assert all(r["reason"] for r in unmeasured if r["seen"] == "not_evaluable")

    def test_a_response_carries_its_sums_rule_and_sentence(self, tables: Path) -> None:
        rows = {(r["subject"], r["timepoint"]): r for r in table(tables, "responses.csv")}
        row = rows["S-1001", "W08"]
        assert (row["overall"], row["sum_mm"], row["baseline_mm"]) == ("PR", "44.2", "66.3")
        assert row["change_from_baseline_pct"] == "-33.3"
        exact = (Decimal("44.2") - Decimal("66.3")) * 100 / Decimal("66.3")
        assert Decimal(row["change_from_baseline_pct_exact"]) == exact
        assert row["rule"] == "R-1.1/O1"
        assert "R-1.1/T4: 44.2 mm <= 0.7 x 66.3 mm: PR" in row["reasoning"]

    def test_baseline_has_a_sum_and_no_response_and_no_change(self, tables: Path) -> None:
        row = table(tables, "responses.csv")[0]
        assert (row["timepoint"], row["sum_mm"], row["baseline_mm"]) == ("BL", "66.3", "66.3")
        blank = ("overall", "nadir_mm", "change_from_baseline_mm", "change_from_baseline_pct", "rule", "settings")
        assert {row[name] for name in blank} == {""}

    def test_an_unknown_sum_is_blank_not_zero(self, tables: Path) -> None:
        rows = {(r["subject"], r["timepoint"]): r for r in table(tables, "responses.csv")}
        row = rows["S-1005", "W08"]
        assert (row["overall"], row["sum_mm"], row["change_from_baseline_pct"]) == ("NE", "", "")

    def test_endpoints_hold_everyone_also_those_without_baseline(self, result: TrialResult, tables: Path) -> None:
        rows = table(tables, "endpoints.csv")
        assert [r["subject"] for r in rows] == [s.subject.id for s in result.subjects]
        without = rows[-1]
        assert without["usable_baseline"] == "N"
        assert {without[name] for name in ("best_response", "responder", "pfs_days", "pfs_event")} == {""}
        assert (rows[0]["pfs_days"], rows[0]["pfs_event"], rows[0]["pfs_rule"]) == ("225", "N", "R-1.1/P3")

    def test_findings_name_their_site(self, result: TrialResult, tables: Path) -> None:
        rows = table(tables, "findings.csv")
        assert len(rows) == len(result.findings)
        assert next(r for r in rows if r["code"] == "slices_missing")["site"] == "03"

    def test_text_that_a_spreadsheet_would_run_is_disarmed_and_numbers_are_not(self, tmp_path: Path) -> None:
        formula = '=HYPERLINK("http://example.org","open")'
        course = Course("-1+1", "@site", "A", [Row("T01", formula, [20.0, 10.0])], weeks=(-1, 8))
        result = trial_result([course])
        finding = Finding("+code", Severity.WARNING, "\tsomewhere", formula, course.id)
        CsvExporter().export(replace(result, findings=(finding,)), tmp_path)
        texts = [
            cell
            for name in ("lesions.csv", "responses.csv", "endpoints.csv", "findings.csv")
            for row in table(tmp_path, name)
            for cell in row.values()
        ]
        dangerous = [cell for cell in texts if cell.startswith(("=", "+", "@", "\t", "-"))]
        assert dangerous
        assert all(Decimal(cell) < 0 for cell in dangerous), "only numbers may start with a sign"
        assert f"'{formula}" in texts


class TestRadiomicsTable:
    def test_features_deltas_and_percentages_are_columns(self, result: TrialResult, tables: Path) -> None:
        found = pq.read_table(tables / "radiomics.parquet")
        subject = result.subjects[0]
        baseline, week_8 = (t.lesions[0].features["original_firstorder_Mean"] for t in subject.timepoints[:2])
        row = found.slice(3, 1).to_pylist()[0]
        assert (row["subject"], row["timepoint"], row["lesion"]) == ("S-1001", "W08", "T01")
        assert row["original_firstorder_Mean"] == week_8
        assert row["delta_original_firstorder_Mean"] == week_8 - baseline
        assert row["pct_original_firstorder_Mean"] == pytest.approx(100 * (week_8 - baseline) / abs(baseline))

    def test_what_does_not_exist_is_null(self, tables: Path) -> None:
        rows = pq.read_table(tables / "radiomics.parquet").to_pylist()
        baseline = [r for r in rows if r["timepoint"] == "BL"]
        assert {r["delta_original_shape_MeshVolume"] for r in baseline} == {None}
        unmeasured = [r for r in rows if r["seen"] != "measured"]
        assert unmeasured
        assert {r["original_shape_MeshVolume"] for r in unmeasured} == {None}
        new = [r for r in rows if r["role"] == "new"]
        assert new
        assert {r["pct_original_shape_MeshVolume"] for r in new} == {None}

    def test_a_percentage_of_a_baseline_of_zero_does_not_exist(self, tmp_path: Path) -> None:
        result = trial_result()
        first = subject_result(COURSES[0])
        features = ({"original_firstorder_Mean": 0.0}, {"original_firstorder_Mean": 4.0})
        lesions = [replace(t.lesions[0], features=f) for t, f in zip(first.timepoints[:2], features, strict=True)]
        timepoints = [replace(t, lesions=(r,)) for t, r in zip(first.timepoints[:2], lesions, strict=True)]
        ParquetExporter().export(replace(result, subjects=(replace(first, timepoints=tuple(timepoints)),)), tmp_path)
        row = pq.read_table(tmp_path / "radiomics.parquet").to_pylist()[1]
        assert (row["delta_original_firstorder_Mean"], row["pct_original_firstorder_Mean"]) == (4.0, None)

    def test_columns_are_typed_and_carry_no_index(self, tables: Path) -> None:
        schema = pq.read_schema(tables / "radiomics.parquet")
        assert str(schema.field("date").type) == "date32[day]"
        assert str(schema.field("original_shape_MeshVolume").type) == "double"
        assert b"pandas" not in schema.metadata
        assert schema.metadata[b"trial"] == b"LUMEN-301"
