"""What the trial comes to beside its main estimates: arms two by two, other rules of censoring, subgroups, readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from trialimg.core.errors import ReadingError
from trialimg.core.responses import BestOverallResponse
from trialimg.endpoints.results import SubjectEndpoints, TimeToEvent
from trialimg.endpoints.settings import Censoring
from trialimg.protocol.analysis import Statistics
from trialimg.protocol.model import Protocol
from trialimg.services.analyse_endpoints import Discrepancies, discrepancies
from trialimg.services.cohort import ALL
from trialimg.services.other_censoring import under_other_censoring, with_other_censoring
from trialimg.services.results import (
    ArmComparison,
    BurdenSummary,
    CohortAnalyses,
    Concordance,
    SubgroupEffect,
    SubjectResult,
    SurvivalOnDay,
    TimeAnalysis,
)
from trialimg.stats.cox import Histories, cox
from trialimg.stats.design import design_of
from trialimg.stats.kappa import cohen_kappa, cross_table
from trialimg.stats.log_rank import log_rank
from trialimg.stats.rates import rate
from trialimg.stats.results import Estimate, SurvivalCurve
from trialimg.stats.survival import kaplan_meier, survival_at

__all__ = ["cohort_analyses"]

Timed = Sequence[tuple[SubjectResult, TimeToEvent]]
_FEWEST_EVENTS = 5
"""A subgroup with fewer events in both arms together has no hazard ratio worth printing."""
_TIME_TO_PROGRESSION = "Time to progression"
_SURVIVAL = "Progression-free survival"


def cohort_analyses(
    subjects: Sequence[SubjectResult],
    further: Sequence[SubjectResult],
    covariates: Mapping[str, Mapping[str, str]],
    protocol: Protocol,
) -> CohortAnalyses:
    """Every analysis that the data allow; one that they do not allow says why.

    Parameters
    ----------
    further
        What other assessors found of the same subjects.
    covariates
        Subject to baseline characteristic to its category.
    """
    statistics = protocol.statistics
    times = tuple(_time_analyses(subjects, protocol))
    main = _timed(subjects, lambda found: found.progression_free_survival)
    return CohortAnalyses(
        times,
        tuple(_on_days(main, protocol)),
        tuple(_burdens(subjects, protocol)),
        tuple(_subgroups(main, covariates, statistics)),
        tuple(_concordances(subjects, further, float(statistics.confidence))),
    )


def _groups(arms: Sequence[str]) -> tuple[str, ...]:
    return (ALL, *arms) if len(arms) > 1 else (ALL,)


def _of(group: str, subject: SubjectResult) -> bool:
    return group in (ALL, subject.subject.arm)


def _timed(subjects: Sequence[SubjectResult], which: Callable[[SubjectEndpoints], TimeToEvent | None]) -> Timed:
    found = [(s, which(s.endpoints)) for s in subjects if s.endpoints is not None]
    return [(s, time) for s, time in found if time is not None]


def _curve(timed: Timed, label: str, statistics: Statistics) -> SurvivalCurve:
    days, events = [time.days for _, time in timed], [time.event for _, time in timed]
    return kaplan_meier(days, events, label=label, confidence=float(statistics.confidence))


def _time_analyses(subjects: Sequence[SubjectResult], protocol: Protocol) -> Iterator[TimeAnalysis]:
    """Progression-free survival by the protocol's censoring, by the other authority's, and without deaths."""
    own = protocol.endpoints.settings
    others = [replace(one, endpoints=under_other_censoring(one, own)) for one in subjects]
    yield _analysis(_SURVIVAL, own.censoring, subjects, protocol)
    yield _analysis(_SURVIVAL, with_other_censoring(own).censoring, others, protocol)
    yield _analysis(_TIME_TO_PROGRESSION, own.censoring, subjects, protocol)


def _analysis(name: str, censoring: Censoring, subjects: Sequence[SubjectResult], protocol: Protocol) -> TimeAnalysis:
    def which(found: SubjectEndpoints) -> TimeToEvent | None:
        return found.progression_free_survival if name == _SURVIVAL else found.time_to_progression

    timed, statistics = _timed(subjects, which), protocol.statistics
    curves = [(g, _curve([one for one in timed if _of(g, one[0])], g, statistics)) for g in _groups(protocol.arms)]
    deaths = tuple((g, sum(_is_death(*one) for one in timed if _of(g, one[0]))) for g, _ in curves)
    return TimeAnalysis(
        name,
        censoring.value,
        tuple((g, replace(curve.median_days, n=curve.n, events=curve.events)) for g, curve in curves),
        deaths,
        tuple(_comparisons(timed, statistics)),
    )


def _is_death(subject: SubjectResult, time: TimeToEvent) -> bool:
    """Whether a death without an earlier progression ended the time."""
    progressed = subject.endpoints is not None and subject.endpoints.progression_date is not None
    return time.event and not (progressed and subject.endpoints.progression_date <= time.date)  # type: ignore[union-attr,operator]


def _comparisons(timed: Timed, statistics: Statistics) -> Iterator[ArmComparison]:
    """Each arm against the control arm, the two of them alone."""
    if not statistics.compare_arms:
        return
    control = statistics.control_arm or statistics.compare_arms[0]
    for arm in statistics.compare_arms:
        if arm != control:
            yield _comparison(timed, arm, control, float(statistics.confidence))


def _comparison(timed: Timed, arm: str, control: str, confidence: float) -> ArmComparison:
    both = [one for one in timed if one[0].subject.arm in (arm, control)]
    days, events = [time.days for _, time in both], [int(time.event) for _, time in both]
    arms = [subject.subject.arm for subject, _ in both]
    n, count = len(both), sum(events)
    try:
        test = log_rank(days, events, arms)
        term = cox(
            Histories(days, events), design_of({"arm": arms}, references={"arm": control}), confidence=confidence
        ).terms[0]
    except ReadingError as refused:
        nothing = Estimate(None, None, None, confidence, "Cox model, Efron ties", n, count)
        return ArmComparison(arm, control, nothing, None, str(refused))
    ratio = Estimate(term.ratio, term.lower, term.upper, confidence, "Cox model, Efron ties", n, count, p=term.p)
    return ArmComparison(arm, control, ratio, test)


def _on_days(timed: Timed, protocol: Protocol) -> Iterator[SurvivalOnDay]:
    for group in _groups(protocol.arms):
        curve = _curve([one for one in timed if _of(group, one[0])], group, protocol.statistics)
        for day in protocol.statistics.survival_at_days if curve.n else ():
            yield SurvivalOnDay(group, day, survival_at(curve, day))


def _burdens(subjects: Sequence[SubjectResult], protocol: Protocol) -> Iterator[BurdenSummary]:
    """Best change of the sum from baseline, by arm."""
    rules = protocol.response.rules
    fall = getattr(rules, "pr_decrease", None)
    rise = getattr(rules, "pd_increase", None)
    for group in _groups(protocol.arms):
        members = [s for s in subjects if _of(group, s)]
        found = [s.endpoints.burden.best_change_pct for s in members if s.endpoints is not None]
        known = sorted(change for change in found if change is not None)
        yield BurdenSummary(
            group,
            len(members),
            len(known),
            median(known) if known else None,
            known[0] if known else None,
            known[-1] if known else None,
            None if fall is None else sum(change <= -100 * fall for change in known),
            None if rise is None else sum(change >= 100 * rise for change in known),
        )


def _subgroups(
    timed: Timed, covariates: Mapping[str, Mapping[str, str]], statistics: Statistics
) -> Iterator[SubgroupEffect]:
    """The hazard ratio of every two arms in each category of each characteristic that has two or more."""
    names = sorted({name for known in covariates.values() for name in known})
    control = statistics.control_arm or next(iter(statistics.compare_arms), "")
    for arm in statistics.compare_arms:
        for name in names if arm != control else ():
            levels = Counter(covariates.get(s.subject.id, {}).get(name, "") for s, _ in timed)
            for level in sorted(level for level in levels if level and len(levels) > 1):
                part = [one for one in timed if covariates.get(one[0].subject.id, {}).get(name) == level]
                yield SubgroupEffect(name, level, _in_subgroup(part, arm, control, statistics))


def _in_subgroup(part: Timed, arm: str, control: str, statistics: Statistics) -> ArmComparison:
    confidence = float(statistics.confidence)
    both = [time for subject, time in part if subject.subject.arm in (arm, control)]
    events = sum(time.event for time in both)
    if events >= _FEWEST_EVENTS:
        return _comparison(part, arm, control, confidence)
    nothing = Estimate(None, None, None, confidence, "Cox model, Efron ties", len(both), events)
    return ArmComparison(arm, control, nothing, None, f"fewer than {_FEWEST_EVENTS} events")


def _concordances(
    subjects: Sequence[SubjectResult], further: Sequence[SubjectResult], confidence: float
) -> Iterator[Concordance]:
    """Each further assessor against the reads that count, over the subjects that both read."""
    main = {s.subject.id: s for s in subjects if s.endpoints is not None}
    names = dict.fromkeys(one.assessor.name for one in further if one.assessor is not None)
    for name in names:
        pairs = [
            (main[one.subject.id], one)
            for one in further
            if one.assessor is not None and one.assessor.name == name
            and one.endpoints is not None and one.subject.id in main
        ]  # fmt: skip
        if pairs:
            yield _concordance(name, pairs, confidence)


def _concordance(name: str, pairs: Sequence[tuple[SubjectResult, SubjectResult]], confidence: float) -> Concordance:
    best = [(a.endpoints.best.response, b.endpoints.best.response) for a, b in pairs if a.endpoints and b.endpoints]
    dates = [
        (a.endpoints.progression_date, b.endpoints.progression_date) for a, b in pairs if a.endpoints and b.endpoints
    ]
    used = [word.value for word in BestOverallResponse if any(word in pair for pair in best)]
    first, second = [a.value for a, _ in best], [b.value for _, b in best]
    table = cross_table(first, second, categories=used)
    agreed = sum(a == b for a, b in best)
    kappa = cohen_kappa(table, confidence=confidence) if len(used) > 1 else None
    found = discrepancies([a for a, _ in dates], [b for _, b in dates])
    return Concordance(
        name,
        rate(agreed, len(best), confidence=confidence, method="wilson"),
        kappa,
        tuple(used),
        tuple(tuple(int(n) for n in row) for row in table.tolist()),
        tuple((field, getattr(found, field)) for field in Discrepancies.__dataclass_fields__),
        found.early_rate,
        found.late_rate,
    )
