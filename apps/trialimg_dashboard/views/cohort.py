"""A trial's cases as counts that filter, a table, and charts that lead to a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import charts
from apps.trialimg_dashboard.views.choosing import chosen_in
from apps.trialimg_dashboard.views.kept import worked_out
from trialimg.core.access import Action
from trialimg.core.reading import Stage
from trialimg.services.dashboard_cohort import PUBLISHED_ADJUDICATION_PCT, CaseLine, Cohort, cohort_of
from trialimg.services.dashboard_courses import courses_of_reads, courses_with_cases
from trialimg.services.figures.courses import TrialCourses
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.kaplan_meier import survival_of_trial
from trialimg.services.figures.spider import spider
from trialimg.services.figures.swimmer import swimmer
from trialimg.services.figures.waterfall import waterfall

__all__ = ["cases", "endpoints", "figures", "open_case", "present_cohort", "present_courses"]

_CASE_PAGE = Path(__file__).parent.parent / "pages" / "case.py"
_READS = ("assigned", "in_progress", "locked", "signed")


def present_cohort(at: Desk) -> Cohort | None:
    """The cohort now."""
    return worked_out(at, "cohort", Action.VIEW_COHORT, lambda: cohort_of(at.records, at.actor, at.trial))


def present_courses(at: Desk) -> TrialCourses | None:
    """The course of every final case now, by the read that holds."""
    return worked_out(at, "courses", Action.VIEW_COHORT, lambda: courses_of_reads(at.records, at.actor, at.trial))


def figures(at: Desk, cohort: Cohort) -> None:
    """How often readers differ, against the published share, and how long a case takes."""
    subjects, visits, queries, rate, turnaround = st.columns([1, 1.4, 1, 2, 1], vertical_alignment="top")
    subjects.metric(at.t("cohort.subjects"), len({line.subject for line in cohort.lines}))
    expected = cohort.expected
    visits.metric(
        at.t("cohort.visits_due"),
        f"{expected.received} / {expected.due} / {expected.overdue}",
        help=at.t("cohort.visits_due_help", unknown=expected.unknown),
    )
    queries.metric(at.t("cohort.open_queries"), sum(line.open_queries for line in _by_subject(cohort)))
    events, n = cohort.adjudicated
    with rate:
        st.caption(at.t("cohort.adjudicated", events=events, n=n))
        if n:
            pct = round(100 * events / n, 1)
            charts.present(at, charts.rate_with_reference(at, pct, PUBLISHED_ADJUDICATION_PCT), key="adjudication_rate")
    days = cohort.turnaround_days
    turnaround.metric(
        at.t("cohort.turnaround"),
        f"{days[0]:.1f}" if days else at.t("cohort.none_final"),
        help=at.t("cohort.turnaround_help"),
    )


def cases(at: Desk, cohort: Cohort) -> None:
    """Counts that filter, and the cases that are left."""
    states, reads = cohort.states, cohort.reads
    first, second, more, third = st.columns([2, 2, 1.4, 1])
    by_state = first.pills(
        at.t("cohort.by_state"),
        [one.value for one in Stage if states[one.value]],
        selection_mode="multi",
        format_func=lambda state: f"{at.t(f'stage.{state}')} **{states[state]}**",
        key="cohort_states",
    )
    by_read = second.pills(
        at.t("cohort.by_read"),
        [state for state in _READS if reads[state]],
        selection_mode="multi",
        format_func=lambda state: f"{at.t(f'state.{state}')} **{reads[state]}**",
        key="cohort_reads",
    )
    wanted = third.text_input(at.t("cohort.search"), key="cohort_search").strip().casefold()
    needs = _attention(at, cohort, more)
    shown = [line for line in cohort.lines if _answers(line, by_state, by_read, wanted) and needs(line)]
    st.caption(at.t("cohort.shown", shown=len(shown), all=len(cohort.lines)))
    tenths = {at.t("cohort.days"): st.column_config.NumberColumn(format="%.1f")}
    codes = [line.code for line in shown]
    if code := chosen_in(_table(at, shown), codes, key="cohort_cases", leaves=True, column_config=tenths):
        open_case(code)


def endpoints(at: Desk, cohort: Cohort) -> None:
    """Waterfall, spider, swimmer and survival side by side, by signed reads or by a run of the software."""
    run = finished_run(at)
    found = {
        "reads": present_courses(at),
        "run": courses_with_cases(run, {line.subject: line.code for line in cohort.lines}) if run else None,
    }
    told = {source: trial for source, trial in found.items() if trial is not None and trial.courses}
    there = list(told)
    if not there:
        st.info(at.t("cohort.no_endpoints"))
        return
    source = st.segmented_control(
        at.t("cohort.source"),
        there,
        default=there[0],
        format_func=lambda one: at.t(f"cohort.source.{one}"),
        key="source",
    )
    _side_by_side(at, told[source or there[0]])


def open_case(code: str) -> None:
    """Go to the page of a case."""
    st.session_state["case"] = code
    st.switch_page(_CASE_PAGE)


def _side_by_side(at: Desk, trial: TrialCourses) -> None:
    left, right = st.columns(2)
    with left:
        _chart(at, waterfall(trial))
        _chart(at, swimmer(trial))
    with right:
        _chart(at, spider(trial))
        if any(course.progression_free for course in trial.courses):
            _chart(at, survival_of_trial(trial))


def _chart(at: Desk, figure: Figure) -> None:
    st.subheader(at.t(f"charts.{figure.name}"))
    case = charts.present(at, figure, key=f"chart_{figure.name}")
    if case:
        open_case(case)


def _attention(at: Desk, cohort: Cohort, column: DeltaGenerator) -> Callable[[CaseLine], bool]:
    """Counts of what needs attention, as filters; a case answers that has any of those chosen."""
    tests: dict[str, Callable[[CaseLine], bool]] = {
        "has_queries": lambda line: line.open_queries > 0,
        "has_overdue": lambda line: bool(line.overdue) or line.overdue_reads > 0,
    }
    counts = {name: sum(map(test, cohort.lines)) for name, test in tests.items()}
    if not any(counts.values()):
        return lambda _line: True
    picked = column.pills(
        at.t("cohort.by_more"),
        [name for name, count in counts.items() if count],
        selection_mode="multi",
        format_func=lambda name: f"{at.t(f'cohort.{name}')} **{counts[name]}**",
        key="cohort_attention",
    )
    return lambda line: not picked or any(tests[name](line) for name in picked)


def _overdue(at: Desk, line: CaseLine) -> str:
    """Visits that are late, and how many reads are."""
    reads = (at.t("cohort.overdue_reads", count=line.overdue_reads),) if line.overdue_reads else ()
    return ", ".join((*line.overdue, *reads))


def _by_subject(cohort: Cohort) -> list[CaseLine]:
    """One line for each subject: its queries are counted once."""
    return list({line.subject: line for line in cohort.lines}.values())


def _answers(line: CaseLine, states: list[str], reads: list[str], wanted: str) -> bool:
    is_there = not states or line.state in states
    is_read = not reads or any(line.reads.get(state) for state in reads)
    return is_there and is_read and wanted in f"{line.code} {line.subject}".casefold()


def _table(at: Desk, lines: Sequence[CaseLine]) -> pd.DataFrame:
    columns = (
        "code",
        "subject",
        "kind",
        "state",
        "visits",
        "reads",
        "differs",
        "received_on",
        "days",
        "open_queries",
        "due",
        "overdue",
    )
    rows = [
        (
            line.code,
            line.subject,
            at.t(f"cohort.kind.{line.kind}"),
            at.t(f"stage.{line.state}"),
            line.visits,
            ", ".join(f"{at.t(f'state.{state}')} {n}" for state, n in line.reads.items()),
            "" if line.differs is None else ", ".join(at.t(f"cohort.differs.{one}") for one in line.differs),
            line.received_on,
            line.days,
            line.open_queries,
            ", ".join(line.due),
            _overdue(at, line),
        )
        for line in lines
    ]
    return pd.DataFrame(rows, columns=[at.t(f"cohort.{name}") for name in columns])
