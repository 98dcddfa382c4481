"""Named settings of another room, completed from the few that a protocol overrides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, create_model

from trialimg.core.digest import plain
from trialimg.core.errors import Fault, InvalidValueError
from trialimg.protocol.faults import faults_of
from trialimg.protocol.section import Section

__all__ = ["completed"]


def completed(overrides: object, settings: Any) -> Any:
    """The settings with some of their fields replaced.

    Parameters
    ----------
    overrides
        Field name to value, as read from a file.
    settings
        A frozen dataclass, or one that is complete already and that the overrides start from.

    Raises
    ------
    InvalidValueError
        Naming every unknown setting and every value that does not fit.
    """
    if not isinstance(overrides, Mapping):
        raise InvalidValueError(Fault("", "wrong_type", "must be a mapping of setting names to values"))
    kind, start = (settings, {}) if isinstance(settings, type) else (type(settings), plain(settings))
    holder = _holder(kind)
    try:
        return holder.model_validate_json(json.dumps({"": start | dict(overrides)})).held
    except ValidationError as error:
        raise InvalidValueError(*faults_of(error, holder.model_json_schema())) from None


def _holder(kind: type[Any]) -> type[Any]:
    """A section with the settings as its one field: a stdlib dataclass takes its strictness from where it stands."""
    return create_model("Holder", __base__=Section, held=(kind, Field(alias="")))
