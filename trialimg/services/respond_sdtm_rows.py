"""The rows of SDTM TU and TR, and of the table that says which lesions are nodes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Role
from trialimg.core.trial import Finding, Severity
from trialimg.services.tables import plain_date, plain_decimal, read_table

__all__ = [
    "Identified",
    "Mass",
    "Measured",
    "Nodes",
    "Result",
    "SdtmTables",
    "read_nodes",
    "read_sdtm_rows",
    "sdtm_tables",
]

Key = tuple[str, str]
"""Subject and evaluator."""
PlacedRow = tuple[str, Mapping[str, str]]
"""Where a row stands, and its cells."""

_ROLES = {"TARGET": Role.TARGET, "NON-TARGET": Role.NON_TARGET, "NEW": Role.NEW}
_WORD_OF = {role: word for word, role in _ROLES.items()}
_LENGTHS = ("DIAMETER", "LDIAM", "LPERP", "SAXIS", "VDIAM")
_VOLUME = "VOLUME"
_DENSITY, _UPTAKE = "RADIODEN", "SULPEAK"
_FACTOR = {"mm": Decimal(1), "cm": Decimal(10)}
_VOLUME_FACTOR = {"mL": Decimal(1), "cm3": Decimal(1), "mm3": Decimal("0.001")}
_TOO_SMALL = ("TOO SMALL TO MEASURE", "TOO SMALL")
_NOT_EVALUABLE = ("NE", "NOT EVALUABLE")
_SUMS = ("SUMDIAM", "SUMVDIAM")
_IGNORED = ("SUMLDIAM", "SUMNLNLD", "LESSCIND")
TU_COLUMNS = ("USUBJID", "TULNKID", "TUTESTCD", "TUSTRESC", "VISITNUM")
TR_COLUMNS = ("USUBJID", "TRLNKID", "TRTESTCD", "TRSTRESC", "TRDTC", "VISITNUM", "VISIT")


class Result(Enum):
    """What a TR row says."""

    NUMBER = "number"
    WORD = "word"
    TOO_SMALL = "too small"
    NOT_DONE = "not done"


@dataclass(frozen=True)
class Identified:
    """A lesion as TU identified it."""

    lesion: str
    role: Role
    location: str
    visit_number: float
    split_from: str | None = None


@dataclass(frozen=True)
class Mass:
    """Lesions that have become one, and whose size is recorded under a name of its own (TUMERGE)."""

    name: str
    parents: tuple[str, ...]
    """The first one carries the measurements of the mass."""
    visit_number: float

    @property
    def carrier(self) -> str:
        return self.parents[0]


@dataclass(frozen=True)
class Measured:
    """One usable row of TR."""

    where: str
    """File and line."""
    lesion: str
    visit: str
    visit_number: float
    date: date | None
    """None only where it was not done."""
    test: str
    result: Result
    number: Decimal | None = None
    """Length in mm, volume in mL, density in HU, or peak uptake."""
    word: str = ""
    reason: str = ""

    @property
    def shown(self) -> str:
        return self.word if self.number is None else str(self.number)


@dataclass
class SdtmTables:
    """Usable rows by subject and evaluator, and what could not be used."""

    identified: dict[Key, dict[str, Identified]] = field(default_factory=dict)
    measured: dict[Key, list[Measured]] = field(default_factory=dict)
    masses: dict[Key, dict[str, Mass]] = field(default_factory=dict)
    sums_mm: dict[Key, dict[float, tuple[str, Decimal]]] = field(default_factory=dict)
    """Sum of the targets as it was recorded, by VISITNUM, with its place."""
    findings: list[Finding] = field(default_factory=list)

    def note(self, code: str, where: str, subject: str, message: str) -> None:
        """Name a row that is left out."""
        self.findings.append(Finding(code, Severity.EXCLUDED, where, message, subject))


@dataclass(frozen=True)
class Nodes:
    """Which lesions are nodes: by subject and lesion, or by the location that TU gives."""

    source: str
    lesions: frozenset[tuple[str, str]] = frozenset()
    locations: frozenset[str] = frozenset()

    def is_node(self, key: Key, one: Identified) -> bool:
        """Whether a lesion is listed."""
        return (key[0], one.lesion) in self.lesions or one.location.upper() in self.locations

    def unused(self, identified: Mapping[Key, Mapping[str, Identified]]) -> Iterator[Finding]:
        """What is listed, but nowhere identified; or that nothing is listed at all."""
        if not self.lesions and not self.locations:
            text = "no table says which lesions are nodes, so every lesion is judged by the rules for other lesions"
            yield Finding("nodes_not_given", Severity.WARNING, self.source, text)
        known = {(key[0], name) for key, lesions in identified.items() for name in lesions}
        for subject, lesion in sorted(self.lesions - known):
            text = f"lesion {lesion!r} of {subject} is listed as a node, but not identified in TU"
            yield Finding("unknown_lesion", Severity.WARNING, self.source, text, subject)


def read_nodes(text: str, source: str) -> Nodes:
    """The lesions that are nodes.

    Parameters
    ----------
    text, source
        A CSV with the columns ``subject, lesion, location``: a line names one lesion, or a location of TU whose
        lesions are all nodes.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    table = read_table(text, source, required=("subject", "lesion"), optional=("location",))
    lesions, locations = set(), set()
    for row in table.rows:
        subject, lesion, location = row.text("subject"), row.text("lesion"), row.text("location").upper()
        if location and not lesion:
            locations.add(location)
        elif subject and lesion:
            lesions.add((subject, lesion))
        else:
            table.fault(row.line, "blank", "a line names a subject and its lesion, or a location alone")
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s)", tuple(table.faults))
    return Nodes(source, frozenset(lesions), frozenset(locations))


def read_sdtm_rows(tu: tuple[str, str], tr: tuple[str, str]) -> SdtmTables:
    """The usable rows of both tables.

    Parameters
    ----------
    tu, tr
        Text of the CSV, and the name that the user knows it by.

    Raises
    ------
    ReadingError
        If a table has no rows or lacks a column.
    """
    return sdtm_tables(_rows(*tu, TU_COLUMNS), _rows(*tr, TR_COLUMNS))


def sdtm_tables(tu: Iterable[PlacedRow], tr: Iterable[PlacedRow]) -> SdtmTables:
    """The usable rows of both tables, which have every column that is needed; each row with its place."""
    tables = SdtmTables()
    rows = sorted(tu, key=lambda item: _number(item[1]["VISITNUM"]) or Decimal(0))
    for test, take in (("TUMIDENT", _identify), ("TUSPLIT", _split), ("TUMERGE", _merge)):
        for where, row in rows:
            if row["TUTESTCD"] == test:
                take(tables, where, row)
    for where, row in rows:
        if row["TUTESTCD"] not in ("TUMIDENT", "TUSPLIT", "TUMERGE"):
            tables.note("not_supported", where, row["USUBJID"], f"TUTESTCD {row['TUTESTCD']!r} is not read")
    for where, row in tr:
        _measure(tables, where, row)
    return tables


def _rows(text: str, source: str, needed: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in needed if name not in (lines.fieldnames or ())]
    if missing:
        faults = tuple(Fault(f"{source}:1", "missing_column", f"column {name} is missing") for name in missing)
        raise ReadingError(f"{source} is not the SDTM table it should be", faults)
    for row in lines:
        yield f"{source}:{lines.line_num}", {k: (v or "").strip() for k, v in row.items() if k is not None}


def _key(row: Mapping[str, str], domain: str) -> Key:
    return row["USUBJID"], row.get(f"{domain}EVALID", "") or row.get(f"{domain}EVAL", "")


def _identify(tables: SdtmTables, where: str, row: Mapping[str, str], split_from: str | None = None) -> None:
    subject, lesion, word = row["USUBJID"], row["TULNKID"], row["TUSTRESC"].upper()
    number = _number(row["VISITNUM"])
    if word not in _ROLES:
        tables.note("unknown_word", where, subject, f"TUSTRESC {row['TUSTRESC']!r} is not TARGET, NON-TARGET or NEW")
    elif not lesion or number is None:
        tables.note("blank", where, subject, "a lesion needs its TULNKID and VISITNUM")
    else:
        one = Identified(lesion, _ROLES[word], row.get("TULOC", ""), float(number), split_from)
        first = tables.identified.setdefault(_key(row, "TU"), {}).setdefault(lesion, one)
        if first.role is not one.role:
            text = f"{lesion} is {one.role.value}, but was identified as {first.role.value}"
            tables.note("role_changes", where, subject, text)


def _split(tables: SdtmTables, where: str, row: Mapping[str, str]) -> None:
    """A fragment: its parent is TUGRPID, or else the name before its last dot."""
    known, fragment = tables.identified.get(_key(row, "TU"), {}), row["TULNKID"]
    parent = row.get("TUGRPID") or fragment.rpartition(".")[0]
    if fragment in known and known[fragment].split_from != parent:
        text = f"{fragment} was identified before, and did not split from {parent or 'any lesion'}"
        tables.note("split_of_known_lesion", where, row["USUBJID"], text)
    elif parent not in known or parent == fragment:
        text = f"{fragment} is a fragment of {parent or 'no named lesion'}, which TU does not identify"
        tables.note("unknown_lesion", where, row["USUBJID"], text)
    elif row["TUSTRESC"].upper() not in ("", _WORD_OF[known[parent].role]):
        text = f"{fragment} is {row['TUSTRESC']}, but the lesion it split from is {known[parent].role.value}"
        tables.note("role_changes", where, row["USUBJID"], text)
    else:
        _identify(tables, where, {**row, "TUSTRESC": _WORD_OF[known[parent].role]}, parent)


def _merge(tables: SdtmTables, where: str, row: Mapping[str, str]) -> None:
    """A mass: its parents stand in its name or in TUGRPID, between slashes."""
    known, mass, number = tables.identified.get(_key(row, "TU"), {}), row["TULNKID"], _number(row["VISITNUM"])
    named = mass if "/" in mass else row.get("TUGRPID", "")
    masses = tables.masses.setdefault(_key(row, "TU"), {})
    parents = tuple(dict.fromkeys(_parents(named)))
    unknown = [name for name in parents if name not in known]
    if len(parents) < 2 or unknown or number is None or not mass:
        what = f"{', '.join(unknown)} not identified in TU" if unknown else "two lesions between slashes are needed"
        tables.note("unknown_lesion", where, row["USUBJID"], f"{mass} is merged of {named or 'no lesions'}: {what}")
        return
    carriers = {name: earlier.carrier for earlier in masses.values() for name in earlier.parents}
    ordered = sorted(parents, key=lambda name: known[name].role is not Role.TARGET)
    measured_in = tuple(dict.fromkeys(_carrier(name, carriers) for name in ordered))
    masses.setdefault(mass, Mass(mass, measured_in, float(number)))


def _carrier(lesion: str, carriers: Mapping[str, str]) -> str:
    """The lesion that measures another, after all earlier merges."""
    while carriers.get(lesion, lesion) != lesion:
        lesion = carriers[lesion]
    return lesion


def _parents(named: str) -> tuple[str, ...]:
    """The lesions of ``R1-T02/T03``: what stands before the first one's own name belongs to the others too."""
    first, *others = (part.strip() for part in named.split("/"))
    stem = first.rpartition("-")[0]
    prefix = f"{stem}-" if stem else ""
    return (first, *(name if name.startswith(prefix) else f"{prefix}{name}" for name in others))


def _measure(tables: SdtmTables, where: str, row: Mapping[str, str]) -> None:
    key, test, lesion = _key(row, "TR"), row["TRTESTCD"], row["TRLNKID"]
    if test in _SUMS:
        _sum(tables, where, row)
    if test in (*_SUMS, *_IGNORED):
        return
    faults = list(_unusable(tables, key, row))
    for code, message in faults:
        tables.note(code, where, key[0], message)
    if faults:
        return
    day = date.fromisoformat(row["TRDTC"]) if _is_date(row["TRDTC"]) else None
    visit = (lesion, row["VISIT"] or row["VISITNUM"], float(row["VISITNUM"]), day, test)
    said = row["TRSTRESC"].upper()
    if _not_done(row):
        reason = row.get("TRREASND") or ("not evaluable" if said else "not done")
        measured = Measured(where, *visit, Result.NOT_DONE, reason=reason)
    elif test == "TUMSTATE":
        measured = Measured(where, *visit, Result.WORD, word=said)
    elif _too_small(row):
        measured = Measured(where, *visit, Result.TOO_SMALL, word=_TOO_SMALL[0])
    else:
        measured = Measured(where, *visit, Result.NUMBER, number=_size(row))
    tables.measured.setdefault(key, []).append(measured)


def _sum(tables: SdtmTables, where: str, row: Mapping[str, str]) -> None:
    """Keep a recorded sum; one without a size says nothing."""
    number, size = _number(row["VISITNUM"]), _size(row)
    if number is not None and size is not None and row.get("TRSTAT") != "NOT DONE":
        tables.sums_mm.setdefault(_key(row, "TR"), {}).setdefault(float(number), (where, size))


def _unusable(tables: SdtmTables, key: Key, row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Why a row of TR cannot be used; nothing if it can."""
    test, lesion, shown = row["TRTESTCD"], row["TRLNKID"], row["TRSTRESC"]
    if lesion not in tables.identified.get(key, {}) and lesion not in tables.masses.get(key, {}):
        yield "unknown_lesion", f"lesion {lesion!r} is not identified in TU by {key[1] or 'this evaluator'}"
    if not _is_date(row["TRDTC"]) and not (row.get("TRSTAT") == "NOT DONE" and not row["TRDTC"]):
        yield "partial_date", f"TRDTC {row['TRDTC']!r} is not a full date; {test} of {lesion} is left out"
    if _number(row["VISITNUM"]) is None:
        yield "bad_value", f"VISITNUM {row['VISITNUM']!r} is not a number"
    if test not in (*_LENGTHS, _VOLUME, _DENSITY, _UPTAKE, "TUMSTATE"):
        yield "not_supported", f"TRTESTCD {test!r} is not read"
    elif _needs_size(row) and _size(row) is None:
        unit = row.get("TRSTRESU", "")
        yield "bad_value", f"{test} {shown!r} {unit} of {lesion} is not a size of 0 or more in a known unit"


def _needs_size(row: Mapping[str, str]) -> bool:
    return row["TRTESTCD"] != "TUMSTATE" and not _not_done(row) and not _too_small(row)


def _not_done(row: Mapping[str, str]) -> bool:
    unmeasured = row["TRTESTCD"] != "TUMSTATE" and row["TRSTRESC"].upper() in _NOT_EVALUABLE
    return row.get("TRSTAT") == "NOT DONE" or unmeasured


def _too_small(row: Mapping[str, str]) -> bool:
    """As collected, or in the standard result, which may hold the charter's default instead."""
    return any(row.get(column, "").upper() in _TOO_SMALL for column in ("TRORRES", "TRSTRESC"))


def _size(row: Mapping[str, str]) -> Decimal | None:
    """Length in mm, volume in mL, density in HU or uptake; None where it is not one."""
    number, test = _number(row["TRSTRESC"]), row["TRTESTCD"]
    if test in (_DENSITY, _UPTAKE):
        return None if number is None or (test == _UPTAKE and number < 0) else number
    factor = (_VOLUME_FACTOR if row["TRTESTCD"] == _VOLUME else _FACTOR).get(row.get("TRSTRESU", ""))
    return None if number is None or number < 0 or factor is None else number * factor


def _number(text: str) -> Decimal | None:
    try:
        return plain_decimal(text)
    except ValueError:
        return None


def _is_date(text: str) -> bool:
    try:
        return plain_date(text) is not None
    except ValueError:
        return False
