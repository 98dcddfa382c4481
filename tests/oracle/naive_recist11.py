"""RECIST 1.1 a second time, deliberately naive: tables of integers in tenths of a millimetre, nothing remembered.

Written from the rules in prose, not from the package, and by other means: a subject is a table with one row per
lesion and one column per visit (column 0 is baseline); every answer is worked out from the whole table again.

Cells of targets: a size in tenths of mm, `GONE`, `SMALL`, `NE`, `BLANK`. Cells of non-targets: `"present"`,
`"gone"`, `"worse"`, `"ne"`, `""` or, for a node, its size. Cells of new lesions: `"sure"`, `"maybe"`, `"gone"`,
`""`, or for a node its size.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GONE, SMALL, NE, BLANK = 0, -1, -2, -3
GOOD = ("PR", "CR")


@dataclass
class TargetRow:
    node: bool
    cells: list[int]
    fragment_of: int | None = None
    treated_from: int | None = None
    merged_from: int | None = None
    merged_into: int | None = None


@dataclass
class WordRow:
    node: bool
    cells: list[str | int]


@dataclass
class Choices:
    """The contested settings, by the names of the prose."""

    pr_hold: str = "recompute"
    doubt_lost_cr: bool = False
    pd_within_normal_nodes: bool = False
    local_therapy: str = "not_evaluable"
    partial_non_target: str = "NE"
    sure_node: int = 150
    backdate: bool = True
    persists: bool = True
    strict: bool = False


@dataclass
class Table:
    days: list[int]
    targets: list[TargetRow] = field(default_factory=list)
    non_targets: list[WordRow] = field(default_factory=list)
    new: list[WordRow] = field(default_factory=list)
    pet: list[str] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)


Line = tuple[str, str, str, str, int | None]
"""Target, non-target, new lesion, overall, and the sum in tenths of mm."""
Doubts = dict[int, str]
"""Column of a CR that is no longer believed, and which lesions came back: targets or non-targets."""


def answers(table: Table, choices: Choices) -> list[Line]:
    """Target, non-target, new lesion, overall and sum (tenths of mm) of every follow-up."""
    doubts: Doubts = {}
    while True:
        lines, lost = one_pass(table, choices, doubts)
        if lost is None:
            return lines
        doubts |= lost


def one_pass(table: Table, choices: Choices, doubts: Doubts) -> tuple[list[Line], Doubts | None]:
    """All follow-ups, believing every CR but the doubted ones; the next CR to doubt, if one is found."""
    new_words = new_lesions(table, choices)
    lines: list[Line] = []
    for column in range(1, len(table.days)):
        overalls = [line[3] for line in lines]
        evaluable = [word for word in overalls if word != "NE"]
        after_cr = bool(evaluable) and evaluable[-1] == "CR"
        target_back = after_cr and someone_is_back(table, choices, column)
        non_target_back = after_cr and "present" in non_target_cells(table, column)
        progressed = "worse" in non_target_cells(table, column)
        if choices.doubt_lost_cr and (target_back or (non_target_back and not progressed)):
            return lines, doubted_run(overalls, "targets" if target_back else "non-targets")
        target, total = target_word(table, choices, column, target_back, lines, doubts)
        non_target = non_target_word(table, choices, column, non_target_back)
        if doubts.get(column) == "targets":
            target = "PR" if target == "CR" else target
        elif doubts.get(column) == "non-targets":
            non_target = "NON-CR/NON-PD"
        new = new_words[column]
        lines.append((target, non_target, new, overall_word(target, non_target, new), total))
    return lines, None


def doubted_run(overalls: list[str], which: str) -> Doubts:
    """The last CRs in a row, whatever could not be evaluated between them."""
    run: Doubts = {}
    for column in range(len(overalls), 0, -1):
        if overalls[column - 1] == "NE":
            continue
        if overalls[column - 1] != "CR":
            break
        run[column] = which
    return run


def size_of(table: Table, choices: Choices, row: int, column: int) -> int | None:
    """What one target counts in tenths of mm, None if that is not known, `BLANK` if it does not exist yet."""
    lesion = table.targets[row]
    cell = lesion.cells[column]
    if lesion.fragment_of is not None and all(c == BLANK for c in lesion.cells[: column + 1]):
        return BLANK
    treated = lesion.treated_from is not None and column >= lesion.treated_from
    if treated and choices.local_therapy != "measure":
        return 0 if choices.local_therapy == "zero_if_removed" and cell == GONE else None
    if cell > 0 or cell == SMALL:
        return max(cell, 50) if cell == SMALL else cell
    if lesion.merged_from is not None and column >= lesion.merged_from:
        return 0 if lesion.merged_into is not None else None
    return 0 if cell == GONE or relatives_measure_it(table, row, column) else None


def relatives_measure_it(table: Table, row: int, column: int) -> bool:
    """Its fragments are recorded in this column, or it is a fragment and only the whole is."""
    parts = [other for other in table.targets if other.fragment_of == row]
    if any(part.cells[column] != BLANK for part in parts):
        return True
    parent = table.targets[row].fragment_of
    if parent is None:
        return False
    siblings = [other for other in table.targets if other.fragment_of == parent]
    alone = all(part.cells[column] == BLANK for part in siblings)
    return alone and table.targets[parent].cells[column] not in (NE, BLANK)


def sizes(table: Table, choices: Choices, column: int) -> list[tuple[bool, int | None]]:
    """(node, size) of every target that exists."""
    found = [(lesion.node, size_of(table, choices, row, column)) for row, lesion in enumerate(table.targets)]
    return [(node, size) for node, size in found if size != BLANK]


def normal(node: bool, size: int) -> bool:
    return size < 100 if node else size == 0


def someone_is_back(table: Table, choices: Choices, column: int) -> bool:
    return any(size is not None and not normal(node, size) for node, size in sizes(table, choices, column))


def full_sum(table: Table, choices: Choices, column: int) -> int | None:
    found = [size for _, size in sizes(table, choices, column)]
    if not found or any(size is None for size in found):
        return None
    return sum(size for size in found if size is not None)


def target_word(
    table: Table, choices: Choices, column: int, back: bool, lines: list[Line], doubts: Doubts
) -> tuple[str, int | None]:
    if not table.targets:
        return "NA", None
    total, base = full_sum(table, choices, column), full_sum(table, choices, 0)
    past = [line[4] for number, line in enumerate(lines, start=1) if doubts.get(number) != "targets"]
    earlier = [size for size in [base, *past] if size is not None]
    known = [(node, size) for node, size in sizes(table, choices, column) if size is not None]
    all_normal = all(normal(*one) for one in known)
    if back or (earlier and known and grown(known, min(earlier), all_normal, choices)):
        return "PD", total
    if total is None:
        return "NE", None
    if all_normal:
        return "CR", total
    if base is None:
        return "NE", total
    shrunk = 10 * total <= 7 * base
    return ("PR" if shrunk or held(table, choices, lines) else "SD"), total


def grown(known: list[tuple[bool, int]], least: int, all_normal: bool, choices: Choices) -> bool:
    """A fifth and 5 mm above the least sum so far, though not among normal nodes."""
    now = sum(size for _, size in known)
    fifth = 10 * now > 12 * least if choices.strict else 10 * now >= 12 * least
    return fifth and now - least >= 50 and (choices.pd_within_normal_nodes or not all_normal)


def held(table: Table, choices: Choices, lines: list[Line]) -> bool:
    """Whether a PR since the last PD goes on: any, or one repeated after 28 days with no SD between."""
    since = max((number + 1 for number, line in enumerate(lines) if line[3] == "PD"), default=0)
    words = [(table.days[number + 1], lines[number][0]) for number in range(since, len(lines))]
    if choices.pr_hold == "hold_after_pr":
        return any(word in GOOD for _, word in words)
    if choices.pr_hold == "recompute":
        return False
    return any(
        word in GOOD
        and later in GOOD
        and later_day - day >= 28
        and "SD" not in [between for _, between in words[first:second]]
        for first, (day, word) in enumerate(words)
        for second, (later_day, later) in enumerate(words)
        if second > first
    )


def non_target_cells(table: Table, column: int) -> list[str]:
    """The reader's words, a node's size turned into present or gone."""
    words = []
    for lesion in table.non_targets:
        cell = lesion.cells[column]
        if isinstance(cell, int):
            cell = "present" if cell >= 100 else "gone"
        words.append(cell)
    if not words and table.markers[column] in ("", "normal"):
        return []
    return words


def non_target_word(table: Table, choices: Choices, column: int, back: bool) -> str:
    words, marker = non_target_cells(table, column), table.markers[column]
    if not table.non_targets and marker in ("", "normal"):
        return "NA"
    if "worse" in words or back:
        return "PD"
    unknown = "ne" in words or "" in words
    if unknown and not ("present" in words and choices.partial_non_target == "NON-CR/NON-PD"):
        return "NE"
    if "present" in words or marker == "elevated":
        return "NON-CR/NON-PD"
    return "NE" if marker == "not_evaluable" else "CR"


def new_lesions(table: Table, choices: Choices) -> list[str]:
    """The word of every column, confirmed lesions dated back."""
    rows = [new_row(lesion, choices) for lesion in table.new]
    if any(table.pet[1:]):
        rows.append(pet_row(table.pet))
    words = []
    for column in range(len(table.days)):
        here = [row[column] for row in rows]
        if choices.backdate:
            here = ["unequivocal" if confirmed_later(row, column) else row[column] for row in rows]
        words.append("unequivocal" if "unequivocal" in here else "equivocal" if "equivocal" in here else "no")
    return words


def new_row(lesion: WordRow, choices: Choices) -> list[str]:
    row = ["no"]
    for cell in lesion.cells[1:]:
        if cell == "":
            row.append(row[-1] if choices.persists else "no")
        elif cell == "gone":
            row.append("no")
        elif cell == "sure":
            row.append("unequivocal")
        elif cell == "maybe":
            row.append("equivocal")
        elif int(cell) < 100:
            row.append("no")
        elif row[-1] == "unequivocal" or int(cell) >= choices.sure_node:
            row.append("unequivocal")
        else:
            row.append("equivocal")
    return row


def pet_row(pet: list[str]) -> list[str]:
    row = ["no"]
    for word in pet[1:]:
        if word == "":
            row.append(row[-1])
        elif word in ("negative", "positive_known_site"):
            row.append("no")
        elif pet[0] == "negative" or word == "positive_ct_confirmed":
            row.append("unequivocal")
        else:
            row.append("equivocal")
    return row


def confirmed_later(row: list[str], column: int) -> bool:
    """Equivocal now, and the next word that is not equivocal is unequivocal."""
    if row[column] != "equivocal":
        return row[column] == "unequivocal"
    rest = [word for word in row[column:] if word != "equivocal"]
    return bool(rest) and rest[0] == "unequivocal"


def overall_word(target: str, non_target: str, new: str) -> str:
    if "PD" in (target, non_target) or new == "unequivocal":
        return "PD"
    if target == "NA":
        return "NED" if non_target == "NA" else non_target
    if target == "CR":
        return "CR" if non_target in ("CR", "NA") else "PR"
    return target
