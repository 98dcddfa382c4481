"""Adjudication flow: how many cases came, on how many two readers agreed, and whose read was chosen where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import NO_IMPRINT, Imprint
from trialimg.services.figures.figure import Arrow, Axis, Box, Figure, Mark, Panel
from trialimg.services.figures.tones import Tone
from trialimg.services.tables import Row, read_table

__all__ = ["ReviewedCase", "adjudication_flow", "cases_of_table"]

NAME = "adjudication_flow"
TITLE = "From cases to final results"
MOST_REASONS = 2
_SIZE = (100.0, 100.0)
_CHOSEN = ("first", "second")


class _Answer(Enum):
    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class ReviewedCase:
    """How far one case came."""

    case: str
    is_read_twice: bool
    """Two people have signed their reads."""
    differs: tuple[str, ...] | None = None
    """In what the reads differ; empty: in nothing; None while that is not known."""
    chosen: str = ""
    """Seat whose read the adjudicator chose: first or second; blank before, and where there was none."""
    is_withdrawn: bool = False
    because: str = ""
    """Why that read was chosen, as a code; blank where none was, or nobody says."""


def adjudication_flow(cases: Sequence[ReviewedCase], *, title: str = TITLE, imprint: Imprint = NO_IMPRINT) -> Figure:
    """Boxes from all cases to both reads, agreement, and the adjudicator's choices; every case stands in one end."""
    if not cases:
        why = "There are no cases: there is nothing to draw."
        return Figure(NAME, title, (), why, 0, footnotes=imprint.footnotes, message=why)
    count = _counts(cases)
    reasons = Counter(reason for one in cases if one.differs and not one.is_withdrawn for reason in one.differs)
    because = Counter(one.because for one in cases if one.because and not one.is_withdrawn)
    panel = Panel(
        Axis("", -0.5, _SIZE[0] + 0.5, (), is_shown=False),
        Axis("", -0.5, _SIZE[1] + 0.5, (), is_shown=False),
        tuple(_boxes(count, reasons)),
    )
    note = (
        "Shares are of the cases that two readers have signed; those of the adjudicator are of the cases settled by "
        "adjudication. A case may differ in several things."
    )
    return Figure(
        NAME,
        title,
        (panel,),
        _words(count),
        count["cases"],
        footnotes=(note, *imprint.footnotes),
        numbers={
            **count,
            "differs_in": dict(sorted(reasons.items())),
            "chosen_because": dict(sorted(because.items())),
        },
        height_px=400.0,
    )


def cases_of_table(text: str, source: str) -> tuple[ReviewedCase, ...]:
    """The cases in a CSV: case, read_twice, differs (what in, with ``;`` between), chosen, because, withdrawn.

    Raises
    ------
    ReadingError
        With every fault of the table.
    """
    table = read_table(
        text, source, required=("case", "read_twice"), optional=("differs", "chosen", "because", "withdrawn")
    )
    cases = tuple(_case(row) for row in table.rows)
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s); nothing was drawn", tuple(table.faults))
    return cases


def _case(row: Row) -> ReviewedCase:
    """A blank ``differs`` is not compared yet; ``none`` says that the reads agree."""
    said, chosen = row.text("differs"), row.text("chosen")
    if chosen and chosen not in _CHOSEN:
        row.table.fault(row.line, "bad_value", f"chosen {chosen!r} is neither first nor second")
    differs = None if not said else () if said == "none" else tuple(part.strip() for part in said.split(";"))
    if chosen and not differs:
        row.table.fault(row.line, "contradiction", "a read was chosen though the reads do not differ")
    twice = row.word("read_twice", _Answer, required=True)
    withdrawn = row.word("withdrawn", _Answer)
    return ReviewedCase(
        row.text("case", required=True),
        twice is _Answer.YES,
        differs,
        chosen,
        is_withdrawn=withdrawn is _Answer.YES,
        because=row.text("because"),
    )


def _counts(cases: Sequence[ReviewedCase]) -> dict[str, int]:
    used = [one for one in cases if not one.is_withdrawn]
    twice = [one for one in used if one.is_read_twice]
    known = [one for one in twice if one.differs is not None]
    discordant = [one for one in known if one.differs]
    chosen = Counter(one.chosen for one in discordant)
    return {
        "cases": len(cases),
        "withdrawn": len(cases) - len(used),
        "awaiting_reads": len(used) - len(twice),
        "both_reads": len(twice),
        "not_compared": len(twice) - len(known),
        "concordant": len(known) - len(discordant),
        "discordant": len(discordant),
        "first_chosen": chosen["first"],
        "second_chosen": chosen["second"],
        "awaiting_adjudication": len(discordant) - chosen["first"] - chosen["second"],
    }


def _boxes(count: dict[str, int], reasons: Counter[str]) -> list[Mark]:
    both, discordant = count["both_reads"], count["discordant"]
    settled = count["first_chosen"] + count["second_chosen"]
    left = [("withdrawn", count["withdrawn"]), ("awaiting a read", count["awaiting_reads"])]
    unknown = [f"not yet compared: {count['not_compared']}"] if count["not_compared"] else []
    why = [f"in {reason.replace('_', ' ')}: {n}" for reason, n in reasons.most_common(MOST_REASONS)]
    marks: list[Mark] = [
        Box((32, 68), (86, 100), ("Cases received", f"n = {count['cases']}"), Tone.ACCENT),
        Box((32, 68), (60, 76), ("Read by both readers", f"n = {both}", *unknown), Tone.ACCENT),
        Box((4, 44), (26, 47), ("Concordant", _share(count["concordant"], both), "no adjudication"), Tone.PARTIAL),
        Box((54, 98), (26, 47), ("Discordant", _share(discordant, both), *why), Tone.STABLE),
        Box((33, 54), (0, 14), ("First read chosen", _share(count["first_chosen"], settled)), Tone.FIRST),
        Box((56, 77), (0, 14), ("Second read chosen", _share(count["second_chosen"], settled)), Tone.SECOND),
        Box((79, 100), (0, 14), ("Awaiting adjudication", f"n = {count['awaiting_adjudication']}"), Tone.NOT_EVALUABLE),
        Arrow(((50, 86), (50, 76))),
        Arrow(((50, 60), (50, 53.5), (24, 53.5), (24, 47))),
        Arrow(((50, 60), (50, 53.5), (76, 53.5), (76, 47))),
        *(Arrow(((76, 26), (76, 20), (x, 20), (x, 14))) for x in (43.5, 66.5, 89.5)),
    ]
    if any(n for _, n in left):
        lines = tuple(f"{name}: {n}" for name, n in left if n)
        marks.append(Box((75, 100), (74, 88), ("Not read by both", *lines), Tone.NOT_EVALUABLE))
        marks.append(Arrow(((50, 81), (75, 81))))
    return marks


def _share(part: int, whole: int) -> str:
    return f"n = {part} ({100 * part / whole:.1f} %)" if whole else f"n = {part}"


def _words(count: dict[str, int]) -> str:
    return (
        f"Flow of {count['cases']} cases: {count['both_reads']} read by both readers, {count['concordant']} "
        f"concordant, {count['discordant']} discordant; of these the first read was chosen in "
        f"{count['first_chosen']}, the second in {count['second_chosen']}; {count['awaiting_adjudication']} wait for "
        "adjudication."
    )
