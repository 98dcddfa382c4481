"""Cases come in whole or not at all, grow by late timepoints, and stop when consent is withdrawn."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, double, entry, received_case, single
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import CaseKind, Seat
from trialimg.review.design import ConfirmationCause
from trialimg.services import adjudication, cases, reading, reading_assignment, reading_reopening, reading_results
from trialimg.services.trials import Change, amend_protocol

KINDS = {"case_kinds": "[efficacy, eligibility, progression]", "confirmation": "[site_progression]"}


def read_single(trial: Trial, code: str, sizes: dict[str, str]) -> None:
    name = next(
        read["reader"]
        for one in reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
        for read in one["reads"]
        if one["case"] == code
    )
    trial.read(name, trial.alias(code, name), sizes)


def test_each_received_case_is_one_record_and_one_entry():
    trial = Trial()
    start = len(trial.entries())
    trial.receive("C0001", "C0002")
    assert trial.entries(start) == [("receive_case", f"{TRIAL}/C0001"), ("receive_case", f"{TRIAL}/C0002")]


def test_everything_wrong_with_a_delivery_is_named_at_once_and_nothing_is_kept():
    trial = Trial()
    trial.receive("C0001")
    wrong = [
        received_case("C0001"),
        received_case("C 2"),
        received_case("C0003", ("W06", "BL")),
        received_case("C0004", ()),
        received_case("C0005", kind=CaseKind.ELIGIBILITY),
        received_case("C0006", cause=ConfirmationCause.SITE_PROGRESSION),
        received_case("C0007"),
        received_case("C0007"),
    ]
    start = len(trial.entries())
    with pytest.raises(ReadingError) as refused:
        cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, wrong)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [
        ("C0007", "duplicate"),
        ("C0001", "already_received"),
        ("C 2", "bad_name"),
        ("C0003", "bad_order"),
        ("C0004", "no_timepoint"),
        ("C0005", "other_kind"),
        ("C0006", "bad_cause"),
    ]
    assert len(trial.entries()) == start


def test_only_who_may_receive_cases_does():
    trial = Trial()
    trial.trained("rita")
    with pytest.raises(AccessError, match="may not receive cases"):
        cases.receive_cases(trial.records, trial.actor("rita"), TRIAL, [received_case("C0001")])


@pytest.mark.requirement("FDA-04")
def test_eligibility_progression_and_efficacy_are_read_apart_by_other_people():
    trial = Trial(text=single(**KINDS))
    trial.trained("rita", "ron", "rob")
    trial.receive("C0001", subject="S-1")
    trial.receive("E0001", subject="S-1", kind=CaseKind.ELIGIBILITY, timepoints=("BL",))
    trial.receive("P0001", subject="S-1", kind=CaseKind.PROGRESSION, cause=ConfirmationCause.SITE_PROGRESSION)
    trial.assign()
    status = reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
    readers = {one["case"]: one["reads"][0]["reader"] for one in status}
    assert len(set(readers.values())) == 3
    trial.receive("C0002", subject="S-1")
    give = (trial.records, trial.actor("ana"), TRIAL, "C0002")
    for kind in ("E0001", "P0001"):
        with pytest.raises(ReadingError, match="has seen this subject before"):
            reading_assignment.assign(*give, seat=Seat.FIRST, reader=readers[kind])
    reading_assignment.assign(*give, seat=Seat.FIRST, reader=readers["C0001"])


@pytest.mark.requirement("FDA-04")
def test_nothing_of_an_eligibility_read_reaches_the_efficacy_case():
    trial = Trial(text=single(**KINDS))
    trial.trained("rita", "ron")
    trial.receive("E0001", subject="S-1", kind=CaseKind.ELIGIBILITY, timepoints=("BL",))
    trial.assign()
    name = next(iter(trial.people.keys() - {"ana"} & {
        read["reader"]
        for one in reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
        for read in one["reads"]
    }))  # fmt: skip
    alias = trial.alias("E0001", name)
    trial.write(name, alias, "BL", entry("77.7", conclusion="eligible", comment="LEAK"))
    reading.lock_read(trial.records, trial.actor(name), TRIAL, alias)
    reading.sign_read(trial.records, trial.actor(name), trial.proof(name), trial=TRIAL, alias=alias)
    trial.receive("C0001", subject="S-1")
    trial.assign()
    other = ({"rita", "ron"} - {name}).pop()
    own = trial.alias("C0001", other)
    seen = str(reading.open_case(trial.records, trial.actor(other), TRIAL, own))
    trial.read(other, own, {"BL": "50", "W06": "30"})
    found = str(reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001"))
    assert all(secret not in seen + found for secret in ("77.7", "LEAK", "eligible", "E0001"))
    eligible = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "E0001")
    assert eligible["answer"]["compared"]["conclusion"] == "eligible"
    assert (eligible["kind"], eligible["answer"]["timepoints"]) == ("eligibility", [])


def test_two_readers_of_an_eligibility_case_are_compared_by_its_conclusion():
    trial = Trial(text=double(case_kinds="[efficacy, eligibility]"))
    trial.trained("rita", "ron")
    trial.trained("judy", role=Role.ADJUDICATOR)
    trial.receive("E0001", kind=CaseKind.ELIGIBILITY, timepoints=("BL",))
    trial.assign()
    for name, word in (("rita", "eligible"), ("ron", "not_eligible")):
        alias, actor = trial.alias("E0001", name), trial.actor(name)
        trial.write(name, alias, "BL", entry("50", conclusion=word))
        reading.lock_read(trial.records, actor, TRIAL, alias)
        reading.sign_read(trial.records, actor, trial.proof(name), trial=TRIAL, alias=alias)
    (found,) = adjudication.discordances(trial.records, trial.actor("ana"), TRIAL, "E0001")
    assert {found["first"], found["second"]} == {"eligible", "not_eligible"}


@pytest.mark.parametrize(("size", "conclusion"), [("61", "progression"), ("50", "no_progression")])
def test_a_progression_case_concludes_whether_there_is_one(size, conclusion):
    trial = Trial(text=single(**KINDS))
    trial.trained("rita")
    trial.receive("P0001", kind=CaseKind.PROGRESSION, cause=ConfirmationCause.SITE_PROGRESSION)
    trial.assign()
    read_single(trial, "P0001", {"BL": "50", "W06": size})
    found = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "P0001")
    assert found["answer"]["compared"]["conclusion"] == conclusion


@pytest.mark.requirement("FDA-10")
def test_late_timepoints_are_read_after_what_is_locked_and_change_nothing_of_it():
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    read_single(trial, "C0001", {"BL": "50", "W06": "30"})
    late = (cases.CaseTimepoint("UNS-2026-04-15", dt.date(2026, 4, 15)),)
    cases.extend_cases(trial.records, trial.actor("ana"), TRIAL, late={"C0001": late})
    assert trial.state("C0001") == "reading"
    alias, rita = trial.alias("C0001", "rita"), trial.actor("rita")
    with pytest.raises(ReadingError, match="no result"):
        reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001")
    (row,) = reading_results.worklist(trial.records, rita, TRIAL)
    assert (row["type"], row["visit"]) == ("re-read", "UNS-2026-04-15")
    trial.write("rita", alias, "UNS-2026-04-15", entry("45", step="UNS-2026-04-15"))
    reading.lock_read(trial.records, rita, TRIAL, alias)
    reading.sign_read(trial.records, rita, trial.proof("rita"), trial=TRIAL, alias=alias)
    answer = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001")["answer"]
    assert [(one["overall"], one["flags"]["is_off_schedule"]) for one in answer["timepoints"]] == [
        ("PR", False),
        ("PD", True),
    ]


@pytest.mark.parametrize("day", [DATES["BL"] - dt.timedelta(1), DATES["W06"]])
def test_a_late_timepoint_lies_after_baseline_on_a_day_of_its_own(day):
    trial = Trial(text=single())
    trial.receive("C0001")
    with pytest.raises(ReadingError, match="nothing was received"):
        cases.extend_cases(trial.records, trial.actor("ana"), TRIAL, late={"C0001": [cases.CaseTimepoint("W09", day)]})


def test_withdrawn_consent_stops_every_use_and_keeps_the_trail():
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001", "C0002")
    trial.assign()
    read_single(trial, "C0001", {"BL": "50", "W06": "30"})
    ana = trial.actor("ana")
    cases.withdraw_consent(trial.records, ana, TRIAL, "S-C0001", reason="letter of the subject, 2026-03-01")
    assert (trial.state("C0001"), trial.state("C0002")) == ("withdrawn", "reading")
    alias, rita = trial.alias("C0001", "rita"), trial.actor("rita")
    for use in (
        lambda: reading.open_case(trial.records, rita, TRIAL, alias),
        lambda: reading.answer_so_far(trial.records, rita, TRIAL, alias),
        lambda: reading_results.case_result(trial.records, ana, TRIAL, "C0001"),
        lambda: adjudication.discordances(trial.records, ana, TRIAL, "C0001"),
        lambda: cases.withdraw_consent(trial.records, ana, TRIAL, "S-C0001", reason="again"),
    ):
        with pytest.raises(ReadingError):
            use()
    assert [row["alias"] for row in reading_results.worklist(trial.records, rita, TRIAL)] == [
        trial.alias("C0002", "rita")
    ]
    assert reading_results.final_results(trial.records, ana, TRIAL) == []
    with trial.records.store.reading() as transaction:
        assert transaction.current("read", f"{TRIAL}/C0001/first").place.state == "signed"


def amended(trial: Trial, *, reopens: tuple[str, ...] = (), **keys: str) -> None:
    text = trial.text.replace('version: "1.0"', 'version: "2.0"')
    text = text.replace("reading:\n", "reading:\n" + "".join(f"  {key}: {word}\n" for key, word in keys.items()))
    change = Change("a second look is wanted", dt.date(2026, 1, 1))
    amend_protocol(trial.records, trial.actor("ana"), text, change, reopens=reopens)
    trial.trained("rita", version="2.0")


@pytest.mark.parametrize(
    ("keys", "named", "anew"),
    [
        ({}, (), ["C0003"]),
        ({}, ("C0001/first",), ["C0001", "C0003"]),
        ({"amendment": "unsigned"}, (), ["C0002", "C0003"]),
        ({"amendment": "all"}, (), ["C0001", "C0002", "C0003"]),
    ],
)
def test_an_amendment_says_which_cases_are_read_anew(keys, named, anew):
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001", "C0002")
    trial.assign()
    trial.receive("C0003")
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "50", "W06": "30"})
    trial.write("rita", trial.alias("C0002", "rita"), "BL", entry("50"))
    amended(trial, reopens=tuple(f"{TRIAL}/{read}" for read in named), global_read="true", **keys)
    ana, proof = trial.people["ana"]
    changed = reading_reopening.apply_amendment(trial.records, ana, proof, TRIAL)
    assert [version.body["code"] for version in changed] == anew
    assert reading_reopening.apply_amendment(trial.records, ana, proof, TRIAL) == ()
    if "C0001" in anew:
        alias = trial.alias("C0001", "rita")
        trial.write("rita", alias, "BL", entry("50"))
        trial.write("rita", alias, "W06", entry("30", step="W06"))
        trial.write("rita", alias, "GLOBAL", {"best_response": "PR"})
        reading.lock_read(trial.records, trial.actor("rita"), TRIAL, alias)
        with trial.records.store.reading() as transaction:
            new = transaction.current("read", f"{TRIAL}/C0001/first/2").body
        assert (new["supersedes"], new["protocol_version"]) == (f"{TRIAL}/C0001/first", "2.0")


def test_a_seat_that_was_taken_away_is_read_by_somebody_else_from_the_beginning():
    trial = Trial(text=single())
    trial.trained("rita", "ron")
    trial.receive("C0001")
    give = (trial.records, trial.actor("ana"), TRIAL, "C0001")
    reading_assignment.assign(*give, seat=Seat.FIRST, reader="rita")
    trial.write("rita", trial.alias("C0001", "rita"), "BL", entry("50"))
    reading_assignment.revoke_assignment(*give, seat=Seat.FIRST, reason="rita is ill")
    assert trial.state("C0001") == "received"
    with pytest.raises(ReadingError, match="has seen this subject before"):
        reading_assignment.assign(*give, seat=Seat.FIRST, reader="rita")
    reading_assignment.assign(*give, seat=Seat.FIRST, reader="ron")
    trial.read("ron", trial.alias("C0001", "ron"), {"BL": "48", "W06": "30"})
    with trial.records.store.reading() as transaction:
        states = {key: transaction.current("read", f"{TRIAL}/C0001/{key}").place for key in ("first", "first/2")}
    assert [(place.person, place.state) for place in states.values()] == [("rita", "superseded"), ("ron", "signed")]


def test_nothing_is_received_in_the_name_of_a_site_that_is_not_active():
    trial = Trial()
    wrong = [received_case("C0001", site="01"), received_case("C0002", site="01"), received_case("C0003")]
    with pytest.raises(ReadingError) as refused:
        cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, wrong)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [("C0001, C0002", "site_not_active")]
    assert trial.state("C0003") == ""
