"""What the software answered to a line is kept with its time, whether a lesion was found or not."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, ModelError
from trialimg.services.model_answers import (
    MODEL_ANSWER,
    AnswerPlace,
    answered,
    decided,
    image_facts,
    note_redrawn,
)
from trialimg.services.reading_entry import Axes
from trialimg.services.records import Place
from trialimg.services.redrawn_answers import Doubt, Redrawn

GEOMETRY = {
    "modality": "CT",
    "pixel_spacing": [0.8, 0.7],
    "positions": [[0, 0, 0], [0, 0, 5], [0, 0, 10]],
}
REDRAWN = Redrawn(8, 1, (28.204, 31.5), (19.0, 20.25), (8.1, 9.9), 0.8123, (Doubt.EMPTY, Doubt.SHAPE))
AXES = Axes("2.25.1", [[0, 0, 0], [30, 0, 0]], [[0, 0, 0], [0, 20, 0]], "sha256:1", "9.400", "41.5")


class Lines:
    """Any model: what is asked of it here is its name."""

    name, version, model_digest = "lines", "3", "sha256:model"


@pytest.fixture
def trial() -> Trial:
    trial = Trial(text=double())
    trial.trained("rosa", "rob")
    trial.receive("C0001")
    trial.assign()
    return trial


@pytest.fixture
def place(trial: Trial) -> AnswerPlace:
    return AnswerPlace(TRIAL, trial.alias("C0001", "rosa"), "BL", "T01", "liver")


def ask(trial: Trial, place: AnswerPlace, work=lambda: AXES) -> Axes:
    return answered(trial.records, trial.actor("rosa"), place, segmenter=Lines(), geometry=GEOMETRY, work=work)


def kept(trial: Trial):
    with trial.records.store.reading() as transaction:
        return list(transaction.find(MODEL_ANSWER, Place(trial=TRIAL)))


def test_an_answer_is_kept_with_its_model_lengths_time_and_the_facts_of_the_image(trial, place):
    assert ask(trial, place) is AXES
    (record,) = kept(trial)
    body = record.body
    assert record.place == Place(TRIAL, f"{TRIAL}/C0001", "rosa", "waiting")
    assert (body["model"], body["model_digest"], body["lesion"]) == ("lines@3", "sha256:model", "T01")
    assert (body["long_mm"], body["short_mm"], body["volume_ml"]) == ("30.00", "20.00", "9.400")
    assert (body["modality"], body["pixel_mm"], body["slice_mm"]) == ("CT", "0.800", "5.000")
    assert body["milliseconds"] >= 0
    assert body["fault"] == ""


def test_a_line_under_which_nothing_lies_is_kept_as_a_failure_and_still_refused(trial, place):
    def nothing() -> Axes:
        raise ModelError("no lesion was found under this line")

    with pytest.raises(ModelError, match="no lesion"):
        ask(trial, place, nothing)
    (record,) = kept(trial)
    assert record.place.state == "failed"
    assert record.body["fault"] == "no lesion was found under this line"
    assert "long_mm" not in record.body


@pytest.mark.parametrize(("taken", "state"), [(True, "taken"), (False, "left")])
def test_what_the_reader_decides_is_kept_once(trial, place, taken, state):
    ask(trial, place)
    assert decided(trial.records, trial.actor("rosa"), place, taken=taken).place.state == state
    assert decided(trial.records, trial.actor("rosa"), place, taken=taken) is None
    assert [one.place.state for one in kept(trial)] == [state]


def test_a_decision_is_about_the_last_answer_that_waits(trial, place):
    def nothing() -> Axes:
        raise ModelError("no lesion was found under this line")

    ask(trial, place)
    ask(trial, place)
    with pytest.raises(ModelError):
        ask(trial, place, nothing)
    decided(trial.records, trial.actor("rosa"), place, taken=True)
    assert [one.place.state for one in kept(trial)] == ["waiting", "taken", "failed"]


@pytest.mark.parametrize("is_decided_first", [True, False])
def test_how_far_answers_to_the_line_lie_apart_is_kept_beside_it_whenever_the_reader_decides(
    trial, place, is_decided_first
):
    ask(trial, place)
    acts = [
        lambda: decided(trial.records, trial.actor("rosa"), place, taken=True),
        lambda: note_redrawn(trial.records, trial.actor("rosa"), place, digest=AXES.digest, found=REDRAWN),
    ]
    for act in acts if is_decided_first else reversed(acts):
        act()
    (record,) = kept(trial)
    body = record.body
    assert record.place.state == "taken"
    assert (body["interval_mm"], body["short_interval_mm"]) == (["28.20", "31.50"], ["19.00", "20.25"])
    assert body["volume_interval_ml"] == ["8.100", "9.900"]
    assert body["redrawn"] == {"answers": 8, "empty": 1, "agreement": "0.812", "doubts": ["empty", "shape"]}
    assert body["long_mm"] == "30.00"


def test_a_range_without_its_answer_is_not_kept(trial, place):
    ask(trial, place)
    assert note_redrawn(trial.records, trial.actor("rosa"), place, digest="sha256:other", found=REDRAWN) is None
    assert "interval_mm" not in kept(trial)[0].body


def test_only_the_reader_of_the_case_has_answers_there(trial, place):
    with pytest.raises(AccessError, match="no case"):
        answered(trial.records, trial.actor("rob"), place, segmenter=Lines(), geometry=None, work=lambda: AXES)
    with pytest.raises(AccessError, match="may not"):
        decided(trial.records, Actor("ana", Role.ANALYST, trial.actor("ana").session), place, taken=True)


def test_an_image_of_one_slice_has_no_slice_distance():
    assert image_facts({**GEOMETRY, "positions": [[0, 0, 0]]})["slice_mm"] == ""
    assert image_facts(None) == {"modality": "", "pixel_mm": "", "slice_mm": ""}
