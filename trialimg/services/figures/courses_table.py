"""Courses as anybody's table or analysis datasets tell them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.services.cdisc.delivery import Delivery, typed
from trialimg.services.figures.courses import (
    Course,
    CoursePoint,
    Imprint,
    Outcome,
    Thresholds,
    TrialCourses,
)
from trialimg.services.figures.tones import Tone, response_word
from trialimg.services.tables import Row, Table, read_table

__all__ = ["COLUMNS", "courses_of_datasets", "courses_of_table"]

COLUMNS = (
    "subject", "arm", "best_response", "best_change_pct", "pfs_days", "pfs_event", "dor_days", "dor_event",
    "progression_day", "death_day", "new_therapy_day", "last_contact_day", "day", "change_pct", "response",
    "new_lesion", "visit",
)  # fmt: skip
_OWN = COLUMNS[1 : COLUMNS.index("day")]
"""Columns about the subject: said in any of its rows, the same in all that say it."""
_YES = {"1": True, "yes": True, "0": False, "no": False}
_RESPONDERS = (Tone.COMPLETE, Tone.PARTIAL)
_CONTROLLED = (*_RESPONDERS, Tone.MINOR, Tone.STABLE, Tone.NEITHER)


def courses_of_table(text: str, source: str, *, thresholds: Thresholds, programme: str) -> TrialCourses:
    """The courses in a CSV: one row a subject, or one row a visit with the subject's own columns beside it.

    Parameters
    ----------
    thresholds
        Of the criterion that the responses follow.

    Raises
    ------
    ReadingError
        With every fault of the table.
    """
    table = read_table(text, source, required=("subject",), optional=COLUMNS[1:])
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        rows.setdefault(row.text("subject", required=True), []).append(row)
    courses = tuple(_course(table, subject, found) for subject, found in rows.items())
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s); nothing was drawn", tuple(table.faults))
    arms = tuple(sorted({course.arm for course in courses if course.arm}))
    return TrialCourses(source, "", courses, arms, arms, thresholds, Imprint(programme=programme, source=source))


def _course(table: Table, subject: str, rows: Sequence[Row]) -> Course:
    own = {column: _agreed(table, rows, column) for column in _OWN}
    best = own["best_response"].text("best_response")
    tone = response_word(best).tone
    days = {name: _whole(own[name], name) for name in ("progression_day", "death_day", "new_therapy_day")}
    points = tuple(_points(rows))
    progressed = (point.day for point in points if response_word(point.response).tone is Tone.PROGRESSION)
    return Course(
        subject,
        subject,
        best,
        own["best_change_pct"].number("best_change_pct"),
        points,
        next(progressed, None) if days["progression_day"] is None else days["progression_day"],
        arm=own["arm"].text("arm"),
        is_responder=tone in _RESPONDERS if best else None,
        has_disease_control=tone in _CONTROLLED if best else None,
        death_day=days["death_day"],
        new_therapy_day=days["new_therapy_day"],
        last_contact_day=_whole(own["last_contact_day"], "last_contact_day"),
        progression_free=_outcome(own, "pfs"),
        response_duration=_outcome(own, "dor"),
    )


def _agreed(table: Table, rows: Sequence[Row], column: str) -> Row:
    """The row that says a column; two that contradict each other are a fault."""
    saying = [row for row in rows if row.text(column)] or [rows[0]]
    first = saying[0]
    for row in saying[1:]:
        if row.text(column) != first.text(column):
            told = f"{column} is {row.text(column)!r} here and {first.text(column)!r} in line {first.line}"
            table.fault(row.line, "contradiction", told)
    return first


def _points(rows: Iterable[Row]) -> Iterator[CoursePoint]:
    dated = [(day, row) for row in rows if (day := _whole(row, "day")) is not None]
    for day, row in sorted(dated, key=lambda pair: pair[0]):
        is_new = _flag(row, "new_lesion") is True
        yield CoursePoint(row.text("visit"), day, row.number("change_pct"), row.text("response"), is_new)


def _outcome(own: Mapping[str, Row], name: str) -> Outcome | None:
    days, event = _whole(own[f"{name}_days"], f"{name}_days"), _flag(own[f"{name}_event"], f"{name}_event")
    if days is None and event is None:
        return None
    row = own[f"{name}_days"]
    if days is None or event is None or days < 0:
        row.table.fault(row.line, "half_an_endpoint", f"{name}_days (0 or more) and {name}_event go together")
        return None
    return Outcome(days, event)


def _whole(row: Row, column: str) -> int | None:
    value = row.number(column)
    if value is not None and not value.is_integer():
        row.table.fault(row.line, "bad_value", f"{column} {value} is not a whole number of days")
        return None
    return None if value is None else int(value)


def _flag(row: Row, column: str) -> bool | None:
    word = row.text(column).lower()
    if word and word not in _YES:
        row.table.fault(row.line, "bad_value", f"{column} {word!r} is not 1, 0, yes or no")
    return _YES.get(word)


def courses_of_datasets(delivery: Delivery, source: str, *, thresholds: Thresholds, programme: str) -> TrialCourses:
    """The courses in ADSL, ADRS, ADTR and ADTTE: by the independent review, or else by the one stream that there is.

    Raises
    ------
    ReadingError
        Names every dataset that is not there; or where ADRS has neither stream.
    """
    _require_datasets(delivery, source)
    stream = _stream(delivery, source)
    rows = {name: _by_subject(delivery, name) for name in ("ADRS", "ADTR", "ADTTE")}
    people = [_typed_row("ADSL", row) for row in delivery.tables["ADSL"].rows]
    courses = tuple(
        _of_datasets(one, {name: found.get(one["USUBJID"], []) for name, found in rows.items()}, stream)
        for one in people
    )
    cuts = {one["DCUTDT"].isoformat() for one in people if isinstance(one.get("DCUTDT"), dt.date)}
    arms = tuple(sorted({course.arm for course in courses if course.arm}))
    imprint = Imprint(", ".join(sorted(cuts)), programme, source)
    return TrialCourses(
        str(people[0].get("STUDYID", "")) if people else "", "", courses, arms, arms, thresholds, imprint
    )


def _require_datasets(delivery: Delivery, source: str) -> None:
    lacking = [name for name in ("ADSL", "ADRS", "ADTTE") if name not in delivery.tables]
    if not lacking:
        return
    faults = tuple(Fault(source, "no_dataset", f"there is no {name}") for name in lacking)
    given = [name for name in ("TU", "TR", "RS") if name in delivery.tables]
    if given and len(lacking) > 1:
        raise ReadingError(
            f"{source}: {', '.join(given)} of SDTM; a protocol says how they are judged: trialimg run PROTOCOL "
            "--from-sdtm FOLDER --out RUN, then give RUN",
            faults,
        )
    raise ReadingError(f"{source}: figures are made from analysis datasets; run `trialimg export all`", faults)


def _stream(delivery: Delivery, source: str) -> str:
    """What the codes of the parameters end in: ``B`` of the independent review, nothing of the primary stream."""
    codes = {row.get("PARAMCD") for row in delivery.tables["ADRS"].rows}
    for suffix in ("B", ""):
        if f"BOR{suffix}" in codes:
            return suffix
    raise ReadingError(f"{source}: ADRS has no best response (PARAMCD BORB or BOR); nothing can be drawn from it")


def _by_subject(delivery: Delivery, name: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in delivery.tables[name].rows if name in delivery.tables else ():
        found.setdefault(str(row["USUBJID"]), []).append(_typed_row(name, row))
    return found


def _typed_row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: typed(name, column, value) for column, value in row.items()}


def _of_datasets(who: Mapping[str, Any], rows: Mapping[str, list[dict[str, Any]]], stream: str) -> Course:
    start = who.get("RANDDT") or who.get("TRTSDT")
    adrs = {row["PARAMCD"]: row for row in rows["ADRS"] if row["PARAMCD"] != f"OVR{stream}"}
    overall = [row for row in rows["ADRS"] if row["PARAMCD"] == f"OVR{stream}" and row.get("ADT")]
    sums = {row["ADT"]: row for row in rows["ADTR"] if row["PARAMCD"] == f"SDIAM{stream}" and row.get("ADT")}
    times = {row["PARAMCD"]: row for row in rows["ADTTE"]}
    best = str(adrs.get(f"BOR{stream}", {}).get("AVALC") or "")
    change = next((row.get("PCHG") for row in sums.values() if row.get("ANL02FL") == "Y"), None)
    progressed = adrs.get(f"PD{stream}", {})
    return Course(
        str(who["USUBJID"]),
        str(who["USUBJID"]),
        best,
        None if change is None else float(change),
        tuple(_visits(overall, sums, start)) if start else (),
        _day(progressed.get("ADT") if progressed.get("AVALC") == "Y" else None, start),
        arm=str(who.get("TRT01P") or who.get("ARM") or ""),
        is_timed=start is not None,
        is_usable=best not in ("", "MISSING"),
        is_responder=response_word(best).tone in _RESPONDERS,
        has_disease_control=response_word(best).tone in _CONTROLLED,
        death_day=_day(who.get("DTHDT"), start),
        new_therapy_day=_day(who.get("NACTDT"), start),
        last_contact_day=_day(who.get("LSTALVDT"), start),
        progression_free=_time(times.get(f"PFS{stream}")),
        response_duration=_time(times.get(f"RSD{stream}")),
    )


def _visits(
    overall: Sequence[Mapping[str, Any]], sums: Mapping[dt.date, Mapping[str, Any]], start: dt.date
) -> Iterator[CoursePoint]:
    for row in sorted(overall, key=lambda row: row["ADT"]):
        change = sums.get(row["ADT"], {}).get("PCHG")
        day = (row["ADT"] - start).days
        yield CoursePoint(
            str(row.get("AVISIT") or ""), day, None if change is None else float(change), str(row.get("AVALC") or "")
        )


def _day(date: dt.date | None, start: dt.date | None) -> int | None:
    return (date - start).days if date and start else None


def _time(row: Mapping[str, Any] | None) -> Outcome | None:
    return None if row is None or row.get("AVAL") is None else Outcome(int(row["AVAL"]), row.get("CNSR") == 0)
