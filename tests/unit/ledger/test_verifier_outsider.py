"""What only an outsider sees, who kept a checkpoint of an earlier day."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.ledger import found, small_ledger
from trialimg.ledger.checkpoint import sign
from trialimg.ledger.verifier import verify_bundle


def test_a_later_bundle_agrees_with_a_checkpoint_kept_outside(tmp_path):
    ledger = small_ledger()
    for kept in list(ledger.checkpoints):
        assert verify_bundle(ledger.write(tmp_path / str(kept.checkpoint.size)), known_checkpoint=kept).is_trusted


def test_an_old_backup_put_back_is_named(tmp_path):
    old, today = small_ledger(), small_ledger()
    today.record("read", "R-5", {"sum_mm": "8.0"})
    kept = today.checkpoint()
    bundle = old.write(tmp_path / "old")
    assert verify_bundle(bundle).ok
    report = verify_bundle(bundle, known_checkpoint=kept)
    assert found(report) == [("rolled_back", "entry 12")]


def test_a_fork_is_named_with_the_entry_that_differs(tmp_path):
    """The installation itself writes another history, with its own keys, and hides the first."""
    told, hidden = small_ledger(), small_ledger()
    hidden.record("read", "R-5", {"sum_mm": "8.0"})
    kept = hidden.checkpoint()
    told.record("read", "R-5", {"sum_mm": "80.0"})
    told.checkpoint()
    bundle = told.write(tmp_path / "told")
    assert verify_bundle(bundle).ok
    report = found(verify_bundle(bundle, known_checkpoint=kept))
    assert report == [("fork", "tree of 13 entries"), ("altered_entry", "entry 12")]


def test_a_checkpoint_of_another_installation_is_named(tmp_path, ledger):
    kept = sign(replace(ledger.checkpoints[0].checkpoint, installation="site-b"), ledger.signer)
    report = verify_bundle(ledger.write(tmp_path / "b"), known_checkpoint=kept)
    assert "other_installation" in {what for what, _ in found(report)}
