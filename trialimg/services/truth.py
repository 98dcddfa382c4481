"""How near a run comes to the known answers of a synthetic trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import Seen
from trialimg.services.results import LesionResult, SubjectResult, TimepointResult, TruthCheck, TruthDisagreement
from trialimg.services.tables import Row, read_table

__all__ = ["TRUTH_COLUMNS", "check_truth"]

TRUTH_COLUMNS = (
    "record", "subject", "timepoint", "date", "lesion", "role", "kind", "organ", "seen", "diameter_mm",
    "long_axis_mm", "short_axis_mm", "volume_ml", "fragments", "target", "non_target", "new_lesion", "overall",
    "best_overall",
)  # fmt: skip
_RESPONSES = ("target", "non_target", "new_lesion", "overall")


@dataclass
class _Errors:
    long_axis_mm: list[float] = field(default_factory=list)
    long_axis_voxels: list[float] = field(default_factory=list)
    volume_pct: list[float] = field(default_factory=list)


def check_truth(
    text: str, subjects: Sequence[SubjectResult], pixel_mm: Mapping[str, float], *, words: bool = True
) -> TruthCheck:
    """Measured agreement with ``truth.csv``; what it leaves blank is not compared.

    Parameters
    ----------
    text
        The table.
    subjects
        What the run found.
    pixel_mm
        Series UID to its larger in-plane voxel edge in mm.
    words
        Responses are compared too. They are those of RECIST 1.1, so by other criteria they are not.

    Raises
    ------
    ReadingError
        If the table is not such a table, or compares with nothing.
    """
    table = read_table(text, "truth.csv", required=TRUTH_COLUMNS)
    if table.faults:
        raise ReadingError("truth.csv cannot be read; make the sample anew", tuple(table.faults))
    found = {result.subject.id: result for result in subjects}
    errors = _Errors()
    compared: list[TruthDisagreement | None] = []
    for row in table.rows:
        subject = found.get(row.text("subject"))
        if row.text("record") == "lesion":
            lesion = _lesion(subject, row)
            compared += _compare_seen(row, lesion)
            _add_errors(errors, row, lesion, pixel_mm)
        elif words:
            compared += [_compare(row, name, word) for name, word in _answers(subject, row) if row.text(name)]
    if not errors.long_axis_mm or not compared:
        raise ReadingError("truth.csv shares no measured lesion or response with this run")
    return TruthCheck(
        lesions_compared=len(errors.long_axis_mm),
        median_abs_long_axis_error_mm=float(np.median(errors.long_axis_mm)),
        median_abs_long_axis_error_voxels=float(np.median(errors.long_axis_voxels)),
        p95_abs_long_axis_error_mm=float(np.percentile(errors.long_axis_mm, 95)),
        median_volume_error_pct=float(np.median(errors.volume_pct)),
        responses_compared=len(compared),
        responses_equal=compared.count(None),
        disagreements=tuple(item for item in compared if item is not None),
    )


def _lesion(subject: SubjectResult | None, row: Row) -> LesionResult | None:
    timepoint = _timepoint(subject, row)
    lesions = timepoint.lesions if timepoint is not None else ()
    return next((item for item in lesions if item.observation.lesion.label == row.text("lesion")), None)


def _timepoint(subject: SubjectResult | None, row: Row) -> TimepointResult | None:
    timepoints = subject.timepoints if subject is not None else ()
    return next((item for item in timepoints if item.timepoint.id == row.text("timepoint")), None)


def _compare_seen(row: Row, lesion: LesionResult | None) -> list[TruthDisagreement | None]:
    """Whether the lesion was seen as it is: measured, too small, absent, not evaluable."""
    truth = row.text("seen")
    if not truth:
        return []
    seen = lesion.observation.seen.value if lesion is not None else "(not found)"
    return [None if seen == truth else _disagreement(row, f"{row.text('lesion')} seen", truth, seen)]


def _add_errors(errors: _Errors, row: Row, lesion: LesionResult | None, pixel_mm: Mapping[str, float]) -> None:
    """Long axis and volume of a lesion in one piece that was measured; a split one has no one long axis."""
    truth_mm, truth_ml = row.number("long_axis_mm"), row.number("volume_ml")
    if lesion is None or lesion.measurement is None or truth_mm is None or row.text("seen") != Seen.MEASURED.value:
        return
    if lesion.fragments != 1 or row.text("fragments") not in ("", "1"):
        return
    error_mm = abs(lesion.measurement.long_axis_mm - truth_mm)
    errors.long_axis_mm.append(error_mm)
    errors.long_axis_voxels.append(error_mm / pixel_mm[lesion.series_uid])
    if truth_ml and lesion.volume_ml is not None:
        errors.volume_pct.append(100 * (lesion.volume_ml - truth_ml) / truth_ml)


def _answers(subject: SubjectResult | None, row: Row) -> Iterator[tuple[str, str]]:
    """Column and the run's word for each response of a timepoint or subject row."""
    if row.text("record") == "subject":
        best = subject.endpoints.best.response.value if subject is not None and subject.endpoints else ""
        yield "best_overall", best
        return
    timepoint = _timepoint(subject, row)
    assessment = timepoint.assessment if timepoint is not None else None
    for name in _RESPONSES:
        yield name, str(getattr(assessment, name).value) if assessment is not None else ""


def _compare(row: Row, column: str, answer: str) -> TruthDisagreement | None:
    truth = row.text(column)
    return None if truth == answer else _disagreement(row, column, truth, answer)


def _disagreement(row: Row, category: str, truth: str, found: str) -> TruthDisagreement:
    return TruthDisagreement(row.text("subject"), row.text("timepoint"), category, truth, found or "(none)")
