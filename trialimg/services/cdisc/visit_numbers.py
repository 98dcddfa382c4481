"""The visits of a schedule as SDTM numbers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trialimg.services.cdisc.course import StudyVisit

__all__ = ["VisitNumbers"]


@dataclass(frozen=True)
class VisitNumbers:
    """Planned visits by id; an unscheduled one is numbered between those around it."""

    planned: Mapping[str, StudyVisit]

    @classmethod
    def of(cls, schedule: Mapping[str, Any]) -> VisitNumbers:
        """The visits of a protocol's schedule: baseline 1, then in order of day."""
        baseline, visits = schedule["baseline"], sorted(schedule["visits"], key=lambda visit: visit["day"])
        first = StudyVisit(Decimal(1), baseline["id"].upper(), baseline.get("day"))
        later = {v["id"]: StudyVisit(Decimal(n), v["id"].upper(), v["day"]) for n, v in enumerate(visits, start=2)}
        return cls({baseline["id"]: first, **later})

    def number(self, timepoints: Sequence[str]) -> list[StudyVisit]:
        """The visits of a subject, in order of date: 2.01 is the first unscheduled one after visit 2."""
        answer: list[StudyVisit] = []
        last = Decimal(1)
        for name in timepoints:
            visit = self.planned.get(name)
            if visit is None:
                last += Decimal("0.01")
                visit = StudyVisit(last, f"UNSCHEDULED {last}", None)
            last = max(last, visit.number)
            answer.append(visit)
        return answer
