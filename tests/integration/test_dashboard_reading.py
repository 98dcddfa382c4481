"""The reading room's forms over real records, without a browser: what is said is kept, and leads to the next step."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from apps.trialimg_dashboard import desk as desks
from tests.fakes import central_review as review
from tests.fakes.dashboard import TRIAL, UNREAD, House, furnished, installation_of
from trialimg.bootstrap import records
from trialimg.core.access import Action
from trialimg.imaging.register import Alignment
from trialimg.services import reading
from trialimg.services.lesion_links import LINKS
from trialimg.services.lesion_warnings import WARNING
from trialimg.services.new_lesion_offers import DECISION
from trialimg.services.new_lesion_proposals import CANDIDATES
from trialimg.services.people_credentials import SOFTWARE
from trialimg.services.reading_room import room
from trialimg.services.records import EntryQuery, Place
from trialimg.services.redrawn_answers import Doubt, Redrawn
from trialimg.services.visit_alignment import VisitAlignments

READER = "radiologist"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    return furnished(tmp_path_factory.mktemp("built") / "home")


class Read:
    """One case in front of its reader."""

    def __init__(self, root: Path, house: House) -> None:
        self.house, self.actor = house, house.actor(READER)
        self.alias = house.aliases(READER)[UNREAD]
        self.page = root / "apps" / "trialimg_dashboard" / "pages" / "reading_room.py"

    def open(self, *, language: str = "en", **state: object) -> AppTest:
        app = AppTest.from_file(str(self.page), default_timeout=120)
        app.session_state["language"] = language
        for key, value in state.items():
            app.session_state[key] = value
        app.session_state["alias"] = self.alias
        app.run()
        assert not app.exception
        return app

    @property
    def now(self):
        return room(self.house.records, self.actor, TRIAL, self.alias, is_first_look=False)

    def entry(self, step: str):
        return self.now.visit(step)["entry"]

    def lesion(self, step: str, name: str):
        return next(one for one in self.entry(step)["lesions"] if one["lesion"] == name)

    def lock(self, step: str, entry) -> None:
        reading.open_case(self.house.records, self.actor, TRIAL, self.alias)
        reading.save_draft(self.house.records, self.actor, TRIAL, self.alias, step=step, entry=entry)
        reading.lock_timepoint(self.house.records, self.actor, TRIAL, self.alias, step=step)


@pytest.fixture
def read(root: Path, built: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    home = tmp_path / "home"
    shutil.copytree(built.home, home)
    built.actor(READER)
    house = replace(built, home=home, records=replace(records(home), clock=built.records.clock))
    monkeypatch.setattr(desks, "installation", lambda: installation_of(house))
    monkeypatch.setattr(desks, "actor_of", lambda _: house.actor(READER))
    return Read(root, house)


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception
    return app


def choose(app: AppTest, label: str, word: str) -> AppTest:
    next(one for one in app.button_group if one.label == label).set_value(word).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(
        one.value for block in (app.markdown, app.caption, app.error, app.warning, app.html) for one in block
    )


STEADY = Redrawn(8, 0, (39.2, 41.0), (20.5, 22.0), (9.1, 10.4), 0.94, ())
SHAKY = Redrawn(8, 2, (31.0, 47.5), (18.0, 29.0), (4.0, 21.0), 0.61, (Doubt.EMPTY, Doubt.SHAPE, Doubt.LONG_AXIS))


def answered_by_a_line(read, kind, known):
    """A visit at which the answer to a line waits, and what its redrawn lines come to."""
    read.lock("BL", review.entry("40", lesions=[review.target("40", kind=kind)]))
    asking = Future()
    asking.set_result(known)
    answer = {**review.target("40", kind=kind), "volume_ml": "9.800"}
    state = {f"answers-{read.alias}-W06": {"T01": answer}, f"redrawn-{read.alias}-W06": {"T01": asking}}
    return read.open(**state)


@pytest.mark.parametrize(("kind", "ends"), [("non_nodal", "39.2 to 41.0 mm"), ("nodal", "20.5 to 22.0 mm")])
def test_beside_an_answer_to_a_line_stands_how_far_others_lie_apart(read, kind, ends):
    app = answered_by_a_line(read, kind, STEADY)
    assert "9.80 ml" in said(app)
    assert f"{ends}, 9.10 to 10.40 ml in 8 answers" in said(app)
    assert "Unsure" not in said(app)
    assert read.entry("W06") is None  # it waits: nothing of it is in the read


def test_what_makes_an_answer_unsure_is_said_in_words(read):
    app = answered_by_a_line(read, "non_nodal", SHAKY)
    assert "2 of 8 redrawn lines found no lesion; the outlines lie only 61 % over one another" in said(app)


def test_where_there_was_no_time_to_ask_again_that_is_said(read):
    assert "No range" in said(answered_by_a_line(read, "non_nodal", None))


def with_candidates(read, *scores):
    """The follow-up visit of the case, at which the software takes some places for new lesions."""
    found = [
        {
            "name": f"C{number:02d}", "series_uid": "2.25.9", "baseline_uid": "2.25.8", "score": score,
            "centre_lps_mm": [f"{60 * number}.00", "0.00", "0.00"], "diameter_mm": "11.60", "compactness": "0.900",
        }
        for number, score in enumerate(scores, start=1)
    ]  # fmt: skip
    case = f"{TRIAL}/{UNREAD}"
    body = {"timepoint": "W06", "proposed_by": "trialimg.new_lesions@1", "looked_at": [], "candidates": found}
    with read.house.records.change(SOFTWARE, Action.PROPOSE_READ, trial=TRIAL) as journal:
        where = Place(TRIAL, case, person="device", state="proposed")
        journal.write(CANDIDATES, f"{case}/W06", body, action="propose_new_lesions", place=where)
    read.lock("BL", review.entry("40"))
    return read.open()


def decisions(read):
    with read.house.records.store.reading() as transaction:
        return [(one.place.state, one.body["lesion"]) for one in transaction.find(DECISION, Place(TRIAL))]


def test_candidates_are_offered_and_a_dismissed_one_goes_with_its_reason(read):
    app = with_candidates(read, "0.8100", "0.4000")
    assert "Candidates: 2 new? (of places like the best, about 8 in 10 were)" in said(app)
    assert "C01: about 12 mm; of such places about 8 in 10 were new" in said(app)
    next(one for one in app.text_input if one.label == "Why not (optional)").set_value("a vessel")
    press(app, "Dismiss")
    assert decisions(read) == [("dismissed", "")]
    assert "Candidates: 1 new? (of places like the best, about 4 in 10 were)" in said(app)
    assert read.entry("W06") is None


def test_a_candidate_that_is_taken_is_a_new_lesion_still_to_be_judged(read):
    app = with_candidates(read, "0.8100")
    next(one for one in app.selectbox if one.key.endswith("C01-organ")).set_value("liver")
    press(app, "Take as new lesion")
    assert decisions(read) == [("taken", "N01")]
    lesion = read.lesion("W06", "N01")
    assert (lesion["role"], lesion["organ"], lesion["seen"]) == ("new", "liver", "")
    assert "Candidates" not in said(app)
    assert next(one for one in app.button if one.label == "Lock W06").disabled


def measured(name, size, x, uid):
    """A target measured along a line around x."""
    half = int(size) / 2
    evidence = {"series_uid": uid, "long_axis_lps_mm": [[f"{x - half}", "0", "0"], [f"{x + half}", "0", "0"]]}
    return review.target(size, name, evidence=evidence)


@pytest.fixture
def exchanged(read, monkeypatch):
    """A follow-up visit, aligned with baseline, at which two targets were measured in each other's place."""
    monkeypatch.setattr(VisitAlignments, "between", lambda *_: Alignment())
    baseline = [measured("T01", "40", 0, "bl"), measured("T02", "20", 90, "bl")]
    read.lock("BL", review.entry("40", lesions=baseline))
    lesions = [measured("T01", "22", 92, "w06"), measured("T02", "36", 1, "w06")]
    entry = review.entry("40", step="W06", lesions=lesions)
    reading.save_draft(read.house.records, read.actor, TRIAL, read.alias, step="W06", entry=entry)
    return read


def links(read):
    with read.house.records.store.reading() as transaction:
        (record,) = transaction.find(LINKS, Place(TRIAL))
    return [(one["earlier"], one["later"]) for one in record.body["links"]], len(record.body["rejected"])


def test_two_lesions_that_seem_exchanged_are_exchanged_in_one_click(exchanged):
    app = exchanged.open()
    assert "T01 was measured where T02 is expected" in said(app)
    assert "T02 was measured where" not in said(app)  # one question for the pair
    app = press(app, "Exchange T01 and T02")
    lesions = [exchanged.lesion("W06", name) for name in ("T01", "T02")]
    assert [one["diameter_mm"] for one in lesions] == ["36.0", "22.0"]
    assert [float(one["evidence"]["long_axis_lps_mm"][0][0]) for one in lesions] == [-17.0, 81.0]
    assert links(exchanged) == ([(["T02"], ["T01"])], 0)
    assert "expected" not in said(app)


def test_a_reader_who_meant_it_is_not_asked_again(exchanged):
    app = press(exchanged.open(), "It is right as it is")
    assert exchanged.lesion("W06", "T01")["diameter_mm"] == "22.0"
    assert links(exchanged) == ([(["T01"], ["T01"])], 1)
    assert "T01 was measured" not in said(app)


def test_that_a_reader_was_warned_is_kept_once_and_holds_nothing_up(exchanged):
    app = exchanged.open()
    app.run()
    with exchanged.house.records.store.reading() as transaction:
        (entry,) = transaction.entries(EntryQuery(object_kind=WARNING))
        (record,) = transaction.find(WARNING, Place(TRIAL))
    assert (entry.who, entry.action, record.place.state) == (exchanged.actor.user, "warn_of_lesion", "shown")
    assert [(one["lesion"], one["fits"]) for one in record.body["warnings"]] == [("T01", "T02")]
    assert not next(one for one in app.button if one.label == "Lock W06").disabled


def test_lesions_and_what_is_said_of_them_stand_in_the_readers_language(read):
    non_target = {**review.target("", "NT01"), "role": "non_target", "seen": "measured", "status": "present"}
    named = {**review.target("20", "T02"), "organ": "omentum"}
    read.lock("BL", review.entry("40", lesions=[review.target("40"), named, non_target]))
    reading.save_draft(read.house.records, read.actor, TRIAL, read.alias, step="W06", entry={"comment": "begun"})
    shown = said(read.open(language="zh"))
    assert {"T01 肝 ◌", "T02 omentum ◌", "存在"} <= {*re.split(r"<[^>]+>", shown)}
    assert "尚未填写" in shown
    assert "RECIST 1.1" in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_case_opens_with_what_is_missing(read, language):
    app = read.open(language=language)
    assert [error.value for error in app.error] == []
    assert any(button.disabled for button in app.button if button.label in ("Lock BL", "锁定 BL"))


def test_a_lesion_is_added_named_and_removed_again(read):
    app = press(read.open(), "Add a lesion")
    assert [one["lesion"] for one in read.entry("BL")["lesions"]] == ["T01"]
    gone = next(one for one in app.selectbox if one.label == "Remove a lesion of this visit")
    gone.set_value("T01").run()
    press(app, "Remove T01")
    assert read.entry("BL")["lesions"] == []


def test_what_cannot_be_measured_is_said_with_its_reason(read):
    read.lock("BL", review.entry("40"))
    app = choose(read.open(), "Instead of a measurement", "not_evaluable")
    assert read.now.missing
    reason = next(one for one in app.text_input if one.label == "Reason (needed)")
    reason.set_value("outside of the field of view").run()
    lesion = read.lesion("W06", "T01")
    assert (lesion["seen"], lesion["reason"]) == ("not_evaluable", "outside of the field of view")


def test_a_lesion_that_fell_apart_is_two_that_wait_to_be_measured(read):
    read.lock("BL", review.entry("40"))
    app = press(read.open(), "T01 has split in two")
    lesions = {one["lesion"]: one for one in read.entry("W06")["lesions"]}
    assert set(lesions) == {"T01", "T01a", "T01b"}
    assert lesions["T01"]["seen"] == "absent"
    assert {lesions[name]["split_from"] for name in ("T01a", "T01b")} == {"T01"}
    assert not lesions["T01a"]["seen"]
    assert next(one for one in app.button if one.label == "Lock W06").disabled


def test_a_lesion_that_became_one_with_another_is_measured_there(read):
    entry = review.entry("40")
    second = {**entry["lesions"][0], "lesion": "T02", "diameter_mm": "20"}
    read.lock("BL", {**entry, "lesions": [*entry["lesions"], second]})
    app = read.open()
    into = next(one for one in app.selectbox if one.label == "T01 has merged into")
    into.set_value("T02").run()
    lesion = read.lesion("W06", "T01")
    assert (lesion["merged_into"], lesion["seen"], lesion["diameter_mm"]) == ("T02", "absent", "")
    assert "→ T02" in said(app)


def test_words_of_the_visit_are_kept_as_they_are_said(read):
    read.lock("BL", review.entry("40"))
    app = choose(read.open(), "Image quality", "limited")
    choose(app, "New lesions", "no")
    next(one for one in app.text_input if one.label == "Comment").set_value("motion").run()
    entry = read.entry("W06")
    assert (entry["image_quality"], entry["new_lesions"], entry["comment"]) == ("limited", "no", "motion")


def test_a_complete_visit_is_locked_and_the_next_one_opens(read):
    read.lock("BL", review.entry("40"))
    entry = review.entry("20", step="W06")
    reading.save_draft(read.house.records, read.actor, TRIAL, read.alias, step="W06", entry=entry)
    app = read.open()
    assert "-50 %" in said(app)
    assert "PR" in said(app)
    press(app, "Lock W06")
    assert read.now.step == "W12"
    assert any(one.label == "Lock W12" for one in app.button)


def test_a_correction_is_asked_for_with_a_reason(read):
    read.lock("BL", review.entry("40"))
    app = read.open()
    app.text_input(key=f"ask-{read.alias}").set_value("the wrong node")
    press(app, "Ask for a correction")
    assert "on record" in "\n".join(one.value for one in app.success)
