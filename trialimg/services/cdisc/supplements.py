"""SUPPTU, SUPPTR, SUPPRS and RELREC: what has no variable of its own, and how the datasets belong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.specification import Row
from trialimg.services.cdisc.tumours import mass_of, scenes

__all__ = ["QUALIFIERS", "related_rows", "supplement_rows"]

QUALIFIERS = {
    "NODALFL": ("Lymph Node Flag", "eDT"),
    "PRLOCTRT": ("Prior Local Therapy of Lesion", "eDT"),
    "LESCLASS": ("Lesion Classification Certainty", "eDT"),
    "TSTMFL": ("Too Small to Measure Flag", "Derived"),
    "LESPARTS": ("Number of Parts Summed in Diameter", "Derived"),
    "RSREASNE": ("Reason Response Not Evaluable", "eDT"),
    "RULEID": ("Response Rule Identifier", "Derived"),
    "ADJREAS": ("Reason for Adjudication", "eDT"),
    "ADJSEL": ("Reader Endorsed by Adjudicator", "eDT"),
}
"""Label and origin of each qualifier."""
_LONGEST = 200

Key = tuple[str, ...]
"""Subject, reader and what else finds a record."""


def supplement_rows(study: Study, domain: str, rows: Iterable[Row]) -> Iterator[Row]:
    """The qualifiers of one domain, each tied to its record by --SEQ.

    Parameters
    ----------
    rows
        The numbered rows of the domain.
    """
    said = {"TU": _of_identifications, "TR": _of_results, "RS": _of_responses}[domain](study)
    for row in rows:
        qualifiers = said.get(_key(domain, row), {})
        for name in sorted(qualifiers):
            label, origin = QUALIFIERS[name]
            yield {
                "STUDYID": study.code,
                "RDOMAIN": domain,
                "USUBJID": row["USUBJID"],
                "IDVAR": f"{domain}SEQ",
                "IDVARVAL": str(row[f"{domain}SEQ"]),
                "QNAM": name,
                "QLABEL": label,
                "QVAL": qualifiers[name][:_LONGEST],
                "QORIG": origin,
                "QEVAL": row[f"{domain}EVAL"] if origin == "eDT" else None,
            }


def _key(domain: str, row: Row) -> Key:
    subject, role = str(row["USUBJID"]), str(row[f"{domain}EVALID"])
    if domain == "TU":
        return (subject, role, str(row["TULNKID"]))
    visit = str(row["VISITNUM"])
    if domain == "TR":
        return (subject, role, visit, str(row.get("TRLNKID")), str(row["TRTESTCD"]))
    return (subject, role, visit, str(row["RSTESTCD"]))


def _of_identifications(study: Study) -> dict[Key, Mapping[str, str]]:
    said: dict[Key, Mapping[str, str]] = {}
    for scene in scenes(study):
        for one in scene.at.lesions:
            key = (study.unique_subject(scene.course.subject), scene.read.by.role, scene.link(one.label))
            known = {"NODALFL": "Y"} if one.kind is LesionKind.NODAL else {}
            if one.prior_therapy:
                known["PRLOCTRT"] = "Y"
            if one.role is Role.NEW and one.status:
                known["LESCLASS"] = one.status.upper()
            said.setdefault(key, known)
    return said


def _of_results(study: Study) -> dict[Key, Mapping[str, str]]:
    said: dict[Key, Mapping[str, str]] = {}
    for scene in scenes(study):
        where = (study.unique_subject(scene.course.subject), scene.read.by.role, str(float(scene.at.visit.number)))
        for one in scene.at.lesions:
            if one.role is not Role.TARGET:
                continue
            link = scene.link(mass_of(one, scene.at.lesions) or one.label)
            known = {"TSTMFL": "Y"} if one.seen is Seen.TOO_SMALL else {}
            if one.seen is Seen.MEASURED and one.parts > 1:
                known["LESPARTS"] = str(one.parts)
            for test in ("LDIAM", "LPERP", "VDIAM") if known else ():
                said[(*where, link, test)] = known
    return said


def _of_responses(study: Study) -> dict[Key, Mapping[str, str]]:
    said: dict[Key, Mapping[str, str]] = {}
    for scene in scenes(study):
        at, subject = scene.at, study.unique_subject(scene.course.subject)
        where = (subject, scene.read.by.role, str(float(at.visit.number)))
        reasons = "; ".join(f"{one.label}: {one.reason}" for one in at.lesions if one.seen is Seen.NOT_EVALUABLE)
        for test, value in at.responses.items():
            known = {"RSREASNE": reasons} if value == "NE" and reasons else {}
            if test == "OVRLRESP" and at.rule:
                known["RULEID"] = at.rule
            said[(*where, test)] = known
        if scene.course.endorsed and scene.read.is_accepted and "OVRLRESP" in at.responses:
            role, why = scene.course.endorsed
            said[(subject, "ADJUDICATOR 1", where[2], "OVRLRESP")] = {"ADJSEL": role, "ADJREAS": why}
    return said


def related_rows(study: Study, *, one_response: bool) -> Iterator[Row]:
    """RELREC: TU to TR by lesion, TR to RS by assessment.

    Parameters
    ----------
    one_response
        Whether no two RS records share an assessment.
    """
    links = (
        ("TU", "TULNKID", "ONE", "TUTR"),
        ("TR", "TRLNKID", "MANY", "TUTR"),
        ("TR", "TRLNKGRP", "MANY", "TRRS"),
        ("RS", "RSLNKGRP", "ONE" if one_response else "MANY", "TRRS"),
    )
    for domain, variable, kind, relation in links:
        yield {"STUDYID": study.code, "RDOMAIN": domain, "IDVAR": variable, "RELTYPE": kind, "RELID": relation}
