"""Define-XML 2.1: every dataset, variable, value and code list, with where it comes from and how it is made.

References
----------
CDISC. Define-XML specification, version 2.1, 2019.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET  # written, never read
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.description import COMMENTS, UsedList, ValueLevel, comment_of, used_list, value_levels
from trialimg.services.cdisc.specification import SUPPLEMENTS, Kind, Standard, Variable
from trialimg.services.cdisc.tables import Table
from trialimg.services.cdisc.terms import ADAM_TERMS, SDTM_TERMS

__all__ = ["NAMESPACES", "define_bytes"]

NAMESPACES = {
    "": "http://www.cdisc.org/ns/odm/v1.3",
    "def": "http://www.cdisc.org/ns/def/v2.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
_DEF, _XLINK = "def:", "xlink:"
_TYPES = {
    Kind.TEXT: "text", Kind.ISO_DATE: "date", Kind.INTEGER: "integer", Kind.FLOAT: "float", Kind.SAS_DATE: "integer",
}  # fmt: skip
_GUIDES = {Standard.SDTM: ("SDTMIG", "3.4"), Standard.ADAM: ("ADaMIG", "1.3")}
_DIGITS = 4
"""Decimals that are shown of a number whose rows are of several kinds."""


@dataclass
class _Parts:
    """What stands after the datasets, in the order in which Define-XML wants it."""

    lists: dict[str, UsedList] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def define_bytes(
    study: Study, tables: Sequence[Table], lengths: Mapping[str, int], *, created: dt.datetime, suffix: str
) -> bytes:
    """The description of the datasets of one standard.

    Parameters
    ----------
    tables
        Of one standard, at least one.
    lengths
        Variable to bytes, as in the files.
    suffix
        Ending of the dataset files that the description points to, e.g. ``xpt``.
    """
    standard = tables[0].spec.standard
    odm = ET.Element(
        "ODM",
        {
            **{f"xmlns{':' if prefix else ''}{prefix}": uri for prefix, uri in NAMESPACES.items()},
            "FileOID": f"{study.code}.define.{standard.value}",
            "FileType": "Snapshot",
            "ODMVersion": "1.3.2",
            "CreationDateTime": created.strftime("%Y-%m-%dT%H:%M:%S"),
            "Originator": study.vendor or study.code,
            "SourceSystem": "trialimg",
            "SourceSystemVersion": study.software.rpartition(" ")[2] or "1",
            "def:Context": "Submission",
        },
    )
    within = ET.SubElement(odm, "Study", {"OID": f"ST.{study.code}"})
    names = ET.SubElement(within, "GlobalVariables")
    for name, text in (("StudyName", study.code), ("StudyDescription", study.title), ("ProtocolName", study.code)):
        ET.SubElement(names, name).text = text
    version = ET.SubElement(
        within,
        "MetaDataVersion",
        {
            "OID": f"MDV.{study.code}.{standard.value.upper()}",
            "Name": f"{study.code} {standard.value.upper()}",
            "def:DefineVersion": "2.1.0",
        },
    )
    _standards(version, standard)
    _fill(version, tables, lengths, suffix)
    ET.indent(odm)
    document: str = ET.tostring(odm, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()


def _standards(version: ET.Element, standard: Standard) -> None:
    guide, number = _GUIDES[standard]
    parent = ET.SubElement(version, f"{_DEF}Standards")
    common = {"Status": "Final"}
    ET.SubElement(
        parent, f"{_DEF}Standard", {"OID": "STD.IG", "Name": guide, "Type": "IG", "Version": number, **common}
    )
    sets = (("SDTM", SDTM_TERMS), ("ADaM", ADAM_TERMS)) if standard is Standard.ADAM else (("SDTM", SDTM_TERMS),)
    for published, release in sets:
        attributes = {"Name": "CDISC/NCI", "Type": "CT", "PublishingSet": published, "Version": release, **common}
        ET.SubElement(parent, f"{_DEF}Standard", {"OID": f"STD.CT.{published.upper()}", **attributes})


def _fill(version: ET.Element, tables: Sequence[Table], lengths: Mapping[str, int], suffix: str) -> None:
    levels = {table.name: tuple(value_levels(table)) for table in tables}
    parts = _Parts()
    for level in (one for found in levels.values() for one in found):
        _value_list_item(version, level)
    for level in {(one.dataset, one.by, one.value): one for found in levels.values() for one in found}.values():
        _where_clause(version, level)
    for table in tables:
        _dataset(version, table, suffix, parts)
    for table in tables:
        _variables(version, table, levels[table.name], lengths, parts)
    for used in parts.lists.values():
        _code_list(version, used)
    for oid, text in parts.methods.items():
        method = ET.SubElement(version, "MethodDef", {"OID": oid, "Name": oid.partition(".")[2], "Type": "Computation"})
        _described(method, text)
    for oid, text in parts.comments.items():
        _described(ET.SubElement(version, f"{_DEF}CommentDef", {"OID": oid}), text)


def _variables(
    version: ET.Element, table: Table, levels: Sequence[ValueLevel], lengths: Mapping[str, int], parts: _Parts
) -> None:
    named = {level.variable.name for level in levels}
    for variable in table.variables:
        _variable(version, table, variable, lengths[variable.name], by_value=variable.name in named, parts=parts)
    for level in levels:
        _value(version, level, parts)


def _described(parent: ET.Element, text: str) -> None:
    described = ET.SubElement(parent, "Description")
    ET.SubElement(described, "TranslatedText", {"xml:lang": "en"}).text = text


def _value_list_item(version: ET.Element, level: ValueLevel) -> None:
    oid = f"VL.{level.dataset}.{level.variable.name}"
    found = [one for one in version.iter(f"{_DEF}ValueListDef") if one.get("OID") == oid]
    parent = found[0] if found else ET.SubElement(version, f"{_DEF}ValueListDef", {"OID": oid})
    number = str(len(parent) + 1)
    item = ET.SubElement(parent, "ItemRef", {"ItemOID": _value_oid(level), "OrderNumber": number, "Mandatory": "No"})
    ET.SubElement(item, f"{_DEF}WhereClauseRef", {"WhereClauseOID": f"WC.{level.dataset}.{level.value}"})


def _value_oid(level: ValueLevel) -> str:
    return f"IT.{level.dataset}.{level.variable.name}.{level.value}"


def _where_clause(version: ET.Element, level: ValueLevel) -> None:
    clause = ET.SubElement(version, f"{_DEF}WhereClauseDef", {"OID": f"WC.{level.dataset}.{level.value}"})
    attributes = {"Comparator": "EQ", "SoftHard": "Soft", "def:ItemOID": f"IT.{level.dataset}.{level.by}"}
    check = ET.SubElement(clause, "RangeCheck", attributes)
    ET.SubElement(check, "CheckValue").text = level.value


def _dataset(version: ET.Element, table: Table, suffix: str, parts: _Parts) -> None:
    spec = table.spec
    is_analysis = spec.standard is Standard.ADAM
    is_per_subject = table.name in ("DM", "ADSL")
    attributes = {
        "OID": f"IG.{table.name}",
        "Name": table.name,
        "Repeating": "No" if is_per_subject else "Yes",
        "IsReferenceData": "No",
        "SASDatasetName": table.name,
        "Purpose": "Analysis" if is_analysis else "Tabulation",
        "def:Structure": spec.structure,
        "def:StandardOID": "STD.IG",
        "def:ArchiveLocationID": f"LF.{table.name}",
    }
    if not is_analysis:
        attributes["Domain"] = spec.domain if table.name in SUPPLEMENTS else table.name
    group = ET.SubElement(version, "ItemGroupDef", attributes)
    _described(group, spec.label)
    keys = [key for key in spec.keys if key in {v.name for v in table.variables}]
    for number, variable in enumerate(table.variables, start=1):
        _item(group, table, variable, number, keys, parts)
    kind = ET.SubElement(group, f"{_DEF}Class", {"Name": spec.kind})
    if table.name == "ADTTE":
        ET.SubElement(kind, f"{_DEF}SubClass", {"Name": "TIME-TO-EVENT"})
    file = f"{table.name.lower()}.{suffix}"
    leaf = ET.SubElement(group, f"{_DEF}leaf", {"ID": f"LF.{table.name}", f"{_XLINK}href": file})
    ET.SubElement(leaf, f"{_DEF}title").text = file


def _item(group: ET.Element, table: Table, variable: Variable, number: int, keys: Sequence[str], parts: _Parts) -> None:
    mandatory = "Yes" if table.spec.required(variable) else "No"
    attributes = {"ItemOID": f"IT.{table.name}.{variable.name}", "OrderNumber": str(number), "Mandatory": mandatory}
    if variable.name in keys:
        attributes["KeySequence"] = str(keys.index(variable.name) + 1)
    if variable.origin == "Derived":
        oid = f"MT.{table.name}.{variable.name}"
        parts.methods[oid] = variable.derivation
        attributes["MethodOID"] = oid
    ET.SubElement(group, "ItemRef", attributes)


def _variable(
    version: ET.Element, table: Table, variable: Variable, length: int, *, by_value: bool, parts: _Parts
) -> None:
    attributes = {
        "OID": f"IT.{table.name}.{variable.name}",
        "Name": variable.name,
        "DataType": _TYPES[variable.kind],
        "SASFieldName": variable.name,
    }
    if variable.kind is not Kind.ISO_DATE:
        attributes["Length"] = str(length)
    if variable.kind is Kind.FLOAT:
        attributes["SignificantDigits"] = str(_DIGITS)
    if variable.kind is Kind.SAS_DATE:
        attributes["def:DisplayFormat"] = "DATE9."
    comment = comment_of(table.name, variable.name)
    if comment:
        parts.comments[f"COM.{comment}"] = COMMENTS[comment]
        attributes["def:CommentOID"] = f"COM.{comment}"
    item = ET.SubElement(version, "ItemDef", attributes)
    _described(item, variable.label)
    used = None if by_value else used_list(table, variable)
    _listed(item, used, parts)
    _origin(item, variable)
    if by_value:
        ET.SubElement(item, f"{_DEF}ValueListRef", {"ValueListOID": f"VL.{table.name}.{variable.name}"})


def _value(version: ET.Element, level: ValueLevel, parts: _Parts) -> None:
    attributes = {
        "OID": _value_oid(level),
        "Name": level.value,
        "DataType": _TYPES[level.kind],
        "SASFieldName": level.value,
        "Length": str(level.length),
    }
    if level.kind is Kind.FLOAT:
        attributes["SignificantDigits"] = str(level.digits or 1)
    item = ET.SubElement(version, "ItemDef", attributes)
    _described(item, level.label)
    _listed(item, level.codelist, parts)
    _origin(item, level.variable)


def _listed(item: ET.Element, used: UsedList | None, parts: _Parts) -> None:
    if used is not None:
        parts.lists[used.oid] = used
        ET.SubElement(item, "CodeListRef", {"CodeListOID": used.oid})


def _origin(item: ET.Element, variable: Variable) -> None:
    attributes = {"Type": variable.origin, **({"Source": variable.source} if variable.source else {})}
    origin = ET.SubElement(item, f"{_DEF}Origin", attributes)
    if variable.origin == "Predecessor":
        _described(origin, variable.derivation)


def _code_list(version: ET.Element, used: UsedList) -> None:
    attributes = {"OID": used.oid, "Name": used.name, "DataType": "integer" if _is_integral(used) else "text"}
    if used.is_published:
        attributes["def:StandardOID"] = f"STD.CT.{_publisher(used)}"
    else:
        attributes["def:IsNonStandard"] = "Yes"
    parent = ET.SubElement(version, "CodeList", attributes)
    for term in used.terms:
        more = {"def:ExtendedValue": "Yes"} if term.is_extension else {}
        item = ET.SubElement(parent, "CodeListItem", {"CodedValue": term.value, **more})
        decode = ET.SubElement(item, "Decode")
        ET.SubElement(decode, "TranslatedText", {"xml:lang": "en"}).text = term.decode
        if term.code:
            ET.SubElement(item, "Alias", {"Context": "nci:ExtCodeID", "Name": term.code})
    if used.is_published:
        ET.SubElement(parent, "Alias", {"Context": "nci:ExtCodeID", "Name": used.code})


def _is_integral(used: UsedList) -> bool:
    return not used.is_published and all(term.value.lstrip("-").isdigit() for term in used.terms)


def _publisher(used: UsedList) -> str:
    return "ADAM" if used.name in ("DTYPE", "DATEFL", "SBJTSTAT") else "SDTM"
