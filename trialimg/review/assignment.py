"""Who reads which case, in what order, and which cases come back unannounced."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.reading import Seat
from trialimg.review.design import ReadOrder

__all__ = ["OpenCase", "Turn", "Workload", "adjudicators", "pairs", "reading_order", "repeats_due", "turns"]


@dataclass(frozen=True)
class OpenCase:
    """A case that still needs people."""

    id: str
    seats: tuple[Seat, ...]
    """Seats that are free."""
    held: tuple[str, ...] = ()
    """People who sit in its other seats."""
    barred: frozenset[str] = frozenset()


@dataclass
class Workload:
    """What everybody has already, counted up as cases are given out."""

    reads: Counter[str] = field(default_factory=Counter)
    """Cases by person."""
    together: Counter[frozenset[str]] = field(default_factory=Counter)
    """Cases by pair of readers."""

    def add(self, people: Iterable[str]) -> None:
        """Count a case for these people, and for the pair that they are."""
        people = tuple(people)
        self.reads.update(people)
        self.together.update(frozenset(pair) for pair in combinations(people, 2))


def pairs(
    cases: Sequence[OpenCase], readers: Sequence[str], workload: Workload, *, seed: int
) -> Mapping[str, Mapping[Seat, str]]:
    """Readers for the free reading seats of each case: the pair that has met least, then those with least to read.

    Equal choices are decided by the seed, so the same cases, readers and workload give the same answer.

    Raises
    ------
    ReadingError
        Naming every case for which there are too few readers who may see it.
    """
    answer: dict[str, Mapping[Seat, str]] = {}
    faults: list[Fault] = []
    for case in cases:
        free = [r for r in dict.fromkeys(readers) if r not in case.held and r not in case.barred]
        if len(free) < len(case.seats):
            message = f"{len(case.seats)} reader(s) needed, {len(free)} may see it"
            faults.append(Fault(case.id, "too_few_readers", message))
            continue

        def burden(people: tuple[str, ...], case: OpenCase = case) -> tuple[int, int, int, str]:
            met = sum(workload.together[frozenset(pair)] for pair in combinations((*people, *case.held), 2))
            loads = [workload.reads[person] for person in people]
            return met, sum(loads), max(loads, default=0), _lot(seed, case.id, *people)

        chosen = min(combinations(free, len(case.seats)), key=burden)
        by_lot = sorted(chosen, key=lambda person, case=case: _lot(seed, case.id, person))  # type: ignore[misc]
        answer[case.id] = dict(zip(case.seats, by_lot, strict=True))
        workload.reads.update(chosen)
        workload.together.update(frozenset(pair) for pair in combinations((*chosen, *case.held), 2))
    if faults:
        raise ReadingError(f"{len(faults)} case(s) cannot be given out", tuple(faults))
    return answer


def adjudicators(cases: Sequence[OpenCase], people: Sequence[str], workload: Workload, *, seed: int) -> dict[str, str]:
    """An adjudicator for each case who has not read it: whoever has least to adjudicate.

    Raises
    ------
    ReadingError
        Naming every case that nobody may adjudicate.
    """
    found = pairs([OpenCase(c.id, (Seat.ADJUDICATOR,), c.held, c.barred) for c in cases], people, workload, seed=seed)
    return {case: seats[Seat.ADJUDICATOR] for case, seats in found.items()}


def reading_order(cases: Sequence[str], order: ReadOrder, *, seed: int, reader: str) -> tuple[str, ...]:
    """The cases in the order in which a reader gets them; each reader has another random order.

    Notes
    -----
    Randomised: in order of the SHA-256 of ``<seed>/<reader>/<case>``, which anybody can compute again.
    """
    if order is ReadOrder.AS_RECEIVED:
        return tuple(cases)
    return tuple(sorted(cases, key=lambda case: _lot(seed, reader, case)))


def repeats_due(cases: int, given: int, repeat_pct: int) -> int:
    """How many more repeats a reader is to get, for all the cases that the reader has had; never more than asked."""
    return max(0, cases * repeat_pct // 100 - given)


@dataclass(frozen=True)
class Turn:
    """One place in a reader's order."""

    case: str
    is_repeat: bool = False


def turns(cases: Sequence[str], repeats: int, *, seed: int, reader: str) -> tuple[Turn, ...]:
    """A reader's cases in their order with some of them a second time, at least half of the way to the end later.

    Cases of the first half are repeated first, so that others lie between; a lone case is never repeated.
    """
    sequence = [Turn(case) for case in cases]
    early = set(cases[: len(cases) // 2])
    ranked = sorted(cases, key=lambda case: (case not in early, _lot(seed, reader, case, "repeat")))
    chosen = ranked[:repeats] if early else ()
    for case in chosen:
        first = sequence.index(Turn(case))
        earliest = first + 1 + (len(sequence) - first) // 2
        places = len(sequence) + 1 - earliest
        lot = int(_lot(seed, reader, case, "place"), 16)
        sequence.insert(earliest + lot % max(places, 1), Turn(case, is_repeat=True))
    return tuple(sequence)


def _lot(seed: int, *words: str) -> str:
    return hashlib.sha256("/".join((str(seed), *words)).encode()).hexdigest()
