"""What a Define-XML says of the datasets beside it, read within limits: no document type, no entity, a bounded size."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

from trialimg.adapters.exporters.cdisc.define import NAMESPACES
from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.delivery import Described

__all__ = ["read_define"]

_MOST_BYTES = 50_000_000
_ODM, _DEF = f"{{{NAMESPACES['']}}}", f"{{{NAMESPACES['def']}}}"


def read_define(data: bytes, source: str) -> Described:
    """Datasets, variables, lengths and listed values of a description.

    Raises
    ------
    ReadingError
        If it is no XML, is too large, or has a document type (which may hide what is read).
    """
    if len(data) > _MOST_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ReadingError(f"{source} has a document type, or more than {_MOST_BYTES} bytes, and is not read")
    try:
        root = ET.fromstring(data)  # entities are refused above  # noqa: S314
    except ET.ParseError as fault:
        raise ReadingError(f"{source} is no XML ({fault})") from fault
    items = {item.get("OID", ""): item for item in root.iter(f"{_ODM}ItemDef")}
    lists = {one.get("OID", ""): one for one in root.iter(f"{_ODM}CodeList")}
    lengths: dict[str, dict[str, int | None]] = {}
    values: dict[str, dict[str, frozenset[str]]] = {}
    for group in root.iter(f"{_ODM}ItemGroupDef"):
        name = group.get("Name", "")
        lengths[name], values[name] = {}, {}
        for reference in group.findall(f"{_ODM}ItemRef"):
            item = items.get(reference.get("ItemOID", ""))
            if item is None:
                continue
            variable = item.get("Name", "")
            length = item.get("Length", "")
            lengths[name][variable] = int(length) if length.isdigit() and item.get("DataType") == "text" else None
            listed = _codes(root, item, items, lists)
            if listed is not None:
                values[name][variable] = listed
    return Described(lengths, values, _extensions(lists.values()), tuple(_dangling(root)))


def _codes(
    root: ET.Element, item: ET.Element, items: dict[str, ET.Element], lists: dict[str, ET.Element]
) -> frozenset[str] | None:
    """The values that a variable may have; None where it has no list, or has one for some of its rows only."""
    by_value = item.find(f"{_DEF}ValueListRef")
    if by_value is None:
        return _coded(item, lists)
    wanted = next((v for v in root.iter(f"{_DEF}ValueListDef") if v.get("OID") == by_value.get("ValueListOID")), None)
    if wanted is None:
        return None
    parts = [_coded(items[oid], lists) for one in wanted if (oid := one.get("ItemOID", "")) in items]
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if known and len(known) == len(parts) else None


def _coded(item: ET.Element, lists: dict[str, ET.Element]) -> frozenset[str] | None:
    reference = item.find(f"{_ODM}CodeListRef")
    listed = lists.get(reference.get("CodeListOID", "")) if reference is not None else None
    if listed is None:
        return None
    return frozenset(one.get("CodedValue", "") for one in listed.iter(f"{_ODM}CodeListItem"))


def _extensions(lists: Iterable[ET.Element]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one in lists:
        extended = {
            item.get("CodedValue", "")
            for item in one.iter(f"{_ODM}CodeListItem")
            if item.get(f"{_DEF}ExtendedValue") == "Yes"
        }
        found.setdefault(one.get("Name", ""), set()).update(extended)
    return {name: frozenset(values) for name, values in found.items()}


_REFERENCES = (
    (f"{_ODM}ItemRef", "ItemOID"),
    (f"{_ODM}ItemRef", "MethodOID"),
    (f"{_ODM}CodeListRef", "CodeListOID"),
    (f"{_DEF}WhereClauseRef", "WhereClauseOID"),
    (f"{_DEF}ValueListRef", "ValueListOID"),
    (f"{_ODM}RangeCheck", f"{_DEF}ItemOID"),
    (f"{_ODM}ItemDef", f"{_DEF}CommentOID"),
)
"""Element and the attribute by which it refers to another."""


def _dangling(root: ET.Element) -> Iterator[str]:
    """Every reference to something that is not there."""
    known = {oid for element in root.iter() if (oid := element.get("OID"))}
    for element, attribute in _REFERENCES:
        for one in root.iter(element):
            target = one.get(attribute)
            if target is not None and target not in known:
                yield target
