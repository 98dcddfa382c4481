"""The whole report as one HTML text that asks for nothing from outside of itself."""

from __future__ import annotations

from trialimg.adapters.exporters.figures.printed import response_figures, time_figures
from trialimg.adapters.exporters.rendering import environment
from trialimg.adapters.exporters.report.appendix import origin_of, truth_grid
from trialimg.adapters.exporters.report.methods import methods_of
from trialimg.adapters.exporters.report.quality import quality_of
from trialimg.adapters.exporters.report.subject import subject_page
from trialimg.adapters.exporters.report.summary import summary_of
from trialimg.adapters.exporters.wording import criterion_name, segmenter_of, short_digest
from trialimg.services.figures.courses import courses_of_result
from trialimg.services.results import TrialResult

__all__ = ["html_of"]


def html_of(result: TrialResult) -> str:
    """The report; the same results give the same text."""
    courses = courses_of_result(result)
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
            response_figures=response_figures(courses),
            time_figures=time_figures(result, courses),
            quality=quality_of(result),
            subjects=[subject_page(s, n, courses.thresholds) for n, s in enumerate(result.subjects, start=1)],
            methods=methods_of(result),
            origin=origin_of(result),
            truth=truth_grid(result.truth) if result.truth else None,
        )
    )


def _conventions(result: TrialResult) -> list[str]:
    measured = (r.measurement for s in result.subjects for t in s.timepoints for r in t.lesions)
    return sorted({m.convention for m in measured if m is not None})
