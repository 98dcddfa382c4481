"""What became of subjects by their signed central reads, in place of what a run of the software made of them."""

from __future__ import annotations

from dataclasses import replace

from trialimg.core.responses import OverallResponse
from trialimg.endpoints.vocabulary import CRITERIA
from trialimg.services.figures.courses import Course, TrialCourses
from trialimg.services.radiomics_table import FeatureTable, SubjectOutcome

__all__ = ["with_central_outcomes"]

_RESPONSES = (OverallResponse.CR, OverallResponse.PR)


def with_central_outcomes(table: FeatureTable, trial: TrialCourses) -> FeatureTable:
    """The same features with progression and response of the final central reads.

    A subject without a final read has no known outcome then, whatever the run found.
    """
    outcomes = {one.subject: _outcome(one, trial.criterion) for one in trial.courses}
    there = {one.subject for one in table.lesions}
    return replace(table, outcomes={name: one for name, one in outcomes.items() if name in there})


def _outcome(course: Course, criterion: str) -> SubjectOutcome:
    free = course.progression_free
    if free is None:
        return SubjectOutcome(group=_has_responded(course.best_response, criterion))
    return SubjectOutcome(float(free.days), free.is_event, _has_responded(course.best_response, criterion))


def _has_responded(word: str, criterion: str) -> bool | None:
    """Whether a criterion's word is a response; None where it is none of its words."""
    known = CRITERIA.get(criterion)
    if known is None:
        return None
    member = next((one for one in known.vocabulary.words if one.value == word), None)
    return None if member is None else known.vocabulary.counts_as.get(member.name) in _RESPONSES
