"""Checks of every dataset's frame: variables, names, labels, types, keys, code lists, and what text may hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from trialimg.services.cdisc.check import DOMAINS, Issue, Rule, each, grouped, text_of
from trialimg.services.cdisc.delivery import Delivered, Delivery
from trialimg.services.cdisc.specification import DATASETS, DatasetSpec, Kind, Standard, Variable
from trialimg.services.cdisc.terms import NOT_EXTENSIBLE, code_list

__all__ = ["FRAME_RULES"]

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_LONGEST_TEXT, _LONGEST_LABEL, _LONGEST_TEST = 200, 40, 40
_TEST_LISTS = {"TU": ("TUTESTCD", "TUTEST"), "TR": ("TRTESTCD", "TRTEST"), "RS": ("ONCRTSCD", "ONCRTS")}
_NO_VALUES = (".", "NA", "N/A", "NULL", "NaN", "None")


def _known(delivery: Delivery) -> Iterator[tuple[Delivered, DatasetSpec]]:
    return ((table, table.spec) for table in delivery.tables.values() if table.spec is not None)


def _never_blank(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        for variable in spec.variables:
            if variable.core == "Req" and variable.name not in table.names:
                yield Issue(table.name, None, variable.name, "", "a required variable is missing")
            elif spec.required(variable):
                for number, row in enumerate(table.rows, start=1):
                    if row.get(variable.name) is None:
                        yield Issue(table.name, number, variable.name, "", "a required variable is blank")


def _expected(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        for variable in spec.variables:
            if variable.core == "Exp" and variable.name not in table.names:
                yield Issue(table.name, None, variable.name, "", "an expected variable is missing")


def _allowed(delivery: Delivery) -> Iterator[Issue]:
    for table in delivery.tables.values():
        if table.spec is None:
            yield Issue(table.name, None, "", table.source, "is no dataset of this delivery")
            continue
        order = [variable.name for variable in table.spec.variables]
        for name in table.names:
            if name not in order and name not in table.spec.also_allowed:
                yield Issue(table.name, None, name, "", "the variable does not belong to this dataset")
        known = [name for name in table.names if name in order]
        if known != sorted(known, key=order.index):
            yield Issue(table.name, None, "", " ".join(known), "the variables are not in the order of the guide")


def _labels(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        if table.label is not None and table.label != spec.label:
            yield Issue(table.name, None, "", table.label, f"the dataset's label is {spec.label!r}")
        for column in table.columns:
            variable = spec.variable(column.name)
            if column.label is None or variable is None:
                continue
            if column.label != variable.label or len(column.label) > _LONGEST_LABEL:
                yield Issue(table.name, None, column.name, column.label, f"the label is {variable.label!r}")


def _types(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        for column in table.columns:
            variable = spec.variable(column.name)
            if variable is None:
                continue
            if column.is_text is not None and column.is_text is not variable.kind.is_text:
                yield Issue(table.name, None, column.name, "", f"the type is {variable.kind.value}")
            for number, row in enumerate(table.rows, start=1):
                if not _fits(variable, row.get(column.name)):
                    value = text_of(row, column.name)
                    yield Issue(table.name, number, column.name, value, f"is no {variable.kind.value}")


def _fits(variable: Variable, value: object) -> bool:
    if value is None or variable.kind is Kind.SAS_DATE:
        return True
    if variable.kind.is_text:
        return isinstance(value, str)
    return isinstance(value, int) or (isinstance(value, float) and variable.kind is Kind.FLOAT)


def _names(delivery: Delivery) -> Iterator[Issue]:
    for table in delivery.tables.values():
        for name in (table.name, *table.names):
            if not _NAME.fullmatch(name):
                yield Issue(table.name, None, name, "", "is no name of at most 8 capitals and digits")


def _one_study(delivery: Delivery) -> Iterator[Issue]:
    studies = Counter(text_of(row, "STUDYID") for _, _, row in each(delivery, "DM"))
    for name, number, row in each(delivery, *delivery.tables):
        if studies and text_of(row, "STUDYID") not in studies:
            yield Issue(name, number, "STUDYID", text_of(row, "STUDYID"), "is not the study of DM")


def _domains(delivery: Delivery) -> Iterator[Issue]:
    for name, number, row in each(delivery, "DM", *DOMAINS):
        if text_of(row, "DOMAIN") != name:
            yield Issue(name, number, "DOMAIN", text_of(row, "DOMAIN"), f"is not {name}")


def _sequences(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        name = f"{table.name}SEQ" if table.name in DOMAINS else "ASEQ"
        if spec.variable(name) is None:
            continue
        for (subject, value), rows in grouped(each(delivery, table.name), "USUBJID", name).items():
            for number, _ in rows[1:]:
                yield Issue(table.name, number, name, value, f"is not unique within {subject}")
            if not value.isdigit() or int(value) < 1:
                yield Issue(table.name, rows[0][0], name, value, "is no whole number from 1 on")


def _keys(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        for key, rows in grouped(each(delivery, table.name), *spec.keys).items():
            for number, _ in rows[1:]:
                yield Issue(table.name, number, " ".join(spec.keys), " ".join(key), f"same key as record {rows[0][0]}")


def _tests(delivery: Delivery) -> Iterator[Issue]:
    for domain in DOMAINS:
        code, name = f"{domain}TESTCD", f"{domain}TEST"
        pairs: dict[str, str] = {}
        for _, number, row in each(delivery, domain):
            short, long = text_of(row, code), text_of(row, name)
            if not _NAME.fullmatch(short):
                yield Issue(domain, number, code, short, "is no name of at most 8 capitals and digits")
            if len(long) > _LONGEST_TEST:
                yield Issue(domain, number, name, long, f"has more than {_LONGEST_TEST} characters")
            if pairs.setdefault(short, long) != long:
                yield Issue(domain, number, name, long, f"{short} is called {pairs[short]!r} elsewhere")


def _terms(delivery: Delivery) -> Iterator[Issue]:
    for table, spec in _known(delivery):
        described = delivery.described.get(spec.standard.value)
        for variable in spec.variables:
            for number, value, listed in _listed(table, variable):
                terms = code_list(listed)
                if terms is None or value in terms.terms:
                    continue
                registered = described is not None and value in described.extensions.get(listed, frozenset())
                if listed in NOT_EXTENSIBLE:
                    yield Issue(table.name, number, variable.name, value, f"is no term of {listed}, which is closed")
                elif not registered:
                    message = f"is no term of {listed} and no extension that Define-XML names"
                    yield Issue(table.name, number, variable.name, value, message)


def _listed(table: Delivered, variable: Variable) -> Iterator[tuple[int, str, str]]:
    """Row, value and code list of every value that must be a term; a number in a result is none."""
    if not variable.codelist or variable.name not in table.names:
        return
    for number, row in enumerate(table.rows, start=1):
        value = text_of(row, variable.name)
        if not value or (variable.name == "TRSTRESC" and row.get("TRSTRESN") is not None):
            continue
        is_indicator = variable.name == "RSSTRESC" and row.get("RSTESTCD") == "NEWLIND"
        yield number, value, "NY" if is_indicator else variable.codelist


def _concepts(delivery: Delivery) -> Iterator[Issue]:
    for domain, (codes, names) in _TEST_LISTS.items():
        short, long = code_list(codes), code_list(names)
        for _, number, row in each(delivery, domain):
            code = short.terms.get(text_of(row, f"{domain}TESTCD")) if short else None
            name = long.terms.get(text_of(row, f"{domain}TEST")) if long else None
            if code is not None and (name is None or code.code != name.code):
                value = text_of(row, f"{domain}TEST")
                yield Issue(domain, number, f"{domain}TEST", value, f"is not the name of {code.value}")


def _texts(delivery: Delivery) -> Iterator[Issue]:
    for name, number, row in each(delivery, *delivery.tables):
        for variable, value in row.items():
            wrong = _wrong(value) if isinstance(value, str) else ""
            if wrong:
                yield Issue(name, number, variable, str(value)[:_LONGEST_TEXT], wrong)


def _wrong(text: str) -> str:
    if text != text.strip():
        return "begins or ends with a blank"
    if text in _NO_VALUES:
        return "stands for a missing value; leave it blank"
    if any(ord(letter) < ord(" ") for letter in text):
        return "has a control character"
    if not text.isascii():
        return "is not ASCII"
    return f"has more than {_LONGEST_TEXT} bytes" if len(text) > _LONGEST_TEXT else ""


def _rows(delivery: Delivery) -> Iterator[Issue]:
    return (Issue(t.name, None, "", "", "has no record") for t in delivery.tables.values() if not t.rows)


def _same_everywhere(delivery: Delivery) -> Iterator[Issue]:
    first: dict[tuple[Standard, str], tuple[str, int | None, str | None]] = {}
    for table, spec in _known(delivery):
        for column in table.columns:
            known = first.setdefault((spec.standard, column.name), (table.name, column.length, column.label))
            if column.length is not None and (column.length, column.label) != known[1:]:
                message = f"length or label differs from {known[0]}"
                yield Issue(table.name, None, column.name, f"{column.length} {column.label}", message)


def _categories(delivery: Delivery) -> Iterator[Issue]:
    for domain, number, row in each(delivery, *DOMAINS):
        category, sub, code = (text_of(row, f"{domain}{part}") for part in ("CAT", "SCAT", "TESTCD"))
        if category and category in (sub, domain):
            yield Issue(domain, number, f"{domain}CAT", category, "is the subcategory, or the domain, once more")
        if code in ("OTHER", "MULTIPLE"):
            yield Issue(domain, number, f"{domain}TESTCD", code, "says nothing")


def _subjects(delivery: Delivery) -> Iterator[Issue]:
    known = {text_of(row, "USUBJID") for _, _, row in each(delivery, "DM")}
    sdtm = [name for name, spec in DATASETS.items() if spec.standard is Standard.SDTM and name != "RELREC"]
    for name, number, row in each(delivery, *sdtm):
        if "DM" in delivery.tables and text_of(row, "USUBJID") not in known:
            yield Issue(name, number, "USUBJID", text_of(row, "USUBJID"), "is not in DM")


FRAME_RULES = (
    Rule("TI-C001", "Required variables are there and never blank", True, _never_blank),
    Rule("TI-C002", "Expected variables are there", True, _expected),
    Rule("TI-C003", "Only variables of the guide, in its order", True, _allowed),
    Rule("TI-C004", "Labels as in the guide, at most 40 characters", True, _labels),
    Rule("TI-C005", "Types as in the guide", True, _types),
    Rule("TI-C006", "Names of at most 8 capitals, digits and underscores", True, _names),
    Rule("TI-C007", "STUDYID is that of DM", True, _one_study),
    Rule("TI-C008", "DOMAIN is the dataset's code", True, _domains),
    Rule("TI-C009", "USUBJID stands in DM", True, _subjects),
    Rule("TI-C010", "Sequence numbers are unique within a subject", True, _sequences),
    Rule("TI-C011", "The natural key is unique", True, _keys),
    Rule("TI-C012", "Test codes are names, and each has one test", True, _tests),
    Rule("TI-C013", "Values are terms of their code list, or extensions that Define-XML names", True, _terms),
    Rule("TI-C014", "Test code and test name are of one concept", True, _concepts),
    Rule(
        "TI-C037", "Text has no blanks around it, no stand-in for missing, is ASCII of at most 200 bytes", True, _texts
    ),
    Rule("TI-C038", "Every dataset has records", True, _rows),
    Rule("TI-C064", "A variable has one length and label everywhere", False, _same_everywhere),
    Rule("TI-C065", "Category, subcategory and test say different things", True, _categories),
)
