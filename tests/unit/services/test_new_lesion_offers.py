"""A reader gets few candidates and decides on each for themselves; who proposed and who decided is on record."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, target
from trialimg.core.access import Action
from trialimg.core.errors import AccessError, ReadingError
from trialimg.services import reading
from trialimg.services.new_lesion_offers import DECISION, CandidatePlace, KnownPlace, Offered, decide, shown_first
from trialimg.services.new_lesion_proposals import CANDIDATES
from trialimg.services.people_credentials import SOFTWARE
from trialimg.services.reading_room import room
from trialimg.services.records import EntryQuery, Place

CASE = f"{TRIAL}/C1"


def candidate(number, score="0.8100", z="10.00"):
    return {
        "name": f"C{number:02d}",
        "series_uid": "w06",
        "baseline_uid": "bl",
        "centre_lps_mm": [f"{50 * number}.00", "0.00", z],
        "score": score,
        "diameter_mm": "12.00",
        "compactness": "0.800",
    }


def propose(trial, *candidates, step="W06"):
    body = {"timepoint": step, "proposed_by": "trialimg.new_lesions@1", "looked_at": [], "candidates": [*candidates]}
    with trial.records.change(SOFTWARE, Action.PROPOSE_READ, trial=TRIAL) as journal:
        where = Place(TRIAL, CASE, person="device", state="proposed")
        journal.write(CANDIDATES, f"{CASE}/{step}", body, action="propose_new_lesions", place=where)


class Desk:
    """One of two readers at one case."""

    def __init__(self, trial, name):
        self.trial, self.name, self.alias = trial, name, trial.alias("C1", name)

    @property
    def actor(self):
        return self.trial.actor(self.name)

    def candidates(self):
        return room(self.trial.records, self.actor, TRIAL, self.alias).candidates

    def lock_baseline(self):
        self.write("BL", entry("40"))
        reading.lock_timepoint(self.trial.records, self.actor, TRIAL, self.alias, step="BL")

    def write(self, step, said):
        reading.save_draft(self.trial.records, self.actor, TRIAL, self.alias, step=step, entry=said)

    def decide(self, name="C01", step="W06", **more):
        return decide(self.trial.records, self.actor, CandidatePlace(TRIAL, self.alias, step, name), **more)


def opened(text=None):
    trial = Trial(text=text or double())
    trial.trained("rita", "rolf")
    trial.receive("C1")
    trial.assign()
    propose(trial, candidate(1), candidate(2, "0.6000"))
    desks = Desk(trial, "rita"), Desk(trial, "rolf")
    for desk in desks:
        desk.candidates()
        desk.lock_baseline()
    return desks


@pytest.fixture
def desks():
    return opened()


def test_candidates_are_shown_at_their_visit_and_not_before():
    trial = Trial(text=double())
    trial.trained("rita", "rolf")
    trial.receive("C1")
    trial.assign()
    propose(trial, candidate(1))
    desk = Desk(trial, "rita")
    assert desk.candidates() == ()
    with pytest.raises(ReadingError, match="not shown before BL is locked"):
        desk.decide()
    desk.lock_baseline()
    assert [one.name for one in desk.candidates()] == ["C01"]


def test_each_reader_decides_for_themselves_and_the_ledger_says_who(desks):
    rita, rolf = desks
    record = rita.decide(reason="a vessel")
    assert (record.place.state, record.body["proposed_by"]) == ("dismissed", "trialimg.new_lesions@1")
    assert record.body["candidate"] == candidate(1)
    assert [one.decided for one in rita.candidates()] == ["dismissed", ""]
    assert [one.decided for one in rolf.candidates()] == ["", ""]
    with rita.trial.records.store.reading() as transaction:
        (entry_,) = transaction.entries(EntryQuery(object_kind=DECISION))
        assert "a vessel" in transaction.detail(entry_.sequence).content
    assert (entry_.who, entry_.action) == ("rita", "candidate_dismissed")


def test_what_was_taken_stays_taken_as_long_as_its_lesion_stands(desks):
    rita, _ = desks
    new = {**target("12", "N01"), "role": "new", "status": "unequivocal"}
    rita.write("W06", entry("40", step="W06", lesions=[target("40"), new]))
    rita.decide(lesion="N01")
    assert rita.candidates()[0].decided == "taken"
    rita.write("W06", entry("40", step="W06"))
    assert rita.candidates()[0].decided == ""


def test_a_decision_is_about_the_place_that_was_shown(desks):
    rita, _ = desks
    rita.decide()
    propose(rita.trial, candidate(1, z="44.00"))
    assert [one.decided for one in rita.candidates()] == [""]
    propose(rita.trial, candidate(1, "0.3000"))
    assert [one.decided for one in rita.candidates()] == ["dismissed"]  # the same place, scored anew


def test_nobody_decides_on_what_is_not_offered_or_in_anothers_case(desks):
    rita, rolf = desks
    with pytest.raises(ReadingError, match="no candidate"):
        rita.decide("C07")
    with pytest.raises(AccessError):
        decide(rita.trial.records, rita.actor, CandidatePlace(TRIAL, rolf.alias, "W06", "C01"))


def test_a_candidate_counts_nothing(desks):
    rita, _ = desks
    rita.write("W06", entry("40", step="W06"))
    assert room(rita.trial.records, rita.actor, TRIAL, rita.alias).assessment("W06")["overall"] == "SD"


@pytest.mark.parametrize("switch", ["new_lesion_candidates", "device_drafts"])
def test_a_protocol_that_shows_none_hides_even_those_that_there_are(switch):
    rita, _ = opened(double(**{switch: "false"}))
    assert rita.candidates() == ()
    with pytest.raises(ReadingError, match="no candidate"):
        rita.decide()


def offer(number, score, at=(0.0, 0.0, 0.0), *, decided="", series="w06"):
    return Offered(f"C{number:02d}", series, "bl", at, score, 12.0, 0.8, decided)


def test_three_are_shown_and_a_dismissed_one_makes_no_room():
    every = [offer(n, 0.9 - n / 100, (100.0 * n, 0.0, 0.0)) for n in range(1, 6)]
    assert [one.name for one in shown_first(every, ())] == ["C01", "C02", "C03"]
    dismissed = [offer(1, 0.89, decided="dismissed"), *every[1:]]
    assert [one.name for one in shown_first(dismissed, ())] == ["C02", "C03"]


def test_what_lies_at_a_lesion_of_the_readers_or_is_hardly_ever_new_is_not_shown():
    known = (KnownPlace("w06", (0.0, 0.0, 0.0), 10.0),)
    beside, away, elsewhere = (
        offer(1, 0.9, (15.9, 0.0, 0.0)),
        offer(2, 0.8, (16.1, 0.0, 0.0)),
        offer(3, 0.7, (0.0, 0.0, 0.0), series="pet"),
    )
    assert [one.name for one in shown_first([beside, away, elsewhere], known)] == ["C02", "C03"]
    assert [one.name for one in shown_first([offer(1, 0.06), offer(2, 0.04)], ())] == ["C01"]
