"""A protocol file read, with every fault at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError, create_model

from trialimg.billing.plan import PricePlan
from trialimg.core.errors import Fault, InvalidValueError, ProtocolError
from trialimg.protocol.consistency import inconsistencies
from trialimg.protocol.document import Document, DocumentFault, read_document
from trialimg.protocol.faults import ProtocolFault, faults_of, joined
from trialimg.protocol.model import Protocol, full
from trialimg.protocol.schema import json_schema
from trialimg.protocol.section import Section
from trialimg.protocol.settings import completed
from trialimg.radiomics.settings import RadiomicsSettings
from trialimg.review.design import ReadingDesign

__all__ = ["load_protocol", "read_protocol"]

_VALUES: dict[str, type[Any]] = {
    "radiomics": RadiomicsSettings,
    "reading": ReadingDesign,
    "price_plan": PricePlan,
}
_OF_ONE_KEY = ("out_of_range", "bad_currency", "empty")
"""Codes of faults that no other key has a part in."""


def load_protocol(path: Path) -> Protocol:
    """The protocol in a file.

    Raises
    ------
    ProtocolError
        Naming everything wrong with the file at once, each with line, column, path of keys and reason code.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{path}: not UTF-8 text (byte {error.start})") from None
    return read_protocol(text, source=str(path))


def read_protocol(text: str, *, source: str = "protocol") -> Protocol:
    """The protocol in a YAML text; ``source`` is the name that faults give it.

    Raises
    ------
    ProtocolError
        As `load_protocol`.
    """
    document = read_document(text)
    protocol, found = _validated(document)
    faults = [_of_document(fault, source) for fault in document.faults]
    known = {fault.key for fault in faults}
    faults += [_of_protocol(fault, document, source) for fault in found if fault.where not in known]
    if faults or protocol is None:
        ordered = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column, fault.key, fault.code)))
        raise ProtocolError(f"{source}: {_counted(len(ordered))}", ordered)
    return protocol


def _validated(document: Document) -> tuple[Protocol | None, list[Fault]]:
    if document.data is None and document.faults:
        return None, []
    if not isinstance(document.data, dict):
        return None, [Fault("", "wrong_type", "a protocol is a mapping of sections (trial:, arms:, ...)")]
    try:
        return Protocol.model_validate_json(json.dumps(document.data)), []
    except ValidationError as error:
        found = list(faults_of(error, json_schema()))
    further = (*inconsistencies(_understood(document.data)), *_hidden(document.data, found))
    places = {(fault.where, fault.code) for fault in found}
    return None, found + [fault for fault in further if (fault.where, fault.code) not in places]


def _understood(data: dict[str, Any]) -> dict[str, Any]:
    """The data with every section that is sound by itself completed by its defaults, the others as they are."""
    understood = dict(data)
    for key, alone in _sections().items():
        with suppress(ValidationError):
            given = {key: data[key]} if key in data else {}
            understood |= full(alone.model_validate_json(json.dumps(given)))
    return understood


@cache
def _sections() -> dict[str, type[Section]]:
    """For each section, by its key, a model that holds nothing else."""
    return {
        field.alias or name: create_model("Alone", __base__=Section, **{name: (field.annotation, field)})  # type: ignore[call-overload]
        for name, field in Protocol.model_fields.items()
    }


def _hidden(data: dict[str, Any], found: list[Fault]) -> Iterator[Fault]:
    """Faults of single keys that other faults of the same section keep from being looked at."""
    for section, kind in _VALUES.items():
        given = data.get(section)
        if not isinstance(given, dict):
            continue
        touched = {key for key in given if _touched(joined(section, key), found)}
        sound = {key: value for key, value in given.items() if key not in touched}
        emptied: dict[str, object] = {key: [] for key in touched if isinstance(given[key], list)}
        try:
            completed(sound | emptied, kind)
        except InvalidValueError as error:
            for fault in error.faults:
                if fault.code in _OF_ONE_KEY and fault.where not in touched:
                    yield Fault(joined(section, fault.where), fault.code, fault.message)


def _touched(place: str, found: list[Fault]) -> bool:
    return any(fault.where == place or fault.where.startswith((f"{place}.", f"{place}[")) for fault in found)


def _of_document(fault: DocumentFault, source: str) -> ProtocolFault:
    return _placed(source, fault.mark.line, fault.mark.column, Fault(fault.key, fault.code, fault.message))


def _of_protocol(fault: Fault, document: Document, source: str) -> ProtocolFault:
    mark = document.mark_of(fault.where)
    return _placed(source, mark.line, mark.column, fault)


def _placed(source: str, line: int, column: int, fault: Fault) -> ProtocolFault:
    where = f"{source}:{line}:{column}" + (f": {fault.where}" if fault.where else "")
    return ProtocolFault(where, fault.code, fault.message, line, column, fault.where)


def _counted(count: int) -> str:
    return "1 fault" if count == 1 else f"{count} faults"
