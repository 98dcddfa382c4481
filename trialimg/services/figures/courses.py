"""Every subject's course as figures and tables need it, whoever it was told by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trialimg.core.errors import IntegrityError
from trialimg.services.document import document
from trialimg.services.figures.tones import Tone, response_word
from trialimg.services.finished import FinishedRun
from trialimg.services.results import NO_FINAL_READ, TrialResult

__all__ = [
    "NO_IMPRINT",
    "RECIST",
    "Course",
    "CoursePoint",
    "Imprint",
    "Outcome",
    "Thresholds",
    "TrialCourses",
    "course_of_subject",
    "courses_of_result",
    "courses_of_run",
    "thresholds_of_protocol",
]

Json = Mapping[str, Any]
_FALLS = ("pr_decrease", "pr_size_decrease", "pmr_decrease")
_RISES = ("pd_increase", "pd_size_increase", "pmd_increase")
_DIAMETERS = "sum of target diameters"
_PRODUCTS = "sum of products of diameters"
_BURDENS = {
    "volumetric": "sum of target volumes",
    "percist": "SULpeak",
    "eortc_pet": "SUV",
    **dict.fromkeys(("who", "irrc", "rano2010", "rano2", "rano_lgg"), _PRODUCTS),
    **dict.fromkeys(("lugano2014", "lyric", "cheson2007"), _PRODUCTS),
}


@dataclass(frozen=True)
class CoursePoint:
    """One visit after baseline."""

    timepoint: str
    day: int
    """Days since the reference date (of a run), or since baseline."""
    change_pct: float | None
    """Of the sum of diameters from baseline; None where there is no sum."""
    response: str
    has_new_lesion: bool = False
    """An unequivocal one."""


@dataclass(frozen=True)
class Outcome:
    """A time that ended in an event or was censored."""

    days: int
    is_event: bool


@dataclass(frozen=True)
class Course:
    """One subject."""

    subject: str
    case: str
    """Code of the case; empty where the subject has none."""
    best_response: str
    """In the criterion's own words; blank where there is no usable baseline."""
    best_change_pct: float | None
    points: tuple[CoursePoint, ...]
    progression_day: int | None = None
    is_confirmed_by_people: bool = False
    """Whether it rests on signed reads, not on the software alone."""
    arm: str = ""
    is_timed: bool = True
    """Whether there is a day to count from."""
    is_usable: bool = True
    """Whether there is a usable baseline."""
    is_read: bool = True
    """Whether a central review has come to an end with the subject; always so without one."""
    baseline_day: int | None = 0
    """None where baseline has no sum."""
    is_responder: bool | None = None
    """None where whoever told the course does not say."""
    has_disease_control: bool | None = None
    death_day: int | None = None
    new_therapy_day: int | None = None
    last_contact_day: int | None = None
    progression_free: Outcome | None = None
    response_duration: Outcome | None = None

    @property
    def followed_to_day(self) -> int:
        """The last day on which anything is known."""
        known = (self.death_day, self.last_contact_day, self.new_therapy_day)
        return max([0, *(point.day for point in self.points), *(day for day in known if day is not None)])

    @property
    def is_ongoing(self) -> bool:
        """Assessed, and no progression, death or new therapy on record."""
        ended = (self.progression_day, self.death_day, self.new_therapy_day)
        return bool(self.points) and all(day is None for day in ended)


@dataclass(frozen=True)
class Thresholds:
    """Change of the sum of diameters in percent; None where the criterion has no such number."""

    partial_response_pct: float | None = None
    progression_pct: float | None = None
    progression_mm: float = 0.0
    """Growth in mm that a progression needs as well; 0 where the criterion asks for none."""

    @property
    def known(self) -> tuple[float, ...]:
        return tuple(p for p in (self.partial_response_pct, self.progression_pct) if p is not None)


RECIST = Thresholds(-30.0, 20.0, 5.0)
"""Of RECIST 1.1."""


@dataclass(frozen=True)
class Imprint:
    """What stands below every figure and table: the state of the data, and the programme."""

    data_cut: str = ""
    programme: str = ""
    source: str = ""

    @property
    def footnotes(self) -> tuple[str, ...]:
        cut = f"Data cut: {self.data_cut}." if self.data_cut else "Data cut: none set."
        parts = [cut]
        if self.source:
            parts.append(f"Source: {self.source}.")
        if self.programme:
            parts.append(f"Programme: {self.programme}.")
        return (" ".join(parts),)


NO_IMPRINT = Imprint()


@dataclass(frozen=True)
class TrialCourses:
    """A trial's courses, with what is needed to estimate from them and to say where they come from."""

    trial: str
    criterion: str
    courses: tuple[Course, ...]
    arms: tuple[str, ...]
    """In the order in which they are shown."""
    compared: tuple[str, ...] = ()
    """Arms that the protocol compares; empty: none are tested."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    imprint: Imprint = NO_IMPRINT
    confidence: float = 0.95
    rate_method: str = "clopper_pearson"

    @property
    def burden(self) -> str:
        """What the criterion in force follows, in words."""
        return _BURDENS.get(self.criterion, _DIAMETERS)

    def of_arm(self, arm: str) -> tuple[Course, ...]:
        """The courses of one arm."""
        return tuple(course for course in self.courses if course.arm == arm)


def courses_of_result(result: TrialResult) -> TrialCourses:
    """The courses of a run that is still in memory; lesions, and findings that draw nothing, are left aside."""
    subjects = tuple(
        replace(
            one,
            timepoints=tuple(replace(at, lesions=()) for at in one.timepoints),
            findings=tuple(finding for finding in one.findings if finding.code == NO_FINAL_READ),
        )
        for one in result.subjects
    )
    return _of_document(document(replace(result, subjects=subjects, findings=(), truth=None)))


def courses_of_run(run: FinishedRun) -> TrialCourses:
    """The courses of a finished run.

    Raises
    ------
    IntakeError, IntegrityError
        If its results are not there, or are not what the run wrote.
    """
    return _of_document(run.results())


def _of_document(results: Json) -> TrialCourses:
    protocol = results["protocol"]
    statistics = protocol.get("statistics") or {}
    for name in ("confidence", "rate_interval"):
        if statistics.get(name) is None:
            said = f"{results['trial']}: the protocol of these results does not say statistics.{name}"
            raise IntegrityError(f"{said}; run it again with this release")
    courses = tuple(course_of_subject(one) for one in results["subjects"])
    cut = ((protocol.get("endpoints") or {}).get("settings") or {}).get("cutoff_date")
    told = tuple(arm for arm, _ in results["cohort"]["objective_response"] if arm != "all")
    return TrialCourses(
        results["trial"],
        results["criterion"],
        courses,
        told,
        tuple(statistics.get("compare_arms", told)),
        thresholds_of_protocol(protocol),
        Imprint(cut or "", results["provenance"]["software"]),
        float(statistics["confidence"]),
        statistics["rate_interval"],
    )


def course_of_subject(one: Json, case: str = "") -> Course:
    """One subject of a run's results.

    Parameters
    ----------
    case
        Code of the subject's case, where there is one.
    """
    who, endpoints = one["subject"], one["endpoints"]
    timepoints = one["timepoints"]
    origin = who["reference_date"] or (timepoints[0]["timepoint"]["date"] if timepoints else None)
    start = dt.date.fromisoformat(origin) if origin else None
    course = Course(
        who["id"],
        case,
        "",
        None,
        tuple(_points(timepoints, start)) if start else (),
        arm=who["arm"],
        is_timed=who["reference_date"] is not None,
        is_usable=endpoints is not None,
        is_read=all(finding["code"] != NO_FINAL_READ for finding in one["findings"]),
        baseline_day=_baseline_day(timepoints, start),
        death_day=_day(who["death_date"], start),
        new_therapy_day=_day(who["new_therapy_date"], start),
        last_contact_day=_day(who["last_contact_date"], start),
    )
    return course if endpoints is None else _with_endpoints(course, endpoints, start)


def _with_endpoints(course: Course, endpoints: Json, start: dt.date | None) -> Course:
    own = endpoints.get("own_best")
    change = endpoints["burden"]["best_change_pct"] if endpoints["burden"] else None
    return replace(
        course,
        best_response=(own or endpoints["best"])["response"],
        best_change_pct=None if change is None else float(change),
        progression_day=_progression(course, _day(endpoints.get("progression_date"), start)),
        is_responder=endpoints["responder"],
        has_disease_control=endpoints["disease_control"],
        progression_free=_outcome(endpoints["progression_free_survival"]),
        response_duration=_outcome(endpoints["duration_of_response"]),
    )


def _progression(course: Course, said: int | None) -> int | None:
    """The day that the endpoints say; where they say none, of the first word for progression."""
    words = (point.day for point in course.points if response_word(point.response).tone is Tone.PROGRESSION)
    return next(words, None) if said is None else said


def _points(timepoints: list[Json], start: dt.date) -> Iterator[CoursePoint]:
    for one in timepoints:
        if (judged := one["assessment"]) is None:
            continue
        sums = judged["sums"]
        now, before = (None if sums[name] is None else float(sums[name]) for name in ("sum_mm", "baseline_mm"))
        change = 100 * (now - before) / before if now is not None and before else None
        day = (dt.date.fromisoformat(one["timepoint"]["date"]) - start).days
        is_new = judged.get("new_lesion") == "unequivocal"
        yield CoursePoint(one["timepoint"]["id"], day, change, judged["overall"], has_new_lesion=is_new)


def _baseline_day(timepoints: list[Json], start: dt.date | None) -> int | None:
    if start is None or not timepoints or timepoints[0]["baseline_sum_mm"] is None:
        return None
    return (dt.date.fromisoformat(timepoints[0]["timepoint"]["date"]) - start).days


def _day(date: str | None, start: dt.date | None) -> int | None:
    return (dt.date.fromisoformat(date) - start).days if date and start else None


def _outcome(found: Json | None) -> Outcome | None:
    return None if found is None else Outcome(found["days"], found["event"])


def thresholds_of_protocol(protocol: Json) -> Thresholds:
    """The criterion's own numbers, from the protocol in force."""
    rules = (protocol.get("response") or {}).get("rules") or {}
    return Thresholds(
        _percent(rules, _FALLS, -100),
        _percent(rules, _RISES, 100),
        float(rules.get("pd_min_increase_mm") or 0),
    )


def _percent(rules: Json, names: Sequence[str], factor: float) -> float | None:
    share = next((rules[name] for name in names if rules.get(name) is not None), None)
    return None if share is None else round(float(str(share)) * factor, 6)
