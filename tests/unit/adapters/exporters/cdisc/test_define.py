"""Define-XML describes every dataset, variable, value and code list, and is valid against its schema."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import pytest

from tests.fakes.cdisc import worked_example
from trialimg.adapters.exporters.cdisc.define import NAMESPACES, define_bytes
from trialimg.adapters.exporters.cdisc.define_reader import read_define
from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.description import of_standard
from trialimg.services.cdisc.specification import Standard
from trialimg.services.cdisc.tables import common_lengths

CREATED = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
STUDY = worked_example()
TABLES = datasets(STUDY)
ODM, DEF = f"{{{NAMESPACES['']}}}", f"{{{NAMESPACES['def']}}}"


def described(standard: Standard) -> bytes:
    tables = of_standard(TABLES, standard)
    return define_bytes(STUDY, tables, common_lengths(TABLES), created=CREATED, suffix="xpt")


@pytest.fixture(params=Standard, ids=lambda standard: standard.value)
def document(request: pytest.FixtureRequest) -> bytes:
    return described(request.param)


def test_it_is_valid_against_the_published_schema(document: bytes, tmp_path: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="validates against XML schemas")
    try:
        schema = Path(str(files("odmlib.schemas") / "define" / "2.1" / "define2-1-0.xsd"))
    except ModuleNotFoundError:
        pytest.skip("odmlib, which ships the schemas of Define-XML, is not installed")
    (tmp_path / "define.xml").write_bytes(document)
    assert list(xmlschema.XMLSchema(str(schema)).iter_errors(str(tmp_path / "define.xml"))) == []


def test_no_reference_leads_nowhere(document: bytes) -> None:
    assert read_define(document, "define.xml").dangling == ()
    cut = document.replace(b'<ItemDef OID="IT.TR.TRTESTCD"', b'<ItemDef OID="IT.TR.OTHER"').replace(
        b'<ItemDef OID="IT.ADTR.PARAMCD"', b'<ItemDef OID="IT.ADTR.OTHER"'
    )
    assert read_define(cut, "define.xml").dangling


def test_every_item_has_an_origin_and_every_text_a_length(document: bytes) -> None:
    for item in ET.fromstring(document).iter(f"{ODM}ItemDef"):
        assert item.find(f"{DEF}Origin") is not None, item.get("OID")
        assert item.get("DataType") == "date" or item.get("Length"), item.get("OID")
        assert item.get("DataType") != "float" or item.get("SignificantDigits"), item.get("OID")


def test_what_a_value_is_depends_on_the_test() -> None:
    root = ET.fromstring(described(Standard.SDTM))
    (listed,) = [v for v in root.iter(f"{DEF}ValueListDef") if v.get("OID") == "VL.TR.TRSTRESC"]
    items = {item.get("OID"): item for item in root.iter(f"{ODM}ItemDef")}
    clauses = {one.get("OID"): one for one in root.iter(f"{DEF}WhereClauseDef")}
    found = {}
    for reference in listed:
        item = items[reference.get("ItemOID")]
        where = reference.find(f"{DEF}WhereClauseRef")
        assert where is not None
        check = clauses[where.get("WhereClauseOID")].find(f"{ODM}RangeCheck")
        assert check is not None
        assert check.get(f"{DEF}ItemOID") == "IT.TR.TRTESTCD"
        found[check.findtext(f"{ODM}CheckValue")] = item.get("DataType"), item.find(f"{ODM}CodeListRef") is not None
    assert found == {
        "LDIAM": ("integer", False),
        "LPERP": ("integer", False),
        "SUMDIAM": ("integer", False),
        "TUMSTATE": ("text", True),
    }


def test_a_term_of_our_own_is_called_one() -> None:
    root = ET.fromstring(described(Standard.ADAM))
    extended = {
        item.get("CodedValue")
        for one in root.iter(f"{ODM}CodeList")
        if one.get("Name") == "DTYPE"
        for item in one.iter(f"{ODM}CodeListItem")
        if item.get(f"{DEF}ExtendedValue") == "Yes"
    }
    assert extended == {"SUM"}


def test_published_terms_carry_their_concept() -> None:
    root = ET.fromstring(described(Standard.SDTM))
    concepts = {
        item.get("CodedValue"): alias.get("Name")
        for one in root.iter(f"{ODM}CodeList")
        if one.get("Name") == "TUTESTCD"
        for item in one.iter(f"{ODM}CodeListItem")
        for alias in item.iter(f"{ODM}Alias")
    }
    assert concepts.keys() == {"TUMIDENT", "TUSPLIT"}
    assert all(code is not None and code.startswith("C") for code in concepts.values())


def test_a_document_type_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    with pytest.raises(ReadingError, match="document type"):
        read_define(bomb, "define.xml")
