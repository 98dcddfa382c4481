"""Every text of the dashboard stands in the catalogue, in every language; no page has words of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from apps.trialimg_dashboard.roles import PAGES
from apps.trialimg_dashboard.words import LANGUAGES, catalogue
from trialimg.core.access import Role
from trialimg.review.design import TriggerVariable
from trialimg.services.figures.adjudication import ReviewedCase, adjudication_flow
from trialimg.services.figures.figure import Box, translated

SHOWING = frozenset(
    [
        "title",
        "header",
        "subheader",
        "markdown",
        "caption",
        "text",
        "write",
        "info",
        "warning",
        "error",
        "success",
        "toast",
        "button",
        "form_submit_button",
        "download_button",
        "checkbox",
        "text_input",
        "text_area",
        "selectbox",
        "multiselect",
        "pills",
        "segmented_control",
        "date_input",
        "number_input",
        "file_uploader",
        "expander",
        "metric",
        "spinner",
        "tabs",
        "radio",
        "page_link",
        "link_button",
        "popover",
        "toggle",
    ]
)
WORDED = ("label", "help", "placeholder")
MARKUP = re.compile(r"-badge\[|:\w+\[")
LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")


@pytest.fixture(scope="module")
def trees(root: Path) -> dict[str, ast.Module]:
    """The pages and views that show texts."""
    folder = root / "apps" / "trialimg_dashboard"
    files = [*(folder / "pages").glob("*.py"), *(folder / "views").glob("*.py")]
    return {file.relative_to(folder).as_posix(): ast.parse(file.read_text()) for file in files}


def asked_keys(tree: ast.Module) -> Iterator[str]:
    """Keys given to ``at.t`` and to forms: whole, or their fixed beginning with a star."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "t" and node.args:
            yield from keys_of(node.args[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "wanted":
            yield from keys_of(node.args[1])


def keys_of(given: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif isinstance(given, ast.IfExp):
        yield from (*keys_of(given.body), *keys_of(given.orelse))
    elif isinstance(given, ast.JoinedStr) and isinstance(given.values[0], ast.Constant):
        yield f"{given.values[0].value}*"


def literals(tree: ast.Module) -> Iterator[str]:
    """Words that a page shows and that are not from the catalogue."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHOWING:
            shown = [
                *node.args[:1],
                *(word.value for word in node.keywords if word.arg in WORDED),
            ]
            yield from (text for given in shown for text in texts_of(given) if LETTERS.search(MARKUP.sub("", text)))


def texts_of(given: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
    elif isinstance(given, ast.JoinedStr):
        yield from (str(part.value) for part in given.values if isinstance(part, ast.Constant))


def test_every_text_that_a_page_asks_for_is_in_the_catalogue(trees):
    known = catalogue()
    missing = [
        f"{name}: {key}"
        for name, tree in trees.items()
        for key in asked_keys(tree)
        if (key not in known if not key.endswith("*") else not any(word.startswith(key[:-1]) for word in known))
    ]
    assert missing == []


def test_every_page_of_every_role_is_there_and_has_its_name(root):
    pages = {page for names in PAGES.values() for page in names}
    assert {f"page.{page}" for page in pages} <= {*catalogue()}
    absent = [page for page in pages if not (root / f"apps/trialimg_dashboard/pages/{page}.py").is_file()]
    assert absent == []
    assert {*PAGES} == {*Role} - {Role.DEVICE}


def test_every_text_is_there_in_every_language_with_the_same_values():
    faults = [
        key
        for key, words in catalogue().items()
        if not all(words[language] for language in LANGUAGES)
        or len({named(words[language]) for language in LANGUAGES}) > 1
    ]
    assert faults == []


def test_every_key_stands_once(root):
    lines = (root / "apps/trialimg_dashboard/catalogue.csv").read_text(encoding="utf-8").splitlines()
    keys = [line.partition(",")[0] for line in lines]
    assert sorted(key for key in {*keys} if keys.count(key) > 1) == []


def test_no_page_has_words_of_its_own(trees):
    assert [f"{name}: {text}" for name, tree in trees.items() for text in literals(tree)] == []


@pytest.mark.parametrize("source", ['st.title("Cohort")', 'x.button(f"Sign {n}")', 'st.metric(label="Reads", value=1)'])
def test_words_of_a_page_are_found(source):
    assert list(literals(ast.parse(source)))


def named(text: str) -> frozenset[str]:
    """What is put into a text."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("variable", [one.value for one in TriggerVariable])
def test_the_flow_of_cases_is_said_in_every_language(variable):
    """Every box with every count in it."""
    cases = [
        ReviewedCase("chosen", True, (variable,), "first"),
        ReviewedCase("agreed", True, ()),
        ReviewedCase("not compared", True, None),
        ReviewedCase("half read", False),
        ReviewedCase("withdrawn", False, is_withdrawn=True),
    ]
    known = {row["en"]: row["zh"] for row in catalogue().values()}
    figure = translated(adjudication_flow(cases), lambda words: known.get(words, words))
    said = [line for mark in figure.panels[0].marks if isinstance(mark, Box) for line in mark.lines]
    assert len(said) >= 15
    assert [line for line in said if re.search("[A-Za-z]{2,}", line)] == []
