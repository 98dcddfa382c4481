"""ADRS: the overall responses and what is derived from them, one row per subject and derived parameter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from trialimg.services.cdisc.course import Endpoints
from trialimg.services.cdisc.parameters import Analysed, analysis_visit
from trialimg.services.cdisc.responses import PROGRESSIONS
from trialimg.services.cdisc.specification import Row, Value

__all__ = ["RESPONSE_NUMBERS", "response_analysis_rows"]

_RESPONSE, _BASELINE, _EVENT = "Tumor Response", "Baseline Disease", "Reference Event"
RESPONSE_NUMBERS: Mapping[str, int] = {
    "CR": 1, "PR": 2, "SD": 3, "NON-CR/NON-PD": 4, "PD": 5, "NE": 6, "MISSING": 7, "NED": 8, "ND": 9,
    "iCR": 1, "iPR": 2, "iSD": 3, "NON-iCR/NON-iUPD": 4, "iUPD": 5, "iCPD": 6,
}  # fmt: skip
"""AVAL of a response; the words of iRECIST are numbered apart."""
_IMMUNE_NOT_EVALUABLE = 7
_DERIVED = {
    "BORB": "Best Overall Response by BICR (confirmation not required)",
    "CBORB": "Best Confirmed Overall Response by BICR",
    "RSPB": "Response by BICR (confirmation not required)",
    "CRSPB": "Confirmed Response by BICR",
    "CBB": "Clinical Benefit by BICR",
    "PDB": "Disease Progression by BICR",
}
_NOT_EVALUABLE = ("NE", "ND")


def response_analysis_rows(subject: Analysed) -> Iterator[Row]:
    """Every parameter of one subject; a subject without an accepted read has its derived rows all the same."""
    yield from _overall(subject)
    found = subject.course.endpoints
    yield from _best(subject, found)
    yield _yes(subject, "RSPB", found.response_date if found else None)
    yield _yes(subject, "CRSPB", found.confirmed_response_date if found else None)
    yield _yes(subject, "PDB", found.progression_date if found else None)
    yield _yes(subject, "CBB", found.benefit_date if found else None, is_so=bool(found and found.benefit))
    yield _last(subject)
    yield _measurable(subject)
    yield _death(subject)


def _overall(subject: Analysed) -> Iterator[Row]:
    cells = subject.cells("OVRB", "Overall Response by BICR", _RESPONSE)
    progressed = False
    immune = subject.study.criterion == "irecist"
    for row in subject.overall:
        day, word = _day(row), str(row["RSSTRESC"])
        in_time = day is not None and (subject.origin is None or day >= subject.origin)
        number = _IMMUNE_NOT_EVALUABLE if immune and word == "NE" else RESPONSE_NUMBERS.get(word)
        yield {
            **cells,
            **analysis_visit(row["VISITNUM"], row["VISIT"], None),
            **subject.dated(day),
            "AVALC": word,
            "AVAL": number,
            "ANL01FL": "Y" if in_time else None,
            "ANL02FL": "Y" if in_time and not progressed else None,
            **_source("RS", "RSSTRESC", row["RSSEQ"]),
        }
        progressed = progressed or word in PROGRESSIONS


def _best(subject: Analysed, found: Endpoints | None) -> Iterator[Row]:
    nothing: tuple[str, dt.date | None] = ("MISSING", None)
    for code, (word, day) in (
        ("BORB", found.best if found else nothing),
        ("CBORB", found.confirmed if found else nothing),
    ):
        value: Value = RESPONSE_NUMBERS.get(word)
        yield {**_at(subject, code, day, "RSSTRESC"), "AVALC": word, "AVAL": value, "ANL01FL": "Y"}


def _yes(subject: Analysed, code: str, day: dt.date | None, *, is_so: bool | None = None) -> Row:
    """A yes-or-no parameter; yes where there is a date, unless it is said otherwise."""
    so = day is not None if is_so is None else is_so
    return {**_at(subject, code, day if so else None, "RSDTC"), **_word(so), "ANL01FL": "Y"}


def _word(so: bool) -> dict[str, Value]:
    return {"AVALC": "Y" if so else "N", "AVAL": int(so)}


def _at(subject: Analysed, code: str, day: dt.date | None, variable: str) -> dict[str, Value]:
    """The cells of a derived parameter, traced to the overall response of its date."""
    cells = {**subject.cells(code, _DERIVED[code], _RESPONSE), **subject.dated(day)}
    source = next((row for row in subject.overall if day is not None and _day(row) == day), None)
    if source is None:
        return cells
    visit = analysis_visit(source["VISITNUM"], source["VISIT"], None)
    return {**cells, **visit, **_source("RS", variable, source["RSSEQ"])}


def _last(subject: Analysed) -> Row:
    """The last evaluable assessment, up to the first progression."""
    cells = {**subject.cells("LSTAB", "Last Disease Assessment by BICR", _RESPONSE), "ANL01FL": "Y"}
    last: Row | None = None
    for row in subject.overall:
        if row["RSSTRESC"] not in _NOT_EVALUABLE:
            last = row
        if row["RSSTRESC"] in PROGRESSIONS:
            break
    if last is None:
        return cells
    visit = analysis_visit(last["VISITNUM"], last["VISIT"], None)
    word = str(last["RSSTRESC"])
    answer = {"AVALC": word, "AVAL": RESPONSE_NUMBERS.get(word)}
    return {**cells, **visit, **subject.dated(_day(last)), **answer, **_source("RS", "RSDTC", last["RSSEQ"])}


def _measurable(subject: Analysed) -> Row:
    cells = subject.cells("MDISB", "Measurable Disease at Baseline by BICR", _BASELINE)
    target = next((row for row in subject.tu if row["TUSTRESC"] == "TARGET"), None)
    if target is None:
        return {**cells, **_word(False), "ANL01FL": "Y"}
    day = dt.date.fromisoformat(str(target["TUDTC"]))
    visit = analysis_visit(target["VISITNUM"], target["VISIT"], target["VISITNUM"])
    source = _source("TU", "TUSTRESC", target["TUSEQ"])
    return {**cells, **visit, **subject.dated(day), **_word(True), "ANL01FL": "Y", **source}


def _death(subject: Analysed) -> Row:
    day = subject.course.subject.death_date
    cells = {**subject.cells("DEATH", "Death", _EVENT), "PARCAT2": None, "PARCAT3": None}
    source = _source("ADSL", "DTHDT", None) if day else {}
    return {**cells, **subject.dated(day), **_word(day is not None), "ANL01FL": "Y", **source}


def _source(dataset: str, variable: str, number: Value) -> dict[str, Value]:
    return {"SRCDOM": dataset, "SRCVAR": variable, "SRCSEQ": number}


def _day(row: Row) -> dt.date | None:
    text = row.get("RSDTC")
    return dt.date.fromisoformat(str(text)) if text else None
