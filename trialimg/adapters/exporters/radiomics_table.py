"""Radiomic features as Parquet: one row per subject, timepoint and lesion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.trial import Subject
from trialimg.services.results import LesionResult, TimepointResult, TrialResult

__all__ = ["ParquetExporter"]

_ABOUT = (
    ("subject", pa.string()),
    ("site", pa.string()),
    ("arm", pa.string()),
    ("timepoint", pa.string()),
    ("date", pa.date32()),
    ("day", pa.int32()),
    ("lesion", pa.string()),
    ("lesion_id", pa.string()),
    ("role", pa.string()),
    ("kind", pa.string()),
    ("organ", pa.string()),
    ("seen", pa.string()),
    ("series_uid", pa.string()),
)


class ParquetExporter:
    """`radiomics.parquet`."""

    name = "parquet"
    version = "1"

    def export(self, result: TrialResult, out: Path) -> tuple[Path, ...]:
        """Write the table into a folder."""
        return (write_whole(out / "radiomics.parquet", _parquet_bytes(result)),)


@dataclass(frozen=True)
class _Row:
    subject: Subject
    at: TimepointResult
    lesion: LesionResult
    baseline: Mapping[str, float] | None
    """The lesion's features at baseline; None at baseline itself."""

    def about(self) -> tuple[object, ...]:
        observation = self.lesion.observation
        lesion = observation.lesion
        return (
            self.subject.id,
            self.subject.site,
            self.subject.arm,
            self.at.timepoint.id,
            self.at.timepoint.date,
            self.at.day,
            lesion.label or lesion.id,
            lesion.id,
            self.lesion.role.value,
            lesion.kind.value,
            lesion.organ,
            observation.seen.value,
            self.lesion.series_uid or None,
        )

    def value(self, feature: str) -> float | None:
        return self.lesion.features.get(feature)

    def delta(self, feature: str) -> float | None:
        value, before = self.value(feature), (self.baseline or {}).get(feature)
        return None if value is None or before is None else value - before

    def percent(self, feature: str) -> float | None:
        delta, before = self.delta(feature), (self.baseline or {}).get(feature)
        return None if delta is None or not before else 100 * delta / abs(before)


def _parquet_bytes(result: TrialResult) -> bytes:
    """Features of every lesion at every timepoint, and their change from the lesion's own baseline.

    For each feature three columns of 64-bit floats: the value, ``delta_<name>`` (value - baseline) and ``pct_<name>``
    (100 x delta / absolute value of baseline). A null is a value that does not exist: the lesion was not measured, the
    feature is undefined for its region, there is no baseline (or it is 0, for the percentage).
    """
    rows = tuple(_rows(result))
    features = sorted({name for row in rows for name in row.lesion.features})
    about = list(zip(*(row.about() for row in rows), strict=True)) or [()] * len(_ABOUT)
    columns = [pa.array(values, kind) for values, (_, kind) in zip(about, _ABOUT, strict=True)]
    names = [name for name, _ in _ABOUT]
    for prefix, read in (("", _Row.value), ("delta_", _Row.delta), ("pct_", _Row.percent)):
        columns += [pa.array([read(row, feature) for row in rows], pa.float64()) for feature in features]
        names += [prefix + feature for feature in features]
    table = pa.table(columns, names=names).replace_schema_metadata(
        {"trial": result.trial, "protocol_digest": result.protocol_digest, "software": result.provenance.software}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _rows(result: TrialResult) -> Iterator[_Row]:
    for subject in result.subjects:
        first: dict[str, Mapping[str, float]] = {}
        for at in subject.timepoints:
            is_baseline = at.assessment is None
            for lesion in at.lesions:
                name = lesion.observation.lesion.id
                if is_baseline:
                    first[name] = lesion.features
                yield _Row(subject.subject, at, lesion, None if is_baseline else first.get(name))
