"""Work is done once."""

from __future__ import annotations

from tests.fakes.store import MemoryBlobStore
from trialimg.services.work import Stage, Tally, Workbench


def test_the_same_inputs_are_computed_once_and_other_inputs_anew():
    bench = Workbench(MemoryBlobStore())
    calls: list[int] = []

    def answer(n: int) -> bytes:
        calls.append(n)
        return b"%d" % n

    stage = Stage("square", "1")
    for n in (2, 2, 3):
        assert bench.once(stage, {"n": n}, lambda n=n: answer(n)) == b"%d" % n
    assert calls == [2, 3]
    assert (bench.tally.computed, bench.tally.reused) == ({"square": 2}, {"square": 1})


def test_another_version_of_a_stage_computes_again():
    bench = Workbench(MemoryBlobStore())
    assert bench.once(Stage("s", "1"), {}, lambda: b"old") == b"old"
    assert bench.once(Stage("s", "2"), {}, lambda: b"new") == b"new"


def test_json_answers_come_back_as_they_went_in():
    bench = Workbench(MemoryBlobStore())
    value = {"b": [1.5, None, "x"], "a": True}
    assert bench.once_json(Stage("s", "1"), {}, lambda: value) == value
    assert bench.once_json(Stage("s", "1"), {}, lambda: 0 / 0) == value


def test_tallies_add_up():
    total = Tally({"a": 1}, {})
    total.add(Tally({"a": 2, "b": 1}, {"a": 4}))
    assert total == Tally({"a": 3, "b": 1}, {"a": 4})
