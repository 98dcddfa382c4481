"""Tables of times: progression-free survival and duration of response by arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_rates import chi_square_document
from trialimg.services.analyse_survival import median_row, term_document
from trialimg.services.figures.courses import Course, Outcome, TrialCourses
from trialimg.services.figures.responses import EVERYONE, arm_name
from trialimg.services.figures.scales import DAYS_PER_MONTH
from trialimg.services.tabulation.response import arms_and_everyone
from trialimg.services.tabulation.table import (
    NOT_ESTIMABLE,
    NOT_REACHED,
    SummaryTable,
    TableRow,
    counted_share,
    interval_of,
    months,
    p_text,
)
from trialimg.stats.cox import Histories, cox
from trialimg.stats.design import design_of
from trialimg.stats.log_rank import log_rank
from trialimg.stats.results import Estimate, SurvivalCurve
from trialimg.stats.survival import follow_up, kaplan_meier, survival_at, survival_quantile

__all__ = ["duration_table", "progression_free_table"]

LANDMARK_MONTHS = (3, 6, 12, 24)
NOBODY = "no subjects"
Timed = Sequence[Outcome]


@dataclass(frozen=True)
class _Kind:
    name: str
    title: str
    event: str
    share: str
    """Of whom a time is counted, for the footnote."""
    of: Callable[[Course], Outcome | None]
    is_compared: bool


_PFS = _Kind(
    "pfs",
    "Progression-free survival",
    "Progression or death",
    "all subjects with a reference date and a usable baseline",
    lambda course: course.progression_free,
    is_compared=True,
)
_DOR = _Kind(
    "dor",
    "Duration of response",
    "Progression or death after response",
    "responders",
    lambda course: course.response_duration,
    is_compared=False,
)


def progression_free_table(trial: TrialCourses) -> SummaryTable:
    """Events, median, quartiles and shares free of progression; log-rank test and hazard ratio of two arms."""
    return _table(trial, _PFS)


def duration_table(trial: TrialCourses) -> SummaryTable:
    """Events, median, quartiles and shares still in response, of the responders; not compared, as these are chosen."""
    return _table(trial, _DOR)


def _table(trial: TrialCourses, kind: _Kind) -> SummaryTable:
    groups = [(arm, _timed(members, kind)) for arm, members in arms_and_everyone(trial)]
    curves = [
        kaplan_meier([t.days for t in times], [t.is_event for t in times], label=arm, confidence=trial.confidence)
        for arm, times in groups
    ]
    blocks = [
        ("Subjects", _counts(groups, kind)),
        ("Kaplan-Meier, months", _quantiles(curves, groups, trial.confidence)),
        (f"Without event at ({100 * trial.confidence:g} % CI), %", _landmarks(curves)),
    ]
    numbers: dict[str, object] = {"groups": [median_row(curve) for curve in curves]}
    if kind.is_compared and len(trial.compared) == 2:
        rows, answer = _comparison(trial, kind, len(groups))
        blocks.append(("Comparison", rows))
        numbers["comparison"] = answer
    return SummaryTable(
        kind.name,
        kind.title,
        tuple(f"{arm_name(arm)}\n(n = {len(times)})" for arm, times in groups),
        tuple((name, tuple(rows)) for name, rows in blocks if rows),
        (_footnote(trial, kind), *trial.imprint.footnotes),
        numbers=numbers,
    )


def _timed(members: Sequence[Course], kind: _Kind) -> list[Outcome]:
    return [found for course in members if (found := kind.of(course)) is not None]


def _counts(groups: Sequence[tuple[str, Timed]], kind: _Kind) -> list[TableRow]:
    events = [sum(t.is_event for t in times) for _, times in groups]
    sizes = [len(times) for _, times in groups]
    censored = [n - k for n, k in zip(sizes, events, strict=True)]
    return [
        TableRow(kind.event, tuple(map(counted_share, events, sizes))),
        TableRow("Censored", tuple(map(counted_share, censored, sizes))),
    ]


def _quantiles(
    curves: Sequence[SurvivalCurve], groups: Sequence[tuple[str, Timed]], confidence: float
) -> list[TableRow]:
    level = f"{100 * confidence:g} % CI"
    found = {share: [survival_quantile(c, share) if c.n else None for c in curves] for share in (0.5, 0.25, 0.75)}
    rows = []
    for share, name in ((0.5, "Median"), (0.25, "First quartile"), (0.75, "Third quartile")):
        rows.append(TableRow(name, tuple(NOBODY if q is None else months(q.value) for q in found[share])))
        rows.append(TableRow(f"{level} of it", tuple(NOBODY if q is None else _limits(q) for q in found[share])))
    followed = [follow_up([t.days for t in ts], [t.is_event for t in ts], label=a) if ts else None for a, ts in groups]
    watched = tuple(NOBODY if c is None else months(c.median_days.value, NOT_ESTIMABLE) for c in followed)
    ranges = tuple(_range(times) for _, times in groups)
    return [
        *rows,
        TableRow("Shortest to longest", ranges),
        TableRow("Median follow-up (reverse Kaplan-Meier)", watched),
    ]


def _limits(estimate: Estimate) -> str:
    if estimate.lower is None:
        return NOT_ESTIMABLE if estimate.upper is None else f"{NOT_ESTIMABLE} to {months(estimate.upper)}"
    return f"{months(estimate.lower)} to {months(estimate.upper)}"


def _range(times: Timed) -> str:
    """The ends of the times; a censored one with a plus."""
    if not times:
        return NOBODY
    ends = (min(times, key=lambda t: (t.days, t.is_event)), max(times, key=lambda t: (t.days, not t.is_event)))
    return " to ".join(f"{months(t.days)}{'' if t.is_event else '+'}" for t in ends)


def _landmarks(curves: Sequence[SurvivalCurve]) -> list[TableRow]:
    longest = max((curve.time_days[-1] for curve in curves if curve.n), default=0.0)
    used = [month for month in LANDMARK_MONTHS if month * DAYS_PER_MONTH <= longest]
    return [
        TableRow(f"{month} months", tuple(_share(curve, month * DAYS_PER_MONTH) for curve in curves)) for month in used
    ]


def _share(curve: SurvivalCurve, day: float) -> str:
    if not curve.n:
        return NOBODY
    read = survival_at(curve, day)
    if read.value is None:
        return "nobody observed"
    limits = interval_of(read.lower, read.upper, lambda share: f"{100 * share:.1f}", NOT_ESTIMABLE)
    return f"{100 * read.value:.1f} ({limits})"


def _comparison(trial: TrialCourses, kind: _Kind, columns: int) -> tuple[list[TableRow], dict[str, object]]:
    """Rows whose answer stands in the last column, which is of everyone."""
    reference, other = trial.compared
    rows = [(t, arm) for arm in (reference, other) for t in _timed(trial.of_arm(arm), kind)]
    days, events, arms = [t.days for t, _ in rows], [t.is_event for t, _ in rows], [arm for _, arm in rows]
    blank = ("",) * (columns - 1)
    name = f"Hazard ratio, {arm_name(other)} against {arm_name(reference)}"
    try:
        test = log_rank(days, events, arms)
        fit = cox(
            Histories(days, events),
            design_of({"arm": arms}, references={"arm": reference}),
            confidence=trial.confidence,
        )
    except ReadingError as refused:
        return [TableRow(name, (*blank, "not compared"))], {"why_not": str(refused)}
    term = fit.terms[0]
    limits = interval_of(term.lower, term.upper, lambda ratio: f"{ratio:.2f}", NOT_ESTIMABLE)
    said = [
        TableRow(name, (*blank, NOT_ESTIMABLE if term.ratio is None else f"{term.ratio:.2f}")),
        TableRow(f"{100 * trial.confidence:g} % CI (Wald)", (*blank, limits)),
        TableRow("p, log-rank test, two-sided", (*blank, p_text(test.p))),
    ]
    return said, {"log_rank": chi_square_document(test), "cox": term_document(term)}


def _footnote(trial: TrialCourses, kind: _Kind) -> str:
    text = (
        f"Counted: {kind.share}. Kaplan-Meier estimates with log-log limits; median and quartiles with limits by "
        f"Brookmeyer and Crowley. {NOT_REACHED.capitalize()}: the curve, or its band, does not come down that far. "
        f"Plus: censored. 1 month = {DAYS_PER_MONTH} days."
    )
    if kind.is_compared and len(trial.compared) == 2:
        text += " Hazard ratio: Cox model, Efron ties; the comparison of the arms stands in the last column."
    return text if trial.courses else f"{text} There are no subjects ({EVERYONE})."
