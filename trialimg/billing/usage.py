"""What can be charged: derived from signed steps of the ledger, each thing once, whoever asks and however often."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trialimg.billing.prices import PriceUnit
from trialimg.core.errors import BillingError
from trialimg.core.reading import CaseKind, Charge

__all__ = ["QUALIFICATION", "STEPS", "Step", "Usage", "usage_of"]

STEPS = frozenset({
    ("case", "finalise_case"),
    ("case", "withdraw_consent"),
    ("read", "sign_read"),
    ("verdict", "sign_verdict"),
})  # fmt: skip
"""Kind of record and action of the ledger entries that usage derives from; no other entry ever costs anything."""

QUALIFICATION = "qualification"
"""Kind of a case that a reader qualifies by; only its reads can be priced."""

_REPEAT = "repeat"
_CASE_PARTS = 2
_CODED = re.compile(r"([a-z][a-z0-9_]*):")
_KINDS = {kind.value: kind for kind in CaseKind}


@dataclass(frozen=True)
class Step:
    """One ledger entry of `STEPS`, with what the record said then."""

    entry: int
    """Sequence in the ledger."""
    at: str
    """ISO 8601 in UTC."""
    action: str
    who: str
    record: str
    """Id of the record: ``trial/case``, ``trial/case/seat``, ``trial/case/seat/2``."""
    body: Mapping[str, Any]
    case: Mapping[str, Any]
    """What the case's record says: subject, kind, site, timepoints."""


@dataclass(frozen=True)
class Usage:
    """One thing that was done once and may have a price."""

    key: str
    """``case/item``, of which there is never a second one."""
    unit: PriceUnit
    case: str
    """Id of the case's record."""
    subject: str
    """Blinded code."""
    at: str
    """When the step was signed, ISO 8601 in UTC."""
    entry: int
    """Sequence of the ledger entry that it derives from."""
    kind: CaseKind | None = None
    site: str = ""
    """Site that contributed the case; empty where the records do not say."""
    people: tuple[str, ...] = ()
    """Users whose signed work it is, in order of name."""
    because: str = ""
    """Reason code of a further read or verdict."""

    @property
    def month(self) -> str:
        """Month in UTC, e.g. 2026-03."""
        return self.at[:7]


def usage_of(steps: Iterable[Step]) -> tuple[Usage, ...]:
    """Everything that the steps may charge, in the order of the ledger.

    The same steps in another order, or several times, give the same answer.

    Raises
    ------
    BillingError
        If a case was made final though nobody had signed a read of it: the records contradict one another.
    """
    history: dict[str, _History] = defaultdict(_History)
    found: list[Usage] = []
    for step in sorted({step.entry: step for step in steps}.values(), key=lambda step: step.entry):
        case = "/".join(step.record.split("/")[:_CASE_PARTS])
        found.extend(_Deriver(step, case, history[case]).usage())
    return tuple(found)


@dataclass
class _History:
    """What had happened to a case before a step."""

    readers: dict[str, str] = field(default_factory=dict)
    """Seat to who signed its latest read."""
    reads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    verdicts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How often each verdict record was signed: an adjudicator has one, a consensus one for each reader."""
    cause: str = ""
    """Reason code of the last further read since the last verdict."""
    timepoints: set[str] | None = None
    """Those of its final results; None as long as it has none."""


@dataclass
class _Deriver:
    """One step of a case, after what had happened before."""

    step: Step
    case: str
    before: _History

    def usage(self) -> Iterator[Usage]:
        match self.step.action:
            case "sign_read":
                yield self._read()
            case "sign_verdict":
                yield from self._verdict()
            case "finalise_case":
                yield from self._final()
            case "withdraw_consent":
                yield self._one(PriceUnit.WITHDRAWAL, "withdrawal")

    def _read(self) -> Usage:
        seat, *further = self.step.record.split("/")[_CASE_PARTS:]
        lane = f"{seat}/{_REPEAT}" if _REPEAT in further else seat
        self.before.reads[lane] += 1
        number = self.before.reads[lane]
        if self.step.case.get("kind") == QUALIFICATION:
            unit = PriceUnit.QUALIFICATION_READ
        elif lane != seat:
            unit = PriceUnit.REPEAT_READ
        else:
            unit = PriceUnit.READ if number == 1 else PriceUnit.REREAD
            self.before.readers[seat] = self.step.who
        counted = f"/{number}" if number > 1 else ""
        usage = self._one(unit, f"{unit.value}/{seat}{counted}", (self.step.who,))
        if unit is PriceUnit.REREAD:
            self.before.cause = usage.because
        return usage

    def _verdict(self) -> Iterator[Usage]:
        rounds = max(self.before.verdicts.values(), default=0)
        self.before.verdicts[self.step.record] += 1
        number = self.before.verdicts[self.step.record]
        if number <= rounds:
            return  # the other reader's part of a consensus
        unit = PriceUnit.ADJUDICATION if number == 1 else PriceUnit.READJUDICATION
        counted = f"/{number}" if number > 1 else ""
        yield replace(self._one(unit, f"{unit.value}{counted}", (self.step.who,)), because=self.before.cause)
        self.before.cause = ""

    def _final(self) -> Iterator[Usage]:
        if self.step.case.get("kind") == QUALIFICATION:
            return
        if not self.before.readers:
            message = f"entry {self.step.entry} made case {self.case} final, but no signed read stands before it"
            raise BillingError(f"{message}; have the records verified before anything of this trial is invoiced")
        people = tuple(sorted(set(self.before.readers.values())))
        known = self.before.timepoints
        if known is None:
            yield self._one(PriceUnit.CASE, "case", people)
        unit = PriceUnit.TIMEPOINT if known is None else PriceUnit.LATE_TIMEPOINT
        timepoints = [str(timepoint["id"]) for timepoint in self.step.body.get("timepoints", ())]
        for timepoint in timepoints:
            if timepoint not in (known or ()):
                yield self._one(unit, f"{unit.value}/{timepoint}", people)
        self.before.timepoints = (known or set()) | set(timepoints)

    def _one(self, unit: PriceUnit, item: str, people: tuple[str, ...] = ()) -> Usage:
        kind = str(self.step.case.get("kind", ""))
        return Usage(
            key=Charge(self.case, item).key,
            unit=unit,
            case=self.case,
            subject=str(self.step.case.get("subject", "")),
            at=self.step.at,
            entry=self.step.entry,
            kind=_KINDS.get(kind),
            site=str(self.step.case.get("site", "")),
            people=people,
            because=_code(self.step.body.get("reason")),
        )


def _code(reason: object) -> str:
    """The code that a reason begins with, ``quality_failure: the viewer showed another series``; empty without one."""
    found = _CODED.match(reason) if isinstance(reason, str) else None
    return found[1] if found else ""
