"""The values of the colours, on paper and on a dark screen.

Responses differ in hue and in lightness, so that no pair is alike to a colour-blind eye or in grey print; letters or
shapes stand beside every colour all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trialimg.services.figures.tones import Tone

__all__ = ["DARK", "LIGHT", "Colour", "Palette"]


@dataclass(frozen=True)
class Colour:
    """Fill of an area, edge of it (and colour of lines), letters that can be read on the fill."""

    fill: str
    edge: str
    ink: str


@dataclass(frozen=True)
class Palette:
    """Every colour of a figure on one ground."""

    ground: str
    grid: str
    tones: Mapping[Tone, Colour]

    def __getitem__(self, tone: Tone) -> Colour:
        return self.tones[tone]


_INK, _MUTED, _AXIS, _WHITE = "#1b2430", "#566270", "#8c98a5", "#ffffff"


def _plain(colour: str, ink: str = _WHITE) -> Colour:
    return Colour(colour, colour, ink)


LIGHT = Palette(
    _WHITE,
    "#e4e8ed",
    MappingProxyType(
        {
            Tone.COMPLETE: _plain("#08306b"),
            Tone.PARTIAL: Colour("#5aa9dc", "#2f7fb4", _INK),
            Tone.MINOR: Colour("#bfe0f5", "#2f7fb4", _INK),
            Tone.STABLE: Colour("#f3d469", "#a07d14", _INK),
            Tone.NEITHER: Colour("#e9e2c8", "#7a6f3f", _INK),
            Tone.WAITING: Colour("#ee9f8e", "#b5303a", _INK),
            Tone.PROGRESSION: Colour("#b5303a", "#8d1f29", _WHITE),
            Tone.NOT_EVALUABLE: Colour(_WHITE, _AXIS, _MUTED),
            Tone.NO_DISEASE: Colour("#d7eadb", "#5d8f6a", _INK),
            Tone.UNKNOWN: Colour("#d9d0e4", "#7b4f9d", _INK),
            Tone.FIRST: _plain("#20476e"),
            Tone.SECOND: _plain("#d97512", _INK),
            Tone.THIRD: _plain("#0fb38a", _INK),
            Tone.FOURTH: _plain("#523314"),
            Tone.FIFTH: _plain("#b02ade"),
            Tone.SIXTH: _plain("#4c0b8e"),
            Tone.ACCENT: Colour("#eef1f5", "#20476e", _INK),
            Tone.INK: _plain(_INK),
            Tone.MUTED: _plain(_MUTED),
            Tone.AXIS: _plain(_AXIS, _INK),
            Tone.LANE: Colour("#cdd6e0", "#cdd6e0", _INK),
        }
    ),
)

_PALE, _NIGHT = "#e6e9ed", "#12161c"

DARK = Palette(
    "#0e1117",
    "#2a313b",
    MappingProxyType(
        {
            Tone.COMPLETE: Colour("#3d7fe0", "#6ea2f0", _NIGHT),
            Tone.PARTIAL: Colour("#a9d8f8", "#a9d8f8", _NIGHT),
            Tone.MINOR: Colour("#d5edfc", "#d5edfc", _NIGHT),
            Tone.STABLE: Colour("#f3d469", "#f3d469", _NIGHT),
            Tone.NEITHER: Colour("#cdbf8a", "#cdbf8a", _NIGHT),
            Tone.WAITING: Colour("#f4b9ac", "#f4b9ac", _NIGHT),
            Tone.PROGRESSION: Colour("#ea5f6b", "#ea5f6b", _NIGHT),
            Tone.NOT_EVALUABLE: Colour("#12161c", "#9aa5b1", _PALE),
            Tone.NO_DISEASE: Colour("#9fd0ab", "#9fd0ab", _NIGHT),
            Tone.UNKNOWN: Colour("#b99bd0", "#b99bd0", _NIGHT),
            Tone.FIRST: _plain("#6aa9e6", _NIGHT),
            Tone.SECOND: _plain("#f48c25", _NIGHT),
            Tone.THIRD: _plain("#f2e5c0", _NIGHT),
            Tone.FOURTH: _plain("#f42559", _NIGHT),
            Tone.FIFTH: _plain("#a655f6", _NIGHT),
            Tone.SIXTH: _plain("#c0e5f2", _NIGHT),
            Tone.ACCENT: Colour("#1d2530", "#6aa9e6", _PALE),
            Tone.INK: _plain(_PALE, _NIGHT),
            Tone.MUTED: _plain("#9aa5b1", _NIGHT),
            Tone.AXIS: _plain("#5b6673", _PALE),
            Tone.LANE: Colour("#3a4552", "#3a4552", _PALE),
        }
    ),
)
