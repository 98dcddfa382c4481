"""All follow-up timepoints of one subject by PCWG3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Designation, Role, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    Measure,
    OverallResponse,
    Pcwg3Response,
    TimepointAssessment,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.pcwg3.bone import BoneAnswer, BoneScan, judge_bone
from trialimg.criteria.pcwg3.overall import combined
from trialimg.criteria.pcwg3.psa import judge_psa
from trialimg.criteria.pcwg3.rules import Facts, Rules
from trialimg.criteria.pcwg3.soft import SoftTissue, judge_soft

__all__ = ["assess"]

_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up: soft tissue by RECIST 1.1, bone by counts, PSA beside them.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this package.

    Returns
    -------
    tuple of CriterionAssessment
        One per follow-up, with the parts ``soft_tissue``, ``bone`` and ``psa``. A bone scan that a later one changed
        keeps in its rules what it was.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/pcwg3.md``.
    """
    followed, known = tuple(designations), facts or {}
    at = [known.get(timepoint.id, Facts()) for timepoint in timepoints]
    soft = recist11.assess(tracks, followed, timepoints, rules)
    _check(timepoints, at)
    days = [(timepoint.date - timepoints[0].date).days for timepoint in timepoints]
    weeks = [_weeks(fact, day) for fact, day in zip(at, days, strict=True)]
    scans = [_scan(timepoints[i], days[i], weeks[i], at, rules) for i in range(1, len(timepoints))]
    bone = judge_bone(scans, rules)
    psa = judge_psa([(day, fact.psa_ng_ml) for day, fact in zip(days, at, strict=True)], weeks, rules)
    targets = any(designation.role is Role.TARGET for designation in followed)
    disease = at[0].bone_lesions != 0
    read = [_read(tissue, days[i], at[i], targets=targets) for i, tissue in enumerate(soft, start=1)]
    settled = judge_soft(read, rules)
    answers: list[CriterionAssessment] = []
    for index, (tissue, skeleton, marker) in enumerate(zip(soft, bone, psa, strict=True), start=1):
        answer = _together(tissue, settled[index - 1], skeleton, at[index], targets=targets, disease=disease)
        values = [fact.psa_ng_ml for fact in at[:index] if fact.psa_ng_ml is not None]
        measure = Measure("psa_ng_ml", at[index].psa_ng_ml, at[0].psa_ng_ml, min(values, default=None))
        word, why = marker
        rule, parts = (*answer.rule[:-1], why, answer.rule[-1]), {**answer.parts, "psa": word}
        answers.append(replace(answer, rule=rule, measures=(measure,), parts=parts))
    return tuple(answers)


def _check(timepoints: Sequence[Timepoint], at: Sequence[Facts]) -> None:
    faults = tuple(
        Fault(timepoint.id, "bone_counts", f"{fact.bone_new} new of {fact.bone_lesions} lesions on the bone scan")
        for timepoint, fact in zip(timepoints, at, strict=True)
        if fact.bone_new is not None and fact.bone_lesions is not None and not 0 <= fact.bone_new <= fact.bone_lesions
    )
    if faults:
        raise ReadingError(f"{len(faults)} contradiction(s) in the counts of bone lesions", faults)


def _weeks(fact: Facts, day: int) -> Decimal:
    return Decimal(day) / 7 if fact.weeks_on_treatment is None else fact.weeks_on_treatment


def _scan(timepoint: Timepoint, day: int, weeks: Decimal, at: Sequence[Facts], rules: Rules) -> BoneScan:
    fact = at[timepoint.order]
    new = fact.bone_new
    if new is None and (at[0].bone_lesions == 0 or fact.bone_lesions == 0):
        new = fact.bone_lesions
    return BoneScan(
        timepoint.id,
        day,
        new,
        weeks <= rules.flare_window_weeks,
        no_disease=fact.bone_lesions == 0,
        stated=fact.bone,
    )


def _read(tissue: TimepointAssessment, day: int, fact: Facts, *, targets: bool) -> SoftTissue:
    word = tissue.overall if fact.soft_tissue is None else fact.soft_tissue
    measurable = targets or fact.soft_tissue is not None
    otherwise = OverallResponse.SD if measurable else OverallResponse.NON_CR_NON_PD
    return SoftTissue(tissue.timepoint.id, day, word, otherwise)


def _together(
    tissue: TimepointAssessment,
    settled: tuple[Pcwg3Response, tuple[Firing, ...]],
    skeleton: BoneAnswer,
    fact: Facts,
    *,
    targets: bool,
    disease: bool,
) -> CriterionAssessment:
    soft, later = settled
    word = combined(soft, skeleton.word, targets=targets or fact.soft_tissue is not None, disease_at_baseline=disease)
    decided = Firing(
        "PCWG3/B5",
        f"soft tissue {soft.value}, bone {skeleton.word.value}: overall {word.value}",
        {"soft_tissue": soft.value, "bone": skeleton.word.value},
    )
    return CriterionAssessment(
        tissue.timepoint,
        tissue.target,
        tissue.non_target,
        tissue.new_lesion,
        word,
        tissue.sums,
        (*_of_soft(tissue, fact.soft_tissue), *later, *skeleton.why, decided),
        tissue.settings,
        parts={"soft_tissue": soft, "bone": skeleton.word},
    )


def _of_soft(tissue: TimepointAssessment, stated: OverallResponse | None) -> tuple[Firing, ...]:
    if stated is None:
        return tissue.rule
    return (Firing("PCWG3/B0", f"soft tissue {stated.value} as the assessments say"),)
