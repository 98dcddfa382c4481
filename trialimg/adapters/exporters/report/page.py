"""The whole report as one HTML text that asks for nothing from outside of itself."""

from __future__ import annotations

from trialimg.adapters.exporters.figures.figure import Figure
from trialimg.adapters.exporters.figures.kaplan_meier import kaplan_meier_figure
from trialimg.adapters.exporters.figures.spider import spider
from trialimg.adapters.exporters.figures.swimmer import swimmers
from trialimg.adapters.exporters.figures.thresholds import thresholds_of
from trialimg.adapters.exporters.figures.waterfall import waterfall
from trialimg.adapters.exporters.rendering import environment
from trialimg.adapters.exporters.report.appendix import origin_of, truth_grid
from trialimg.adapters.exporters.report.methods import methods_of
from trialimg.adapters.exporters.report.quality import quality_of
from trialimg.adapters.exporters.report.subject import subject_page
from trialimg.adapters.exporters.report.summary import summary_of
from trialimg.adapters.exporters.wording import criterion_name, segmenter_of, short_digest
from trialimg.services.results import TrialResult

__all__ = ["html_of"]


def html_of(result: TrialResult) -> str:
    """The report; the same results give the same text."""
    thresholds = thresholds_of(result)
    trial = result.protocol.get("trial") or {}
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            version=trial.get("version", "not stated"),
            sponsor=trial.get("sponsor", ""),
            indication=trial.get("indication", ""),
            criterion=criterion_name(result.criterion),
            digest=short_digest(result.protocol_digest),
            segmenter=segmenter_of(result),
            conventions=_conventions(result),
            summary=summary_of(result),
            response_figures=_figures(waterfall(result), spider(result)),
            time_figures=_figures(kaplan_meier_figure(result), *swimmers(result)),
            quality=quality_of(result),
            subjects=[subject_page(s, n, thresholds) for n, s in enumerate(result.subjects, start=1)],
            methods=methods_of(result),
            origin=origin_of(result),
            truth=truth_grid(result.truth) if result.truth else None,
        )
    )


def _figures(*made: Figure | None) -> list[Figure]:
    return [figure for figure in made if figure is not None]


def _conventions(result: TrialResult) -> list[str]:
    measured = (r.measurement for s in result.subjects for t in s.timepoints for r in t.lesions)
    return sorted({m.convention for m in measured if m is not None})
