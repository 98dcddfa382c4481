"""A small delivery of SDTM tables of two subjects, which a test changes in one place."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from trialimg.services.sdtm_tables import SourceTable, SourceTables

__all__ = ["DM", "RS", "TR", "TU", "delivery", "reader", "table"]

DM = """\
USUBJID,SUBJID,SITEID,ARMCD,ARMNRS,RFSTDTC,RFXSTDTC,DTHDTC,SEX,AGE
T-01-001,001,01,A,,2024-01-10,2024-01-10,,F,70
T-01-002,002,01,B,,2024-01-12,2024-01-12,2024-05-01,M,50
"""
TU = """\
USUBJID,TUSEQ,VISIT,VISITNUM,TULOC,TUTESTCD,TUSTRESC,TULNKID,TUEVAL,TUEVALID,TUACPTFL
T-01-001,1,SCREENING,1,LIVER,TUMIDENT,TARGET,R1-T01,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y
T-01-001,2,SCREENING,1,AXILLARY LYMPH NODE,TUMIDENT,TARGET,R1-T02,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y
"""
TR = """\
USUBJID,TRLNKID,TRTESTCD,TRSTRESC,TRSTRESU,TRSTAT,VISITNUM,VISIT,TREVAL,TREVALID,TRACPTFL,TRDTC
T-01-001,R1-T01,LDIAM,40,mm,,1,SCREENING,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-01-08
T-01-001,R1-T02,LPERP,20,mm,,1,SCREENING,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-01-08
T-01-001,R1-T01,LDIAM,20,mm,,2,W06,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-02-21
T-01-001,R1-T02,LPERP,20,mm,,2,W06,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-02-21
T-01-001,,SUMDIAM,40,mm,,2,W06,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-02-21
"""
RS = """\
USUBJID,RSTESTCD,RSCAT,RSSTRESC,RSSTAT,RSEVAL,RSEVALID,RSACPTFL,VISITNUM,VISIT,RSDTC
T-01-001,OVRLRESP,RECIST 1.1,PR,,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2,W06,2024-02-21
T-01-001,TRGRESP,RECIST 1.1,PR,,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2,W06,2024-02-21
T-01-002,OVRLRESP,RECIST 1.1,SD,,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2,W06,2024-02-23
T-01-002,OVRLRESP,RECIST 1.1,PD,,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,3,W12,2024-04-03
"""


def table(name: str, text: str) -> SourceTable:
    """A dataset from its CSV."""
    lines = csv.DictReader(io.StringIO(text))
    rows = tuple({key: value or "" for key, value in row.items()} for row in lines)
    return SourceTable(name, f"{name.lower()}.csv", tuple(lines.fieldnames or ()), rows)


def delivery(**texts: str) -> SourceTables:
    """The tables by name (dm, tu, tr, rs, ...); those that are not named are as above, blank ones are not there."""
    given: Mapping[str, str] = {"dm": DM, "tu": TU, "tr": TR, "rs": RS, **texts}
    return SourceTables({name.upper(): table(name.upper(), text) for name, text in given.items() if text}, {})


def reader(text: str, name: str, *, evaluator: str = "INDEPENDENT ASSESSOR", accepted: str = "") -> str:
    """The rows of a table as somebody else recorded them, without the heading."""
    old = "INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y"
    return "".join(text.replace(old, f"{evaluator},{name},{accepted}").splitlines(keepends=True)[1:])
