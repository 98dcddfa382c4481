"""What is written comes back cell by cell: by our own readers, and by readers of other hands where they are here."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cdisc import worked_example
from trialimg.adapters.exporters.cdisc.dataset_json import dataset_json_bytes
from trialimg.adapters.exporters.cdisc.files import FORMATS, read_rows, write_delivery
from trialimg.adapters.exporters.cdisc.flat import csv_bytes, parquet_bytes
from trialimg.adapters.exporters.cdisc.transport import ibm_float, transport_bytes
from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.specification import DATASETS, Row
from trialimg.services.cdisc.tables import Table, common_lengths, table_of
from trialimg.services.xport import read_xport

CREATED = dt.datetime(2026, 11, 22, 8, 30, 1, tzinfo=dt.UTC)
TABLES = datasets(worked_example())
LENGTHS = common_lengths(TABLES)
ADTR = DATASETS["ADTR"]


def written(table: Table, form: str) -> bytes:
    lengths = common_lengths([table])
    if form == "xpt":
        return transport_bytes(table, lengths, CREATED)
    if form == "json":
        return dataset_json_bytes(table, lengths, "TI-001", CREATED)
    return csv_bytes(table) if form == "csv" else parquet_bytes(table)


def burden(value: float, day: dt.date = dt.date(2026, 1, 5), name: str = "T01") -> Row:
    return {
        "STUDYID": "TI-001", "USUBJID": "TI-001-01-0101", "PARAMCD": "SDIAMB", "PARAM": "Sum (mm)", "ADT": day,
        "AVAL": value, "LSEXP": name,
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_dataset_comes_back_cell_by_cell(table: Table, form: str) -> None:
    back = read_rows(written(table, form), f"{table.name.lower()}.{form}")
    assert back.name == table.name
    assert back.names == tuple(variable.name for variable in table.variables)
    assert list(back.rows) == list(table.rows)


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e75, max_value=1e75).filter(
        lambda value: value == 0 or abs(value) > 1e-70
    ),
    st.dates(dt.date(1960, 1, 1), dt.date(2100, 1, 1)) | st.dates(dt.date(1900, 1, 1), dt.date(1959, 12, 31)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200),
)
def test_any_number_date_and_text_comes_back(value: float, day: dt.date, text: str) -> None:
    table = table_of(ADTR, [burden(value, day, text), burden(-value, day, "T02")])
    for form in FORMATS:
        rows = read_rows(written(table, form), f"adtr.{form}").rows
        assert [dict(row) for row in rows] == [dict(row) for row in table.rows], form


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-70, max_value=1e75))
def test_a_double_stands_exactly_in_a_transport_file(value: float) -> None:
    cell = ibm_float(value)
    fraction, exponent = int.from_bytes(cell[1:], "big"), (cell[0] & 0x7F) - 64
    assert Decimal(fraction) * Decimal(16) ** exponent / Decimal(2) ** 56 == pytest.approx(
        Decimal(value), rel=Decimal("1e-27")
    )
    assert math.ldexp(fraction, 4 * exponent - 56) == value
    assert fraction >= 1 << 52  # normalised: the first hexadecimal digit is not 0


@pytest.mark.parametrize(
    ("value", "stands_for"),
    [
        (0.0, "0000000000000000"),
        (1.0, "4110000000000000"),
        (-1.0, "C110000000000000"),
        (100.0, "4264000000000000"),
        (0.1, "401999999999999A"),
        (-118.625, "C276A00000000000"),  # the example of IBM's own manual
    ],
)
def test_numbers_are_ibm_floats(value: float, stands_for: str) -> None:
    assert ibm_float(value).hex().upper() == stands_for


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e76])
def test_a_number_that_a_transport_file_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        ibm_float(value)


@pytest.mark.parametrize(
    ("text", "because"),
    [("x" * 201, "more than 200 bytes"), ("\u00b5m", "not ASCII"), ("a\nb", "control character"), ("a\0b", "control")],
)
def test_text_beyond_the_limits_is_refused_with_its_place(text: str, because: str) -> None:
    table = table_of(ADTR, [burden(1.0), burden(2.0, name=text)])
    with pytest.raises(ReadingError) as refused:
        transport_bytes(table, common_lengths([table]), CREATED)
    (fault,) = refused.value.faults
    assert fault.where == "ADTR.LSEXP record 2"
    assert because in fault.message


def test_nothing_is_written_where_one_value_does_not_fit(tmp_path: Path) -> None:
    spoilt = table_of(ADTR, [burden(1.0, name="\u80ba")])
    with pytest.raises(ReadingError):
        write_delivery(worked_example(), [*TABLES[:2], spoilt], tmp_path, formats=("csv", "xpt"), created=CREATED)
    assert list(tmp_path.iterdir()) == []


def test_the_same_study_and_moment_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_delivery(worked_example(), TABLES, tmp_path / name, formats=FORMATS, created=CREATED)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == len(TABLES) * len(FORMATS) + 7
    assert all((tmp_path / "first" / n).read_bytes() == (tmp_path / "second" / n).read_bytes() for n in names)


def test_a_transport_file_says_names_labels_and_formats() -> None:
    table = next(table for table in TABLES if table.name == "ADTTE")
    found = read_xport(transport_bytes(table, LENGTHS, CREATED), "adtte.xpt")
    assert (found.name, found.label) == ("ADTTE", "Time-to-Event Analysis Dataset")
    by_name = {variable.name: variable for variable in found.variables}
    assert (by_name["ADT"].form, by_name["ADT"].label, by_name["ADT"].numeric) == ("DATE", "Analysis Date", True)
    assert by_name["USUBJID"].length == LENGTHS["USUBJID"]


@pytest.mark.parametrize("cut", [80, 400, 900])
def test_a_transport_file_that_is_cut_off_is_refused(cut: int) -> None:
    data = transport_bytes(TABLES[0], LENGTHS, CREATED)
    with pytest.raises(ReadingError, match="cut off"):
        read_rows(data[:cut], "dm.xpt")


@pytest.mark.parametrize(
    "document",
    [b"[]", b"nonsense", b'{"name": "TU", "records": 2, "columns": [], "rows": []}', b'{"columns": 3}'],
)
def test_json_that_is_no_dataset_is_refused(document: bytes) -> None:
    with pytest.raises(ReadingError, match=r"tu\.json"):
        read_rows(document, "tu.json")


def test_another_reader_of_transport_files_reads_the_same(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="an independent reader of transport files")
    for table in TABLES:
        path = tmp_path / f"{table.name.lower()}.xpt"
        path.write_bytes(transport_bytes(table, LENGTHS, CREATED))
        frame, meta = pyreadstat.read_xport(str(path), disable_datetime_conversion=True)
        assert meta.column_labels == [variable.label for variable in table.variables]
        assert meta.file_label == table.spec.label
        for variable in table.variables:
            assert frame[variable.name].tolist() == pytest.approx(
                [_as_sas(row[variable.name], is_text=variable.kind.is_text) for row in table.rows], abs=0, nan_ok=True
            )


def _as_sas(value: object, *, is_text: bool) -> object:
    if isinstance(value, dt.date):
        return float((value - dt.date(1960, 1, 1)).days)
    return ("" if is_text else math.nan) if value is None else value


def test_another_reader_takes_the_dataset_json_for_valid(tmp_path: Path) -> None:
    dsjframe = pytest.importorskip("dsjframe", reason="an independent reader of Dataset-JSON 1.1")
    for table in TABLES:
        path = tmp_path / f"{table.name.lower()}.json"
        path.write_bytes(dataset_json_bytes(table, LENGTHS, "TI-001", CREATED))
        assert dsjframe.validate_dataset(str(path))["ok"]
        frame, meta = dsjframe.read_dataset(str(path), as_pandas=True, out_metadata=True)
        assert meta.column_names == [variable.name for variable in table.variables]
        assert len(frame) == len(table.rows)


def test_dataset_json_says_what_define_says() -> None:
    table = next(table for table in TABLES if table.name == "TR")
    document = json.loads(dataset_json_bytes(table, LENGTHS, "TI-001", CREATED))
    assert document["datasetJSONVersion"] == "1.1.0"
    assert document["itemGroupOID"] == "IG.TR"
    keys = {c["name"]: c["keySequence"] for c in document["columns"] if "keySequence" in c}
    assert sorted(keys, key=lambda name: keys[name]) == list(table.spec.keys)
    assert all("length" in c for c in document["columns"] if c["dataType"] == "string")
