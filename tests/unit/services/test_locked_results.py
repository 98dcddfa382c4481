"""A case that a data cut holds does not move until the cut is unlocked."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import TRIAL, Trial, single
from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.core.reading import Seat
from trialimg.services import cases, reading_reopening
from trialimg.services.dashboard_downloads import cut_files, fetch_cut
from trialimg.services.trials_data_cut import CutOrder, cut_data, moved_since, unlock_data

ASKED = reading_reopening.Reopening("C0001", Seat.FIRST, "W06", "T01 was the other nodule")
LATE = {"C0001": [cases.CaseTimepoint("W12", dt.date(2026, 3, 30))]}


@pytest.fixture
def trial() -> Trial:
    """One final case, locked in a data cut."""
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "50", "W06": "30"})
    ana, proof = trial.people["ana"]
    cut_data(trial.records, ana, proof, CutOrder(TRIAL, "IA1", "first interim analysis"))
    return trial


@pytest.mark.requirement("E6-08")
def test_a_locked_result_is_neither_reopened_nor_extended(trial):
    ana, proof = trial.people["ana"]
    with pytest.raises(ReadingError, match="locked in the data cut"):
        reading_reopening.reopen(trial.records, ana, proof, TRIAL, asked=ASKED)
    with pytest.raises(ReadingError, match="locked in the data cut"):
        cases.extend_cases(trial.records, ana, TRIAL, late=LATE)
    assert trial.state("C0001") == "final"
    with trial.records.store.reading() as transaction:
        cut = transaction.current("data_cut", f"{TRIAL}/IA1")
        assert moved_since(transaction, cut) == ()


def test_once_the_cut_is_unlocked_it_moves_again(trial):
    ana, proof = trial.people["ana"]
    unlock_data(trial.records, ana, proof, f"{TRIAL}/IA1", reason="a reader asked for a correction")
    reading_reopening.reopen(trial.records, ana, proof, TRIAL, asked=ASKED)
    assert trial.state("C0001") == "reading"


def test_the_table_of_a_cut_is_that_of_what_was_locked_though_the_case_has_moved_on(trial):
    ana, proof = trial.people["ana"]
    before = fetch_cut(trial.records, ana, TRIAL, "IA1")
    unlock_data(trial.records, ana, proof, f"{TRIAL}/IA1", reason="a reader asked for a correction")
    reading_reopening.reopen(trial.records, ana, proof, TRIAL, asked=ASKED)
    (cut,) = cut_files(trial.records, ana, TRIAL)
    assert (cut.digest, cut.moved) == (digest_of(before), (f"{TRIAL}/C0001",))
    assert fetch_cut(trial.records, ana, TRIAL, "IA1") == before
    assert b"C0001,S-C0001,PR" in before
