"""Every dataset and variable that is delivered: name, label, type, length, origin, code list, key, how it is made.

The one place from which the tables, the transport files, Dataset-JSON, Define-XML and the checks come.

References
----------
CDISC. Study Data Tabulation Model Implementation Guide: Human Clinical Trials, version 3.4, 2021.
CDISC. Analysis Data Model Implementation Guide, version 1.3, 2021; ADaM Basic Data Structure for Time-to-Event
Analyses, version 1.0, 2012.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["DATASETS", "SUPPLEMENTS", "DatasetSpec", "Kind", "Row", "Standard", "Value", "Variable", "specification"]

Value = str | int | float | dt.date | None
"""A cell; None is missing, and never an empty text."""
Row = Mapping[str, Value]
"""Variable to value; a variable that is not there is missing."""


class Kind(Enum):
    """What a variable holds."""

    TEXT = "text"
    ISO_DATE = "iso_date"
    """A date as ISO 8601 text, partial where only a part is known."""
    INTEGER = "integer"
    FLOAT = "float"
    SAS_DATE = "sas_date"
    """A whole date; in transport files the days since 1960-01-01."""

    @property
    def is_text(self) -> bool:
        return self in (Kind.TEXT, Kind.ISO_DATE)


class Standard(Enum):
    """Which of the two models a dataset belongs to."""

    SDTM = "sdtm"
    ADAM = "adam"


@dataclass(frozen=True)
class Variable:
    """One column of a dataset."""

    name: str
    label: str
    kind: Kind
    length: int
    """Bytes of a text at most; 8 for numbers."""
    core: str
    """Req, Exp, Perm; Cond and custom in ADaM."""
    codelist: str
    origin: str
    source: str
    key: int | None
    """Place in the natural key."""
    derivation: str


@dataclass(frozen=True)
class DatasetSpec:
    """One dataset: what a row is and which columns it may have."""

    name: str
    label: str
    standard: Standard
    kind: str
    """Class of the dataset in Define-XML."""
    structure: str
    variables: tuple[Variable, ...]
    keep: frozenset[str] = frozenset()
    """Columns that stay though they are permissible and blank throughout."""
    also_allowed: frozenset[str] = frozenset()
    """Further variables that the guide allows, and others may deliver."""

    @property
    def domain(self) -> str:
        """Prefix of the dataset's variables; of a supplement, the dataset that it adds to."""
        return self.name.removeprefix("SUPP")

    @property
    def keys(self) -> tuple[str, ...]:
        """The natural key, in order."""
        return tuple(v.name for v in sorted((v for v in self.variables if v.key), key=lambda v: v.key or 0))

    def variable(self, name: str) -> Variable | None:
        """The variable of a name; None where the dataset may not have it."""
        return next((v for v in self.variables if v.name == name), None)

    def required(self, variable: Variable) -> bool:
        """Whether a variable may never be blank; in ADaM that is said of identifiers only."""
        if self.standard is Standard.SDTM:
            return variable.core == "Req"
        return variable.name in _NEVER_BLANK


_NEVER_BLANK = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "PARAMCD", "PARAM")
_FINDINGS, _ANALYSIS = "FINDINGS", "BASIC DATA STRUCTURE"
_PER_VISIT = "One record per subject per parameter per visit"
_PER_READER = "per subject per assessor"
_DESCRIBED = (
    ("DM", "Demographics", Standard.SDTM, "SPECIAL PURPOSE", "One record per subject"),
    ("TU", "Tumor/Lesion Identification", Standard.SDTM, _FINDINGS, f"One record per identified lesion {_PER_READER}"),
    (
        "TR", "Tumor/Lesion Results", Standard.SDTM, _FINDINGS,
        f"One record per measurement or assessment per lesion per visit {_PER_READER}",
    ),
    (
        "RS", "Disease Response and Clin Classification", Standard.SDTM, _FINDINGS,
        f"One record per response assessment per visit {_PER_READER}",
    ),
    ("SUPPTU", "Supplemental Qualifiers for TU", Standard.SDTM, "RELATIONSHIP", "One record per qualifier per record"),
    ("SUPPTR", "Supplemental Qualifiers for TR", Standard.SDTM, "RELATIONSHIP", "One record per qualifier per record"),
    ("SUPPRS", "Supplemental Qualifiers for RS", Standard.SDTM, "RELATIONSHIP", "One record per qualifier per record"),
    ("RELREC", "Related Records", Standard.SDTM, "RELATIONSHIP", "One record per related dataset"),
    (
        "ADSL", "Subject-Level Analysis Dataset", Standard.ADAM, "SUBJECT LEVEL ANALYSIS DATASET",
        "One record per subject",
    ),
    ("ADTR", "Tumor Results Analysis Dataset", Standard.ADAM, _ANALYSIS, _PER_VISIT),
    ("ADRS", "Response Analysis Dataset", Standard.ADAM, _ANALYSIS, _PER_VISIT),
    ("ADTTE", "Time-to-Event Analysis Dataset", Standard.ADAM, _ANALYSIS, "One record per subject per parameter"),
)  # fmt: skip
_ALSO_ALLOWED = {
    "DM": "RFCSTDTC RFCENDTC INVID INVNAM BRTHDTC ETHNIC DMDTC DMDY",
    "TU": "TULNKGRP TUBLFL TAETORD",
    "TR": "TRBLFL TAETORD",
    "RS": "RSLNKID RSORRESU RSSTRESN RSSTRESU RSBLFL TAETORD RSTPT RSTPTNUM RSELTM RSTPTREF RSRFTDTC RSEVLINT RSEVINTX "
    "RSSTRTPT RSSTTPT RSENRTPT RSENTPT",
}
SUPPLEMENTS = ("SUPPTU", "SUPPTR", "SUPPRS")


@cache
def _variables() -> Mapping[str, tuple[Variable, ...]]:
    text = files("trialimg.services.cdisc").joinpath("variables.csv").read_text(encoding="utf-8")
    found: dict[str, list[Variable]] = {}
    for row in csv.DictReader(text.splitlines()):
        key = int(row["key"]) if row["key"] else None
        found.setdefault(row["dataset"], []).append(
            Variable(
                row["name"],
                row["label"],
                Kind(row["type"]),
                int(row["length"]),
                row["core"],
                row["codelist"],
                row["origin"],
                row["source"],
                key,
                row["derivation"],
            )
        )
    return MappingProxyType({name: tuple(variables) for name, variables in found.items()})


def _made(name: str, label: str, standard: Standard, kind: str, structure: str) -> DatasetSpec:
    variables = _variables()["SUPP" if name in SUPPLEMENTS else name]
    keep = frozenset({f"{name}DY", "EPOCH"} if kind == _FINDINGS else {"ADY"} if kind == _ANALYSIS else set())
    also = frozenset(_ALSO_ALLOWED.get(name, "").split())
    return DatasetSpec(name, label, standard, kind, structure, variables, keep, also)


DATASETS: Mapping[str, DatasetSpec] = MappingProxyType({described[0]: _made(*described) for described in _DESCRIBED})
"""By name, in the order in which they are delivered."""


def specification(name: str) -> DatasetSpec | None:
    """The dataset of a name; None where it is none of ours."""
    return DATASETS.get(name.upper())
