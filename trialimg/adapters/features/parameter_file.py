"""pyradiomics parameter files, read as our own settings: what they do not name keeps its default, nothing is ignored.

References
----------
pyradiomics documentation, "Customizing the extraction: parameter file".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from trialimg.core.errors import Fault, InvalidValueError, ProtocolError
from trialimg.protocol.settings import completed
from trialimg.radiomics.settings import RadiomicsSettings, setting_names

__all__ = ["read_parameter_file", "settings_of"]

_SECTIONS = ("setting", "imageType", "featureClass")
_WITHOUT_EFFECT = ("additionalInfo",)
"""Only diagnostics of pyradiomics rest on it; no feature does."""
_OWN_OF_FILTER = {
    "LoG": ("sigma",),
    "Wavelet": ("wavelet", "start_level", "level"),
    "Gradient": ("gradientUseSpacing",),
    "LBP2D": ("lbp2DRadius", "lbp2DSamples", "lbp2DMethod"),
    "LBP3D": ("lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision"),
}
"""Settings that only one filter looks at: set there, they are set."""


def read_parameter_file(path: Path) -> RadiomicsSettings:
    """The settings of a YAML or JSON file with the sections ``setting``, ``imageType`` and ``featureClass``.

    Raises
    ------
    ProtocolError
        If there is no such file, it cannot be parsed, or with every key and value that does not fit.
    """
    try:
        parameters = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise ProtocolError(f"{path}: cannot be read ({getattr(fault, 'strerror', None) or 'not text'})") from fault
    except yaml.YAMLError as fault:
        raise ProtocolError(f"{path}: neither YAML nor JSON ({' '.join(str(fault).split())})") from fault
    try:
        return settings_of(parameters)
    except InvalidValueError as refusal:
        raise ProtocolError(f"{path}: {refusal}") from refusal


def settings_of(parameters: object) -> RadiomicsSettings:
    """The settings that pyradiomics parameters mean.

    Raises
    ------
    InvalidValueError
        Naming every key that is unknown and every value that does not fit.
    """
    if not isinstance(parameters, Mapping):
        raise InvalidValueError(Fault("", "wrong_type", f"must be a mapping of {', '.join(_SECTIONS)}"))
    reading = _Reading()
    for section, content in parameters.items():
        reading.read(section, content)
    if reading.faults:
        raise InvalidValueError(*reading.faults)
    try:
        settings: RadiomicsSettings = completed(reading.values, RadiomicsSettings)
    except InvalidValueError as refusal:
        theirs = {ours: name for name, ours in setting_names().items()}
        raise InvalidValueError(
            *(replace(fault, where=theirs.get(fault.where, fault.where)) for fault in refusal.faults)
        ) from None
    return settings


@dataclass
class _Reading:
    """Our settings by name as far as they are read, and what could not be."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def read(self, section: object, content: object) -> None:
        """One section of the file."""
        readers = {"setting": self._settings, "imageType": self._image_types, "featureClass": self._classes}
        if section not in readers:
            self._unknown(str(section), f"sections are {', '.join(_SECTIONS)}")
        else:
            readers[str(section)](self._mapping(str(section), content))

    def _settings(self, content: Mapping[Any, Any]) -> None:
        for name, value in content.items():
            if name not in _WITHOUT_EFFECT:
                self._setting("setting", name, value)
        if content.get("binCount") is not None and "binWidth" not in content:
            self.values["bin_width"] = None  # the one replaces the other

    def _setting(self, where: str, name: object, value: object) -> None:
        ours = setting_names().get(str(name))
        if ours is None:
            self._unknown(f"{where}.{name}", "it is none of pyradiomics' settings of a region")
        else:
            self.values[ours] = value

    def _image_types(self, content: Mapping[Any, Any]) -> None:
        self.values["image_types"] = [str(kind) for kind in content]
        widths = self.values.setdefault("bin_width_by_image_type", {})
        for kind, own in content.items():
            taken = _OWN_OF_FILTER.get(str(kind), ())
            for name, value in self._mapping(f"imageType.{kind}", own).items():
                if name == "binWidth":
                    widths[str(kind)] = value
                elif name in taken:
                    self._setting(f"imageType.{kind}", name, value)
                else:
                    known = ", ".join(("binWidth", *taken))
                    self._unknown(f"imageType.{kind}.{name}", f"of this image type can be set: {known}")

    def _classes(self, content: Mapping[Any, Any]) -> None:
        known = _feature_names()
        self.values["feature_classes"] = [str(family) for family in content]
        some = any(content.values())
        chosen = []
        for family, names in content.items():
            if family not in known:
                self._unknown(f"featureClass.{family}", f"classes are {', '.join(known)}")
                continue
            if names is not None and not isinstance(names, list):
                self.faults.append(
                    Fault(f"featureClass.{family}", "wrong_type", "must be a list of features or nothing")
                )
                continue
            for name in names or (known[family] if some else ()):
                if name not in known[family]:
                    self._unknown(f"featureClass.{family}.{name}", f"{family} has no such feature")
                chosen.append(f"{family}_{name}")
        self.values["features"] = chosen

    def _mapping(self, where: str, content: object) -> Mapping[Any, Any]:
        """The content, or nothing where it is none."""
        if content is None or isinstance(content, Mapping):
            return content or {}
        self.faults.append(Fault(where, "wrong_type", "must be a mapping"))
        return {}

    def _unknown(self, where: str, message: str) -> None:
        self.faults.append(Fault(where, "unknown_key", message))


def _feature_names() -> dict[str, tuple[str, ...]]:
    """Every feature of every class that is not deprecated."""
    from radiomics import getFeatureClasses

    return {
        family: tuple(sorted(name for name, deprecated in kind.getFeatureNames().items() if not deprecated))
        for family, kind in sorted(getFeatureClasses().items())
    }
