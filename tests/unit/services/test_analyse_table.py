"""Tables to be analysed: what counts as a number, as missing, and how everything wrong is said at once."""

from __future__ import annotations

import pytest

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_table import Kind, Selection, Wanted, read_analysis_table, select


def chosen(text: str, drop: bool = False, **kinds: Kind) -> Selection:
    wanted = [Wanted(name, kind) for name, kind in kinds.items()]
    return select(read_analysis_table(text, "t.csv"), wanted, drop_missing=drop)


def faults(text: str, **kinds: Kind) -> list[tuple[str, str]]:
    with pytest.raises(ReadingError) as refusal:
        chosen(text, **kinds)
    return [(f.where, f.code) for f in refusal.value.faults]


def test_wanted_columns_are_taken_and_others_left() -> None:
    data = chosen("\ufefftime,event,arm,note\n5, 1 ,A,x\n7.5,0,B,\n", time=Kind.TIME, event=Kind.EVENT, arm=Kind.WORD)
    assert data.columns == {"time": (5.0, 7.5), "event": (1, 0), "arm": ("A", "B")}
    assert data.lines == (2, 3)


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        (Kind.TIME, "-1", "bad_time"),
        (Kind.TIME, "inf", "bad_time"),
        (Kind.TIME, "1_000", "bad_time"),
        (Kind.NUMBER, "12 mm", "bad_number"),
        (Kind.EVENT, "2", "bad_event"),
        (Kind.EVENT, "yes", "bad_event"),
        (Kind.STATE, "1.5", "bad_state"),
        (Kind.STATE, "-1", "bad_state"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(kind: Kind, cell: str, code: str) -> None:
    assert faults(f"x\n1\n{cell}\n", x=kind) == [("t.csv:3", code)]


@pytest.mark.parametrize("cell", ["", ".", "NA", "NaN", " "])
def test_a_missing_cell_is_a_fault_or_is_dropped_and_counted(cell: str) -> None:
    text = f"x,y\n1,a\n{cell},b\n3,c\n"
    assert faults(text, x=Kind.NUMBER) == [("t.csv:3", "missing")]
    data = chosen(text, drop=True, x=Kind.NUMBER)
    assert data.columns["x"] == (1.0, 3.0)
    assert data.warnings == ("dropped: 1 of 3 rows have a missing cell (x 1); lines 3",)


def test_a_row_of_empty_cells_is_missing_and_an_empty_line_is_nothing() -> None:
    assert faults("x,y\n1,2\n,\n\n3,4\n", x=Kind.NUMBER) == [("t.csv:3", "missing")]
    assert chosen("x,y\n1,2\n\n3,4\n", x=Kind.NUMBER).lines == (2, 4)


def test_only_cells_that_are_needed_can_be_missing() -> None:
    assert chosen("x,y\n1,\n2,\n", x=Kind.NUMBER).warnings == ()


def test_dropping_everything_is_refused() -> None:
    with pytest.raises(ReadingError, match="nothing is left"):
        chosen("x\nNA\n.\n", drop=True, x=Kind.NUMBER)


def test_a_covariate_is_numbers_or_words_throughout() -> None:
    assert chosen("x\n1\n2\n", x=Kind.COVARIATE).columns["x"] == (1.0, 2.0)
    assert chosen("x\nII\nIV\n", x=Kind.COVARIATE).columns["x"] == ("II", "IV")
    assert faults("x\n1\nII\n3\n", x=Kind.COVARIATE) == [("t.csv:3", "not_numeric")]


def test_faults_stand_in_the_order_of_the_file() -> None:
    assert [where for where, _ in faults("x,e\n-1,1\n2,5\n,1\n", x=Kind.TIME, e=Kind.EVENT)] == [
        "t.csv:2",
        "t.csv:3",
        "t.csv:4",
    ]


def test_a_quoted_cell_may_hold_a_line_break() -> None:
    assert chosen('x,y\n1,"a\nb"\n2,c\n', x=Kind.NUMBER).lines == (3, 4)


def test_the_digest_names_the_analysed_cells_only() -> None:
    text = "x,y\n1,a\n2,b\n"
    assert chosen(text, x=Kind.NUMBER).digest == chosen(text.replace("b", "z"), x=Kind.NUMBER).digest
    assert chosen(text, x=Kind.NUMBER).digest != chosen(text.replace("2", "3"), x=Kind.NUMBER).digest
