"""A YAML file as plain data, with the line of every key; read as data only, never evaluated.

The YAML that is accepted is the part that cannot surprise: no tags, no anchors and aliases, no key twice, no number or
yes/no whose meaning depends on the YAML version, one document, text keys. Numbers keep the value that is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import yaml

from trialimg.protocol.faults import joined

__all__ = ["Document", "DocumentFault", "Mark", "read_document"]

_LARGEST_CHARACTERS = 256 * 1024
_DEEPEST = 32
_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BROKEN = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_MOST_DIGITS = 18
_BOOLEANS = {"true": True, "false": False}

_NodeEvent = yaml.events.CollectionStartEvent | yaml.events.ScalarEvent | yaml.events.AliasEvent


class _Position(Protocol):
    """What YAML knows of a place: counted from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class Mark:
    """A position in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class DocumentFault:
    """Something in the file that cannot be read as plain data."""

    mark: Mark
    key: str
    code: str
    message: str


@dataclass
class Document:
    """What a file holds, where each key stands, and what could not be read."""

    data: Any = None
    marks: dict[str, Mark] = field(default_factory=dict)
    """By path of keys (``schedule.visits[1].day``): where the key stands, or the entry of a list."""
    faults: list[DocumentFault] = field(default_factory=list)

    def mark_of(self, place: str) -> Mark:
        """Where a path stands; for one that is not in the file, the nearest one above it."""
        while place not in self.marks and place:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self.marks.get(place, Mark(1, 1))

    def refuse(self, mark: _Position | None, place: str, code: str, message: str) -> None:
        """Note something that cannot be read."""
        self.faults.append(DocumentFault(_mark(mark), place, code, message))


def read_document(text: str) -> Document:
    """The text as plain data (mappings, lists, text, numbers, true/false, null), with everything wrong noted."""
    document = Document()
    if len(text) > _LARGEST_CHARACTERS:
        document.refuse(None, "", "too_large", f"the file has more than {_LARGEST_CHARACTERS} characters")
        return document
    try:
        _refuse_surprises(document, text)
        if not document.faults:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            document.marks[""] = Mark(1, 1)
            document.data = None if root is None else _value(document, root, "")
    except yaml.MarkedYAMLError as error:
        why = " ".join(part for part in (error.problem, error.context) if part)
        document.refuse(error.problem_mark or error.context_mark, "", "not_yaml", f"not YAML: {why}")
    except yaml.reader.ReaderError as error:
        mark = _position(text, error.position)
        document.faults.append(DocumentFault(mark, "", "not_yaml", f"not YAML: {error.reason}"))
    return document


def _refuse_surprises(document: Document, text: str) -> None:
    """Look at the stream of events before any tree is built: depth, aliases, tags."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                document.refuse(event.start_mark, "", "too_deep", f"more than {_DEEPEST} levels")
                return
        if isinstance(event, _NodeEvent):
            _refuse_event(document, event)


def _refuse_event(document: Document, event: _NodeEvent) -> None:
    if event.anchor is not None:
        message = "anchors and aliases (& and *) are not accepted; write the value out"
        document.refuse(event.start_mark, "", "alias", message)
    if not isinstance(event, yaml.events.AliasEvent) and event.tag is not None:
        message = f"tags ({event.tag}) are not accepted: a protocol is data"
        document.refuse(event.start_mark, "", "tag", message)


def _value(document: Document, node: yaml.Node, place: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return dict(_entries(document, node, place))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            document.marks[f"{place}[{position}]"] = _mark(item.start_mark)
        return [_value(document, item, f"{place}[{position}]") for position, item in enumerate(node.value)]
    return _scalar(document, node, place)


def _entries(document: Document, node: yaml.MappingNode, place: str) -> Iterator[tuple[str, Any]]:
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != f"{_TAG}str":
            given = getattr(key_node, "value", "")
            shown = f"{given!r} is" if isinstance(given, str) else "a list or a mapping is"
            document.refuse(key_node.start_mark, place, "key_not_text", f"{shown} not a name; put it in quotes")
            continue
        key = str(key_node.value)
        here = joined(place, key)
        if key in first:
            message = f"{key!r} stands in line {first[key]} already"
            document.refuse(key_node.start_mark, here, "duplicate_key", message)
            continue
        first[key] = key_node.start_mark.line + 1
        document.marks[here] = _mark(key_node.start_mark)
        yield key, _value(document, value_node, here)


def _scalar(document: Document, node: yaml.Node, place: str) -> Any:
    text, kind = str(node.value), str(node.tag).removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if kind == "bool":
        message = f"{text} means true or false to some and text to others; write true or false, or put it in quotes"
        document.refuse(node.start_mark, place, "ambiguous", message)
        return text
    if kind in ("int", "float"):
        return _number(document, node, place)
    return text


def _number(document: Document, node: yaml.Node, place: str) -> int | float | str:
    text = str(node.value)
    if _WHOLE.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return int(text)
    if _BROKEN.fullmatch(text) and Decimal(repr(float(text))) == Decimal(text):
        return float(text)
    if _BROKEN.fullmatch(text):
        document.refuse(node.start_mark, place, "too_precise", f"{text} has more digits than are kept exactly (15)")
    else:
        message = f"{text} is read in different ways; write a plain decimal number, or put it in quotes"
        document.refuse(node.start_mark, place, "ambiguous", message)
    return text


def _mark(mark: _Position | None) -> Mark:
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _position(text: str, offset: int) -> Mark:
    before = text[:offset]
    return Mark(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
