"""The imaging charter of a trial: what its protocol settles about images and reads, in words, with its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

from pydantic import create_model

from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import full
from trialimg.protocol.schema import json_schema
from trialimg.protocol.section import Section
from trialimg.services.differences import leaves
from trialimg.services.records import RecordVersion

__all__ = ["Charter", "CharterSection", "CharterVersion", "Setting", "charter_of", "charter_of_text"]

_SECTIONS = (
    ("schedule", "Imaging schedule"),
    ("acquisition", "Acquisition standard"),
    ("deidentification", "De-identification"),
    ("segmentation", "Segmentation"),
    ("measurement", "Measurement"),
    ("tracking", "Following lesions"),
    ("response", "Response criterion"),
    ("reading", "Blinded reading and adjudication"),
    ("endpoints", "Endpoints"),
    ("statistics", "Statistics"),
    ("tables", "Tumour tables made by others"),
    ("oversight", "Oversight of readers and records"),
    ("radiomics", "Radiomic features"),
)
"""Sections of a protocol that a charter has, in its order; prices and file formats are none of its business."""


@dataclass(frozen=True)
class Setting:
    """One thing that is settled."""

    key: str
    value: str
    meaning: str
    """What it settles; empty where the criterion's own page says it."""


@dataclass(frozen=True)
class CharterSection:
    """What belongs together."""

    key: str
    """Of the protocol file."""
    title: str
    meaning: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class CharterVersion:
    """One version of the protocol that the charter is made from."""

    version: str
    effective: str
    author: str
    reason: str
    digest: str
    after_first_read: bool
    reopens: tuple[str, ...]
    changes: tuple[tuple[str, str | None, str | None], ...]


@dataclass(frozen=True)
class Charter:
    """The charter as it stands, and every version before it."""

    trial: str
    title: str
    version: str
    sponsor: str
    indication: str
    arms: tuple[str, ...]
    sites: tuple[str, ...]
    digest: str
    sections: tuple[CharterSection, ...]
    history: tuple[CharterVersion, ...]
    """Oldest first; empty for a protocol that was not put in force."""


def charter_of(versions: Sequence[RecordVersion]) -> Charter:
    """The charter by the last of a trial's protocol versions."""
    return charter_of_text(versions[-1].body["text"], history=tuple(_version(one.body) for one in versions))


def charter_of_text(text: str, *, history: tuple[CharterVersion, ...] = ()) -> Charter:
    """The charter that a protocol file makes.

    Raises
    ------
    ProtocolError
        If the protocol cannot be followed.
    """
    protocol = read_protocol(text)
    trial, everything = protocol.trial, full(protocol)
    words = _words_of(protocol.response.rules, "response.rules")
    words |= _words_of(protocol.endpoints.settings, "endpoints.settings")
    sections = tuple(_section(key, title, everything[key], words) for key, title in _SECTIONS)
    return Charter(
        trial.id, trial.title, trial.version, trial.sponsor, trial.indication, protocol.arms, protocol.sites,
        protocol.digest, sections, history,
    )  # fmt: skip


def _section(key: str, title: str, value: object, words: Mapping[str, str]) -> CharterSection:
    settings = tuple(
        Setting(path.removeprefix(f"{key}.").removeprefix(key), text, words.get(path) or _meaning(path))
        for path, text in leaves({key: _joined(value)}).items()
    )
    return CharterSection(key, title, _meaning(key), settings)


def _joined(value: object) -> object:
    """The value with every list of single values as one text."""
    if isinstance(value, Mapping):
        return {key: _joined(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if value and not any(isinstance(item, Mapping | list) for item in value):
        return ", ".join(map(str, value))
    return [_joined(item) for item in value]


def _words_of(settings: object, prefix: str) -> dict[str, str]:
    """What each field of named settings means, by its path in the protocol."""
    if not is_dataclass(settings):
        return {}
    holder = create_model("Holder", __base__=Section, held=(type(settings), ...)).model_json_schema()
    described = holder["$defs"][type(settings).__name__]["properties"]
    return {f"{prefix}.{key}": " ".join(about.get("description", "").split()) for key, about in described.items()}


def _version(body: Mapping[str, Any]) -> CharterVersion:
    return CharterVersion(
        body["version"], body["effective"], body["author"], body["reason"], body["digest"],
        body["after_first_read"], tuple(body["reopens"]), tuple((k, b, a) for k, b, a in body["changes"]),
    )  # fmt: skip


def _meaning(path: str) -> str:
    """What the schema says of a setting; empty where it stops being described."""
    here: Mapping[str, Any] = json_schema()
    described = ""
    for word in path.replace("]", "").replace("[", ".").split("."):
        found = _within(here, word)
        if found is None:
            return described if word.isdigit() else ""
        here = found
        described = here.get("description", "") or described
    return _described(here) or described


def _within(schema: Mapping[str, Any], word: str) -> Mapping[str, Any] | None:
    for option in _options(schema):
        if word.isdigit() and isinstance(option.get("items"), Mapping):
            found: Mapping[str, Any] = option["items"]
            return found
        if word in option.get("properties", {}):
            inner: Mapping[str, Any] = option["properties"][word]
            return inner
    return None


def _options(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema itself and everything it refers to or lets in."""
    yield schema
    if "$ref" in schema:
        yield from _options(json_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    for option in schema.get("anyOf", ()):
        yield from _options(option)


def _described(schema: Mapping[str, Any]) -> str:
    return next((str(option["description"]) for option in _options(schema) if option.get("description")), "")
