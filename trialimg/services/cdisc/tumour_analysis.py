"""ADTR: diameters of the target lesions and their sum, with change from baseline and from the nadir."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trialimg.services.cdisc.parameters import Analysed, analysis_visit
from trialimg.services.cdisc.responses import PROGRESSIONS
from trialimg.services.cdisc.specification import Row, Value
from trialimg.services.cdisc.tables import plain_number

__all__ = ["tumour_rows"]

_LESION = "Target Lesion(s)"
_SUMS = {"SUMDIAM": ("SDIAMB", "Sum of Diameters (mm)"), "SUMVDIAM": ("SVDIAMB", "Sum of Viable Diameters (mm)")}
_TESTS = {
    "LDIAM": ("LDIAM", "Longest Diameter"),
    "LPERP": ("NLDIAM", "Short Axis"),
    "VDIAM": ("VDIAM", "Viable Diameter"),
}
_LONGEST_CODE = 8


def tumour_rows(subject: Analysed) -> Iterator[Row]:
    """Every parameter of one subject; nothing where it has no accepted read."""
    if subject.read is None or not subject.tr:
        return
    expected = [row for row in subject.tr if _is_target(row) and row["VISITNUM"] == _first(subject)]
    for lesion in expected:
        if lesion["TRTESTCD"] in _TESTS:
            yield from _lesion(subject, str(lesion["TRLNKID"]), str(lesion["TRTESTCD"]))
    yield from _sum(subject, {_label(row["TRLNKID"]) for row in expected})


def _first(subject: Analysed) -> Value:
    return subject.tr[0]["VISITNUM"] if subject.tr else None


def _is_target(row: Row) -> bool:
    return row["TRGRPID"] == "TARGET" and row.get("TRLNKID") is not None and row["TRTESTCD"] in _TESTS


def _label(link: Value) -> str:
    """Label of the baseline lesion that a lesion, or a part of one, is."""
    return str(link).partition("-")[2].partition(".")[0]


def _lesion(subject: Analysed, link: str, test: str) -> Iterator[Row]:
    prefix, text = _TESTS[test]
    number = int("".join(one for one in _label(link) if one.isdigit()) or 0)
    code = f"{prefix}{number}B"
    if len(code) > _LONGEST_CODE:
        code = f"{prefix[:3]}{number}B"
    cells = subject.cells(code, f"Target Lesion {number} {text} (mm) by BICR", _LESION)
    first, base = _first(subject), None
    for visit in _visits(subject):
        rows = [r for r in subject.tr if r["VISITNUM"] == visit and r["TRTESTCD"] == test and _is_part(r, link)]
        values = [value for row in rows if (value := plain_number(row, "TRSTRESN")) is not None]
        if not values or len(values) < sum(row.get("TRREASND") != "TUMOR MERGED" for row in rows):
            continue
        value, row = sum(values, Decimal(0)), rows[0]
        base = value if visit == first else base
        is_sum = len(values) > 1
        yield {
            **cells,
            **analysis_visit(visit, row["VISIT"], first),
            **subject.dated(_day(row)),
            "AVAL": float(value),
            **_from_baseline(value, base, is_baseline=visit == first),
            "DTYPE": "SUM" if is_sum else None,
            "ABLFL": "Y" if visit == first else None,
            "ANL01FL": "Y",
            "LSEXP": _label(link),
            "LSASS": _label(link),
            "SRCDOM": "TR",
            "SRCVAR": "TRSTRESN",
            "SRCSEQ": None if is_sum else row["TRSEQ"],
        }


def _is_part(row: Row, link: str) -> bool:
    return str(row.get("TRLNKID")) == link or str(row.get("TRLNKID")).startswith(f"{link}.")


def _visits(subject: Analysed) -> list[Value]:
    return list(dict.fromkeys(row["VISITNUM"] for row in subject.tr))


def _sum(subject: Analysed, expected: set[str]) -> Iterator[Row]:
    rows = [row for row in subject.tr if row["TRTESTCD"] in _SUMS]
    if not rows or not expected:
        return
    code, text = _SUMS[str(rows[0]["TRTESTCD"])]
    cells = subject.cells(code, f"Target Lesions {text} by BICR", _LESION)
    made = [{**cells, **row} for row in _sum_rows(subject, rows, expected)]
    lowest = _waterfall(made)
    for row in made:
        yield {**row, "ANL02FL": "Y" if row is lowest else None}


def _sum_rows(subject: Analysed, rows: Sequence[Row], expected: set[str]) -> Iterator[Row]:
    progressions = [row["VISITNUM"] for row in subject.overall if row["RSSTRESC"] in PROGRESSIONS]
    complete: list[Decimal] = []
    first, base = _first(subject), None
    for row in rows:
        visit, value = row["VISITNUM"], plain_number(row, "TRSTRESN")
        if value is None:
            continue
        assessed = _assessed(subject, visit)
        base = value if visit == first else base
        nadir, is_pd = min(complete, default=None), visit in progressions
        is_complete = expected <= assessed
        before = not is_pd and all(float(str(visit)) < float(str(one)) for one in progressions)
        yield {
            **analysis_visit(visit, row["VISIT"], first),
            **subject.dated(_day(row)),
            "AVAL": float(value),
            **_from_baseline(value, base, is_baseline=visit == first),
            **({} if nadir is None else _from_nadir(value, nadir)),
            "ABLFL": "Y" if visit == first else None,
            "PDFL": "Y" if is_pd else None,
            "ANL01FL": "Y" if is_complete else None,
            "ANL03FL": "Y" if is_complete and before else None,
            "ANL04FL": "Y" if is_complete or is_pd else None,
            "LSEXP": ", ".join(sorted(expected)),
            "LSASS": ", ".join(sorted(assessed)),
            "SRCDOM": "TR",
            "SRCVAR": "TRSTRESN",
            "SRCSEQ": row["TRSEQ"],
        }
        complete += [value] if is_complete else []


def _assessed(subject: Analysed, visit: Value) -> set[str]:
    """Baseline targets that have a result at a visit; a mass is each of the lesions that it is made of."""
    found = [r for r in subject.tr if _is_target(r) and r["VISITNUM"] == visit and r.get("TRSTRESN") is not None]
    return {part.partition(".")[0] for row in found for part in str(row["TRLNKID"]).partition("-")[2].split("/")}


def _waterfall(rows: Sequence[Row]) -> Row | None:
    """The record of the best change, up to and including the first progression."""
    best: Row | None = None
    for row in rows:
        if row.get("PCHG") is not None and row.get("ANL01FL"):
            best = row if best is None or float(str(row["PCHG"])) < float(str(best["PCHG"])) else best
        if row.get("PDFL"):
            break
    return best


def _from_baseline(value: Decimal, base: Decimal | None, *, is_baseline: bool) -> dict[str, Value]:
    if base is None:
        return {}
    cells: dict[str, Value] = {"BASE": float(base)}
    if not is_baseline:
        cells |= {"CHG": float(value - base), "PCHG": _percent(value - base, base)}
    return cells


def _from_nadir(value: Decimal, nadir: Decimal) -> dict[str, Value]:
    return {"NADIR": float(nadir), "CHGNAD": float(value - nadir), "PCHGNAD": _percent(value - nadir, nadir)}


def _percent(change: Decimal, base: Decimal) -> float | None:
    return float(100 * change / base) if base else None


def _day(row: Row) -> dt.date | None:
    text = row.get("TRDTC")
    return dt.date.fromisoformat(str(text)) if text else None
