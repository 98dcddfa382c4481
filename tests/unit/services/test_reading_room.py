"""A case as its reader sees it and writes it, act by act."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.central_review import TRIAL, Trial, single, target
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.lesions import Role
from trialimg.core.reading import CaseKind, Seat
from trialimg.services import cases, reading, reading_assignment, reading_entry, reading_reopening
from trialimg.services.reading_entry import Axes
from trialimg.services.reading_room import room, signed_cases

BL_AXIS = ((0.0, 0.0, 5.0), (30.0, 0.0, 5.0))
ACROSS = ((10.0, -6.0, 5.0), (10.0, 6.0, 5.0))
AXES = Axes("2.25.1", BL_AXIS, ACROSS, "sha256:1", "7.5", "41.5")


class Desk:
    """One reader at one case of two visits."""

    def __init__(self, text=None, **more):
        self.trial = Trial(text=text or single())
        self.trial.trained("rita")
        self.trial.receive("C1", **more)
        self.trial.assign()
        self.records, self.actor = self.trial.records, self.trial.actor("rita")
        self.alias = self.trial.alias("C1", "rita")

    def open(self, **more):
        return room(self.records, self.actor, TRIAL, self.alias, **more)

    def keep(self, entry, step=""):
        step = step or self.open().step
        reading.save_draft(self.records, self.actor, TRIAL, self.alias, step=step, entry=entry)
        return self.open(is_first_look=False)

    def lock(self):
        step = self.open().step
        reading.lock_timepoint(self.records, self.actor, TRIAL, self.alias, step=step)
        return self.open(is_first_look=False)

    def at_follow_up(self, **sizes):
        lesions = [target(size, name) for name, size in (sizes or {"T01": "30"}).items()]
        self.keep({"lesions": lesions, "image_quality": "adequate"})
        return self.lock()


@pytest.fixture
def desk():
    return Desk()


def row_of(opened, name):
    return next(row for row in opened.rows if row.name == name)


def lesion(opened, name="T01"):
    return row_of(opened, name).stands


def test_a_new_case_shows_baseline_and_says_what_is_missing(desk):
    opened = desk.open()
    assert [visit["id"] for visit in opened.visits] == ["BL"]
    assert (opened.step, opened.is_baseline, opened.is_global) == ("BL", True, False)
    assert opened.answer is None
    assert "nothing was written" in opened.problem
    assert [fault.message for fault in opened.missing] == ["nothing was written"]


def test_looking_on_is_noted_once(desk):
    desk.open()
    before = len(desk.trial.entries())
    desk.open(is_first_look=False)
    assert len(desk.trial.entries()) == before
    desk.open()
    assert len(desk.trial.entries()) == before + 1


@pytest.mark.parametrize("is_first_look", [True, False])
def test_another_reader_may_not_look(desk, is_first_look):
    desk.trial.trained("ruth")
    with pytest.raises(AccessError):
        room(desk.records, desk.trial.actor("ruth"), TRIAL, desk.alias, is_first_look=is_first_look)


def test_nobody_looks_at_a_case_whose_subject_withdrew(desk):
    desk.open()
    cases.withdraw_consent(desk.records, desk.trial.actor("ana"), TRIAL, "S-C1", reason="asked")
    with pytest.raises(ReadingError, match="withdrew"):
        desk.open(is_first_look=False)


def test_a_drawing_becomes_a_measurement_with_its_points_and_its_mask(desk):
    opened = desk.keep({"lesions": [target("")]})
    opened = desk.keep(reading_entry.drawn(reading_entry.entry_at(opened), row_of(opened, "T01"), AXES))
    found = lesion(opened)
    assert (found["seen"], found["diameter_mm"], found["short_mm"]) == ("measured", "30.0", "12.0")
    assert (found["volume_ml"], found["mean_hu"]) == ("7.5", "41.5")
    assert found["evidence"]["digest"] == "sha256:1"
    assert opened.baseline_sum_mm == Decimal("30.0")
    assert row_of(opened, "T01").cells == {"BL": "30.0"}


def test_a_node_counts_by_its_short_axis_and_needs_one(desk):
    opened = desk.keep({"lesions": [target("", kind="nodal", organ="lymph node")]})
    row, entry = row_of(opened, "T01"), reading_entry.entry_at(opened)
    with pytest.raises(ReadingError, match="short axis"):
        reading_entry.drawn(entry, row, Axes("2.25.1", BL_AXIS, None))
    opened = desk.keep(reading_entry.drawn(entry, row, AXES))
    assert lesion(opened)["diameter_mm"] == "12.0"
    assert row_of(opened, "T01").cells["BL"] == "12.0s"


@pytest.mark.parametrize("word", ["too_small", "absent", "not_evaluable"])
def test_saying_that_there_is_no_measurement_takes_every_number_away(desk, word):
    opened = desk.keep({"lesions": [target("")]})
    row = row_of(opened, "T01")
    entry = reading_entry.drawn(reading_entry.entry_at(opened), row, AXES)
    opened = desk.keep(reading_entry.changed(entry, row, seen=word, reason="motion"))
    found = lesion(opened)
    assert found["seen"] == word
    assert [found[name] for name in ("diameter_mm", "short_mm", "volume_ml", "mean_hu")] == [""] * 4
    assert "evidence" not in found


def test_an_act_can_be_taken_back(desk):
    opened = desk.keep({"lesions": [target("31")]})
    before = lesion(opened)
    row = row_of(opened, "T01")
    opened = desk.keep(reading_entry.changed(reading_entry.entry_at(opened), row, seen="absent"))
    opened = desk.keep(reading_entry.restored(reading_entry.entry_at(opened), "T01", before))
    assert lesion(opened) == before
    opened = desk.keep(reading_entry.restored(reading_entry.entry_at(opened), "T01", None))
    assert opened.rows == ()


def test_a_lesion_is_added_under_the_next_free_name_and_removed(desk):
    opened = desk.keep({"lesions": [target("31")]})
    assert reading_entry.next_name(opened, Role.TARGET) == "T02"
    assert reading_entry.next_name(opened, Role.NON_TARGET) == "NT01"
    assert reading_entry.next_name(opened, Role.NEW) == "N01"
    assert desk.keep(reading_entry.without(reading_entry.entry_at(opened), "T01")).rows == ()


def test_a_lesion_that_falls_into_two_counts_by_its_parts(desk):
    opened = desk.at_follow_up(T01="40", T02="20")
    entry = reading_entry.split(
        reading_entry.entry_at(opened), row_of(opened, "T01"), [row.name for row in opened.rows]
    )
    opened = desk.keep(entry)
    assert [row.name for row in opened.rows] == ["T01", "T01a", "T01b", "T02"]
    assert lesion(opened, "T01a")["split_from"] == "T01"
    assert row_of(opened, "T01a").is_open
    entry = reading_entry.entry_at(opened)
    for name, axes in (("T01a", BL_AXIS), ("T01b", ACROSS), ("T02", ACROSS)):
        entry = reading_entry.drawn(entry, row_of(opened, name), Axes("2.25.1", axes, None))
    opened = desk.keep({**entry, "image_quality": "adequate", "new_lesions": "no"})
    assert opened.missing == ()
    assert opened.sum_mm("W06") == Decimal("54.0")  # 30 + 12 + 12: the lesion itself counts nothing more
    assert desk.lock().assessment("W06")["overall"] == "SD"


def test_a_lesion_that_merges_counts_in_the_other(desk):
    opened = desk.at_follow_up(T01="20", T02="20")
    entry = reading_entry.merged(reading_entry.entry_at(opened), row_of(opened, "T01"), "T02")
    entry = reading_entry.drawn(entry, row_of(opened, "T02"), Axes("2.25.1", BL_AXIS, None))
    opened = desk.keep({**entry, "image_quality": "adequate", "new_lesions": "no"})
    assert row_of(opened, "T01").cells["W06"] == "→ T02"
    assert opened.missing == ()
    assert opened.sum_mm("W06") == Decimal("30.0")
    apart = reading_entry.drawn(reading_entry.entry_at(opened), row_of(opened, "T01"), Axes("2.25.1", ACROSS, None))
    assert desk.keep(apart).sum_mm("W06") == Decimal("42.0")


def test_measurements_of_two_lesions_are_exchanged_with_what_they_rest_on(desk):
    node = target("", "T02", kind="nodal", organ="lymph node")
    opened = desk.keep({"lesions": [target(""), node]})
    first, second = (row_of(opened, name) for name in ("T01", "T02"))
    entry = reading_entry.drawn(reading_entry.entry_at(opened), first, AXES)
    opened = desk.keep(reading_entry.swapped(entry, first, second))
    assert (lesion(opened)["seen"], lesion(opened)["diameter_mm"]) == ("", "")
    moved = lesion(opened, "T02")
    shown = (moved["diameter_mm"], moved["short_mm"], moved["volume_ml"])
    assert shown == ("12.0", "12.0", "7.5")  # of a node, the short axis
    assert moved["evidence"]["digest"] == "sha256:1"
    entry = reading_entry.drawn(reading_entry.entry_at(opened), first, Axes("2.25.1", BL_AXIS, None))
    with pytest.raises(ReadingError, match="short axis"):
        reading_entry.swapped(entry, first, second)


def test_a_target_chosen_late_without_a_parent_cannot_be_locked(desk):
    desk.at_follow_up()
    opened = desk.keep(
        {"lesions": [target("30"), target("12", "T02")], "image_quality": "adequate", "new_lesions": "no"}
    )
    assert [fault.code for fault in opened.missing] == ["late_choice"]


def test_the_nadir_is_the_smallest_known_sum():
    desk = Desk(timepoints=("BL", "W06", "W12"))
    desk.at_follow_up()
    for size in ("20", "25"):
        desk.keep({"lesions": [target(size)], "image_quality": "adequate", "new_lesions": "no"})
        opened = desk.lock()
    assert opened.nadir(["BL", "W06", "W12"]) == "W06"
    assert opened.nadir([]) == ""


def test_the_next_open_lesion_comes_after_the_present_one(desk):
    opened = desk.keep(
        {"lesions": [target("30"), {**target("", "T02"), "seen": ""}, {**target("", "T03"), "seen": ""}]}
    )
    assert opened.after("T01") == "T02"
    assert opened.after("T02") == "T03"
    assert opened.after("T03") == "T02"


def test_what_the_criterion_asks_for_is_named_with_its_words(desk):
    asked = {one.name: one.choices for one in desk.open().asked}
    assert asked["cr_doubtful"] == ("yes", "no")
    assert "positive" in " ".join(asked["pet"])
    opened = desk.keep({"lesions": [target("30")], "facts": {"cr_doubtful": "perhaps"}, "image_quality": "adequate"})
    assert [fault.code for fault in opened.missing] == ["bad_setting"]
    assert desk.keep({**reading_entry.entry_at(opened), "facts": {"cr_doubtful": "no"}}).missing == ()


def test_the_conclusion_on_eligibility_must_be_said():
    desk = Desk(single(case_kinds="[efficacy, eligibility]"), kind=CaseKind.ELIGIBILITY, timepoints=("BL",))
    opened = desk.keep({"lesions": [target("30")], "image_quality": "adequate"})
    assert opened.kind == "eligibility"
    assert [fault.message for fault in opened.missing] == ["conclusion is not eligible or not_eligible"]
    opened = desk.keep({**reading_entry.entry_at(opened), "conclusion": "eligible"})
    assert opened.missing == ()


def test_after_all_visits_they_are_looked_at_together_where_the_design_asks():
    desk = Desk(text=single(global_read="true"))
    desk.at_follow_up()
    desk.keep({"lesions": [target("20")], "image_quality": "adequate", "new_lesions": "no"})
    opened = desk.lock()
    assert opened.is_global
    assert reading_entry.entry_at(opened) == dict.fromkeys(
        ("best_response", "progression_date", "response_date", "comment"), ""
    )
    assert [fault.message for fault in opened.missing] == ["nothing was written"]
    opened = desk.keep({**reading_entry.entry_at(opened), "comment": "as derived"})
    assert [fault.message for fault in opened.missing] == ["best_response is blank"]
    opened = desk.keep({**reading_entry.entry_at(opened), "best_response": "PR"})
    assert opened.missing == ()
    assert desk.lock().step == ""


def test_a_signed_read_is_found_again_and_corrected_once_it_is_reopened(desk):
    desk.at_follow_up()
    desk.keep({"lesions": [target("20")], "image_quality": "adequate", "new_lesions": "no"})
    desk.lock()
    assert signed_cases(desk.records, desk.actor, TRIAL) == ()
    reading.lock_read(desk.records, desk.actor, TRIAL, desk.alias)
    reading.sign_read(desk.records, desk.actor, desk.trial.proof("rita"), trial=TRIAL, alias=desk.alias)
    assert [one.alias for one in signed_cases(desk.records, desk.actor, TRIAL)] == [desk.alias]
    opened = desk.open()
    assert (opened.state, opened.step, opened.reopened_from) == ("signed", "", "")
    reading.ask_correction(desk.records, desk.actor, TRIAL, desk.alias, reason="wrong node")
    asked = reading_reopening.Reopening("C1", Seat.FIRST, "W06", "wrong node")
    reading_reopening.reopen(desk.records, desk.trial.actor("ana"), desk.trial.proof("ana"), TRIAL, asked=asked)
    assert desk.open().reopened_from == "W06"
    reading.start_correction(desk.records, desk.actor, TRIAL, desk.alias, reason="wrong node")
    opened = desk.open()
    assert (opened.state, opened.step, opened.reopened_from) == ("draft", "W06", "")
    assert lesion(opened)["diameter_mm"] == "20.0"


def test_a_taken_back_seat_is_no_signed_case():
    desk = Desk()
    desk.open()
    reading_assignment.revoke_assignment(
        desk.records, desk.trial.actor("ana"), TRIAL, "C1", seat=Seat.FIRST, reason="left"
    )
    assert signed_cases(desk.records, desk.actor, TRIAL) == ()
