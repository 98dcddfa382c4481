"""DM and ADSL: the subjects, as far as an imaging trial knows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Role
from trialimg.services.cdisc.course import Course, Study
from trialimg.services.cdisc.specification import DATASETS, Row, Value

__all__ = ["UNKNOWN_COUNTRY", "analysis_subjects", "demographics", "last_alive"]

UNKNOWN_COUNTRY = "ZZZ"
"""A code that ISO 3166-1 leaves to its users: nobody told us the country."""


def demographics(study: Study) -> Iterator[Row]:
    """DM: the sponsor's rows where there are any; otherwise what is known, and U, UNKNOWN or ZZZ where it is not."""
    if study.demographics:
        yield from _of_sponsor(study)
        return
    for course in study.courses:
        subject = course.subject
        started, contact = _text(subject.reference_date), _text(subject.last_contact_date)
        yield {
            "STUDYID": study.code,
            "DOMAIN": "DM",
            "USUBJID": study.unique_subject(subject),
            "SUBJID": subject.id,
            "RFSTDTC": started,
            "RFPENDTC": _text(_latest(course)) or contact,
            "DTHDTC": _text(subject.death_date),
            "DTHFL": "Y" if subject.death_date else None,
            "SITEID": subject.site or "UNKNOWN",
            "SEX": "U",
            "RACE": "UNKNOWN",
            "ARMCD": subject.arm,
            "ARM": subject.arm,
            "ACTARMCD": subject.arm,
            "ACTARM": subject.arm,
            "ARMNRS": None if subject.arm else "NOT ASSIGNED",
            "COUNTRY": UNKNOWN_COUNTRY,
        }


def _latest(course: Course) -> dt.date | None:
    """The last thing that is known of a subject: contact, death or image."""
    known = [course.subject.last_contact_date, course.subject.death_date]
    known += [at.date for read in course.reads for at in read.assessments]
    return max((day for day in known if day is not None), default=None)


def _of_sponsor(study: Study) -> Iterator[Row]:
    """The sponsor's DM, held to the columns and the subjects that we know."""
    spec, faults = DATASETS["DM"], []
    known = {study.unique_subject(course.subject) for course in study.courses}
    for line, given in enumerate(study.demographics, start=2):
        if given.get("USUBJID") in known:
            yield {v.name: _number(given.get(v.name), v.name) for v in spec.variables}
            known.discard(given["USUBJID"])
        else:
            faults.append(Fault(f"DM line {line}", "unknown_subject", f"{given.get('USUBJID')!r} is not in this trial"))
    faults += [Fault("DM", "missing_subject", f"{name} is not in the sponsor's DM") for name in sorted(known)]
    if faults:
        raise ReadingError(f"the sponsor's DM does not fit the trial: {len(faults)} fault(s)", tuple(faults))


def _number(text: str | None, name: str) -> Value:
    if name != "AGE" or not text:
        return text
    if not text.isdigit():
        raise ReadingError(f"DM: AGE {text!r} is not a whole number of years")
    return int(text)


def analysis_subjects(study: Study, dm: Mapping[str, Row]) -> Iterator[Row]:
    """ADSL: one row per subject.

    Parameters
    ----------
    dm
        Rows of DM by USUBJID.
    """
    for course in study.courses:
        subject, row = course.subject, dm[study.unique_subject(course.subject)]
        copied = ("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "ARM")
        first, last = _date(row.get("RFXSTDTC")), _date(row.get("RFXENDTC"))
        is_randomised = study.is_randomised and subject.reference_date is not None
        yield {
            **{name: row.get(name) for name in copied},
            "TRT01P": row.get("ARM"),
            "TRT01A": row.get("ACTARM") if first else None,
            "ITTFL": ("Y" if is_randomised else "N") if study.is_randomised else None,
            "RANDFL": ("Y" if is_randomised else "N") if study.is_randomised else None,
            "SAFFL": "Y" if first else None,
            "EFFMSFL": "Y" if has_target(course) else "N",
            "RANDDT": subject.reference_date if is_randomised else None,
            "TRTSDT": first or (None if study.is_randomised else subject.reference_date),
            "TRTEDT": last,
            "LSTALVDT": last_alive(study, course),
            "DTHDT": subject.death_date,
            "NACTDT": subject.new_therapy_date,
            "DCUTDT": study.cutoff,
        }


def has_target(course: Course) -> bool:
    """Whether the accepted read has a target lesion at baseline."""
    read = course.accepted
    return read is not None and any(one.role is Role.TARGET for one in read.assessments[0].lesions)


def last_alive(study: Study, course: Course) -> dt.date | None:
    """The last day a subject is known to have lived, not after the cutoff."""
    death, latest = course.subject.death_date, _latest(course)
    days = [day for day in (latest, death, study.cutoff) if day is not None]
    return min(days) if latest is not None else None


def _date(value: Value) -> dt.date | None:
    text = str(value or "")[:10]
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _text(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
