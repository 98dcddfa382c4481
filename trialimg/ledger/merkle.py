"""The Merkle tree over all entries of an installation: roots, and proofs of inclusion and consistency.

References
----------
Laurie, Messeri, Stradling. Certificate Transparency Version 2.0. RFC 9162, 2021, section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trialimg.core.errors import Fault, InvalidValueError

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "Node",
    "consistency_path",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "nodes_added",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without a leaf."""

_HASH_BYTES = 32

NodeReader = Callable[[int, int], bytes]
"""Hash of the full subtree (level, index): its leaves are ``index * 2**level`` up to the next subtree's first."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf's bytes (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Node:
    """The root of a full subtree; it never changes again."""

    level: int
    """0 for a leaf."""
    index: int
    """Among the subtrees of its level, from 0 on the left."""
    hash: bytes


@dataclass(frozen=True)
class Frontier:
    """A tree reduced to the roots of its full subtrees: enough to go on appending and to say the root."""

    size: int = 0
    """How many leaves."""
    hashes: tuple[bytes, ...] = ()
    """One for each power of two in the size, largest first."""

    def __post_init__(self) -> None:
        if self.size < 0 or self.size.bit_count() != len(self.hashes):
            message = f"{len(self.hashes)} hashes cannot stand for {self.size} leaves"
            raise InvalidValueError(Fault("frontier", "bad_frontier", message))

    @classmethod
    def read(cls, size: int, node: NodeReader) -> Frontier:
        """The frontier of the first ``size`` leaves, from kept nodes."""
        return cls(size, tuple(node(level, index) for level, index in _full_subtrees(0, size)))

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one more leaf hash."""
        top = leaf
        kept = len(self.hashes)
        remaining = self.size
        while remaining & 1:
            kept -= 1
            top = node_hash(self.hashes[kept], top)
            remaining >>= 1
        return Frontier(self.size + 1, (*self.hashes[:kept], top))

    def root(self) -> bytes:
        """Root of the whole tree."""
        return _folded(self.hashes) if self.hashes else EMPTY_ROOT


def nodes_added(frontier: Frontier, leaf: bytes) -> tuple[Node, ...]:
    """The nodes that come into being when a leaf hash is appended: what a store keeps for later proofs.

    Two nodes an entry on average; every proof then reads O(log n) of them.
    """
    added = [Node(0, frontier.size, leaf)]
    lefts = list(frontier.hashes)
    while added[-1].index & 1:
        last = added[-1]
        added.append(Node(last.level + 1, last.index >> 1, node_hash(lefts.pop(), last.hash)))
    return tuple(added)


def root(leaves: Iterable[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier.root()


def inclusion_path(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """The hashes that lead from one leaf to the root of the first ``size`` leaves (RFC 9162, 2.1.3.1).

    Raises
    ------
    InvalidValueError
        If the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise InvalidValueError(Fault("index", "no_such_leaf", f"a tree of {size} leaves has no leaf {index}"))
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_path(first: int, second: int, node: NodeReader) -> tuple[bytes, ...]:
    """The hashes that show the tree of ``first`` leaves to be the beginning of that of ``second`` (2.1.4.1).

    Raises
    ------
    InvalidValueError
        Unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise InvalidValueError(Fault("first", "no_such_tree", f"0 < {first} <= {second} does not hold"))
    path: list[bytes] = []
    start, end, is_whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_range_root(start, end, node))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, *, path: Sequence[bytes], root: bytes) -> bool:
    """True if the path leads from this leaf hash, at this place, to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != _HASH_BYTES:
        return False
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def verify_consistency(
    first: int, second: int, *, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """True if the path shows the first tree to be the beginning of the second (RFC 9162, 2.1.4.2).

    A first tree without leaves is refused: every tree begins with it, so the answer would say nothing.
    """
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if not path:
        return False
    steps = [first_root, *path] if first.bit_count() == 1 else list(path)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    return _both_reached(steps, place, last) == (first_root, second_root)


def _both_reached(steps: list[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return (first, second) if last == 0 else None


def _split(size: int) -> int:
    """Largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: NodeReader) -> bytes:
    return _folded([node(level, index) for level, index in _full_subtrees(start, end)])


def _full_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Level and index of the full subtrees that a range consists of; the range begins where its largest one may."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _folded(hashes: Sequence[bytes]) -> bytes:
    top = hashes[-1]
    for left in reversed(hashes[:-1]):
        top = node_hash(left, top)
    return top
