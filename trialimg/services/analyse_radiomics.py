"""Features against outcomes: which go with survival or response, which hold still, which say the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import mean

import numpy as np

from trialimg.core.errors import ReadingError
from trialimg.services.radiomics_odds import OddsRatio, odds_ratios
from trialimg.services.radiomics_table import FeatureTable, LesionFeatures, SubjectOutcome
from trialimg.stats.association import Clusters, area_under_curve, correlation_clusters, hazard_per_sd
from trialimg.stats.multiplicity import adjust_p
from trialimg.stats.reliability import intraclass_correlation
from trialimg.stats.results import Estimate

__all__ = [
    "LEAST_PAIRS",
    "LEAST_SUBJECTS",
    "Associated",
    "Clusters",
    "Course",
    "FeatureEffect",
    "FeatureStability",
    "Outcome",
    "Pick",
    "Question",
    "Stability",
    "associated",
    "clusters",
    "course_of",
    "stability",
]

LEAST_PAIRS = 5
"""Pairs below which an intraclass correlation is not computed."""
LEAST_SUBJECTS = 6
STABLE_CHANGE_PCT = 10.0
_PERCENT = 100.0


class Outcome(Enum):
    """What features are held against."""

    PFS = "pfs"
    RESPONSE = "response"


class Pick(Enum):
    """What stands for a subject with several lesions."""

    LARGEST = "largest"
    """The target that was largest at the subject's first visit."""
    MEAN = "mean"
    """The mean over all targets."""


@dataclass(frozen=True)
class Question:
    """What is asked of a table of features."""

    outcome: Outcome = Outcome.PFS
    timepoint: str = ""
    """Visit of the values; empty: baseline."""
    change: bool = False
    """Change from baseline in percent of its magnitude, instead of the value."""
    pick: Pick = Pick.LARGEST
    confidence: float = 0.95


@dataclass(frozen=True)
class FeatureEffect:
    """One feature against the outcome."""

    feature: str
    effect: float | None
    """Log hazard ratio of one standard deviation, or 2 x AUC - 1; None where it cannot be estimated."""
    estimate: float | None
    """The same as people read it: hazard ratio, or AUC; so are its limits."""
    lower: float | None
    upper: float | None
    p: float | None
    q: float | None
    """By Benjamini and Hochberg over all features that have a p."""
    n: int
    events: int
    note: str
    """Why there is no estimate or what weakens it; empty otherwise."""
    odds: OddsRatio | None = None
    """Of a response, beside its AUC; None of survival, and where too few subjects have the feature."""


@dataclass(frozen=True)
class Associated:
    """Every feature against an outcome."""

    question: Question
    subjects: int
    events: int
    effects: tuple[FeatureEffect, ...]
    """The smallest p first."""
    warnings: tuple[str, ...]
    """Codes with a sentence."""


@dataclass(frozen=True)
class FeatureStability:
    """How far a feature holds still in lesions that do."""

    feature: str
    icc: float | None
    lower: float | None
    upper: float | None
    n: int


@dataclass(frozen=True)
class Stability:
    """Between visits, in lesions whose diameter hardly changed; empty with the reason where that cannot be measured."""

    features: tuple[FeatureStability, ...]
    pairs: int
    why_not: str = ""


@dataclass(frozen=True)
class Course:
    """One feature of one lesion at one visit."""

    subject: str
    lesion: str
    organ: str
    timepoint: str
    day: int | None
    value: float
    change_pct: float | None
    """From the lesion's first visit, in percent of its magnitude there; None at that visit and where it was 0."""


def associated(table: FeatureTable, asked: Question) -> Associated:
    """Every feature of a table against an outcome, one at a time.

    Values after baseline are held against the time from then on, in those who are still without an event (a landmark):
    a subject cannot progress before the visit at which the value was measured.

    Raises
    ------
    ReadingError
        If the table has no such visit, or too few subjects have both values and outcome.
    """
    step = _step(table, asked)
    found = {name: one for name, one in _subjects(table, asked, step).items() if _is_known(table, name, asked.outcome)}
    days = {name: day for name, (_, day) in found.items()}
    after = {name: _after(table.outcomes[name], days[name], asked) for name in found}
    used = {name: found[name][0] for name, outcome in after.items() if outcome is not None}
    if len(used) < LEAST_SUBJECTS:
        what = f"{len(used)} subject(s) have features at {step} and a known outcome"
        raise ReadingError(f"{table.source}: {what}; {LEAST_SUBJECTS} are needed")
    outcomes = {name: after[name] for name in used}
    features = sorted({feature for values in used.values() for feature in values})
    samples = {name: _sample(name, used, outcomes, asked.outcome) for name in features}
    estimates = {name: _estimated(sample, asked) for name, sample in samples.items()}
    known = [name for name, one in estimates.items() if one.p is not None]
    adjusted = dict(zip(known, adjust_p([estimates[name].p or 0.0 for name in known], method="bh"), strict=True))
    effects = [_effect(name, one, adjusted.get(name), asked.outcome) for name, one in estimates.items()]
    if asked.outcome is Outcome.RESPONSE:
        comparable = {name: samples[name].numbers for name in known}
        odds = odds_ratios(comparable, confidence=asked.confidence)
        effects = [replace(one, odds=odds.get(one.feature)) for one in effects]
    effects.sort(key=lambda one: (one.p is None, one.p, one.feature))
    events = sum(bool(_has(one, asked.outcome)) for one in outcomes.values() if one is not None)
    warnings = list(_warnings(len(used), events, len(known), asked, left_out=len(found) - len(used)))
    if asked.outcome is Outcome.PFS and step != table.timepoints[0] and any(days[name] is None for name in used):
        warnings.append("no_landmark: the day of the visit is not known, so time before it was counted as well")
    return Associated(asked, len(used), events, tuple(effects), tuple(warnings))


def _step(table: FeatureTable, asked: Question) -> str:
    if not table.timepoints:
        raise ReadingError(f"{table.source}: no lesion has features; ask for them in the protocol (radiomics)")
    step = asked.timepoint or table.timepoints[0]
    if step not in table.timepoints:
        raise ReadingError(f"{table.source}: no visit is called {step!r}; there are {', '.join(table.timepoints)}")
    if asked.change and step == table.timepoints[0]:
        raise ReadingError(f"{table.source}: a change needs a visit after {step}, the first one")
    return step


def _subjects(table: FeatureTable, asked: Question, step: str) -> dict[str, tuple[dict[str, float], int | None]]:
    """Subject to the values that stand for them, and the day of the visit."""
    targets: dict[str, list[LesionFeatures]] = {}
    for one in table.lesions:
        if one.role == "target":
            targets.setdefault(one.subject, []).append(one)
    found: dict[str, tuple[dict[str, float], int | None]] = {}
    for subject, lesions in targets.items():
        chosen = _largest(lesions) if asked.pick is Pick.LARGEST else {one.lesion for one in lesions}
        here = [one for one in lesions if one.timepoint == step and one.lesion in chosen]
        first = {one.lesion: one for one in lesions if one.order == 0}
        sets = [_changes(one, first.get(one.lesion)) if asked.change else dict(one.values) for one in here]
        values = _means([one for one in sets if one])
        if values:
            found[subject] = values, here[0].day
    return found


def _largest(lesions: Sequence[LesionFeatures]) -> set[str]:
    start = min(one.order for one in lesions)
    sized = [one for one in lesions if one.order == start]
    largest = max(sized, key=lambda one: (one.diameter_mm or 0.0, one.lesion))
    return {largest.lesion}


def _changes(one: LesionFeatures, first: LesionFeatures | None) -> dict[str, float]:
    if first is None:
        return {}
    pairs = ((name, value, first.values.get(name)) for name, value in one.values.items())
    return {name: change for name, value, base in pairs if (change := _change_pct(value, base)) is not None}


def _change_pct(value: float, base: float | None) -> float | None:
    return None if not base else _PERCENT * (value - base) / abs(base)


def _means(sets: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = {name for one in sets for name in one}
    return {name: mean(one[name] for one in sets if name in one) for name in names}


def _is_known(table: FeatureTable, subject: str, outcome: Outcome) -> bool:
    found = table.outcomes.get(subject, SubjectOutcome())
    if outcome is Outcome.RESPONSE:
        return found.group is not None
    return found.days is not None and found.event is not None


def _after(found: SubjectOutcome, day: int | None, asked: Question) -> SubjectOutcome | None:
    """The outcome counted from the visit on; None for whom it had come by then."""
    if asked.outcome is Outcome.RESPONSE or day is None or day <= 0 or found.days is None:
        return found
    left = found.days - day
    return SubjectOutcome(left, found.event, found.group) if left > 0 else None


def _has(found: SubjectOutcome | None, outcome: Outcome) -> bool | None:
    if found is None:
        return None
    return found.event if outcome is Outcome.PFS else found.group


@dataclass(frozen=True)
class _Sample:
    """Those subjects in whom a feature is defined."""

    values: list[float]
    days: list[float]
    has: list[bool]

    @property
    def numbers(self) -> tuple[list[float], list[bool]]:
        return self.values, self.has


def _sample(
    feature: str,
    used: Mapping[str, Mapping[str, float]],
    outcomes: Mapping[str, SubjectOutcome | None],
    outcome: Outcome,
) -> _Sample:
    here = [(values[feature], outcomes[name]) for name, values in used.items() if feature in values]
    known = [(value, one) for value, one in here if one is not None]
    days = [one.days or 0.0 for _, one in known]
    return _Sample([value for value, _ in known], days, [bool(_has(one, outcome)) for _, one in known])


def _estimated(sample: _Sample, asked: Question) -> Estimate:
    n, events, confidence = len(sample.values), sum(sample.has), asked.confidence
    if n < LEAST_SUBJECTS or not events or (asked.outcome is Outcome.RESPONSE and events == n):
        return Estimate(None, None, None, confidence, "", n, events, ("too_few: too few to compare",))
    if asked.outcome is Outcome.PFS:
        return hazard_per_sd(sample.values, sample.days, sample.has, confidence=confidence)
    return area_under_curve(sample.values, sample.has, confidence=confidence)


def _effect(feature: str, one: Estimate, q: float | None, outcome: Outcome) -> FeatureEffect:
    note = one.warnings[0].partition(":")[0] if one.warnings else ""
    if outcome is Outcome.PFS:
        effect = one.value
        value, lower, upper = (None if v is None else math.exp(v) for v in (one.value, one.lower, one.upper))
    else:
        effect = None if one.value is None else 2 * one.value - 1
        value, lower, upper = one.value, one.lower, one.upper
    return FeatureEffect(feature, effect, value, lower, upper, one.p, q, one.n, one.events, note)


def _warnings(n: int, events: int, tested: int, asked: Question, *, left_out: int) -> Iterator[str]:
    few = min(events, n - events) if asked.outcome is Outcome.RESPONSE else events
    yield f"multiplicity: {tested} features were tested one by one; read q, not p, and confirm in other data"
    if few < 10:
        yield f"small_n: {n} subjects and {few} in the smaller outcome; effects of this size come and go by chance"
    if left_out:
        yield f"landmark: {left_out} subject(s) had an event or left before the visit and are not in it"
    if asked.outcome is Outcome.RESPONSE and (asked.change or asked.timepoint):
        yield "circular: response is read off the size of the same lesions; shape and volume go with it by definition"


def stability(table: FeatureTable, *, within_pct: float = STABLE_CHANGE_PCT, confidence: float = 0.95) -> Stability:
    """How far each feature holds still between the first two visits of lesions whose diameter did.

    Parameters
    ----------
    within_pct
        Largest change of a lesion's diameter, in percent, with which it counts as unchanged.

    Notes
    -----
    ICC(2,1), absolute agreement. A lower bound of what repeated imaging would show: a lesion may change inside while
    its diameter does not.
    """
    pairs = list(_still(table, within_pct))
    if len(pairs) < LEAST_PAIRS:
        return Stability((), len(pairs), "too_few")
    found = [_held(name, pairs, confidence) for name in table.features]
    known = sorted((one for one in found if one is not None), key=lambda one: (-(one.icc or 0.0), one.feature))
    return Stability(tuple(known), len(pairs))


def _still(table: FeatureTable, within_pct: float) -> Iterator[tuple[LesionFeatures, LesionFeatures]]:
    courses: dict[tuple[str, str], list[LesionFeatures]] = {}
    for one in sorted(table.lesions, key=lambda one: one.order):
        courses.setdefault((one.subject, one.lesion), []).append(one)
    for first, second, *_ in (own for own in courses.values() if len(own) > 1):
        if first.diameter_mm and second.diameter_mm:
            change = _PERCENT * abs(second.diameter_mm - first.diameter_mm) / first.diameter_mm
            if change <= within_pct:
                yield first, second


def _held(
    name: str, pairs: Sequence[tuple[LesionFeatures, LesionFeatures]], confidence: float
) -> FeatureStability | None:
    ratings = [(a.values[name], b.values[name]) for a, b in pairs if name in a.values and name in b.values]
    if len(ratings) < LEAST_PAIRS or len({value for pair in ratings for value in pair}) == 1:
        return None
    icc = intraclass_correlation(ratings, form="ICC2", confidence=confidence)
    return FeatureStability(name, icc.value, icc.lower, icc.upper, len(ratings))


def clusters(table: FeatureTable, asked: Question, *, at: float = 0.9) -> tuple[Clusters, tuple[str, ...]]:
    """Features that rise and fall together over subjects, and those left out because they lack values or do not vary.

    Raises
    ------
    ReadingError
        If the table has no such visit, or fewer than three subjects have features there.
    """
    found = [values for values, _ in _subjects(table, asked, _step(table, asked)).values()]
    every = sorted({name for values in found for name in values})
    whole = [name for name in every if all(name in values for values in found)]
    usable = [name for name in whole if np.ptp([values[name] for values in found]) > 0]
    left_out = tuple(name for name in every if name not in usable)
    if not usable:
        raise ReadingError(f"{table.source}: no feature is known in every subject and varies")
    return correlation_clusters(usable, [[values[name] for name in usable] for values in found], at=at), left_out


def course_of(table: FeatureTable, feature: str) -> tuple[Course, ...]:
    """One feature of every lesion over its visits."""
    first: dict[tuple[str, str], float] = {}
    found: list[Course] = []
    for one in sorted(table.lesions, key=lambda one: (one.subject, one.lesion, one.order)):
        if feature not in one.values:
            continue
        value, key = one.values[feature], (one.subject, one.lesion)
        is_first = key not in first
        base = first.setdefault(key, value)
        change = None if is_first else _change_pct(value, base)
        found.append(Course(one.subject, one.lesion, one.organ, one.timepoint, one.day, value, change))
    return tuple(found)
