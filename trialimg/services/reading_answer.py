"""What a read comes to: each timepoint judged by the trial's criterion, the subject summed up, all with its rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trialimg.core.digest import plain
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Role
from trialimg.core.reading import CaseKind
from trialimg.core.responses import CriterionAssessment
from trialimg.core.settings import shown
from trialimg.core.trial import Subject
from trialimg.criteria.registry import Criterion, criterion
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.summary import summarise
from trialimg.protocol.model import Protocol
from trialimg.review.read_review import GLOBAL
from trialimg.services.reading_content import Written
from trialimg.services.respond import Judged, judge

__all__ = ["criterion_of", "derived_answer"]

_NOT_JUDGED = ("NE", "ND")
_OFF_SCHEDULE = "UNS-"
Answer = dict[str, Any]


def criterion_of(protocol: Protocol) -> Criterion:
    """The criterion that a trial's reads are judged by."""
    return criterion(protocol.response.criterion.value)


def derived_answer(written: Written, protocol: Protocol, kind: CaseKind, *, reference_date: date | None) -> Answer:
    """The answer of a read (or of as much as there is of it), as JSON types.

    Parameters
    ----------
    reference_date
        Randomisation or first dose, from which the duration of stable disease counts; None where it is not known:
        the date of baseline stands for it, and the answer says so.

    Raises
    ------
    ReadingError
        With everything that contradicts itself.
    """
    rules = criterion_of(protocol)
    reading, faults = written.read()
    facts, unknown = written.facts(rules)
    if reading is None or unknown:
        faults = [*faults, *unknown]
        raise ReadingError(f"{written.name}: {len(faults)} contradiction(s), nothing was judged", tuple(faults))
    judged = judge([reading], rules, protocol.response.rules, facts={(written.name, ""): facts})[0]
    start = reference_date or written.timepoints[0].date
    endpoints = summarise(
        Subject(written.name, reference_date=start),
        judged.assessments,
        baseline=written.timepoints[0],
        settings=protocol.endpoints.settings,
    )
    is_confirmed = protocol.endpoints.settings.confirmation_required
    own = endpoints.own_best
    best = endpoints.confirmed if is_confirmed else endpoints.best
    answer = {
        "criterion": rules.name,
        "settings": shown(protocol.response.rules),
        "endpoint_settings": dict(endpoints.settings),
        "reference_date": "given" if reference_date else "date of baseline",
        "timepoints": [_assessment(written, one) for one in judged.assessments],
        "findings": [plain(finding) for finding in judged.findings if finding.code != "baseline_window_unknown"],
        "best_response": str(own.response.value if own is not None else best.response.value),
        "best_response_rule": plain(own.rule if own is not None else best.rule),
        "progression_date": _day(endpoints.progression_date),
        "response_date": _day(endpoints.confirmed_response_date if is_confirmed else endpoints.response_date),
    }
    answer["compared"] = _compared(answer, written, judged, kind, endpoints)
    return answer


def _assessment(written: Written, found: CriterionAssessment) -> Answer:
    entry = written.entries.get(found.timepoint.id, {})
    answer: Answer = plain(found)
    answer["sums"] = {
        **answer["sums"],
        "change_from_baseline_pct": _percent(found.sums.change_from_baseline_pct),
        "change_from_nadir_pct": _percent(found.sums.change_from_nadir_pct),
    }
    answer["flags"] = {
        "is_off_schedule": found.timepoint.id.startswith(_OFF_SCHEDULE),
        "image_quality": entry.get("image_quality", ""),
        "not_evaluable": {
            one["lesion"]: one["reason"] for one in entry.get("lesions", ()) if one["seen"] == "not_evaluable"
        },
    }
    del answer["settings"]
    return answer


def _percent(value: Decimal | None) -> str | None:
    return None if value is None else str(value.quantize(Decimal("0.01")))


def _compared(
    answer: Answer, written: Written, judged: Judged, kind: CaseKind, endpoints: SubjectEndpoints
) -> dict[str, Any]:
    """What two reads of the case are compared by; a global read's word stands before the derived one."""
    words = [[one.timepoint.id, str(one.overall.value)] for one in judged.assessments]
    over = {name: text for name, text in written.entries.get(GLOBAL, {}).items() if text and name != "comment"}
    compared = {
        "best_response": answer["best_response"],
        "responses": words,
        "progression_date": answer["progression_date"],
        "response_date": answer["response_date"],
        "targets": list(_targets(written)),
        "evaluable": any(word not in _NOT_JUDGED for _, word in words),
        "conclusion": _conclusion(written, kind, endpoints, words),
    }
    for name in ("progression_date", "response_date"):
        if over.get(name) == "none":
            over[name] = ""
        if over.get(name):
            _require_date(over[name], name)
    return {**compared, **over}


def _require_date(text: str, name: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        message = f"{name} {text!r} is neither a date (YYYY-MM-DD) nor none"
        raise ReadingError(f"{GLOBAL}: {message}", (Fault(GLOBAL, "bad_value", message),)) from None


def _conclusion(written: Written, kind: CaseKind, endpoints: SubjectEndpoints, words: list[list[str]]) -> str:
    if kind is CaseKind.ELIGIBILITY:
        return str(written.entries[written.timepoints[-1].id]["conclusion"])
    if kind is CaseKind.PROGRESSION:
        if endpoints.progression_date is not None:
            return "progression"
        return "not_evaluable" if not words or words[-1][1] in _NOT_JUDGED else "no_progression"
    return ""


def _targets(written: Written) -> Any:
    baseline = written.entries.get(written.timepoints[0].id, {})
    for one in baseline.get("lesions", ()):
        if one["role"] == Role.TARGET.value:
            yield {
                "name": one["lesion"],
                "organ": one["organ"],
                "kind": one["kind"],
                "diameter_mm": one["diameter_mm"] or None,
                "centre_lps_mm": _centre(one.get("evidence", {})),
            }


def _centre(evidence: Mapping[str, Any]) -> list[str] | None:
    points = evidence.get("long_axis_lps_mm") or evidence.get("short_axis_lps_mm")
    if not points:
        return None
    return [str((Decimal(a) + Decimal(b)) / 2) for a, b in zip(*points, strict=True)]


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
