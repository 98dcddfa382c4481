"""What Define-XML says beside the variables: code lists as they are used, values by test, methods and comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialimg.services.cdisc.specification import SUPPLEMENTS, DatasetSpec, Kind, Standard, Variable
from trialimg.services.cdisc.supplements import QUALIFIERS
from trialimg.services.cdisc.tables import Table
from trialimg.services.cdisc.terms import CodeList, Term, code_list

__all__ = [
    "COMMENTS",
    "ListedTerm",
    "UsedList",
    "ValueLevel",
    "comment_of",
    "of_standard",
    "used_list",
    "value_levels",
]

COMMENTS = {
    "STUDYSTART": "Where the sponsor gave no DM, RFSTDTC is the reference date of the trial (randomisation or start of "
    "treatment, as its protocol says); no treatment dates are known then, and EPOCH and --LOBXFL follow RFSTDTC.",
    "UNKNOWN": "Not told by the sponsor: SEX is U, RACE is UNKNOWN and COUNTRY is ZZZ, a code that ISO 3166-1 leaves "
    "to its users, until the sponsor's DM is given.",
    "LINK": "Reader prefix (R1, R2 readers, A1 adjudicator) and lesion label; parts of a split lesion end in .1, .2; a "
    "mass that lesions merged into names them all.",
    "READDATE": "Date of the images, not of the read. Where the images of a visit were taken on several days, the "
    "latest stands for every lesion of the visit, and the earliest dates a progression.",
}
"""By identifier."""
_COMMENT_OF = {
    ("DM", "RFSTDTC"): "STUDYSTART", ("DM", "SEX"): "UNKNOWN", ("DM", "RACE"): "UNKNOWN", ("DM", "COUNTRY"): "UNKNOWN",
    ("TU", "TULNKID"): "LINK", ("TR", "TRLNKID"): "LINK", ("TU", "TUDTC"): "READDATE", ("TR", "TRDTC"): "READDATE",
}  # fmt: skip
_BY_TEST = {
    "TR": ("TRTESTCD", ("TRORRES", "TRSTRESC")),
    "RS": ("RSTESTCD", ("RSORRES", "RSSTRESC")),
    **dict.fromkeys(SUPPLEMENTS, ("QNAM", ("QVAL",))),
    "ADTR": ("PARAMCD", ("AVAL",)),
    "ADRS": ("PARAMCD", ("AVALC", "AVAL")),
    "ADTTE": ("PARAMCD", ("AVAL", "CNSR")),
}
"""Dataset to the variable that says what a row is, and the variables whose meaning depends on it."""
_LIST_OF = {("RSTESTCD", "NEWLIND"): "NY"}
"""Where the list depends on what a row is."""
_OWN_LISTS = {
    "PARAMCD": "PARAM", "QNAM": "QLABEL", "AVALC": "", "CNSR": "EVNTDESC", "RELID": "", "IDVAR": "", "QORIG": "",
}  # fmt: skip
"""Variables that have a list of our own, and the variable that decodes it."""


@dataclass(frozen=True)
class ListedTerm:
    """A value that is used."""

    value: str
    decode: str
    code: str
    """NCI concept; empty for a value of our own."""
    is_extension: bool


@dataclass(frozen=True)
class UsedList:
    """The values of one variable that are used, as a code list."""

    oid: str
    name: str
    code: str
    """NCI concept of the list; empty for one of our own."""
    terms: tuple[ListedTerm, ...]

    @property
    def is_published(self) -> bool:
        return bool(self.code)


@dataclass(frozen=True)
class ValueLevel:
    """One variable under one value of the variable that says what a row is."""

    dataset: str
    variable: Variable
    by: str
    value: str
    label: str
    kind: Kind
    length: int
    digits: int
    """Decimals that are used, of a number."""
    codelist: UsedList | None


def comment_of(dataset: str, variable: str) -> str | None:
    """Identifier of the comment on a variable; None where there is none."""
    return _COMMENT_OF.get((dataset, variable))


def used_list(table: Table, variable: Variable, *, where: tuple[str, str] | None = None) -> UsedList | None:
    """The code list of a variable with the values that stand in it; None where it has none, or is blank.

    Parameters
    ----------
    where
        Variable and value of the rows that count; None for all.
    """
    rows = [row for row in table.rows if where is None or row.get(where[0]) == where[1]]
    values = sorted({str(v) for row in rows if (v := row.get(variable.name)) is not None})
    listed = _LIST_OF.get(where, variable.codelist) if where and variable.codelist else variable.codelist
    published = code_list(listed) if listed else None
    decoding = _OWN_LISTS.get(variable.name)
    if not values or (published is None and decoding is None and where is None):
        return None
    suffix = f".{where[1]}" if where else ""
    if published is not None:
        terms = tuple(_listed(published, value) for value in values)
        return UsedList(f"CL.{published.name}.{table.name}{suffix}", listed, published.code, terms)
    if decoding is None:
        return None
    decoded = {
        str(row[variable.name]): str(row.get(decoding) or "") for row in rows if row.get(variable.name) is not None
    }
    own = tuple(ListedTerm(value, decoded[value] or value, "", False) for value in values)
    return UsedList(f"CL.{table.name}.{variable.name}{suffix}", f"{table.name} {variable.name}{suffix}", "", own)


def _listed(published: CodeList, value: str) -> ListedTerm:
    term: Term | None = published.terms.get(value)
    return ListedTerm(value, term.decode if term else value, term.code if term else "", term is None)


def value_levels(table: Table) -> Iterator[ValueLevel]:
    """What each variable means for each kind of row."""
    spec: DatasetSpec = table.spec
    by, names = _BY_TEST.get(table.name, ("", ()))
    present = {variable.name for variable in table.variables}
    for name in names:
        variable = spec.variable(name)
        if variable is None or name not in present:
            continue
        for value in sorted({str(row[by]) for row in table.rows if row.get(by) is not None}):
            yield _level(table, variable, by, value)


def _level(table: Table, variable: Variable, by: str, value: str) -> ValueLevel:
    rows = [row for row in table.rows if row.get(by) == value]
    texts = [str(row[variable.name]) for row in rows if row.get(variable.name) is not None]
    numeric = bool(texts) and all(_is_number(text) for text in texts)
    digits = max(
        (len(text.partition(".")[2]) for text in texts if numeric and text.partition(".")[2] != "0"), default=0
    )
    kind = variable.kind
    if kind is Kind.TEXT and numeric:
        kind = Kind.FLOAT if digits else Kind.INTEGER
    elif kind is Kind.FLOAT and not digits:
        kind = Kind.INTEGER
    terms = None if numeric and variable.name != "CNSR" else used_list(table, variable, where=(by, value))
    label = _label(table, by, value)
    length = 8 if kind is not Kind.TEXT else max((len(text.encode()) for text in texts), default=1)
    return ValueLevel(table.name, variable, by, value, label, kind, length, digits, terms)


def _label(table: Table, by: str, value: str) -> str:
    if by == "QNAM":
        return QUALIFIERS.get(value, (value, ""))[0]
    decoding = {"TRTESTCD": "TRTEST", "RSTESTCD": "RSTEST", "PARAMCD": "PARAM"}[by]
    return next((str(row.get(decoding)) for row in table.rows if row.get(by) == value), value)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def of_standard(tables: Sequence[Table], standard: Standard) -> tuple[Table, ...]:
    """The datasets of one of the two models."""
    return tuple(table for table in tables if table.spec.standard is standard)
