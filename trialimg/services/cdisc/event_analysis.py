"""ADTTE: times to events, as the trial's endpoints say them, each traced to the response or date it rests on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from trialimg.endpoints.settings import Censoring
from trialimg.services.cdisc.course import Outcome
from trialimg.services.cdisc.parameters import Analysed
from trialimg.services.cdisc.specification import Row, Value
from trialimg.services.cdisc.subjects import last_alive

__all__ = ["CENSORINGS", "event_rows"]

CENSORINGS = {
    1: ("Last Tumor Assessment", "Last Tumor Assessment"),
    2: ("No Post-Baseline Assessment", "Randomization"),
    3: ("Missed Two or More Assessments", "Last Adequate Assessment Before Gap"),
    4: ("New Anti-Cancer Therapy", "Last Adequate Assessment Before New Therapy"),
    5: ("No Baseline Assessment", "Randomization"),
    6: ("Death", "Last Tumor Assessment"),
}
"""CNSR to EVNTDESC and CNSDTDSC of the endpoints that rest on assessments."""
_OTHERWISE = {
    Censoring.EMA: ("PFSEMAB", "Progression Free Survival by BICR, EMA Censoring (Days)"),
    Censoring.FDA: ("PFSFDAB", "Progression Free Survival by BICR, FDA Censoring (Days)"),
}
"""Progression-free survival beside that of the protocol, by whose censoring it is."""
_OF_RULE = {"C0": 1, "C1": 5, "C2": 2, "C3": 4, "C4": 3}
_RULE = re.compile(r"E/(?:PFS|TTP)-(C\d)")


def event_rows(subject: Analysed, adrs: Sequence[Row]) -> Iterator[Row]:
    """Overall survival of every subject with an origin, and each further endpoint that applies to it.

    Parameters
    ----------
    adrs
        The subject's numbered rows of ADRS.
    """
    if subject.origin is None:
        return
    yield _survival(subject, subject.origin)
    found = subject.course.endpoints
    if found is None:
        return
    for code, name, outcome in (
        ("PFSB", "Progression Free Survival by BICR (Days)", found.progression_free),
        ("TTPB", "Time to Progression by BICR (Days)", found.to_progression),
        ("RSDB", "Duration of Response by BICR (Days)", found.duration),
        ("TTRB", "Time to Response by BICR (Days)", found.to_response),
    ):
        if outcome is not None:
            yield _row(subject, code, name, outcome, adrs)
    if found.progression_free_otherwise is not None:
        censoring, outcome = found.progression_free_otherwise
        yield _row(subject, *_OTHERWISE[censoring], outcome, adrs)


def _survival(subject: Analysed, origin: dt.date) -> Row:
    cells = subject.cells("OS", "Overall Survival (Days)", "")
    death, cutoff = subject.course.subject.death_date, subject.study.cutoff
    if death is not None and (cutoff is None or death <= cutoff):
        told: dict[str, Value] = {"CNSR": 0, "EVNTDESC": "Death", "SRCDOM": "ADSL", "SRCVAR": "DTHDT"}
        return _timed(cells, origin, death, told)
    alive = last_alive(subject.study, subject.course)
    if alive is None or alive < origin:
        told = {"CNSR": 2, "EVNTDESC": "Randomization", "CNSDTDSC": "Randomization"}
        return _timed(cells, origin, origin, {**told, "SRCDOM": "ADSL", "SRCVAR": _origin_variable(subject)})
    told = {"CNSR": 1, "EVNTDESC": "Alive", "CNSDTDSC": "Alive at Last Contact"}
    return _timed(cells, origin, alive, {**told, "SRCDOM": "ADSL", "SRCVAR": "LSTALVDT"})


def _row(subject: Analysed, code: str, name: str, outcome: Outcome, adrs: Sequence[Row]) -> Row:
    cells = subject.cells(code, name, "")
    start = outcome.date - dt.timedelta(days=outcome.days - 1)
    told = _event(code, outcome, subject) if outcome.event else _censored(outcome)
    return _timed(cells, start, outcome.date, {**told, **_traced(subject, code, outcome, adrs)})


def _event(code: str, outcome: Outcome, subject: Analysed) -> dict[str, Value]:
    if code == "TTRB":
        return {"CNSR": 0, "EVNTDESC": "Response"}
    return {"CNSR": 0, "EVNTDESC": "Death" if _is_death(subject, outcome) else "Disease Progression"}


def _is_death(subject: Analysed, outcome: Outcome) -> bool:
    found = subject.course.endpoints
    progressed = found is not None and found.progression_date == outcome.date
    return subject.course.subject.death_date == outcome.date and not progressed


def _censored(outcome: Outcome) -> dict[str, Value]:
    rule = _RULE.search(f"{outcome.rule} {outcome.sentence}")
    number = _OF_RULE.get(rule.group(1), 1) if rule else 1
    event, date = CENSORINGS[number]
    return {"CNSR": number, "EVNTDESC": event, "CNSDTDSC": date}


def _traced(subject: Analysed, code: str, outcome: Outcome, adrs: Sequence[Row]) -> dict[str, Value]:
    """The row of ADRS, or the date of ADSL, that the date of an endpoint is."""
    if outcome.event and code != "TTRB" and _is_death(subject, outcome):
        return {"SRCDOM": "ADSL", "SRCVAR": "DTHDT"}
    wanted = {"TTRB": ("RSPB", "CRSPB")}.get(code, ("PDB",)) if outcome.event else ("OVRB",)
    rows = [row for row in adrs if row["PARAMCD"] in wanted and row.get("ADT") == outcome.date]
    if rows:
        return {"SRCDOM": "ADRS", "SRCVAR": "ADT", "SRCSEQ": rows[0]["ASEQ"]}
    if outcome.date == subject.origin:
        return {"SRCDOM": "ADSL", "SRCVAR": _origin_variable(subject)}
    return {}


def _origin_variable(subject: Analysed) -> str:
    return "RANDDT" if subject.study.is_randomised else "TRTSDT"


def _timed(cells: Row, start: dt.date, day: dt.date, told: Row) -> Row:
    kept = {name: value for name, value in cells.items() if not name.startswith("PARCAT")}
    return {**kept, "STARTDT": start, "ADT": day, "AVAL": (day - start).days + 1, **told}
