"""The report: complete, self-contained, safe to open, and readable by everyone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from weasyprint import HTML
from weasyprint.formatting_structure import boxes

from tests.fakes.courses import COURSES, Course, Row, non_target
from tests.fakes.results import PROTOCOL, trial_result
from trialimg.adapters.exporters.report.page import html_of
from trialimg.adapters.exporters.report.pdf import pdf_of
from trialimg.adapters.exporters.wording import ABSENT
from trialimg.core.lesions import Role
from trialimg.core.responses import BestOverallResponse
from trialimg.core.trial import Finding, Severity
from trialimg.services.results import TrialResult

VOID = {"meta", "br", "wbr", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """What a reader's program finds in the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[int] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, n, value in self.attributes if n == name]


@pytest.fixture(scope="module")
def result() -> TrialResult:
    return trial_result()


@pytest.fixture(scope="module")
def html(result: TrialResult) -> str:
    return html_of(result)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def words(html: str) -> str:
    """The text as it is read: without tags, with single blanks."""
    without_style = re.sub(r"(?s)<style>.*?</style>", "", html).replace("<wbr>", "")
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_style)).split())


def leaf_names(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaf_names(item, str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for item in value:
            yield from leaf_names(item, name)
    else:
        yield name


class TestSelfContained:
    def test_it_asks_for_nothing_outside_of_itself(self, html: str, page: Page) -> None:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert all(value.startswith(("#", "data:")) for value in page.values(name)), name
        assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
        assert all(address.startswith("data:") for address in re.findall(r"url\(([^)]*)\)", html))
        assert "@import" not in html

    def test_every_element_is_closed_and_every_drawing_is_xml(self, html: str, page: Page) -> None:
        assert page.open == []
        drawings = re.findall(r"(?s)<svg.*?</svg>", html)
        assert len(drawings) == page.tags["svg"] > 50
        assert all(ElementTree.fromstring(drawing).tag.endswith("svg") for drawing in drawings)

    def test_text_from_outside_cannot_become_markup(self) -> None:
        attack = '<script>alert("x")</script><img src=x onerror=y>'
        course = Course(attack, attack, attack, [Row(attack, attack, [20.0, f"ne: {attack}"])], weeks=(-1, 8))
        finding = Finding(attack, Severity.WARNING, attack, attack, course.id, attack)
        hostile = replace(trial_result([course]), title=attack, trial=attack, findings=(finding,))
        found = Page(html_of(hostile))
        assert found.tags["script"] == found.tags["img"] == 0
        assert not [name for _, name, _ in found.attributes if name.startswith("on")]


class TestReadableByEveryone:
    def test_headings_go_down_one_level_at_a_time(self, page: Page) -> None:
        assert page.headings[0] == 1
        assert page.headings.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))

    def test_anchors_are_unique_and_every_link_arrives(self, page: Page) -> None:
        anchors = page.values("id")
        assert len(anchors) == len(set(anchors))
        assert {value.removeprefix("#") for value in page.values("href") if value.startswith("#")} <= set(anchors)

    def test_every_drawing_has_words(self, html: str) -> None:
        assert all(re.search(r"<title>[^<]+</title>", drawing) for drawing in re.findall(r"(?s)<svg.*?</svg>", html))

    def test_it_has_a_language_a_title_and_tables_with_headings(self, html: str, page: Page) -> None:
        assert '<html lang="en">' in html
        assert "<title>LUMEN-301: imaging endpoint report</title>" in html
        assert page.tags["th"] > page.tags["table"]


class TestComplete:
    def test_it_says_plainly_that_nobody_adjudicated(self, html: str) -> None:
        assert "computed by software, not adjudicated by a person" in words(html)

    def test_estimates_stand_as_they_were_estimated(self, html: str) -> None:
        found = words(html)
        assert "5 of 12, 41.7 % (15.2 % to 72.3 %)" in found
        assert "4 of 6, 66.7 % (22.3 % to 95.7 %)" in found
        assert "6 events in 2 groups" in found

    def test_best_responses_add_up_to_everyone(self, html: str) -> None:
        table = re.search(r"(?s)Best overall response by arm</caption>.*?</table>", html)
        assert table is not None
        counts = [int(n) for n in re.findall(r"<td>(\d+) \([\d.]+ %\)</td></tr>", table[0])]
        assert sum(counts) == 12

    def test_every_rule_that_fired_is_printed(self, result: TrialResult, html: str) -> None:
        found = words(html)
        firings = [f for s in result.subjects for t in s.timepoints if t.assessment for f in t.assessment.rule]
        assert len(firings) > 50
        assert all(" ".join(f"{f.sentence} [{f.rule}]".split()) in found for f in firings)

    def test_every_finding_is_printed_with_its_reason(self, result: TrialResult, html: str) -> None:
        found = words(html)
        assert all(finding.code in found and finding.message in found for finding in result.findings)

    def test_every_measured_diameter_stands_in_its_course(self, result: TrialResult, html: str) -> None:
        for number, subject in enumerate(result.subjects, start=1):
            section = re.search(rf'(?s)id="subject-{number}">.*?</section>', html)
            assert section is not None
            for timepoint in subject.timepoints:
                for lesion in timepoint.lesions:
                    if lesion.observation.diameter_mm is not None and lesion.role is Role.TARGET:
                        assert f"<td>{lesion.observation.diameter_mm}" in section[0]

    def test_every_setting_in_force_is_printed_but_not_the_price(self, html: str) -> None:
        methods = re.search(r'(?s)<section id="methods">.*?</section>', html)
        assert methods is not None
        found = words(methods[0])
        printed = {key: PROTOCOL[key] for key in PROTOCOL if key not in ("schema", "trial", "exports", "price_plan")}
        missing = [name for name in leaf_names(printed) if name not in found]
        assert missing == []
        assert "price" not in found
        assert "smoothing_mm 1.0" in found, "what the segmenter says of itself"

    def test_every_key_image_is_shown(self, result: TrialResult, html: str) -> None:
        images = [r for s in result.subjects for t in s.timepoints for r in t.lesions if r.key_image is not None]
        assert html.count("data:image/png") == len(images) > 50

    def test_a_lesion_in_parts_says_so_in_its_course_and_below_its_picture(self, html: str) -> None:
        found = words(html)
        assert "61.9 (2 parts)" in found
        assert "(largest of 2 parts)" in found

    def test_disagreements_with_known_answers_are_listed(self, html: str) -> None:
        found = words(html)
        assert "Responses equal 38 of 39" in found
        assert "S-1008 W24 overall SD PD" in found

    def test_a_trial_without_known_answers_claims_no_agreement(self) -> None:
        assert "known answers" not in words(html_of(trial_result(COURSES[:1], truth=False)))

    def test_a_missing_value_is_a_dash(self, html: str) -> None:
        section = re.search(r'(?s)id="subject-5">.*?</section>', html)
        assert section is not None
        assert f"<td>52.7</td><td>{ABSENT}</td>" in section[0]
        assert "T01 at W08: motion artefact over the lower lobe" in section[0]

    def test_confirmed_responses_stand_apart_where_they_differ(self, result: TrialResult) -> None:
        first = result.subjects[0]
        assert first.endpoints is not None
        stable = replace(first.endpoints.best, response=BestOverallResponse.SD)
        unconfirmed = replace(first.endpoints, confirmed=stable)
        changed = replace(result, subjects=(replace(first, endpoints=unconfirmed),))
        assert "Confirmed best overall response by arm" in html_of(changed)
        assert "Confirmed best overall response by arm" not in html_of(result)


class TestPages:
    def test_no_text_leaves_its_page(self) -> None:
        """Five targets at nine timepoints with long names, the widest that RECIST 1.1 allows."""
        wide = Course(
            "SITE-0000-SUBJECT-WITH-A-LONG-CODE-0001",
            "A-very-long-site-code-01",
            "A",
            [
                Row(f"T{i:02d}", "left adrenal gland and retroperitoneal soft tissue", [30.0 + i - k for k in range(9)])
                for i in range(1, 6)
            ]
            + [non_target("NT01", "peritoneal carcinomatosis, right upper quadrant", ["present"] * 9)],
            weeks=(-1, 6, 12, 18, 24, 30, 36, 42, 48),
        )
        document = HTML(string=html_of(trial_result([wide], key_images=False))).render()
        assert len(document.pages) > 4
        for number, made in enumerate(document.pages, start=1):
            box = made._page_box
            right, bottom = box.content_box_x() + box.width, box.content_box_y() + box.height
            for inner in box.descendants():
                if isinstance(inner, boxes.TextBox) and inner.position_y < bottom:
                    assert inner.position_x + inner.width <= right + 1, (number, inner.text)

    def test_the_pdf_is_tagged_titled_without_a_clock_and_always_the_same(self, tmp_path: Path) -> None:
        html = html_of(trial_result(COURSES[-2:], key_images=False))
        data = pdf_of(html)
        assert pdf_of(html) == data
        program = shutil.which("pdfinfo")
        if program is None:
            pytest.skip("pdfinfo (poppler-utils) is not installed")
        (tmp_path / "report.pdf").write_bytes(data)
        said = subprocess.run([program, tmp_path / "report.pdf"], capture_output=True, text=True, check=True).stdout
        facts = {name: value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}
        assert facts["Tagged"] == "yes"
        assert facts["Title"] == "LUMEN-301: imaging endpoint report"
        assert facts["Page size"].endswith("(A4)")
        assert not {"CreationDate", "ModDate"} & set(facts)
