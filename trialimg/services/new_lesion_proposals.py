"""Where a later visit shows what baseline does not: looked for at ingest, kept with the case, counted by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trialimg.core.access import Action
from trialimg.imaging import new_lesions
from trialimg.imaging.new_lesions import Candidate, CandidateSettings, new_lesion_candidates
from trialimg.imaging.register import Alignment
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Records
from trialimg.services.people_credentials import SOFTWARE
from trialimg.services.ports import Progress
from trialimg.services.reading_file import CASE, DEVICE_SEAT, load_case
from trialimg.services.records import Place, RecordVersion
from trialimg.services.visit_alignment import VisitAlignments

__all__ = ["CANDIDATES", "propose_new_lesions"]

CANDIDATES = "new_lesion_candidates"
"""Kind of a record; its id is ``case/timepoint``."""

_BY = f"trialimg.new_lesions@{new_lesions.VERSION}"
_SETTINGS = CandidateSettings(most=20)
"""Known lesions stand out as well; each reader's own are left out only when they look."""


@dataclass(frozen=True)
class _Visit:
    """One later visit of a case, and its series that are aligned with baseline."""

    case: RecordVersion
    step: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return f"{self.case.id}/{self.step}"


def propose_new_lesions(
    records: Records, place: Place, alignments: VisitAlignments, *, progress: Progress | None = None
) -> int:
    """Look for new lesions in a case, or in every case of a trial, where nobody looked yet; in how many visits.

    A trial whose protocol shows readers no candidates has none; a series without a trusted alignment has none either.

    Raises
    ------
    IntegrityError
        If slices of a kept series are missing.
    """
    with records.store.reading() as transaction:
        cases = [one for one in transaction.find(CASE, place) if not isinstance(one.content, Redacted)]
        wanted = [one for one in cases if load_case(transaction, one.id).protocol.reading.shows_candidates]
        visits = [visit for case in wanted for visit in _visits(case, alignments)]
        visits = [one for one in visits if not _is_done(transaction.current(CANDIDATES, one.key), one)]
    for number, visit in enumerate(visits, start=1):
        found = [one for pair in visit.pairs for one in _looked_for(alignments, *pair)]
        _keep(records, visit, sorted(found, key=lambda one: -float(one["score"])))
        if progress:
            progress("new lesions", number, len(visits))
    return len(visits)


def _visits(case: RecordVersion, alignments: VisitAlignments) -> Iterator[_Visit]:
    """The visits of a case of which some series is aligned with baseline."""
    pairs = alignments.pairs(case.body)
    for one in case.body["timepoints"]:
        own = tuple(pair for pair in pairs if pair[1] in one["series"] and alignments.between(*pair) is not None)
        if own:
            yield _Visit(case, str(one["id"]), own)


def _is_done(kept: RecordVersion | None, visit: _Visit) -> bool:
    """The same pairs were looked at, by the search as it is now: scores of another one cannot be compared."""
    if kept is None or kept.body["proposed_by"] != _BY:
        return False
    return {tuple(pair) for pair in kept.body["looked_at"]} == {*visit.pairs}


def _looked_for(alignments: VisitAlignments, baseline: str, follow: str) -> list[dict[str, Any]]:
    """What one later series shows and baseline's does not."""
    alignment = alignments.between(baseline, follow)
    if alignment is None or alignment.reason:
        return []
    before, now = (alignments.series.volume(uid) for uid in (baseline, follow))
    if before is None or now is None:
        return []
    found = new_lesion_candidates(now, before, _inverted(alignment), (), settings=_SETTINGS)
    return [_facts(one, baseline, follow) for one in found]


def _inverted(alignment: Alignment) -> Alignment:
    """From the later scan to baseline."""
    back = np.linalg.inv(np.reshape(alignment.matrix, (3, 3)))
    x, y, z = (-back @ np.asarray(alignment.translation_mm)).tolist()
    return Alignment(tuple(back.ravel().tolist()), (x, y, z), alignment.similarity, alignment.reason)


def _facts(one: Candidate, baseline: str, follow: str) -> dict[str, Any]:
    """A candidate as it stands in a record, which holds numbers as text."""
    return {
        "series_uid": follow,
        "baseline_uid": baseline,
        "centre_lps_mm": [f"{coordinate:.2f}" for coordinate in one.centre_lps_mm],
        "score": f"{one.score:.4f}",
        "diameter_mm": f"{one.diameter_mm:.2f}",
        "contrast_sds": f"{one.contrast_sds:.2f}",
        "compactness": f"{one.compactness:.3f}",
        "is_brighter": one.is_brighter,
    }


def _keep(records: Records, visit: _Visit, found: Sequence[Mapping[str, Any]]) -> None:
    body = {
        "timepoint": visit.step,
        "proposed_by": _BY,
        "looked_at": [list(pair) for pair in visit.pairs],
        "candidates": [{"name": f"C{number:02d}", **one} for number, one in enumerate(found, start=1)],
    }
    trial = visit.case.place.trial
    with records.change(SOFTWARE, Action.PROPOSE_READ, trial=trial) as journal:
        where = Place(trial, visit.case.id, person=DEVICE_SEAT, state="proposed")
        journal.write(CANDIDATES, visit.key, body, action="propose_new_lesions", place=where)
