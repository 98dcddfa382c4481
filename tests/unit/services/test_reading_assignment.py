"""A trial's cases are given out in a stored order; repeats come back under another name, and decide nothing."""

from __future__ import annotations

import json

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, received_case, single
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Seat
from trialimg.services import cases, reading, reading_assignment, reading_results

CODES = [f"C{number:04d}" for number in range(1, 11)]


def given_out(text: str, readers: tuple[str, ...] = ("rita", "ron")) -> Trial:
    trial = Trial(text=text)
    trial.trained(*readers)
    trial.receive(*CODES)
    trial.assign()
    return trial


def orders(trial: Trial) -> dict[str, list[tuple[str, bool]]]:
    """Each reader's cases in the order of their assignments."""
    rows = [
        (read["reader"], read["order"], one["case"], read["repeat"])
        for one in reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
        for read in one["reads"]
    ]
    return {name: [(case, repeat) for who, _, case, repeat in sorted(rows) if who == name] for name, *_ in sorted(rows)}


@pytest.mark.requirement("FDA-07")
def test_the_order_is_stored_and_follows_from_the_seed():
    first, again, other = (orders(given_out(double(seed=seed))) for seed in ("7", "7", "8"))
    assert first == again != other
    assert sorted(first["rita"]) != first["rita"] != first["ron"]
    received = orders(given_out(double(order="as_received")))
    assert received["rita"] == received["ron"] == [(code, False) for code in CODES]


def test_the_work_list_keeps_the_order_and_says_nothing_of_others():
    trial = given_out(double(repeat_pct="0"))
    rows = reading_results.worklist(trial.records, trial.actor("rita"), TRIAL)
    aliases = [trial.alias(case, "rita") for case, _ in orders(trial)["rita"]]
    assert [row["alias"] for row in rows] == aliases
    assert rows[0].keys() == {"alias", "order", "visit", "type", "state", "days_in_state", "due_on", "is_overdue"}
    assert not {"ron", *CODES} & set(json.dumps(rows).replace('"', " ").split())
    assert len(reading_results.worklist(trial.records, trial.actor("rita"), TRIAL, limit=3)) == 3


def test_repeats_are_mixed_in_unsaid_under_names_that_tell_nothing():
    trial = given_out(single(repeat_pct="20"), readers=("rita",))
    sequence = orders(trial)["rita"]
    repeated = [case for case, repeat in sequence if repeat]
    assert len(sequence) == 12 and len(set(repeated)) == 2
    rows = reading_results.worklist(trial.records, trial.actor("rita"), TRIAL)
    assert len({row["alias"] for row in rows}) == 12
    assert {(row["type"], row["state"], row["visit"]) for row in rows} == {("read", "assigned", "BL")}
    views = [reading.open_case(trial.records, trial.actor("rita"), TRIAL, row["alias"]) for row in rows]
    assert len({json.dumps({**view, "alias": ""}) for view in views}) == 1


def test_a_repeat_is_read_like_any_other_and_decides_nothing():
    trial = given_out(single(repeat_pct="10"), readers=("rita",))
    (code,) = [case for case, repeat in orders(trial)["rita"] if repeat]
    again = trial.alias(code, "rita", repeat=True)
    trial.read("rita", again, {"BL": "50", "W06": "61"})
    assert trial.state(code) == "reading"
    trial.read("rita", trial.alias(code, "rita"), {"BL": "50", "W06": "30"})
    found = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, code)
    assert (found["answer"]["best_response"], found["read"]["id"]) == ("PR", f"{TRIAL}/{code}/first")
    with trial.records.store.reading() as transaction:
        second = transaction.current("read", f"{TRIAL}/{code}/first/repeat")
    assert (second.place.state, second.body["answer"]["best_response"]) == ("signed", "PD")


def test_giving_out_again_changes_nothing_and_new_cases_come_behind():
    trial = given_out(double())
    start = len(trial.entries())
    trial.assign()
    assert len(trial.entries()) == start
    before = orders(trial)["rita"]
    cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, [received_case("C0099")])
    trial.assign()
    assert orders(trial)["rita"] == [*before, ("C0099", False)]


def test_one_free_seat_is_filled_by_somebody_else():
    trial = Trial(text=double())
    trial.trained("rita", "ron")
    trial.receive("C0001")
    give = (trial.records, trial.actor("ana"), TRIAL, "C0001")
    reading_assignment.assign(*give, seat=Seat.SECOND, reader="rita")
    with pytest.raises(ReadingError, match="seat is taken"):
        reading_assignment.assign(*give, seat=Seat.SECOND, reader="ron")
    with pytest.raises(ReadingError, match="holds another seat"):
        reading_assignment.assign(*give, seat=Seat.FIRST, reader="rita")
    trial.assign()
    (case,) = reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
    assert {read["seat"]: read["reader"] for read in case["reads"]} == {"first": "ron", "second": "rita"}


def test_people_who_may_not_read_are_named_and_nobody_without_the_role_is_given_a_case():
    trial = Trial(text=double())
    trial.trained("rita", "ron")
    trial.trained("judy", role=Role.ADJUDICATOR)
    trial.receive("C0001")
    with pytest.raises(ReadingError) as refused:
        reading_assignment.assign_trial(trial.records, trial.actor("ana"), TRIAL, readers=("rita", "judy", "nobody"))
    assert [fault.where for fault in refused.value.faults] == ["judy", "nobody"]
    with pytest.raises(AccessError, match="judy is not radiologist"):
        reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C0001", seat=Seat.FIRST, reader="judy")


def test_who_is_relieved_of_a_case_is_relieved_of_its_repeat():
    trial = given_out(single(repeat_pct="10"), readers=("rita",))
    (code,) = [case for case, repeat in orders(trial)["rita"] if repeat]
    trial.write("rita", trial.alias(code, "rita", repeat=True), "BL", entry("50"))
    reading_assignment.revoke_assignment(
        trial.records, trial.actor("ana"), TRIAL, code, seat=Seat.FIRST, reason="rita is ill"
    )
    assert code not in {case for case, _ in orders(trial)["rita"]}
    with trial.records.store.reading() as transaction:
        assert transaction.current("read", f"{TRIAL}/{code}/first/repeat").place.state == "superseded"
