"""What is concluded: the response criterion, the endpoints of a subject, the statistics of the cohort."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator

from trialimg.protocol.criteria import Criterion, endpoint_settings_type, rules_type
from trialimg.protocol.section import Label, Section
from trialimg.protocol.settings import completed

__all__ = ["Endpoint", "Endpoints", "Response", "Statistics"]

Overrides = Annotated[Any, WithJsonSchema({"type": "object"})]
"""A mapping of setting names in a file; the complete frozen dataclass once it has been read."""


class Response(Section):
    """How a timepoint is judged."""

    criterion: Criterion
    """Published criterion, by name."""
    rules: Overrides = Field(default_factory=dict, validate_default=True)
    """Numbers and named options of the criterion that differ from its published ones, by name."""

    @field_validator("rules", mode="plain")
    @classmethod
    def _complete(cls, value: object, info: ValidationInfo) -> object:
        criterion = info.data.get("criterion")
        return completed(value, rules_type(criterion) if criterion else None)


class Endpoint(Enum):
    """What is reported of every subject and of the cohort."""

    ORR = "ORR"
    """Objective response rate."""
    DCR = "DCR"
    """Disease control rate."""
    DOR = "DoR"
    """Duration of response."""
    PFS = "PFS"
    """Progression-free survival."""
    BEST_CHANGE = "best_change"
    """Best percentage change of the sum of diameters."""


class Endpoints(Section):
    """What is concluded for each subject."""

    report: Annotated[tuple[Endpoint, ...], Field(min_length=1)] = tuple(Endpoint)
    """Endpoints in the report, in this order."""
    settings: Overrides = Field(default_factory=dict, validate_default=True)
    """How best response and time to event are derived (confirmation, minimum stable disease, censoring), by name."""

    @field_validator("settings", mode="plain")
    @classmethod
    def _complete(cls, value: object) -> object:
        return completed(value, endpoint_settings_type())


class Statistics(Section):
    """How the cohort is estimated and the arms are compared."""

    confidence: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.95")
    """Coverage of every two-sided interval."""
    rate_interval: Literal["clopper_pearson", "wilson"] = "clopper_pearson"
    """Interval of a proportion."""
    survival_interval: Literal["log_log"] = "log_log"
    """Pointwise interval of a Kaplan-Meier curve."""
    compare_arms: tuple[Label, ...] = ()
    """Arms that are compared, at least two; empty: no comparison."""
    comparison: Literal["log_rank"] = "log_rank"
    """Test of equal progression-free survival."""
