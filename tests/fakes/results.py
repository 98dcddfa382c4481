"""A realistic trial result: twelve subjects, two arms, three sites, every kind of course.

The courses are written by hand; sums, changes and responses follow from them by a short reading of RECIST 1.1, and the
cohort's estimates by the real `trialimg.stats`, so that tables and figures made from this result agree with themselves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.courses import COURSES, START, Course, day_of, week_date
from tests.fakes.judgement import assessments_of, endpoints_of, target_sum
from tests.fakes.lesion_results import digest, lesions_at, timepoints_of
from trialimg.core.digest import digest_of
from trialimg.core.provenance import Provenance
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.services.results import (
    CohortResult,
    SubjectResult,
    TimepointResult,
    TrialResult,
    TruthCheck,
    TruthDisagreement,
)
from trialimg.stats.rates import rate
from trialimg.stats.survival import kaplan_meier, log_rank

__all__ = ["subject_result", "trial_result"]

PROTOCOL: dict[str, Any] = json.loads(Path(__file__).with_name("protocol.json").read_text())
"""A protocol with every default filled in, as a run hands it on."""


def trial_result(courses: Sequence[Course] = COURSES, *, key_images: bool = True, truth: bool = True) -> TrialResult:
    """Everything one run could have found for these courses."""
    subjects = tuple(subject_result(course, key_images=key_images) for course in courses)
    findings = tuple(finding for subject in subjects for finding in subject.findings)
    return TrialResult(
        trial="LUMEN-301",
        title="Randomised phase II trial of example therapy in advanced solid tumours",
        criterion="recist11",
        protocol=PROTOCOL,
        protocol_digest=digest_of(PROTOCOL),
        subjects=subjects,
        cohort=cohort(subjects),
        findings=(*findings, Finding("not_dicom", Severity.INFO, "site02/readme.txt", "not a DICOM file; left alone")),
        truth=truth_check() if truth else None,
        provenance=Provenance(
            activity="trialimg run",
            parameters={
                "protocol": digest_of(PROTOCOL),
                "segmenter": {"name": "classical@1", "smoothing_mm": 1.0, "shape_weight": 0.5},
                "features": {"name": "pyradiomics@3.1.4", "setting": {"binWidth": 25.0}},
            },
            inputs={f"{course.id}/series-{i}.dcm": digest(course.id, i) for course in courses for i in range(40)},
            software="trialimg 0.1.0",
            model="",
        ),
    )


def subject_result(course: Course, *, key_images: bool = True) -> SubjectResult:
    """One subject's course with its endpoints and findings."""
    subject = Subject(
        id=course.id,
        site=course.site,
        arm=course.arm,
        reference_date=START,
        death_date=week_date(course.death_week),
        last_contact_date=week_date(course.death_week or max((*course.weeks, 2)) + 3),
        new_therapy_date=week_date(course.new_therapy_week),
    )
    if not course.usable_baseline:
        text = "baseline CT lies 41 days before the reference date; at most 28 are allowed"
        late = Finding("baseline_outside_window", Severity.EXCLUDED, course.id, text, course.id, "BL")
        return SubjectResult(subject, (), None, (late,))
    timepoints = timepoints_of(course)
    lesions = [tuple(lesions_at(course, i, timepoints, key_images=key_images)) for i in range(len(timepoints))]
    assessments = assessments_of(timepoints, lesions)
    results = tuple(
        TimepointResult(
            timepoint,
            day_of(timepoint.date),
            assessments[i - 1] if i else None,
            lesions[i],
            None if i else target_sum(lesions[0]),
        )
        for i, timepoint in enumerate(timepoints)
    )
    return SubjectResult(subject, results, endpoints_of(subject, results), tuple(_findings(course, timepoints)))


def cohort(subjects: Sequence[SubjectResult]) -> CohortResult:
    """Rates over everyone, survival over those with a progression-free survival, by arm."""
    arms = ["all", *sorted({s.subject.arm for s in subjects})]
    of = {arm: [s for s in subjects if arm in ("all", s.subject.arm)] for arm in arms}
    timed = [(s.subject.arm, e.progression_free_survival) for s in subjects if (e := s.endpoints)]
    known = [(arm, time.days, time.event) for arm, time in timed if time]
    rows = {arm: [k for k in known if arm in ("all", k[0])] for arm in arms}
    with_event = {arm for arm, _, event in known if event}
    return CohortResult(
        objective_response=tuple((a, rate(sum(_is(s, "responder") for s in of[a]), len(of[a]))) for a in arms),
        disease_control=tuple((a, rate(sum(_is(s, "disease_control") for s in of[a]), len(of[a]))) for a in arms),
        progression_free=tuple(
            (a, kaplan_meier([d for _, d, _ in rows[a]], [e for _, _, e in rows[a]], label=a)) for a in arms
        ),
        log_rank=log_rank([d for _, d, _ in known], [e for _, _, e in known], [a for a, _, _ in known])
        if len(with_event) > 1
        else None,
    )


def truth_check() -> TruthCheck:
    missed = (TruthDisagreement("S-1008", "W24", "overall", "SD", "PD"),)
    return TruthCheck(58, 0.34, 0.46, 1.21, 4.8, 39, 38, missed)


def _is(subject: SubjectResult, answer: str) -> bool:
    return subject.endpoints is not None and bool(getattr(subject.endpoints, answer))


def _findings(course: Course, timepoints: list[Timepoint]) -> list[Finding]:
    found = []
    if course.id == "S-1011":
        text = "14 of 60 slices are missing between z = -212.5 and -177.5 mm; ask the site to send the series again"
        found.append(Finding("slices_missing", Severity.EXCLUDED, "series 1.2.826.0.1.11.2", text, course.id, "W08"))
    if course.site == "02":
        text = "slice thickness 6.0 mm; the protocol allows 5.0 mm"
        where = f"series 1.2.826.0.1.{course.id[-2:]}.1"
        found.append(Finding("slice_too_thick", Severity.WARNING, where, text, course.id, timepoints[0].id))
    return found
