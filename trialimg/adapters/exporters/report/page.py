"""The whole report as one HTML text that asks for nothing from outside of itself."""

from __future__ import annotations

from dataclasses import replace

from trialimg.adapters.exporters.figures.printed import response_figures, subgroup_figures, time_figures
from trialimg.adapters.exporters.rendering import environment
from trialimg.adapters.exporters.report.analyses import agreements, arm_sections, given_section, summary_grid
from trialimg.adapters.exporters.report.appendix import origin_of, truth_grid
from trialimg.adapters.exporters.report.course import course_of
from trialimg.adapters.exporters.report.methods import methods_of
from trialimg.adapters.exporters.report.quality import quality_of
from trialimg.adapters.exporters.report.review import review_pages
from trialimg.adapters.exporters.report.standing import standing_of
from trialimg.adapters.exporters.report.subject import subject_line, subject_page
from trialimg.adapters.exporters.report.summary import summary_of
from trialimg.adapters.exporters.report.validation import validation_in_force
from trialimg.adapters.exporters.wording import criterion_name, segmenter_of, short_digest
from trialimg.services.figures.courses import courses_of_result
from trialimg.services.results import SubjectResult, TrialResult
from trialimg.services.review_record import ReviewRecord
from trialimg.services.review_report import CaseRecord
from trialimg.services.tabulation.response import disposition_table

__all__ = ["case_html", "html_of"]

MOST_PAGES = 60
"""Subjects that a report has pages of their own for; a larger trial has them case by case."""


def html_of(result: TrialResult, record: ReviewRecord | None = None) -> str:
    """The report; the same results give the same text.

    Parameters
    ----------
    record
        How the cases of a central review came through it; None: there was none.
    """
    courses = courses_of_result(result)
    if record is not None:
        courses = replace(courses, imprint=replace(courses.imprint, data_cut=record.data_cut))
    trial = result.protocol.get("trial") or {}
    numbered = list(enumerate(result.subjects, start=1))
    pages = [subject_page(s, n, courses.thresholds) for n, s in numbered] if len(numbered) <= MOST_PAGES else []
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
            standing=standing_of(result),
            summary=summary_of(result),
            disposition=summary_grid(disposition_table(courses)),
            arm_sections=arm_sections(result),
            given=given_section(result.given),
            agreements=agreements(result) if record is None else (),
            review=None if record is None else review_pages(record, courses.imprint, courses.confidence),
            forests=subgroup_figures(result, courses),
            validation=validation_in_force(),
            response_figures=response_figures(courses),
            time_figures=time_figures(result, courses),
            quality=quality_of(result),
            subjects=[subject_line(subject, number) for number, subject in numbered],
            pages=pages,
            methods=methods_of(result),
            origin=origin_of(result),
            truth=truth_grid(result.truth) if result.truth else None,
        )
    )


def case_html(result: TrialResult, subject: SubjectResult, record: CaseRecord | None = None) -> str:
    """The report of one subject: endpoints, lesions, reasons, key images, and who signed what.

    Parameters
    ----------
    record
        Reads, verdict and signatures where it is a case of a central review; None: there are none.
    """
    trial = result.protocol.get("trial") or {}
    return (
        environment()
        .get_template("case.html.j2")
        .render(
            result=result,
            version=trial.get("version", "not stated"),
            criterion=criterion_name(result.criterion),
            digest=short_digest(result.protocol_digest),
            standing=standing_of(result),
            s=subject_page(subject, 1, courses_of_result(result).thresholds),
            further=[
                (one.assessor.name, course_of(one))
                for one in result.further_reads
                if one.subject.id == subject.subject.id and one.assessor is not None
            ],
            record=record,
        )
    )


def _conventions(result: TrialResult) -> list[str]:
    measured = (r.measurement for s in result.subjects for t in s.timepoints for r in t.lesions)
    return sorted({m.convention for m in measured if m is not None})
