"""The pages about criteria are true: examples run, settings and rules are complete."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.histories import random_choices, random_table, record_of, rules_of
from trialimg.cli import main
from trialimg.core.settings import shown
from trialimg.criteria import recist10, recist11
from trialimg.endpoints.settings import EndpointSettings

PAGES = sorted(page.name for page in (Path(__file__).parents[3] / "docs/reference/criteria").glob("*.md"))
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(root: Path, name: str) -> str:
    return (root / "docs/reference/criteria" / name).read_text()


def blocks(text: str, language: str) -> Iterator[tuple[str, str]]:
    """(title, content) of the code blocks of a language."""
    return ((title, content) for found, title, content in FENCE.findall(text) if found == language)


@pytest.mark.parametrize("name", PAGES)
def test_examples_print_what_the_page_says(
    root: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page(root, name)
    monkeypatch.chdir(tmp_path)
    for title, content in blocks(text, "csv"):
        (tmp_path / title).write_text(content)
    for _, content in blocks(text, "console"):
        command, _, expected = content.partition("\n")
        with pytest.raises(SystemExit) as ended:
            main(command.removeprefix("$ trialimg ").split())
        assert ended.value.code == 0
        assert capsys.readouterr().out == expected


@pytest.mark.parametrize("name", PAGES)
def test_python_examples_run(root: Path, name: str) -> None:
    for _, content in blocks(page(root, name), "python"):
        exec(compile(content, name, "exec"), {})


@pytest.mark.parametrize(
    ("name", "settings"), [("recist11.md", recist11.Rules()), ("endpoints.md", EndpointSettings())]
)
def test_every_setting_stands_in_its_page_with_its_default(root: Path, name: str, settings: Any) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", page(root, name), re.MULTILINE))
    assert rows == shown(settings)


def test_the_page_of_recist_10_names_every_setting_of_its_own(root: Path) -> None:
    own, shared = shown(recist10.Rules()), shown(recist11.Rules())
    differing = {name: value for name, value in own.items() if shared[name] != value}
    table = page(root, "recist10.md").split("- Some tables")[0]
    assert dict(re.findall(r"`(\w+)` = `([^`]*)`", table)) == differing


def test_every_rule_that_fires_stands_in_its_page(root: Path) -> None:
    rng = random.Random(7)
    fired: set[str] = set()
    for _ in range(3000):
        tracks, roles, visits, facts = record_of(table := random_table(rng))
        rules = rules_of(random_choices(rng))
        assert table.days
        answers = recist11.assess(tracks, roles, visits, rules, facts=facts)
        fired |= {firing.rule.removeprefix("R-1.1/") for answer in answers for firing in answer.rule}
    text = page(root, "recist11.md")
    assert len(fired) > 20
    assert {rule for rule in fired if not re.search(rf"\b{rule}\b", text)} == set()
