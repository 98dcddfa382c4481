"""iRECIST a second time, deliberately naive: tables of integers in tenths of a millimetre, read again from the left.

Written from the rules in prose (Seymour 2017 and the group's clarifications), not from the package. Targets and
non-targets are those of `naive_recist11`, which also gives the words of RECIST 1.1. A new lesion is a row of cells: a
size in tenths of mm, ``"sure"`` or ``"maybe"`` without a size, ``"gone"``, ``"ne"``, or ``""``.

The answers end with the first confirmed progression: what follows it counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.oracle.naive_recist11 import (
    GONE,
    NE,
    Choices,
    Table,
    WordRow,
    answers,
    full_sum,
    overall_word,
    sizes,
)

LEAST, FROM_DAY = 50, 28
"""Further growth that confirms, in tenths of mm, and the first day on which a scan can confirm."""
MANY = 5
PER_ORGAN = 2


@dataclass
class NewRow:
    organ: str
    cells: list[str | int]


@dataclass
class ImmuneTable:
    base: Table
    new: list[NewRow] = field(default_factory=list)
    strict: bool = False
    """Further growth must exceed 5 mm."""


@dataclass
class Block:
    """A progression that waits: its column, what progressed in it, and the target sum it is measured against."""

    column: int
    what: set[str]
    target: int | None


def immune_words(table: ImmuneTable) -> list[str]:
    """The overall word of every follow-up up to and with the first iCPD."""
    lines = answers(replace(table.base, new=_as_recist(table)), Choices())
    block: Block | None = None
    said: list[str] = []
    for column, (target, non_target, _, _, _) in enumerate(lines, start=1):
        alone = _alone(table, column, target, non_target)
        if block is None:
            found = alone | ({"new"} if _own_sum_progresses(table, column) else set())
            if found:
                block = Block(column, found, full_sum(table.base, Choices(), column))
            said.append("iUPD" if found else _plain(table, column, target, non_target))
            continue
        if block.target is None and target == "PD":
            block.target = full_sum(table.base, Choices(), column)
        reasons = _reasons(table, block, column, target, alone)
        if reasons and table.base.days[column] - table.base.days[block.column] >= FROM_DAY:
            return [*said, "iCPD"]
        if reasons or _goes_on(table, block, column, target, non_target):
            said.append("iUPD")
            continue
        said.append(_plain(table, column, target, non_target))
        if overall_word(target, non_target, "no") != "NE":
            block = None
    return said


def _as_recist(table: ImmuneTable) -> list[WordRow]:
    """The new lesions in the words of RECIST."""
    return [WordRow(node=False, cells=["", *_words(row)[1:]]) for row in table.new]


def _words(row: NewRow) -> list[str]:
    """What stands at each column; a size alone is sure, but leaves what was only suspected as it was."""
    words: list[str] = []
    for cell in row.cells:
        before = words[-1] if words else "gone"
        if cell in ("", "ne"):
            words.append(before)
        elif isinstance(cell, int):
            words.append("maybe" if before == "maybe" else "sure")
        else:
            words.append(cell)
    return words


def _there(row: NewRow) -> list[bool]:
    """Whether the lesion stands at each column; what was only suspected stands once a later look is sure."""
    words, answer = _words(row), []
    for column, word in enumerate(words):
        rest = [w for w in words[column:] if w != "maybe"]
        answer.append(word == "sure" or (word == "maybe" and bool(rest) and rest[0] == "sure"))
    return answer


def _present(table: ImmuneTable, column: int) -> set[int]:
    return {number for number, row in enumerate(table.new) if _there(row)[column]}


def _alone(table: ImmuneTable, column: int, target: str, non_target: str) -> set[str]:
    """What progresses by itself at a column: targets, non-targets, lesions that were not there before."""
    found = {name for name, word in (("target", target), ("non-target", non_target)) if word == "PD"}
    return found | ({"new"} if _present(table, column) - _present(table, column - 1) else set())


def _measured(table: ImmuneTable, column: int) -> list[int]:
    """The new lesions followed by size at a column: 10 mm when first there, five at most, two in an organ."""
    taken: list[int] = []
    for at in range(1, column + 1):
        fresh = _present(table, at) - _present(table, at - 1) - set(taken)
        sized = [(cell, number) for number in fresh if isinstance(cell := table.new[number].cells[at], int)]
        for cell, number in sorted(sized, key=lambda pair: (-pair[0], pair[1])):
            same = [other for other in taken if table.new[other].organ == table.new[number].organ]
            if cell >= 100 and len(taken) < MANY and len(same) < PER_ORGAN:
                taken.append(number)
    return sorted(taken)


def _new_sum(table: ImmuneTable, column: int) -> int | None:
    total = 0
    for number in _measured(table, column):
        cell = table.new[number].cells[column]
        if cell == "gone":
            continue
        if not isinstance(cell, int):
            return None
        total += cell
    return total if _measured(table, column) else None


def _others_sum(table: ImmuneTable, column: int) -> int | None:
    """Sizes of the present new lesions that are not followed by size; None if one has none."""
    cells = [table.new[number].cells[column] for number in _others(table, column)]
    known = [cell for cell in cells if isinstance(cell, int)]
    return sum(known) if known and len(known) == len(cells) else None


def _others(table: ImmuneTable, column: int) -> set[int]:
    return _present(table, column) - set(_measured(table, column))


def _own_sum_progresses(table: ImmuneTable, column: int) -> bool:
    """New lesions that are known, but wait for nothing: a fifth and 5 mm above the least sum of the same lesions."""
    if not _present(table, column) or _present(table, column) - _present(table, column - 1):
        return False
    now, mine = _new_sum(table, column), _measured(table, column)
    earlier = [_new_sum(table, at) for at in range(1, column) if _measured(table, at) == mine]
    known = [size for size in earlier if size is not None]
    if now is None or not known:
        return False
    return 10 * now >= 12 * min(known) and now - min(known) >= 50


def _reasons(table: ImmuneTable, block: Block, column: int, target: str, alone: set[str]) -> set[str]:
    """Everything that confirms a waiting progression."""
    found = set()
    if _present(table, column) - _present(table, block.column):
        found.add("a further new lesion")
    if alone - block.what - ({"new"} if found else set()):
        found.add("another kind of lesion")
    if "new" not in block.what and _own_sum_progresses(table, column):
        found.add("another kind of lesion")
    counted = [size for _, size in sizes(table.base, Choices(), column) if size is not None]
    if "target" in block.what and target == "PD" and counted and _enough(table, sum(counted), block.target):
        found.add("targets")
    if "non-target" in block.what and _non_targets_grew(table.base, block.column, column):
        found.add("non-targets")
    return found | (_new_reasons(table, block.column, column) if "new" in block.what else set())


def _new_reasons(table: ImmuneTable, then: int, now: int) -> set[str]:
    """New lesions that have grown since the progression waits."""
    found = set()
    same = _measured(table, now) == _measured(table, then)
    if same and _enough(table, _new_sum(table, now), _new_sum(table, then)):
        found.add("new lesions")
    if _others_grew(table, then, now):
        found.add("other new lesions")
    return found


def _enough(table: ImmuneTable, now: int | None, then: int | None) -> bool:
    if now is None or then is None:
        return False
    return now - then > LEAST if table.strict else now - then >= LEAST


def _non_targets_grew(base: Table, then: int, now: int) -> bool:
    """By recorded sizes, where every non-target has one at both columns (gone is 0)."""
    sums = []
    for column in (then, now):
        cells = [0 if row.cells[column] == "gone" else row.cells[column] for row in base.non_targets]
        known = [cell for cell in cells if isinstance(cell, int)]
        sums.append(sum(known) if known and len(known) == len(cells) else None)
    before, after = sums
    return before is not None and after is not None and after > before


def _others_grew(table: ImmuneTable, then: int, now: int) -> bool:
    before, after = _others_sum(table, then), _others_sum(table, now)
    same = _others(table, then) == _others(table, now)
    return same and before is not None and after is not None and after > before


def _goes_on(table: ImmuneTable, block: Block, column: int, target: str, non_target: str) -> bool:
    """Neither confirmed nor ended: something is still PD, or new lesions have grown a little or were not looked at."""
    if "PD" in (target, non_target):
        return True
    if "new" not in block.what:
        return False
    if any(table.new[number].cells[column] in ("", "ne") for number in _present(table, column)):
        return True
    then, now = _new_sum(table, block.column), _new_sum(table, column)
    return then is not None and now is not None and now > then


def _plain(table: ImmuneTable, column: int, target: str, non_target: str) -> str:
    """RECIST's table without regard to new lesions, except that while one is there nothing is complete."""
    word = overall_word(target, non_target, "no")
    if _present(table, column) and word in ("CR", "NED"):
        word = "NON-CR/NON-PD" if target == "NA" else "PR"
    return {"NE": "NE", "NED": "NED", "NON-CR/NON-PD": "NON-iCR/NON-iUPD"}.get(word, f"i{word}")


__all__ = ["GONE", "NE", "ImmuneTable", "NewRow", "immune_words"]
