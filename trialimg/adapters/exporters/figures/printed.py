"""The figures of a run's report, each drawn from its specification."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trialimg.adapters.exporters.figures.static import figure_svg
from trialimg.core.responses import CriterionAssessment
from trialimg.services.figures import kaplan_meier
from trialimg.services.figures.courses import Thresholds, TrialCourses
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.forest_of_subgroups import forests_of_analyses
from trialimg.services.figures.responses import EVERYONE, arm_name
from trialimg.services.figures.spider import spider
from trialimg.services.figures.sum_course import DatedSum, sum_course
from trialimg.services.figures.swimmer import swimmers
from trialimg.services.figures.waterfall import waterfall
from trialimg.services.results import SubjectResult, TrialResult

__all__ = ["PrintedFigure", "printed", "response_figures", "subgroup_figures", "sum_course_svg", "time_figures"]


@dataclass(frozen=True)
class PrintedFigure:
    """One drawing with its title and caption in the text around it."""

    title: str
    svg: str
    caption: str


def printed(figure: Figure) -> PrintedFigure:
    """A figure as the report prints it."""
    return PrintedFigure(figure.title, figure_svg(figure), " ".join(figure.footnotes))


def response_figures(trial: TrialCourses) -> list[PrintedFigure]:
    """Waterfall and spider; none where there is nothing to draw."""
    return [printed(figure) for figure in (waterfall(trial), spider(trial)) if figure.panels]


def time_figures(result: TrialResult, trial: TrialCourses) -> list[PrintedFigure]:
    """Progression-free survival as the cohort has it, and swimmers in pages; none where there is nothing to draw."""
    known = [(arm, curve) for arm, curve in result.cohort.progression_free if curve.n]
    arms = [(arm, curve) for arm, curve in known if arm != EVERYONE] or known
    curves = tuple(replace(curve, label=arm_name(arm)) for arm, curve in arms)
    figure = kaplan_meier.kaplan_meier_figure(
        [kaplan_meier.Curves(curves)], test=result.cohort.log_rank, imprint=trial.imprint
    )
    return [printed(one) for one in (figure, *swimmers(trial)) if one.panels]


def subgroup_figures(result: TrialResult, trial: TrialCourses) -> list[PrintedFigure]:
    """The forest plot of each arm against the control arm; none where there are no subgroups or no estimates."""
    if result.analyses is None:
        return []
    return [printed(figure) for figure in forests_of_analyses(result.analyses, imprint=trial.imprint) if figure.panels]


def sum_course_svg(subject: SubjectResult, thresholds: Thresholds) -> str:
    """Sums in mm by week; blank where there are fewer than two of them."""
    figure = sum_course(subject.subject.id, _sums(subject), thresholds)
    return figure_svg(figure) if figure.panels else ""


def _sums(subject: SubjectResult) -> list[DatedSum]:
    start = subject.subject.reference_date or (subject.timepoints[0].timepoint.date if subject.timepoints else None)
    found = []
    for at in subject.timepoints:
        total = at.assessment.sums.sum_mm if at.assessment else at.baseline_sum_mm
        if total is not None and start is not None:
            found.append(DatedSum((at.timepoint.date - start).days, float(total), _word(at.assessment)))
    return found


def _word(assessment: CriterionAssessment | None) -> str:
    return "" if assessment is None else str(assessment.overall.value)
