"""Datasets with one thing spoilt: what was done to which record, and the check that must see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from trialimg.services.cdisc.delivery import Column, Delivered, Delivery
from trialimg.services.cdisc.specification import Row, Value

__all__ = ["FAULTS", "Fault"]

Change = Callable[[Delivery], Delivery]


@dataclass(frozen=True)
class Fault:
    """One planted fault."""

    rule: str
    what: str
    change: Change
    dataset: str


def table_of(delivery: Delivery, name: str, change: Callable[[Delivered], Delivered]) -> Delivery:
    return replace(delivery, tables={**delivery.tables, name: change(delivery.tables[name])})


def where(name: str, found: Mapping[str, Value], cells: Mapping[str, Value]) -> Change:
    """Set cells of the first record with these values."""

    def changed(table: Delivered) -> Delivered:
        rows = list(table.rows)
        number = next(n for n, row in enumerate(rows) if all(row.get(k) == v for k, v in found.items()))
        rows[number] = {**rows[number], **cells}
        return replace(table, rows=tuple(rows))

    return lambda delivery: table_of(delivery, name, changed)


def added(name: str, cells: Mapping[str, Value], *, like: Mapping[str, Value] | None = None) -> Change:
    """A further record, otherwise like another."""

    def changed(table: Delivered) -> Delivered:
        pattern = next(r for r in table.rows if all(r.get(k) == v for k, v in (like or {}).items()))
        return replace(table, rows=(*table.rows, {**pattern, **cells}))

    return lambda delivery: table_of(delivery, name, changed)


def without(name: str, found: Mapping[str, Value]) -> Change:
    """The records with these values are gone."""

    def keeps(row: Row) -> bool:
        return any(row.get(k) != v for k, v in found.items())

    return lambda d: table_of(d, name, lambda t: replace(t, rows=tuple(row for row in t.rows if keeps(row))))


def column(name: str, variable: str, change: Callable[[Column], Column | None]) -> Change:
    """One column described in another way, or left out."""

    def changed(table: Delivered) -> Delivered:
        columns = tuple(new for c in table.columns if (new := change(c) if c.name == variable else c) is not None)
        kept = {c.name for c in columns}
        rows = tuple({k: v for k, v in row.items() if k in kept} for row in table.rows)
        return replace(table, columns=columns, rows=rows)

    return lambda delivery: table_of(delivery, name, changed)


def new_column(name: str, variable: str, value: Value) -> Change:
    def changed(table: Delivered) -> Delivered:
        rows = tuple({**row, variable: value} for row in table.rows)
        return replace(table, columns=(*table.columns, Column(variable, "Extra", True, 8)), rows=rows)

    return lambda delivery: table_of(delivery, name, changed)


R1, R2, ADJUDICATOR = ({f"{d}EVALID": role for d in ("TU", "TR", "RS")} for role in (
    "RADIOLOGIST 1", "RADIOLOGIST 2", "ADJUDICATOR 1"
))  # fmt: skip
_T01 = {"TRLNKID": "R1-T01"}
_SUM_R1 = {"TRTESTCD": "SUMDIAM", "TREVALID": "RADIOLOGIST 1"}
_OVERALL_R1 = {"RSTESTCD": "OVRLRESP", "RSEVALID": "RADIOLOGIST 1"}
_SUM = {"PARAMCD": "SDIAMB", "AVISITN": 2.0}
_PFS = {"PARAMCD": "PFSB"}

FAULTS = tuple(
    Fault(rule, what, change, dataset)
    for rule, dataset, what, change in (
        ("TI-C001", "TU", "a required variable is blank", where("TU", {}, {"TUTEST": None})),
        ("TI-C001", "RS", "a required variable is missing", column("RS", "RSTEST", lambda _: None)),
        ("TI-C002", "TR", "an expected variable is missing", column("TR", "TRMETHOD", lambda _: None)),
        ("TI-C003", "TU", "a variable that does not belong there", new_column("TU", "TUXYZ", "1")),
        ("TI-C004", "TR", "another label", column("TR", "TRORRES", lambda c: replace(c, label="Result"))),
        ("TI-C005", "TR", "a number kept as text", column("TR", "TRSTRESN", lambda c: replace(c, is_text=True))),
        ("TI-C005", "TR", "a word where a number belongs", where("TR", _T01, {"TRSTRESN": "many"})),
        ("TI-C006", "TU", "a name of nine letters", new_column("TU", "TUTESTCDX", "1")),
        ("TI-C007", "RS", "another study", where("RS", {}, {"STUDYID": "TI-002"})),
        ("TI-C008", "TR", "another domain", where("TR", {}, {"DOMAIN": "TU"})),
        ("TI-C009", "TU", "a subject that DM does not know", where("TU", {}, {"USUBJID": "TI-001-01-0999"})),
        ("TI-C010", "RS", "a sequence number twice", where("RS", {"RSSEQ": 2}, {"RSSEQ": 1})),
        ("TI-C011", "TR", "the same result twice", added("TR", {"TRSEQ": 99}, like=_T01)),
        ("TI-C012", "TR", "two names of a test", where("TR", _T01, {"TRTEST": "Longest Diametre"})),
        ("TI-C013", "TU", "a method that is no term", where("TU", {}, {"TUMETHOD": "CAT SCAN"})),
        ("TI-C013", "TR", "a flag outside of a closed list", where("TR", {}, {"TRLOBXFL": "YES"})),
        ("TI-C014", "RS", "the name of another test", where("RS", {}, {"RSTEST": "Best Overall Response"})),
        ("TI-C015", "TR", "a result that was not done", where("TR", _T01, {"TRSTAT": "NOT DONE", "TRREASND": "x"})),
        ("TI-C015", "TR", "neither result nor status", where("TR", _T01, {"TRORRES": None})),
        ("TI-C016", "TR", "another completion status", where("TR", {"TRSTAT": "NOT DONE"}, {"TRSTAT": "MISSED"})),
        ("TI-C017", "TR", "not done without a reason", where("TR", {"TRSTAT": "NOT DONE"}, {"TRREASND": None})),
        ("TI-C018", "RS", "a result without its standard form", where("RS", {}, {"RSSTRESC": None})),
        ("TI-C019", "TR", "42 mm as 24", where("TR", _T01, {"TRSTRESN": 24.0})),
        ("TI-C020", "TR", "centimetres among millimetres", where("TR", _T01, {"TRSTRESU": "cm"})),
        ("TI-C021", "TR", "a diameter without a unit", where("TR", _T01, {"TRSTRESU": None})),
        ("TI-C022", "TR", "the 30th of February", where("TR", _T01, {"TRDTC": "2026-02-30"})),
        ("TI-C022", "TU", "an image after the end of participation", where("TU", {}, {"TUDTC": "2026-12-01"})),
        ("TI-C023", "TR", "a day 0", where("TR", _T01, {"TRDY": 0})),
        ("TI-C024", "RS", "another name of a visit", where("RS", {"VISITNUM": 2.0}, {"VISIT": "WEEK 9"})),
        ("TI-C025", "TU", "screening after treatment began", where("TU", {"VISITNUM": 2.0}, {"EPOCH": "SCREENING"})),
        ("TI-C026", "TR", "a flag after treatment began", where("TR", {"VISITNUM": 2.0}, {"TRLOBXFL": "Y"})),
        ("TI-C027", "RS", "a second accepted response", where("RS", {"RSTESTCD": "OVRLRESP",
            "RSEVALID": "RADIOLOGIST 2"}, {"RSACPTFL": "Y"})),
        ("TI-C027", "TU", "a flag that says no", where("TU", {"TUACPTFL": None}, {"TUACPTFL": "N"})),
        ("TI-C028", "TR", "nobody assessed", where("TR", {}, {"TREVAL": None})),
        ("TI-C029", "TU", "a reader's name", where("TU", {}, {"TUEVALID": "DR MARY JONES"})),
        ("TI-C030", "TR", "a lesion that nobody identified", where("TR", _T01, {"TRLNKID": "R1-T09"})),
        ("TI-C031", "TU", "a target that was not measured", without("TR", {"TRLNKID": "R2-T02", "VISITNUM": 1.0})),
        ("TI-C032", "RS", "a response that rests on nothing", where("RS", _OVERALL_R1, {"RSLNKGRP": "R1-A7"})),
        ("TI-C033", "RELREC", "a relation to a variable that is not there", where("RELREC", {}, {"IDVAR": "TUGRP"})),
        ("TI-C034", "SUPPTR", "a qualifier of no record", where("SUPPTR", {}, {"IDVARVAL": "999"})),
        ("TI-C034", "SUPPTU", "a qualifier called as a variable", where("SUPPTU", {}, {"QNAM": "TULOC"})),
        ("TI-C035", "TR", "a location in TR", new_column("TR", "TRLOC", "LIVER")),
        ("TI-C036", "TU", "a side without a place", where("TU", {"TULAT": "RIGHT"}, {"TULOC": None})),
        ("TI-C037", "TR", "a dot for a missing value", where("TR", {"TRREASND": None}, {"TRREASND": "."})),
        ("TI-C037", "TR", "a letter that is not ASCII", where("TR", {"TRSTAT": "NOT DONE"}, {"TRREASND": "\u00e9"})),
        ("TI-C037", "RS", "201 bytes", where("RS", {}, {"RSREASND": "x" * 201})),
        ("TI-C038", "SUPPRS", "no record", lambda d: table_of(d, "SUPPRS", lambda t: replace(t, rows=()))),
        ("TI-C039", "DM", "treated until before it began", where("DM", {}, {"RFXENDTC": "2025-01-01"})),
        ("TI-C040", "TR", "a sum that is not one", where("TR", _SUM_R1, {"TRSTRESN": 91.0, "TRSTRESC": "91"})),
        ("TI-C041", "RS", "a response that the sum forbids", where(
            "RS", {"RSTESTCD": "TRGRESP", "RSEVALID": "RADIOLOGIST 2"}, {"RSSTRESC": "PR"})),
        ("TI-C042", "RS", "an overall response against its parts", where("RS", _OVERALL_R1, {"RSSTRESC": "CR"})),
        ("TI-C043", "TR", "a new lesion that nobody says is there", where(
            "RS", {"RSTESTCD": "NEWLIND", "RSSTRESC": "Y"}, {"RSSTRESC": "N"})),
        ("TI-C044", "TU", "new at baseline", where("TU", {"TUSTRESC": "TARGET"}, {"TUSTRESC": "NEW"})),
        ("TI-C045", "TR", "a target of 8 mm", where("TR", _T01, {"TRSTRESN": 8.0})),
        ("TI-C046", "TU", "a part of another lesion", where("TU", {"TUTESTCD": "TUSPLIT"}, {"TULNKID": "R1-T02.9"})),
        ("TI-C047", "TR", "too small, and nobody says so", without("SUPPTR", {"QNAM": "TSTMFL"})),
        ("TI-C048", "RS", "a word of iRECIST", where("RS", _OVERALL_R1, {"RSSTRESC": "iUPD"})),
        ("TI-C049", "TR", "images of the dead", where("DM", {}, {"DTHDTC": "2026-02-01", "DTHFL": "Y"})),
        ("TI-C050", "ADRS", "an assessment after progression", added(
            "ADRS", {"ASEQ": 99, "AVISITN": 4.0}, like={"PARAMCD": "OVRB", "AVALC": "PD"})),
        ("TI-C051", "TU", "a hospital's number for an image", where("TU", {}, {"TUREFID": "ACC-1234"})),
        ("TI-C052", "RS", "a response before its images", where("RS", {**_OVERALL_R1, "RSSTRESC": "PR"}, {
            "RSDTC": "2026-03-01"})),
        ("TI-C053", "ADSL", "another age than DM", where("ADSL", {}, {"AGE": 36})),
        ("TI-C054", "ADTR", "two names of a parameter", where("ADTR", _SUM, {"PARAM": "Sum"})),
        ("TI-C055", "ADRS", "two numbers of a word", where("ADRS", {"PARAMCD": "OVRB", "AVALC": "PD"}, {
            "AVALC": "PR"})),
        ("TI-C056", "ADTR", "a change that is not one", where("ADTR", _SUM, {"CHG": -30.0})),
        ("TI-C056", "ADTR", "a second baseline", where("ADTR", _SUM, {"ABLFL": "Y"})),
        ("TI-C057", "ADTR", "a flag that says no", where("ADTR", _SUM, {"ANL01FL": "N"})),
        ("TI-C058", "ADTTE", "a day too many", where("ADTTE", _PFS, {"AVAL": 116})),
        ("TI-C058", "ADTTE", "an event that is censored", where("ADTTE", _PFS, {"CNSR": 1})),
        ("TI-C059", "ADRS", "a source that is not there", where("ADRS", {"PARAMCD": "PDB"}, {"SRCSEQ": 77})),
        ("TI-C059", "ADTR", "another value than its source", where("ADTR", {**_SUM, "AVISITN": 0.0}, {"AVAL": 95.0})),
        ("TI-C060", "ADTTE", "a date that is text", where("ADTTE", _PFS, {"ADT": "06MAY2026"})),
        ("TI-C061", "ADTR", "a sum of parts that does not say so", where("ADTR", {"DTYPE": "SUM"}, {"DTYPE": None})),
        ("TI-C062", "TU", "a length beyond Define-XML", where("TU", {}, {"TULNKID": "R1-NT0000000001"})),
        ("TI-C062", "ADTTE", "a dataset that Define-XML knows and nobody sent", lambda d: replace(
            d, tables={name: t for name, t in d.tables.items() if name != "ADTTE"})),
        ("TI-C063", "TR", "formats that differ", where("TR", _T01, {"TRORRES": "43"})),
        ("TI-C064", "RS", "another length of a key", column("RS", "USUBJID", lambda c: replace(c, length=40))),
        ("TI-C065", "RS", "a subcategory that repeats", where("RS", {}, {"RSSCAT": "RECIST 1.1"})),
        ("TI-C066", "RS", "no criterion", where("RS", {}, {"RSCAT": None})),
    )
)  # fmt: skip
"""At least one for each check."""
