"""The controlled terms that are used, as CDISC and NCI publish them, with the release of each.

References
----------
National Cancer Institute. CDISC SDTM controlled terminology, 2025-03-28; CDISC ADaM controlled terminology, 2026-03-27.
Free of use; a term of ours that stands in none of them is a sponsor's extension and is called one in Define-XML.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["ADAM_TERMS", "NOT_EXTENSIBLE", "SDTM_TERMS", "CodeList", "Term", "code_list", "decode"]

SDTM_TERMS = "2025-03-28"
ADAM_TERMS = "2026-03-27"
NOT_EXTENSIBLE = frozenset({"NY", "ND", "RELTYPE", "SEX", "AGEU", "DATEFL", "SBJTSTAT"})
"""Code lists to which a sponsor may add nothing."""


@dataclass(frozen=True)
class Term:
    """A value that may be submitted, and what it means."""

    code: str
    """NCI concept; empty where it is not kept here."""
    value: str
    decode: str


@dataclass(frozen=True)
class CodeList:
    """The terms of one list, by value."""

    name: str
    code: str
    terms: Mapping[str, Term] = field(default_factory=dict)


@cache
def _lists() -> Mapping[str, CodeList]:
    text = files("trialimg.services.cdisc").joinpath("terms.csv").read_text(encoding="utf-8")
    terms: dict[tuple[str, str], dict[str, Term]] = {}
    for row in csv.DictReader(text.splitlines()):
        term = Term(row["code"], row["value"], row["decode"])
        terms.setdefault((row["codelist"], row["list_code"]), {})[term.value] = term
    domains = {value: Term("", value, text) for value, text in _DOMAINS}
    lists = {name: CodeList(name, code, found) for (name, code), found in terms.items()}
    return MappingProxyType({**lists, "DOMAIN": CodeList("DOMAIN", "C66734", domains)})


_DOMAINS = (
    ("DM", "Demographics"),
    ("RS", "Disease Response"),
    ("TR", "Tumor Results"),
    ("TU", "Tumor Identification"),
)


def code_list(name: str) -> CodeList | None:
    """The list of a short name; None where it is none of ours."""
    return _lists().get(name)


def decode(test_codes: str, tests: str, value: str) -> str:
    """The name of a test, which shares the concept of its code; the code itself where it is no term.

    Parameters
    ----------
    test_codes, tests
        Names of the two lists, e.g. ``TRTESTCD`` and ``TRTEST``.
    """
    term = _lists()[test_codes].terms.get(value)
    if term is None:
        return value
    return next((name.value for name in _lists()[tests].terms.values() if name.code == term.code), term.decode)
