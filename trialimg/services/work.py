"""Work done once: every stage's answer is kept under the digest of all that it depends on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trialimg.core.digest import canonical_json, digest_of
from trialimg.services.ports import BlobStore

__all__ = ["Stage", "Tally", "Workbench"]


@dataclass(frozen=True)
class Stage:
    """One arrow of the pipeline; its version changes whenever the same input may give another answer."""

    name: str
    version: str


@dataclass
class Tally:
    """How much of each stage was computed and how much was found done."""

    computed: dict[str, int] = field(default_factory=dict)
    reused: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        for mine, theirs in ((self.computed, other.computed), (self.reused, other.reused)):
            for stage, count in theirs.items():
                mine[stage] = mine.get(stage, 0) + count


@dataclass(frozen=True)
class Workbench:
    """Looks an answer up before it computes it."""

    store: BlobStore
    tally: Tally = field(default_factory=Tally)

    def once(self, stage: Stage, inputs: Mapping[str, object], compute: Callable[[], bytes]) -> bytes:
        """The stage's answer as bytes: from the store, or computed now and kept.

        Parameters
        ----------
        inputs
            Everything the answer depends on: digests of inputs, every parameter with its defaults, the model digest.
        """
        key = digest_of({"stage": stage.name, "version": stage.version, **inputs})
        known = self.store.get(key)
        counts = self.tally.computed if known is None else self.tally.reused
        counts[stage.name] = counts.get(stage.name, 0) + 1
        if known is not None:
            return known
        answer = compute()
        self.store.put(key, answer)
        return answer

    def once_json(self, stage: Stage, inputs: Mapping[str, object], compute: Callable[[], object]) -> Any:
        """As `once`, for an answer of JSON types."""
        return json.loads(self.once(stage, inputs, lambda: canonical_json(compute())))
