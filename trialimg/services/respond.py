"""Tables in, responses out: timepoints from lesions, overall from its parts, endpoints from responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Observation, Role
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    Measure,
    NewLesionResponse,
    NonTargetResponse,
    TargetResponse,
)
from trialimg.core.trial import Finding, Subject
from trialimg.criteria.recist11 import BaselineTarget
from trialimg.criteria.registry import Criterion
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.respond_record import record_findings
from trialimg.services.tables import Row, read_table

__all__ = ["Judged", "judge", "overall_rows", "timepoint_rows"]

Cells = dict[str, Any]
"""One line of an answer: column to text, number or nothing."""
FactsOf = Mapping[tuple[str, str], Mapping[str, Any]]
"""(subject, reader) to timepoint to what is known of it."""

_HUNDREDTH = Decimal("0.01")
_IDENTITY = ("subject", "reader", "timepoint", "date")


@dataclass(frozen=True)
class Judged:
    """One reader's record of one subject with the answers to it."""

    reading: SubjectReading
    assessments: tuple[CriterionAssessment, ...]
    findings: tuple[Finding, ...]


def judge(
    readings: Sequence[SubjectReading],
    criterion: Criterion,
    rules: Any,
    *,
    facts: FactsOf | None = None,
    subjects: Mapping[str, Subject] | None = None,
) -> tuple[Judged, ...]:
    """Every follow-up of every subject, and what was wrong with the choice of lesions at baseline.

    Parameters
    ----------
    subjects
        Gives the start date that the age of the baseline is judged by; without them that is not looked at.

    Raises
    ------
    ReadingError
        Naming every contradiction in the records of all subjects.
    """
    judged: list[Judged] = []
    faults: list[Fault] = []
    for reading in readings:
        try:
            judged.append(_judged(reading, criterion, rules, facts or {}, subjects))
        except ReadingError as refused:
            faults += [Fault(f"{reading.subject} {f.where}", f.code, f.message) for f in refused.faults]
    if faults:
        raise ReadingError(f"{len(faults)} contradiction(s), nothing was judged", tuple(faults))
    return tuple(judged)


def _judged(
    reading: SubjectReading,
    criterion: Criterion,
    rules: Any,
    facts: FactsOf,
    subjects: Mapping[str, Subject] | None,
) -> Judged:
    known = facts.get((reading.subject, reading.reader), {})
    assessments = criterion.assess(reading.tracks, reading.designations, reading.timepoints, rules, facts=known)
    return Judged(reading, assessments, tuple(_findings(reading, criterion, rules, subjects)))


def _findings(
    reading: SubjectReading, criterion: Criterion, rules: Any, subjects: Mapping[str, Subject] | None
) -> Iterator[Finding]:
    baseline = reading.timepoints[0]
    at: dict[Role, list[Observation]] = {role: [] for role in Role}
    for track, designation in zip(reading.tracks, reading.designations, strict=True):
        observation = track.at(baseline.id)
        if observation is not None:
            at[designation.role].append(observation)
    targets = [BaselineTarget(seen, reading.slice_mm.get(seen.lesion.id)) for seen in at[Role.TARGET]]
    subject = (subjects or {}).get(reading.subject)
    start = subject.reference_date if subject is not None else None
    found = criterion.conformance(
        reading.subject, targets, baseline, start_date=start, rules=rules, non_targets=at[Role.NON_TARGET]
    )
    yield from (finding for finding in found if subjects is not None or finding.code != "baseline_window_unknown")
    yield from record_findings(reading)


def timepoint_rows(judged: Sequence[Judged]) -> list[Cells]:
    """One line per subject, reader and follow-up; the reader only where the table named any."""
    named = any(one.reading.reader for one in judged)
    rows = [_timepoint_row(one, answer, named) for one in judged for answer in one.assessments]
    columns = dict.fromkeys(name for row in rows for name in row if name != "rule")
    return [{**{name: row.get(name) for name in columns}, "rule": row["rule"]} for row in rows]


def _timepoint_row(one: Judged, answer: CriterionAssessment, named: bool) -> Cells:
    sums = answer.sums
    leading = answer.measures[0] if answer.measures and sums.baseline_mm is None else sums
    return {
        "subject": one.reading.subject,
        **({"reader": one.reading.reader} if named else {}),
        "timepoint": answer.timepoint.id,
        "date": answer.timepoint.date,
        "target": answer.target.value,
        "non_target": answer.non_target.value,
        "new_lesion": answer.new_lesion.value,
        "overall": answer.overall.value,
        "sum_mm": sums.sum_mm,
        "baseline_sum_mm": sums.baseline_mm,
        "nadir_mm": sums.nadir_mm,
        "change_from_baseline_pct": _rounded(leading.change_from_baseline_pct),
        "change_from_nadir_pct": _rounded(leading.change_from_nadir_pct),
        "change_from_nadir_mm": sums.change_from_nadir_mm,
        **_measures(answer.measures),
        **{name: word.value for name, word in answer.parts.items()},
        "rule": " ".join(firing.rule for firing in answer.rule),
    }


def _measures(measures: Sequence[Measure]) -> Cells:
    cells: Cells = {}
    for measure in measures:
        cells[measure.name] = measure.value
        cells[f"{measure.name}_baseline"] = measure.baseline
        cells[f"{measure.name}_nadir"] = measure.nadir
    return cells


def _rounded(percent: Decimal | None) -> Decimal | None:
    """For the eye only; nothing is compared with it."""
    return None if percent is None else percent.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)


def overall_rows(text: str, source: str, criterion: Criterion) -> list[Cells]:
    """The overall response of every line of target, non-target and new lesion.

    Parameters
    ----------
    text, source
        A CSV with the columns ``target, non_target, new`` and the name that the user knows it by. A blank or ``NA``
        target or non-target means that there was none at baseline; a blank ``new`` is ``no``.

    Raises
    ------
    ReadingError
        With every word that is not known and its line.
    """
    if criterion.overall is None or criterion.overall_firing is None:
        why = "target, non-target and new lesion do not decide the overall response; judge the lesions instead"
        raise ReadingError(f"{criterion.title}: {why}")
    table = read_table(text, source, required=("target", "non_target", "new"), optional=_IDENTITY)
    if not table.rows and not table.faults:
        table.fault(1, "empty", "the table has no rows")
    rows = [_overall_row(row, criterion.overall, criterion.overall_firing) for row in table.rows]
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s), nothing was judged", tuple(table.faults))
    return rows


def _overall_row(row: Row, overall: Callable[..., Any], firing: Callable[..., Firing]) -> Cells:
    blank = len(row.table.faults)
    target = row.word("target", TargetResponse) or TargetResponse.NOT_APPLICABLE
    non_target = row.word("non_target", NonTargetResponse) or NonTargetResponse.NOT_APPLICABLE
    new = row.word("new", NewLesionResponse) or NewLesionResponse.NO
    if len(row.table.faults) > blank:
        return {}
    return {
        **row.cells,
        "overall": overall(target, non_target, new).value,
        "rule": firing(target, non_target, new).rule,
    }
