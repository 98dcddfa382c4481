"""Whether a reader's answers reach the experts' closely enough."""

from __future__ import annotations

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.review.qualification import QualificationRule, QualificationSet, qualified

FIVE = QualificationSet(
    "lung", "1", {f"Q{n}": {"best_response": "PR", "progression_date": "none"} for n in range(1, 6)}
)


def answers(right: int) -> dict[str, dict[str, str]]:
    """Ten questions in five cases, the first so many right."""
    words = ["PR", "none"] * 5
    given = [word if number < right else "wrong" for number, word in enumerate(words)]
    return {f"Q{n}": {"best_response": given[2 * n - 2], "progression_date": given[2 * n - 1]} for n in range(1, 6)}


@pytest.mark.parametrize(("right", "passed"), [(10, True), (8, True), (7, False), (0, False)])
def test_the_pass_mark_is_reached_exactly(right, passed):
    result = qualified(FIVE, answers(right), QualificationRule(5, 80))
    assert (result.asked, result.right, result.passed) == (10, right, passed)
    assert len(result.wrong) == 10 - right


def test_an_answer_that_is_missing_is_wrong_and_is_shown_beside_the_experts():
    given = answers(10)
    del given["Q3"]["progression_date"]
    result = qualified(FIVE, given, QualificationRule(5, 100))
    assert not result.passed
    assert result.wrong == (("Q3", "progression_date", "none", ""),)


def test_an_answer_on_something_nobody_asked_is_refused():
    with pytest.raises(InvalidValueError, match="Q9"):
        qualified(FIVE, {"Q9": {"best_response": "PR"}}, QualificationRule())


def test_a_set_smaller_than_the_trial_asks_for_qualifies_nobody():
    with pytest.raises(InvalidValueError, match="the trial asks for 6"):
        qualified(FIVE, answers(10), QualificationRule(6))


@pytest.mark.parametrize(
    "make",
    [
        lambda: QualificationSet("", "1", {"Q1": {"a": "b"}}),
        lambda: QualificationSet("lung", "1", {}),
        lambda: QualificationSet("lung", "1", {"Q1": {}}),
        lambda: QualificationRule(-1),
        lambda: QualificationRule(1, 0),
        lambda: QualificationRule(1, 101),
    ],
)
def test_a_set_or_rule_that_says_nothing_is_refused(make):
    with pytest.raises(InvalidValueError):
        make()
