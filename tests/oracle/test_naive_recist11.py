"""The package and a naive second RECIST 1.1 say the same of thousands of random subjects."""

from __future__ import annotations

import random
import sys
from collections import Counter
from decimal import Decimal

import pytest

from tests.oracle.histories import random_choices, random_table, record_of, rules_of
from tests.oracle.naive_recist11 import Choices, Line, Table, answers
from trialimg.core.responses import TimepointAssessment
from trialimg.criteria import recist11

SEED = 20240101


def compare(histories: int, seed: int) -> Counter[str]:
    """Judge random subjects twice; how often each overall word was said.

    The first difference ends the test and prints the subject.
    """
    rng = random.Random(seed)
    said: Counter[str] = Counter()
    for number in range(histories):
        table, choices = random_table(rng), random_choices(rng)
        naive, ours = answers(table, choices), judged(table, choices)
        assert ours == naive, f"history {number}: {table}\n{choices}\nnaive {naive}\nours  {ours}"
        said.update(line[3] for line in ours)
    return said


def judged(table: Table, choices: Choices) -> list[Line]:
    tracks, roles, visits, facts = record_of(table)
    return [_line(answer) for answer in recist11.assess(tracks, roles, visits, rules_of(choices), facts=facts)]


def _line(answer: TimepointAssessment) -> Line:
    sum_mm = answer.sums.sum_mm
    tenths = None if sum_mm is None else int(sum_mm * 10)
    return answer.target.value, answer.non_target.value, answer.new_lesion.value, answer.overall.value, tenths


def test_ten_thousand_histories() -> None:
    said = compare(10_000, SEED)
    rare = {word: count for word, count in said.items() if count < 200}
    assert set(said) == {"CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD", "NED"}
    assert not rare, f"the histories hardly reach {rare}"


@pytest.mark.slow
def test_three_hundred_thousand_histories() -> None:
    compare(300_000, SEED + 1)


def test_the_comparison_notices_a_wrong_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle bites: with 4.9 mm for 5 mm the two disagree."""
    wrong = recist11.Rules(pd_min_increase_mm=Decimal("4.9"))
    monkeypatch.setattr(sys.modules[__name__], "rules_of", lambda _: wrong)
    with pytest.raises(AssertionError, match="history"):
        compare(10_000, SEED)
