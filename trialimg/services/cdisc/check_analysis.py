"""Checks of DM and of the analysis datasets: subjects, parameters, baselines, flags, times to events, traces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from trialimg.services.cdisc.check import Issue, Rule, day_of, each, grouped, number_of, text_of
from trialimg.services.cdisc.delivery import Delivery
from trialimg.services.cdisc.responses import PROGRESSIONS
from trialimg.services.cdisc.specification import Kind, Row, Standard

__all__ = ["ANALYSIS_RULES"]

_BDS = ("ADTR", "ADRS", "ADTTE")
_ADAM = ("ADSL", *_BDS)
_SAME = Decimal("1e-9")
_POPULATIONS = ("ITTFL", "SAFFL", "RANDFL", "EFFMSFL")


def _demographics(delivery: Delivery) -> Iterator[Issue]:
    for (subject,), rows in grouped(each(delivery, "DM"), "USUBJID").items():
        for number, _ in rows[1:]:
            yield Issue("DM", number, "USUBJID", subject, "a second record of the subject")
    for name, number, row in each(delivery, "DM"):
        flag = text_of(row, "DTHFL")
        if flag not in ("", "Y") or (text_of(row, "DTHDTC") and not flag):
            yield Issue(name, number, "DTHFL", flag, "is Y where there is a death, and blank otherwise")
        if bool(text_of(row, "AGE")) is not bool(text_of(row, "AGEU")):
            yield Issue(name, number, "AGEU", text_of(row, "AGEU"), "age and its unit stand together")
        if not text_of(row, "ARM") and not text_of(row, "ARMNRS"):
            yield Issue(name, number, "ARMNRS", "", "why there is no arm is not said")
        yield from _in_order(name, number, row)


def _in_order(name: str, number: int, row: Row) -> Iterator[Issue]:
    for first, last in (("RFXSTDTC", "RFXENDTC"), ("RFICDTC", "RFXSTDTC"), ("RFSTDTC", "RFENDTC")):
        start, end = day_of(row, first), day_of(row, last)
        if start is not None and end is not None and start > end:
            yield Issue(name, number, first, str(start), f"lies after {last}, {end}")


def _analysis_subjects(delivery: Delivery) -> Iterator[Issue]:
    subjects = grouped(each(delivery, "ADSL"), "USUBJID")
    dm = {text_of(row, "USUBJID"): row for _, _, row in each(delivery, "DM")}
    for (subject,), rows in subjects.items():
        for number, _ in rows[1:]:
            yield Issue("ADSL", number, "USUBJID", subject, "a second record of the subject")
        for name in ("STUDYID", "SUBJID", "SITEID", "AGE", "SEX", "RACE", "ARM"):
            if subject in dm and text_of(rows[0][1], name) != text_of(dm[subject], name):
                yield Issue("ADSL", rows[0][0], name, text_of(rows[0][1], name), "is not what DM says")
        if dm and subject not in dm:
            yield Issue("ADSL", rows[0][0], "USUBJID", subject, "is not in DM")
    for name, number, row in each(delivery, *_BDS):
        if "ADSL" in delivery.tables and (text_of(row, "USUBJID"),) not in subjects:
            yield Issue(name, number, "USUBJID", text_of(row, "USUBJID"), "is not in ADSL")


def _parameters(delivery: Delivery) -> Iterator[Issue]:
    for dataset in _BDS:
        names: dict[str, str] = {}
        codes: dict[str, str] = {}
        for _, number, row in each(delivery, dataset):
            code, name = text_of(row, "PARAMCD"), text_of(row, "PARAM")
            if names.setdefault(code, name) != name or codes.setdefault(name, code) != code:
                yield Issue(dataset, number, "PARAM", name, f"does not always belong to {code}")
            if not code.isalnum() or len(code) > 8:
                yield Issue(dataset, number, "PARAMCD", code, "is no name of at most 8 letters and digits")


def _answers(delivery: Delivery) -> Iterator[Issue]:
    texts: dict[tuple[str, str], str] = {}
    numbers: dict[tuple[str, str], str] = {}
    for name, number, row in each(delivery, "ADRS"):
        code, text, value = text_of(row, "PARAMCD"), text_of(row, "AVALC"), text_of(row, "AVAL")
        if text and value:
            wrong = texts.setdefault((code, value), text) != text or numbers.setdefault((code, text), value) != value
            if wrong:
                yield Issue(name, number, "AVAL", value, f"does not always stand for {text}")


def _baselines(delivery: Delivery) -> Iterator[Issue]:
    for key, rows in grouped(each(delivery, "ADTR"), "USUBJID", "PARAMCD").items():
        flagged = [(number, row) for number, row in rows if text_of(row, "ABLFL")]
        if len(flagged) > 1:
            yield Issue("ADTR", flagged[1][0], "ABLFL", "Y", f"a second baseline of {' '.join(key)}")
        base = number_of(flagged[0][1], "AVAL") if flagged else None
        for number, row in rows:
            yield from _changes(number, row, base)


def _changes(number: int, row: Row, base: Decimal | None) -> Iterator[Issue]:
    value, told = number_of(row, "AVAL"), number_of(row, "BASE")
    if told is not None and told != base:
        yield Issue("ADTR", number, "BASE", text_of(row, "BASE"), f"the baseline is {base}")
    pairs = (("CHG", "PCHG", told), ("CHGNAD", "PCHGNAD", number_of(row, "NADIR")))
    for change, percent, reference in pairs:
        if value is None or reference is None:
            continue
        found, share = number_of(row, change), number_of(row, percent)
        if found is not None and abs(found - (value - reference)) > _SAME:
            yield Issue("ADTR", number, change, text_of(row, change), f"is {value - reference}")
        if share is not None and (not reference or abs(share - 100 * (value - reference) / reference) > _SAME):
            yield Issue("ADTR", number, percent, text_of(row, percent), "is not the change in percent")


def _flags(delivery: Delivery) -> Iterator[Issue]:
    for name, number, row in each(delivery, *_ADAM):
        for variable in row:
            value = text_of(row, variable)
            if not variable.endswith("FL") or not value:
                continue
            allowed = ("Y", "N") if variable in _POPULATIONS else ("Y",)
            if value not in allowed:
                yield Issue(name, number, variable, value, f"is none of {', '.join(allowed)}")


def _times(delivery: Delivery) -> Iterator[Issue]:
    cutoffs = {text_of(row, "USUBJID"): day_of(row, "DCUTDT") for _, _, row in each(delivery, "ADSL")}
    for name, number, row in each(delivery, "ADTTE"):
        censored, start, day = row.get("CNSR"), day_of(row, "STARTDT"), day_of(row, "ADT")
        if not isinstance(censored, int) or censored < 0:
            yield Issue(name, number, "CNSR", text_of(row, "CNSR"), "is no whole number from 0 on")
        if start is not None and day is not None and number_of(row, "AVAL") != (day - start).days + 1:
            yield Issue(name, number, "AVAL", text_of(row, "AVAL"), f"ADT - STARTDT + 1 is {(day - start).days + 1}")
        if not text_of(row, "EVNTDESC"):
            yield Issue(name, number, "EVNTDESC", "", "what happened is not said")
        if bool(text_of(row, "CNSDTDSC")) is (censored == 0):
            yield Issue(name, number, "CNSDTDSC", text_of(row, "CNSDTDSC"), "stands exactly where time is censored")
        cutoff = cutoffs.get(text_of(row, "USUBJID"))
        if day is not None and cutoff is not None and day > cutoff:
            yield Issue(name, number, "ADT", str(day), f"lies after the data cut-off, {cutoff}")


_DATES = {"TU": "TUDTC", "TR": "TRDTC", "RS": "RSDTC", "ADRS": "ADT"}


def _traces(delivery: Delivery) -> Iterator[Issue]:
    sources = _sources(delivery)
    for name, number, row in each(delivery, *_BDS):
        dataset, variable, sequence = (text_of(row, one) for one in ("SRCDOM", "SRCVAR", "SRCSEQ"))
        if dataset not in sources or (name == "ADTR" and not sequence):
            continue
        found = sources[dataset].get((text_of(row, "USUBJID"), "" if dataset == "ADSL" else sequence))
        if found is None or variable not in delivery.tables[dataset].names:
            yield Issue(name, number, "SRCSEQ", f"{dataset} {variable} {sequence}".strip(), "leads to no record")
            continue
        date = _DATES.get(dataset, variable)
        if day_of(row, "ADT") != day_of(found, date):
            yield Issue(name, number, "ADT", text_of(row, "ADT"), f"its source is dated {text_of(found, date)}")
        copied = "AVAL" if name == "ADTR" else "AVALC" if text_of(row, "PARAMCD") == "OVRB" else ""
        if copied and text_of(row, copied) != text_of(found, variable):
            yield Issue(name, number, copied, text_of(row, copied), f"its source says {text_of(found, variable)}")


def _sources(delivery: Delivery) -> dict[str, dict[tuple[str, str], Row]]:
    """Rows that may be a source, by dataset, then by subject and sequence number; of ADSL by subject alone."""
    keys = {"TU": "TUSEQ", "TR": "TRSEQ", "RS": "RSSEQ", "ADRS": "ASEQ", "ADSL": ""}
    found: dict[str, dict[tuple[str, str], Row]] = {}
    for name, _, row in each(delivery, *keys):
        found.setdefault(name, {})[text_of(row, "USUBJID"), text_of(row, keys[name])] = row
    return found


def _analysis_dates(delivery: Delivery) -> Iterator[Issue]:
    for table in delivery.tables.values():
        spec = table.spec
        if spec is None or spec.standard is not Standard.ADAM:
            continue
        dates = [v.name for v in spec.variables if v.kind is Kind.SAS_DATE]
        for column in table.columns:
            if column.name in dates and column.form is not None and not column.form.startswith("DATE"):
                yield Issue(table.name, None, column.name, column.form, "has no date format")
        for number, row in enumerate(table.rows, start=1):
            for name in dates:
                if row.get(name) is not None and not isinstance(row.get(name), dt.date):
                    yield Issue(table.name, number, name, text_of(row, name), "is no date")


def _derivations(delivery: Delivery) -> Iterator[Issue]:
    for name, number, row in each(delivery, "ADTR"):
        if row.get("SRCSEQ") is None and not text_of(row, "DTYPE"):
            yield Issue(name, number, "DTYPE", "", "rests on no single record, and does not say how it was derived")


def _up_to_progression(delivery: Delivery) -> Iterator[Issue]:
    for rows in grouped(each(delivery, "ADRS"), "USUBJID", "PARAMCD").values():
        progressed = False
        for number, row in rows:
            if not text_of(row, "PARAMCD").startswith("OVR"):
                continue
            if progressed and text_of(row, "ANL02FL"):
                yield Issue("ADRS", number, "ANL02FL", "Y", "an assessment after the first progression counts")
            progressed = progressed or text_of(row, "AVALC") in PROGRESSIONS


ANALYSIS_RULES = (
    Rule("TI-C039", "DM: one record per subject, dates in order, deaths flagged", True, _demographics),
    Rule("TI-C050", "Nothing counts after the first progression", True, _up_to_progression),
    Rule("TI-C053", "ADSL has every subject once, as DM says", True, _analysis_subjects),
    Rule("TI-C054", "Parameter codes and parameters belong together", True, _parameters),
    Rule("TI-C055", "Numbers and texts of answers belong together", True, _answers),
    Rule("TI-C056", "One baseline, and changes that follow from it", True, _baselines),
    Rule("TI-C057", "Flags are Y or blank, of populations Y or N", True, _flags),
    Rule("TI-C058", "Times to events follow from their dates", True, _times),
    Rule("TI-C059", "Sources lead to a record with this date and value", True, _traces),
    Rule("TI-C060", "Analysis dates are dates", True, _analysis_dates),
    Rule("TI-C061", "A derived value says how", False, _derivations),
)
