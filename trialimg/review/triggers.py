"""Where two reads of a case differ enough that one of them must be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from trialimg.core.reading import CaseKind, Discordance
from trialimg.core.responses import Firing
from trialimg.review.answers import ReadAnswer, unmatched
from trialimg.review.design import ReadingDesign, Trigger, TriggerVariable

__all__ = ["CONCLUSION", "discordances"]

CONCLUSION = "conclusion"
"""The variable that eligibility and progression cases are compared by; an efficacy case has none."""

_Difference = tuple[str, str, Firing]
_NONE = "none"


def discordances(
    case: str, kind: CaseKind, design: ReadingDesign, *, first: ReadAnswer, second: ReadAnswer
) -> tuple[Discordance, ...]:
    """Every trigger that is true of two reads, in the order of the design; none: the reads agree."""
    if kind is not CaseKind.EFFICACY:
        found = [(CONCLUSION, _words(CONCLUSION, first.conclusion, second.conclusion))]
    else:
        found = [(t.variable.value, _COMPARED[t.variable](t, first, second)) for t in design.adjudication]
    return tuple(Discordance(case, variable, *differs) for variable, differs in found if differs is not None)


def _best_response(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    return _words(trigger.variable.value, first.best_response, second.best_response)


def _timepoint_response(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    one, other = dict(first.responses), dict(second.responses)
    differing = [at for at in {**one, **other} if one.get(at) != other.get(at)]
    if not differing:
        return None
    left, right = (", ".join(f"{at} {said.get(at, _NONE)}" for at in differing) for said in (one, other))
    return _fired(trigger.variable.value, left, right, f"responses differ at {', '.join(differing)}")


def _progression_date(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    return _dates(trigger, first.progression_date, second.progression_date)


def _response_date(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    return _dates(trigger, first.response_date, second.response_date)


def _lesion_choice(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    left, right = unmatched(first.targets, second.targets)
    if not left and not right:
        return None
    sentence = f"{len(left)} target(s) of one read and {len(right)} of the other have no counterpart"
    return _fired(trigger.variable.value, ", ".join(left) or _NONE, ", ".join(right) or _NONE, sentence)


def _evaluability(trigger: Trigger, first: ReadAnswer, second: ReadAnswer) -> _Difference | None:
    left, right = ("evaluable" if read.evaluable else "not evaluable" for read in (first, second))
    return _words(trigger.variable.value, left, right)


_COMPARED: Mapping[TriggerVariable, Callable[[Trigger, ReadAnswer, ReadAnswer], _Difference | None]] = {
    TriggerVariable.BEST_RESPONSE: _best_response,
    TriggerVariable.TIMEPOINT_RESPONSE: _timepoint_response,
    TriggerVariable.PROGRESSION_DATE: _progression_date,
    TriggerVariable.RESPONSE_DATE: _response_date,
    TriggerVariable.LESION_CHOICE: _lesion_choice,
    TriggerVariable.EVALUABILITY: _evaluability,
}


def _words(variable: str, first: str, second: str) -> _Difference | None:
    return None if first == second else _fired(variable, first, second, f"{first} is not {second}")


def _dates(trigger: Trigger, first: date | None, second: date | None) -> _Difference | None:
    variable, most = trigger.variable.value, trigger.tolerance_days
    if first is None and second is None:
        return None
    left, right = (_NONE if day is None else day.isoformat() for day in (first, second))
    if first is None or second is None:
        return _fired(variable, left, right, "only one of the reads has this date")
    apart = abs((first - second).days)
    if apart <= most:
        return None
    return _fired(variable, left, right, f"{apart} days apart, more than {most}", apart_days=apart, tolerance_days=most)


def _fired(variable: str, first: str, second: str, sentence: str, **numbers: int) -> _Difference:
    return first, second, Firing(f"A/{variable}", sentence, {name: str(value) for name, value in numbers.items()})
