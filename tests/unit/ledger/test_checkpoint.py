"""Two signatures that both have to fit, by the keys in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trialimg.core.errors import IntegrityError, InvalidValueError
from trialimg.ledger.checkpoint import CHECKPOINT_PURPOSE, Checkpoint, Head, SignedCheckpoint, sign, verify
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import KEYS_PURPOSE, EndorsedKeys, KeyHistory, PublicKeys, Signatures

AT = "2026-11-22T04:31:07.123456+00:00"
CHECKPOINT = Checkpoint("site-a", 3, "ab" * 32, AT, {"": Head(0, "cd" * 32), "T1": Head(1, "ef" * 32)})


@pytest.fixture(scope="module")
def pair():
    return KeyPair.generate()


@pytest.fixture(scope="module")
def other():
    return KeyPair.generate()


def history(pair):
    return KeyHistory((EndorsedKeys(pair.public, 0, AT),))


def flipped(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def test_a_signed_checkpoint_comes_back_from_its_bytes_and_verifies(pair):
    signed = sign(CHECKPOINT, pair)
    again = SignedCheckpoint.parse(signed.bytes())
    assert again == signed
    verify(again, history(pair))


@pytest.mark.parametrize(("field", "named"), [("ed25519", "Ed25519"), ("mldsa65", "ML-DSA-65")])
def test_either_signature_alone_is_not_enough(pair, field, named):
    signed = sign(CHECKPOINT, pair)
    forged = replace(signed.signatures, **{field: flipped(getattr(signed.signatures, field))})
    with pytest.raises(IntegrityError, match=f"^{named} signature not by key"):
        verify(replace(signed, signatures=forged), history(pair))


@pytest.mark.parametrize(
    "change",
    [
        {"installation": "site-b"},
        {"root": "ac" * 32},
        {"at": "2026-11-23T04:31:07.123456+00:00"},
        {"heads": {"": Head(0, "cd" * 32), "T2": Head(1, "ef" * 32)}},
        {"size": 4, "heads": {"": Head(0, "cd" * 32), "T1": Head(2, "ef" * 32)}},
    ],
)
def test_no_part_of_a_checkpoint_can_be_changed(pair, change):
    signed = sign(CHECKPOINT, pair)
    with pytest.raises(IntegrityError, match="Ed25519 signature and ML-DSA-65 signature"):
        verify(replace(signed, checkpoint=replace(CHECKPOINT, **change)), history(pair))


def test_signatures_under_another_name_are_not_accepted(pair, other):
    signatures = replace(pair.sign(CHECKPOINT_PURPOSE, b"x"), key=other.public.id)
    with pytest.raises(IntegrityError, match=r"^key id not by key"):
        pair.public.verify(CHECKPOINT_PURPOSE, b"x", signatures)


def test_another_pair_is_not_accepted(pair, other):
    with pytest.raises(IntegrityError, match="was in force"):
        verify(sign(CHECKPOINT, other), history(pair))


def test_a_signature_for_another_purpose_is_not_accepted(pair):
    signatures = pair.sign(KEYS_PURPOSE, CHECKPOINT.bytes())
    with pytest.raises(IntegrityError):
        verify(SignedCheckpoint(CHECKPOINT, signatures), history(pair))
    pair.public.verify(KEYS_PURPOSE, CHECKPOINT.bytes(), signatures)
    with pytest.raises(IntegrityError):
        pair.public.verify(CHECKPOINT_PURPOSE, CHECKPOINT.bytes(), signatures)


@pytest.mark.parametrize(
    "change",
    [{"installation": ""}, {"size": 4}, {"root": "ab"}, {"at": "noon"}, {"heads": {"T1": Head(2, "x")}}],
)
def test_a_checkpoint_that_cannot_be_true_is_refused(change):
    with pytest.raises(InvalidValueError):
        replace(CHECKPOINT, **change)


@pytest.mark.parametrize("head", [[1], [1, 2], ["1", "ef" * 32], [-1, "ef" * 32], {"a": 1}])
def test_a_head_is_a_sequence_and_a_hash(head):
    with pytest.raises(InvalidValueError, match=r"heads\.T1"):
        Checkpoint.from_plain({**CHECKPOINT.plain(), "heads": {"T1": head}})


def test_keys_are_kept_under_a_passphrase(pair):
    pem = pair.to_pem(b"correct horse")
    assert b"ENCRYPTED" in pem
    again = KeyPair.from_pem(pem, b"correct horse")
    assert again.public == pair.public
    verify(sign(CHECKPOINT, again), history(pair))
    with pytest.raises(IntegrityError, match="passphrase"):
        KeyPair.from_pem(pem, b"wrong")
    with pytest.raises(IntegrityError):
        KeyPair.from_pem(b"no key", b"correct horse")


def test_half_a_pair_is_refused(pair):
    first, second = (
        part + b"-----END ENCRYPTED PRIVATE KEY-----\n"
        for part in pair.to_pem(b"p").split(b"-----END ENCRYPTED PRIVATE KEY-----\n")[:2]
    )
    for pem in (first, second + first, first + first):
        with pytest.raises(IntegrityError):
            KeyPair.from_pem(pem, b"p")


def test_private_keys_are_never_shown(pair):
    assert repr(pair) == "KeyPair()"


def test_the_id_covers_both_keys(pair, other):
    mixed = PublicKeys(pair.public.ed25519, other.public.mldsa65)
    assert len({pair.public.id, other.public.id, mixed.id}) == 3
    assert len(pair.public.id) == 64


def test_a_new_pair_takes_over_where_the_old_one_says(pair, other):
    keys = KeyHistory((EndorsedKeys(pair.public, 0, AT), pair.endorse(other.public, from_size=3, at=AT)))
    keys.check()
    assert KeyHistory.from_plain(keys.plain()) == keys
    verify(sign(CHECKPOINT, other), keys)
    with pytest.raises(IntegrityError, match="was in force at size 3"):
        verify(sign(CHECKPOINT, pair), keys)
    assert keys.in_force(2) == pair.public


def test_a_history_without_every_endorsement_is_refused(pair, other):
    first, second = EndorsedKeys(pair.public, 0, AT), pair.endorse(other.public, from_size=3, at=AT)
    stranger = KeyPair.generate()
    for pairs, message in [
        ((first, replace(second, endorsement=None)), "is not endorsed"),
        ((first, replace(second, from_size=4)), "is not endorsed"),
        ((first, replace(second, keys=stranger.public)), "is not endorsed"),
        ((first, stranger.endorse(other.public, from_size=3, at=AT)), "is not endorsed"),
        ((first, pair.endorse(other.public, from_size=0, at=AT)), "not after"),
        ((second,), "not in the history"),
    ]:
        with pytest.raises(IntegrityError, match=message):
            KeyHistory(pairs).check()
    with pytest.raises(InvalidValueError):
        KeyHistory(())


def test_keys_and_signatures_have_their_exact_length(pair):
    with pytest.raises(InvalidValueError):
        PublicKeys(pair.public.ed25519[:-2], pair.public.mldsa65)
    with pytest.raises(InvalidValueError):
        Signatures(pair.public.id, "00" * 64, "00" * 3308)
    with pytest.raises(InvalidValueError):
        EndorsedKeys(pair.public, -1, AT)
