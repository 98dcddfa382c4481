"""All cases of a trial at once are the cases one by one, whatever was done to them."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double
from trialimg.core.access import Role
from trialimg.core.reading import CaseKind, Seat
from trialimg.services import reading_assignment
from trialimg.services.cases import withdraw_consent
from trialimg.services.dashboard_readers import readers_seen
from trialimg.services.reader_performance import reader_report, reads_in, reads_of
from trialimg.services.reading_assignment import revoke_assignment
from trialimg.services.reading_file import CASE, load_case, load_cases
from trialimg.services.reading_reopening import Reopening, reopen
from trialimg.services.records import Place
from trialimg.services.review_record import review_record

PR, SD = ({"BL": "30.0", "W06": size} for size in ("20.0", "30.0"))


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Cases agreed on, settled, reopened, withdrawn, half read, taken away and given to another, and not begun."""
    trial = Trial(text=double(repeat_pct="50", case_kinds="[efficacy, eligibility]"))
    trial.trained("rita", "rolf")
    trial.trained("judge", role=Role.ADJUDICATOR)
    trial.receive("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8")
    trial.receive("E1", kind=CaseKind.ELIGIBILITY, timepoints=("BL",))
    trial.assign()
    for code in ("C1", "C2", "C3", "C4"):
        trial.read("rita", trial.alias(code, "rita"), PR)
        trial.read("rolf", trial.alias(code, "rolf"), PR if code in ("C1", "C4") else SD)
    for one in ("rita", "rolf"):
        for code in ("C1", "C2"):
            if any(read["repeat"] for read in seats(trial, code, one)):
                trial.read(one, trial.alias(code, one, repeat=True), SD)
    trial.assign()
    trial.choose("judge", trial.alias("C2", "judge"), "A")
    trial.read("rita", trial.alias("C5", "rita"), PR, signs=False)
    revoked(trial, "C5", "rita")
    revoked(trial, "C6", "rolf")
    trial.trained("rosa")
    reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C6", seat=seat(trial, "C6"), reader="rosa")
    asked = Reopening("C4", Seat.FIRST, "W06", "the node was missed")
    reopen(trial.records, trial.actor("ana"), trial.proof("ana"), TRIAL, asked=asked)
    withdraw_consent(trial.records, trial.actor("ana"), TRIAL, "S-C7", reason="the subject asked for it")
    trial.receive("C9")
    return trial


def seats(trial: Trial, code: str, name: str) -> list:
    with trial.records.store.reading() as transaction:
        found = load_case(transaction, f"{TRIAL}/{code}").assignments.values()
        return [one.body for one in found if one.body["reader"] == name]


def revoked(trial: Trial, code: str, name: str) -> None:
    held = Seat(seats(trial, code, name)[0]["seat"])
    revoke_assignment(trial.records, trial.actor("ana"), TRIAL, code, seat=held, reason="ill")


def seat(trial: Trial, code: str) -> Seat:
    """The one that is free."""
    with trial.records.store.reading() as transaction:
        taken = load_case(transaction, f"{TRIAL}/{code}").review.reads
    return next(one for one in (Seat.FIRST, Seat.SECOND) if one not in taken)


def test_cases_loaded_together_are_those_loaded_one_by_one(trial: Trial) -> None:
    with trial.records.store.reading() as transaction:
        slow = [load_case(transaction, one.id) for one in transaction.find(CASE, Place(TRIAL))]
        assert list(load_cases(transaction, TRIAL)) == slow
        some = {f"{TRIAL}/C2", f"{TRIAL}/C6"}
        assert list(load_cases(transaction, TRIAL, only=some)) == [file for file in slow if file.id in some]
    stages = {file.record.place.state for file in slow}
    assert stages == {"received", "reading", "adjudication", "final", "withdrawn"}
    assert {name for file in slow for name in file.review.barred} == {"rita", "rolf"}
    assert any(file.verdicts for file in slow)
    assert any(one.body["repeat"] for file in slow for one in file.assignments.values())


def test_the_figures_of_readers_are_those_of_cases_loaded_one_by_one(trial: Trial) -> None:
    with trial.records.store.reading() as transaction:
        slow = [load_case(transaction, one.id) for one in transaction.find(CASE, Place(TRIAL))]
        figures = reads_of(transaction, TRIAL)
        assert figures == reads_in(transaction, TRIAL, slow)
    assert len(figures.pairs) == 4
    assert figures.repeats


def test_a_page_gets_figures_and_flow_of_one_pass(trial: Trial) -> None:
    ana = trial.actor("ana")
    seen = readers_seen(trial.records, ana, TRIAL)
    assert seen.report == reader_report(trial.records, ana, TRIAL)
    assert seen.cases == review_record(trial.records, ana, TRIAL).cases
    assert "E1" not in {one.case for one in seen.cases}
