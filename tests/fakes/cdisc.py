"""A study of one subject whose datasets are published: two readers who differ, a split lesion, a verdict."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.trial import Subject
from trialimg.services.cdisc.course import (
    Assessment,
    Course,
    Endpoints,
    Evaluator,
    Finding,
    Outcome,
    Read,
    Study,
    StudyVisit,
)

__all__ = ["worked_example"]

_ROOT = "1.2.826.0.1.3680043.10.9999"
_VISITS = (
    StudyVisit(Decimal(1), "SCREENING", -7),
    StudyVisit(Decimal(2), "WEEK 8", 57),
    StudyVisit(Decimal(3), "WEEK 16", 113),
)
_CT = (dt.date(2026, 1, 5), dt.date(2026, 3, 9), dt.date(2026, 5, 4))
_MRI = dt.date(2026, 5, 6)
_START = dt.date(2026, 1, 12)


def _target(label: str, visit: int, size: str | None, **more: object) -> Finding:
    organ = {"T01": "liver", "T02": "lung", "T03": "mediastinal lymph node"}[label[:3]]
    fields: dict[str, object] = {
        "kind": LesionKind.NODAL if label == "T03" else LesionKind.NON_NODAL,
        "seen": Seen.MEASURED if size else Seen.TOO_SMALL,
        "diameter_mm": Decimal(size) if size else None,
        "date": _CT[visit],
        "image": f"{_ROOT}.{visit + 1}.{label[-1]}",
        "split_from": label[:3] if "." in label else "",
        "site": "right" if label == "T02" else "",
        **more,
    }
    return Finding(label=label, role=Role.TARGET, organ=organ, **fields)  # type: ignore[arg-type]


def _bone(visit: int, *, unseen: bool = False) -> Finding:
    seen = Seen.NOT_EVALUABLE if unseen else Seen.MEASURED
    reason = "scan not performed: bone window" if unseen else ""
    image = "" if unseen else f"{_ROOT}.{visit + 1}.4"
    status = "" if unseen else "present"
    day = None if unseen else _CT[visit]
    kind = LesionKind.NON_NODAL
    return Finding("NT01", Role.NON_TARGET, kind, "bone", seen, status=status, reason=reason, image=image, date=day)


def _read(by: Evaluator, sizes: tuple[tuple[str | None, ...], ...], *, accepted: bool, last: bool) -> Read:
    """``sizes``: of T01 (twice once it has split), T02, T03 at each visit."""
    names = (("T01", "T02", "T03"), ("T01.1", "T01.2", "T02", "T03"), ("T01.1", "T01.2", "T02", "T03"))
    words = ({}, *_WORDS[by.prefix])
    sums = _SUMS[by.prefix]
    assessments = []
    for visit in range(3):
        lesions = [_target(n, visit, size) for n, size in zip(names[visit], sizes[visit], strict=True)]
        lesions.append(_bone(visit, unseen=visit == 2 and not last))
        if visit == 2 and last:
            lesions.append(
                Finding(
                    "NEW01", Role.NEW, LesionKind.NON_NODAL, "brain", Seen.MEASURED, status="unequivocal", date=_MRI,
                    image=f"{_ROOT}.3.9", method="CONTRAST ENHANCED MRI",
                )
            )  # fmt: skip
        latest = _MRI if visit == 2 else _CT[visit]
        at = Assessment(_VISITS[visit], latest, _CT[visit], tuple(lesions), Decimal(sums[visit]), words[visit])
        assessments.append(at)
    return Read(by, accepted, tuple(assessments))


def _words(target: str, non_target: str, new: str, overall: str) -> dict[str, str]:
    return {"TRGRESP": target, "NTRGRESP": non_target, "NEWLIND": new, "OVRLRESP": overall}


_WORDS = {
    "R1": (_words("PR", "NON-CR/NON-PD", "N", "PR"), _words("PR", "NON-CR/NON-PD", "Y", "PD")),
    "R2": (_words("SD", "NON-CR/NON-PD", "N", "SD"), _words("SD", "NE", "N", "SD")),
}
_SUMS = {"R1": ("90", "55", "47"), "R2": ("84", "62", "59")}


def worked_example() -> Study:
    """The subject: 90, 55, 47 mm with a new lesion against 84, 62, 59 mm; the first reader was endorsed."""
    first = _read(
        Evaluator("R1", role="RADIOLOGIST 1"),
        (("42", "30", "18"), ("14", "10", "22", "9"), ("12", None, "22", "8")),
        accepted=True,
        last=True,
    )
    second = _read(
        Evaluator("R2", role="RADIOLOGIST 2"),
        (("40", "28", "16"), ("15", "12", "24", "11"), ("14", "11", "24", "10")),
        accepted=False,
        last=False,
    )
    subject = Subject("0101", "01", "ACTIVE", _START, last_contact_date=dt.date(2026, 5, 20))
    course = Course(subject, (first, second), _endpoints(), ("RADIOLOGIST 1", "BEST OVERALL RESPONSE"))
    return Study(
        "TI-001", "Example", "recist11", (course,), "CT SCAN", "CORELAB", True, dt.date(2026, 6, 30),
        demographics=(_DM,),
    )  # fmt: skip


def _endpoints() -> Endpoints:
    response, progression = dt.date(2026, 3, 9), dt.date(2026, 5, 6)
    return Endpoints(
        best=("PR", response),
        confirmed=("SD", response),
        response_date=response,
        progression_date=progression,
        benefit=True,
        benefit_date=response,
        progression_free=Outcome(115, True, progression, "E/PFS-E", "event on day 115: progression"),
        duration=Outcome(59, True, progression, "E/DOR", "event on day 59: end of progression-free survival"),
        to_response=Outcome(57, True, response, "E/TTR", "event on day 57: first response"),
    )


_DM = {
    "STUDYID": "TI-001", "DOMAIN": "DM", "USUBJID": "TI-001-01-0101", "SUBJID": "0101", "RFSTDTC": "2026-01-12",
    "RFENDTC": "2026-05-20", "RFXSTDTC": "2026-01-12", "RFXENDTC": "2026-05-01", "RFICDTC": "2025-12-29",
    "RFPENDTC": "2026-05-20", "SITEID": "01", "AGE": "63", "AGEU": "YEARS", "SEX": "F", "RACE": "WHITE",
    "ARMCD": "A", "ARM": "ACTIVE", "ACTARMCD": "A", "ACTARM": "ACTIVE", "COUNTRY": "USA",
}  # fmt: skip
