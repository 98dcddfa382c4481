"""The tree, against a root written straight from the definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import InvalidValueError
from trialimg.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    nodes_added,
    root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(str(number).encode()) for number in range(70)]


def defined_root(leaves):
    """MTH of RFC 9162, 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


@pytest.fixture(scope="module")
def kept():
    """Nodes as a store keeps them, and the frontier after each append."""
    nodes, frontier, frontiers = {}, Frontier(), [Frontier()]
    for leaf in LEAVES:
        nodes.update({(node.level, node.index): node.hash for node in nodes_added(frontier, leaf)})
        frontier = frontier.append(leaf)
        frontiers.append(frontier)
    return nodes, frontiers


class Reads:
    """Kept nodes that count how often they are asked."""

    def __init__(self, nodes):
        self.nodes, self.count = nodes, 0

    def __call__(self, level, index):
        self.count += 1
        return self.nodes[level, index]


def test_a_leaf_is_prefixed_so_that_it_never_passes_for_a_node():
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_root_is_the_defined_one_at_every_size(kept, size):
    nodes, frontiers = kept
    expected = defined_root(LEAVES[:size])
    assert root(LEAVES[:size]) == frontiers[size].root() == expected
    assert Frontier.read(size, lambda level, index: nodes[level, index]) == frontiers[size]


def test_a_frontier_of_another_size_is_refused():
    with pytest.raises(InvalidValueError):
        Frontier(3, (LEAVES[0],))


def test_fewer_than_two_nodes_an_entry_are_kept(kept):
    assert len(kept[0]) < 2 * len(LEAVES)


@given(st.integers(1, len(LEAVES)).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_every_leaf_has_a_short_proof_that_serves_for_it_alone(kept, place):
    index, size = place
    reads = Reads(kept[0])
    path = inclusion_path(index, size, reads)
    top = defined_root(LEAVES[:size])
    assert reads.count <= 2 * size.bit_length()
    assert verify_inclusion(LEAVES[index], index, size, path=path, root=top)
    others = {number for number in range(size) if verify_inclusion(LEAVES[number], number, size, path=path, root=top)}
    assert others == {index}
    assert not verify_inclusion(leaf_hash(b"forged"), index, size, path=path, root=top)


@given(st.integers(1, len(LEAVES)).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size))))
def test_every_earlier_tree_is_shown_to_be_the_beginning(kept, sizes):
    first, second = sizes
    reads = Reads(kept[0])
    path = consistency_path(first, second, reads)
    roots = {"first_root": defined_root(LEAVES[:first]), "second_root": defined_root(LEAVES[:second])}
    assert reads.count <= 2 * second.bit_length()
    assert verify_consistency(first, second, **roots, path=path)
    forked = defined_root([*LEAVES[: first - 1], leaf_hash(b"forged")])
    assert not verify_consistency(first, second, **{**roots, "first_root": forked}, path=path)
    assert not verify_consistency(first, second, **roots, path=[*path, LEAVES[0]])


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4), (-1, 4)])
def test_a_proof_of_nothing_is_refused(kept, first, second):
    with pytest.raises(InvalidValueError):
        consistency_path(first, second, Reads(kept[0]))


@pytest.mark.parametrize(("index", "size"), [(4, 4), (-1, 4), (0, 0)])
def test_a_leaf_outside_of_the_tree_has_no_proof(kept, index, size):
    with pytest.raises(InvalidValueError):
        inclusion_path(index, size, Reads(kept[0]))
    assert not verify_inclusion(LEAVES[0], index, size, path=[], root=LEAVES[0])
