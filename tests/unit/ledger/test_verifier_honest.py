"""Whatever is done honestly, in any order, verifies; and every entry of it can be proved to be there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.ledger import Ledger, pair
from trialimg.ledger.bundle import Withheld
from trialimg.ledger.merkle import Frontier, inclusion_path, nodes_added, verify_inclusion
from trialimg.ledger.sealed import Sealed
from trialimg.ledger.verifier import verify_bundle

TRIALS = st.sampled_from(["", "T1", "T2", "Ü-3"])
REASONS = st.sampled_from(["", "because", "„wegen“"])
STEPS = st.one_of(
    st.tuples(st.just("record"), TRIALS, REASONS, st.integers(0, 2)),
    st.tuples(st.just("note"), TRIALS, REASONS, st.integers(0, 2)),
    st.tuples(st.just("redact"), TRIALS, REASONS, st.integers(0, 30)),
    st.tuples(st.just("checkpoint"), TRIALS, REASONS, st.just(0)),
    st.tuples(st.just("rotate"), TRIALS, REASONS, st.integers(0, 4)),
)


def lived(steps) -> Ledger:
    ledger = Ledger()
    for what, trial, reason, number in steps:
        if what == "record":
            ledger.record("read", f"{trial}/{number}", {"n": len(ledger.items)}, trial=trial, reason=reason)
        elif what == "note":
            ledger.note("open_images", kind="series", id_=str(number), trial=trial, reason=reason)
        elif what == "checkpoint":
            ledger.checkpoint()
        elif what == "rotate":
            ledger.rotate(pair(number))
        elif number < len(ledger.items):
            redact(ledger, number)
    ledger.checkpoint()
    return ledger


def redact(ledger: Ledger, number: int) -> None:
    item = ledger.items[number]
    if isinstance(item.record, Sealed):
        ledger.redact_record(number, "a name")
    elif isinstance(item.detail, Sealed):
        ledger.redact_reason(number, "a name")


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25), st.booleans())
def test_an_honest_ledger_verifies(steps, is_handed_over_in_part):
    ledger = lived(steps)
    items = [
        Withheld(item.entry.sequence, item.entry.hash) if is_handed_over_in_part and item.entry.trial == "T2" else item
        for item in ledger.items
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = verify_bundle(ledger.write(Path(folder) / "b", items), known_checkpoint=ledger.checkpoints[0])
    assert report.findings == ()
    assert report.entries + report.withheld == len(ledger.items)


@settings(deadline=None, max_examples=30)
@given(st.lists(STEPS, min_size=1, max_size=25))
def test_every_entry_can_be_proved_to_be_in_the_signed_tree(steps):
    ledger = lived(steps)
    frontier, nodes = Frontier(), {}
    for item in ledger.items:
        leaf = bytes.fromhex(item.entry.hash)
        nodes.update({(node.level, node.index): node.hash for node in nodes_added(frontier, leaf)})
        frontier = frontier.append(leaf)
    last = ledger.checkpoints[-1].checkpoint
    for item in ledger.items:
        place = item.entry.sequence
        path = inclusion_path(place, last.size, lambda level, index: nodes[level, index])
        leaf = bytes.fromhex(item.entry.hash)
        assert verify_inclusion(leaf, place, last.size, path=path, root=bytes.fromhex(last.root))
