"""A case as the reading room shows it: lesions by visits, what stands, what is proposed, what it comes to so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, get_args, get_type_hints

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.links import Link
from trialimg.core.reading import CaseKind, Seat
from trialimg.criteria.registry import Criterion
from trialimg.review.read_review import GLOBAL
from trialimg.services.journal import Records
from trialimg.services.lesion_links import confirmed_links
from trialimg.services.lesion_warnings import warned
from trialimg.services.new_lesion_offers import Offered, offered
from trialimg.services.reading import answer_so_far, case_view, open_case
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import Written, entry_faults, fact_names
from trialimg.services.reading_desk import held, require_use
from trialimg.services.reading_file import ASSIGNMENT, CaseFile, load_case
from trialimg.services.records import Place

__all__ = ["FactAsked", "LesionRow", "Room", "Signed", "cell_text", "lesion_in", "room", "signed_cases"]


@dataclass(frozen=True)
class LesionRow:
    """One lesion over the visits that are open to the reader."""

    name: str
    role: str
    kind: str
    organ: str
    cells: Mapping[str, str]
    """Visit to what was said: a diameter in mm, or a word; empty where nothing was said yet."""
    stands: Mapping[str, Any] | None
    """What the reader wrote of it at the open visit."""
    proposed: Mapping[str, Any] | None
    """What the software proposes for the open visit."""

    @property
    def is_open(self) -> bool:
        """Nothing is said of it yet at the open visit."""
        return self.stands is None or not self.stands.get("seen")


@dataclass(frozen=True)
class FactAsked:
    """Something that a criterion wants to know of a visit."""

    name: str
    choices: tuple[str, ...]
    """The words it may be answered by; none where it is a number or a text."""


@dataclass(frozen=True)
class Signed:
    """A case that its reader has signed."""

    alias: str
    signed_at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Room:
    """One case in front of its reader."""

    alias: str
    criterion: str
    """As people call it: RECIST 1.1."""
    kind: str
    state: str
    visits: tuple[Mapping[str, Any], ...]
    """Those that are open to the reader, baseline first: id, date, is_locked, entry, proposed."""
    step: str
    """The visit to be read now; empty once all are locked."""
    rows: tuple[LesionRow, ...]
    answer: Mapping[str, Any] | None
    """What is written so far comes to; None where it cannot be judged yet."""
    problem: str
    """Why it cannot be judged yet."""
    missing: tuple[Fault, ...] = ()
    """What keeps the open visit from being locked."""
    asked: tuple[FactAsked, ...] = ()
    """What the criterion wants to know of a visit beside its lesions."""
    reopened_from: str = ""
    """The first visit that the reader was allowed to correct, and has not begun to."""
    candidates: tuple[Offered, ...] = ()
    """What the software takes for possible new lesions at the open visit; counted nowhere."""
    links: tuple[Link, ...] = ()
    """What the reader said at the open visit of lesions that seemed to be taken for one another."""
    warned: frozenset[tuple[str, str]] = frozenset()
    """Lesions at the open visit of which a warning is on record, each with where it was measured."""

    @property
    def is_global(self) -> bool:
        """The step that is read now is the look at all visits together."""
        return self.step == GLOBAL

    @property
    def is_baseline(self) -> bool:
        return bool(self.visits) and self.visits[0]["id"] == self.step

    def visit(self, step: str) -> Mapping[str, Any]:
        """One of the open visits."""
        return next(one for one in self.visits if one["id"] == step)

    @property
    def baseline_sum_mm(self) -> Decimal | None:
        """Sum of the targets at baseline; None unless every one of them is measured."""
        lesions = _lesions(self.visits[0]["entry"]) if self.visits else ()
        targets = [one for one in lesions if one["role"] == Role.TARGET.value]
        if not targets or any(one.get("seen") != Seen.MEASURED.value or not one["diameter_mm"] for one in targets):
            return None
        try:
            return sum((Decimal(one["diameter_mm"]) for one in targets), Decimal(0))
        except InvalidOperation:
            return None

    def after(self, name: str) -> str:
        """The next lesion of which nothing is said yet; the same one where there is none."""
        names = [row.name for row in self.rows]
        later = names[names.index(name) + 1 :] + names[: names.index(name)] if name in names else names
        still_open = {row.name for row in self.rows if row.is_open}
        return next((one for one in later if one in still_open), name)

    def nadir(self, steps: Sequence[str]) -> str:
        """The one of these visits with the smallest known sum; empty where none is known."""
        sums = {step: self.sum_mm(step) for step in steps}
        known = {step: value for step, value in sums.items() if value is not None}
        return min(known, key=lambda step: known[step]) if known else ""

    def sum_mm(self, step: str) -> Decimal | None:
        """Sum of the targets at a visit; None where it is not known."""
        if step == self.visits[0]["id"]:
            return self.baseline_sum_mm
        found = (self.assessment(step) or {"sums": {}})["sums"].get("sum_mm")
        return None if found is None else Decimal(found)

    def assessment(self, step: str) -> Mapping[str, Any] | None:
        """What a visit comes to so far; None for baseline and for what cannot be judged."""
        found = (self.answer or {}).get("timepoints", ())
        return next((one for one in found if one["timepoint"]["id"] == step), None)


def room(records: Records, actor: Actor, trial: str, alias: str, *, is_first_look: bool = True) -> Room:
    """One case in front of its reader.

    Parameters
    ----------
    is_first_look
        The reader opens it now, which is noted; False: they have it before them already.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If consent was withdrawn.
    """
    if is_first_look:
        open_case(records, actor, trial, alias)
    with records.look(actor, Action.READ, trial=trial) as transaction:
        assignment = held(transaction, actor, trial, alias)
        file = load_case(transaction, assignment.place.case)
        require_use(file, alias)
        view = case_view(transaction, file, assignment)
        step = next((one["id"] for one in view["timepoints"] if not one["is_locked"]), "")
        candidates = offered(transaction, file, assignment, step) if step else ()
        links = confirmed_links(transaction, assignment, step)
        on_record = warned(transaction, assignment, step)
    visits = tuple(_with_fitting_proposals(view["timepoints"], step))
    answer, problem = view["answer"], ""
    if answer is None:
        try:
            answer = answer_so_far(records, actor, trial, alias)
        except ReadingError as refused:
            problem = "; ".join(fault.message for fault in refused.faults) or str(refused)
    return Room(
        view["alias"],
        criterion_of(file.protocol).title,
        view["kind"],
        view["state"],
        visits,
        step,
        tuple(_rows(visits, step)),
        answer,
        problem,
        _missing(file, view, step),
        _asked(criterion_of(file.protocol)),
        view["reopened_from"],
        candidates,
        links,
        on_record,
    )


def _missing(file: CaseFile, view: Mapping[str, Any], step: str) -> tuple[Fault, ...]:
    """What keeps a step from being locked, as far as it is known before it is tried."""
    entries = {one["id"]: one["entry"] for one in view["timepoints"] if one["entry"] is not None}
    names = [timepoint.id for timepoint in file.timepoints]
    until = names.index(step) + 1 if step in names else len(names)
    written = Written(view["alias"], file.timepoints[:until], entries)
    return tuple(entry_faults(written, step, criterion_of(file.protocol), CaseKind(view["kind"]))) if step else ()


def _asked(criterion: Criterion) -> tuple[FactAsked, ...]:
    hints = get_type_hints(type(criterion.facts))
    return tuple(FactAsked(name, _choices(hints[name])) for name in fact_names(criterion))


def _choices(hint: Any) -> tuple[str, ...]:
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    if kinds == [bool]:
        return ("yes", "no")
    if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], Enum):
        return tuple(str(member.value) for member in kinds[0])
    return ()


def signed_cases(records: Records, actor: Actor, trial: str) -> tuple[Signed, ...]:
    """The cases that a reader has signed, the last one first.

    Raises
    ------
    AccessError
        If this person reads nothing in the trial.
    """
    with records.look(actor, Action.READ, trial=trial) as transaction:
        own = transaction.find(ASSIGNMENT, Place(trial=trial, person=actor.user, state="signed"))
        found = [
            Signed(one.body["alias"], one.body["since"]) for one in own if one.body["seat"] != Seat.ADJUDICATOR.value
        ]
    return tuple(sorted(found, key=lambda one: one.signed_at, reverse=True))


def _with_fitting_proposals(visits: Sequence[Mapping[str, Any]], step: str) -> Iterator[Mapping[str, Any]]:
    """The visits, with proposals at the open one only, and after baseline only for lesions that the reader chose."""
    chosen = {lesion["lesion"] for visit in visits for lesion in _lesions(visit["entry"])}
    for number, visit in enumerate(visits):
        proposed = visit["proposed"] if visit["id"] == step else None
        if proposed is not None and number > 0:
            fits = [one for one in proposed["lesions"] if one["lesion"] in chosen or one["role"] == Role.NEW.value]
            proposed = {**proposed, "lesions": fits}
        yield {**visit, "proposed": proposed}


def _rows(visits: Sequence[Mapping[str, Any]], step: str) -> Iterator[LesionRow]:
    first: dict[str, Mapping[str, Any]] = {}
    for visit in visits:
        for lesion in _lesions(visit["entry"]):
            first.setdefault(lesion["lesion"], lesion)
        if visit["id"] == step:
            for lesion in _lesions(visit["proposed"]):
                first.setdefault(lesion["lesion"], lesion)
    order = {role.value: number for number, role in enumerate(Role)}
    for name, lesion in sorted(first.items(), key=lambda item: (order.get(item[1]["role"], 9), item[0])):
        cells = {one["id"]: cell_text(lesion_in(one["entry"], name)) for one in visits}
        now = next((one for one in visits if one["id"] == step), None)
        stands = lesion_in(now["entry"], name) if now else None
        proposed = lesion_in(now["proposed"], name) if now else None
        yield LesionRow(name, lesion["role"], lesion["kind"], lesion["organ"], cells, stands, proposed)


def cell_text(lesion: Mapping[str, Any] | None) -> str:
    """What a cell of the lesion table says: 32.0, 12.1s for a short axis, or the word."""
    if lesion is None or not lesion.get("seen"):
        return ""
    if lesion["role"] == Role.NON_TARGET.value or (lesion["role"] == Role.NEW.value and lesion.get("status")):
        return str(lesion.get("status") or lesion["seen"]).replace("_", " ")
    if lesion.get("merged_into"):
        return f"→ {lesion['merged_into']}"
    if lesion["seen"] == Seen.MEASURED.value:
        return f"{lesion['diameter_mm']}{'s' if lesion['kind'] == LesionKind.NODAL.value else ''}"
    return str(lesion["seen"]).replace("_", " ")


def _lesions(entry: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return entry.get("lesions", ()) if entry else ()


def lesion_in(entry: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """What an entry says of a lesion; None where it says nothing."""
    return next((one for one in _lesions(entry) if one["lesion"] == name), None)
