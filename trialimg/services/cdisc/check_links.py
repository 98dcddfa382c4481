"""Checks of how TU, TR, RS, their supplements and RELREC belong together, and of who assessed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from trialimg.services.cdisc.check import DOMAINS, Issue, Rule, each, grouped, reader_of, text_of
from trialimg.services.cdisc.delivery import Delivery
from trialimg.services.cdisc.specification import DATASETS, SUPPLEMENTS, Standard
from trialimg.services.cdisc.terms import code_list

__all__ = ["LINK_RULES"]

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_LONGEST_UID, _LONGEST_LABEL = 64, 40
_INDEPENDENT = "INDEPENDENT ASSESSOR"


def _accepted(delivery: Delivery) -> Iterator[Issue]:
    accepted: dict[tuple[str, ...], list[int]] = {}
    measured = {
        (*reader_of(row, "TR"), text_of(row, "TRLNKGRP")) for _, _, row in each(delivery, "TR") if row.get("TRACPTFL")
    }
    for domain, number, row in each(delivery, *DOMAINS):
        flag = text_of(row, f"{domain}ACPTFL")
        if flag not in ("", "Y"):
            yield Issue(domain, number, f"{domain}ACPTFL", flag, "is neither Y nor blank")
        if flag and text_of(row, f"{domain}EVAL") == "INVESTIGATOR":
            yield Issue(domain, number, f"{domain}ACPTFL", flag, "the investigator's record is no accepted read")
        if domain == "RS" and flag and text_of(row, "RSTESTCD") == "OVRLRESP":
            key = tuple(text_of(row, name) for name in ("USUBJID", "RSCAT", "VISITNUM"))
            accepted.setdefault(key, []).append(number)
            if (*reader_of(row, "RS"), text_of(row, "RSLNKGRP")) not in measured:
                yield Issue(domain, number, "RSACPTFL", flag, "rests on no accepted measurement of the same reader")
    for key, numbers in accepted.items():
        for number in numbers[1:]:
            yield Issue("RS", number, "RSACPTFL", "Y", f"a second accepted overall response for {' '.join(key)}")


def _evaluators(delivery: Delivery) -> Iterator[Issue]:
    rows = list(each(delivery, *DOMAINS))
    is_independent = any(text_of(row, f"{domain}EVAL") == _INDEPENDENT for domain, _, row in rows)
    for domain, number, row in rows:
        if not text_of(row, f"{domain}EVAL") and (text_of(row, f"{domain}EVALID") or is_independent):
            yield Issue(domain, number, f"{domain}EVAL", "", "who assessed is not said")


def _roles(delivery: Delivery) -> Iterator[Issue]:
    roles = code_list("MEDEVAL")
    for domain, number, row in each(delivery, *DOMAINS):
        role = text_of(row, f"{domain}EVALID")
        if role and roles is not None and role not in roles.terms:
            yield Issue(domain, number, f"{domain}EVALID", role, "is no role of a reader; never a person's name")


def _results_identified(delivery: Delivery) -> Iterator[Issue]:
    identified = {(*reader_of(row, "TU"), text_of(row, "TULNKID")) for _, _, row in each(delivery, "TU")}
    for domain, number, row in each(delivery, "TR"):
        link = text_of(row, "TRLNKID")
        if link and (*reader_of(row, "TR"), link) not in identified:
            yield Issue(domain, number, "TRLNKID", link, "was not identified by this reader in TU")


def _targets_measured(delivery: Delivery) -> Iterator[Issue]:
    measured = {
        (*reader_of(r, "TR"), text_of(r, "TRLNKID"), text_of(r, "VISITNUM")) for _, _, r in each(delivery, "TR")
    }
    for domain, number, row in each(delivery, "TU"):
        if text_of(row, "TUSTRESC") != "TARGET" or text_of(row, "TUTESTCD") != "TUMIDENT":
            continue
        if (*reader_of(row, "TU"), text_of(row, "TULNKID"), text_of(row, "VISITNUM")) not in measured:
            yield Issue(domain, number, "TULNKID", text_of(row, "TULNKID"), "a target without a result when identified")


def _responses_measured(delivery: Delivery) -> Iterator[Issue]:
    by_group = grouped(each(delivery, "TR"), "USUBJID", "TRLNKGRP")
    for domain, number, row in each(delivery, "RS"):
        group = text_of(row, "RSLNKGRP")
        if not group:
            continue
        found = [tr for _, tr in by_group.get((text_of(row, "USUBJID"), group), [])]
        is_verdict = text_of(row, "RSEVALID").startswith("ADJUDICATOR")
        same = [tr for tr in found if text_of(tr, "VISITNUM") == text_of(row, "VISITNUM")]
        if not is_verdict:
            same = [tr for tr in same if reader_of(tr, "TR") == reader_of(row, "RS")]
        if not same:
            yield Issue(
                domain, number, "RSLNKGRP", group, "no result in TR by this reader at this visit is in the group"
            )


def _relations(delivery: Delivery) -> Iterator[Issue]:
    members = Counter(text_of(row, "RELID") for _, _, row in each(delivery, "RELREC"))
    for name, number, row in each(delivery, "RELREC"):
        domain, variable = text_of(row, "RDOMAIN"), text_of(row, "IDVAR")
        table = delivery.tables.get(domain)
        if table is None or variable not in table.names:
            yield Issue(name, number, "IDVAR", f"{domain} {variable}", "is not delivered")
        if members[text_of(row, "RELID")] < 2:
            yield Issue(name, number, "RELID", text_of(row, "RELID"), "relates nothing to nothing else")
        if bool(text_of(row, "RELTYPE")) is bool(text_of(row, "IDVARVAL")):
            message = "stands exactly where whole datasets are related"
            yield Issue(name, number, "RELTYPE", text_of(row, "RELTYPE"), message)


def _supplements(delivery: Delivery) -> Iterator[Issue]:
    standard = {v.name for spec in DATASETS.values() if spec.standard is Standard.SDTM for v in spec.variables}
    labels: dict[str, str] = {}
    parents: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for name, number, row in each(delivery, *SUPPLEMENTS):
        domain, variable, value = (text_of(row, one) for one in ("RDOMAIN", "IDVAR", "IDVARVAL"))
        qualifier, label = text_of(row, "QNAM"), text_of(row, "QLABEL")
        if domain != name.removeprefix("SUPP"):
            yield Issue(name, number, "RDOMAIN", domain, "is not the dataset that this one adds to")
        if (domain, variable) not in parents:
            parents[domain, variable] = set(grouped(each(delivery, domain), "USUBJID", variable or "USUBJID"))
        if (text_of(row, "USUBJID"), value) not in parents[domain, variable]:
            yield Issue(name, number, "IDVARVAL", value, f"no record of {domain} has this {variable}")
        if not _NAME.fullmatch(qualifier) or qualifier in standard or len(label) > _LONGEST_LABEL:
            yield Issue(name, number, "QNAM", qualifier, "is no name of its own with a label of at most 40 characters")
        if labels.setdefault(qualifier, label) != label:
            yield Issue(name, number, "QLABEL", label, f"{qualifier} is called {labels[qualifier]!r} elsewhere")


def _families(delivery: Delivery) -> Iterator[Issue]:
    for key, rows in grouped(each(delivery, "TU"), "USUBJID", "TUEVAL", "TUEVALID").items():
        links = {text_of(row, "TULNKID") for _, row in rows}
        parts = Counter(text_of(row, "TUGRPID") for _, row in rows if text_of(row, "TUTESTCD") == "TUSPLIT")
        for number, row in rows:
            link, test, group = (text_of(row, name) for name in ("TULNKID", "TUTESTCD", "TUGRPID"))
            if test == "TUSPLIT" and (group not in links or not re.fullmatch(re.escape(group) + r"\.\d+", link)):
                yield Issue("TU", number, "TULNKID", link, f"is no numbered part of a lesion of {key[2]}")
            elif test == "TUSPLIT" and parts[group] < 2:
                yield Issue("TU", number, "TUGRPID", group, "has split into one part")
            if test == "TUMERGE":
                prefix = link.partition("-")[0]
                whole = [f"{prefix}-{part}" for part in link.partition("-")[2].split("/")]
                if len(whole) < 2 or any(part not in links for part in whole):
                    yield Issue("TU", number, "TULNKID", link, "does not name the lesions that merged")
    yield from _measured_twice(delivery)


def _measured_twice(delivery: Delivery) -> Iterator[Issue]:
    by_visit = grouped(each(delivery, "TR"), "USUBJID", "TREVALID", "VISITNUM")
    for rows in by_visit.values():
        measured = {text_of(row, "TRLNKID"): number for number, row in rows if row.get("TRSTRESN") is not None}
        for link, number in measured.items():
            if any(other.startswith(f"{link}.") for other in measured if other != link):
                yield Issue("TR", number, "TRLNKID", link, "is measured beside its own parts")
            prefix, _, label = link.partition("-")
            if "/" in label and any(f"{prefix}-{part}" in measured for part in label.split("/")):
                yield Issue("TR", number, "TRLNKID", link, "is measured beside the lesions that merged into it")


def _images(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, "TU", "TR"):
        uid = text_of(row, f"{domain}REFID")
        if uid and (len(uid) > _LONGEST_UID or not _UID.fullmatch(uid)):
            yield Issue(domain, number, f"{domain}REFID", uid, "is no DICOM UID")


LINK_RULES = (
    Rule("TI-C027", "One accepted overall response per visit, resting on accepted measurements", True, _accepted),
    Rule("TI-C028", "Every record says who assessed", True, _evaluators),
    Rule("TI-C029", "The evaluator is a role, never a person", True, _roles),
    Rule("TI-C030", "Every result is of a lesion that this reader identified", True, _results_identified),
    Rule("TI-C031", "Every target has a result at the visit it was identified", True, _targets_measured),
    Rule(
        "TI-C032", "Every linked response has results by the same reader at the same visit", True, _responses_measured
    ),
    Rule("TI-C033", "RELREC relates delivered datasets by delivered variables", True, _relations),
    Rule("TI-C034", "Supplemental qualifiers hit a record and have names of their own", True, _supplements),
    Rule("TI-C046", "Parts and masses are named after their lesions and not measured beside them", True, _families),
    Rule("TI-C051", "References to images are DICOM UIDs", True, _images),
)
