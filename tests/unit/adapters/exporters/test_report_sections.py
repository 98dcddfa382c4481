"""What the report says beside its main estimates, and the claims of its PDF."""

from __future__ import annotations

import io
from dataclasses import replace

import pypdf

from tests.fakes.results import trial_result
from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.report.analyses import arm_sections, given_section
from trialimg.adapters.exporters.report.page import html_of
from trialimg.adapters.exporters.report.quality import MOST_OF_A_KIND, MOST_ROWS, quality_of
from trialimg.core.trial import Finding, Severity
from trialimg.services.results import (
    ArmComparison,
    CohortAnalyses,
    GivenResponsesCheck,
    ResponseDifference,
    SurvivalOnDay,
    TimeAnalysis,
)
from trialimg.stats.results import Estimate

HR = Estimate(0.625, 0.41, 0.95, 0.95, "Cox model, Efron ties", 12, 7, p=0.03)
NONE = Estimate(None, None, None, 0.95, "Cox model, Efron ties", 12, 0)
ANALYSES = CohortAnalyses(
    (
        TimeAnalysis(
            "Progression-free survival",
            "fda",
            (
                ("A", Estimate(180.0, 90.0, None, 0.95, "log-log", 6, 4)),
                ("B", Estimate(None, None, None, 0.95, "", 6, 0)),
            ),
            (("A", 1), ("B", 0)),
            (ArmComparison("B", "A", HR, None), ArmComparison("C", "A", NONE, None, "no event")),
        ),
    ),
    (SurvivalOnDay("A", 90, Estimate(1.0, None, None, 0.95, "log-log", 6, 0)),),
    (),
    (),
    (),
)


def test_numbers_of_the_sensitivity_are_those_of_the_analyses() -> None:
    sensitivity, on_days, subgroups = arm_sections(replace(trial_result(key_images=False), analyses=ANALYSES))
    assert sensitivity.grid is not None
    assert sensitivity.grid.rows[0] == (
        "Progression-free survival, FDA", "Arm A", "4 of 6", "180\n(90 to not reached)", "\N{EN DASH}", "\N{EN DASH}"
    )  # fmt: skip
    assert sensitivity.grid.rows[1][2:5] == ("0 of 6", "not reached", "0.62\n(0.41 to 0.95)")
    assert on_days.grid is not None
    assert on_days.grid.rows == (("Day 90", "100.0 %"),)
    assert subgroups.grid is None
    assert subgroups.note.startswith("None: no baseline characteristic")


def test_responses_as_given_and_as_derived_are_counted_by_pair() -> None:
    different = tuple(ResponseDifference(f"S{n}", "R1", "W06", "PR", "NE", "R", "why") for n in range(3))
    section = given_section(GivenResponsesCheck(10, 7, different, 2))
    assert section is not None
    assert section.grid is not None
    assert section.grid.rows == (("PR", "NE", "3"),)
    assert section.note.startswith("7 of 10 responses that could be derived from lesions are the same. 2 responses had")
    assert given_section(None) is None


def test_very_many_findings_are_counted_and_the_first_of_each_kind_listed() -> None:
    many = tuple(Finding("odd", Severity.WARNING, f"row {n}", "odd", "S-1001") for n in range(MOST_ROWS + 5))
    quality = quality_of(replace(trial_result(key_images=False), findings=many))
    assert len(quality.rows) == MOST_OF_A_KIND
    assert quality.left_out == len(many) - MOST_OF_A_KIND
    assert quality.by_site.rows[0][-1] == str(len(many))


def test_a_large_trial_lists_its_subjects_without_a_page_for_each() -> None:
    result = trial_result(key_images=False)
    large = replace(result, subjects=result.subjects * 6)
    small, html = html_of(result), html_of(large)
    assert 'class="subject"' in small
    assert 'class="subject"' not in html
    assert "72 subjects are too many for a page each" in html


def test_the_pdf_claims_to_be_kept_and_to_be_read_aloud_in_one_packet_of_metadata() -> None:
    data = pdf_of(
        '<html lang="en"><head><title>A report</title></head><body><h1>A report</h1><p>Text.</p></body></html>'
    )
    root = pypdf.PdfReader(io.BytesIO(data)).trailer["/Root"]
    packet = root["/Metadata"].get_data().decode()
    assert packet.count("<rdf:RDF") == 1
    assert 'pdfaid:part="2" pdfaid:conformance="A"' in packet
    assert "<pdfuaid:part>1</pdfuaid:part>" in packet
    assert "pdfaExtension:schemas" in packet
    assert root["/MarkInfo"]["/Marked"] is not False
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] is not False
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    fonts = [
        font.get_object()
        for page in pypdf.PdfReader(io.BytesIO(data)).pages
        for font in page["/Resources"]["/Font"].values()
    ]
    embedded = [f["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for f in fonts]
    assert embedded
    assert all({"/FontFile2", "/FontFile3"} & set(one) for one in embedded)
    assert all("/ToUnicode" in font for font in fonts)
