"""Checkpoints and keys that were altered, swapped or retired: found, and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.ledger import Ledger, at, found, pair, reseal, small_ledger
from trialimg.ledger.canonical import canonical
from trialimg.ledger.checkpoint import Head, sign
from trialimg.ledger.verifier import verify_bundle


def forged_checkpoint(ledger, **changes):
    return replace(ledger.checkpoints[-1], checkpoint=replace(ledger.checkpoints[-1].checkpoint, **changes))


def test_a_checkpoint_that_was_altered_is_named(tmp_path):
    ledger = small_ledger()
    ledger.checkpoints[-1] = forged_checkpoint(ledger, root="00" * 32)
    report = found(verify_bundle(ledger.write(tmp_path / "b")))
    assert ("bad_signature", "checkpoint at 12 entries") in report
    assert ("unsigned", "entries 5 to 11") in report


def test_checkpoints_signed_for_another_tree_are_named(tmp_path):
    """Somebody with the keys signs a root or a head that the entries do not have."""
    ledger = small_ledger()
    ledger.checkpoints[-1] = sign(forged_checkpoint(ledger, root="00" * 32).checkpoint, ledger.signer)
    assert found(verify_bundle(ledger.write(tmp_path / "root"))) == [("wrong_root", "checkpoint at 12 entries")]
    heads = {**ledger.heads, "T2": Head(ledger.heads["T2"].trial_sequence, "00" * 32)}
    ledger = small_ledger()
    ledger.checkpoints[-1] = sign(forged_checkpoint(ledger, heads=heads).checkpoint, ledger.signer)
    assert found(verify_bundle(ledger.write(tmp_path / "head"))) == [("altered_entry", "entry 11")]


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        ({"": 1, "T1": 9}, "unknown_trial"),
        ({"": 1, "T1": 4, "T2": 3, "T3": 0}, "missing_trial"),
        ({"": 1, "T1": 6, "T2": 2}, "wrong_head"),
    ],
)
def test_heads_of_other_trials_are_named(tmp_path, heads, expected):
    ledger = small_ledger()
    forged = {trial: Head(number, "aa" * 32) for trial, number in heads.items()}
    ledger.checkpoints[-1] = sign(forged_checkpoint(ledger, heads=forged).checkpoint, ledger.signer)
    assert expected in {what for what, _ in found(verify_bundle(ledger.write(tmp_path / "b")))}


def test_checkpoints_out_of_order_or_of_another_installation_are_named(tmp_path):
    ledger = small_ledger()
    ledger.checkpoints.reverse()
    ledger.checkpoints.append(ledger.checkpoints[0])
    report = found(verify_bundle(ledger.write(tmp_path / "order")))
    assert ("misplaced_checkpoint", "checkpoint at 5 entries") in report
    ledger = small_ledger()
    ledger.checkpoints[-1] = sign(forged_checkpoint(ledger, installation="site-b").checkpoint, ledger.signer)
    report = found(verify_bundle(ledger.write(tmp_path / "other")))
    assert ("other_installation", "checkpoint at 12 entries") in report


def rekeyed(tmp_path) -> Path:
    """The same ledger, honestly signed, but by an attacker's keys."""
    ledger = small_ledger()
    attacker = pair(1)
    ledger.signer, ledger.keys = attacker, [replace(ledger.keys[0], keys=attacker.public)]
    ledger.checkpoints = [sign(signed.checkpoint, attacker) for signed in ledger.checkpoints]
    return ledger.write(tmp_path / "rekeyed")


def test_swapped_keys_are_seen_by_whoever_knows_the_right_ones(tmp_path):
    honest = small_ledger()
    bundle = rekeyed(tmp_path)
    alone = verify_bundle(bundle)
    assert alone.ok
    assert not alone.is_trusted
    assert found(verify_bundle(bundle, {pair().public.id})) == [("swapped_keys", "keys.json")]
    kept = verify_bundle(bundle, known_checkpoint=honest.checkpoints[0])
    assert found(kept) == [("swapped_keys", "the checkpoint kept outside")]
    assert not kept.is_trusted


def test_keys_swapped_in_the_key_file_alone_are_named(bundle, ledger):
    other = replace(ledger.keys[0], keys=pair(1).public)
    (bundle / "keys.json").write_bytes(canonical({"keys": [other.plain()]}))
    reseal(bundle, ledger)
    report = found(verify_bundle(bundle))
    assert [where for what, where in report if what == "bad_signature"] == [
        "checkpoint at 5 entries",
        "checkpoint at 12 entries",
    ]
    assert ("bad_manifest", "files.json") in report


def rotated() -> Ledger:
    ledger = small_ledger()
    ledger.rotate(pair(1))
    ledger.record("read", "R-4", {"sum_mm": "9.0"})
    ledger.checkpoint()
    return ledger


def test_a_new_pair_that_the_old_one_endorsed_is_trusted_with_it(tmp_path):
    ledger = rotated()
    bundle = ledger.write(tmp_path / "b")
    report = verify_bundle(bundle, {pair().public.id}, ledger.checkpoints[0])
    assert report.ok
    assert report.is_trusted
    assert report.key == pair(1).public.id


def test_a_retired_pair_no_longer_signs(tmp_path):
    ledger = rotated()
    ledger.checkpoints[-1] = sign(ledger.checkpoints[-1].checkpoint, pair())
    report = verify_bundle(ledger.write(tmp_path / "b"))
    assert ("bad_signature", "checkpoint at 14 entries") in found(report)


def test_a_pair_that_nobody_endorsed_is_named(tmp_path):
    ledger = rotated()
    ledger.keys[-1] = replace(ledger.keys[-1], endorsement=pair(1).sign("trialimg keys v1", b""))
    assert ("bad_keys", "keys.json") in found(verify_bundle(ledger.write(tmp_path / "b")))


def test_a_history_before_the_trusted_pair_does_not_speak_for_it(tmp_path):
    """Who trusts the second pair only is not content with a last checkpoint by the first."""
    ledger = small_ledger()
    ledger.keys.append(ledger.signer.endorse(pair(1).public, from_size=100, at=at(99)))
    report = verify_bundle(ledger.write(tmp_path / "b"), {pair(1).public.id})
    assert found(report) == [("swapped_keys", f"key {pair().public.id[:16]}")]


def test_a_checkpoint_older_than_what_it_covers_is_named(tmp_path):
    ledger = Ledger()
    ledger.record("read", "R-1", {"sum_mm": "1.0"})
    ledger.clock -= 1
    ledger.checkpoint()
    assert found(verify_bundle(ledger.write(tmp_path / "b"))) == [("clock_went_back", "checkpoint at 1 entries")]
