"""Features of lesions: which go with an outcome, how they change, which hold still, which say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views.charts import present
from apps.trialimg_dashboard.views.choosing import chosen_in
from apps.trialimg_dashboard.views.cohort import open_case, present_cohort, present_courses
from apps.trialimg_dashboard.views.heat_map import heat_map
from trialimg.services.analyse_radiomics import (
    LEAST_SUBJECTS,
    Associated,
    FeatureEffect,
    Outcome,
    Pick,
    Question,
    associated,
    clusters,
    course_of,
    stability,
)
from trialimg.services.dashboard_features import take_table
from trialimg.services.figures.course import Course, course
from trialimg.services.figures.volcano import Association, volcano
from trialimg.services.finished import FinishedRun
from trialimg.services.radiomics_harmonised import harmonised
from trialimg.services.radiomics_odds import OddsRatio
from trialimg.services.radiomics_outcomes import with_central_outcomes
from trialimg.services.radiomics_perturbed import ROBUST_FROM, perturbed_lesions, robustness
from trialimg.services.radiomics_table import FeatureName, FeatureTable, of_run

__all__ = ["Asked", "association", "correlation", "filtered", "over_visits", "still", "table_of", "view_asked"]

Found = TypeVar("Found")
_VIEWS = ("association", "course", "stability", "clusters")
_ODDS = ("value", "lower", "upper", "p", "q", "note")
_MOST_KEPT = 12
_MOST_LINES = 60
_TABLE_PX = 340
_NAME_PX = 280
"""Of a column of features: their names are long."""


@dataclass(frozen=True)
class Asked:
    """What is left of a trial's features after the filters of the page."""

    table: FeatureTable
    key: tuple[object, ...]
    """Names the table and its filters."""


def table_of(at: Desk, run: FinishedRun) -> FeatureTable | None:
    """The features of a run; None where it has none, which the page then says."""
    table = _kept((run.manifest["outputs"].get("results.json"),), lambda: done(lambda: of_run(run)))
    if table is None:
        return None
    if not table.lesions:
        st.info(at.t("features.none"))
        return None
    subjects = len({one.subject for one in table.lesions})
    said = {"lesions": len(table.lesions), "subjects": subjects, "features": len(table.features)}
    st.caption(at.t("features.lead", **said, source=run.manifest["software"]))
    return table


def filtered(at: Desk, table: FeatureTable) -> Asked:
    """The features that are looked at, by organ, class and image, with their sites' doing or without it."""
    names = [FeatureName.of(name) for name in table.features]
    choices = {
        "organ": sorted({one.organ for one in table.lesions if one.organ}),
        "family": sorted({one.family for one in names if one.family}),
        "image": sorted({one.image for one in names if one.image}),
    }
    chosen = {
        name: column.multiselect(
            at.t(f"features.{name}"), words, placeholder=at.t("features.all"), key=f"features_{name}"
        )
        for column, (name, words) in zip(st.columns(len(choices)), choices.items(), strict=True)
    }
    organs, families, images = (tuple(words) for words in chosen.values())
    table = _without_sites(at, table)
    key = (table.digest, table.harmonised is not None, organs, families, images)
    return Asked(_kept(key, lambda: table.narrowed(organs=organs, families=families, images=images)), key)


def _without_sites(at: Desk, table: FeatureTable) -> FeatureTable:
    """The table harmonised over sites, where that is asked for and can be done; the page says how, or why not."""
    if not st.toggle(at.t("features.harmonise"), key="features_harmonise", help=at.t("features.harmonise_help")):
        return table
    found = _kept((table.digest, "harmonised"), lambda: done(lambda: harmonised(table, by="site")))
    if found is None or found.harmonised is None:
        return table
    note = found.harmonised
    sites = ", ".join(f"{name}: {n}" for name, n in note.batches.items())
    left_out = len(note.features_left_out)
    st.caption(at.t("features.harmonised", method=note.method, sites=sites, left_out=left_out))
    return found


def view_asked(at: Desk) -> str:
    """Which of the four views is shown."""
    found = st.segmented_control(
        at.t("features.view"),
        _VIEWS,
        default=_VIEWS[0],
        format_func=lambda one: at.t(f"features.view.{one}"),
        label_visibility="collapsed",
        key="features_view",
    )
    return found or _VIEWS[0]


def _kept(key: tuple[object, ...], work: Callable[[], Found]) -> Found:
    """What was worked out for this key in this session; the oldest is forgotten."""
    kept: dict[tuple[object, ...], Any] = st.session_state.setdefault("features_kept", {})
    if key not in kept:
        while len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)))
        kept[key] = work()
    found: Found = kept[key]
    return found


def association(at: Desk, asked: Asked) -> None:
    """Every feature against an outcome: a volcano, a table, and the lesions behind a feature."""
    source, table = _outcomes_of(at, asked)
    question = _question(at, table)
    found = _kept((*asked.key, source, question), lambda: done(lambda: associated(table, question)))
    if found is None:
        return
    st.caption(at.t("features.counted", subjects=found.subjects, events=found.events))
    tested = sum(one.p is not None for one in found.effects)
    warnings = [at.t(f"features.warn.{said.partition(':')[0]}", n=tested) for said in found.warnings]
    st.warning("  \n".join(warnings))
    known = [
        Association(one.feature, one.effect, one.p, one.q)
        for one in found.effects
        if one.effect is not None and one.p is not None and one.q is not None
    ]
    name, title = at.t(f"features.volcano.{question.outcome.value}"), at.t("features.volcano.title")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        picked = present(at, volcano(known, effect_name=name, title=title), key="features_volcano")
    with right:
        width = {at.t("features.col.feature"): st.column_config.TextColumn(width=_NAME_PX)}
        names = [one.feature for one in found.effects]
        chosen = chosen_in(
            _effects(at, found), names, key="features_effects", height=_TABLE_PX, column_config=width, placeholder="-"
        )
        _download(at, "association", [_flat(one) for one in found.effects])
    if feature := chosen or picked:
        _course(at, asked.table, feature)


def _outcomes_of(at: Desk, asked: Asked) -> tuple[object, FeatureTable]:
    """Where outcomes come from, and the table with them: final central reads where they are enough, else the run."""
    trial = present_courses(at)
    if trial is None or not trial.courses:
        return "run", asked.table
    table = with_central_outcomes(asked.table, trial)
    is_enough = len(table.outcomes) >= LEAST_SUBJECTS
    source = st.segmented_control(
        at.t("features.outcome_source"),
        ("reads", "run"),
        default="reads" if is_enough else "run",
        format_func=lambda one: at.t(f"cohort.source.{one}"),
        key="features_source",
    )
    return (frozenset(table.outcomes.items()), table) if source == "reads" else ("run", asked.table)


def _question(at: Desk, table: FeatureTable) -> Question:
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    outcome = first.selectbox(
        at.t("features.outcome"), list(Outcome), format_func=lambda one: at.t(f"features.outcome.{one.value}")
    )
    step = second.selectbox(at.t("features.timepoint"), table.timepoints or ("",), key="features_step")
    pick = third.selectbox(
        at.t("features.pick"), list(Pick), format_func=lambda one: at.t(f"features.pick.{one.value}")
    )
    is_first = not table.timepoints or step == table.timepoints[0]
    change = fourth.toggle(at.t("features.change"), disabled=is_first, key="features_change")
    return Question(outcome or Outcome.PFS, step or "", change and not is_first, pick or Pick.LARGEST)


def _effects(at: Desk, found: Associated) -> pd.DataFrame:
    is_survival = found.question.outcome is Outcome.PFS
    columns: tuple[str, ...] = ("feature", "hr" if is_survival else "auc", "interval", "p", "q", "n", "events", "note")
    rows: list[tuple[object, ...]] = [_effect(at, one) for one in found.effects]
    if not is_survival:
        columns = (*columns, "or", "or_interval", "or_p", "or_q", "or_note")
        rows = [(*row, *_odds(at, one.odds)) for row, one in zip(rows, found.effects, strict=True)]
    return pd.DataFrame(rows, columns=[at.t(f"features.col.{name}") for name in columns])


def _effect(at: Desk, one: FeatureEffect) -> tuple[object, ...]:
    p, q, note = _two_digits(one.p), _two_digits(one.q), _note(at, one.note)
    return one.feature, _two(one.estimate), _ends(one.lower, one.upper), p, q, one.n, one.events, note


def _odds(at: Desk, one: OddsRatio | None) -> tuple[object, ...]:
    if one is None:
        return None, "-", None, None, ""
    ends = _ends(one.lower, one.upper)
    return _two(one.value), ends, _two_digits(one.p), _two_digits(one.q), _note(at, one.note)


def _flat(one: FeatureEffect) -> dict[str, object]:
    """An effect as a row of a table: what its odds ratio says in columns of its own."""
    row = asdict(one)
    odds = row.pop("odds") or {}
    return {**row, **{f"odds_ratio_{name}": odds.get(name) for name in _ODDS}}


def _note(at: Desk, code: str) -> str:
    return at.t(f"features.note.{code}") if code else ""


def _two_digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.2g}")


def over_visits(at: Desk, asked: Asked) -> None:
    """One feature of every lesion, visit by visit."""
    names = asked.table.features
    usual = "original_shape_MeshVolume"
    index = names.index(usual) if usual in names else 0
    feature = st.selectbox(at.t("features.pick_feature"), names, index=index, key="features_feature") if names else ""
    if feature:
        _course(at, asked.table, feature)


def _course(at: Desk, table: FeatureTable, feature: str) -> None:
    found = course_of(table, feature)
    st.subheader(feature)
    if not found:
        st.info(at.t("features.course_none"))
        return
    by_lesion: dict[str, list[Any]] = {}
    for one in found:
        by_lesion.setdefault(f"{one.subject} {one.lesion}", []).append(one)
    series = [
        Course(name, tuple((float(one.day), one.value) for one in own if one.day is not None))
        for name, own in list(by_lesion.items())[:_MOST_LINES]
    ]
    figure = course(series, titles=(at.t("features.days"), feature), empty=at.t("features.course_none"))
    present(at, figure, key=f"features_course_{feature}")
    columns = ("subject", "lesion", "organ", "timepoint", "day", "value", "change")
    rows = [(o.subject, o.lesion, o.organ, o.timepoint, o.day, o.value, o.change_pct) for o in found]
    heads = [at.t(f"features.col.{name}") for name in columns]
    tenths = {heads[-1]: st.column_config.NumberColumn(format="%.1f")}
    st.caption(at.t("features.course_help"))
    names = [f"{one.subject} {one.lesion} {one.timepoint}" for one in found]
    shown = pd.DataFrame(rows, columns=heads)
    chosen = chosen_in(
        shown, names, key=f"features_lesions_{feature}", leaves=True, column_config=tenths, placeholder="-"
    )
    _download(at, f"lesions-{feature}", found)
    if chosen:
        _open_case_of(at, found[names.index(chosen)].subject)


def _open_case_of(at: Desk, subject: str) -> None:
    cohort = present_cohort(at)
    code = next((line.code for line in cohort.lines if line.subject == subject), "") if cohort is not None else ""
    if code:
        open_case(code)
    st.info(at.t("features.no_case", subject=subject))


def still(at: Desk, asked: Asked) -> None:
    """How far each feature holds still in lesions that do."""
    _robust(at, asked)
    st.subheader(at.t("features.stability.visits"))
    found = _kept((*asked.key, "stability"), lambda: stability(asked.table))
    if found.why_not:
        st.info(at.t("features.stability.why_not", pairs=found.pairs))
        return
    st.caption(at.t("features.stability.how", pairs=found.pairs))
    rows = [(one.feature, _two(one.icc), _ends(one.lower, one.upper), one.n) for one in found.features]
    _agreements(at, rows, ("feature", "icc", "interval", "n"))
    _download(at, "stability", found.features)


def _robust(at: Desk, asked: Asked) -> None:
    """How far each feature holds still when its lesions are sampled and outlined a little otherwise."""
    st.subheader(at.t("features.robust"))
    run = finished_run(at)
    both = _kept((*asked.key, "perturbed"), lambda: done(lambda: perturbed_lesions(run))) if run is not None else None
    if both is None:
        st.info(at.t("features.robust.none"))
        return
    lesions, how = both
    found = _kept((*asked.key, "robust"), lambda: robustness(lesions, asked.table.features))
    if found.why_not:
        st.info(at.t("features.robust.why_not", lesions=found.pairs))
        return
    robust = sum(one.lower is not None and one.lower >= ROBUST_FROM for one in found.features)
    st.caption(at.t("features.robust.how", lesions=found.pairs, robust=robust, all=len(found.features), **how))
    rows = [(one.feature, _two(one.icc), _ends(one.lower, one.upper), one.n) for one in found.features]
    _agreements(at, rows, ("feature", "icc_one_way", "interval", "n"))
    _download(at, "robustness", found.features)


def _agreements(at: Desk, rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> None:
    """A feature a row, its ICC in the second column."""
    heads = [at.t(f"features.col.{name}") for name in columns]
    hundredths = {heads[1]: st.column_config.NumberColumn(format="%.2f")}
    st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True, column_config=hundredths, placeholder="-")


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _ends(lower: float | None, upper: float | None) -> str:
    return "-" if lower is None or upper is None else f"[{lower:.2f}, {upper:.2f}]"


def correlation(at: Desk, asked: Asked) -> None:
    """Which features say the same, as a map and as clusters."""
    question = Question(timepoint=st.selectbox(at.t("features.timepoint"), asked.table.timepoints, key="features_at"))
    both = _kept((*asked.key, question, "clusters"), lambda: done(lambda: clusters(asked.table, question)))
    if both is None:
        return
    found, left_out = both
    counts = {"n": len(found.names), "subjects": found.n, "clusters": len(found.representatives)}
    st.caption(at.t("features.clusters.how", **counts, left_out=len(left_out)))
    st.plotly_chart(heat_map(found, at.t("features.clusters.rho")), key="features_rho", theme=None)
    rows = [
        {"cluster": number, "representative": chosen, "members": len(own), "like": ", ".join(own - {chosen})}
        for number, chosen in enumerate(found.representatives, start=1)
        for own in [{name for name, group in zip(found.names, found.number, strict=True) if group == number}]
    ]
    shown = pd.DataFrame(rows).rename(columns={name: at.t(f"features.col.{name}") for name in rows[0]})
    st.dataframe(shown, hide_index=True)
    _download(at, "clusters", rows)


def _download(at: Desk, what: str, rows: Sequence[Any]) -> None:
    file = f"{at.trial}-features-{what}.csv"
    st.download_button(
        at.t("features.download"),
        lambda: take_table(at.records, at.actor, at.trial, file=file, rows=rows),
        file_name=file,
        key=f"take-{file}",
        on_click="ignore",
    )
