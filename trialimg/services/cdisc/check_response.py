"""Checks of what the records say: sums from lesions, responses from sums, the criterion's own words, dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trialimg.core.responses import NewLesionResponse, NonTargetResponse, TargetResponse
from trialimg.criteria.recist11 import overall
from trialimg.services.cdisc.check import Issue, Rule, day_of, each, grouped, number_of, reader_of, text_of
from trialimg.services.cdisc.delivery import Delivery
from trialimg.services.cdisc.responses import PROGRESSIONS
from trialimg.services.cdisc.specification import Row

__all__ = ["RESPONSE_RULES"]

Numbered = tuple[int, Row]
_SUMS = {"SUMDIAM": ("LDIAM", "LPERP", "DIAMETER"), "SUMVDIAM": ("VDIAM", "LPERP")}
_RECIST = "RECIST 1.1"
_WORDS = {
    "i": ("iCR", "iPR", "iSD", "iUPD", "iCPD", "NON-iCR/NON-iUPD"),
    "metabolic": ("CMR", "PMR", "SMD", "PMD", "NMR"),
}
_METABOLIC = ("PERCIST", "LUGANO CLASSIFICATION", "PROTOCOL DEFINED RESPONSE CRITERIA")
_TOO_SMALL = "TOO SMALL TO MEASURE"
_MOST_TARGETS, _MOST_PER_ORGAN = 5, 2
_LEAST_MM = {"LDIAM": Decimal(10), "LPERP": Decimal(15)}


def _sums(delivery: Delivery) -> Iterator[Issue]:
    visits = grouped(each(delivery, "TR"), "USUBJID", "TREVAL", "TREVALID", "VISITNUM")
    expected, nodes = _baseline_targets(delivery), _nodes(delivery)
    for key, rows in visits.items():
        for number, row in rows:
            tests = _SUMS.get(text_of(row, "TRTESTCD"))
            if tests is None or text_of(row, "TRSTAT"):
                continue
            parts = _counted([one for _, one in rows if _is_target(one)], nodes, tests)
            values = [value for one in parts if (value := number_of(one, "TRSTRESN")) is not None]
            if sum(values, Decimal(0)) != number_of(row, "TRSTRESN"):
                shown = text_of(row, "TRSTRESN")
                yield Issue("TR", number, "TRSTRESN", shown, f"the targets add up to {sum(values, Decimal(0))}")
            missing = expected.get(key[:3], set()) - {label for one in parts for label in _labels(one)}
            if missing:
                yield Issue("TR", number, "TRSTRESN", text_of(row, "TRSTRESN"), f"without {', '.join(sorted(missing))}")


def _nodes(delivery: Delivery) -> set[tuple[str, ...]]:
    """Reader and lesion of every lymph node, by its place or by its flag."""
    flagged = {
        (text_of(row, "USUBJID"), text_of(row, "IDVARVAL"))
        for _, _, row in each(delivery, "SUPPTU")
        if (text_of(row, "QNAM"), text_of(row, "QVAL")) == ("NODALFL", "Y")
    }
    return {
        (*reader_of(row, "TU"), text_of(row, "TULNKID"))
        for _, _, row in each(delivery, "TU")
        if "LYMPH NODE" in text_of(row, "TULOC") or (text_of(row, "USUBJID"), text_of(row, "TUSEQ")) in flagged
    }


def _counted(rows: Sequence[Row], nodes: set[tuple[str, ...]], tests: Sequence[str]) -> list[Row]:
    """The row of each lesion whose diameter counts: of several, the short axis of a node, the long one of others."""
    by_lesion: dict[str, list[Row]] = {}
    for row in rows:
        if text_of(row, "TRTESTCD") in tests:
            by_lesion.setdefault(text_of(row, "TRLNKID"), []).append(row)
    return [min(own, key=lambda row: _rank(row, nodes)) for own in by_lesion.values()]


def _rank(row: Row, nodes: set[tuple[str, ...]]) -> int:
    is_node, test = (*reader_of(row, "TR"), text_of(row, "TRLNKID")) in nodes, text_of(row, "TRTESTCD")
    return 0 if test == "DIAMETER" else 1 if (test == "LPERP") is is_node else 2


def _is_target(row: Row) -> bool:
    return text_of(row, "TRGRPID") == "TARGET" and bool(text_of(row, "TRLNKID"))


def _labels(row: Row) -> Iterator[str]:
    """Baseline lesions that a measured row is of."""
    if row.get("TRSTRESN") is not None:
        for part in text_of(row, "TRLNKID").partition("-")[2].split("/"):
            yield part.partition(".")[0]


def _baseline_targets(delivery: Delivery) -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for _, _, row in each(delivery, "TU"):
        if text_of(row, "TUSTRESC") == "TARGET" and text_of(row, "TUTESTCD") == "TUMIDENT":
            found.setdefault(reader_of(row, "TU"), set()).add(text_of(row, "TULNKID").partition("-")[2])
    return found


def _target_responses(delivery: Delivery) -> Iterator[Issue]:
    said: dict[tuple[str, ...], Numbered] = {
        (*reader_of(row, "RS"), text_of(row, "VISITNUM")): (number, row)
        for _, number, row in each(delivery, "RS")
        if text_of(row, "RSTESTCD") == "TRGRESP" and text_of(row, "RSCAT") == _RECIST
    }
    sums = grouped(each(delivery, "TR"), "USUBJID", "TREVAL", "TREVALID", "TRTESTCD")
    for key, rows in sums.items():
        if key[3] == "SUMDIAM":
            yield from _against_sums(key[:3], rows, said)


def _against_sums(
    reader: tuple[str, ...], rows: Sequence[Numbered], said: dict[tuple[str, ...], Numbered]
) -> Iterator[Issue]:
    values = [(text_of(r, "VISITNUM"), v) for _, r in rows if (v := number_of(r, "TRSTRESN")) is not None]
    if not values:
        return
    base = nadir = values[0][1]
    for visit, value in values[1:]:
        number, row = said.get((*reader, visit), (0, {}))
        word = text_of(row, "RSSTRESC")
        grew = 5 * value >= 6 * nadir and value - nadir >= 5 and value > nadir
        wrong = (grew and word not in ("PD", "")) or (word == "PD" and not grew)
        wrong = wrong or (word == "PR" and 10 * value > 7 * base)  # 30 %
        if wrong:
            message = f"sum {value}, baseline {base}, nadir {nadir}: by RECIST 1.1 that is not {word}"
            yield Issue("RS", number, "RSSTRESC", word, message)
        nadir = min(nadir, value)


def _overall_responses(delivery: Delivery) -> Iterator[Issue]:
    visits = grouped(each(delivery, "RS"), "USUBJID", "RSEVAL", "RSEVALID", "VISITNUM", "RSCAT")
    for key, rows in visits.items():
        words = {text_of(row, "RSTESTCD"): text_of(row, "RSSTRESC") for _, row in rows}
        parts = ("TRGRESP", "NTRGRESP", "NEWLIND")
        if key[4] != _RECIST or "OVRLRESP" not in words or not any(part in words for part in parts):
            continue
        try:
            target = TargetResponse(words.get("TRGRESP", "NA"))
            non_target = NonTargetResponse(words.get("NTRGRESP", "NA"))
        except ValueError:
            continue
        wanted = overall(target, non_target, _new(words))
        number = next(n for n, row in rows if text_of(row, "RSTESTCD") == "OVRLRESP")
        if wanted is not None and str(wanted.value) != words["OVRLRESP"]:
            yield Issue("RS", number, "RSSTRESC", words["OVRLRESP"], f"the components give {wanted.value}")


def _new(words: dict[str, str]) -> NewLesionResponse:
    if words.get("NEWLIND") != "Y":
        return NewLesionResponse.NO
    is_equivocal = words.get("NEWLPROG") == "EQUIVOCAL"
    return NewLesionResponse.EQUIVOCAL if is_equivocal else NewLesionResponse.UNEQUIVOCAL


def _new_lesions(delivery: Delivery) -> Iterator[Issue]:
    said = grouped(each(delivery, "RS"), "USUBJID", "RSEVAL", "RSEVALID", "VISITNUM")
    for _, number, row in each(delivery, "TR"):
        if (text_of(row, "TRGRPID"), text_of(row, "TRSTRESC")) != ("NEW", "UNEQUIVOCAL"):
            continue
        here = [rs for _, rs in said.get((*reader_of(row, "TR"), text_of(row, "VISITNUM")), [])]
        words = {text_of(rs, "RSTESTCD"): text_of(rs, "RSSTRESC") for rs in here}
        if words.get("NEWLIND") != "Y":
            link = text_of(row, "TRLNKID")
            yield Issue("TR", number, "TRLNKID", link, "an unequivocal new lesion, but NEWLIND is not Y")


def _roles(delivery: Delivery) -> Iterator[Issue]:
    first: dict[tuple[str, ...], Decimal] = {}
    for _, _, row in each(delivery, "TU"):
        visit = number_of(row, "VISITNUM")
        if visit is not None:
            key = reader_of(row, "TU")
            first[key] = min(first.get(key, visit), visit)
    for name, number, row in each(delivery, "TU"):
        is_baseline = number_of(row, "VISITNUM") == first.get(reader_of(row, "TU"))
        role, test = text_of(row, "TUSTRESC"), text_of(row, "TUTESTCD")
        if test == "TUMIDENT" and role in ("TARGET", "NON-TARGET") and not is_baseline:
            yield Issue(name, number, "TUSTRESC", role, "is chosen at baseline, not later")
        if role.startswith("NEW") and is_baseline:
            yield Issue(name, number, "TUSTRESC", role, "nothing is new at baseline")


def _limits(delivery: Delivery) -> Iterator[Issue]:
    if not any(text_of(row, "RSCAT") == _RECIST for _, _, row in each(delivery, "RS")):
        return
    targets = [
        (number, row)
        for _, number, row in each(delivery, "TU")
        if (text_of(row, "TUSTRESC"), text_of(row, "TUTESTCD")) == ("TARGET", "TUMIDENT")
    ]
    by_reader = Counter(reader_of(row, "TU") for _, row in targets)
    by_organ = Counter((*reader_of(row, "TU"), _organ(row)) for _, row in targets)
    for number, row in targets:
        if by_reader[reader_of(row, "TU")] > _MOST_TARGETS:
            yield Issue("TU", number, "TUSTRESC", "TARGET", f"more than {_MOST_TARGETS} targets")
        if by_organ[(*reader_of(row, "TU"), _organ(row))] > _MOST_PER_ORGAN:
            yield Issue(
                "TU", number, "TULOC", text_of(row, "TULOC"), f"more than {_MOST_PER_ORGAN} targets in one organ"
            )
    chosen: set[tuple[str, ...]] = {
        (*reader_of(row, "TU"), text_of(row, "TULNKID"), text_of(row, "VISITNUM")) for _, row in targets
    }
    yield from _sizes(delivery, chosen)


def _sizes(delivery: Delivery, chosen: set[tuple[str, ...]]) -> Iterator[Issue]:
    """Targets that were too small when they were chosen."""
    nodes = _nodes(delivery)
    for rows in grouped(each(delivery, "TR"), "USUBJID", "TREVAL", "TREVALID", "VISITNUM").values():
        counted = _counted([row for _, row in rows], nodes, tuple(_LEAST_MM))
        for number, row in rows:
            least, value = _LEAST_MM.get(text_of(row, "TRTESTCD")), number_of(row, "TRSTRESN")
            is_choice = (*reader_of(row, "TR"), text_of(row, "TRLNKID"), text_of(row, "VISITNUM")) in chosen
            if is_choice and row in counted and least is not None and value is not None and value < least:
                shown = text_of(row, "TRSTRESN")
                yield Issue("TR", number, "TRSTRESN", shown, f"a target measures at least {least} mm")


def _organ(row: Row) -> str:
    place = text_of(row, "TULOC")
    return "LYMPH NODE" if "LYMPH NODE" in place else place.partition(",")[0]


def _too_small(delivery: Delivery) -> Iterator[Issue]:
    flagged = {
        (text_of(row, "USUBJID"), text_of(row, "IDVARVAL"))
        for _, _, row in each(delivery, "SUPPTR")
        if text_of(row, "QNAM") == "TSTMFL"
    }
    for name, number, row in each(delivery, "TR"):
        if text_of(row, "TRORRES") != _TOO_SMALL:
            continue
        if row.get("TRSTRESN") is None or (text_of(row, "USUBJID"), text_of(row, "TRSEQ")) not in flagged:
            yield Issue(
                name, number, "TRORRES", _TOO_SMALL, "needs the number that stands for it, and TSTMFL in SUPPTR"
            )


def _words(delivery: Delivery) -> Iterator[Issue]:
    for name, number, row in each(delivery, "RS"):
        word, category = text_of(row, "RSSTRESC"), text_of(row, "RSCAT")
        if (word in _WORDS["i"] and category != "iRECIST") or (
            word in _WORDS["metabolic"] and category not in _METABOLIC
        ):
            yield Issue(name, number, "RSSTRESC", word, f"is no word of {category}")


def _after_death(delivery: Delivery) -> Iterator[Issue]:
    deaths = {text_of(row, "USUBJID"): day_of(row, "DTHDTC") for _, _, row in each(delivery, "DM")}
    for name, number, row in each(delivery, "TU", "TR", "RS"):
        day, death = day_of(row, f"{name}DTC"), deaths.get(text_of(row, "USUBJID"))
        if day is not None and death is not None and day > death:
            yield Issue(name, number, f"{name}DTC", str(day), f"lies after the death on {death}")


def _response_dates(delivery: Delivery) -> Iterator[Issue]:
    groups = grouped(each(delivery, "TR"), "USUBJID", "TRLNKGRP")
    for name, number, row in each(delivery, "RS"):
        key = (text_of(row, "USUBJID"), text_of(row, "RSLNKGRP"))
        dates = [day for _, tr in groups.get(key, []) if (day := day_of(tr, "TRDTC")) is not None]
        day = day_of(row, "RSDTC")
        if not key[1] or not dates or day is None:
            continue
        is_pd = text_of(row, "RSSTRESC") in PROGRESSIONS
        if (is_pd and day > max(dates)) or (not is_pd and day < max(dates)):
            yield Issue(name, number, "RSDTC", str(day), f"the images of the assessment end on {max(dates)}")


def _categories(delivery: Delivery) -> Iterator[Issue]:
    by_reader: dict[tuple[str, str, str], str] = {}
    for name, number, row in each(delivery, "RS"):
        category = text_of(row, "RSCAT")
        if not category:
            yield Issue(name, number, "RSCAT", "", "by which criterion is not said")
        key = (text_of(row, "USUBJID"), text_of(row, "RSEVALID"), text_of(row, "VISITNUM"))
        test = text_of(row, "RSTESTCD")
        if test in ("TRGRESP", "NTRGRESP", "OVRLRESP") and by_reader.setdefault(key, category) != category:
            yield Issue(name, number, "RSCAT", category, f"the same assessment is by {by_reader[key]} elsewhere")


RESPONSE_RULES = (
    Rule("TI-C040", "Sums are those of the targets, all of them", True, _sums),
    Rule("TI-C041", "Target responses follow from the sums", False, _target_responses),
    Rule("TI-C042", "Overall responses follow from their components", False, _overall_responses),
    Rule("TI-C043", "An unequivocal new lesion is said to be there", False, _new_lesions),
    Rule("TI-C044", "Targets and non-targets are chosen at baseline, new lesions after it", True, _roles),
    Rule("TI-C045", "Numbers and sizes of targets are within RECIST 1.1", False, _limits),
    Rule("TI-C047", "Too small to measure has the number that stands for it, and its flag", True, _too_small),
    Rule("TI-C048", "Responses are words of the criterion", True, _words),
    Rule("TI-C049", "Nothing is dated after death", False, _after_death),
    Rule("TI-C052", "Responses are dated by the images that they rest on", False, _response_dates),
    Rule("TI-C066", "Every response says its criterion, one for each assessment", False, _categories),
)
