"""Proofs of RFC 6962 / RFC 9162, good and forged, from transparency-dev/merkle (Apache-2.0)."""

from __future__ import annotations

import base64
import json

import pytest

from trialimg.ledger.merkle import verify_consistency, verify_inclusion

pytestmark = pytest.mark.reference


def vectors(reference, kind):
    paths = sorted((reference / "merkle_vectors" / "testdata" / kind).rglob("*.json"))
    return {str(path): json.loads(path.read_text()) for path in paths}


def raw(text):
    return base64.b64decode(text or "")


def holds_inclusion(vector):
    return verify_inclusion(
        raw(vector["leafHash"]),
        vector["leafIdx"],
        vector["treeSize"],
        path=[raw(step) for step in vector["proof"] or ()],
        root=raw(vector["root"]),
    )


def holds_consistency(vector):
    return verify_consistency(
        vector["size1"],
        vector["size2"],
        first_root=raw(vector["root1"]),
        second_root=raw(vector["root2"]),
        path=[raw(step) for step in vector["proof"] or ()],
    )


@pytest.mark.parametrize(("kind", "holds"), [("inclusion", holds_inclusion), ("consistency", holds_consistency)])
def test_every_proof_is_answered_as_published(reference, kind, holds):
    published = vectors(reference, kind)
    assert len(published) == 98
    assert sum(not vector["wantErr"] for vector in published.values()) == 6
    wrong = [path for path, vector in published.items() if holds(vector) is vector["wantErr"]]
    assert wrong == []
