"""SAS transport files: made here from TS-140, read by pandas and by the package alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pandas as pd
import pytest

from tests.fakes.transport import Cell, transport_file
from trialimg.core.errors import ReadingError
from trialimg.services.xport import is_xport, xport_as_csv

TABLE: dict[str, Sequence[Cell]] = {
    "USUBJID": ["S1", "S22", "S3"],
    "TRSTRESN": [32.32, 0.0, None],
    "TRORRES": ["TOO SMALL", "", "0"],
    "VISITNUM": [1.0, 9.2, -300.5],
}


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(xport_as_csv(data, "tr.xpt"))))


def test_cells_are_what_was_written() -> None:
    assert rows_of(transport_file(TABLE)) == [
        {"USUBJID": "S1", "TRSTRESN": "32.32", "VISITNUM": "1", "TRORRES": "TOO SMALL"},
        {"USUBJID": "S22", "TRSTRESN": "0", "VISITNUM": "9.2", "TRORRES": ""},
        {"USUBJID": "S3", "TRSTRESN": "", "VISITNUM": "-300.5", "TRORRES": "0"},
    ]


def test_pandas_reads_the_same() -> None:
    data = transport_file(TABLE)
    frame = pd.read_sas(io.BytesIO(data), format="xport", encoding="utf-8")
    for ours, (_, theirs) in zip(rows_of(data), frame.iterrows(), strict=True):
        assert ours["USUBJID"] == theirs["USUBJID"]
        assert float(ours["VISITNUM"]) == theirs["VISITNUM"]
        assert (ours["TRSTRESN"] == "") is bool(pd.isna(theirs["TRSTRESN"]))


@pytest.mark.parametrize("count", [1, 79, 80, 81, 500])
def test_what_fills_the_last_record_is_no_row(count: int) -> None:
    assert len(rows_of(transport_file({"A": ["x"] * count, "B": ["y"] * count}, width=1))) == count


def test_anything_else_is_refused() -> None:
    data = transport_file(TABLE)
    assert is_xport(data)
    assert not is_xport(b"USUBJID,TRLNKID\n")
    for wrong in (b"USUBJID,TRLNKID\n", data[:300]):
        with pytest.raises(ReadingError, match=r"tr\.xpt is no SAS transport file"):
            xport_as_csv(wrong, "tr.xpt")
