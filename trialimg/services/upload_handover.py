"""The files of an upload as series and visits, with what is wrong with them, and their way into a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from trialimg.core.access import Action, Actor
from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, IntakeError
from trialimg.core.reading import CaseKind
from trialimg.core.trial import Finding, Severity
from trialimg.imaging.quality import acquisition_findings
from trialimg.protocol.model import Protocol
from trialimg.services.case import facts_of, quality_rule
from trialimg.services.cases import CaseTimepoint, ReceivedCase, add_late, take_in
from trialimg.services.images import SeriesRecord
from trialimg.services.intake import Receipt
from trialimg.services.journal import Journal, Records
from trialimg.services.new_lesion_proposals import propose_new_lesions
from trialimg.services.ports import Progress, Transaction
from trialimg.services.queries import Question, write_query
from trialimg.services.reading_file import CASE, case_id, protocol_in_force
from trialimg.services.records import Place, RecordVersion
from trialimg.services.response import schedule
from trialimg.services.trials_sites import site_refusal
from trialimg.services.upload_folder import UploadFolder
from trialimg.services.uploads import UPLOAD, Intake, upload_of
from trialimg.services.viewing import encode
from trialimg.services.visit_alignment import VisitAlignments
from trialimg.services.visits import visit_on

__all__ = ["Arrangement", "Matching", "arranged", "hand_over"]

_MOST_QUERIES = 200


@dataclass(frozen=True)
class Arrangement:
    """What an upload holds so far."""

    series: tuple[SeriesRecord, ...]
    proposed: Mapping[str, str]
    """Series to the visit whose window holds its date; left out where the case's reference date is not known."""
    findings: tuple[Finding, ...]
    receipts: tuple[Receipt, ...]
    visits: tuple[str, ...]
    """Planned visits of the protocol."""
    case: str
    """Code of the subject's case; empty where there is none yet."""

    @property
    def usable(self) -> tuple[SeriesRecord, ...]:
        """Series that make one whole stack and have a date."""
        broken = {one.where for one in self.findings if one.severity is Severity.EXCLUDED}
        return tuple(one for one in self.series if f"series {one.series_uid}" not in broken and one.acquisition_date)


@dataclass(frozen=True)
class Matching:
    """Which series belongs to which visit, as who uploads says."""

    visits: Mapping[str, str]
    """Series Instance UID to name of the visit; series that are not named are left out."""
    has_looked: bool = False
    """Whether somebody looked at the images for text in the pixels: no attribute can be trusted to tell."""
    reference_date: dt.date | None = None
    """Of the subject's first case: randomisation or first dose."""


def arranged(
    records: Records, actor: Actor, intake: Intake, upload: str, *, reference: dt.date | None = None
) -> Arrangement:
    """The accepted files of an upload as series, with the visits that they seem to belong to, and what is wrong.

    Parameters
    ----------
    reference
        Day 1 of a subject who has no case yet.

    Raises
    ------
    AccessError
        If the actor may not upload for its site.
    """
    found = upload_of(records, actor, upload, action=Action.UPLOAD_IMAGES)
    with records.store.reading() as transaction:
        return _arranged(transaction, found, intake, reference)


def hand_over(
    records: Records,
    actor: Actor,
    intake: Intake,
    upload: str,
    *,
    matching: Matching,
    progress: Progress | None = None,
) -> RecordVersion:
    """Give the series of an upload to the subject's case, with a receipt for every file and a query for every finding.

    Originals and encoded slices are kept first, each under its digest, so that a handing over that is interrupted is
    simply done again; the records change in one step.

    Raises
    ------
    AccessError
        If the actor may not receive cases.
    IntakeError
        Naming everything that speaks against it; then nothing has changed.
    ReadingError
        If the case cannot take these visits.
    """
    found = upload_of(records, actor, upload, action=Action.UPLOAD_IMAGES)
    with records.look(actor, Action.RECEIVE_CASES, trial=found.place.trial) as transaction:
        arrangement = _arranged(transaction, found, intake)
    chosen = _chosen(found, arrangement, matching)
    _keep_images(intake, intake.of(found), chosen, progress)
    with records.change(actor, Action.RECEIVE_CASES, trial=found.place.trial) as journal:
        kept = _taken(journal, found, arrangement, matching, chosen)
    where = Place(found.place.trial, kept.place.case)
    alignments = VisitAlignments(intake.images, intake.images.store)
    alignments.align_cases(records, where, progress=progress)
    propose_new_lesions(records, where, alignments, progress=progress)
    intake.of(found).remove()
    return kept


def _arranged(
    transaction: Transaction, upload: RecordVersion, intake: Intake, reference: dt.date | None = None
) -> Arrangement:
    trial, subject = upload.place.trial, str(upload.body["subject"])
    folder = intake.of(upload)
    receipts = folder.receipts()
    protocol = protocol_in_force(transaction, trial)
    cases = [one for one in transaction.find(CASE, Place(trial)) if one.body["subject"] == subject]
    case = next((one for one in cases if one.body["kind"] == CaseKind.EFFICACY.value), None)
    planned = schedule(protocol)
    visits = tuple(one.id for one in (planned.baseline, *planned.followups))
    code = str(case.body["code"]) if case is not None else ""
    _drop_strays(folder, receipts)
    if not any(one.is_accepted for one in receipts):
        return Arrangement((), {}, (), receipts, visits, code)
    index = intake.source.index(folder.files)
    if case is not None and case.body["reference_date"]:
        reference = dt.date.fromisoformat(case.body["reference_date"])
    proposed = {
        one.series_uid: visit_on(one.acquisition_date, reference, planned)
        for one in index.series
        if reference is not None and one.acquisition_date is not None
    }
    findings = (*index.findings, *_departures(index.series, protocol))
    return Arrangement(index.series, proposed, findings, receipts, visits, code)


def _drop_strays(folder: UploadFolder, receipts: Sequence[Receipt]) -> None:
    """Files that arrived without their receipt, because something ended in between: they are sent again."""
    named = {f"{one.kept.partition(':')[2]}.dcm" for one in receipts if one.is_accepted}
    for path in folder.files.iterdir() if folder.files.is_dir() else ():
        if path.name not in named:
            path.unlink()


def _departures(series: Sequence[SeriesRecord], protocol: Protocol) -> Iterator[Finding]:
    """Where a series is not what the protocol asks of its modality."""
    read = {rule.modality for rule in protocol.acquisition}
    for one in series:
        for rule in protocol.acquisition:
            yield from acquisition_findings(facts_of(one), quality_rule(rule))
        where = f"series {one.series_uid}"
        if one.modality not in read:
            message = f"the protocol reads no {one.modality} series"
            yield Finding("series_not_used", Severity.INFO, where, message, one.subject)
        if one.acquisition_date is None:
            yield Finding("no_date", Severity.EXCLUDED, where, "no date of the images is stated", one.subject)


def _chosen(upload: RecordVersion, arrangement: Arrangement, matching: Matching) -> dict[str, list[SeriesRecord]]:
    """Visit to its series, in order of date; refused with everything that is wrong."""
    usable = {one.series_uid: one for one in arrangement.usable}
    wanted = {uid: visit for uid, visit in matching.visits.items() if visit}
    faults = [*_matching_faults(arrangement, usable, wanted)]
    if not matching.has_looked:
        message = "look at the images first, and say that no text in them tells who the subject is"
        faults.append(Fault("pixels", "not_looked_at", message))
    if faults:
        raise IntakeError(f"{upload.id}: {len(faults)} fault(s), nothing was handed over", tuple(faults))
    chosen: dict[str, list[SeriesRecord]] = {}
    for uid in sorted(wanted, key=lambda one: (_day(usable[one]), one)):
        chosen.setdefault(wanted[uid], []).append(usable[uid])
    return chosen


def _matching_faults(
    arrangement: Arrangement, usable: Mapping[str, SeriesRecord], wanted: Mapping[str, str]
) -> Iterator[Fault]:
    if not wanted:
        yield Fault("visits", "nothing_chosen", "no series was given to a visit")
    baseline = arrangement.visits[0]
    if wanted and not arrangement.case and baseline not in wanted.values():
        yield Fault("visits", "no_baseline", f"the subject has no case yet; it begins with the baseline ({baseline})")
    for uid, visit in wanted.items():
        if uid not in usable:
            yield Fault(uid, "unusable_series", "is not one whole stack of images with a date, or is not here")
        elif visit not in arrangement.visits and visit != f"UNS-{_day(usable[uid]).isoformat()}":
            named = ", ".join(arrangement.visits)
            yield Fault(uid, "unknown_visit", f"{visit!r} is none of {named}, nor UNS-{_day(usable[uid])}")


def _keep_images(
    intake: Intake, folder: UploadFolder, chosen: Mapping[str, Sequence[SeriesRecord]], progress: Progress | None
) -> None:
    series = [one for group in chosen.values() for one in group]
    for number, one in enumerate(series, start=1):
        if not intake.images.has(one.series_uid):
            volume = intake.source.volume(one, folder.files)
            intake.images.keep(one.series_uid, encode(volume, frame_of_reference_uid=one.frame_of_reference_uid))
        for file in one.files:
            intake.originals.put(file.digest, (folder.files / file.path).read_bytes())
        if progress is not None:
            progress("images", number, len(series))


def _taken(
    journal: Journal,
    upload: RecordVersion,
    arrangement: Arrangement,
    matching: Matching,
    chosen: Mapping[str, Sequence[SeriesRecord]],
) -> RecordVersion:
    transaction, trial, body = journal.transaction, upload.place.trial, upload.body
    now = transaction.current(UPLOAD, upload.id)
    because = site_refusal(transaction, trial, body["site"], journal.at)
    if now is None or now.place.state != "receiving" or because:
        raise IntakeError(because or f"{upload.id} was handed over or given up in the meantime")
    visits = [_visit(name, series) for name, series in chosen.items()]
    code = arrangement.case
    if code:
        add_late(journal, trial, {code: visits})
    else:
        code = str(body["subject"])
        case = ReceivedCase(code, code, tuple(visits), reference_date=matching.reference_date, site=str(body["site"]))
        take_in(journal, trial, [case])
    series = _series_taken(arrangement.receipts, chosen)
    asked = (*_asked(upload, arrangement, chosen), *_changes(transaction, trial, upload, series))
    for number, one in enumerate(asked[:_MOST_QUERIES]):
        question = replace(one, case=code, finding=digest_of([upload.id, number]))
        write_query(journal, trial, question, because=f"found in {upload.id}", is_of_software=True)
    said = {
        **body,
        "case": code,
        "handed_over_at": journal.at,
        "looked_at_by": journal.actor.user,
        "series": series,
        "receipts": [one.plain() for one in arrangement.receipts],
        "findings": [asdict(one) | {"severity": one.severity.value} for one in arrangement.findings],
    }
    place = Place(trial, case_id(trial, code), state="received")
    reason = f"{len(arrangement.receipts)} file(s), {', '.join(chosen)}"
    return journal.write(UPLOAD, upload.id, said, action="receive_upload", place=place, reason=reason)


def _visit(name: str, series: Sequence[SeriesRecord]) -> CaseTimepoint:
    days = [_day(one) for one in series]
    images = digest_of([file.digest for one in series for file in one.files])
    first = min(days) if min(days) != max(days) else None
    return CaseTimepoint(name, max(days), first, tuple(one.series_uid for one in series), images)


def _series_taken(
    receipts: Sequence[Receipt], chosen: Mapping[str, Sequence[SeriesRecord]]
) -> list[dict[str, str | int]]:
    scanner = {one.series_uid: one.scanner for one in receipts if one.is_accepted}
    return [
        {
            "uid": one.series_uid,
            "visit": visit,
            "modality": one.modality,
            "date": _day(one).isoformat(),
            "files": len(one.files),
            "scanner": scanner.get(one.series_uid, ""),
        }
        for visit, group in chosen.items()
        for one in group
    ]


def _asked(
    upload: RecordVersion, arrangement: Arrangement, chosen: Mapping[str, Sequence[SeriesRecord]]
) -> Iterator[Question]:
    """What the site is asked about: each departure of what is taken, and why a series could not be."""
    visit_of = {f"series {one.series_uid}": visit for visit, group in chosen.items() for one in group}
    site, subject = str(upload.body["site"]), str(upload.body["subject"])
    said: dict[tuple[str, str, str], Finding] = {}
    for one in arrangement.findings:
        is_departure = one.severity is Severity.WARNING and one.where in visit_of
        if is_departure or one.severity is Severity.EXCLUDED:
            said.setdefault((one.code, visit_of.get(one.where, ""), one.message), one)
    for (code, visit, message), one in said.items():
        is_series = one.where.startswith("series ")
        uid = one.where.removeprefix("series ") if is_series else ""
        yield Question(site, code, message, subject, timepoint=visit, series=uid)


def _changes(
    transaction: Transaction, trial: str, upload: RecordVersion, series: Sequence[Mapping[str, str | int]]
) -> Iterator[Question]:
    """Where a subject was scanned on another machine, or by other software, than the time before."""
    site, subject = str(upload.body["site"]), str(upload.body["subject"])
    uploads = transaction.find(UPLOAD, Place(trial, state="received"))
    known = [one for past in uploads if past.body["subject"] == subject for one in past.body["series"]]
    fresh = {str(one["uid"]) for one in series}
    last: dict[str, tuple[str, str]] = {}
    for one in sorted([*known, *series], key=lambda each: (str(each["date"]), str(each["uid"]))):
        modality, scanner, visit = str(one["modality"]), str(one["scanner"]), str(one["visit"])
        before = last.get(modality)
        if before and scanner and before[1] != scanner and str(one["uid"]) in fresh:
            text = f"{modality} of {visit} comes from {scanner}, that of {before[0]} from {before[1]}"
            yield Question(site, "scanner_changed", text, subject, timepoint=visit, series=str(one["uid"]))
        if scanner:
            last[modality] = (visit, scanner)


def _day(series: SeriesRecord) -> dt.date:
    if series.acquisition_date is None:
        raise IntakeError(f"series {series.series_uid} has no date")
    return series.acquisition_date
