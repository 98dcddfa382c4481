"""What every section of a protocol has in common, and how a value within it names its place."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Digest", "Label", "Section"]

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=40)]
"""A short name that may stand in a file name and in a dataset: letters, digits, dot, dash and underscore."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Section(BaseModel):
    """A part of a protocol: frozen, without room for a key it does not know, and never guessing a type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
