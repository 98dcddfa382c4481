"""The images of cases as readers get them: encoded at ingest, named anew for each reader, shown by right only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import TrialimgError
from trialimg.core.reading import Seat
from trialimg.ledger.sealed import Sealed
from trialimg.services.authority import SESSION, refusal
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import ImageSource, Progress, Transaction
from trialimg.services.reading import case_view
from trialimg.services.reading_desk import held
from trialimg.services.reading_file import ASSIGNMENT, CASE, load_case
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.viewing import KeptSeries, encode

__all__ = ["CaseImages", "Looking", "ShownSeries", "uptake_over"]

_NAME_LENGTH = 24
_ACTIONS = {Role.RADIOLOGIST: Action.READ, Role.ADJUDICATOR: Action.ADJUDICATE}


@dataclass(frozen=True)
class Looking:
    """Who looks at which case of their worklist."""

    user: str
    session: str
    """Sign-in; when it ends, so does the sight of the images."""
    trial: str
    alias: str
    """The reader's own name of the case."""


@dataclass(frozen=True)
class ShownSeries:
    """One series of a case, as one reader may see it now."""

    name: str
    """What the reader's browser asks by; another one for another reader, and for a repeat of the same case."""
    timepoint: str
    uid: str
    """Series Instance UID; never sent to a reader."""


@dataclass(frozen=True, eq=False)
class CaseImages:
    """Encoded series of an installation, and who may see which of them now."""

    records: Records
    kept: KeptSeries
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def encode(self, trial: str, source: ImageSource, root: Path, *, progress: Progress | None = None) -> int:
        """Encode every series of a trial's cases that is not kept yet; how many were.

        Parameters
        ----------
        root
            Folder below which the DICOM files lie.

        Raises
        ------
        IntakeError
            If the folder holds no images, or a series is not one whole stack.
        """
        with self.records.store.reading() as transaction:
            cases = [case.body for case in transaction.find(CASE, Place(trial=trial))]
        wanted = {uid for case in cases for timepoint in case["timepoints"] for uid in timepoint["series"]}
        missing = sorted(uid for uid in wanted if not self.kept.has(uid))
        if not missing:
            return 0
        found = {series.series_uid: series for series in source.index(root).series}
        there = [found[uid] for uid in missing if uid in found]
        for number, series in enumerate(there, start=1):
            encoded = encode(source.volume(series, root), frame_of_reference_uid=series.frame_of_reference_uid)
            self.kept.keep(series.series_uid, encoded)
            if progress:
                progress("images", number, len(there))
        return len(there)

    def shown(self, looking: Looking) -> tuple[ShownSeries, ...]:
        """The series that somebody may see now, with the names that their browser knows; none where they may not look.

        A timepoint that is not yet open to them has none.
        """
        with self.records.store.reading() as transaction:
            return _shown(self, transaction, looking)

    def may_view(self, looking: Looking, name: str) -> ShownSeries | None:
        """The series of a name, if it may be seen now: session open, case assigned, timepoint open."""
        with self.records.store.reading() as transaction:
            found = _decided(self, transaction.size(), looking)
        if found is None or found[1] <= self.records.now():
            return None
        return found[0].get(name)

    def note_opened(self, looking: Looking, series: ShownSeries) -> None:
        """Keep in the audit trail that a series was opened, by whom, in which case."""
        self._note("open_images", looking, series)

    def note_sent_ahead(self, looking: Looking, series: ShownSeries) -> None:
        """Keep in the audit trail that slices of a series were sent to somebody who has not opened it in this session.

        A browser fetches the first slices of the next case while the present one is read.
        """
        self._note("send_images_ahead", looking, series, unless="open_images")

    def _note(self, action: str, looking: Looking, series: ShownSeries, *, unless: str = "") -> None:
        with self.records.store.changing() as transaction:
            session = transaction.current(SESSION, looking.session)
            if session is None:
                return
            actor = _actor(session)
            assignment = held(transaction, actor, looking.trial, looking.alias)
            because = f"{series.timepoint}: series {digest_of(series.uid)}"
            if unless and _is_noted(transaction, unless, assignment, session, because):
                return
            journal = Journal(transaction, actor, self.records)
            journal.note(action, kind=ASSIGNMENT, key=assignment.id, trial=looking.trial, reason=because)

    def name(self, assignment: RecordVersion, uid: str) -> str:
        """What one reader's browser calls a series."""
        text = f"{assignment.id}\n{assignment.body['alias']}\n{uid}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:_NAME_LENGTH]


def uptake_over(kept: KeptSeries, shown: Iterable[ShownSeries], series: ShownSeries) -> ShownSeries | None:
    """The PET of the same visit that lies in the frame of reference of a CT, and so may be laid over it."""
    here = kept.geometry(series.uid) or {}
    if here.get("modality") != "CT" or not here.get("frame"):
        return None
    for one in shown:
        there = (kept.geometry(one.uid) or {}) if one.timepoint == series.timepoint else {}
        if there.get("modality") == "PT" and there.get("frame") == here["frame"]:
            return one
    return None


Decision = tuple[Mapping[str, ShownSeries], str]


@lru_cache(maxsize=256)
def _decided(images: CaseImages, _size: int, looking: Looking) -> Decision | None:
    """What may be seen, until when; asked once for each state of the ledger, since nothing changes without an entry."""
    with images.records.store.reading() as transaction:
        session = transaction.current(SESSION, looking.session)
        if session is None or session.place.state != "open" or session.place.person != looking.user:
            return None
        shown = _shown(images, transaction, looking)
        return {one.name: one for one in shown}, str(session.body["expires_at"])


def _shown(images: CaseImages, transaction: Transaction, looking: Looking) -> tuple[ShownSeries, ...]:
    session = transaction.current(SESSION, looking.session)
    if session is None or session.place.state != "open" or session.place.person != looking.user:
        return ()
    actor = _actor(session)
    action = _ACTIONS.get(actor.role)
    try:
        if action is None or refusal(transaction, actor, action, trial=looking.trial, at=images.records.now()):
            return ()
        assignment = held(transaction, actor, looking.trial, looking.alias)
        file = load_case(transaction, assignment.place.case)
    except TrialimgError:
        return ()
    if file.review.is_withdrawn:
        return ()
    timepoints = {one["id"]: one["series"] for one in file.body["timepoints"]}
    if assignment.body["seat"] != Seat.ADJUDICATOR.value:
        open_now = {one["id"] for one in case_view(transaction, file, assignment)["timepoints"]}
        timepoints = {step: series for step, series in timepoints.items() if step in open_now}
    return tuple(
        ShownSeries(images.name(assignment, uid), step, uid)
        for step, series in timepoints.items()
        for uid in series
        if images.kept.has(uid)
    )


def _is_noted(
    transaction: Transaction, action: str, assignment: RecordVersion, session: RecordVersion, because: str
) -> bool:
    """Whether something is in the audit trail of an assignment since a session began."""
    asked = EntryQuery(
        assignment.place.trial, session.place.person, action, ASSIGNMENT, assignment.id, since=session.body["opened_at"]
    )
    details = (transaction.detail(entry.sequence) for entry in transaction.entries(asked))
    return any(isinstance(one, Sealed) and because in one.content for one in details)


def _actor(session: RecordVersion) -> Actor:
    return Actor(session.place.person, Role(session.body["role"]), session.id)
