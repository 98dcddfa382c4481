"""Summary tables as files: each format holds every cell, in its place and letter for letter."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pypdfium2
import pytest
from striprtf.striprtf import rtf_to_text

from trialimg.adapters.exporters.tables.cells import room_of, split
from trialimg.adapters.exporters.tables.files import write_table
from trialimg.adapters.exporters.tables.html import table_page
from trialimg.adapters.exporters.tables.rtf import rtf_of
from trialimg.core.errors import ReadingError
from trialimg.services.tabulation.table import SummaryTable, TableRow

INTERVAL = "\N{MINUS SIGN}1.0 to 95.7"
TABLE = SummaryTable(
    "orr",
    "Réponse <tumorale> & {\\b co}",
    ("Arm A\n(n = 6)", "Arm B\n(n = 12)"),
    (
        (
            "Rates",
            (TableRow("Rate, %", ("8.5", "12.25")), TableRow("CI", ("\N{MINUS SIGN}1.0 to 95.7", "not reached"))),
        ),
        ("Others <&>", (TableRow("p's", ("< 0.0001", "0.0390")), TableRow("none", ("", "no subjects")))),
    ),
    ("Clopper-Pearson; β ≤ 5 % 🙂.", "Data cut: none set."),
    subtitle="All subjects",
)
TEXTS = (
    TABLE.title,
    TABLE.subtitle,
    *TABLE.footnotes,
    *(row.label for row in TABLE.rows),
    *(g for g, _ in TABLE.groups),
)


def rows_of_html(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


class TestHtml:
    def test_every_row_stands_in_it_once(self) -> None:
        found = rows_of_html(table_page(TABLE))
        for row in TABLE.rows:
            assert found.count([row.label, *row.cells]) == 1

    def test_titles_groups_and_footnotes_are_not_taken_for_markup(self) -> None:
        page = table_page(TABLE)
        body = page[page.index("<body>") :]
        words = unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", body, flags=re.DOTALL))
        plain = " ".join(words.split())
        for text in TEXTS:
            assert text in plain

    def test_it_asks_for_nothing_from_outside(self) -> None:
        assert not re.findall(r"(?:src|href)=|@import|url\((?!data:)", table_page(TABLE))

    def test_headings_say_what_they_head(self) -> None:
        page = table_page(TABLE)
        assert page.count('scope="row"') == len(TABLE.rows)
        assert page.count('scope="col"') == len(TABLE.columns) + 1

    def test_the_same_table_gives_the_same_text(self) -> None:
        assert table_page(TABLE) == table_page(TABLE)


class TestRichText:
    def test_a_reader_finds_every_row(self) -> None:
        lines = rtf_to_text(rtf_of(TABLE).decode("ascii")).splitlines()
        for row in TABLE.rows:
            assert f"{'|'.join((row.label, *row.cells))}|" in lines

    def test_letters_that_are_commands_or_foreign_come_through(self) -> None:
        text = rtf_to_text(rtf_of(TABLE).decode("ascii")).encode("utf-16", "surrogatepass").decode("utf-16")
        for words in TEXTS:
            assert words in text

    def test_groups_are_closed_and_rows_are_whole(self) -> None:
        data = rtf_of(TABLE).decode("ascii")
        plain = re.sub(r"\\[\\{}]", "", data)
        depth = 0
        for letter in plain:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            assert depth >= 0
        assert depth == 0
        for row in re.findall(r"\\trowd(.*?)\\row\b", plain, re.DOTALL):
            assert row.count("\\cellx") == len(re.findall(r"\\cell\b", row))
            edges = [int(edge) for edge in re.findall(r"\\cellx(\d+)", row)]
            assert edges == sorted(set(edges))

    def test_the_heading_repeats_and_numbers_have_decimal_tabs(self) -> None:
        data = rtf_of(TABLE).decode("ascii")
        assert data.count("\\trhdr") == 1
        numbers = [cell for row in TABLE.rows for cell in row.cells if split(cell).is_number]
        assert data.count("\\tqdec") == len(numbers) == 5


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "parts"),
        [
            ("12 (24.0 %)", ("12", " (24.0 %)")),
            ("3.7", ("3", ".7")),
            ("\N{MINUS SIGN}8.2 to 82.9", ("\N{MINUS SIGN}8", ".2 to 82.9")),
            ("< 0.0001", ("< 0", ".0001")),
            ("not reached", ("", "not reached")),
            ("", ("", "")),
        ],
    )
    def test_a_cell_parts_at_its_decimal_mark(self, cell: str, parts: tuple[str, str]) -> None:
        found = split(cell)
        assert (found.whole, found.rest) == parts

    def test_words_take_no_room_from_numbers(self) -> None:
        room = room_of(["8.5", "12.25", "no evaluable assessment"])
        assert (room.whole, room.rest) == (2, 3)


class TestFiles:
    def test_the_pdf_has_the_words_and_a_title(self, tmp_path: Path) -> None:
        path = write_table(TABLE, tmp_path / "t.pdf")
        document = pypdfium2.PdfDocument(path.read_bytes())
        text = document[0].get_textpage().get_text_bounded()
        assert "Arm B" in text
        assert "12.25" in text
        assert document.get_metadata_value("Title") == TABLE.title
        assert write_table(TABLE, tmp_path / "again.pdf").read_bytes() == path.read_bytes()

    def test_another_ending_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ReadingError, match=r"\.html, \.rtf, \.pdf, not as \.docx"):
            write_table(TABLE, tmp_path / "t.docx")
        assert list(tmp_path.iterdir()) == []
