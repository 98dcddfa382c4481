"""mRECIST for hepatocellular carcinoma: RECIST 1.1 on the part of a tumour that takes up contrast.

References
----------
Lencioni R, Llovet JM. Modified RECIST (mRECIST) assessment for hepatocellular carcinoma. Semin Liver Dis
2010;30:52-60. Llovet JM, Lencioni R. mRECIST for HCC: performance and novel refinements. J Hepatol 2020;72:288-306.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trialimg.core.lesions import (
    Designation,
    LesionKind,
    LesionStatus,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Role,
    Seen,
    Track,
)
from trialimg.core.responses import (
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.recist11 import overall
from trialimg.criteria.record import settings_of

__all__ = ["Facts", "Rules", "assess", "conformance", "overall", "overall_firing"]

_PORTA_HEPATIS = frozenset({"porta hepatis", "portahepatic", "hepatic hilum", "liver hilum"})
_EFFUSIONS = frozenset({"ascites", "effusion", "pleural effusion", "pericardial effusion"})
_LIVER = "liver"


@dataclass(frozen=True)
class Facts(recist11.Facts):
    """Facts of one timepoint; None where nothing was said."""

    effusion_proven: bool = False
    """Tumour cells were found in the ascites or effusion."""


@dataclass(frozen=True)
class Rules(recist11.Rules):
    """The numbers of mRECIST, by the names that RECIST 1.1 gives them, and its own."""

    mrecist_abs5: bool = True
    """*Charter.* PD needs ``pd_min_increase_mm`` beside the share, as in RECIST 1.1; no text of mRECIST says so."""
    mrecist_node_sa_mm: Decimal = Decimal(15)
    """A node of this short axis is malignant, outside of the porta hepatis."""
    mrecist_porta_hepatis_sa_mm: Decimal = Decimal(20)
    """A node of this short axis is malignant at the porta hepatis."""
    new_nodule_min_mm: Decimal = Decimal(10)
    """A new liver nodule below this size is equivocal."""
    new_nodule_growth_mm: Decimal = Decimal(10)
    """An equivocal liver nodule is unequivocal once it has grown by this much."""


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up; a diameter is that of the viable (arterially enhancing) part.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Notes
    -----
    A lesion without arterial enhancement is absent, whatever is left of it. The rules by identifier stand in
    ``docs/reference/criteria/mrecist.md``.
    """
    known, roles, visits = facts or {}, tuple(designations), tuple(timepoints)
    proven = [visit.order for visit in visits if visit.id in known and known[visit.id].effusion_proven]
    reader = _Hepatic(rules, min(proven, default=None))
    role_of = {designation.lesion.id: designation.role for designation in roles}
    read = [reader.read(track, role_of.get(track.lesion.id)) for track in tracks]
    judged = recist11.assess(read, roles, visits, _as_recist(rules), facts=known)
    return tuple(_renamed(answer, reader.notes.get(answer.timepoint.id, ()), rules) for answer in judged)


def overall_firing(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> Firing:
    """The row of the table that was read; the table is that of RECIST 1.1."""
    return _cited(recist11.overall_firing(target, non_target, new))


def conformance(
    subject: str,
    targets: Iterable[recist11.BaselineTarget],
    baseline: Timepoint,
    *,
    start_date: dt.date | None,
    rules: Rules = _DEFAULT,
    non_targets: Iterable[Observation] = (),
) -> tuple[Finding, ...]:
    """What in the choice of lesions is not allowed: as by RECIST 1.1, nodes at the porta hepatis from 20 mm on (M7)."""
    chosen = tuple(targets)
    found = recist11.conformance(
        subject, chosen, baseline, start_date=start_date, rules=_as_recist(rules), non_targets=non_targets
    )
    return (*found, *_small_hilar_nodes(subject, chosen, baseline, rules))


def _small_hilar_nodes(
    subject: str, targets: Iterable[recist11.BaselineTarget], baseline: Timepoint, rules: Rules
) -> Iterator[Finding]:
    least_mm = rules.mrecist_porta_hepatis_sa_mm
    for target in targets:
        seen, lesion = target.observation, target.observation.lesion
        size_mm = seen.diameter_mm
        hilar = lesion.kind is LesionKind.NODAL and _organ(seen) in _PORTA_HEPATIS
        if hilar and size_mm is not None and rules.mrecist_node_sa_mm <= size_mm < least_mm:
            text = f"node at the porta hepatis, short axis {size_mm} mm < {least_mm} mm (M7)"
            where = f"{subject} {baseline.id} {lesion.id}"
            yield Finding("target_node_too_small", Severity.WARNING, where, text, subject, baseline.id)


class _Hepatic:
    """The reader's words on lesions whose nature mRECIST asks more of (M7, M8)."""

    def __init__(self, rules: Rules, proven_from: int | None) -> None:
        self._rules = rules
        self._proven_from = proven_from
        """Order of the first timepoint at which an effusion was proven; None: never."""
        self.notes: dict[str, tuple[Firing, ...]] = {}
        """Why a word is not the one that was read, by timepoint."""

    def read(self, track: Track, role: Role | None) -> Track:
        """The track with every word as mRECIST takes it."""
        first_mm = next((o.diameter_mm for o in track.observations if o.diameter_mm is not None), None)
        return replace(track, observations=tuple(self._observation(o, role, first_mm) for o in track.observations))

    def _observation(self, seen: Observation, role: Role | None, first_mm: Decimal | None) -> Observation:
        if seen.seen not in (Seen.MEASURED, Seen.TOO_SMALL):
            return seen
        taken = None
        if _organ(seen) in _EFFUSIONS:
            taken = self._effusion(seen, role)
        elif role is Role.NEW and seen.lesion.kind is LesionKind.NODAL:
            taken = self._node(seen)
        elif role is Role.NEW and _organ(seen) == _LIVER:
            taken = self._nodule(seen, first_mm)
        if taken is None or taken[0] is seen.status:
            return seen
        status, rule, why = taken
        note = Firing(f"mRECIST/{rule}", f"{seen.lesion.id}: {why}, so it is {status.value}", {"status": status.value})
        self.notes[seen.timepoint.id] = (*self.notes.get(seen.timepoint.id, ()), note)
        return replace(seen, status=status)

    def _effusion(self, seen: Observation, role: Role | None) -> tuple[LesionStatus, str, str] | None:
        if self._proven_from is not None and seen.timepoint.order >= self._proven_from:
            return None
        why = f"{_organ(seen)} without proof by cytology or pathology"
        if role is Role.NEW:
            return NewLesionStatus.EQUIVOCAL, "M7", why
        grew = seen.status is NonTargetStatus.UNEQUIVOCAL_PROGRESSION
        return (NonTargetStatus.PRESENT, "M7", why) if grew else None

    def _node(self, seen: Observation) -> tuple[LesionStatus, str, str] | None:
        size_mm, least_mm = seen.diameter_mm, self._rules.mrecist_porta_hepatis_sa_mm
        if seen.status is not None or size_mm is None or _organ(seen) not in _PORTA_HEPATIS:
            return None
        if size_mm < self._rules.node_normal_below_mm:
            return None
        sign = ">=" if size_mm >= least_mm else "<"
        status = NewLesionStatus.UNEQUIVOCAL if size_mm >= least_mm else NewLesionStatus.EQUIVOCAL
        return status, "M7", f"new node at the porta hepatis, short axis {size_mm} mm {sign} {least_mm} mm"

    def _nodule(self, seen: Observation, first_mm: Decimal | None) -> tuple[LesionStatus, str, str] | None:
        size_mm, least_mm = seen.diameter_mm, self._rules.new_nodule_min_mm
        if size_mm is None or first_mm is None or seen.status is NewLesionStatus.UNEQUIVOCAL:
            return None
        grown_mm = size_mm - first_mm
        if grown_mm >= self._rules.new_nodule_growth_mm:
            why = (
                f"liver nodule grew from {first_mm} to {size_mm} mm, by at least {self._rules.new_nodule_growth_mm} mm"
            )
            return NewLesionStatus.UNEQUIVOCAL, "M8", why
        if seen.status is None and size_mm < least_mm:
            return NewLesionStatus.EQUIVOCAL, "M8", f"new liver nodule of {size_mm} mm < {least_mm} mm"
        return None


def _organ(seen: Observation) -> str:
    return " ".join(seen.lesion.organ.lower().split())


def _as_recist(rules: Rules) -> Rules:
    least_mm = rules.pd_min_increase_mm if rules.mrecist_abs5 else Decimal(0)
    node_mm = rules.mrecist_node_sa_mm
    return replace(rules, pd_min_increase_mm=least_mm, node_target_min_mm=node_mm, new_node_pd_sa_mm=node_mm)


def _renamed(answer: TimepointAssessment, notes: tuple[Firing, ...], rules: Rules) -> TimepointAssessment:
    reasons = (*notes, *(_cited(firing) for firing in answer.rule))
    return replace(answer, rule=reasons, settings=settings_of(rules))


def _cited(firing: Firing) -> Firing:
    return replace(firing, rule=firing.rule.replace("R-1.1/", "mRECIST/", 1))
