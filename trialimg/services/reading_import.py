"""The reads of many cases from one table: everything wrong at once, nothing half-written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import AccessError, Fault, ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.trial import Timepoint
from trialimg.review.read_review import ReadReview
from trialimg.services.journal import Journal, Records
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import entry_faults, fact_names, normal_entry
from trialimg.services.reading_desk import ReaderAtCase, reader_at_case
from trialimg.services.respond_checks import LesionRow, check_rows
from trialimg.services.respond_lesions import lesion_row
from trialimg.services.tables import Row, Table, read_table

__all__ = ["Imported", "ReadTable", "import_reads"]

_REQUIRED = ("subject", "timepoint", "date", "lesion", "role", "kind", "organ", "seen", "diameter_mm")
_LENGTHS = ("short_mm", "volume_ml", "mean_hu", "sul_peak", "slice_mm")
_RELATIVES = ("split_from", "merged_into", "local_therapy", "status", "reason")
_BESIDE = ("comment", "proposal")
_EVIDENCE = {"evidence": "digest", "series_uid": "series_uid"}
_AXES = ("long_axis_lps_mm", "short_axis_lps_mm")
_OPTIONAL = ("reader", *_LENGTHS, *_RELATIVES, *_BESIDE, *_EVIDENCE, *_AXES)
_OF_TIMEPOINT = ("image_quality", "new_lesions", "no_lesions", "conclusion", "comment")
_STATUS = {"measured": "present", "too_small": "present", "absent": "absent", "not_evaluable": "not_evaluable"}
_COORDINATES = 6


@dataclass(frozen=True)
class ReadTable:
    """A table as a reader hands it in, under the name that they know it by."""

    text: str
    source: str


@dataclass(frozen=True)
class Imported:
    """What became of one case of the table."""

    alias: str
    locked: tuple[str, ...]
    """Timepoints that had to be locked so that later ones could be written."""
    drafted: tuple[str, ...]


@dataclass
class _CaseRows:
    """The lines that speak of one case."""

    at: ReaderAtCase
    line: int
    lesions: list[tuple[Row, LesionRow]] = field(default_factory=list)
    facts: dict[str, Row] = field(default_factory=dict)


def import_reads(
    records: Records, actor: Actor, trial: str, reads: ReadTable, *, assessments: ReadTable | None = None
) -> tuple[Imported, ...]:
    """Keep a table of lesions as the drafts of one reader's reads.

    The column ``subject`` holds the reader's own names of the cases. Where timepoints are shown one after another,
    each is locked before the next is written, with all that locking asks for; the last of a case stays a draft.

    Parameters
    ----------
    reads
        In the layout of `trialimg.services.respond_lesions.read_lesions`, with further columns for what a number rests
        on: ``evidence, series_uid, long_axis_lps_mm, short_axis_lps_mm`` ("x y z x y z"), ``proposal, comment``.
        A blank status reads from what was seen. ``reader`` may name the reader themselves only.
    assessments
        One line per case and timepoint with the facts of the criterion, and ``image_quality, new_lesions, no_lesions,
        conclusion, comment``. Without it the quality is ``not_stated``, and the lines say whether lesions are new.

    Raises
    ------
    ReadingError
        With every fault of both tables and its line.
    """
    refused: dict[str, str] = {}
    try:
        with records.change(actor, Action.READ, trial=trial) as journal:
            return _imported(_Desk(journal, records.software, trial, refused), reads, assessments)
    except ReadingError:
        if refused:
            _note_refusal(records, actor, trial, refused)
        raise


def _imported(desk: _Desk, reads: ReadTable, assessments: ReadTable | None) -> tuple[Imported, ...]:
    table = read_table(reads.text, reads.source, required=_REQUIRED, optional=_OPTIONAL)
    cases = _grouped(desk, table)
    faults = list(table.faults)
    if assessments is not None and cases:
        faults += _with_assessments(cases, assessments)
    if not table.rows and not faults:
        faults.append(Fault(f"{reads.source}:1", "empty", "the table has no rows"))
    entries = {} if faults else {alias: _entries(case) for alias, case in cases.items()}
    for alias, own in entries.items():
        faults += _faults(cases[alias], own, reads.source)
    if faults:
        message = f"{reads.source}: {len(faults)} fault(s), nothing was imported"
        raise ReadingError(message, tuple(dict.fromkeys(faults)))
    return tuple(_kept(desk, alias, own) for alias, own in entries.items())


def _note_refusal(records: Records, actor: Actor, trial: str, refused: Mapping[str, str]) -> None:
    """Keep that somebody tried to write in cases that are not theirs."""
    with records.change(actor, Action.READ, trial=trial) as journal:
        because = "; ".join(refused.values())
        journal.note("refuse_access", kind="action", key=Action.READ.value, trial=trial, reason=because)


@dataclass(frozen=True)
class _Desk:
    """Where the reader's cases are looked up, and who was refused there."""

    journal: Journal
    software: str
    trial: str
    refused: dict[str, str]
    """Name of a case that is not this reader's, or not to be read any more, to the reason."""

    def case(self, alias: str) -> ReaderAtCase:
        return reader_at_case(self.journal, self.software, self.trial, alias)

    def found(self, alias: str) -> ReaderAtCase | None:
        if alias not in self.refused:
            try:
                return self.case(alias)
            except (AccessError, ReadingError) as because:
                self.refused[alias] = str(because)
        return None


def _grouped(desk: _Desk, table: Table) -> dict[str, _CaseRows]:
    """The lines of each case that is this reader's to write now; whatever is wrong with a line is noted in it."""
    cases: dict[str, _CaseRows] = {}
    for row in table.rows:
        lesion, alias = lesion_row(row), row.text("subject")
        if row.text("reader") not in ("", desk.journal.actor.user):
            table.fault(row.line, "other_reader", f"reader {row.text('reader')!r} is not {desk.journal.actor.user}")
        if alias and alias not in cases and (at := desk.found(alias)) is not None:
            cases[alias] = _CaseRows(at, row.line)
        if alias in desk.refused:
            table.fault(row.line, "not_yours", desk.refused[alias])
        elif lesion is not None:
            cases[alias].lesions.append((row, lesion))
            _check_visit(row, lesion, cases[alias].at.file.timepoints)
    if not table.faults:
        for case in cases.values():
            check_rows([lesion for _, lesion in case.lesions], case.at.file.timepoints)
    return cases


def _check_visit(row: Row, lesion: LesionRow, timepoints: tuple[Timepoint, ...]) -> None:
    known = next((t for t in timepoints if t.id == lesion.timepoint), None)
    if known is None:
        row.table.fault(row.line, "unknown_timepoint", f"the case has no timepoint {lesion.timepoint!r}")
    elif not (known.first_date or known.date) <= lesion.date <= known.date:
        row.table.fault(row.line, "other_date", f"{known.id} is dated {known.date}, not {lesion.date}")


def _with_assessments(cases: Mapping[str, _CaseRows], given: ReadTable) -> list[Fault]:
    protocol = next(iter(cases.values())).at.file.protocol
    names = fact_names(criterion_of(protocol))
    beside = tuple(name for name in _OF_TIMEPOINT if name not in names)
    optional = ("reader", "date", *names, *beside)
    table = read_table(given.text, given.source, required=("subject", "timepoint"), optional=optional)
    for row in table.rows:
        alias, step = row.text("subject", required=True), row.text("timepoint", required=True)
        case = cases.get(alias)
        if case is None or step not in case.at.read.steps:
            table.fault(row.line, "unknown_timepoint", f"no lesion of {alias} was read at {step!r}")
        elif step in case.facts:
            table.fault(row.line, "double_row", f"{step} of {alias} stands twice")
        else:
            case.facts[step] = row
    return table.faults


def _entries(case: _CaseRows) -> dict[str, dict[str, Any]]:
    """What the lines say of each timepoint, in the order in which they are read."""
    steps = dict.fromkeys((*(lesion.timepoint for _, lesion in case.lesions), *case.facts))
    order = case.at.read.steps
    return {step: _entry(case, step) for step in sorted(steps, key=order.index)}


def _entry(case: _CaseRows, step: str) -> dict[str, Any]:
    names = fact_names(criterion_of(case.at.file.protocol))
    row = case.facts.get(step)
    lesions = [_lesion(line, lesion) for line, lesion in case.lesions if lesion.timepoint == step]
    is_new = any(one["role"] == Role.NEW.value and one["seen"] != Seen.ABSENT.value for one in lesions)
    said = {name: row.text(name) for name in _OF_TIMEPOINT if name not in names} if row is not None else {}
    is_baseline = step == case.at.read.steps[0]
    return {
        **said,
        "image_quality": said.get("image_quality") or "not_stated",
        "new_lesions": said.get("new_lesions") or ("" if is_baseline else ("yes" if is_new else "no")),
        "facts": {name: row.text(name) for name in names if row.text(name)} if row is not None else {},
        "lesions": lesions,
    }


def _lesion(row: Row, lesion: LesionRow) -> dict[str, Any]:
    cells = {name: row.text(name) for name in (*_REQUIRED[3:], *_LENGTHS, *_RELATIVES, *_BESIDE)}
    evidence: dict[str, Any] = {key: row.text(name) for name, key in _EVIDENCE.items() if row.text(name)}
    for axis in _AXES:
        numbers = row.text(axis).replace("(", " ").replace(")", " ").split()
        if len(numbers) == _COORDINATES:
            evidence[axis] = [numbers[:3], numbers[3:]]
        elif numbers:
            evidence[axis] = numbers  # refused with its place, as a point that is none
    is_node = lesion.kind is LesionKind.NODAL
    if not cells["status"] and lesion.role is Role.NON_TARGET:
        cells["status"] = _STATUS[cells["seen"]]
    elif not cells["status"] and lesion.role is Role.NEW and not is_node and lesion.seen is Seen.MEASURED:
        cells["status"] = "unequivocal"
    return {**cells, **({"evidence": evidence} if evidence else {})}


def _faults(case: _CaseRows, entries: Mapping[str, Any], source: str) -> list[Fault]:
    """What keeps the timepoints of a case from being written; of those that must be locked, from being locked."""
    at, normal = case.at, dict(case.at.entries)
    faults = list(_out_of_turn(at.read, tuple(entries)))
    for step, entry in entries.items():
        try:
            normal[step] = normal_entry(step, entry)
        except ReadingError as refused:
            faults += refused.faults
    if not faults:
        for step in _to_lock(at, tuple(entries)):
            faults += entry_faults(at.written(normal, step), step, criterion_of(at.file.protocol), at.review.kind)
    return [Fault(f"{source} {at.alias} {fault.where}", fault.code, fault.message) for fault in faults]


def _out_of_turn(read: ReadReview, steps: tuple[str, ...]) -> Iterator[Fault]:
    """Timepoints that cannot be written any more, and those that are passed over although later ones are written."""
    for step in steps:
        if step in read.locked:
            yield Fault(step, "locked", "is locked; only a correction changes it")
    last = read.steps.index(steps[-1])
    for step in read.steps[:last] if read.is_sequential else ():
        if step not in read.locked and step not in steps:
            yield Fault(step, "passed_over", "nothing is said of it, but later timepoints are written")


def _to_lock(at: ReaderAtCase, steps: tuple[str, ...]) -> tuple[str, ...]:
    """The timepoints before which another waits to be written."""
    return steps[:-1] if at.read.is_sequential else ()


def _kept(desk: _Desk, alias: str, entries: Mapping[str, Any]) -> Imported:
    steps = tuple(entries)
    locked = _to_lock(desk.case(alias), steps)
    for step in steps:
        desk.case(alias).draft(step, entries[step])
        if step in locked:
            desk.case(alias).lock(step)
    return Imported(alias, locked, tuple(step for step in steps if step not in locked))
