"""A study as the results of a finished run, or the read records of an installation, tell it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.settings import overridden
from trialimg.core.trial import Subject
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import Censoring, EndpointSettings, PlannedVisit
from trialimg.protocol.trial import Visit
from trialimg.services.cdisc.course import Assessment, Course, Endpoints, Evaluator, Finding, Outcome, Read, Study
from trialimg.services.cdisc.labels import lesion_labels
from trialimg.services.cdisc.visit_numbers import VisitNumbers
from trialimg.services.cdisc.vocabulary import imaging_method
from trialimg.services.other_censoring import under_other_censoring
from trialimg.services.results_file import read_result

__all__ = ["endpoints_of", "overall_responses", "study_of_protocol", "study_of_results"]

Json = Mapping[str, Any]
_QUANTITIES = {"short_axis_mm": "LPERP", "volume_ml": "VOLUME", "mean_hu": "RADIODEN", "sul_peak": "SULPEAK"}
_DAYS_OF_WEEK = 7


def study_of_results(results: Json, *, digest: str = "", demographics: Sequence[Mapping[str, str]] = ()) -> Study:
    """The study of a run's ``results.json``: one read of each subject, which is the accepted one.

    Parameters
    ----------
    digest
        Of the results.
    demographics
        Rows of the sponsor's DM, where there is one.
    """
    visits = VisitNumbers.of(results["protocol"]["schedule"])
    further: dict[str, list[Json]] = {}
    for one in results.get("further_reads", ()):
        further.setdefault(one["subject"]["id"], []).append(one)
    subjects = sorted(results["subjects"], key=lambda one: one["subject"]["id"])
    others = dict(_others(results))
    courses = tuple(
        _course(one, visits, further.get(one["subject"]["id"], ()), others[one["subject"]["id"]]) for one in subjects
    )
    study = study_of_protocol(
        results["protocol"],
        courses,
        software=results["provenance"]["software"],
        digest=digest,
        demographics=demographics,
    )
    return replace(study, has_unique_ids=any(one.get("assessor") for one in subjects))


def study_of_protocol(
    protocol: Json,
    courses: tuple[Course, ...],
    *,
    software: str,
    digest: str = "",
    demographics: Sequence[Mapping[str, str]] = (),
) -> Study:
    """The frame of a study, as its protocol with every default filled in says it."""
    cutoff = protocol["endpoints"]["settings"].get("cutoff_date")
    return Study(
        code=protocol["trial"]["id"],
        title=protocol["trial"]["title"],
        criterion=protocol["response"]["criterion"],
        courses=courses,
        method=imaging_method(tuple(one["modality"] for one in protocol.get("acquisition", ()))),
        is_randomised=protocol["schedule"].get("reference") == "randomisation",
        cutoff=_date(cutoff),
        too_small_mm=Decimal(str(protocol["response"]["rules"].get("too_small_default_mm", 5))),
        software=software,
        source_digest=digest,
        demographics=tuple(demographics),
    )


def _course(found: Json, visits: VisitNumbers, further: Sequence[Json], other: SubjectEndpoints | None) -> Course:
    """A subject, with the read that counts and what further assessors found."""
    subject = found["subject"]
    dates = ("reference_date", "death_date", "last_contact_date", "new_therapy_date")
    person = Subject(subject["id"], subject["site"], subject["arm"], **{name: _date(subject[name]) for name in dates})
    own = _read(found, visits, _evaluator(found, "R1"), is_accepted=True)
    others = [_read(o, visits, _evaluator(o, f"X{n}"), is_accepted=False) for n, o in enumerate(further, start=1)]
    reads = tuple(read for read in (own, *others) if read.assessments)
    first = found["timepoints"][0]["timepoint"]["id"] if found["timepoints"] else ""
    usable = bool(own.assessments) and own.assessments[0].visit == visits.planned.get(first)
    endpoints = endpoints_of(found["endpoints"], own, other) if found["endpoints"] and usable else None
    return Course(person, reads, endpoints)


def _evaluator(found: Json, prefix: str) -> Evaluator:
    """Who read it: a reader of tables that were brought in, or the one reader of a run."""
    who = found.get("assessor")
    if not who:
        return Evaluator(prefix)
    number = re.fullmatch(r"(?:RADIOLOGIST|READER) (\d)", who["role"])
    known = {"INVESTIGATOR": "INV"}.get(who["evaluator"], prefix)
    return Evaluator(f"R{number[1]}" if number else known, who["evaluator"], who["role"])


def _read(found: Json, visits: VisitNumbers, by: Evaluator, *, is_accepted: bool) -> Read:
    numbers = visits.number([one["timepoint"]["id"] for one in found["timepoints"]])
    labels = lesion_labels(
        (o["lesion"]["id"], o["lesion"]["label"], Role(one["role"]), o["lesion"]["split_from"] or "")
        for at in found["timepoints"]
        for one in at["lesions"]
        for o in (one["observation"],)
    )
    assessments = tuple(
        Assessment(
            visit,
            *_dates(at["timepoint"]),
            tuple(_finding(one, labels) for one in at["lesions"]),
            _sum(at),
            overall_responses(at["assessment"]),
            at["assessment"]["rule"][-1]["rule"] if at["assessment"] and at["assessment"]["rule"] else "",
        )
        for visit, at in zip(numbers, found["timepoints"], strict=True)
    )
    return Read(by, is_accepted, assessments)


def _dates(timepoint: Json) -> tuple[dt.date, dt.date]:
    latest = dt.date.fromisoformat(timepoint["date"])
    return latest, _date(timepoint["first_date"]) or latest


def _sum(at: Json) -> Decimal | None:
    value = at["assessment"]["sums"]["sum_mm"] if at["assessment"] else at["baseline_sum_mm"]
    return None if value is None else Decimal(value)


def _finding(one: Json, labels: Mapping[str, str]) -> Finding:
    observation, lesion = one["observation"], one["observation"]["lesion"]
    measured = observation["quantities"]
    return Finding(
        label=labels[lesion["id"]],
        role=Role(one["role"]),
        kind=LesionKind(lesion["kind"]),
        organ=lesion["organ"],
        seen=Seen(observation["seen"]),
        diameter_mm=_number(observation["diameter_mm"]),
        status=observation["status"] or "",
        reason=observation["reason"],
        image=one["series_uid"],
        split_from=labels.get(lesion["split_from"] or "", ""),
        merged_into=labels.get(observation["merged_into"] or "", ""),
        lesion_id=lesion["id"],
        site=lesion["site"],
        prior_therapy=lesion["prior_local_therapy"],
        parts=one["fragments"],
        quantities={_QUANTITIES[name]: Decimal(value) for name, value in measured.items() if value is not None},
    )


def overall_responses(assessment: Json | None) -> dict[str, str]:
    """Test code of RS to the response; what the criterion has no answer for has no record."""
    if assessment is None:
        return {}
    answer = {"TRGRESP": assessment["target"], "NTRGRESP": assessment["non_target"]}
    new = assessment["new_lesion"]
    if new != "no" or answer.keys() - {test for test, word in answer.items() if word == "NA"}:
        answer["NEWLIND"] = "N" if new == "no" else "Y"
    if new == "equivocal":
        answer["NEWLPROG"] = "EQUIVOCAL"
    answer["OVRLRESP"] = assessment["overall"]
    return {test: value for test, value in answer.items() if value != "NA"}


def endpoints_of(found: Json, read: Read, other: SubjectEndpoints | None) -> Endpoints:
    """The endpoints of a subject, as its run or its read says them.

    Parameters
    ----------
    other
        The same under the other authority's censoring.
    """
    responded = _date(found["response_date"])
    settings = dict(found["settings"])
    benefit = bool(found.get("clinical_benefit"))
    day = responded or _lasting(read, found, settings) if benefit else None
    return Endpoints(
        best=(found["best"]["response"], _date(found["best"]["date"])),
        confirmed=(found["confirmed"]["response"], _date(found["confirmed"]["date"])),
        response_date=responded,
        confirmed_response_date=_date(found["confirmed_response_date"]),
        progression_date=_date(found["progression_date"]),
        benefit=benefit,
        benefit_date=day,
        progression_free=_outcome(found["progression_free_survival"]),
        progression_free_otherwise=_otherwise(other),
        to_progression=_outcome(found["time_to_progression"]),
        duration=_outcome(found["duration_of_response"]),
        to_response=_outcome(found["time_to_response"]),
    )


def _lasting(read: Read, found: Json, settings: Mapping[str, str]) -> dt.date | None:
    """The assessment at which disease had not progressed for long enough; None where none shows it."""
    outcome = found["progression_free_survival"]
    if outcome is None or "clinical_benefit_weeks" not in settings:
        return None
    start = dt.date.fromisoformat(outcome["date"]) - dt.timedelta(days=outcome["days"] - 1)
    enough = start + dt.timedelta(days=int(settings["clinical_benefit_weeks"]) * _DAYS_OF_WEEK - 1)
    days: Iterable[dt.date] = (at.date for at in read.assessments if at.responses)
    return next((day for day in days if day >= enough), None)


def _outcome(found: Json | None) -> Outcome | None:
    if found is None:
        return None
    date, rule = dt.date.fromisoformat(found["date"]), found["rule"]
    return Outcome(found["days"], found["event"], date, rule["rule"], rule["sentence"])


def _otherwise(other: SubjectEndpoints | None) -> tuple[Censoring, Outcome] | None:
    found = other.progression_free_survival if other is not None else None
    if other is None or found is None:
        return None
    outcome = Outcome(found.days, found.event, found.date, found.rule.rule, found.rule.sentence)
    return Censoring(dict(other.settings)["censoring"]), outcome


def _others(results: Json) -> Iterator[tuple[str, SubjectEndpoints | None]]:
    """Subject to what its assessments come to under the other authority's censoring."""
    protocol = results["protocol"]
    visits = (Visit.model_validate_json(json.dumps(visit)) for visit in protocol["schedule"]["visits"])
    schedule = tuple(PlannedVisit(visit.id, visit.day, visit.first_day, visit.last_day) for visit in visits)
    settings = overridden(EndpointSettings(schedule=schedule), protocol["endpoints"]["settings"])
    for one in read_result(results).subjects:
        yield one.subject.id, under_other_censoring(one, settings)


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
