"""GCIG: response and progression of ovarian cancer by CA-125, alone and together with RECIST 1.1.

References
----------
Rustin GJS et al. Definitions for response and progression in ovarian cancer clinical trials incorporating RECIST 1.1
and CA 125 agreed by the Gynecological Cancer Intergroup (GCIG). Int J Gynecol Cancer 2011;21:419-423.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment, Firing, Measure, OverallResponse, TimepointAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.recist11 import conformance
from trialimg.criteria.thresholds import Quantity

__all__ = ["NEEDS_LESIONS", "Facts", "Rules", "Sample", "assess", "combined", "conformance", "judge_ca125"]

NEEDS_LESIONS = False
"""CA-125 is judged without a table of lesions."""

_O = OverallResponse
_ONE = Decimal(1)
Answer = tuple[OverallResponse, Firing]


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    ca125: Decimal | None = None
    """U/mL."""
    recist: OverallResponse | None = None
    """Overall response by RECIST 1.1, where it does not come from lesions."""
    days_before_start: int | None = None
    """At baseline: how long before the start of treatment the sample was taken."""
    mouse_antibody: bool = False
    """Mouse antibody received, which interferes with the assay."""
    days_since_surgery: int | None = None
    """Since surgery of peritoneum or pleura."""
    same_assay: bool | None = None
    """As at baseline."""


@dataclass(frozen=True)
class Rules(recist11.Rules):
    """The numbers of RECIST 1.1 for lesions, and those of GCIG for CA-125."""

    uln: Decimal = Decimal(35)
    """Upper limit of normal of the trial's assay, U/mL."""
    evaluable_uln: Decimal = Decimal(2)
    """Evaluable for response from so many times the upper limit of normal."""
    evaluable_days: int = 14
    """Longest time from the sample of baseline to the start of treatment."""
    surgery_days: int = 28
    response_decrease: Decimal = Decimal("0.50")
    response_days: int = 28
    variability: Decimal = Decimal("0.10")
    """Rise from one value to the next that a response tolerates."""
    progression_factor: Decimal = Decimal(2)
    progression_days: int = 7
    recist_bars_ca125_pd: bool = False
    """Progression by CA-125 alone does not count beside CR or PR by RECIST."""


@dataclass(frozen=True)
class Sample:
    """One value of CA-125."""

    id: str
    day: int
    """Days since baseline."""
    value: Decimal | None
    """U/mL; None: not measured, or not to be used."""
    why_not: str = ""


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up: CA-125, lesions by RECIST 1.1, and both together.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Returns
    -------
    tuple of CriterionAssessment
        One per follow-up, with the parts ``ca125`` and ``recist``.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/gcig.md``.
    """
    followed, known = tuple(tracks), facts or {}
    at = [known.get(timepoint.id, Facts()) for timepoint in timepoints]
    lesions = recist11.assess(followed, designations, timepoints, rules)
    samples = [_sample(t, (t.date - timepoints[0].date).days, f, rules) for t, f in zip(timepoints, at, strict=True)]
    marker = judge_ca125(samples, rules)
    answers: list[CriterionAssessment] = []
    for index, (lesion, (word, why)) in enumerate(zip(lesions, marker, strict=True), start=1):
        values = [sample.value for sample in samples[:index] if sample.value is not None]
        measure = Measure("ca125_u_ml", samples[index].value, samples[0].value, min(values, default=None))
        recist, because = _recist(lesion, at[index], has_lesions=bool(followed))
        together = combined(recist, word, rules)
        decided = Firing("GCIG/CA5", f"RECIST {recist.value}, CA-125 {word.value}: overall {together.value}")
        answers.append(
            CriterionAssessment(
                lesion.timepoint,
                lesion.target,
                lesion.non_target,
                lesion.new_lesion,
                together,
                lesion.sums,
                (*because, why, decided),
                lesion.settings,
                (measure,),
                {"recist": recist, "ca125": word},
            )
        )
    return tuple(answers)


def combined(recist: OverallResponse, ca125: OverallResponse, rules: Rules = _DEFAULT) -> OverallResponse:
    """The word of RECIST and CA-125 together (CA5)."""
    responds = recist in (_O.CR, _O.PR)
    if recist is _O.PD or (ca125 is _O.PD and not (responds and rules.recist_bars_ca125_pd)):
        return _O.PD
    if recist in (_O.NE, _O.ND, _O.NED):
        return ca125
    if recist is _O.CR:
        return _O.CR if ca125 in (_O.CR, _O.NE) else _O.PR
    if ca125 in (_O.CR, _O.PR):
        return _O.PR
    return recist


def judge_ca125(samples: Sequence[Sample], rules: Rules) -> tuple[Answer, ...]:
    """The word of CA-125 at every timepoint after baseline; the first sample is that of baseline."""
    answers: list[Answer] = []
    held = _responses(samples, rules)
    progressed = False
    for index in range(1, len(samples)):
        sample = samples[index]
        rise = None if progressed else _progression(samples, index, rules)
        if sample.value is None:
            answers.append((_O.NE, Firing("GCIG/CA1", f"{sample.why_not}: NE")))
        elif progressed:
            answers.append((_O.PD, Firing("GCIG/CA3", "progression by CA-125 before: PD")))
        elif rise is not None:
            progressed = True
            answers.append((_O.PD, rise))
        else:
            answers.append(held.get(index) or _no_response(samples, index, rules))
    return tuple(answers)


def _sample(timepoint: Timepoint, day: int, fact: Facts, rules: Rules) -> Sample:
    why = "CA-125 not measured"
    if fact.mouse_antibody:
        why = "mouse antibody interferes with the assay"
    elif fact.same_assay is False:
        why = "another assay than at baseline"
    elif fact.days_since_surgery is not None and fact.days_since_surgery < rules.surgery_days:
        why = f"surgery {fact.days_since_surgery} days before, less than {rules.surgery_days}"
    elif timepoint.order == 0 and fact.days_before_start is not None and fact.days_before_start > rules.evaluable_days:
        why = f"taken {fact.days_before_start} days before start, more than {rules.evaluable_days}"
    else:
        return Sample(timepoint.id, day, fact.ca125, why)
    return Sample(timepoint.id, day, None, why)


def _recist(
    lesion: TimepointAssessment, fact: Facts, *, has_lesions: bool
) -> tuple[OverallResponse, tuple[Firing, ...]]:
    if fact.recist is not None:
        return fact.recist, (Firing("GCIG/CA0", f"RECIST {fact.recist.value} as the assessments say"),)
    if not has_lesions:
        return _O.NE, (Firing("GCIG/CA0", "no lesion recorded: RECIST NE"),)
    return lesion.overall, lesion.rule


def _progression(samples: Sequence[Sample], index: int, rules: Rules) -> Firing | None:
    """Progression at a sample, confirmed by the first one late enough; None where there is none."""
    baseline, value = samples[0].value, samples[index].value
    earlier = [sample.value for sample in samples[:index] if sample.value is not None]
    if baseline is None or value is None:
        return None
    category, reference = "B", Quantity("nadir", min(earlier), "U/mL")
    if baseline <= rules.uln:
        category, reference = "C", Quantity("ULN", rules.uln, "U/mL")
    elif min(earlier) <= rules.uln:
        category, reference = "A", Quantity("ULN", rules.uln, "U/mL")
    risen = Quantity("CA-125", value, "U/mL").at_least(rules.progression_factor, reference)
    if not risen.met:
        return None
    for later in samples[index + 1 :]:
        if later.value is None or later.day - samples[index].day < rules.progression_days:
            continue
        if later.value < rules.progression_factor * reference.value:
            return None
        apart = later.day - samples[index].day
        sentence = f"category {category}: {risen.sentence}; confirmed by {later.value} U/mL after {apart} days: PD"
        return Firing("GCIG/CA3", sentence, {**risen.numbers, "category": category})
    return None


def _responses(samples: Sequence[Sample], rules: Rules) -> dict[int, Answer]:
    """The samples that belong to a response held long enough, with their word."""
    baseline = samples[0].value
    found: dict[int, Answer] = {}
    if baseline is None or baseline < rules.evaluable_uln * rules.uln:
        return found
    for start in range(1, len(samples)):
        if start in found or not _halved(samples[start], baseline, rules):
            continue
        chain = _chain(samples, start, rules)
        apart = samples[chain[-1]].day - samples[start].day
        if apart >= rules.response_days:
            found |= {index: _responding(samples, index, (start, chain[-1]), rules) for index in chain}
    return found


def _halved(sample: Sample, baseline: Decimal, rules: Rules) -> bool:
    return sample.value is not None and sample.value <= (_ONE - rules.response_decrease) * baseline


def _chain(samples: Sequence[Sample], start: int, rules: Rules) -> list[int]:
    """The measured samples from the first halved one on, none of them above the one before beyond variability."""
    chain = [start]
    for index in range(start + 1, len(samples)):
        value, previous = samples[index].value, samples[chain[-1]].value
        if value is None or previous is None:
            continue
        steady = value <= (_ONE + rules.variability) * previous or value <= rules.uln
        if not steady:
            break
        chain.append(index)
    return chain


def _responding(samples: Sequence[Sample], index: int, ends: tuple[int, int], rules: Rules) -> Answer:
    baseline, value = samples[0].value or Decimal(0), samples[index].value or Decimal(0)
    fell = Quantity("CA-125", value, "U/mL").at_most(
        _ONE - rules.response_decrease, Quantity("baseline", baseline, "U/mL")
    )
    first, last = samples[ends[0]], samples[ends[1]]
    word = _O.CR if value <= rules.uln else _O.PR
    normal = f", normal (<= {rules.uln})" if word is _O.CR else ""
    limit = _ONE + rules.variability
    held = f"from {first.id} held to {last.id}, {last.day - first.day} days, no value above {limit} x the last"
    return word, Firing("GCIG/CA2", f"{fell.sentence}{normal}; {held}: {word.value}", fell.numbers)


def _no_response(samples: Sequence[Sample], index: int, rules: Rules) -> Answer:
    baseline, value = samples[0].value, samples[index].value
    limit = rules.evaluable_uln * rules.uln
    if baseline is None:
        return _O.NE, Firing("GCIG/CA1", f"baseline: {samples[0].why_not}: NE")
    if baseline < limit:
        sentence = f"baseline {baseline} < {rules.evaluable_uln} x ULN {rules.uln} = {limit} U/mL, and no PD: NE"
        return _O.NE, Firing("GCIG/CA1", sentence)
    what = "a decrease by half not held" if _halved(samples[index], baseline, rules) else "neither halved nor doubled"
    return _O.SD, Firing("GCIG/CA2", f"{value} U/mL of baseline {baseline} U/mL: {what}: SD")
