"""The trial in two tables: estimates by arm, and best overall response by arm."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.report.grid import Grid
from trialimg.adapters.exporters.wording import ABSENT, counted, interval, p_value, rate_text
from trialimg.core.responses import BestOverallResponse
from trialimg.endpoints.results import BestResponse, SubjectEndpoints
from trialimg.services.figures.responses import EVERYONE, arm_name, arms_of
from trialimg.services.figures.scales import DAYS_PER_MONTH
from trialimg.services.results import CohortResult, SubjectResult, TrialResult
from trialimg.stats.results import Estimate, SurvivalCurve

__all__ = ["Summary", "summary_of"]

NO_READ, NO_BASELINE = "No final read", "No usable baseline"

_WORDS = {
    BestOverallResponse.CR: "Complete response (CR)",
    BestOverallResponse.PR: "Partial response (PR)",
    BestOverallResponse.SD: "Stable disease (SD)",
    BestOverallResponse.NON_CR_NON_PD: "Non-CR/non-PD",
    BestOverallResponse.PD: "Progressive disease (PD)",
    BestOverallResponse.NE: "Not evaluable (NE)",
    BestOverallResponse.NED: "No evidence of disease",
    BestOverallResponse.MISSING: "No assessment after baseline",
}
_ALWAYS = (
    BestOverallResponse.CR,
    BestOverallResponse.PR,
    BestOverallResponse.SD,
    BestOverallResponse.PD,
    BestOverallResponse.NE,
)


@dataclass(frozen=True)
class Summary:
    """What the first page says."""

    sentence: str
    estimates: Grid
    best: Grid
    confirmed: Grid | None
    """None where confirmation changed nothing."""
    notes: tuple[str, ...]


def summary_of(result: TrialResult) -> Summary:
    """The cohort as its estimates have it; nothing is estimated here."""
    groups = _groups(result)
    best = _response_grid(groups, lambda e: e.best)
    confirmed = _response_grid(groups, lambda e: e.confirmed)
    return Summary(
        sentence=_sentence(result),
        estimates=_estimate_grid(result, groups),
        best=best,
        confirmed=confirmed if confirmed != best else None,
        notes=_notes(result, {arm for arm, _ in groups}),
    )


def _groups(result: TrialResult) -> list[tuple[str, list[SubjectResult]]]:
    """Each arm, then everyone, as in the other tables; with one arm there is nothing to set beside everyone."""
    everyone = (EVERYONE, list(result.subjects))
    if len(arms_of(result)) < 2:
        return [everyone]
    return [*((arm, [s for s in result.subjects if s.subject.arm == arm]) for arm in arms_of(result)), everyone]


def _sentence(result: TrialResult) -> str:
    assessments = sum(t.assessment is not None for s in result.subjects for t in s.timepoints)
    lesions = (lesion for s in result.subjects for t in s.timepoints for lesion in t.lesions)
    measured = sum(one.measurement is not None or one.observation.diameter_mm is not None for one in lesions)
    sites = {s.subject.site for s in result.subjects if s.subject.site}
    arms = arms_of(result)
    parts = [counted(len(result.subjects), "subject")]
    if sites:
        parts.append(counted(len(sites), "site"))
    if arms:
        parts.append(counted(len(arms), "arm"))
    parts += [counted(assessments, "assessment") + " after baseline", counted(measured, "lesion measurement")]
    return ", ".join(parts) + "."


def _estimate_grid(result: TrialResult, groups: Sequence[tuple[str, list[SubjectResult]]]) -> Grid:
    cohort = result.cohort
    orr, dcr, pfs = dict(cohort.objective_response), dict(cohort.disease_control), dict(cohort.progression_free)
    confidence = f"{100 * next(iter(orr.values())).confidence:g} %" if orr else ""
    rows: list[tuple[str, ...]] = [
        _row("Subjects", groups, lambda _, members: str(len(members))),
        _row("… with a usable baseline", groups, lambda _, members: str(sum(_usable(s) for s in members))),
        _row("… assessed after baseline", groups, lambda _, members: str(sum(_assessed(s) for s in members))),
        _row(f"Objective response rate ({confidence} CI)", groups, lambda arm, _: _rate(orr.get(arm))),
        _row(f"Disease control rate ({confidence} CI)", groups, lambda arm, _: _rate(dcr.get(arm))),
        _row("Progression or death", groups, lambda arm, _: _events(pfs.get(arm))),
        _row(f"Median PFS, months ({confidence} CI)", groups, lambda arm, _: _median(pfs.get(arm))),
    ]
    if len(groups) > 1:
        rows.append(_row("Arms compared (log-rank)", groups, lambda arm, _: _test(cohort) if arm == EVERYONE else ""))
    return Grid(("", *(arm_name(arm) for arm, _ in groups)), tuple(rows))


def _test(cohort: CohortResult) -> str:
    test = cohort.log_rank
    return f"{p_value(test.p)}\n(chi-square {test.chi2:.2f}, {test.df} df)" if test else "not made"


def _row(
    name: str,
    groups: Sequence[tuple[str, list[SubjectResult]]],
    cell: Callable[[str, list[SubjectResult]], str],
) -> tuple[str, ...]:
    return (name, *(cell(arm, members) for arm, members in groups))


def _usable(subject: SubjectResult) -> bool:
    return subject.endpoints is not None


def _unread(subject: SubjectResult) -> bool:
    return not subject.is_read


def _not_comparable(subject: SubjectResult) -> bool:
    return subject.is_read and not _usable(subject)


def _assessed(subject: SubjectResult) -> bool:
    return any(t.assessment is not None for t in subject.timepoints)


def _rate(estimate: Estimate | None) -> str:
    return rate_text(estimate) if estimate else ABSENT


def _events(curve: SurvivalCurve | None) -> str:
    return f"{curve.events} of {curve.n}" if curve and curve.n else ABSENT


def _median(curve: SurvivalCurve | None) -> str:
    if curve is None or not curve.n:
        return ABSENT
    return interval(curve.median_days, lambda days: f"{days / DAYS_PER_MONTH:.1f}", absent="not reached", between="\n")


def _response_grid(
    groups: Sequence[tuple[str, list[SubjectResult]]], which: Callable[[SubjectEndpoints], BestResponse]
) -> Grid:
    def count(members: Sequence[SubjectResult], response: BestOverallResponse) -> int:
        return sum(s.endpoints is not None and which(s.endpoints).response is response for s in members)

    everyone = groups[-1][1]
    listed = [word for word in _WORDS if word in _ALWAYS or count(everyone, word)]
    rows = [_row(_WORDS[w], groups, lambda _, m, w=w: _share(count(m, w), len(m))) for w in listed]  # type: ignore[misc]
    for name, is_so in ((NO_READ, _unread), (NO_BASELINE, _not_comparable)):
        if any(map(is_so, everyone)):
            shares = (_share(sum(map(is_so, members)), len(members)) for _, members in groups)
            rows.append((name, *shares))
    return Grid(("", *(f"{arm_name(arm)} (n = {len(members)})" for arm, members in groups)), tuple(rows))


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.1f} %)" if of else ABSENT


def _notes(result: TrialResult, shown: Container[str]) -> tuple[str, ...]:
    """The cohort's own notes and the warnings of the estimates shown, each once."""
    cohort = result.cohort
    found = [*cohort.notes]
    warned = [(arm, e.warnings) for arm, e in (*cohort.objective_response, *cohort.disease_control)]
    warned += [(arm, curve.warnings) for arm, curve in cohort.progression_free]
    found += [f"{arm_name(arm)}: {_plain(w)}." for arm, warnings in warned if arm in shown for w in warnings]
    if cohort.log_rank:
        found += [f"Log-rank test: {_plain(warning)}." for warning in cohort.log_rank.warnings]
    return tuple(dict.fromkeys(found))


def _plain(warning: str) -> str:
    """The sentence of a named warning."""
    return warning.partition(": ")[2] or warning
