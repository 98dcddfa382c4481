"""Who may see which series of which case now, and under which name."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import central_review as review
from tests.fakes.central_review import TRIAL, Trial, double
from tests.fakes.people import at_desk
from tests.fakes.store import MemoryBlobStore
from trialimg.core.access import Role
from trialimg.core.reading import CaseKind, Seat
from trialimg.services import cases, people, reading, reading_assignment
from trialimg.services.case_images import CaseImages, Looking, ShownSeries, uptake_over
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import close_sessions
from trialimg.services.records import EntryQuery, Place
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Geometry, Unit, Volume

SERIES = {"BL": "2.25.10", "W06": "2.25.11"}
VOLUME = Volume(np.zeros((2, 4, 4), np.int16), Geometry((4, 4, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), "CT", Unit.HU)


class House:
    """Cases of two visits that rita and rolf read, with encoded images."""

    def __init__(self, text="", codes=("C1",)):
        self.trial = Trial(text=text or double())
        self.records = self.trial.records
        self.trial.trained("rita", "rolf")
        visits = tuple(cases.CaseTimepoint(name, review.DATES[name], series=(uid,)) for name, uid in SERIES.items())
        baseline = review.DATES["BL"]
        received = [
            cases.ReceivedCase(code, f"S-{code}", visits, kind=CaseKind.EFFICACY, reference_date=baseline)
            for code in codes
        ]
        cases.receive_cases(self.records, self.trial.actor("ana"), TRIAL, received)
        self.trial.assign()
        self.images = CaseImages(self.records, KeptSeries(MemoryBlobStore()))
        for uid in SERIES.values():
            self.images.kept.keep(uid, encode(VOLUME))

    def looking(self, name, *, alias=""):
        actor = self.trial.actor(name)
        return Looking(actor.user, actor.session, TRIAL, alias or self.trial.alias("C1", name))

    def shown(self, looking):
        return {one.timepoint: one.name for one in self.images.shown(looking)}

    def lock_baseline(self, looking):
        actor = self.trial.actor(looking.user)
        reading.open_case(self.records, actor, TRIAL, looking.alias)
        self.trial.write(looking.user, looking.alias, "BL", review.entry("30"))


@pytest.fixture
def house():
    return House()


def test_a_reader_sees_the_open_visit_and_the_next_one_once_it_is_locked(house):
    looking = house.looking("rita")
    assert list(house.shown(looking)) == ["BL"]
    house.lock_baseline(looking)
    assert list(house.shown(looking)) == ["BL", "W06"]
    for name in house.shown(looking).values():
        assert house.images.may_view(looking, name) is not None


def test_a_name_says_nothing_and_is_another_one_for_each_reader(house):
    mine, theirs = house.shown(house.looking("rita"))["BL"], house.shown(house.looking("rolf"))["BL"]
    assert mine != theirs
    assert SERIES["BL"] not in (mine, theirs)
    assert house.images.may_view(house.looking("rolf"), mine) is None
    assert house.images.may_view(house.looking("rita"), "made up") is None


def test_a_repeat_of_the_same_case_has_other_names():
    house = House(double(repeat_pct="100"), codes=[f"C{number}" for number in range(1, 9)])
    with house.records.store.reading() as transaction:
        twice = next(one for one in transaction.find("assignment", Place(person="rita")) if one.body["repeat"])
        once = transaction.current("assignment", twice.id.removesuffix("/repeat"))
    first, again = (house.looking("rita", alias=one.body["alias"]) for one in (once, twice))
    assert first.alias != again.alias
    assert set(house.shown(first).values()).isdisjoint(house.shown(again).values())


def test_another_process_with_the_same_secret_uses_the_same_names(house):
    secret = b"shared by all processes of one installation"
    one, other = (CaseImages(house.records, house.images.kept, secret) for _ in "ab")
    looking = house.looking("rita")
    assert one.shown(looking) == other.shown(looking)
    assert one.shown(looking) != house.images.shown(looking)


@pytest.mark.parametrize(
    "change", [{"user": "rolf"}, {"session": "made up"}, {"trial": "T-2"}, {"alias": "R0000000000"}]
)
def test_whoever_is_not_the_reader_in_this_session_sees_nothing(house, change):
    looking = house.looking("rita")
    name = house.shown(looking)["BL"]
    stranger = replace(looking, **change)
    assert house.images.shown(stranger) == ()
    assert house.images.may_view(stranger, name) is None


@pytest.mark.parametrize("end", ["sign out", "revoke", "withdraw", "disable", "expire"])
def test_the_sight_ends_at_once_with_session_seat_consent_right_or_time(house, end):
    looking = house.looking("rita")
    name = house.shown(looking)["BL"]
    assert house.images.may_view(looking, name) is not None
    analyst = house.trial.actor("ana")
    if end == "sign out":
        with house.records.store.changing() as transaction:
            close_sessions(Journal(transaction, house.trial.actor("rita"), house.records), "rita", reason="signed out")
    elif end == "revoke":
        seat = next(seat for seat in (Seat.FIRST, Seat.SECOND) if holder(house, seat) == "rita")
        reading_assignment.revoke_assignment(house.records, analyst, TRIAL, "C1", seat=seat, reason="left")
    elif end == "withdraw":
        cases.withdraw_consent(house.records, analyst, TRIAL, "S-C1", reason="asked")
    elif end == "disable":
        administrator, _ = at_desk(house.records, "ada", Role.ADMINISTRATOR)
        people.disable_user(house.records, administrator, "rita", reason="left")
    else:
        house.records.clock.moment += dt.timedelta(hours=13)
    assert house.images.may_view(looking, name) is None


def holder(house, seat):
    with house.records.store.reading() as transaction:
        return transaction.current("assignment", f"{TRIAL}/C1/{seat.value}").place.person


def test_nobody_but_readers_and_adjudicators_sees_images_here(house):
    alias = house.trial.alias("C1", "rita")
    analyst = house.trial.actor("ana")
    assert house.images.shown(Looking("ana", analyst.session, TRIAL, alias)) == ()


def test_an_adjudicator_sees_every_visit_without_any_step(house):
    house.trial.trained("judge", role=Role.ADJUDICATOR)
    house.trial.read("rita", house.trial.alias("C1", "rita"), {"BL": "30.0", "W06": "20.0"})
    house.trial.read("rolf", house.trial.alias("C1", "rolf"), {"BL": "30.0", "W06": "30.0"})
    house.trial.assign()
    assert list(house.shown(house.looking("judge"))) == ["BL", "W06"]


def test_a_series_whose_images_are_not_here_is_not_offered(house):
    looking = house.looking("rita")
    bare = CaseImages(house.records, KeptSeries(MemoryBlobStore()))
    assert bare.shown(looking) == ()


def test_opening_is_kept_without_the_series_own_name(house):
    looking = house.looking("rita")
    (series,) = house.images.shown(looking)
    house.images.note_opened(looking, series)
    with house.records.store.reading() as transaction:
        *_, last = transaction.entries(EntryQuery(who="rita", action="open_images"))
    assert last.object_kind == "assignment"
    assert SERIES["BL"] not in str(last)


def test_slices_sent_ahead_are_kept_as_such_unless_the_series_was_opened_in_this_session(house):
    looking = house.looking("rita")
    (series,) = house.images.shown(looking)
    house.images.note_sent_ahead(looking, series)
    assert noted(house, "send_images_ahead") == 1
    house.images.note_opened(looking, series)
    house.images.note_sent_ahead(looking, series)  # of another process, which has not seen it opened
    assert (noted(house, "open_images"), noted(house, "send_images_ahead")) == (1, 1)


def noted(house, action):
    with house.records.store.reading() as transaction:
        return len(list(transaction.entries(EntryQuery(who="rita", action=action))))


@pytest.mark.parametrize(
    ("modality", "frame", "timepoint", "fits"),
    [
        ("PT", "2.25.7", "BL", True),
        ("PT", "2.25.8", "BL", False),
        ("PT", "", "BL", False),
        ("PT", "2.25.7", "W06", False),
        ("MR", "2.25.7", "BL", False),
    ],
)
def test_a_pet_is_laid_over_a_ct_of_its_visit_and_frame_of_reference_alone(modality, frame, timepoint, fits):
    kept = KeptSeries(MemoryBlobStore())
    kept.keep("ct", encode(VOLUME, frame_of_reference_uid="2.25.7"))
    kept.keep("other", encode(replace(VOLUME, modality=modality), frame_of_reference_uid=frame))
    ct, other = ShownSeries("a", "BL", "ct"), ShownSeries("b", timepoint, "other")
    assert uptake_over(kept, (ct, other), ct) == (other if fits else None)
    assert uptake_over(kept, (ct, other), other) is None


def test_a_ct_of_no_known_frame_of_reference_takes_no_pet():
    kept = KeptSeries(MemoryBlobStore())
    kept.keep("ct", encode(VOLUME))
    kept.keep("pt", encode(replace(VOLUME, modality="PT")))
    ct, pt = (ShownSeries(uid, "BL", uid) for uid in ("ct", "pt"))
    assert uptake_over(kept, (ct, pt), ct) is None


class Source:
    """A folder in which one series lies."""

    def __init__(self):
        self.decoded = []

    def index(self, root):
        return type(
            "Index",
            (),
            {
                "series": [
                    type("Series", (), {"series_uid": uid, "frame_of_reference_uid": "2.25.7"})
                    for uid in ("2.25.10", "2.25.99")
                ]
            },
        )

    def volume(self, series, root):
        self.decoded.append(series.series_uid)
        return VOLUME


def test_only_the_series_of_cases_are_encoded_and_only_once(house):
    images, source = CaseImages(house.records, KeptSeries(MemoryBlobStore())), Source()
    steps = []
    assert images.encode(TRIAL, source, Path(), progress=lambda *step: steps.append(step)) == 1
    assert source.decoded == ["2.25.10"]
    assert steps == [("images", 1, 1)]
    assert images.kept.has("2.25.10")
    source.decoded.clear()
    assert images.encode(TRIAL, source, Path()) == 0  # 2.25.11 still lies nowhere
    assert source.decoded == []
