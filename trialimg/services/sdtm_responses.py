"""RS: the responses that somebody else derived or gave, assessment by assessment."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from trialimg.core.responses import NewLesionResponse, NonTargetResponse, TargetResponse
from trialimg.core.trial import Finding, Severity
from trialimg.endpoints.vocabulary import Vocabulary
from trialimg.services.sdtm_tables import Cells, SourceTable, excluded, full_date
from trialimg.services.tables import plain_decimal

__all__ = ["RS_COLUMNS", "GivenResponse", "GivenResponses", "given_responses"]

RS_COLUMNS = ("USUBJID", "RSTESTCD", "RSSTRESC", "RSDTC", "VISITNUM", "VISIT")
_OVERALL = "OVRLRESP"
_PARTS = ("TRGRESP", "NTRGRESP", "NEWLIND", "NEWLPROG")
_NEW = {
    "N": NewLesionResponse.NO,
    "Y": NewLesionResponse.UNEQUIVOCAL,
    "EQUIVOCAL": NewLesionResponse.EQUIVOCAL,
    "UNEQUIVOCAL": NewLesionResponse.UNEQUIVOCAL,
}

Word = TypeVar("Word", bound=Enum)
Key = tuple[str, str]
"""Subject and reader."""


@dataclass(frozen=True)
class GivenResponse:
    """One overall response with its parts."""

    where: str
    visit: str
    visit_number: float | None
    date: dt.date
    overall: Enum
    target: TargetResponse
    non_target: NonTargetResponse
    new_lesion: NewLesionResponse


@dataclass
class GivenResponses:
    """Responses by subject and reader in order of date, and what could not be used."""

    by_reader: dict[Key, list[GivenResponse]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def dates(self) -> dict[Key, dict[float, dt.date]]:
        """Subject and reader to VISITNUM to the date of its response."""
        return {
            key: {one.visit_number: one.date for one in responses if one.visit_number is not None}
            for key, responses in self.by_reader.items()
        }


def given_responses(table: SourceTable, vocabulary: Vocabulary, category: str) -> GivenResponses:
    """What RS says, in the words of one criterion.

    Parameters
    ----------
    category
        The criterion as RSCAT calls it; rows of another one are left out, and counted.

    Notes
    -----
    A word that the criterion does not have, and a date without its day, leave a row out; so do two different overall
    responses on one date, both of them, because neither is known to be the right one.
    """
    found = GivenResponses()
    rows = list(_of_category(table, category, found))
    parts: dict[tuple[str, str, str], list[Cells]] = {}
    for _, row in rows:
        if row["RSTESTCD"] in _PARTS:
            parts.setdefault((*_key(row), row["VISITNUM"]), []).append(row)
    for where, row in rows:
        if row["RSTESTCD"] == _OVERALL:
            _take(found, where, row, parts.get((*_key(row), row["VISITNUM"]), ()), vocabulary)
    for key, responses in found.by_reader.items():
        found.by_reader[key] = sorted(_once_a_day(found, key, responses), key=lambda one: one.date)
    return found


def _of_category(table: SourceTable, category: str, found: GivenResponses) -> Iterator[tuple[str, Cells]]:
    others: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for where, row in table.placed():
        said = row.get("RSCAT", "")
        if said and said.upper() != category.upper():
            others[said] += 1
        elif row["RSTESTCD"] not in (_OVERALL, *_PARTS):
            tests[row["RSTESTCD"]] += 1
        else:
            yield where, row
    for said, count in sorted(others.items()):
        text = f"{count} row(s) of RSCAT {said} are not of the trial's criterion ({category})"
        found.findings.append(Finding("other_criterion", Severity.INFO, table.source, text))
    for test, count in sorted(tests.items()):
        text = f"{count} row(s) of RSTESTCD {test} are not read: responses are summed up anew"
        found.findings.append(Finding("not_supported", Severity.INFO, table.source, text))


def _key(row: Cells) -> Key:
    return row["USUBJID"], row.get("RSEVALID", "") or row.get("RSEVAL", "")


def _take(found: GivenResponses, where: str, row: Cells, parts: Sequence[Cells], vocabulary: Vocabulary) -> None:
    subject, said = row["USUBJID"], row["RSSTRESC"] or ("ND" if row.get("RSSTAT") == "NOT DONE" else "")
    day, visit = full_date(row["RSDTC"]), row["VISIT"] or row["VISITNUM"]
    if said not in vocabulary.known:
        text = f"overall response {said!r} is no word of the criterion; the assessment is left out"
        found.findings.append(excluded("unknown_word", where, text, subject=subject, timepoint=visit))
        return
    if day is None:
        text = f"RSDTC {row['RSDTC']!r} is not a full date; the response {said} is left out"
        found.findings.append(excluded("partial_date", where, text, subject=subject, timepoint=visit))
        return
    of_day = [part for part in parts if part["RSDTC"] == row["RSDTC"]] or parts
    words = {part["RSTESTCD"]: part["RSSTRESC"] for part in of_day}
    new = words.get("NEWLPROG", "") or words.get("NEWLIND", "")
    response = GivenResponse(
        where,
        visit,
        _number(row["VISITNUM"]),
        day,
        vocabulary.words(said),
        _word(words.get("TRGRESP", ""), TargetResponse, TargetResponse.NOT_APPLICABLE),
        _word(words.get("NTRGRESP", ""), NonTargetResponse, NonTargetResponse.NOT_APPLICABLE),
        _NEW.get(new, NewLesionResponse.NO),
    )
    found.by_reader.setdefault(_key(row), []).append(response)


def _word(said: str, words: type[Word], otherwise: Word) -> Word:
    """A part of a response; parts in the words of another family are not shown."""
    known: Mapping[str, Word] = {str(word.value): word for word in words}
    return known.get(said, otherwise)


def _once_a_day(found: GivenResponses, key: Key, responses: Sequence[GivenResponse]) -> Iterator[GivenResponse]:
    by_day: dict[dt.date, list[GivenResponse]] = {}
    for response in responses:
        by_day.setdefault(response.date, []).append(response)
    for day, same in by_day.items():
        if len({one.overall for one in same}) == 1:
            yield same[0]
            rest, why = same[1:], f"the same response on {day} as {same[0].where}"
        else:
            rest, why = same, f"{len(same)} different responses on {day}; none of them is used"
        for one in rest:
            code = "double_row" if len(same) > len(rest) else "two_results"
            text = f"{one.overall.value}: {why}"
            found.findings.append(excluded(code, one.where, text, subject=key[0], timepoint=one.visit))


def _number(text: str) -> float | None:
    try:
        return float(plain_decimal(text))
    except ValueError:
        return None
