"""A protocol written out again as YAML, with every default filled in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import yaml

from trialimg.protocol.model import Protocol, exact_text

__all__ = ["as_yaml"]

_WIDTH = 110


def as_yaml(protocol: Protocol) -> str:
    """The protocol as YAML, every default filled in; reading it again gives the same digest."""
    return yaml.dump(
        protocol.model_dump(by_alias=True),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        width=_WIDTH,
        allow_unicode=True,
    )


class _Dumper(yaml.SafeDumper):
    """Exact numbers as numbers, lists of plain values in one line, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (signature of PyYAML)
        return True

    def number(self, value: Decimal) -> yaml.Node:
        text = exact_text(value)
        return self.represent_scalar("tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int", text)

    def word(self, value: Enum) -> yaml.Node:
        return self.represent_data(value.value)

    def sequence(self, values: Sequence[object]) -> yaml.Node:
        nested = any(isinstance(value, dict | list | tuple) for value in values)
        return self.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=not nested)


_Dumper.add_representer(Decimal, _Dumper.number)
_Dumper.add_representer(list, _Dumper.sequence)
_Dumper.add_representer(tuple, _Dumper.sequence)
_Dumper.add_multi_representer(Enum, _Dumper.word)
