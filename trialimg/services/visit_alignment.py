"""Where a place of one visit lies in another: the body's alignment, computed at ingest and kept like the images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import canonical_json, digest_of
from trialimg.core.errors import IntakeError
from trialimg.core.prompts import PointLps
from trialimg.imaging import register
from trialimg.imaging.register import Alignment
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Records
from trialimg.services.ports import BlobStore, Progress
from trialimg.services.reading_file import CASE
from trialimg.services.records import Place
from trialimg.services.viewing import KeptSeries

__all__ = ["VisitAlignments", "slice_offset_mm"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VisitAlignments:
    """The alignment of every later visit's series to baseline's, under the series' names.

    Notes
    -----
    A viewer that scrolls two visits together asks `between` and takes a baseline slice's centre through
    ``Alignment.apply``; where it answers None, or with a ``reason`` against trust, it keeps to the scanner's height.
    """

    series: KeptSeries
    store: BlobStore

    def align_cases(self, records: Records, place: Place, *, progress: Progress | None = None) -> int:
        """Align the kept series of a case, or of every case of a trial, that are not aligned yet; how many pairs were.

        Raises
        ------
        IntegrityError
            If slices of a kept series are missing.
        """
        with records.store.reading() as transaction:
            found = transaction.find(CASE, place)
            cases = [case.body for case in found if not isinstance(case.content, Redacted)]
        pairs = [pair for case in cases for pair in self.pairs(case) if self.between(*pair) is None]
        for number, pair in enumerate(pairs, start=1):
            self.align(*pair)
            if progress:
                progress("alignments", number, len(pairs))
        return len(pairs)

    def align(self, baseline: str, follow: str) -> Alignment:
        """The map from points of baseline's series to those of a later one; computed once.

        Raises
        ------
        IntakeError
            If one of them is not kept.
        """
        known = self.between(baseline, follow)
        if known is not None:
            return known
        volumes = [self.series.volume(uid) for uid in (baseline, follow)]
        if volumes[0] is None or volumes[1] is None:
            raise IntakeError("the images of these visits are not here; ask for them to be ingested again")
        found = register.register_body(volumes[0], volumes[1], affine=True)
        self.store.put(_key(baseline, follow), canonical_json(found))
        return found

    def between(self, baseline: str, follow: str) -> Alignment | None:
        """The kept map from points of baseline's series to those of a later one; None if they were not aligned."""
        data = self.store.get(_key(baseline, follow))
        return None if data is None else Alignment.from_dict(json.loads(data))

    def trusted(self, baseline: str, follow: str) -> Alignment | None:
        """The same, where nothing speaks against it."""
        found = self.between(baseline, follow)
        return found if found is not None and not found.reason else None

    def pairs(self, case: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Of a case's record: each later series that is kept, after the baseline series of its modality."""
        visits = [[uid for uid in one["series"] if self.series.has(uid)] for one in case["timepoints"]]
        baseline = {self._modality(uid): uid for uid in reversed(visits[0] if visits else [])}
        later = [(baseline.get(self._modality(uid)), uid) for visit in visits[1:] for uid in visit]
        return [(first, uid) for first, uid in later if first is not None]

    def _modality(self, uid: str) -> str:
        return str((self.series.geometry(uid) or {}).get("modality", ""))


def slice_offset_mm(alignment: Alignment, point_lps_mm: PointLps, normal: PointLps = (0.0, 0.0, 1.0)) -> float:
    """How far along the slices' normal the counterpart of a baseline point lies from the same height.

    Parameters
    ----------
    alignment
        From baseline to the later visit.
    point_lps_mm
        Point of baseline, as the middle of the slice that is shown.
    normal
        Unit vector across the later visit's slices.
    """
    moved: FloatArray = np.subtract(alignment.apply(point_lps_mm), point_lps_mm)
    return float(moved @ np.asarray(normal))


def _key(baseline: str, follow: str) -> str:
    return digest_of({"visit alignment": [baseline, follow], "version": register.VERSION})
