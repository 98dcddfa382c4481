"""The JSON schema of a protocol file, generated from the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from trialimg.protocol.model import Protocol

__all__ = ["json_schema", "schema_text"]


@cache
def json_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a protocol file; what only a program can check is not in it."""
    schema = Protocol.model_json_schema(schema_generator=_ProtocolSchema)
    return {"$schema": _ProtocolSchema.schema_dialect, **schema}


def schema_text() -> str:
    """The JSON schema as it stands in ``protocols/schema/protocol.v1.json``."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


class _ProtocolSchema(GenerateJsonSchema):
    """Descriptions instead of titles made from names; defaults as they are written in a file."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (signature of pydantic)
        return False

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Decimal):
            return int(dft) if dft == dft.to_integral_value() else float(dft)
        return super().encode_default(dft)

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        # Defaults of whole sections repeat, in another spelling, what stands at each of their keys.
        found = super().generate_inner(schema)
        found = {key: value for key, value in found.items() if not (key == "default" and isinstance(value, Mapping))}
        if isinstance(found.get("description"), str):
            found["description"] = " ".join(found["description"].split())
        return found
