"""The installation's name and keys, and the signed checkpoints that hold it to its ledger."""

from __future__ import annotations

from trialimg.core.errors import TrialimgError
from trialimg.ledger.checkpoint import Checkpoint, Head, SignedCheckpoint, sign, verify
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import EndorsedKeys, KeyHistory
from trialimg.ledger.merkle import Frontier
from trialimg.services.journal import Journal
from trialimg.services.ports import KeyRing, Transaction
from trialimg.services.records import EntryQuery, Place

__all__ = ["INSTALLATION", "installation_name", "key_history", "key_in_force", "rotate_keys", "sign_checkpoint"]

INSTALLATION = "installation"
"""Kind and id of the record that says how the installation is called, and which keys it has had; always ``open``."""

_PLACE = Place(state="open")
_NAME_DIGITS = 16


def key_history(transaction: Transaction) -> KeyHistory | None:
    """Every pair of keys that the installation has had; None as long as nothing was signed."""
    found = transaction.current(INSTALLATION, INSTALLATION)
    return KeyHistory.from_plain({"keys": found.body.get("keys")}) if found else None


def installation_name(transaction: Transaction) -> str:
    """The name that stands in every checkpoint; empty as long as nothing was signed."""
    found = transaction.current(INSTALLATION, INSTALLATION)
    return str(found.body["name"]) if found else ""


def sign_checkpoint(journal: Journal, ring: KeyRing) -> SignedCheckpoint:
    """Sign what the ledger holds now, and keep the checkpoint; the first one makes the keys.

    Raises
    ------
    IntegrityError
        If the last checkpoint is not one of ours.
    TrialimgError
        If the private keys in force are not here.
    """
    transaction = journal.transaction
    history = key_history(transaction) or _first_keys(journal, ring)
    size = transaction.size()
    root = Frontier.read(size, transaction.node).root().hex()
    heads = _heads(transaction, history)
    made = Checkpoint(installation_name(transaction), size, root, journal.at, heads)
    signed = sign(made, key_in_force(history, ring, size))
    transaction.keep_checkpoint(signed.bytes().decode())
    return signed


def rotate_keys(journal: Journal, ring: KeyRing, *, reason: str) -> KeyHistory:
    """Hand over to a new pair of keys, for which the pair in force vouches.

    Raises
    ------
    TrialimgError
        If nothing was signed yet, or the private keys in force are not here.
    """
    transaction = journal.transaction
    history = key_history(transaction)
    if history is None:
        raise TrialimgError("there are no signing keys yet; `trialimg store checkpoint` makes the first")
    size = transaction.size()
    last = key_in_force(history, ring, size)
    handed_over = last.endorse(ring.make().public, from_size=size + 1, at=journal.at)
    followed = KeyHistory((*history.pairs, handed_over))
    _write(journal, installation_name(transaction), followed, action="rotate_keys", reason=reason)
    return followed


def key_in_force(history: KeyHistory, ring: KeyRing, size: int) -> KeyPair:
    """The pair that has to sign a tree of this size.

    Raises
    ------
    TrialimgError
        If its private halves are not here.
    """
    public = history.in_force(size)
    if public is None:
        raise TrialimgError(f"no key was in force at {size} entries")
    return ring.pair(public.id)


def _first_keys(journal: Journal, ring: KeyRing) -> KeyHistory:
    pair = ring.make()
    history = KeyHistory((EndorsedKeys(pair.public, 0, journal.at),))
    _write(journal, pair.public.id[:_NAME_DIGITS], history, action="make_keys", reason="the first signed checkpoint")
    return history


def _write(journal: Journal, name: str, history: KeyHistory, *, action: str, reason: str) -> None:
    body = {"name": name, **history.plain()}
    journal.write(INSTALLATION, INSTALLATION, body, action=action, place=_PLACE, reason=reason)


def _heads(transaction: Transaction, history: KeyHistory) -> dict[str, Head]:
    """The last entry of every trial, going on from the last checkpoint."""
    heads: dict[str, Head] = {}
    start = 0
    for text in transaction.checkpoints()[-1:]:
        last = SignedCheckpoint.parse(text.encode())
        verify(last, history)
        heads, start = dict(last.checkpoint.heads), last.checkpoint.size
    for entry in transaction.entries(EntryQuery(start=start)):
        heads[entry.trial] = Head(entry.trial_sequence, entry.hash)
    return heads
