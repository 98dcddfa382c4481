"""Why a response is what it is, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.responses import CriterionAssessment, Firing
from trialimg.core.settings import shown
from trialimg.core.trial import Finding
from trialimg.services.respond import Judged

__all__ = ["ExplainedTimepoint", "Explanation", "explained", "explanation_text"]


@dataclass(frozen=True)
class ExplainedTimepoint:
    """One response with everything that led to it."""

    subject: str
    reader: str
    timepoint: str
    date: str
    overall: str
    rules: tuple[Firing, ...]


@dataclass(frozen=True)
class Explanation:
    """The reasons of every response that was asked for."""

    criterion: str
    settings: dict[str, str]
    timepoints: tuple[ExplainedTimepoint, ...]
    findings: tuple[Finding, ...]


def explained(
    judged: Sequence[Judged], criterion: str, rules: Any, *, subject: str | None = None, timepoint: str | None = None
) -> Explanation:
    """The reasons of all responses, or of those of one subject or timepoint.

    Raises
    ------
    ReadingError
        If there is no response of that subject or timepoint.
    """
    chosen = [one for one in judged if subject in (None, one.reading.subject)]
    reasons = tuple(
        _explained(one, answer)
        for one in chosen
        for answer in one.assessments
        if timepoint in (None, answer.timepoint.id)
    )
    if not reasons:
        what = " ".join(name for name in (subject, timepoint) if name) or "this table"
        raise ReadingError(f"there is no response to explain for {what}; baseline has none")
    return Explanation(criterion, shown(rules), reasons, tuple(f for one in chosen for f in one.findings))


def _explained(one: Judged, answer: CriterionAssessment) -> ExplainedTimepoint:
    visit = answer.timepoint
    return ExplainedTimepoint(
        one.reading.subject, one.reading.reader, visit.id, str(visit.date), answer.overall.value, answer.rule
    )


def explanation_text(explanation: Explanation) -> str:
    """The reasons as plain text: one paragraph per response, then the findings, then every setting in force."""
    lines: list[str] = []
    for reason in explanation.timepoints:
        who = f"{reason.subject} ({reason.reader})" if reason.reader else reason.subject
        lines.append(f"{who}, {reason.timepoint}, {reason.date}: {reason.overall}")
        lines += [f"  {firing.rule:<12} {firing.sentence}" for firing in reason.rules]
        lines.append("")
    lines += [f"Note: {finding.where}: {finding.message}" for finding in explanation.findings]
    settings = ", ".join(f"{name}={value}" for name, value in explanation.settings.items())
    lines.append(f"{explanation.criterion} with {settings}")
    return "\n".join(lines) + "\n"
