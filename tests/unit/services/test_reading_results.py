"""What is done costs nobody anything any more: neither a worklist, nor giving out, nor an account looks at it again."""

from __future__ import annotations

import pytest

from tests.fakes.billed import protocol_text
from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.people import at_desk
from trialimg.core.access import Role
from trialimg.services import billing_usage, reading_assignment, reading_results
from trialimg.services.billing import issue, preview
from trialimg.services.reading_results import worklist

SIZES = {"BL": "50", "W06": "30"}


@pytest.fixture
def trial() -> Trial:
    """Two cases that are final, and one that waits."""
    trial = Trial(text=protocol_text())
    trial.trained("rita", "raul")
    trial.people["adam"] = at_desk(trial.records, "adam", Role.ADMINISTRATOR)
    trial.receive("C1", "C2")
    trial.assign()
    for code in ("C1", "C2"):
        for name in ("rita", "raul"):
            trial.read(name, trial.alias(code, name), SIZES)
    trial.receive("C3")
    trial.assign()
    return trial


def counted(monkeypatch, module, name: str) -> list:
    """The calls of a function from now on."""
    calls, real = [], getattr(module, name)

    def noted(*given):
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(module, name, noted)
    return calls


def test_a_worklist_opens_only_the_cases_that_are_still_to_be_read(trial, monkeypatch):
    opened = counted(monkeypatch, reading_results, "load_case")
    assert len(worklist(trial.records, trial.actor("rita"), TRIAL)) == 1
    assert [key for _, key in opened] == [f"{TRIAL}/C3"]


def test_giving_out_opens_only_the_cases_that_are_not_final_and_still_counts_what_was_read(trial, monkeypatch):
    trial.trained("rob")
    opened = counted(monkeypatch, reading_assignment, "load_case")
    trial.receive("C4")
    trial.assign()
    assert {key for _, key in opened} == {f"{TRIAL}/C3", f"{TRIAL}/C4"}
    assert trial.alias("C4", "rob"), "who has read nothing yet was passed over"


def test_what_was_recorded_as_usage_is_not_derived_again_and_what_came_since_is(trial, monkeypatch):
    day = trial.records.clock.now().date()
    issue(trial.records, trial.actor("adam"), TRIAL, day)
    looked_at = counted(monkeypatch, billing_usage, "signature_of")
    (draft,) = preview(trial.records, trial.actor("adam"), TRIAL, day).drafts
    assert (draft.bill.lines, looked_at) == ((), [])
    for name in ("rita", "raul"):
        trial.read(name, trial.alias("C3", name), SIZES)
    (draft,) = preview(trial.records, trial.actor("adam"), TRIAL, day).drafts
    assert [line.key for line in draft.bill.lines] == [f"{TRIAL}/C3/case"]
    assert len(looked_at) == len(("rita", "raul"))
