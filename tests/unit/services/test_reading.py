"""A reader opens, writes, locks, signs and corrects: each step is one entry for each record that it writes."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, single, target
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Seat
from trialimg.services import cases, reading, reading_assignment, reading_reopening, reading_results
from trialimg.services.signatures import signature_of

SIZES = {"BL": "50", "W06": "30"}


def node(apart_mm: float) -> dict:
    """A node of 16 mm whose short axis was drawn so long."""
    return target("16", kind="nodal", evidence={"short_axis_lps_mm": [[0, 0, 0], [0, 0, apart_mm]]})


@pytest.fixture
def trial() -> Trial:
    made = Trial(text=single())
    made.trained("rita")
    made.receive("C0001")
    made.assign()
    return made


def alias_of(trial: Trial, name: str = "rita", code: str = "C0001") -> str:
    return trial.alias(code, name)


def current(trial: Trial, kind: str, key: str):
    with trial.records.store.reading() as transaction:
        return transaction.current(kind, f"{TRIAL}/{key}")


def test_a_reader_sees_only_the_timepoints_that_are_open_to_them(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    view = reading.open_case(trial.records, rita, TRIAL, alias)
    assert [one["id"] for one in view["timepoints"]] == ["BL"]
    assert "W06" not in str(view) and "2026-02-16" not in str(view)
    trial.write("rita", alias, "BL", entry("50"))
    view = reading.open_case(trial.records, rita, TRIAL, alias)
    assert [(one["id"], one["is_locked"]) for one in view["timepoints"]] == [("BL", True), ("W06", False)]


@pytest.mark.requirement("FDA-09")
def test_a_locked_timepoint_is_not_written_again_and_a_later_one_not_early(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    with pytest.raises(ReadingError, match="W06 is not shown before BL is locked"):
        reading.save_draft(trial.records, rita, TRIAL, alias, step="W06", entry=entry("30", step="W06"))
    trial.write("rita", alias, "BL", entry("50"))
    with pytest.raises(ReadingError, match="BL is locked"):
        reading.save_draft(trial.records, rita, TRIAL, alias, step="BL", entry=entry("49"))


def test_locking_names_everything_that_is_missing_at_once(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    trial.write("rita", alias, "BL", {**entry("50"), "lesions": [target("50"), target("20", "T02")]})
    gaps = {
        "lesions": [
            target("", "T02", seen="not_evaluable"),
            {"lesion": "N1", "role": "new", "kind": "non_nodal", "organ": "", "seen": "measured", "diameter_mm": "12"},
        ]
    }
    reading.save_draft(trial.records, rita, TRIAL, alias, step="W06", entry=gaps)
    with pytest.raises(ReadingError) as refused:
        reading.lock_timepoint(trial.records, rita, TRIAL, alias, step="W06")
    assert {(fault.where, fault.code, fault.message) for fault in refused.value.faults} == {
        ("W06", "blank", "image_quality is blank"),
        ("W06", "blank", "new_lesions is not answered by yes or no"),
        ("W06 T01", "blank", "nothing is said of this target lesion"),
        ("W06 T02", "blank", "reason is blank"),
        ("W06 N1", "blank", "status is blank"),
    }
    assert current(trial, "read", "C0001/first").body["locked"] == ["BL"]


@pytest.mark.parametrize(
    ("lesions", "code"),
    [
        ([target("50", role="tumour")], "bad_value"),
        ([target("50"), target("40")], "double_row"),
        ([target("0")], "zero_diameter"),
        ([target("50", seen="absent")], "diameter_of_unmeasured"),
        ([], "blank"),
        ([target("50", evidence={"long_axis_lps_mm": [["0", "0", "0"], ["30", "39.96", "0"]]})], None),
        ([target("50", evidence={"long_axis_lps_mm": [["0", "0", "0"], ["30", "40.2", "0"]]})], "diameter_disagrees"),
        ([target("16", kind="nodal", evidence={"short_axis_lps_mm": [[0, 0, 0], [0, 0, 16.04]]})], None),
        (
            [target("16", kind="nodal", evidence={"short_axis_lps_mm": [[0, 0, 0], [0, 0, 16.05]]})],
            "diameter_disagrees",
        ),
    ],
)
def test_a_baseline_that_contradicts_itself_is_not_locked(trial, lesions, code):
    alias, rita = alias_of(trial), trial.actor("rita")
    said = {**entry("50"), "lesions": lesions}
    reading.save_draft(trial.records, rita, TRIAL, alias, step="BL", entry=said)
    if code is None:
        reading.lock_timepoint(trial.records, rita, TRIAL, alias, step="BL")
        return
    with pytest.raises(ReadingError) as refused:
        reading.lock_timepoint(trial.records, rita, TRIAL, alias, step="BL")
    assert code in {fault.code for fault in refused.value.faults}


def test_lengths_enter_a_read_rounded_once_half_up(trial):
    alias = alias_of(trial)
    trial.write("rita", alias, "BL", entry("20.25"))
    (lesion,) = current(trial, "read", "C0001/first").body["timepoints"]["BL"]["lesions"]
    assert (lesion["diameter_mm"], lesion["attribution"]) == ("20.3", {"diameter_mm": "human"})


@pytest.mark.parametrize(
    "said",
    [
        {"lesions": [{"lesion": "T01", "colour": "red"}]},
        {"mood": "good"},
        {"lesions": "T01"},
        {"comment": ["a list"]},
        {"lesions": [target("1e999999")]},
        {"lesions": [target("50", short_mm="1e30")]},
        {"lesions": [target("fifty")]},
        {"comment": "x" * 2001},
        {"lesions": [{"lesion": "T01", "evidence": {"long_axis_lps_mm": [["0", "0"], ["1", "1"]]}}]},
        {"lesions": [{"lesion": "T01", "evidence": {"long_axis_lps_mm": [[0, 0, 0], [1, "nan", 1]]}}]},
        {"lesions": [{"lesion": "T01", "evidence": {"long_axis_lps_mm": [[0, 0, 0], [1, "1e999999", 1]]}}]},
    ],
)
def test_a_draft_that_has_not_the_form_is_refused(trial, said):
    before = trial.entries()
    with pytest.raises(ReadingError, match="nothing was kept"):
        reading.save_draft(trial.records, trial.actor("rita"), TRIAL, alias_of(trial), step="BL", entry=said)
    assert trial.entries() == before


def test_the_answer_carries_rules_numbers_settings_and_where_it_comes_from(trial):
    trial.read("rita", alias_of(trial), SIZES)
    answer = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0001")["answer"]
    (at,) = answer["timepoints"]
    assert (at["overall"], at["rule"][0]["rule"]) == ("PR", "R-1.1/T4")
    assert at["rule"][0]["sentence"] == "sum 30.0 mm <= 0.7 x baseline 50.0 mm = 35.00 mm: PR"
    assert answer["settings"]["pd_increase"] == "0.20"
    assert answer["compared"]["best_response"] == "PR"


@pytest.mark.requirement("E6-02")
def test_a_result_names_its_images_its_protocol_the_model_and_the_software(trial):
    device = {"software": "trialimg 9", "model": "sha256:ab", "segmenter": "monai_bundle"}
    trial.receive("C0002", proposal=cases.Proposal({"BL": entry("50")}, device))
    trial.assign()
    trial.read("rita", alias_of(trial, code="C0002"), SIZES)
    found = reading_results.case_result(trial.records, trial.actor("ana"), TRIAL, "C0002")
    source = found["answer"]["provenance"]
    assert source["images"]["W06"]["series"] == ["2.25.02"]
    assert (source["protocol_version"], source["device"], source["software"]) == ("1.0", device, "trialimg test")
    assert source["protocol_digest"] == found["protocol_digest"]


def test_each_step_is_one_entry_for_each_record_that_it_writes(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    made = []
    for step in (
        lambda: reading.open_case(trial.records, rita, TRIAL, alias),
        lambda: reading.save_draft(trial.records, rita, TRIAL, alias, step="BL", entry=entry("50")),
        lambda: reading.lock_timepoint(trial.records, rita, TRIAL, alias, step="BL"),
        lambda: trial.write("rita", alias, "W06", entry("30", step="W06")),
        lambda: reading.lock_read(trial.records, rita, TRIAL, alias),
        lambda: reading.sign_read(trial.records, rita, trial.proof("rita"), trial=TRIAL, alias=alias),
    ):
        start = len(trial.entries())
        step()
        made.append([(what, key.removeprefix(f"{TRIAL}/C0001/")) for what, key in trial.entries(start)])
    assert made[:5] == [
        [("begin_read", "first"), ("open_images", "first")],
        [("save_draft", "first")],
        [("lock_timepoint", "first")],
        [("save_draft", "first"), ("lock_timepoint", "first")],
        [("lock_read", "first"), ("lock_read", "first")],
    ]
    assert [what for what, _ in made[5]][:3] == ["sign_read", "finalise_case", "sign_read"]
    assert "sign" in [what for what, _ in made[5]]


def test_a_signed_read_is_bound_to_its_signature_and_says_so(trial):
    trial.read("rita", alias_of(trial), SIZES)
    with trial.records.store.reading() as transaction:
        read = transaction.current("read", f"{TRIAL}/C0001/first")
        signature = signature_of(transaction, read)
    assert signature is not None and signature.is_valid
    assert (signature.user, signature.meaning) == ("rita", reading.READ_MEANING)


@pytest.mark.requirement("P11-08")
def test_nobody_touches_the_read_of_another(trial):
    trial.trained("ron")
    alias, ron = alias_of(trial), trial.actor("ron")
    at = (trial.records, ron, TRIAL, alias)
    for step in (
        lambda: reading.open_case(*at),
        lambda: reading.save_draft(*at, step="BL", entry=entry("50")),
        lambda: reading.lock_timepoint(*at, step="BL"),
        lambda: reading.lock_read(*at),
        lambda: reading.sign_read(trial.records, ron, trial.proof("ron"), trial=TRIAL, alias=alias),
        lambda: reading.start_correction(*at, reason="mine"),
    ):
        start = len(trial.entries())
        with pytest.raises(AccessError, match="ron has no case"):
            step()
        assert [what for what, _ in trial.entries(start)] == ["refuse_access"]
    with pytest.raises(AccessError, match="may not read"):
        reading.sign_read(trial.records, trial.actor("ana"), trial.proof("ana"), trial=TRIAL, alias=alias)


def test_without_password_and_code_nothing_is_signed(trial):
    trial.read("rita", alias_of(trial), SIZES, signs=False)
    proof = type(trial.proof("rita"))("wrong", "now", trial.proof("rita").identity)
    with pytest.raises(AccessError):
        reading.sign_read(trial.records, trial.actor("rita"), proof, trial=TRIAL, alias=alias_of(trial))
    assert current(trial, "read", "C0001/first").place.state == "locked"


@pytest.mark.requirement("FDA-09")
@pytest.mark.requirement("E6-07")
def test_a_correction_needs_a_signed_request_and_leaves_the_former_values(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    trial.read("rita", alias, SIZES)
    former = current(trial, "read", "C0001/first").body
    with pytest.raises(ReadingError, match="nobody reopened"):
        reading.start_correction(trial.records, rita, TRIAL, alias, reason="T01 was the other nodule")
    reading.ask_correction(trial.records, rita, TRIAL, alias, reason="T01 was the other nodule")
    asked = reading_reopening.Reopening("C0001", Seat.FIRST, "W06", "the reader asked: wrong nodule")
    ana, proof = trial.people["ana"]
    reading_reopening.reopen(trial.records, ana, proof, TRIAL, asked=asked)
    assert trial.state("C0001") == "reading"
    assert reading_results.worklist(trial.records, rita, TRIAL)[0]["type"] == "re-read"
    reading.start_correction(trial.records, rita, TRIAL, alias, reason="T01 was the other nodule")
    trial.write("rita", alias, "W06", entry("40", step="W06"))
    reading.lock_read(trial.records, rita, TRIAL, alias)
    reading.sign_read(trial.records, rita, trial.proof("rita"), trial=TRIAL, alias=alias)
    old, new = current(trial, "read", "C0001/first"), current(trial, "read", "C0001/first/2")
    assert (old.place.state, old.body) == ("superseded", former)
    assert (new.body["supersedes"], new.body["reason"]) == (old.id, "T01 was the other nodule")
    assert new.body["timepoints"]["BL"] == former["timepoints"]["BL"]
    found = reading_results.case_result(trial.records, ana, TRIAL, "C0001")
    assert (found["answer"]["best_response"], found["read"]["id"]) == ("SD", new.id)
    with trial.records.store.reading() as transaction:
        signature = signature_of(transaction, transaction.versions("read", old.id)[-2])
    assert signature is not None and "supersede_read" in signature.void


def test_reopening_without_a_reason_or_by_a_reader_is_refused(trial):
    trial.read("rita", alias_of(trial), SIZES)
    ana, proof = trial.people["ana"]
    with pytest.raises(ReadingError, match="needs its reason"):
        reading_reopening.reopen(
            trial.records, ana, proof, TRIAL, asked=reading_reopening.Reopening("C0001", Seat.FIRST, "BL", " ")
        )
    rita, own = trial.people["rita"]
    with pytest.raises(AccessError, match="radiologist may not reopen"):
        reading_reopening.reopen(
            trial.records, rita, own, TRIAL, asked=reading_reopening.Reopening("C0001", Seat.FIRST, "BL", "why not")
        )


def test_what_is_written_so_far_can_be_judged_without_being_kept(trial):
    alias, rita = alias_of(trial), trial.actor("rita")
    trial.write("rita", alias, "BL", entry("50"))
    reading.save_draft(trial.records, rita, TRIAL, alias, step="W06", entry=entry("61", step="W06"))
    start = len(trial.entries())
    assert reading.answer_so_far(trial.records, rita, TRIAL, alias)["timepoints"][0]["overall"] == "PD"
    assert len(trial.entries()) == start


@pytest.mark.requirement("FDA-10")
def test_unreadable_images_are_not_evaluable_with_their_reason_never_a_number():
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001", timepoints=("BL", "W06", "W12"))
    trial.assign()
    alias, rita = alias_of(trial), trial.actor("rita")
    trial.write("rita", alias, "BL", entry("50"))
    lost = target("", seen="not_evaluable", reason="motion: the liver cannot be read")
    trial.write("rita", alias, "W06", {"image_quality": "unreadable", "new_lesions": "no", "lesions": [lost]})
    trial.write("rita", alias, "W12", entry("30", step="W12"))
    answer = reading.lock_read(trial.records, rita, TRIAL, alias).body["answer"]
    missed, seen = answer["timepoints"]
    assert (missed["overall"], missed["sums"]["sum_mm"], seen["overall"]) == ("NE", None, "PR")
    assert missed["flags"] == {
        "image_quality": "unreadable",
        "is_off_schedule": False,
        "not_evaluable": {"T01": "motion: the liver cannot be read"},
    }


def test_a_global_read_comes_last_and_its_word_stands_before_the_derived_one():
    trial = Trial(text=single(global_read="true"))
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    alias, rita = alias_of(trial), trial.actor("rita")
    trial.write("rita", alias, "BL", entry("50"))
    trial.write("rita", alias, "W06", entry("30", step="W06"))
    with pytest.raises(ReadingError, match="not locked yet"):
        reading.lock_read(trial.records, rita, TRIAL, alias)
    overall = {"best_response": "SD", "response_date": "none", "comment": "T01 is a haemangioma"}
    trial.write("rita", alias, "GLOBAL", overall)
    answer = reading.lock_read(trial.records, rita, TRIAL, alias).body["answer"]
    assert (answer["best_response"], answer["compared"]["best_response"]) == ("PR", "SD")
    assert (answer["response_date"], answer["compared"]["response_date"]) == ("2026-02-16", "")


@pytest.mark.requirement("P11-10")
def test_who_was_trained_for_another_charter_is_given_no_case_and_opens_none():
    trial = Trial(text=double())
    trial.trained("rita")
    trial.trained("ron", version="0.9")
    trial.receive("C0001")
    with pytest.raises(ReadingError, match="cannot be given out"):
        trial.assign()
    with pytest.raises(AccessError, match="no training for version"):
        reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C0001", seat=Seat.FIRST, reader="ron")
    assert Role.RADIOLOGIST is trial.actor("ron").role
