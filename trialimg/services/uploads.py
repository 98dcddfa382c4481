"""Studies are brought into a trial: begun for a subject of an active site, received file by file, handed over whole.

Until it is handed over, an upload lies in a folder apart and can be left and gone on with; the records then take it
in one step, with a receipt for every file, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import file_digest
from trialimg.core.errors import Fault, IntakeError
from trialimg.services.intake import Examined, FileExaminer, Receipt, Unpacker
from trialimg.services.journal import Records
from trialimg.services.ports import BlobStore, ImageSource, Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.trials_sites import SITE, accept_source, site_refusal
from trialimg.services.upload_folder import UploadFolder
from trialimg.services.viewing import KeptSeries

__all__ = [
    "LARGEST_FILE_BYTES",
    "UPLOAD",
    "Intake",
    "Received",
    "TakenBefore",
    "UploadOrder",
    "abandon_upload",
    "begin_upload",
    "open_uploads",
    "receive_file",
    "sites_that_send",
    "upload_of",
]

UPLOAD = "upload"
"""Kind of a record; its id is ``trial/U0001``, its state ``receiving``, ``received`` or ``abandoned``."""

LARGEST_FILE_BYTES = 4 << 30
"""Of one file as it is sent, an archive included."""
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAME_BYTES, _SAME_IMAGE, _OTHER_SUBJECT = "duplicate", "same_image_other_bytes", "other_subject"


@dataclass(frozen=True)
class TakenBefore:
    """What was taken in a trial before."""

    bytes: frozenset[str]
    images: frozenset[str]


@dataclass(frozen=True, eq=False)
class Intake:
    """Where studies come in, and what looks at them."""

    folder: Path
    """Below it lies what is under way."""
    examiner: FileExaminer
    unpack: Unpacker
    source: ImageSource
    images: KeptSeries
    """As viewers get them."""
    originals: BlobStore
    """Every file that was taken, under its digest."""
    known: dict[str, tuple[int, TakenBefore]] = field(default_factory=dict, repr=False)
    """Trial to what was taken in it before, and at which size of the ledger that was looked up."""

    def of(self, upload: RecordVersion) -> UploadFolder:
        """The folder of an upload."""
        return UploadFolder(self.folder / upload.id.replace("/", "-"))


@dataclass(frozen=True)
class UploadOrder:
    """Whose images are to be brought in."""

    trial: str
    site: str
    subject: str
    """Blinded code, as it stands in the files."""


@dataclass(frozen=True)
class Received:
    """What became of one file, for who sends it."""

    name: str
    """As they know it; kept nowhere."""
    receipt: Receipt
    faults: tuple[Fault, ...] = ()


def begin_upload(records: Records, actor: Actor, order: UploadOrder) -> RecordVersion:
    """Begin to bring in images of a subject of an active site.

    Raises
    ------
    AccessError
        If the actor may not upload for this site.
    IntakeError
        If the site is not active, or the subject's code is none.
    """
    if not _CODE.fullmatch(order.subject):
        message = "a subject is named by letters, digits, dot, dash and underscore, 64 at most"
        raise IntakeError(message, (Fault("subject", "bad_name", message),))
    accept_source(records, actor, order.trial, order.site, source=None)
    with records.change(actor, Action.UPLOAD_IMAGES, trial=order.trial, site=order.site) as journal:
        number = 1 + journal.transaction.count(UPLOAD, Place(order.trial))
        body = {"site": order.site, "subject": order.subject, "begun_by": actor.user, "begun_at": journal.at}
        place = Place(order.trial, state="receiving")
        return journal.write(UPLOAD, f"{order.trial}/U{number:04d}", body, action="begin_upload", place=place)


def receive_file(
    records: Records, actor: Actor, intake: Intake, upload: str, *, path: Path, name: str = "file"
) -> Iterator[Received]:
    """Take one file, or every file of an archive, or refuse it with the reason; the file itself is used up.

    Parameters
    ----------
    upload
        ``trial/U0001``.
    path
        In the upload's folder ``incoming``.
    name
        What the sender calls it.

    Raises
    ------
    AccessError
        If the actor may not upload for this site.
    IntakeError
        If the upload is not under way.
    """
    found = upload_of(records, actor, upload, action=Action.UPLOAD_IMAGES)
    if found.place.state != "receiving":
        raise IntakeError(f"{upload} is {found.place.state}: begin another upload")
    before = _taken_before(records, intake, found.place.trial)
    folder = intake.of(found)
    desk = _Desk(records, actor, intake.examiner, folder, str(found.body["subject"]), before)
    is_archive = False
    try:
        apart = folder.incoming / f"{path.name}.d"
        for member in intake.unpack(path, apart):
            is_archive = True
            if member.path is None:
                yield desk.refuse(member.name, member.fault)
            else:
                yield desk.judge(member.name, member.path)
        if not is_archive:
            yield desk.judge(name, path)
    except IntakeError as broken:  # an archive that cannot be taken apart is one refused file
        yield desk.refuse(name, broken.faults[0])
    finally:
        path.unlink(missing_ok=True)
        UploadFolder(folder.incoming / f"{path.name}.d").remove()


def sites_that_send(records: Records, actor: Actor, trial: str) -> tuple[str, ...]:
    """Codes of the sites from which images are taken now.

    Raises
    ------
    AccessError
        If the actor does not upload in the trial as a whole.
    """
    with records.look(actor, Action.UPLOAD_IMAGES, trial=trial) as transaction:
        sites = [one.id.partition("/")[2] for one in transaction.find(SITE, Place(trial, state="active"))]
        return tuple(one for one in sites if not site_refusal(transaction, trial, one, records.now()))


def abandon_upload(records: Records, actor: Actor, intake: Intake, upload: str, *, reason: str) -> RecordVersion:
    """Give an upload up; what had come of it is deleted.

    Raises
    ------
    IntakeError
        If it is not under way, or no reason is given.
    """
    found = upload_of(records, actor, upload, action=Action.UPLOAD_IMAGES)
    where = {"trial": found.place.trial, "site": str(found.body["site"])}
    with records.change(actor, Action.UPLOAD_IMAGES, **where) as journal:
        now = journal.transaction.current(UPLOAD, upload)
        if now is None or now.place.state != "receiving" or not reason.strip():
            raise IntakeError(f"{upload} is not under way, or no reason was given")
        place = Place(found.place.trial, state="abandoned")
        body = {**found.body, "files": len(intake.of(found).receipts())}
        kept = journal.write(UPLOAD, upload, body, action="abandon_upload", place=place, reason=reason)
    intake.of(found).remove()
    return kept


def upload_of(records: Records, actor: Actor, upload: str, *, action: Action) -> RecordVersion:
    """An upload, for somebody who may do this with it.

    Raises
    ------
    AccessError
        If the actor may not, at its site.
    IntakeError
        If there is none.
    """
    trial = upload.partition("/")[0]
    with records.store.reading() as transaction:
        found = transaction.current(UPLOAD, upload)
    site = str(found.body["site"]) if found is not None else ""
    with records.look(actor, action, trial=trial, site=site):
        if found is None:
            raise IntakeError(f"there is no upload {upload!r}")
        return found


def open_uploads(records: Records, actor: Actor, trial: str) -> tuple[RecordVersion, ...]:
    """Uploads of a trial that are under way.

    Raises
    ------
    AccessError
        If the actor does not upload in the trial as a whole.
    """
    with records.look(actor, Action.UPLOAD_IMAGES, trial=trial) as transaction:
        return tuple(transaction.find(UPLOAD, Place(trial, state="receiving")))


def _taken_before(records: Records, intake: Intake, trial: str) -> TakenBefore:
    """Asked once for each state of the ledger: uploads under way are not part of it."""
    with records.store.reading() as transaction:
        size = transaction.size()
        kept = intake.known.get(trial)
        if kept is not None and kept[0] == size:
            return kept[1]
        receipts = list(_receipts(transaction, trial))
    digests = frozenset(digest for one in receipts for digest in (one["received"], one["kept"]))
    found = TakenBefore(digests, frozenset(one["sop_uid"] for one in receipts))
    intake.known[trial] = (size, found)
    return found


def _receipts(transaction: Transaction, trial: str) -> Iterator[Any]:
    for upload in transaction.find(UPLOAD, Place(trial, state="received")):
        yield from (one for one in upload.body["receipts"] if one["is_accepted"])


@dataclass(frozen=True)
class _Desk:
    """Judges the files of one upload."""

    records: Records
    actor: Actor
    examiner: FileExaminer
    folder: UploadFolder
    subject: str
    before: TakenBefore

    def refuse(self, name: str, fault: Fault | None) -> Received:
        """Note a file that never came out of its archive."""
        faults = (fault,) if fault is not None else ()
        with self.folder.receiving():
            return self._noted(name, Receipt(0, "", 0, "", "", is_accepted=False), faults)

    def judge(self, name: str, path: Path) -> Received:
        """Take a file or refuse it, and note which."""
        examined = self.examiner.examine(path)
        with self.folder.receiving():
            size, uids = path.stat().st_size, (examined.sop_uid, examined.series_uid)
            receipt = Receipt(0, file_digest(path), size, "", "", False, *uids, scanner=examined.scanner.named)
            faults = examined.faults or tuple(self._against(receipt, examined))
            if faults:
                path.unlink(missing_ok=True)
                return self._noted(name, receipt, faults)
            kept = self.folder.keep(path, wipes_preamble=examined.zeroed_preamble)
            return self._noted(name, replace(receipt, is_accepted=True, kept=kept), ())

    def _against(self, receipt: Receipt, examined: Examined) -> Iterator[Fault]:
        accepted = [one for one in self.folder.receipts() if one.is_accepted]
        digests = self.before.bytes | {digest for one in accepted for digest in (one.received, one.kept)}
        if receipt.received in digests:
            yield Fault("file", _SAME_BYTES, "the same bytes were received before")
        elif receipt.sop_uid in self.before.images | {one.sop_uid for one in accepted}:
            yield Fault("file", _SAME_IMAGE, "another file of the same image (SOP Instance UID) was received before")
        if examined.subject and examined.subject != self.subject:
            message = "its Patient ID is not the code of this upload's subject"
            yield Fault("file", _OTHER_SUBJECT, message)

    def _noted(self, name: str, receipt: Receipt, faults: tuple[Fault, ...]) -> Received:
        number = 1 + len(self.folder.receipts())
        codes = tuple(dict.fromkeys(fault.code for fault in faults))
        said = replace(receipt, number=number, at=self.records.now(), by=self.actor.user, codes=codes)
        if "not_deidentified" in codes or "identifier" in codes:
            said = replace(said, sop_uid="", series_uid="", scanner="")
        self.folder.note(said)
        return Received(name, said, faults)
