"""Options that belong together, given to a verb as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any

__all__ = ["gathered"]

Command = Callable[..., Any]


def gathered(name: str, kind: type, *options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a verb some options, and what they say as one argument.

    Parameters
    ----------
    name
        Of the argument.
    kind
        A dataclass whose fields are called as the options are.
    options
        What click makes of each, in the order in which ``--help`` lists them.
    """
    said = [field.name for field in fields(kind)]

    def decorated(command: Command) -> Command:
        @functools.wraps(command)
        def with_value(*arguments: Any, **given: Any) -> Any:
            value = kind(**{field: given.pop(field) for field in said})
            return command(*arguments, **{name: value}, **given)

        whole: Command = with_value
        for option in reversed(options):
            whole = option(whole)
        return whole

    return decorated
