"""Every number names its author; what a person made of each proposal is kept with the original."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, entry, single, target
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.services import cases, reading

PROPOSED = {
    "BL": {"image_quality": "not_stated", "lesions": [target("50", "L1"), target("20", "L2"), target("12", "L3")]},
    "W06": {"image_quality": "not_stated", "new_lesions": "no", "lesions": [target("30", "L1")]},
}
DEVICE = {"software": "trialimg 9", "model": "", "segmenter": "classical"}


def opened(**keys: str) -> tuple[Trial, str]:
    trial = Trial(text=single(**keys))
    trial.trained("rita")
    trial.receive("C0001", proposal=cases.Proposal(PROPOSED, DEVICE))
    trial.assign()
    return trial, trial.alias("C0001", "rita")


def kept(trial: Trial, step: str = "BL") -> dict:
    with trial.records.store.reading() as transaction:
        return transaction.current("read", f"{TRIAL}/C0001/first").body["timepoints"][step]


def test_a_reader_sees_the_proposals_of_open_timepoints_only():
    trial, alias = opened()
    view = reading.open_case(trial.records, trial.actor("rita"), TRIAL, alias)
    assert [one["lesion"] for one in view["timepoints"][0]["proposed"]["lesions"]] == ["L1", "L2", "L3"]
    assert len(view["timepoints"]) == 1


def test_a_design_may_start_readers_from_a_blank():
    trial, alias = opened(device_drafts="false")
    view = reading.open_case(trial.records, trial.actor("rita"), TRIAL, alias)
    assert view["timepoints"][0]["proposed"] is None


def test_accepted_edited_and_rejected_are_kept_with_the_original_and_numbers_name_their_author():
    trial, alias = opened()
    lesions = [target("50", "L1", proposal="L1"), target("21", "T02", proposal="L2"), target("15", "T09")]
    trial.write("rita", alias, "BL", {**entry("0"), "lesions": lesions})
    authors = {one["lesion"]: one["attribution"]["diameter_mm"] for one in kept(trial)["lesions"]}
    assert authors == {"L1": "machine", "T02": "machine-then-human", "T09": "human"}
    became = {one["original"]["lesion"]: one["became"] for one in kept(trial)["proposals"]}
    assert became == {"L1": "accepted", "L2": "edited", "L3": "rejected"}
    assert kept(trial)["proposals"][1]["original"]["diameter_mm"] == "20.0"


def test_a_number_from_a_mask_that_a_person_asked_for_is_the_machines_then_theirs():
    trial, alias = opened()
    prompted = target("33", "T09", evidence={"digest": "sha256:" + "0" * 64, "series_uid": "2.25.1"})
    trial.write("rita", alias, "BL", {**entry("0"), "lesions": [prompted]})
    assert kept(trial)["lesions"][0]["attribution"] == {"diameter_mm": "machine-then-human"}


def test_no_client_says_who_a_number_is_by():
    trial, alias = opened()
    claimed = target("33", "L1", attribution={"diameter_mm": "machine"})
    trial.write("rita", alias, "BL", {**entry("0"), "lesions": [claimed]})
    assert kept(trial)["lesions"][0]["attribution"] == {"diameter_mm": "human"}


def test_a_proposal_that_there_is_not_cannot_be_accepted():
    trial, alias = opened()
    said = {**entry("0"), "lesions": [target("50", "T01", proposal="L7")]}
    with pytest.raises(ReadingError, match="unknown proposal"):
        reading.save_draft(trial.records, trial.actor("rita"), TRIAL, alias, step="BL", entry=said)


def test_the_software_holds_a_draft_that_it_can_neither_lock_nor_sign():
    trial, alias = opened()
    with trial.records.store.reading() as transaction:
        draft = transaction.current("read", f"{TRIAL}/C0001/device")
    assert (draft.place.person, draft.place.state) == ("device", "draft")
    device = Actor("trialimg", Role.DEVICE)
    for step in (reading.lock_read, reading.open_case):
        with pytest.raises(AccessError, match="device may not read"):
            step(trial.records, device, TRIAL, alias)
