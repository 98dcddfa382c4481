"""What the report says beside its main estimates, and the claims of its PDF."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pypdf

from tests.fakes.results import trial_result
from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.report.analyses import arm_sections, given_section
from trialimg.adapters.exporters.report.page import html_of
from trialimg.adapters.exporters.report.quality import MOST_OF_A_KIND, MOST_ROWS, quality_of
from trialimg.adapters.exporters.report.validation import validation_in_force, validation_of
from trialimg.core.trial import Finding, Severity
from trialimg.services.figures.courses import NO_IMPRINT
from trialimg.services.figures.forest_of_subgroups import forests_of_analyses
from trialimg.services.results import (
    ArmComparison,
    CohortAnalyses,
    GivenResponsesCheck,
    ResponseDifference,
    SubgroupEffect,
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
        "Progression-free survival, FDA", "Arm A", "4 of 6", "5.9\n(3.0 to not reached)", "\N{EN DASH}", "\N{EN DASH}"
    )  # fmt: skip
    assert sensitivity.grid.rows[1][2:5] == ("0 of 6", "not reached", "0.62\n(0.41 to 0.95)")
    assert on_days.grid is not None
    assert on_days.grid.rows == (("Day 90", "100.0 %"),)
    assert subgroups.grid is None
    assert subgroups.note.startswith("None: no baseline characteristic")


def test_subgroups_are_drawn_with_everyone_first_and_the_reason_where_there_is_no_ratio() -> None:
    few = ArmComparison("B", "A", NONE, None, "fewer than 5 events")
    subgroups = (
        SubgroupEffect("SEX", "F", ArmComparison("B", "A", HR, None)),
        SubgroupEffect("SEX", "M", few),
        SubgroupEffect("SEX", "F", ArmComparison("C", "A", HR, None)),
    )
    first, second = forests_of_analyses(replace(ANALYSES, subgroups=subgroups), imprint=NO_IMPRINT)
    assert first.title == "Subgroups: Arm B against Arm A"
    rows = first.numbers["rows"]
    assert [(row["label"], row["estimate"]) for row in rows] == [("All subjects", 0.625), ("F", 0.625), ("M", None)]
    words = [cell.text for column in first.panels[0].columns for cell in column.cells]
    assert "Sex" in words
    assert "fewer than 5 events" in words
    assert [row["estimate"] for row in second.numbers["rows"]] == [None, 0.625]
    assert tuple(forests_of_analyses(ANALYSES, imprint=NO_IMPRINT)) == ()


def test_a_report_draws_the_forest_beside_the_table_of_subgroups() -> None:
    subgroups = (SubgroupEffect("SEX", "F", ArmComparison("B", "A", HR, None)),)
    html = html_of(replace(trial_result(key_images=False), analyses=replace(ANALYSES, subgroups=subgroups)))
    section = html.split('id="sensitivity"')[1].split("</section>")[0]
    assert "Subgroups: Arm B against Arm A" in section
    assert section.count("<svg") == 1


def test_a_run_of_the_software_says_that_it_had_no_readers() -> None:
    section = html_of(trial_result(key_images=False)).split('id="readers"')[1].split("</section>")[0]
    assert "None: these results come from no reads in the records" in section


DOSSIER = """\
Written by the run of the tests of trialimg 9.1. 4 requirements: 3 proved, 1 proved in part.

| P-1 | one | proved | `tests/a.py::one` 12 passed<br>`tests/a.py::two` passed |
| P-2 | two | proved | `tests/a.py::two` passed<br>`tests/a.py::three` skipped |
"""


def test_validation_counts_each_test_once_and_only_of_the_installed_version() -> None:
    grid = validation_of(DOSSIER, "9.1").grid
    assert grid is not None
    counts = dict(grid.rows)
    assert counts["Requirements"] == "4"
    assert counts["Tests that name a requirement: passed"] == "13"
    assert counts["Tests that name a requirement: skipped"] == "1"
    assert [count for name, count in grid.rows if name.endswith((" proved", " in part"))] == ["3", "1"]
    other = validation_of(DOSSIER, "9.2")
    assert (other.grid, other.note) == (None, "Not available: the tests were run on version 9.1, not 9.2.")
    assert validation_of("no dossier", "9.1").grid is None


def test_the_report_prints_the_dossier_that_lies_beside_the_software() -> None:
    validation = validation_in_force()
    assert validation.grid is not None
    html = html_of(trial_result(key_images=False))
    section = html.split("Validation status of the software")[1].split("<h3>")[0]
    assert [cell for row in validation.grid.rows for cell in row] == re.findall(
        r"<t[hd](?: scope=\"row\")?>([^<]+)</t[hd]>", section.split("<tbody>")[1]
    )


def test_methods_say_how_the_lesions_came_about() -> None:
    result = trial_result(key_images=False)
    tables = replace(result, provenance=replace(result.provenance, activity="trialimg run --from-sdtm"))
    by_software, by_others = (html_of(one).split('id="methods"')[1].split("</section>")[0] for one in (result, tables))
    assert "found from the readers&#39; prompts" in by_software
    assert "found from the readers&#39; prompts" not in by_others
    assert "are those of the tables" in by_others


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
