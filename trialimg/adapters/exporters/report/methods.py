"""Every setting in force, under the heading it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trialimg.services.results import TrialResult

__all__ = ["SettingsBlock", "methods_of"]

_HEADINGS = {
    "schedule": "Schedule of visits",
    "acquisition": "Images accepted",
    "deidentification": "De-identification",
    "segmentation": "Segmentation",
    "measurement": "Measurement",
    "tracking": "Following lesions",
    "response": "Response criterion",
    "endpoints": "Endpoints",
    "statistics": "Statistics",
    "radiomics": "Radiomics",
    "reading": "Reading design",
    "tables": "Tumour tables made by others",
}
_SAID_ELSEWHERE = ("schema", "trial", "exports")
_NOT_PRINTED = ("price_plan",)
_USED = {"segmenter": "Segmenter as it ran", "features": "Feature extractor as it ran"}


@dataclass(frozen=True)
class SettingsBlock:
    """The settings of one part of the work."""

    heading: str
    settings: tuple[tuple[str, str], ...]


def methods_of(result: TrialResult) -> tuple[SettingsBlock, ...]:
    """The protocol with every default, then what the segmenter and the extractor report of themselves.

    Commercial terms are left out; all else is printed.
    """
    protocol = result.protocol
    named = [key for key in _HEADINGS if key in protocol]
    other = [key for key in protocol if key not in (*_HEADINGS, *_SAID_ELSEWHERE, *_NOT_PRINTED)]
    blocks = [block for key in named for block in _blocks(_HEADINGS[key], protocol[key])]
    if other:
        rest = tuple(pair for key in other for pair in _flat(protocol[key], key))
        blocks.append(SettingsBlock("Further settings", rest))
    used = result.provenance.parameters
    blocks += [SettingsBlock(_USED[key], tuple(_flat(used[key]))) for key in _USED if key in used]
    return tuple(block for block in blocks if block.settings)


def _blocks(heading: str, section: object) -> Iterator[SettingsBlock]:
    """One block, or one for each item of a list of rules."""
    if not isinstance(section, list | tuple):
        yield SettingsBlock(heading, tuple(_flat(section)))
        return
    for place, item in enumerate(section, start=1):
        number = f" ({place} of {len(section)})" if len(section) > 1 else ""
        yield SettingsBlock(heading + number, tuple(_flat(item)))


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of a tree of settings, each with its path; a list of plain values is one leaf."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for place, item in enumerate(value, start=1):
            yield from _flat(item, f"{name}[{place}]")
    else:
        yield name or "setting", _shown(value)


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return "none"
    return str(value) if value != "" else "blank"
