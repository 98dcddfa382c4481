"""What readers see is an allow-list: whatever else comes to stand in a record is not shown to them."""

from __future__ import annotations

import json

import pytest

from tests.fakes.central_review import TRIAL, Trial, double
from trialimg.core.access import Action, Role
from trialimg.services import adjudication, reading, reading_results
from trialimg.services.journal import Records
from trialimg.services.records import Place

CASE_KEYS = {"alias", "kind", "criterion", "state", "is_correction", "reopened_from", "timepoints", "answer"}
TIMEPOINT_KEYS = {"id", "date", "first_date", "is_locked", "entry", "proposed"}
ROW_KEYS = {"alias", "order", "visit", "type", "state", "days_in_state", "due_on", "is_overdue"}
CANARY = "CANARY-7"


def poisoned(records: Records, trial: Trial, kind: str) -> None:
    """Further fields, of whatever name, in every record of a kind and in each of its timepoints."""
    with records.change(trial.actor("ana"), Action.RECEIVE_CASES, trial=TRIAL) as journal:
        for record in list(journal.transaction.find(kind, Place(TRIAL))):
            body = {**record.body, "clinical_note": CANARY, "site_response": f"{CANARY} PD"}
            if kind == "case":
                body["timepoints"] = [{**one, "lab_value": CANARY} for one in body["timepoints"]]
            if kind == "read":
                body["answer"] = {**body["answer"], "site_says": CANARY}
            journal.write(kind, record.id, body, action="add_field", place=record.place)


@pytest.mark.requirement("FDA-02")
def test_a_reader_sees_the_fields_of_the_list_and_no_other_that_stands_in_the_case():
    trial = Trial(text=double())
    trial.trained("rita", "rolf")
    trial.receive("C1")
    trial.assign()
    poisoned(trial.records, trial, "case")
    alias = trial.alias("C1", "rita")
    shown = reading.open_case(trial.records, trial.actor("rita"), TRIAL, alias)
    (row,) = reading_results.worklist(trial.records, trial.actor("rita"), TRIAL)
    assert set(shown) == CASE_KEYS
    assert [set(one) for one in shown["timepoints"]] == [TIMEPOINT_KEYS]
    assert set(row) == ROW_KEYS
    assert CANARY not in json.dumps([shown, row])
    with trial.records.store.reading() as transaction:
        assert CANARY in json.dumps(transaction.current("case", f"{TRIAL}/C1").body)  # it was there to be seen


@pytest.mark.requirement("FDA-02")
def test_an_adjudicator_sees_the_fields_of_the_list_and_no_other_that_stands_in_a_read():
    trial = Trial(text=double())
    trial.trained("rita", "rolf")
    trial.trained("judge", role=Role.ADJUDICATOR)
    trial.receive("C1")
    trial.assign()
    trial.read("rita", trial.alias("C1", "rita"), {"BL": "30.0", "W06": "20.0"})
    trial.read("rolf", trial.alias("C1", "rolf"), {"BL": "30.0", "W06": "30.0"})
    trial.assign()
    for kind in ("case", "read"):
        poisoned(trial.records, trial, kind)
    alias = trial.alias("C1", "judge")
    shown = adjudication.adjudication_view(trial.records, trial.actor("judge"), TRIAL, alias)
    assert {letter: set(read) for letter, read in shown["reads"].items()} == {
        "A": {"timepoints", "answer"},
        "B": {"timepoints", "answer"},
    }
    assert CANARY not in json.dumps(shown)
