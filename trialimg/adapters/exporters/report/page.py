"""The whole report as one HTML text that asks for nothing from outside of itself."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trialimg.adapters.exporters.figures.figure import Figure
from trialimg.adapters.exporters.figures.kaplan_meier import kaplan_meier_figure
from trialimg.adapters.exporters.figures.look import look_of
from trialimg.adapters.exporters.figures.spider import spider
from trialimg.adapters.exporters.figures.swimmer import swimmers
from trialimg.adapters.exporters.figures.thresholds import thresholds_of
from trialimg.adapters.exporters.figures.waterfall import waterfall
from trialimg.adapters.exporters.report.appendix import origin_of, truth_grid
from trialimg.adapters.exporters.report.methods import methods_of
from trialimg.adapters.exporters.report.quality import quality_of
from trialimg.adapters.exporters.report.subject import subject_page
from trialimg.adapters.exporters.report.summary import summary_of
from trialimg.adapters.exporters.wording import criterion_name, segmenter_of, short_digest
from trialimg.services.results import TrialResult

__all__ = ["html_of"]

_HERE = Path(__file__).parent.parent
_FONTS = ((400, "ReportSans-Regular.ttf"), (600, "ReportSans-SemiBold.ttf"))


def html_of(result: TrialResult) -> str:
    """The report; the same results give the same text."""
    thresholds = thresholds_of(result)
    trial = result.protocol.get("trial") or {}
    return (
        _environment()
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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(fonts=_font_faces(), look_of=look_of)
    return environment


def _font_faces() -> str:
    faces = []
    for weight, name in _FONTS:
        data = base64.b64encode((_HERE / "fonts" / name).read_bytes()).decode()
        source = f"url(data:font/ttf;base64,{data}) format('truetype')"
        faces.append(f"@font-face{{font-family:'Report Sans';font-weight:{weight};src:{source}}}")
    return "\n".join(faces)
