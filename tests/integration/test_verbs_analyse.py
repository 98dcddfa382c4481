"""`trialimg analyse`: the documents it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.verbs import Answer, require_refusal, run

Capture = pytest.CaptureFixture[str]

TRIAL = """subject,arm,site,response,days,event
1,A,x,1,57,1
2,A,x,0,85,1
3,A,y,1,120,0
4,A,y,0,170,1
5,B,x,0,40,1
6,B,x,0,61,1
7,B,y,1,66,0
8,B,y,0,20,1
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "trial.csv"
    path.write_text(TRIAL)
    return path


def printed(capsys: Capture, *arguments: object) -> dict[str, Any]:
    answer = run(capsys, "analyse", *arguments, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def refused(capsys: Capture, *arguments: object) -> Answer:
    answer = run(capsys, "analyse", *arguments, "--json")
    require_refusal(answer)
    return answer


def test_a_single_rate_needs_no_file(capsys: Capture) -> None:
    found = printed(capsys, "rate", "--x", 12, "--n", 50, "--conf", 0.95, "--method", "clopper-pearson")
    assert found["estimate"] == 0.24
    assert (found["lower"], found["upper"]) == pytest.approx((0.1306099162, 0.3816907481), abs=1e-10)
    assert found["method"] == "Clopper-Pearson exact"


def test_a_single_difference_needs_no_file(capsys: Capture) -> None:
    counts = ("--x1", 56, "--n1", 70, "--x2", 48, "--n2", 80)
    found = printed(capsys, "difference", *counts, "--method", "newcombe")
    assert (found["lower"], found["upper"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)  # Newcombe 1998, table II (a)


def test_a_table_gives_rates_by_group(capsys: Capture, trial: Path) -> None:
    found = printed(capsys, "rate", trial, "--event", "response", "--by", "arm")
    assert (found["events"], found["n"]) == (3, 8)
    assert [(g["group"], g["events"], g["n"]) for g in found["groups"]] == [("A", 2, 4), ("B", 1, 4)]


def test_a_table_gives_differences_across_strata(capsys: Capture, trial: Path) -> None:
    plain = printed(capsys, "difference", trial, "--event", "response", "--by", "arm")
    assert plain["estimate"] == 0.25
    assert plain["arms"] == "A minus B"
    across = printed(capsys, "cmh", trial, "--event", "response", "--by", "arm", "--strata", "site")
    assert {"chi2", "df", "p", "odds_ratio", "risk_difference"} <= across.keys()
    assert across["risk_difference"]["estimate"] == pytest.approx(0.25)


def test_a_person_gets_a_table(capsys: Capture, trial: Path) -> None:
    answer = run(capsys, "analyse", "rate", trial, "--event", "response")
    assert answer.code == 0
    assert "Clopper-Pearson exact" in answer.out
    assert "0.375" in answer.out


def test_every_bad_cell_is_named_with_its_line(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("arm,response\nA,1\nA,2\nB,\nB,yes\n")
    answer = refused(capsys, "rate", path, "--event", "response", "--by", "arm")
    assert [line.split(": ")[0] for line in answer.err.splitlines()[:-1]] == [f"{path}:{n}" for n in (3, 4, 5)]


def test_missing_cells_are_dropped_only_when_told_so_and_counted(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("arm,response\nA,1\nA,NA\nB,0\n")
    refused(capsys, "rate", path, "--event", "response")
    found = printed(capsys, "rate", path, "--event", "response", "--missing", "drop")
    assert found["n"] == 2
    assert found["warnings"] == ["dropped: 1 of 3 rows have a missing cell (response 1); lines 3"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("rate",), "either a table"),
        (("rate", "--x", 5), "either a table"),
        (("rate", "--x", 5, "--n", 4), "cannot be made"),
        (("rate", "--x", 1, "--n", 4, "--conf", 95), "between 0 and 1"),
        (("rate", "--x", 1, "--n", 4, "--method", "magic"), "magic"),
        (("difference", "--x1", 1, "--n1", 4, "--x2", 1, "--n2", 0), "cannot be compared"),
    ],
)
def test_single_figures_that_cannot_be_are_refused(capsys: Capture, arguments: tuple[Any, ...], word: str) -> None:
    require_refusal(run(capsys, "analyse", *arguments, "--json"), word)


@pytest.mark.parametrize("verb", ["difference", "cmh"])
def test_two_arms_are_two(capsys: Capture, trial: Path, verb: str) -> None:
    require_refusal(run(capsys, "analyse", verb, trial, "--event", "response", "--by", "subject"), "two arms")


def test_an_unknown_column_names_the_known_ones(capsys: Capture, trial: Path) -> None:
    answer = refused(capsys, "rate", trial, "--event", "respons")
    assert "there are subject, arm, site, response" in answer.err.splitlines()[0]


@pytest.mark.parametrize("text", ["", "a,b\n", "a,a\n1,2\n", "a,b\n1\n", 'a,b\n"1,2\n'])
def test_a_file_that_is_no_table_is_refused(capsys: Capture, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    refused(capsys, "rate", path, "--event", "a")
