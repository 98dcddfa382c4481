"""Settings overridden by name, as text from a command line or as values from a protocol."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.settings import overridden, shown
from trialimg.criteria.recist11 import PrHold, Rules
from trialimg.endpoints.settings import Censoring, EndpointSettings, PlannedVisit


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pr_hold", "hold_after_pr", PrHold.HOLD_AFTER_PR),
        ("new_node_pd_sa_mm", "10", Decimal(10)),
        ("new_node_pd_sa", "10", Decimal(10)),
        ("pd_within_normal_nodes", "on", True),
        ("pd_within_normal_nodes", False, False),
        ("confirmation", "42", 42),
        ("missing_bound_factor", "1.5", Decimal("1.5")),
        ("missing_bound_factor", "none", None),
    ],
)
def test_a_setting_is_given_by_name(name: str, text: object, value: object) -> None:
    changed = overridden(Rules(), {name: text})
    fields = {field: got for field, got in vars(changed).items() if field.startswith(name)}
    assert list(fields.values()) == [value]


def test_everything_wrong_is_named_at_once() -> None:
    wrong = {"pr_hold": "forever", "colour": "red", "pr_decrease": "much", "max_targets": True, "strict": "2"}
    with pytest.raises(ReadingError) as refused:
        overridden(Rules(), wrong)
    assert {(fault.where, fault.code) for fault in refused.value.faults} == {
        ("pr_hold", "bad_setting"),
        ("colour", "unknown_setting"),
        ("pr_decrease", "bad_setting"),
        ("max_targets", "bad_setting"),
        ("strict", "bad_setting"),
    }


def test_values_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ReadingError, match="new_node_pd_sa_mm"):
        overridden(Rules(), {"new_node_pd_sa": "8"})
    with pytest.raises(ReadingError, match="negative"):
        overridden(EndpointSettings(), {"max_ne": "-1"})


def test_a_date_and_an_enum_are_read_from_text() -> None:
    changed = overridden(EndpointSettings(), {"cutoff_date": "2024-05-01", "censoring": "EMA"})
    assert (changed.cutoff_date, changed.censoring) == (dt.date(2024, 5, 1), Censoring.EMA)


def test_every_setting_is_shown_as_text() -> None:
    schedule = (PlannedVisit("W06", 43, 36, 50), PlannedVisit("W12", 85, 78, 92))
    text = shown(EndpointSettings(schedule=schedule))
    assert text["schedule"] == "W06:36-43-50 W12:78-85-92"
    assert text["cutoff_date"] == "none"
    assert text["accept_sd"] == "false"
    assert shown(Rules())["pr_hold"] == "recompute"
