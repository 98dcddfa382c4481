"""Whether datasets may leave the house: every check, and what each of them found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.services.cdisc.check import Issue, Rule
from trialimg.services.cdisc.check_analysis import ANALYSIS_RULES
from trialimg.services.cdisc.check_files import FILE_RULES
from trialimg.services.cdisc.check_findings import FINDING_RULES
from trialimg.services.cdisc.check_frame import FRAME_RULES
from trialimg.services.cdisc.check_links import LINK_RULES
from trialimg.services.cdisc.check_response import RESPONSE_RULES
from trialimg.services.cdisc.delivery import Delivery

__all__ = ["RULES", "Finding", "conformance"]

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (*FRAME_RULES, *FINDING_RULES, *LINK_RULES, *RESPONSE_RULES, *ANALYSIS_RULES, *FILE_RULES),
        key=lambda rule: rule.id,
    )
)
"""Every check, by number."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found."""

    rule: str
    severity: str
    """error, or warning: to be explained in the reviewer's guide."""
    dataset: str
    record: int | None
    """Row, from 1; None where it is of the whole dataset."""
    variable: str
    value: str
    message: str


def conformance(delivery: Delivery) -> tuple[Finding, ...]:
    """Everything that is not as it should be, by rule."""
    return tuple(finding for rule in RULES for finding in _found(rule, delivery))


def _found(rule: Rule, delivery: Delivery) -> Iterator[Finding]:
    for issue in rule.check(delivery):
        yield _finding(rule, issue)


def _finding(rule: Rule, issue: Issue) -> Finding:
    severity = "error" if rule.is_error else "warning"
    return Finding(rule.id, severity, issue.dataset, issue.record, issue.variable, issue.value, issue.message)
