"""Tumour burden over time: how far the sum of diameters fell, and when."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.core.responses import (
    CriterionAssessment,
    ImmuneModifiedResponse,
    ImmuneRelatedResponse,
    ImmuneResponse,
    OverallResponse,
)
from trialimg.core.trial import Timepoint
from trialimg.endpoints.growth import GrowthRates, growth_rates
from trialimg.endpoints.results import TumourBurden

__all__ = ["tumour_burden", "tumour_growth"]

_NOTHING = TumourBurden(None, None, None, None)
_PROGRESSIONS = (OverallResponse.PD, ImmuneResponse.PD, ImmuneRelatedResponse.PD, ImmuneModifiedResponse.PD)


def tumour_burden(assessments: Sequence[CriterionAssessment], baseline: Timepoint | None) -> TumourBurden:
    """Best change from baseline and the nadir, over the assessments up to and with the first progression.

    Where progressions are confirmed, that is the first confirmed one.

    A timepoint whose sum could not be made (a target missing) takes no part.
    """
    sums = [(a.sums.sum_mm, a) for a in _until_progression(assessments) if a.sums.sum_mm is not None]
    if not sums:
        return _NOTHING
    lowest_mm, lowest = min(sums, key=lambda pair: pair[0])
    change_pct = lowest.sums.change_from_baseline_pct
    best_date = lowest.timepoint.date if change_pct is not None else None
    baseline_mm = lowest.sums.baseline_mm
    nadir_mm, nadir_date = lowest_mm, lowest.timepoint.date
    if baseline is not None and baseline_mm is not None and baseline_mm <= lowest_mm:
        nadir_mm, nadir_date = baseline_mm, baseline.date
    days = (nadir_date - baseline.date).days if baseline is not None else None
    return TumourBurden(change_pct, best_date, nadir_mm, nadir_date, days)


def tumour_growth(assessments: Sequence[CriterionAssessment], baseline: Timepoint) -> GrowthRates | None:
    """Growth and regression rate of the sum of diameters, over all assessments whose sum is known; None where none.

    Time runs from the baseline imaging. Assessments after a progression count too: a rate is about the course of the
    tumour, not about the response.
    """
    if not assessments or assessments[0].sums.baseline_mm is None:
        return None
    known = [(a.timepoint.date, a.sums.sum_mm) for a in assessments if a.sums.sum_mm is not None]
    first = (0.0, float(assessments[0].sums.baseline_mm))
    course = [first, *((float((day - baseline.date).days), float(sum_mm)) for day, sum_mm in known)]
    return growth_rates(course)


def _until_progression(assessments: Sequence[CriterionAssessment]) -> Sequence[CriterionAssessment]:
    for index, assessment in enumerate(assessments):
        if assessment.overall in _PROGRESSIONS:
            return assessments[: index + 1]
    return assessments
