"""The trial's estimates as one table: a row per measure and arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.adapters.exporters.cells import Column
from trialimg.core.responses import BestOverallResponse
from trialimg.services.cohort import ALL
from trialimg.services.results import ArmComparison, BurdenSummary, CohortAnalyses, TimeAnalysis, TrialResult
from trialimg.stats.results import Estimate

__all__ = ["ANALYSIS_COLUMNS", "AnalysisRow", "analysis_rows"]

Number = float | int | Decimal | None


@dataclass(frozen=True)
class AnalysisRow:
    """One number with its limits."""

    analysis: str
    measure: str
    group: str
    value: Number
    lower: Number = None
    upper: Number = None
    p: Number = None
    n: int | None = None
    events: int | None = None
    against: str = ""
    note: str = ""


def analysis_rows(result: TrialResult) -> Iterator[AnalysisRow]:
    """Responses, times, comparisons, subgroups and readers, in this order."""
    yield from _responses(result)
    analyses = result.analyses
    if analyses is not None:
        for time in analyses.times:
            yield from _time(time)
        yield from _on_days(analyses)
        for burden in analyses.burdens:
            yield from _burden(burden)
        yield from _subgroups(analyses)
        yield from _concordances(analyses)


def _responses(result: TrialResult) -> Iterator[AnalysisRow]:
    rates = (
        ("objective_response", result.cohort.objective_response),
        ("disease_control", result.cohort.disease_control),
    )
    for arm, estimate in result.cohort.objective_response:
        members = [s for s in result.subjects if arm in (ALL, s.subject.arm)]
        yield AnalysisRow("response", "subjects", arm, len(members), n=len(members))
        counts = Counter(s.endpoints.best.response for s in members if s.endpoints is not None)
        for word in BestOverallResponse:
            if counts[word] or word.value in ("CR", "PR", "SD", "PD", "NE"):
                yield AnalysisRow("response", f"best_response {word.value}", arm, counts[word], n=len(members))
        without = sum(s.endpoints is None for s in members)
        yield AnalysisRow("response", "no_usable_baseline", arm, without, n=estimate.n)
    for measure, estimates in rates:
        for arm, estimate in estimates:
            yield _estimated("response", measure, arm, estimate)


def _estimated(analysis: str, measure: str, group: str, found: Estimate, *, note: str = "") -> AnalysisRow:
    return AnalysisRow(
        analysis, measure, group, found.value, found.lower, found.upper, found.p, found.n, found.events,
        note=note or "; ".join((found.method, *found.warnings)),
    )  # fmt: skip


def _time(time: TimeAnalysis) -> Iterator[AnalysisRow]:
    name = f"{time.name.lower().replace(' ', '_').replace('-', '_')} {time.censoring}"
    deaths = dict(time.deaths)
    for arm, found in time.medians_days:
        yield AnalysisRow(name, "events", arm, found.events, n=found.n, events=found.events)
        yield AnalysisRow(name, "events_progression", arm, found.events - deaths[arm], n=found.n, events=found.events)
        yield AnalysisRow(name, "events_death", arm, deaths[arm], n=found.n, events=found.events)
        yield AnalysisRow(name, "censored", arm, found.n - found.events, n=found.n, events=found.events)
        yield _estimated(name, "median_days", arm, found)
    for comparison in time.comparisons:
        yield from _compared(name, comparison)


def _compared(name: str, found: ArmComparison, group: str = "") -> Iterator[AnalysisRow]:
    ratio, test = found.hazard_ratio, found.log_rank
    arm = f"{group}: {found.arm}" if group else found.arm
    yield AnalysisRow(
        name, "hazard_ratio", arm, ratio.value, ratio.lower, ratio.upper, ratio.p, ratio.n, ratio.events,
        found.control, found.why_not or ratio.method,
    )  # fmt: skip
    if test is not None and not group:
        yield AnalysisRow(
            name, "log_rank_chi_square", arm, test.chi2, None, None, test.p, test.n, test.events, found.control,
            test.method,
        )  # fmt: skip


def _on_days(analyses: CohortAnalyses) -> Iterator[AnalysisRow]:
    for one in analyses.on_days:
        yield _estimated("progression_free_on_day", str(one.day), one.arm, one.share)


def _burden(found: BurdenSummary) -> Iterator[AnalysisRow]:
    measures = (
        ("measured", found.measured), ("median_pct", found.median_pct), ("lowest_pct", found.lowest_pct),
        ("highest_pct", found.highest_pct), ("decreased", found.decreased), ("increased", found.increased),
    )  # fmt: skip
    for measure, value in measures:
        yield AnalysisRow("best_change", measure, found.arm, value, n=found.n)


def _subgroups(analyses: CohortAnalyses) -> Iterator[AnalysisRow]:
    for one in analyses.subgroups:
        yield from _compared("subgroups", one.comparison, f"{one.characteristic} {one.category}")


def _concordances(analyses: CohortAnalyses) -> Iterator[AnalysisRow]:
    for one in analyses.concordances:
        yield _estimated("concordance", "best_response_agreement", one.assessor, one.agreement)
        if one.kappa is not None:
            yield _estimated("concordance", "best_response_kappa", one.assessor, one.kappa)
        for name, count in one.progressions:
            yield AnalysisRow("concordance", f"progression {name}", one.assessor, count, n=one.agreement.n)
        yield AnalysisRow("concordance", "early_discrepancy_rate", one.assessor, one.early_rate)
        yield AnalysisRow("concordance", "late_discrepancy_rate", one.assessor, one.late_rate)


ANALYSIS_COLUMNS: tuple[Column[AnalysisRow], ...] = (
    Column("analysis", lambda r: r.analysis),
    Column("measure", lambda r: r.measure),
    Column("group", lambda r: r.group),
    Column("against", lambda r: r.against),
    Column("value", lambda r: r.value),
    Column("lower", lambda r: r.lower),
    Column("upper", lambda r: r.upper),
    Column("p", lambda r: r.p),
    Column("n", lambda r: r.n),
    Column("events", lambda r: r.events),
    Column("note", lambda r: r.note),
)
