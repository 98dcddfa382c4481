"""A subject's endpoints under the other authority's rules of censoring, all else as the protocol has it."""

from __future__ import annotations

from dataclasses import replace

from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import Censoring, EndpointSettings
from trialimg.endpoints.summary import summarise
from trialimg.services.results import SubjectResult

__all__ = ["under_other_censoring", "with_other_censoring"]


def with_other_censoring(settings: EndpointSettings) -> EndpointSettings:
    """The EMA's rules where the protocol has the FDA's, and the other way round."""
    other = Censoring.EMA if settings.censoring is Censoring.FDA else Censoring.FDA
    return replace(settings, censoring=other)


def under_other_censoring(subject: SubjectResult, settings: EndpointSettings) -> SubjectEndpoints | None:
    """What the same assessments come to; None without a usable baseline.

    Parameters
    ----------
    settings
        Those of the protocol.
    """
    if subject.endpoints is None:
        return None
    assessments = [at.assessment for at in subject.timepoints if at.assessment is not None]
    baseline = next((at.timepoint for at in subject.timepoints if at.assessment is None), None)
    return summarise(subject.subject, assessments, baseline=baseline, settings=with_other_censoring(settings))
