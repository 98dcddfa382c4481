"""What a reader shows before the first case: a set of cases with expert answers, and a pass mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialimg.core.errors import Fault, InvalidValueError

__all__ = ["QualificationResult", "QualificationRule", "QualificationSet", "qualified"]

_PERCENT = 100


@dataclass(frozen=True)
class QualificationRule:
    """How many cases a reader reads before the first of the trial, and how many must be right."""

    min_cases: int = 0
    """Cases that a qualification set has at least; 0: the trial asks for none."""
    pass_pct: int = 80
    """Share of its answers that must be the expert's, in percent."""

    def __post_init__(self) -> None:
        faults = []
        if self.min_cases < 0:
            faults.append(Fault("min_cases", "out_of_range", f"0 or more, not {self.min_cases}"))
        if not 0 < self.pass_pct <= _PERCENT:
            faults.append(Fault("pass_pct", "out_of_range", f"a pass mark lies in 1..100, not {self.pass_pct}"))
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class QualificationSet:
    """Cases whose answers experts agreed on, as they stood when a reader was examined."""

    name: str
    version: str
    answers: Mapping[str, Mapping[str, str]]
    """Case code to what is asked of it and the expert's answer: ``{"Q1": {"best_response": "PR"}}``."""

    def __post_init__(self) -> None:
        faults = []
        if not self.name or not self.version:
            faults.append(Fault("name", "empty", "a qualification set has a name and a version"))
        if not self.answers:
            faults.append(Fault("answers", "empty", "a qualification set without a case proves nothing"))
        faults += [
            Fault(f"answers.{case}", "empty", "nothing is asked of this case")
            for case, asked in self.answers.items()
            if not asked
        ]
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class QualificationResult:
    """How a reader's answers compare with the experts'."""

    asked: int
    right: int
    passed: bool
    wrong: tuple[tuple[str, str, str, str], ...]
    """Case, what was asked, the expert's answer, the reader's (empty where the reader gave none)."""


def qualified(
    known: QualificationSet, given: Mapping[str, Mapping[str, str]], rule: QualificationRule
) -> QualificationResult:
    """Whether a reader's answers reach the pass mark; an answer that is missing is wrong.

    Parameters
    ----------
    given
        Case code to the reader's answers, as in the set.

    Raises
    ------
    InvalidValueError
        If the set has fewer cases than the trial asks for, or an answer is given on something nobody asked.
    """
    if len(known.answers) < rule.min_cases:
        message = f"{known.name} has {len(known.answers)} cases; the trial asks for {rule.min_cases}"
        raise InvalidValueError(Fault("answers", "too_few_cases", message))
    strangers = [
        Fault(f"{case}.{question}", "not_asked", f"nobody asked this in {known.name}")
        for case, said in given.items()
        for question in said
        if question not in known.answers.get(case, {})
    ]
    if strangers:
        raise InvalidValueError(*strangers)
    pairs = [
        (case, question, right, given.get(case, {}).get(question, ""))
        for case, asked in known.answers.items()
        for question, right in asked.items()
    ]
    wrong = tuple(pair for pair in pairs if pair[2] != pair[3])
    right = len(pairs) - len(wrong)
    return QualificationResult(len(pairs), right, _PERCENT * right >= rule.pass_pct * len(pairs), wrong)
