"""Where RECIST 1.0 differs from 1.1."""

from __future__ import annotations

import pytest

from tests.fakes.readings import readings
from trialimg.core.errors import ProtocolError
from trialimg.criteria import recist10, recist11
from trialimg.criteria.registry import CRITERIA, criterion


def words(table: str, rules: recist10.Rules | None = None) -> tuple[list[str], list[str]]:
    """Target words by 1.0 and by 1.1."""
    record = readings(table)
    old = recist10.assess(record.tracks, record.designations, record.timepoints, rules or recist10.Rules())
    return [a.target.value for a in old], [a.target.value for a in record.assess()]


def test_twenty_per_cent_is_enough_without_five_mm() -> None:
    table = """
                    BL  W06  W12
        T1 liver    60  20   24
    """
    assert words(table) == (["PR", "PD"], ["PR", "PR"])
    assert words(table, recist10.Rules(strict=True))[0] == ["PR", "PR"]


def test_a_node_must_disappear_for_cr() -> None:
    table = """
                    BL  W06  W12
        N1 node     20  8    0
    """
    assert words(table) == (["PR", "CR"], ["CR", "CR"])


def test_a_target_back_from_nothing_without_overall_cr_grows_from_zero() -> None:
    table = """
                    BL   W06  W12
        T1 liver    40   0    1
        NT1 bone    yes  yes  yes
    """
    assert words(table) == (["CR", "PD"], ["CR", "PR"])


def test_its_answers_name_recist_10() -> None:
    record = readings("BL W06\nT1 liver 60 40")
    (answer,) = recist10.assess(record.tracks, record.designations, record.timepoints)
    assert {firing.rule.split("/")[0] for firing in answer.rule} == {"R-1.0"}


def test_the_registry_knows_both_and_refuses_a_stranger() -> None:
    assert criterion("recist11").rules == recist11.Rules()
    assert criterion("recist10").rules == recist10.Rules()
    with pytest.raises(ProtocolError, match=r"recist12.*known: .*recist10, recist11"):
        criterion("recist12")
    assert all(name == entry.name for name, entry in CRITERIA.items())
