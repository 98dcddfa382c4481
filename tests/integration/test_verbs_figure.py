"""`trialimg figure` and `trialimg table`: from a run, from datasets and from tables to files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.results import trial_result
from tests.integration.verbs import require_refusal, run
from trialimg.core.digest import canonical_json, file_digest
from trialimg.services.document import document

Capture = pytest.CaptureFixture[str]

TIMES = """id,days,event,arm,sex,first,second
1,57,1,A,f,20.1,21.0
2,85,1,A,m,33.0,31.5
3,120,0,A,f,15.2,15.0
4,170,1,A,m,42.0,44.1
5,40,1,B,f,18.8,18.0
6,61,1,B,m,27.5,29.9
7,66,0,B,f,51.0,49.7
8,20,1,B,m,12.4,12.9
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run leaves, without its report."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "results.json").write_bytes(canonical_json(document(trial_result(key_images=False))) + b"\n")
    outputs = {"results.json": file_digest(folder / "results.json")}
    (folder / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    return folder


@pytest.fixture
def times(tmp_path: Path) -> Path:
    path = tmp_path / "times.csv"
    path.write_text(TIMES)
    return path


def made(capsys: Capture, *arguments: object) -> dict[str, Any]:
    answer = run(capsys, *arguments, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    assert Path(found["file"]).stat().st_size > 500
    return found


@pytest.mark.parametrize("name", ["waterfall", "spider", "swimmer", "kaplan-meier"])
def test_a_run_gives_each_figure(capsys: Capture, finished: Path, tmp_path: Path, name: str) -> None:
    found = made(capsys, "figure", name, finished, "--out", tmp_path / "figure.svg", "--title", "Ours <1>")
    assert found["specification"]["title"] == "Ours <1>"
    assert "Ours &lt;1&gt;" in (tmp_path / "figure.svg").read_text()
    assert found["numbers"]


@pytest.mark.parametrize("name", ["orr", "pfs", "dor", "disposition"])
def test_a_run_gives_each_table(capsys: Capture, finished: Path, tmp_path: Path, name: str) -> None:
    found = made(capsys, "table", name, finished, "--out", tmp_path / "table.rtf")
    assert found["specification"]["name"] == name
    assert (tmp_path / "table.rtf").read_bytes().startswith(b"{\\rtf1")


def test_datasets_of_a_run_give_the_numbers_of_the_run(capsys: Capture, finished: Path, tmp_path: Path) -> None:
    exported = run(capsys, "export", "all", finished, "--out", tmp_path / "cdisc", "--created", "2026-11-22")
    assert exported.code == 0, exported.err
    for verb, name in (("figure", "kaplan-meier"), ("figure", "waterfall"), ("table", "orr")):
        ending = "svg" if verb == "figure" else "html"
        own = made(capsys, verb, name, finished, "--out", tmp_path / f"own.{ending}")["numbers"]
        told = made(capsys, verb, name, tmp_path / "cdisc", "--out", tmp_path / f"told.{ending}")["numbers"]
        if name == "orr":
            rates = [own["objective_response"]["all"], told["objective_response"]["all"]]
            assert rates[0] == rates[1]
        elif name == "waterfall":
            changes = [[one["best_change_pct"] for one in numbers["subjects"]] for numbers in (own, told)]
            assert changes[0] == pytest.approx(changes[1])
        else:
            medians = [[group["median"] for group in numbers["groups"]] for numbers in (own, told)]
            assert medians[0] == medians[1]
            assert own["test"]["p"] == pytest.approx(told["test"]["p"])


def test_survival_of_a_table_is_that_of_the_analysis(capsys: Capture, times: Path, tmp_path: Path) -> None:
    columns = ("--time", "days", "--event", "event", "--by", "arm")
    drawn = made(capsys, "figure", "kaplan-meier", times, *columns, "--out", tmp_path / "km.pdf")["numbers"]
    found = json.loads(run(capsys, "analyse", "km", times, *columns, "--json").out)
    assert [g["median"] for g in drawn["groups"]] == [g["median"] for g in found["groups"]]
    test = json.loads(run(capsys, "analyse", "logrank", times, *columns, "--json").out)
    assert drawn["test"]["p"] == test["p"]


def test_forest_bland_altman_and_volcano_of_tables(capsys: Capture, times: Path, tmp_path: Path) -> None:
    arms = ("--event", "event", "--by", "arm", "--subgroups", "sex")
    forest = made(capsys, "figure", "forest", times, *arms, "--time", "days", "--out", tmp_path / "f.svg")["numbers"]
    cox = json.loads(
        run(capsys, "analyse", "cox", times, "--time", "days", "--event", "event", "--covariates", "arm", "--json").out
    )
    assert forest["rows"][0]["estimate"] == cox["terms"][0]["hr"]
    rates = made(capsys, "figure", "forest", times, *arms, "--out", tmp_path / "d.svg")["numbers"]["rows"]
    assert rates[0]["estimate"] == 0.0
    both = ("--readers", "first,second", "--unit", "mm")
    pairs = made(capsys, "figure", "bland-altman", times, *both, "--out", tmp_path / "b.png")["numbers"]
    assert pairs["n"] == 8
    features = tmp_path / "features.csv"
    features.write_text("feature,effect,p\na,1.5,0.001\nb,-2,0.004\nc,0.1,0.5\nd,0.4,0.04\n")
    found = made(capsys, "figure", "volcano", features, "--out", tmp_path / "v.svg")["numbers"]["features"]
    assert [one["q"] for one in found] == pytest.approx([0.004, 0.008, 0.16 / 3, 0.5])


def test_flow_and_concordance_of_tables(capsys: Capture, tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("case,read_twice,differs,chosen\n1,yes,none,\n2,yes,best_response,second\n3,no,,\n")
    flow = made(capsys, "figure", "adjudication-flow", cases, "--out", tmp_path / "flow.svg")["numbers"]
    assert (flow["both_reads"], flow["second_chosen"], flow["awaiting_reads"]) == (2, 1, 1)
    reads = tmp_path / "reads.csv"
    head = "subject,first_best,second_best,first_progression,second_progression"
    reads.write_text(f"{head}\n1,PR,PR,,\n2,SD,PR,2026-03-01,2026-03-09\n")
    out = ("--first", "reader 1", "--second", "reader 2", "--out", tmp_path / "c.html")
    table = made(capsys, "table", "concordance", reads, *out)
    assert table["numbers"]["Agreement, %"]["estimate"] == 0.5
    assert table["specification"]["title"] == "Concordance of reader 1 and reader 2"


def test_a_table_of_courses_gives_a_waterfall_with_the_lines_asked_for(capsys: Capture, tmp_path: Path) -> None:
    source = tmp_path / "courses.csv"
    source.write_text("subject,best_response,best_change_pct\nS1,iCPD,35\nS2,iPR,-60\n")
    options = ("--thresholds", "-65,40", "--out", tmp_path / "w.svg")
    found = made(capsys, "figure", "waterfall", source, *options)
    assert found["numbers"]["thresholds_pct"] == [-65.0, 40.0]
    assert [item["letters"] for item in found["specification"]["legend"]] == ["iPR", "iCPD"]


def test_nothing_to_draw_is_a_warning_and_a_picture_of_words(capsys: Capture, tmp_path: Path) -> None:
    source = tmp_path / "courses.csv"
    source.write_text("subject,best_response\nS1,NE\n")
    answer = run(capsys, "figure", "waterfall", source, "--out", tmp_path / "w.svg")
    assert answer.code == 0
    assert "there is nothing to draw" in answer.err
    assert "there is nothing to draw" in (tmp_path / "w.svg").read_text()


def test_what_cannot_be_made_is_refused_and_nothing_is_written(capsys: Capture, times: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "x.svg")
    columns = ("--time", "days", "--event", "event")
    require_refusal(run(capsys, "figure", "waterfall", tmp_path / "none.csv", *out), "cannot be read")
    require_refusal(run(capsys, "figure", "waterfall", times, *out), "7 fault(s); nothing was drawn")
    require_refusal(run(capsys, "figure", "waterfall", tmp_path, *out), "")
    require_refusal(run(capsys, "figure", "kaplan-meier", times, "--time", "days", *out), "--time and --event")
    require_refusal(run(capsys, "figure", "kaplan-meier", times, *columns, "--by", "group", *out), "not there")
    require_refusal(run(capsys, "figure", "kaplan-meier", times, *columns, "--out", tmp_path / "x.gif"), "not as .gif")
    arms = ("--event", "event", "--by", "id", "--subgroups", "sex")
    require_refusal(run(capsys, "figure", "forest", times, *arms, *out), "two arms")
    require_refusal(run(capsys, "figure", "bland-altman", times, "--readers", "first", *out), "two columns")
    require_refusal(run(capsys, "figure", "volcano", times, *out), "not there")
    require_refusal(run(capsys, "table", "orr", times, "--out", tmp_path / "x.docx"), "nothing was drawn")
    assert not list(tmp_path.glob("x.*"))


def test_datasets_of_the_primary_stream_are_drawn_too_and_those_of_none_refused(
    capsys: Capture, finished: Path, tmp_path: Path
) -> None:
    """Others call the parameters BOR and PFS; without a best response there is nothing to draw."""
    folder = tmp_path / "adam"
    assert run(capsys, "export", "adam", finished, "--out", folder, "--format", "csv").code == 0
    reviewed = made(capsys, "table", "orr", folder, "--out", tmp_path / "b.html")["numbers"]
    for name in ("adrs.csv", "adtr.csv", "adtte.csv"):
        text = (folder / name).read_text()
        for code in ("BORB", "OVRB", "PDB", "SDIAMB", "PFSB", "RSDB"):
            text = text.replace(f",{code},", f",{code[:-1]},")
        (folder / name).write_text(text)
    assert made(capsys, "table", "orr", folder, "--out", tmp_path / "p.html")["numbers"] == reviewed
    (folder / "adrs.csv").write_text((folder / "adrs.csv").read_text().replace(",BOR,", ",BEST,"))
    require_refusal(run(capsys, "table", "orr", folder, "--out", tmp_path / "n.html"), "no best response")
