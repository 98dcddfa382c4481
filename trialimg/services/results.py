"""What a run found: everything the report, the tables and the datasets are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.lesions import Observation, Role
from trialimg.core.provenance import Provenance
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Finding, Subject, Timepoint
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.imaging.measure import LesionMeasurement
from trialimg.stats.results import Estimate, LogRank, SurvivalCurve

__all__ = [
    "NO_FINAL_READ",
    "ArmComparison",
    "Assessor",
    "BurdenSummary",
    "CohortAnalyses",
    "CohortResult",
    "Concordance",
    "GivenResponsesCheck",
    "KeyImage",
    "LesionResult",
    "ResponseDifference",
    "SubgroupEffect",
    "SubjectResult",
    "SurvivalOnDay",
    "TimeAnalysis",
    "TimepointResult",
    "TrialResult",
    "TruthCheck",
    "TruthDisagreement",
]

NO_FINAL_READ = "no_final_read"
"""Code of what is said of a subject with whom a central review has not come to an end."""


@dataclass(frozen=True, eq=False)
class KeyImage:
    """The slice of a lesion's long axis, cut around it and ready to draw.

    Coordinates of lines are (column, row) in pixels of the cut, pixel centres at whole numbers.
    """

    grey: npt.NDArray[np.uint8]
    """Shape (rows, columns), windowed."""
    pixel_spacing_mm: tuple[float, float]
    """Between columns, between rows."""
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    long_axis: tuple[tuple[float, float], tuple[float, float]] | None
    short_axis: tuple[tuple[float, float], tuple[float, float]] | None
    window: str
    """The grey window used, e.g. ``W 400 L 40 HU``."""
    right_to_left: bool
    """Whether columns run from the patient's right to the left, so that the edges may be marked R and L."""
    slice_lps_mm: float
    """Position of the slice along the stack."""


@dataclass(frozen=True, eq=False)
class LesionResult:
    """One lesion at one timepoint, with what the answer rests on."""

    observation: Observation
    role: Role
    series_uid: str
    """Series it was read on; empty where there was none."""
    measurement: LesionMeasurement | None
    """None where nothing was measured. With several fragments: of the largest one."""
    fragments: int
    """Connected parts measured; over 1 the diameter is their sum (split lesion)."""
    volume_ml: float | None
    max_3d_mm: float | None
    features: Mapping[str, float] = field(default_factory=dict)
    key_image: KeyImage | None = None


@dataclass(frozen=True, eq=False)
class TimepointResult:
    """One assessment of one subject."""

    timepoint: Timepoint
    day: int | None
    """Study day: ``date - reference date + 1``, or the same without 1 before it; there is no day 0."""
    assessment: CriterionAssessment | None
    """None for baseline."""
    lesions: tuple[LesionResult, ...]
    baseline_sum_mm: Decimal | None = None
    """Sum of target diameters at baseline, on the baseline timepoint only."""


@dataclass(frozen=True)
class Assessor:
    """Who judged, as SDTM says it."""

    evaluator: str
    """--EVAL: INDEPENDENT ASSESSOR, INVESTIGATOR."""
    role: str
    """--EVALID: RADIOLOGIST 1; blank where the evaluator is named alone."""

    @property
    def name(self) -> str:
        return self.role or self.evaluator


@dataclass(frozen=True, eq=False)
class SubjectResult:
    """One subject's whole course."""

    subject: Subject
    timepoints: tuple[TimepointResult, ...]
    """Baseline first, then by date."""
    endpoints: SubjectEndpoints | None
    """None where there is no usable baseline."""
    findings: tuple[Finding, ...]
    assessor: Assessor | None = None
    """Who read it; None: the software, or the readers of our own records."""

    @property
    def is_read(self) -> bool:
        """Whether a central review has come to an end with the subject; always so without one."""
        return all(finding.code != NO_FINAL_READ for finding in self.findings)


@dataclass(frozen=True)
class ResponseDifference:
    """One response that our criterion derives otherwise than it was given."""

    subject: str
    assessor: str
    timepoint: str
    given: str
    derived: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class GivenResponsesCheck:
    """Responses that came with their lesions, held against those that the criterion derives from the lesions."""

    compared: int
    equal: int
    differences: tuple[ResponseDifference, ...]
    alone: int
    """Responses given for assessments without lesions: nothing to derive them from."""


@dataclass(frozen=True)
class CohortResult:
    """The trial compared by arm; the arm "all" stands first."""

    objective_response: tuple[tuple[str, Estimate], ...]
    disease_control: tuple[tuple[str, Estimate], ...]
    progression_free: tuple[tuple[str, SurvivalCurve], ...]
    log_rank: LogRank | None
    """None where there are not two arms with an event."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArmComparison:
    """An arm against the control arm."""

    arm: str
    control: str
    hazard_ratio: Estimate
    log_rank: LogRank | None
    why_not: str = ""
    """Why there is no comparison; empty where there is one."""


@dataclass(frozen=True)
class TimeAnalysis:
    """A time to an event under one authority's rules of censoring."""

    name: str
    censoring: str
    medians_days: tuple[tuple[str, Estimate], ...]
    """Arm to the median, with numbers of subjects and events; the arm "all" stands first."""
    deaths: tuple[tuple[str, int], ...]
    """Arm to the events that were deaths without a progression."""
    comparisons: tuple[ArmComparison, ...]


@dataclass(frozen=True)
class SurvivalOnDay:
    """The share without progression or death on a day."""

    arm: str
    day: int
    share: Estimate


@dataclass(frozen=True)
class BurdenSummary:
    """Best change of the sum from baseline, in percent."""

    arm: str
    n: int
    measured: int
    """Subjects with a sum after baseline."""
    median_pct: Decimal | None
    lowest_pct: Decimal | None
    highest_pct: Decimal | None
    decreased: int | None
    """By as much as a partial response asks for; None where the criterion asks for no such number."""
    increased: int | None
    """By as much as progression asks for."""


@dataclass(frozen=True)
class SubgroupEffect:
    """One arm against the control arm, in one category of a baseline characteristic."""

    characteristic: str
    category: str
    comparison: ArmComparison


@dataclass(frozen=True)
class Concordance:
    """Another assessor's answers against those that count, over the subjects that both read."""

    assessor: str
    agreement: Estimate
    """Share of equal best responses."""
    kappa: Estimate | None
    """None where only one word was used."""
    words: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    """Subjects by the word that counts (rows) and the other's (columns)."""
    progressions: tuple[tuple[str, int], ...]
    """How the dates of progression fall: same, later, earlier, only one of the two, neither."""
    early_rate: float | None
    late_rate: float | None


@dataclass(frozen=True)
class CohortAnalyses:
    """Beside the main estimates: comparisons, sensitivity, subgroups, readers."""

    times: tuple[TimeAnalysis, ...]
    """The main one first."""
    on_days: tuple[SurvivalOnDay, ...]
    burdens: tuple[BurdenSummary, ...]
    subgroups: tuple[SubgroupEffect, ...]
    concordances: tuple[Concordance, ...]


@dataclass(frozen=True)
class TruthDisagreement:
    """One response that differs from the known one."""

    subject: str
    timepoint: str
    category: str
    truth: str
    found: str


@dataclass(frozen=True)
class TruthCheck:
    """Agreement with the known answers of a synthetic trial."""

    lesions_compared: int
    median_abs_long_axis_error_mm: float
    median_abs_long_axis_error_voxels: float
    """In units of the larger in-plane voxel edge of each scan."""
    p95_abs_long_axis_error_mm: float
    median_volume_error_pct: float
    responses_compared: int
    responses_equal: int
    disagreements: tuple[TruthDisagreement, ...]


@dataclass(frozen=True, eq=False)
class TrialResult:
    """Everything one run found."""

    trial: str
    title: str
    criterion: str
    protocol: Mapping[str, Any]
    """The protocol with every default filled in."""
    protocol_digest: str
    subjects: tuple[SubjectResult, ...]
    cohort: CohortResult
    findings: tuple[Finding, ...]
    """All of them, those of subjects included."""
    truth: TruthCheck | None
    """Only for a trial that comes with its known answers."""
    provenance: Provenance
    further_reads: tuple[SubjectResult, ...] = ()
    """What further assessors found of the same subjects; none of it is in the cohort."""
    given: GivenResponsesCheck | None = None
    """None where no responses came with the data."""
    covariates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Subject to baseline characteristic to its category."""
    analyses: CohortAnalyses | None = None
    """None where nobody made them."""
