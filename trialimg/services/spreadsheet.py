"""Text that a spreadsheet would run: harmless in tables that people open, left alone in those that machines read."""

from __future__ import annotations

import re

__all__ = ["harmless"]

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


def harmless(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula; numbers stay numbers.

    References
    ----------
    OWASP. CSV Injection. Cells that begin with =, +, -, @, tab or carriage return (and their full-width forms).
    """
    return f"'{text}" if text.startswith(_STARTS) and not _NUMBER.fullmatch(text) else text
