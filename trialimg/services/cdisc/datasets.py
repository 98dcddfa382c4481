"""All datasets of a study, from what the readers found to the times of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trialimg.services.cdisc.course import Course, Study
from trialimg.services.cdisc.event_analysis import event_rows
from trialimg.services.cdisc.parameters import Analysed
from trialimg.services.cdisc.response_analysis import response_analysis_rows
from trialimg.services.cdisc.responses import response_rows
from trialimg.services.cdisc.specification import DATASETS, Row, Standard
from trialimg.services.cdisc.subjects import analysis_subjects, demographics
from trialimg.services.cdisc.supplements import related_rows, supplement_rows
from trialimg.services.cdisc.tables import Table, numbered, ordered, table_of
from trialimg.services.cdisc.tumour_analysis import tumour_rows
from trialimg.services.cdisc.tumours import identification_rows, result_rows

__all__ = ["datasets"]

_ORDER = {
    "TU": ("USUBJID", "TUEVAL", "TUEVALID", "VISITNUM", "TUTESTCD", "TULNKID"),
    "TR": ("USUBJID", "TREVAL", "TREVALID", "VISITNUM", "TRGRPID", "TRLNKID", "TRTESTCD"),
    "RS": ("USUBJID", "RSEVAL", "RSEVALID", "RSCAT", "VISITNUM", "RSTESTCD"),
}
"""How the records of a domain are ordered before they are numbered."""


def datasets(study: Study, standards: Sequence[Standard] = tuple(Standard)) -> tuple[Table, ...]:
    """Every dataset that has rows, in order of delivery.

    Raises
    ------
    ReadingError
        If the sponsor's DM does not fit the subjects.
    """
    rows: dict[str, Sequence[Row]] = {"DM": ordered(demographics(study), ("USUBJID",))}
    made = {"TU": identification_rows(study), "TR": result_rows(study), "RS": response_rows(study)}
    for domain, found in made.items():
        rows[domain] = numbered(ordered(found, _ORDER[domain]), f"{domain}SEQ")
        rows[f"SUPP{domain}"] = list(supplement_rows(study, domain, rows[domain]))
    groups = [row["RSLNKGRP"] for row in rows["RS"] if row["RSLNKGRP"]]
    per_subject = {(row["USUBJID"], row["RSLNKGRP"]) for row in rows["RS"] if row["RSLNKGRP"]}
    rows["RELREC"] = list(related_rows(study, one_response=len(groups) == len(per_subject))) if rows["RS"] else []
    if Standard.ADAM in standards:
        rows |= _analysis(study, rows)
    wanted = (spec for spec in DATASETS.values() if spec.standard in standards and rows.get(spec.name))
    return tuple(table_of(spec, rows[spec.name]) for spec in wanted)


def _analysis(study: Study, sdtm: Mapping[str, Sequence[Row]]) -> dict[str, Sequence[Row]]:
    dm = {str(row["USUBJID"]): row for row in sdtm["DM"]}
    adsl = ordered(analysis_subjects(study, dm), ("USUBJID",))
    of = {row["USUBJID"]: row for row in adsl}
    adtr: list[Row] = []
    adrs: list[Row] = []
    adtte: list[Row] = []
    for course in study.courses:
        subject = _analysed(study, course, of[study.unique_subject(course.subject)], sdtm)
        adtr += tumour_rows(subject)
        responses = numbered(ordered(response_analysis_rows(subject), _KEYS["ADRS"]), "ASEQ")
        adrs += responses
        adtte += event_rows(subject, responses)
    return {
        "ADSL": adsl,
        "ADTR": numbered(ordered(adtr, _KEYS["ADTR"]), "ASEQ"),
        "ADRS": ordered(adrs, ("USUBJID", "ASEQ")),
        "ADTTE": numbered(ordered(adtte, _KEYS["ADTTE"]), "ASEQ"),
    }


_KEYS = {name: DATASETS[name].keys for name in ("ADTR", "ADRS", "ADTTE")}


def _analysed(study: Study, course: Course, subject: Row, sdtm: Mapping[str, Sequence[Row]]) -> Analysed:
    read, name = course.accepted, subject["USUBJID"]
    role = read.by.role if read else ""

    def own(domain: str) -> tuple[Row, ...]:
        return tuple(_of(sdtm[domain], name, f"{domain}EVALID", role))

    return Analysed(study, course, subject, own("TU"), own("TR"), own("RS"))


def _of(rows: Iterable[Row], subject: object, variable: str, role: str) -> Iterable[Row]:
    return (row for row in rows if row["USUBJID"] == subject and row[variable] == role)
