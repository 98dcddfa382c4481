"""How figures look: colours that differ in hue and in lightness, a marker and a line style for each arm."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ACCENT",
    "ARMS",
    "AXIS",
    "FONT",
    "GRID",
    "INK",
    "MUTED",
    "PALE",
    "ArmLook",
    "ResponseLook",
    "arm_look",
    "look_of",
]

FONT = "'Report Sans', 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"
INK = "#1b2430"
MUTED = "#566270"
AXIS = "#8c98a5"
GRID = "#e4e8ed"
PALE = "#eef1f5"
ACCENT = "#20476e"


@dataclass(frozen=True)
class ResponseLook:
    """Colours of one response; its letters always stand beside them."""

    fill: str
    ink: str
    edge: str
    letters: str


@dataclass(frozen=True)
class ArmLook:
    """What tells one arm from another without colour: marker and dashes."""

    colour: str
    marker: str
    dashes: str


_RESPONSES = {  # lightness L* from dark to light: CR 20, PD 42, PR 66, SD 85, NE 100
    "CR": ResponseLook("#08306b", "#ffffff", "#08306b", "CR"),
    "PR": ResponseLook("#5aa9dc", INK, "#2f7fb4", "PR"),
    "SD": ResponseLook("#f3d469", INK, "#b8942a", "SD"),
    "NON-CR/NON-PD": ResponseLook("#e9e2c8", INK, "#b8942a", "NN"),
    "PD": ResponseLook("#b5303a", "#ffffff", "#8d1f29", "PD"),
    "NE": ResponseLook("#ffffff", MUTED, "#8c98a5", "NE"),
    "NED": ResponseLook("#d7eadb", INK, "#5d8f6a", "ND"),
}
_UNKNOWN = ResponseLook("#ffffff", MUTED, "#8c98a5", "\N{EN DASH}")

ARMS = (
    ArmLook("#20476e", "circle", ""),
    ArmLook("#c0651a", "triangle", "6 3"),
    ArmLook("#3f7d55", "square", "2 2.5"),
    ArmLook("#7b4f9d", "diamond", "9 3 2 3"),
)


def look_of(response: str) -> ResponseLook:
    """Colours and letters of a response word; white with a dash for none."""
    return _RESPONSES.get(response, _UNKNOWN)


def arm_look(place: int) -> ArmLook:
    """Look of the arm at a place in the list; it repeats after the fourth."""
    return ARMS[place % len(ARMS)]
