"""Two reads that differ are settled by choosing one of them; nobody learns whose they are."""

from __future__ import annotations

import json

import pytest

from tests.fakes.central_review import BECAUSE, TRIAL, Trial, double, entry
from tests.fakes.records import granted
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Seat
from trialimg.review.design import ConfirmationCause
from trialimg.services import adjudication, cases, reading, reading_assignment, reading_reopening, reading_results

READERS = ("rita.canary", "ron.canary")


def differing(text: str = "", **more) -> Trial:
    """A case that two people read differently, and an adjudicator who has it."""
    trial = Trial(text=text or double(repeat_pct="0"))
    trial.trained(*READERS)
    trial.trained("judy", role=Role.ADJUDICATOR)
    trial.receive("C0001", **more)
    trial.assign()
    trial.read(READERS[0], trial.alias("C0001", READERS[0]), {"BL": "51.1", "W06": "31.7"})
    trial.read(READERS[1], trial.alias("C0001", READERS[1]), {"BL": "53.3", "W06": "49.9"})
    trial.assign()
    return trial


def seats(trial: Trial) -> dict[str, str]:
    (case,) = reading_results.review_status(trial.records, trial.actor("ana"), TRIAL)
    return {read["seat"]: read["reader"] for read in case["reads"]}


def view(trial: Trial, name: str = "judy") -> dict:
    return adjudication.adjudication_view(trial.records, trial.actor(name), TRIAL, trial.alias("C0001", name))


def test_the_adjudicator_chooses_one_read_which_becomes_the_answer():
    trial = differing()
    shown = view(trial)
    letter = next(at for at, read in shown["reads"].items() if read["answer"]["best_response"] == "SD")
    trial.choose("judy", trial.alias("C0001", "judy"), letter)
    found = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001")
    assert (found["answer"]["best_response"], found["by"], found["discordant"]) == ("SD", "verdict", ["best_response"])
    (verdict,) = found["verdicts"]
    assert verdict["because"] == {"code": "measurement", "text": BECAUSE.text}
    assert verdict["chosen"] == found["read"]["seat"]
    entries = [one["action"] for one in found["entries"]]
    assert entries[0] == "receive_case" and entries.count("sign_read") == 4 and "sign_verdict" in entries


def test_a_discordance_says_variable_both_values_and_rule():
    trial = differing()
    (found,) = adjudication.discordances(trial.records, trial.actor("ana"), TRIAL, "C0001")
    by_reader = {seats(trial)["first"]: found["first"], seats(trial)["second"]: found["second"]}
    assert by_reader == {READERS[0]: "PR", READERS[1]: "SD"}
    assert (found["variable"], found["rule"]["rule"]) == ("best_response", "A/best_response")
    (shown,) = view(trial)["discordances"]
    assert {shown["A"], shown["B"]} == {"PR", "SD"} and shown["variable"] == "best_response"


def test_the_order_in_which_reads_are_shown_is_drawn_stored_and_kept():
    drawn = set()
    for salt in range(12):
        trial = Trial(text=double())
        object.__setattr__(trial.records, "salt", iter(f"{n + 1000 * salt:064x}" for n in range(1, 999)).__next__)
        trial.trained(*READERS)
        trial.trained("judy", role=Role.ADJUDICATOR)
        trial.receive("C0001")
        reading_assignment.assign(
            trial.records, trial.actor("ana"), TRIAL, "C0001", seat=Seat.ADJUDICATOR, reader="judy"
        )
        with trial.records.store.reading() as transaction:
            drawn.add(tuple(transaction.current("assignment", f"{TRIAL}/C0001/adjudicator").body["display"].items()))
    assert drawn == {(("A", "first"), ("B", "second")), (("A", "second"), ("B", "first"))}


@pytest.mark.requirement("P11-08")
def test_a_reader_of_the_case_cannot_be_made_its_adjudicator():
    trial = Trial(text=double())
    trial.trained(*READERS)
    granted(trial.records, READERS[0], Role.ADJUDICATOR, trial=TRIAL)
    trial.receive("C0001")
    give = (trial.records, trial.actor("ana"), TRIAL, "C0001")
    reading_assignment.assign(*give, seat=Seat.FIRST, reader=READERS[0])
    with pytest.raises(ReadingError, match="holds another seat"):
        reading_assignment.assign(*give, seat=Seat.ADJUDICATOR, reader=READERS[0])


@pytest.mark.requirement("P11-07")
def test_there_is_nothing_to_see_or_to_choose_before_both_reads_are_signed():
    trial = Trial(text=double())
    trial.trained(*READERS)
    trial.trained("judy", role=Role.ADJUDICATOR)
    trial.receive("C0001")
    trial.assign()
    reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C0001", seat=Seat.ADJUDICATOR, reader="judy")
    trial.read(READERS[0], trial.alias("C0001", READERS[0]), {"BL": "50", "W06": "30"})
    trial.read(READERS[1], trial.alias("C0001", READERS[1]), {"BL": "50", "W06": "48"}, signs=False)
    assert reading_results.worklist(trial.records, trial.actor("judy"), TRIAL) == []
    for step in (lambda: view(trial), lambda: trial.choose("judy", trial.alias("C0001", "judy"), "A")):
        with pytest.raises(ReadingError, match="no two signed reads"):
            step()


def test_readers_and_other_adjudicators_do_not_settle_it():
    trial = differing()
    trial.trained("jim", role=Role.ADJUDICATOR)
    alias = trial.alias("C0001", "judy")
    for name in ("jim", READERS[0]):
        with pytest.raises(AccessError, match="has no case"):
            trial.choose(name, alias, "A")
    with pytest.raises(AccessError, match="does not choose"):
        trial.choose("ana", alias, "A")


def test_a_read_that_is_reopened_takes_its_verdict_with_it():
    trial = differing()
    trial.choose("judy", trial.alias("C0001", "judy"), "A")
    ana, proof = trial.people["ana"]
    asked = reading_reopening.Reopening("C0001", Seat.FIRST, "W06", "another lesion was measured")
    reading_reopening.reopen(trial.records, ana, proof, TRIAL, asked=asked)
    with trial.records.store.reading() as transaction:
        assert transaction.current("verdict", f"{TRIAL}/C0001").place.state == "superseded"
        assert transaction.current("case", f"{TRIAL}/C0001").body["result"] is None
    name = seats(trial)["first"]
    alias, reader = trial.alias("C0001", name), trial.actor(name)
    reading.start_correction(trial.records, reader, TRIAL, alias, reason="another lesion was measured")
    trial.write(name, alias, "W06", entry("33", step="W06"))
    reading.lock_read(trial.records, reader, TRIAL, alias)
    reading.sign_read(trial.records, reader, trial.proof(name), trial=TRIAL, alias=alias)
    if trial.state("C0001") == "adjudication":
        trial.choose("judy", trial.alias("C0001", "judy"), "B")
    assert trial.state("C0001") == "final"


def test_a_consensus_is_signed_by_both_readers():
    trial = Trial(text=double(resolution="consensus"))
    trial.trained(*READERS)
    trial.receive("C0001")
    trial.assign()
    own = {name: trial.alias("C0001", name) for name in READERS}
    trial.read(READERS[0], own[READERS[0]], {"BL": "50", "W06": "30"})
    trial.read(READERS[1], own[READERS[1]], {"BL": "50", "W06": "48"})
    work = reading_results.worklist(trial.records, trial.actor(READERS[0]), TRIAL)
    assert [row["type"] for row in work] == ["consensus"]
    trial.choose(READERS[0], own[READERS[0]], "A")
    trial.choose(READERS[1], own[READERS[1]], "B")
    assert trial.state("C0001") == "adjudication"
    trial.choose(READERS[1], own[READERS[1]], "A")
    found = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001")
    assert (found["read"]["seat"], len(found["verdicts"])) == ("first", 2)


def reached_by(trial: Trial, name: str) -> str:
    """Every byte that a person gets: work list, case, answers, messages, view of the adjudication."""
    actor, alias = trial.actor(name), trial.alias("C0001", name)
    got = [reading_results.worklist(trial.records, actor, TRIAL)]
    if actor.role is Role.ADJUDICATOR:
        got.append(adjudication.adjudication_view(trial.records, actor, TRIAL, alias))
    else:
        got.append(reading.open_case(trial.records, actor, TRIAL, alias))
        got.append(reading.answer_so_far(trial.records, actor, TRIAL, alias))
    for wrong in (
        lambda: reading.save_draft(trial.records, actor, TRIAL, alias, step="W99", entry={}),
        lambda: trial.choose(name, alias, "C"),
        lambda: reading.open_case(trial.records, actor, TRIAL, "R000"),
    ):
        try:
            wrong()
        except (AccessError, ReadingError) as refused:
            got.append([str(refused), *map(str, getattr(refused, "faults", ()))])
    return json.dumps(got, default=str)


@pytest.mark.requirement("E6-01")
def test_no_byte_that_a_reader_or_adjudicator_gets_tells_what_they_must_not_know():
    text = double(case_kinds="[efficacy, progression]", confirmation="[site_progression]")
    text = (
        text.replace("arms: [A, B]", "arms: [ARM-CANARY-1, ARM-CANARY-2]")
        .replace("compare_arms: [A, B]", "compare_arms: [ARM-CANARY-1, ARM-CANARY-2]")
        .replace('sites: ["01", "02"]', 'sites: ["SITE-CANARY", "02"]')
    )
    trial = differing(text)
    asked_for = {"kind": cases.CaseKind.PROGRESSION, "cause": ConfirmationCause.SITE_PROGRESSION}
    trial.receive("C0002", **asked_for)
    of_first, of_second = ("51.1", "31.7"), ("53.3", "49.9")
    secret = {
        READERS[0]: (READERS[1], *of_second, "judy", "S-C0001", "C0001"),
        READERS[1]: (READERS[0], *of_first, "judy", "S-C0001", "C0001"),
        "judy": (*READERS, "S-C0001", "C0001"),
    }
    for name, hidden in secret.items():
        got = reached_by(trial, name)
        assert len(got) > 500
        for canary in (*hidden, "CANARY-1", "CANARY-2", "SITE-CANARY", "site_progression", "site progression"):
            assert canary.lower() not in got.lower(), f"{name} is told {canary}"
    assert all(size in reached_by(trial, "judy") for size in (*of_first, *of_second))  # the probe does see values


@pytest.mark.requirement("E6-01")
def test_what_asks_for_a_progression_case_stands_in_no_record():
    trial = Trial(text=double(case_kinds="[efficacy, progression]", confirmation="[site_progression]"))
    trial.receive("P0001", kind=cases.CaseKind.PROGRESSION, cause=ConfirmationCause.SITE_PROGRESSION)
    with trial.records.store.reading() as transaction:
        version = transaction.current("case", f"{TRIAL}/P0001")
        assert "progression" not in json.dumps({**version.body, "kind": ""})
        assert transaction.detail(version.entry).value() == {"reason": "asked for by site progression"}


@pytest.mark.requirement("FDA-02")
def test_what_readers_and_adjudicators_are_shown_is_a_closed_list_of_fields():
    trial = differing()
    name = READERS[0]
    shown = reading.open_case(trial.records, trial.actor(name), TRIAL, trial.alias("C0001", name))
    assert set(shown) == {
        "alias", "kind", "criterion", "state", "is_correction", "reopened_from", "timepoints", "answer",
    }  # fmt: skip
    assert {frozenset(one) for one in shown["timepoints"]} == {
        frozenset({"id", "date", "first_date", "is_locked", "entry", "proposed"})
    }
    settled = view(trial)
    assert set(settled) == {"alias", "kind", "criterion", "timepoints", "reads", "discordances"}
    assert {frozenset(one) for one in settled["timepoints"]} == {frozenset({"id", "date", "series"})}
    assert {frozenset(one) for one in settled["discordances"]} == {frozenset({"variable", "A", "B", "rule"})}
    for read in settled["reads"].values():
        assert set(read) == {"timepoints", "answer"}
        assert set(read["answer"]) == {
            "criterion", "timepoints", "best_response", "best_response_rule", "progression_date", "response_date",
        }  # fmt: skip
        lesions = [lesion for one in read["timepoints"].values() for lesion in one["lesions"]]
        assert not {"attribution", "proposal"} & {key for lesion in lesions for key in lesion}
