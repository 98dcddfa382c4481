"""What is odd about a record of lesions, though nothing in it is wrong by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from trialimg.core.lesions import Role
from trialimg.core.trial import Finding, Severity
from trialimg.services.respond_lesions import SubjectReading

__all__ = ["record_findings"]

_NUMBERED = re.compile(r"(.*?)(\d+)")


def record_findings(reading: SubjectReading) -> Iterator[Finding]:
    """A baseline that nobody named, targets that were not there yet, visits whose dates do not follow their names."""
    baseline = reading.timepoints[0]
    if reading.baseline_assumed:
        text = f"no timepoint is called baseline; {baseline.id}, the earliest, is taken for it"
        yield _finding(reading, "baseline_assumed", baseline.id, text)
    for track, designation in zip(reading.tracks, reading.designations, strict=True):
        lesion = track.lesion
        if designation.role is Role.TARGET and lesion.split_from is None and track.at(baseline.id) is None:
            text = f"target {lesion.id} is not recorded at baseline, so the targets have no sum there"
            yield _finding(reading, "target_without_baseline", baseline.id, text)
    numbered = [(t.id, found[1], int(found[2])) for t in reading.timepoints if (found := _NUMBERED.fullmatch(t.id))]
    for (earlier, name, number), (later, same, following) in pairwise(numbered):
        if name == same and following < number:
            text = f"{later} is dated after {earlier}; timepoints are judged in order of their dates"
            yield _finding(reading, "visit_order", later, text)


def _finding(reading: SubjectReading, code: str, timepoint: str, message: str) -> Finding:
    where = " ".join(part for part in (reading.subject, reading.reader, timepoint) if part)
    return Finding(code, Severity.WARNING, where, message, reading.subject, timepoint)
