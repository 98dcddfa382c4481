"""The pages of one subject: answers, course, reasoning, findings and key images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.key_image import field_of_view_mm, key_image_svg
from trialimg.adapters.exporters.figures.printed import sum_course_svg
from trialimg.adapters.exporters.report.course import Course, course_of, lesions_of, result_at
from trialimg.adapters.exporters.wording import ABSENT, TIMES, iso, mm, percent_change, time_text
from trialimg.core.responses import Firing
from trialimg.core.trial import Finding
from trialimg.endpoints.results import BestResponse, SubjectEndpoints
from trialimg.services.figures.courses import Thresholds
from trialimg.services.figures.responses import arm_name
from trialimg.services.results import KeyImage, LesionResult, SubjectResult, TimepointResult

__all__ = [
    "Answer",
    "ImageStrip",
    "KeyPicture",
    "Reasoning",
    "SubjectLine",
    "SubjectPage",
    "subject_line",
    "subject_page",
]

MOST_IMAGES_A_ROW = 5
FEWEST_IMAGES_A_ROW = 4
STRIP_WIDTH_PX = 690


@dataclass(frozen=True)
class Answer:
    """One endpoint of a subject with the rule that gave it."""

    name: str
    value: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Reasoning:
    """How one timepoint was judged."""

    timepoint: str
    date: str
    overall: str
    firings: tuple[Firing, ...]


@dataclass(frozen=True)
class KeyPicture:
    """One key image and the words below it."""

    svg: str
    timepoint: str
    date: str
    reading: str


@dataclass(frozen=True)
class ImageStrip:
    """One lesion through time, every picture at the same scale."""

    lesion: str
    about: str
    window: str
    columns: int
    pictures: tuple[KeyPicture, ...]


@dataclass(frozen=True)
class SubjectPage:
    """Everything printed of one subject."""

    anchor: str
    id: str
    best: str
    """Word of the best overall response; blank without a usable baseline."""
    is_read: bool
    best_change: str
    survival: str
    facts: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    sums_svg: str
    course: Course
    reasoning: tuple[Reasoning, ...]
    findings: tuple[Finding, ...]
    strips: tuple[ImageStrip, ...]


@dataclass(frozen=True)
class SubjectLine:
    """One subject in the list of all."""

    anchor: str
    id: str
    site: str
    arm: str
    best: str
    best_change: str
    survival: str
    is_read: bool


def subject_line(subject: SubjectResult, number: int) -> SubjectLine:
    """What the list of all subjects says of one; ``number`` leads to its pages."""
    endpoints = subject.endpoints
    return SubjectLine(
        f"subject-{number}",
        subject.subject.id,
        subject.subject.site or ABSENT,
        arm_name(subject.subject.arm),
        endpoints.best.response.value if endpoints else "",
        percent_change(endpoints.burden.best_change_pct) if endpoints else ABSENT,
        time_text(endpoints.progression_free_survival) if endpoints else ABSENT,
        subject.is_read,
    )


def subject_page(subject: SubjectResult, number: int, thresholds: Thresholds) -> SubjectPage:
    """What the report says of one subject; ``number`` makes its anchor unique."""
    endpoints = subject.endpoints
    return SubjectPage(
        anchor=f"subject-{number}",
        id=subject.subject.id,
        best=endpoints.best.response.value if endpoints else "",
        is_read=subject.is_read,
        best_change=percent_change(endpoints.burden.best_change_pct) if endpoints else ABSENT,
        survival=time_text(endpoints.progression_free_survival) if endpoints else ABSENT,
        facts=_facts(subject),
        answers=tuple(_answers(endpoints)) if endpoints else (),
        sums_svg=sum_course_svg(subject, thresholds),
        course=course_of(subject),
        reasoning=tuple(
            Reasoning(t.timepoint.id, iso(t.timepoint.date), t.assessment.overall.value, t.assessment.rule)
            for t in subject.timepoints
            if t.assessment
        ),
        findings=subject.findings,
        strips=tuple(_strips(subject)),
    )


def _facts(subject: SubjectResult) -> tuple[tuple[str, str], ...]:
    who = subject.subject
    return (
        ("Site", who.site or ABSENT),
        ("Arm", arm_name(who.arm)),
        ("Reference date", iso(who.reference_date)),
        ("Death", iso(who.death_date)),
        ("New therapy", iso(who.new_therapy_date)),
        ("Last contact", iso(who.last_contact_date)),
    )


def _answers(endpoints: SubjectEndpoints) -> list[Answer]:
    burden = endpoints.burden
    answers = [_best_answer("Best overall response", endpoints.best)]
    if (endpoints.confirmed.response, endpoints.confirmed.date) != (endpoints.best.response, endpoints.best.date):
        answers.append(_best_answer("Confirmed best response", endpoints.confirmed))
    change = f"{percent_change(burden.best_change_pct)} %" if burden.best_change_pct is not None else ABSENT
    lowest = f"smallest sum {mm(burden.nadir_mm)} mm on {iso(burden.nadir_date)}" if burden.nadir_date else ""
    answers.append(Answer("Best change from baseline", change, "", lowest))
    times = (
        ("Progression-free survival", endpoints.progression_free_survival),
        ("Time to response", endpoints.time_to_response),
        ("Duration of response", endpoints.duration_of_response),
    )
    answers += [Answer(n, time_text(t), t.rule.rule, t.rule.sentence) for n, t in times if t]
    return answers


def _best_answer(name: str, best: BestResponse) -> Answer:
    value = f"{best.response.value}, {best.date.isoformat()}" if best.date else best.response.value
    return Answer(name, value, best.rule.rule, best.rule.sentence)


def _strips(subject: SubjectResult) -> list[ImageStrip]:
    strips = []
    for lesion, _ in lesions_of(subject):
        seen = [(t, r, r.key_image) for t in subject.timepoints if (r := result_at(t, lesion)) and r.key_image]
        if seen:
            strips.append(_strip(seen))
    return strips


def _strip(seen: Sequence[tuple[TimepointResult, LesionResult, KeyImage]]) -> ImageStrip:
    first = seen[0][1]
    lesion = first.observation.lesion
    view_mm = field_of_view_mm([image for _, _, image in seen])
    columns = min(MOST_IMAGES_A_ROW, max(FEWEST_IMAGES_A_ROW, len(seen)))
    edge_px = STRIP_WIDTH_PX / columns - 8
    pictures = []
    for at, result, image in seen:
        reading = _reading(result)
        words = f"{lesion.label or lesion.id} at {at.timepoint.id}: {reading}"
        svg = key_image_svg(image, words, view_mm=view_mm, edge_px=edge_px)
        pictures.append(KeyPicture(svg, at.timepoint.id, iso(at.timepoint.date), reading))
    windows = ", ".join(dict.fromkeys(image.window for _, _, image in seen))
    about = ", ".join(part for part in (first.role.value.replace("_", "-"), lesion.organ, lesion.site) if part)
    return ImageStrip(lesion.label or lesion.id, about, windows, columns, tuple(pictures))


def _reading(result: LesionResult) -> str:
    observation, measurement = result.observation, result.measurement
    if measurement is None:
        return observation.seen.value.replace("_", " ")
    axes = f"{measurement.long_axis_mm:.1f} {TIMES} {measurement.short_axis_mm:.1f} mm"
    parts = f" (largest of {result.fragments} parts)" if result.fragments > 1 else ""
    return f"{axes}, {measurement.volume_ml:.1f} ml{parts}"
