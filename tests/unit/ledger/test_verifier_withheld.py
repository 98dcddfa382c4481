"""One trial's ledger, handed over without the words of the others."""

from __future__ import annotations

from tests.fakes.ledger import Ledger, found
from trialimg.ledger.bundle import Withheld
from trialimg.ledger.verifier import verify_bundle


def withheld(ledger: Ledger, trial: str) -> list[object]:
    return [
        item if item.entry.trial in ("", trial) else Withheld(item.entry.sequence, item.entry.hash)
        for item in ledger.items
    ]


def test_one_trial_is_handed_over_without_a_word_of_the_others(tmp_path, ledger):
    bundle = ledger.write(tmp_path / "b", withheld(ledger, "T1"))
    report = verify_bundle(bundle, known_checkpoint=ledger.checkpoints[0])
    assert report.ok
    assert (report.entries, report.withheld, report.trials) == (8, 4, 1)
    assert b"R-2" not in b"".join(
        (bundle / n).read_bytes() for n in ("entries.jsonl", "records.jsonl", "details.jsonl")
    )


def test_an_entry_of_the_trial_itself_cannot_be_withheld(tmp_path, ledger):
    for number in (4, 9):
        items = withheld(ledger, "T1")
        items[number] = Withheld(number, ledger.items[number].entry.hash)
        report = verify_bundle(ledger.write(tmp_path / str(number), items))
        assert {"missing_entry", "wrong_head"} & {what for what, _ in found(report)}


def test_a_withheld_place_with_another_hash_is_named(tmp_path, ledger):
    items = withheld(ledger, "T1")
    items[2] = Withheld(2, "00" * 32)
    report = found(verify_bundle(ledger.write(tmp_path / "b", items)))
    assert ("wrong_root", "checkpoint at 5 entries") in report
