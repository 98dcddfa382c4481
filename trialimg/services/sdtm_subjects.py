"""Who is in the trial, as DM, DS, EX and ADSL tell it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from trialimg.core.errors import ReadingError
from trialimg.core.trial import Finding, Severity, Subject
from trialimg.services.sdtm_tables import Cells, SourceTables, excluded, full_date
from trialimg.services.tables import read_table

__all__ = ["Enrolment", "enrolment", "read_arms"]

_NO_ARM = ("SCRNFAIL", "SCREEN FAILURE", "NOTASSGN", "NOT ASSIGNED")
"""Planned arms of those who were never assigned to one."""
_UNKNOWN = ("", "U", "UNKNOWN", "NOT REPORTED", "UNDIFFERENTIATED")
_OLD_FROM = 65
"""Years that part the older from the younger (ICH E7)."""

_ORIGINS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "randomisation": (("ADSL", "RANDDT"), ("DS", "RANDOMIZED"), ("DM", "RFSTDTC")),
    "first_dose": (("ADSL", "TRTSDT"), ("DM", "RFXSTDTC"), ("EX", "EXSTDTC"), ("DM", "RFSTDTC")),
}
"""Where day 1 is looked for, the best first; the last one only stands for it."""


@dataclass
class Enrolment:
    """The subjects of the analysis, and everything about them that could not be used."""

    subjects: list[Subject] = field(default_factory=list)
    covariates: dict[str, dict[str, str]] = field(default_factory=dict)
    """Subject to baseline characteristic to its category."""
    findings: list[Finding] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    """Subjects that the tables know, but that do not belong to the analysis."""
    origins: Counter[str] = field(default_factory=Counter)
    """Which variable gave day 1, and of how many."""


def read_arms(text: str, source: str) -> Mapping[str, str]:
    """Code of an arm to its blinded label, from a CSV with the columns ``code, label``.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    table = read_table(text, source, required=("code", "label"))
    labels: dict[str, str] = {}
    for row in table.rows:
        code, label = row.text("code", required=True), row.text("label", required=True)
        if code in labels:
            table.fault(row.line, "double_row", f"arm {code!r} has a label already")
        labels[code] = label
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s)", tuple(table.faults))
    return labels


def enrolment(
    tables: SourceTables, recorded: Sequence[str], *, origin: str, arms: Mapping[str, str] | None = None
) -> Enrolment:
    """Every subject who was assigned to an arm, in order of USUBJID.

    Parameters
    ----------
    recorded
        Subjects of whom TU, TR or RS speak, in their order.
    origin
        What day 1 is: ``randomisation`` or ``first_dose``.
    arms
        Code of an arm to its blinded label; None: the codes themselves are the labels.

    Notes
    -----
    Where there is neither DM nor ADSL, everybody of whom a tumour table speaks belongs to the analysis.
    """
    found = Enrolment()
    people = _people(tables, found)
    if not people:
        people = {name: {} for name in recorded}
        found.findings.append(
            Finding(
                "no_demographics", Severity.WARNING, "DM", "neither DM nor ADSL is here: no arm, no day 1, no death"
            )
        )
    dates = _Dates(tables, origin)
    for name in sorted(people):
        _enrol(found, name, people[name], dates, arms)
    known = {subject.id for subject in found.subjects} | found.left_out
    for name in dict.fromkeys(recorded):
        if name not in known:
            text = f"{name} is in neither DM nor ADSL; every record of this subject is left out"
            found.findings.append(excluded("unknown_subject", name, text, subject=name))
    found.findings += _told_origins(found.origins, origin)
    return found


def _people(tables: SourceTables, found: Enrolment) -> dict[str, dict[str, str]]:
    """What DM and ADSL say of each subject; where both say it, DM."""
    people: dict[str, dict[str, str]] = {}
    for name in ("DM", "ADSL"):
        seen: set[str] = set()
        for where, row in tables.of(name).placed():
            subject = row.get("USUBJID", "")
            if not subject or subject in seen:
                text = "a second row of this subject" if subject else "no USUBJID"
                found.findings.append(excluded("double_row" if subject else "blank", where, text, subject=subject))
                continue
            seen.add(subject)
            known = people.setdefault(subject, {"where": where})
            known.update({key: value for key, value in row.items() if value and not known.get(key)})
    return people


def _enrol(found: Enrolment, name: str, row: Cells, dates: _Dates, arms: Mapping[str, str] | None) -> None:
    where = row.get("where", name)
    if why := _why_not(row):
        found.left_out.add(name)
        found.findings.append(Finding("not_in_population", Severity.INFO, where, f"not analysed: {why}", name))
        return
    code = row.get("ARMCD") or row.get("TRT01P") or row.get("ARM", "")
    if arms is not None and code and code not in arms:
        text = f"arm {code!r} has no label in the table of arms"
        found.findings.append(Finding("unknown_arm", Severity.WARNING, where, text, name))
    label = arms.get(code, "") if arms is not None else code
    subject = Subject(name, row.get("SITEID", ""), label)
    start, source = dates.origin(row)
    found.origins[source] += 1
    death = _date(found, where, name, row, ("DTHDTC", "DTHDT"))
    contact = _date(found, where, name, row, ("LSTALVDT", "RFPENDTC"))
    therapy = _date(found, where, name, row, ("NACTDT",)) or dates.new_therapy(name)
    if start is None:
        text = "no day 1: no time to an event can be counted, and stable disease cannot be shown to have lasted"
        found.findings.append(Finding("no_reference_date", Severity.WARNING, where, text, name))
    found.subjects.append(
        replace(subject, reference_date=start, death_date=death, last_contact_date=contact, new_therapy_date=therapy)
    )
    found.covariates[name] = dict(_covariates(row))


def _why_not(row: Cells) -> str:
    """Why a subject does not belong to the analysis; empty where it does."""
    for variable in ("ARMCD", "ARM", "ARMNRS"):
        value = row.get(variable, "")
        if value.upper() in _NO_ARM and not (variable == "ARMNRS" and value.upper() == "NOT ASSIGNED"):
            return f"{variable} is {value}"
    return "ITTFL is N" if row.get("ITTFL") == "N" else ""


def _date(found: Enrolment, where: str, subject: str, row: Cells, variables: Sequence[str]) -> dt.date | None:
    """The first of some variables that is a full date; a partial one is named."""
    for variable in variables:
        text = row.get(variable, "")
        if not text:
            continue
        day = full_date(text)
        if day is not None:
            return day
        message = f"{variable} {text!r} is not a full date; it is taken for not known"
        found.findings.append(excluded("partial_date", where, message, subject=subject))
    return None


def _covariates(row: Cells) -> Iterator[tuple[str, str]]:
    for variable, name in (("SEX", "Sex"), ("RACE", "Race")):
        value = row.get(variable, "")
        if value.upper() not in _UNKNOWN:
            yield name, value
    age = row.get("AGE", "")
    if age.replace(".", "", 1).isdigit():
        yield "Age", f"{_OLD_FROM} years or over" if float(age) >= _OLD_FROM else f"under {_OLD_FROM} years"


@dataclass(frozen=True)
class _Dates:
    """The dates that stand in further tables than DM and ADSL."""

    tables: SourceTables
    wanted: str
    by_subject: dict[tuple[str, str], list[Cells]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("DS", "EX", "SUPPDM"):
            for row in self.tables.of(name).rows:
                self.by_subject.setdefault((name, row.get("USUBJID", "")), []).append(row)

    def origin(self, row: Cells) -> tuple[dt.date | None, str]:
        """Day 1, and the variable that gave it."""
        for table, variable in _ORIGINS[self.wanted]:
            text = self._further(table, variable, row) if table in ("DS", "EX") else row.get(variable, "")
            day = full_date(text)
            if day is not None:
                return day, f"{table}.{variable}"
        return None, ""

    def new_therapy(self, subject: str) -> dt.date | None:
        """The start of a new therapy, which our own SDTM says as a qualifier of DM."""
        rows = (r for r in self.by_subject.get(("SUPPDM", subject), ()) if r.get("QNAM") == "NACTDTC")
        return next((full_date(row.get("QVAL", "")) for row in rows), None)

    def _further(self, table: str, variable: str, row: Cells) -> str:
        own = self.by_subject.get((table, row.get("USUBJID", "")), [])
        if table == "DS":
            dates = [r.get("DSSTDTC", "") for r in own if r.get("DSDECOD", "").upper() == variable]
        else:
            dates = [r.get(variable, "") for r in own]
        return min((text for text in dates if text), default="")


def _told_origins(origins: Counter[str], wanted: str) -> Iterator[Finding]:
    """Where day 1 came from, if it is not what the protocol calls it by."""
    word = {"randomisation": "the date of randomisation", "first_dose": "the date of the first dose"}[wanted]
    stand_in = ".".join(_ORIGINS[wanted][-1])
    if origins[stand_in]:
        count = origins[stand_in]
        text = f"{stand_in} stands for {word} in {count} subject(s), for which no table gives it"
        yield Finding("reference_date_stands_in", Severity.INFO, stand_in, text)
