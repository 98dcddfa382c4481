"""What is concluded: the response criterion, the endpoints of a subject, the statistics of the cohort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, WithJsonSchema, field_serializer, field_validator

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.endpoints.settings import PROFILES, EndpointSettings, PlannedVisit
from trialimg.protocol.criteria import Criterion, rules_type
from trialimg.protocol.section import Label, Section
from trialimg.protocol.settings import completed
from trialimg.protocol.trial import Visit

__all__ = ["Endpoint", "Endpoints", "Response", "Statistics"]

Overrides = Annotated[Any, WithJsonSchema({"type": "object"})]
"""A mapping of setting names in a file; the complete frozen dataclass once it has been read (a criterion that is not
built has none: then the mapping itself)."""


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
        rules = rules_type(criterion) if criterion else None
        if rules is not None:
            return value if isinstance(value, rules) else completed(value, rules)
        if not isinstance(value, Mapping):
            raise InvalidValueError(Fault("", "wrong_type", "must be a mapping of rule names to values"))
        return dict(value)


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
    """How best response and time to event are derived (profile, confirmation, minimum stable disease, censoring),
    by name; what is left out is as the profile has it."""

    @field_validator("settings", mode="plain")
    @classmethod
    def _complete(cls, value: object) -> EndpointSettings:
        if isinstance(value, EndpointSettings):
            return value
        if isinstance(value, Mapping) and "schedule" in value:
            message = "the planned visits are those of the section schedule; leave this out"
            raise InvalidValueError(Fault("schedule", "not_here", message))
        profile = value.get("profile", "") if isinstance(value, Mapping) else ""
        start = PROFILES.get(profile, EndpointSettings()) if isinstance(profile, str) else EndpointSettings()
        answer: EndpointSettings = completed(value, start)
        return answer

    @field_serializer("settings")
    def _without_schedule(self, settings: EndpointSettings) -> dict[str, Any]:
        return {item.name: getattr(settings, item.name) for item in fields(settings) if item.name != "schedule"}

    def at_visits(self, visits: Iterable[Visit]) -> Endpoints:
        """The same with the planned assessments, without which missed ones cannot be recognised."""
        planned = tuple(PlannedVisit(visit.id, visit.day, visit.first_day, visit.last_day) for visit in visits)
        return self.model_copy(update={"settings": replace(self.settings, schedule=planned)})


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
    control_arm: str = ""
    """Arm that each other one of those compared is set against, two at a time; empty: the first of them."""
    survival_at_days: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Days at which the share without progression or death is estimated."""
