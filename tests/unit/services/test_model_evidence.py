"""Proposals and what became of them, as the records tell: answers to lines, and drafts of the software."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, target
from tests.fakes.store import MemoryBlobStore
from trialimg.core.reading import Seat
from trialimg.services import reading
from trialimg.services.cases import Proposal
from trialimg.services.model_answers import AnswerPlace, answered, decided
from trialimg.services.model_evidence import Fate, Kept, judged, mask_dice
from trialimg.services.prompted import KeptMasks
from trialimg.services.reading_desk import held
from trialimg.services.reading_entry import Axes
from trialimg.services.reading_reopening import Reopening, reopen
from trialimg.services.viewing import KeptSeries
from trialimg.volume import Geometry, Mask

GRID = Geometry((10, 8, 4), (1.0, 1.0, 5.0), (-5.0, -4.0, 0.0))


class Lines:
    name, version, model_digest = "lines", "3", ""


def block(geometry: Geometry = GRID, *, columns: slice = slice(2, 6)) -> Mask:
    array = np.zeros(geometry.shape, np.uint8)
    array[1:3, 2:6, columns] = 1
    return Mask(array, geometry)


@pytest.fixture
def kept() -> Kept:
    return Kept(KeptMasks(MemoryBlobStore()), KeptSeries(MemoryBlobStore()))


@pytest.fixture
def trial() -> Trial:
    trial = Trial(text=double())
    trial.trained("rosa", "rob")
    proposal = Proposal({"BL": entry("30"), "W06": entry("20", step="W06")}, {"segmenter": "classical"})
    trial.receive("C0001", proposal=proposal)
    trial.assign()
    return trial


def ask(trial: Trial, digest: str, *, lesion: str = "T02", long_mm: float = 40.0, step: str = "BL") -> AnswerPlace:
    place = AnswerPlace(TRIAL, trial.alias("C0001", "rosa"), step, lesion, "liver")
    axes = Axes("2.25.1", [[0, 0, 0], [long_mm, 0, 0]], [[0, 0, 0], [0, 9, 0]], digest, "3.2", "")
    answered(trial.records, trial.actor("rosa"), place, segmenter=Lines(), geometry=None, work=lambda: axes)
    return place


def measured(digest: str, long_mm: float, lesion: str = "T02") -> dict[str, Any]:
    evidence = {"series_uid": "2.25.1", "long_axis_lps_mm": [["0", "0", "0"], [str(long_mm), "0", "0"]]}
    return target(str(long_mm), lesion, evidence={**evidence, **({"digest": digest} if digest else {})})


def lock(trial: Trial, *lesions: dict[str, Any], name: str = "rosa") -> None:
    alias = trial.alias("C0001", name)
    trial.write(name, alias, "BL", {"image_quality": "adequate", "lesions": list(lesions)})


def found(trial: Trial, kept: Kept, **known: Any):
    with trial.records.store.reading() as transaction:
        return [one for one in judged(transaction, TRIAL, kept, **known) if one.source == "line"]


def test_an_answer_is_judged_once_its_timepoint_is_locked(trial, kept):
    digest = kept.masks.keep(block())
    place = ask(trial, digest)
    assert found(trial, kept) == []
    decided(trial.records, trial.actor("rosa"), place, taken=True)
    assert found(trial, kept) == []
    lock(trial, measured(digest, 40.0))
    (one,) = found(trial, kept)
    assert (one.fate, one.dice, one.proposed_mm, one.accepted_mm) == (Fate.UNCHANGED, 1.0, 40.0, 40.0)
    assert one.model == "lines@3"
    assert one.facts == {"long_mm": 40.0, "volume_ml": 3.2}
    assert one.groups == {"site": "SITE-CANARY", "organ": "liver"}


def test_an_outline_that_was_changed_is_compared_with_the_one_that_was_locked(trial, kept):
    """Four of six columns in common: 2 x 4 / (4 + 6)."""
    first, second = kept.masks.keep(block()), kept.masks.keep(block(columns=slice(2, 8)))
    decided(trial.records, trial.actor("rosa"), ask(trial, first), taken=True)
    lock(trial, measured(second, 44.0))
    (one,) = found(trial, kept)
    assert (one.fate, one.proposed_mm, one.accepted_mm) == (Fate.CHANGED, 40.0, 44.0)
    assert one.dice == pytest.approx(0.8)


def test_axes_drawn_by_hand_after_an_answer_was_taken_change_it_and_leave_no_mask_to_compare(trial, kept):
    decided(trial.records, trial.actor("rosa"), ask(trial, kept.masks.keep(block())), taken=True)
    lock(trial, measured("", 44.0))
    (one,) = found(trial, kept)
    assert (one.fate, one.dice, one.accepted_mm) == (Fate.CHANGED, None, 44.0)


def test_an_answer_that_was_put_away_drawn_again_or_never_taken_was_left(trial, kept):
    digest = kept.masks.keep(block())
    decided(trial.records, trial.actor("rosa"), ask(trial, digest), taken=False)
    ask(trial, digest, lesion="T03")
    ask(trial, digest, lesion="T03")
    assert [one.fate for one in found(trial, kept)] == [Fate.LEFT, Fate.LEFT]
    lock(trial, measured("", 44.0))
    assert [one.fate for one in found(trial, kept)] == [Fate.LEFT] * 3
    assert {one.accepted_mm for one in found(trial, kept)} == {None}


def test_what_is_known_of_a_subject_from_elsewhere_tells_groups_apart(trial, kept):
    decided(trial.records, trial.actor("rosa"), ask(trial, kept.masks.keep(block())), taken=False)
    (one,) = found(trial, kept, known={"S-C0001": {"sex": "F", "age": ""}})
    assert one.groups == {"site": "SITE-CANARY", "organ": "liver", "sex": "F"}


@pytest.mark.parametrize(
    ("lesion", "fate", "accepted"),
    [
        (target("30", proposal="T01"), Fate.UNCHANGED, 30.0),
        (target("33", proposal="T01"), Fate.CHANGED, 33.0),
        (target("33", "T09"), Fate.LEFT, None),
    ],
    ids=["taken", "changed", "passed over"],
)
def test_a_draft_of_the_software_is_judged_at_each_lock(trial, kept, lesion, fate, accepted):
    lock(trial, lesion)
    with trial.records.store.reading() as transaction:
        (one,) = judged(transaction, TRIAL, kept)
    assert (one.source, one.model, one.fate) == ("draft", "classical", fate)
    assert (one.proposed_mm, one.accepted_mm) == (30.0, accepted)
    assert one.at.startswith("2026-01-01T")
    assert one.seconds is None


def test_a_correction_takes_the_place_of_the_read_that_it_corrects(trial, kept):
    lock(trial, target("30", proposal="T01"))
    alias, rosa = trial.alias("C0001", "rosa"), trial.actor("rosa")
    trial.write("rosa", alias, "W06", entry("20", step="W06"))
    reading.lock_read(trial.records, rosa, TRIAL, alias)
    reading.sign_read(trial.records, rosa, trial.proof("rosa"), trial=TRIAL, alias=alias)
    with trial.records.store.reading() as transaction:
        seat = held(transaction, rosa, TRIAL, alias).body["seat"]
    asked = Reopening("C0001", Seat(seat), "BL", "wrong lesion")
    reopen(trial.records, trial.actor("ana"), trial.proof("ana"), TRIAL, asked=asked)
    reading.start_correction(trial.records, rosa, TRIAL, alias, reason="wrong lesion")
    lock(trial, target("35", proposal="T01"))
    with trial.records.store.reading() as transaction:
        one = judged(transaction, TRIAL, kept)
    assert [(each.fate, each.accepted_mm) for each in one] == [(Fate.CHANGED, 35.0)]


def test_masks_on_different_cuts_of_one_image_are_compared_voxel_by_voxel():
    cut = Geometry((6, 6, 3), GRID.spacing_mm, tuple(GRID.to_lps((1, 1, 1))))
    array = np.zeros(cut.shape, np.uint8)
    array[0:2, 1:5, 1:5] = 1  # the same block, seen from (1, 1, 1)
    assert mask_dice(block(), Mask(array, cut)) == 1.0
    assert mask_dice(Mask(array, cut), block()) == 1.0


def test_masks_that_cannot_be_compared_have_no_dice():
    shifted = Geometry(GRID.size, GRID.spacing_mm, (-4.7, -4.0, 0.0))
    assert mask_dice(block(), block(shifted)) is None
    empty = Mask(np.zeros(GRID.shape, np.uint8), GRID)
    assert mask_dice(empty, empty) is None
    assert mask_dice(block(), empty) == 0.0
