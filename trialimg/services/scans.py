"""A series as the pipeline uses it: known by its digest, decoded only when something must be computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, IntakeError
from trialimg.services.images import SeriesRecord
from trialimg.services.ports import ImageSource
from trialimg.services.work import Stage, Workbench
from trialimg.volume import Geometry, Volume

__all__ = ["Scan", "comparable"]

_SCAN = Stage("scan", "1")


class Scan:
    """One image series of one subject."""

    def __init__(self, record: SeriesRecord, root: Path, source: ImageSource, bench: Workbench) -> None:
        self.record = record
        self._root = root
        self._source = source
        self._bench = bench
        self.digest = digest_of([file.digest for file in record.files])

    @cached_property
    def volume(self) -> Volume:
        """The voxels.

        Raises
        ------
        IntakeError
            If the series is not one whole regular stack.
        """
        return self._source.volume(self.record, self._root)

    @cached_property
    def _facts(self) -> Any:
        return self._bench.once_json(_SCAN, {"series": self.digest}, self._decode)

    def _decode(self) -> object:
        try:
            return {"geometry": self.volume.geometry.as_dict(), "unit": self.volume.unit}
        except IntakeError as refusal:
            faults = refusal.faults or (Fault(self.record.series_uid, "unreadable", str(refusal)),)
            return {"faults": [{"code": fault.code, "message": fault.message} for fault in faults]}

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why the series cannot be used; empty if it can."""
        where = f"series {self.record.series_uid}"
        return tuple(Fault(where, item["code"], item["message"]) for item in self._facts.get("faults", ()))

    @property
    def geometry(self) -> Geometry:
        """The grid of a usable series."""
        facts = self._facts["geometry"]
        size, spacing, origin = (tuple(facts[name]) for name in ("size", "spacing_mm", "origin_lps_mm"))
        return Geometry(size, spacing, origin, tuple(facts["direction"]))

    def release(self) -> None:
        """Forget the voxels; they are read again if they are needed."""
        self.__dict__.pop("volume", None)


def comparable(earlier: Scan, candidates: Sequence[Scan]) -> Scan | None:
    """The scan of a later visit that continues an earlier one: same modality, usable, and most alike; None if none."""

    def unlikeness(scan: Scan) -> tuple[object, ...]:
        mine, theirs = earlier.record, scan.record
        pair = (mine.slice_thickness_mm, theirs.slice_thickness_mm)
        difference_mm = math.inf if pair[0] is None or pair[1] is None else abs(pair[0] - pair[1])
        return (
            bool(scan.faults),
            mine.description != theirs.description,
            mine.kernel != theirs.kernel,
            difference_mm,
            theirs.series_uid,
        )

    alike = [scan for scan in candidates if scan.record.modality == earlier.record.modality]
    return min(alike, key=unlikeness, default=None)
