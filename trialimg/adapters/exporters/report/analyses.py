"""What the report sets beside its main estimates: other rules, arms two by two, subgroups, further readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.adapters.exporters.report.grid import Grid
from trialimg.adapters.exporters.wording import ABSENT, counted, interval, p_value, rate_text
from trialimg.services.figures.responses import arm_name
from trialimg.services.figures.scales import DAYS_PER_MONTH
from trialimg.services.results import (
    ArmComparison,
    CohortAnalyses,
    Concordance,
    GivenResponsesCheck,
    TimeAnalysis,
    TrialResult,
)
from trialimg.services.tabulation.table import SummaryTable
from trialimg.stats.results import Estimate

__all__ = ["Agreement", "Section", "agreements", "arm_sections", "given_section", "summary_grid"]

_CENSORING = {"fda": "FDA", "ema": "EMA"}
_FALLS = {
    "same": "Both, on the same day",
    "later": "Both, the other reader later",
    "earlier": "Both, the other reader earlier",
    "investigator_only": "The other reader only",
    "central_only": "The read that counts only",
    "neither": "Neither",
}
_MOST_DIFFERENCES = 40


@dataclass(frozen=True)
class Section:
    """A part of the report: a table, or the reason why there is none."""

    title: str
    grid: Grid | None
    kind: str
    note: str
    """Below the table; alone where there is no table."""


@dataclass(frozen=True)
class Agreement:
    """Another reader against the one that counts."""

    name: str
    figures: Grid
    table: Grid


def summary_grid(table: SummaryTable) -> Grid:
    """A table of the trial as the report prints it; a group's name stands in a line of its own."""
    rows: list[tuple[str, ...]] = []
    for group, lines in table.groups:
        if group:
            rows.append((group, *("" for _ in table.columns)))
        rows += [(line.label, *line.cells) for line in lines]
    return Grid(("", *table.columns), tuple(rows))


def arm_sections(result: TrialResult) -> tuple[Section, ...]:
    """Sensitivity and subgroups; each says why where it is missing."""
    analyses = result.analyses
    if analyses is None:
        return ()
    return (_sensitivity(analyses), _on_days(analyses), _subgroups(analyses))


def _sensitivity(analyses: CohortAnalyses) -> Section:
    rows = [row for time in analyses.times for row in _time_rows(time)]
    shown = _confidence(analyses)
    head = ("Analysis", "Arm", "Events", f"Median, months\n({shown} CI)", f"Hazard ratio\n({shown} CI)", "Log-rank")
    note = (
        "By the FDA's rules a missed assessment or a new therapy before the event censors; by the EMA's every "
        "progression and death counts. Time to progression censors a death. Hazard ratios are of each arm against the "
        "control arm, the two of them alone (Cox, Efron ties). A month is 30.4375 days."
    )
    return Section("Sensitivity of progression-free survival", Grid(head, tuple(rows)), "sensitivity", note)


def _time_rows(time: TimeAnalysis) -> Iterator[tuple[str, ...]]:
    compared = {one.arm: one for one in time.comparisons}
    name = f"{time.name}, {_CENSORING.get(time.censoring, time.censoring)}"
    for place, (arm, found) in enumerate(time.medians_days):
        median = interval(found, lambda days: f"{days / DAYS_PER_MONTH:.1f}", absent="not reached", between="\n")
        comparison = compared.get(arm)
        yield (
            name if place == 0 else "",
            arm_name(arm),
            f"{found.events} of {found.n}",
            median if found.n else ABSENT,
            _ratio(comparison),
            p_value(comparison.log_rank.p) if comparison and comparison.log_rank else ABSENT,
        )


def _ratio(found: ArmComparison | None) -> str:
    if found is None:
        return ABSENT
    if found.hazard_ratio.value is None:
        return f"none: {found.why_not}"
    return interval(found.hazard_ratio, lambda ratio: f"{ratio:.2f}", absent=ABSENT, between="\n")


def _on_days(analyses: CohortAnalyses) -> Section:
    title = "Free of progression on planned days"
    if not analyses.on_days:
        return Section(title, None, "", "None: the protocol names no days (statistics.survival_at_days).")
    arms = list(dict.fromkeys(one.arm for one in analyses.on_days))
    days = sorted({one.day for one in analyses.on_days})
    shares = {(one.arm, one.day): one.share for one in analyses.on_days}
    rows = []
    for day in days:
        found = [shares.get((arm, day)) for arm in arms]
        rows.append((f"Day {day}", *(_share(share) for share in found)))
    return Section(title, Grid(("", *(arm_name(arm) for arm in arms)), tuple(rows)), "arms", "")


def _share(found: Estimate | None) -> str:
    """A share with its limits; at 100 % and 0 % there are none."""
    if found is None:
        return ABSENT
    if found.value is not None and found.lower is None and found.upper is None:
        return f"{100 * found.value:.1f} %"
    return interval(found, lambda share: f"{100 * share:.1f} %", absent="not estimable", between="\n")


def _subgroups(analyses: CohortAnalyses) -> Section:
    title = "Subgroups"
    if not analyses.subgroups:
        why = "None: no baseline characteristic with two categories is known, or no arms are compared."
        return Section(title, None, "", why)
    rows = [
        (
            f"{one.characteristic}: {_sentence_case(one.category)}",
            f"{arm_name(one.comparison.arm)} against {arm_name(one.comparison.control)}",
            f"{one.comparison.hazard_ratio.events} of {one.comparison.hazard_ratio.n}",
            _ratio(one.comparison),
        )
        for one in analyses.subgroups
    ]
    note = "Progression-free survival. Subgroups are described, not tested: no correction for their number was made."
    heading = f"Hazard ratio\n({_confidence(analyses)} CI)"
    return Section(title, Grid(("Subgroup", "Arms", "Events", heading), tuple(rows)), "", note)


def _confidence(analyses: CohortAnalyses) -> str:
    return f"{100 * next(found.confidence for time in analyses.times for _, found in time.medians_days):g} %"


def _sentence_case(word: str) -> str:
    """Words that stand in capitals in the data; a code of one letter stays."""
    return word.capitalize() if word.isupper() and len(word) > 1 else word


def agreements(result: TrialResult) -> tuple[Agreement, ...]:
    """Every further reader against the one that counts."""
    found = result.analyses.concordances if result.analyses is not None else ()
    return tuple(Agreement(_sentence_case(one.assessor), _figures(one), _cross(one)) for one in found)


def _figures(one: Concordance) -> Grid:
    rows = [("Same best response", rate_text(one.agreement))]
    if one.kappa is not None:
        kappa = interval(one.kappa, lambda value: f"{value:.2f}", absent=ABSENT)
        rows.append(("Cohen's kappa (95 % CI)", kappa))
    rows += [
        (f"Progression: {_FALLS[name][0].lower()}{_FALLS[name][1:]}", str(count)) for name, count in one.progressions
    ]
    for label, value in (("Early discrepancy rate", one.early_rate), ("Late discrepancy rate", one.late_rate)):
        rows.append((label, ABSENT if value is None else f"{100 * value:.1f} %"))
    return Grid(("Figure", "Found"), tuple(rows))


def _cross(one: Concordance) -> Grid:
    rows = [(word, *(str(n) for n in line)) for word, line in zip(one.words, one.table, strict=True)]
    return Grid(("Counts \\ other", *one.words), tuple(rows))


def given_section(check: GivenResponsesCheck | None) -> Section | None:
    """Responses that came with the data against those that the criterion derives."""
    if check is None:
        return None
    title = "Responses as given and as derived"
    pairs = Counter((one.given, one.derived) for one in check.differences)
    alone = f" {counted(check.alone, 'response')} had no lesions to derive from." if check.alone else ""
    note = f"{check.equal} of {check.compared} responses that could be derived from lesions are the same.{alone}"
    if not pairs:
        return Section(title, None, "", note)
    rows = tuple((given, derived, str(count)) for (given, derived), count in pairs.most_common())
    note += " Every difference stands among the findings, with its row and the rule."
    return Section(title, Grid(("As given", "As derived", "Assessments"), rows[:_MOST_DIFFERENCES]), "", note)
