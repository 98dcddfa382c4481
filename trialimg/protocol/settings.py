"""Named settings of another room, completed from the few that a protocol overrides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, create_model

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.protocol.faults import faults_of
from trialimg.protocol.section import Section

__all__ = ["completed"]


def completed(value: object, settings: type[Any] | None) -> object:
    """The settings dataclass with the given fields replaced.

    Parameters
    ----------
    value
        Field name to value, as read from a file; or the dataclass itself.
    settings
        The frozen dataclass; None where it is not known yet: then the overrides are kept as they are.

    Raises
    ------
    InvalidValueError
        Naming every unknown setting and every value that does not fit.
    """
    if settings is not None and isinstance(value, settings):
        return value
    if not isinstance(value, Mapping):
        raise InvalidValueError(Fault("", "wrong_type", "must be a mapping of setting names to values"))
    if settings is None:
        return dict(value)
    holder = _holder(settings)
    try:
        return holder.model_validate_json(json.dumps({"": value}, default=str)).held
    except ValidationError as error:
        raise InvalidValueError(*faults_of(error, holder.model_json_schema())) from None


def _holder(settings: type[Any]) -> type[Any]:
    """A section with the settings as its one field: a stdlib dataclass takes its strictness from where it stands."""
    return create_model("Holder", __base__=Section, held=(settings, Field(alias="")))
