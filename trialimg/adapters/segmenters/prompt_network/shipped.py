"""Weights on disk: one safetensors file and the card that says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg.core.digest import digest_of
from trialimg.core.errors import ModelError
from trialimg.core.experience import Experience
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt

__all__ = ["CARD", "WEIGHTS", "Shipped", "is_weights_folder"]

CARD = "card.json"
WEIGHTS = "weights.safetensors"
_WITH_THE_SOFTWARE = Path(__file__).parent / "weights"
_LARGEST_BYTES = 200_000_000
_KINDS = {LinePrompt: "line", BidirectionalPrompt: "line+short", PointPrompt: "click", BoxPrompt: "box"}


@dataclass(frozen=True)
class Shipped:
    """A folder with weights and their card."""

    folder: Path
    digest: str
    """Of the safetensors file."""
    card: Mapping[str, Any]

    @classmethod
    def at(cls, folder: Path | None, pinned: str = "") -> Shipped:
        """The weights of a folder, or those that come with the software.

        Parameters
        ----------
        pinned
            Digest that they must have; empty: any, but always the one of their own card.

        Raises
        ------
        ModelError
            If there are none, or they are not those that the card or the pin names.
        """
        place = folder or _WITH_THE_SOFTWARE
        card = _card(place / CARD)
        digest = digest_of(_read(place / WEIGHTS))
        for expected, who in ((card.get("weights_digest"), "its card"), (pinned or digest, "the pin")):
            if digest != expected:
                raise ModelError(f"{place / WEIGHTS}: has digest {digest}; {who} says {expected}")
        return cls(place, digest, card)

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the network's levels, from fine to coarse."""
        return tuple(int(width) for width in self.card["network"]["widths"])

    @property
    def licence(self) -> str:
        """Under what licence the weights may be used; empty where their card does not say."""
        return str(self.card.get("licence", ""))

    def experience(self, prompt: Prompt) -> Experience | None:
        """How answers to this kind of prompt compared with the truth; None where the card does not say.

        Raises
        ------
        ModelError
            If what the card says of it cannot be.
        """
        said = self.card.get("experience", {}).get(_KINDS[type(prompt)])
        if said is None:
            return None
        try:
            answers, subjects, bad = (int(said[name]) for name in ("answers", "subjects", "bad"))
            axis, volume = ((float(said[name][0]), float(said[name][1])) for name in ("long_axis", "volume"))
            return Experience(answers, subjects, bad, float(said["share"]), axis, volume)
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            raise ModelError(f"{self.folder / CARD}: what it says of earlier answers cannot be ({fault!r})") from fault

    def bytes(self) -> bytes:
        """The safetensors file.

        Raises
        ------
        ModelError
            If it was altered since it was opened.
        """
        data = _read(self.folder / WEIGHTS)
        if digest_of(data) != self.digest:
            raise ModelError(f"{self.folder / WEIGHTS}: was altered since it was opened")
        return data


def is_weights_folder(folder: Path) -> bool:
    """Whether a folder holds weights of this network with their card."""
    return (folder / CARD).is_file() and (folder / WEIGHTS).is_file()


def _card(path: Path) -> Mapping[str, Any]:
    try:
        card = json.loads(_read(path))
    except ValueError as fault:
        raise ModelError(f"{path}: is no JSON document ({fault})") from fault
    widths = card.get("network", {}).get("widths") if isinstance(card, dict) else None
    if not isinstance(widths, list) or not all(type(w) is int and 0 < w <= 1024 and w % 8 == 0 for w in widths):
        raise ModelError(f"{path}: says no widths of the network, each a multiple of 8")
    found: Mapping[str, Any] = card
    return found


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelError(f"{path}: is larger than any weights of this network")
        return path.read_bytes()
    except OSError as fault:
        raise ModelError(f"{path}: cannot be read ({fault.strerror}); weights of trialimg-prompt lie there") from fault
