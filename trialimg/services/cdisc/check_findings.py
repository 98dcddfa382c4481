"""Checks of the records of TU, TR and RS: results, completion, dates, days, visits, flags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from trialimg.services.cdisc.check import DOMAINS, Issue, Rule, day_of, each, grouped, is_iso_date, number_of, text_of
from trialimg.services.cdisc.delivery import Delivery
from trialimg.services.cdisc.specification import Row
from trialimg.services.cdisc.tables import study_day

__all__ = ["FINDING_RULES"]

_WITHOUT_UNIT = ("SUVMAX", "SUVPEAK", "SUVMEAN", "SULMAX", "SULPEAK", "SULMEAN", "BNLNUM", "NBNLNUM", "FDP5PS")
_NOT_DONE = "NOT DONE"
_EPOCHS = ("SCREENING", "TREATMENT", "FOLLOW-UP", "LONG-TERM FOLLOW-UP")
_HUNDREDTH = Decimal("0.01")


def _starts(delivery: Delivery, *variables: str) -> dict[str, dt.date]:
    """The first of these dates of DM that is known, by subject."""
    found: dict[str, dt.date] = {}
    for _, _, row in each(delivery, "DM"):
        day = next((day for name in variables if (day := day_of(row, name)) is not None), None)
        if day is not None:
            found[text_of(row, "USUBJID")] = day
    return found


def _result_or_status(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TR", "RS"):
        result, status = text_of(row, f"{domain}ORRES"), text_of(row, f"{domain}STAT")
        if bool(result) is bool(status):
            why = "both a result and a completion status" if result else "neither a result nor a completion status"
            yield Issue(domain, number, f"{domain}ORRES", result, f"there is {why}")


def _only_not_done(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TR", "RS"):
        status = text_of(row, f"{domain}STAT")
        if status not in ("", _NOT_DONE):
            yield Issue(domain, number, f"{domain}STAT", status, f"is not {_NOT_DONE}")


def _reasons(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TR", "RS"):
        reason, status = text_of(row, f"{domain}REASND"), text_of(row, f"{domain}STAT")
        if bool(reason) is not bool(status):
            yield Issue(
                domain, number, f"{domain}REASND", reason, "a reason stands with NOT DONE, and NOT DONE with one"
            )


def _standard_results(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, *DOMAINS):
        if text_of(row, f"{domain}ORRES") and not text_of(row, f"{domain}STRESC"):
            yield Issue(domain, number, f"{domain}STRESC", "", "a result has no standard result")


def _numeric_results(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TR"):
        text, value = text_of(row, "TRSTRESC"), number_of(row, "TRSTRESN")
        if _decimal(text) != value:
            shown = text_of(row, "TRSTRESN")
            yield Issue(domain, number, "TRSTRESN", shown, f"is not the number of TRSTRESC, which is {text!r}")


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _units(delivery: Delivery) -> Iterator[Issue]:
    units: dict[str, str] = {}
    for domain, number, row in each(delivery, "TR"):
        unit, test = text_of(row, "TRSTRESU"), text_of(row, "TRTESTCD")
        if unit and not text_of(row, "TRSTRESC"):
            yield Issue(domain, number, "TRSTRESU", unit, "a unit without a result")
        if unit and units.setdefault(test, unit) != unit:
            yield Issue(domain, number, "TRSTRESU", unit, f"{test} is in {units[test]} elsewhere")


def _unit_given(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TR"):
        bare = row.get("TRSTRESN") is not None and not text_of(row, "TRSTRESU")
        if bare and text_of(row, "TRTESTCD") not in _WITHOUT_UNIT:
            yield Issue(domain, number, "TRSTRESU", "", f"{text_of(row, 'TRTESTCD')} has a number without a unit")


def _dates(delivery: Delivery) -> Iterator[Issue]:
    ends = _starts(delivery, "RFPENDTC")
    for domain, number, row in each(delivery, *DOMAINS):
        text, day = text_of(row, f"{domain}DTC"), day_of(row, f"{domain}DTC")
        if text and not is_iso_date(text):
            yield Issue(domain, number, f"{domain}DTC", text, "is no date of ISO 8601")
        end = ends.get(text_of(row, "USUBJID"))
        if day is not None and end is not None and day > end:
            yield Issue(domain, number, f"{domain}DTC", text, f"lies after the end of participation, {end}")
        if text and text_of(row, f"{domain}STAT") == _NOT_DONE and not _was_imaged(row, domain):
            yield Issue(domain, number, f"{domain}DTC", text, "nothing was done, and yet there is a date")
    for name, number, row in each(delivery, "DM"):
        for variable in ("RFSTDTC", "RFENDTC", "RFXSTDTC", "RFXENDTC", "RFICDTC", "RFPENDTC", "DTHDTC"):
            if text_of(row, variable) and not is_iso_date(text_of(row, variable)):
                yield Issue(name, number, variable, text_of(row, variable), "is no date of ISO 8601")


def _was_imaged(row: Row, domain: str) -> bool:
    return "NOT PERFORMED" not in text_of(row, f"{domain}REASND")


def _days(delivery: Delivery) -> Iterator[Issue]:
    starts = _starts(delivery, "RFSTDTC")
    for domain, number, row in each(delivery, *DOMAINS):
        name = f"{domain}DY"
        table = delivery.tables[domain]
        if name not in table.names:
            if number == 1:
                yield Issue(domain, None, name, "", "there are dates, but no study days")
            continue
        wanted = study_day(day_of(row, f"{domain}DTC"), starts.get(text_of(row, "USUBJID")))
        if row.get(name) != wanted:
            yield Issue(
                domain, number, name, text_of(row, name), f"is day {wanted if wanted is not None else 'unknown'}"
            )


def _visits(delivery: Delivery) -> Iterator[Issue]:
    names: dict[Decimal, str] = {}
    numbers: dict[str, Decimal] = {}
    for domain, number, row in each(delivery, *DOMAINS):
        visit, name = number_of(row, "VISITNUM"), text_of(row, "VISIT")
        if visit is None:
            continue
        visit = visit.quantize(_HUNDREDTH)
        if name and (names.setdefault(visit, name) != name or numbers.setdefault(name, visit) != visit):
            yield Issue(domain, number, "VISIT", name, f"visit {visit} and its name do not belong together elsewhere")
        if visit % 1 and text_of(row, "VISITDY"):
            yield Issue(domain, number, "VISITDY", text_of(row, "VISITDY"), "an unscheduled visit has no planned day")


def _epochs(delivery: Delivery) -> Iterator[Issue]:
    starts = _starts(delivery, "RFXSTDTC", "RFSTDTC")
    for domain, number, row in each(delivery, *DOMAINS):
        epoch, day, start = text_of(row, "EPOCH"), day_of(row, f"{domain}DTC"), starts.get(text_of(row, "USUBJID"))
        if not epoch and day is not None:
            yield Issue(domain, number, "EPOCH", "", "a dated record has no epoch")
        if (
            epoch in _EPOCHS
            and day is not None
            and start is not None
            and ((day < start and epoch != "SCREENING") or (day > start and epoch == "SCREENING"))
        ):
            yield Issue(domain, number, "EPOCH", epoch, f"{day} does not lie in it; treatment began on {start}")


def _last_before(delivery: Delivery) -> Iterator[Issue]:
    starts = _starts(delivery, "RFXSTDTC", "RFSTDTC")
    for domain in ("TU", "TR"):
        flag, keys = f"{domain}LOBXFL", ("USUBJID", f"{domain}EVALID", f"{domain}LNKID", f"{domain}TESTCD")
        for key, rows in grouped(each(delivery, domain), *keys).items():
            flagged = [(number, row) for number, row in rows if text_of(row, flag)]
            for number, row in flagged:
                day, start = day_of(row, f"{domain}DTC"), starts.get(text_of(row, "USUBJID"))
                if text_of(row, flag) != "Y":
                    yield Issue(domain, number, flag, text_of(row, flag), "is neither Y nor blank")
                elif day is None or (start is not None and day > start) or text_of(row, f"{domain}STAT"):
                    yield Issue(domain, number, flag, "Y", "flags no result on or before the first treatment")
            if len(flagged) > 1:
                yield Issue(domain, flagged[1][0], flag, "Y", f"a second flag for {' '.join(key)}")


def _forbidden(delivery: Delivery) -> Iterator[Issue]:
    table = delivery.tables.get("TR")
    for name in ("TRLOC", "TRLAT", "TRDIR", "TRPORTOT"):
        if table is not None and name in table.names:
            yield Issue("TR", None, name, "", "a location stands in TU only")


def _locations(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TU"):
        for name in ("TULAT", "TUDIR", "TUPORTOT"):
            if text_of(row, name) and not text_of(row, "TULOC"):
                yield Issue(domain, number, name, text_of(row, name), "there is no location that it belongs to")
        side = text_of(row, "TULAT")
        if side and side in text_of(row, "TULOC").replace(",", " ").split():
            yield Issue(domain, number, "TULAT", side, "the location says the side already")


FINDING_RULES = (
    Rule("TI-C015", "A record has a result or a completion status, never both", True, _result_or_status),
    Rule("TI-C016", "The completion status is NOT DONE", True, _only_not_done),
    Rule("TI-C017", "A reason stands exactly where something was not done", True, _reasons),
    Rule("TI-C018", "A result has a standard result", True, _standard_results),
    Rule("TI-C019", "The numeric result is the number of the text", True, _numeric_results),
    Rule("TI-C020", "A unit stands with a result, and a test has one unit", True, _units),
    Rule("TI-C021", "A number has a unit", False, _unit_given),
    Rule(
        "TI-C022",
        "Dates are ISO 8601, not after the end of participation, and absent where nothing was done",
        True,
        _dates,
    ),
    Rule("TI-C023", "Study days follow from the dates", True, _days),
    Rule("TI-C024", "Visit numbers and names belong together", True, _visits),
    Rule("TI-C025", "Epochs fit the dates", False, _epochs),
    Rule("TI-C026", "The last observation before exposure is one, and before it", True, _last_before),
    Rule("TI-C035", "TR has no location", True, _forbidden),
    Rule("TI-C036", "Side, direction and portion stand with a location that does not say them", True, _locations),
)
