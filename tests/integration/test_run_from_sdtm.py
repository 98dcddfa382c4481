"""`trialimg run --from-sdtm`: any format, the way round through our own datasets, and the published figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.sdtm_tables import DM, RS, TR, TU
from tests.integration.verbs import require_refusal, run

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[2]
STAMP = ("--created", "2026-11-22")


def protocol(folder: Path) -> Path:
    """The shipped lung protocol, without a report to print."""
    text = (ROOT / "protocols" / "nsclc_recist11.yaml").read_text(encoding="utf-8")
    path = folder / "protocol.yaml"
    path.write_text(text.replace("exports: [html, pdf, csv, parquet]", "exports: [csv]"), encoding="utf-8")
    return path


def tables(folder: Path, *, prefix: str = "", suffix: str = "") -> Path:
    """A folder with the small delivery as CSV."""
    folder.mkdir()
    for name, text in (("dm", DM), ("tu", TU), ("tr", TR), ("rs", RS)):
        (folder / f"{prefix}{name}{suffix}.csv").write_text(text, encoding="utf-8")
    return folder


def found(out: Path) -> dict[str, Any]:
    """Responses and endpoints by subject, without the sentences, which name files."""
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    answer = {}
    for one in results["subjects"]:
        assessments = [
            (t["timepoint"]["id"], t["timepoint"]["date"], t["assessment"]["overall"], t["assessment"]["sums"])
            for t in one["timepoints"]
            if t["assessment"]
        ]
        ends = one["endpoints"]
        times = {
            name: ends[name] and (ends[name]["days"], ends[name]["event"])
            for name in ends
            if "_" in name and isinstance(ends[name], dict)
        }
        answer[one["subject"]["id"]] = (assessments, ends["best"]["response"], times)
    return answer


@pytest.mark.parametrize("form", ["csv", "xpt", "json", "parquet"])
def test_our_own_datasets_brought_in_again_give_the_same_answers(capsys: Capture, tmp_path: Path, form: str) -> None:
    plan, first, again = protocol(tmp_path), tmp_path / "first", tmp_path / "again"
    assert run(capsys, "run", plan, "--from-sdtm", tables(tmp_path / "in"), "--out", first).code == 0
    assert run(capsys, "export", "sdtm", first, "--out", tmp_path / "sdtm", "--format", form, *STAMP).code == 0
    assert run(capsys, "run", plan, "--from-sdtm", tmp_path / "sdtm", "--out", again).code == 0
    assert found(again) == found(first)
    assert len(found(again)) == 2
    checked = run(capsys, "export", "check", tmp_path / "sdtm", "--json")
    assert json.loads(checked.out)["findings"] == []


def test_files_that_are_called_otherwise_are_named_one_by_one(capsys: Capture, tmp_path: Path) -> None:
    plan, folder = protocol(tmp_path), tables(tmp_path / "in", suffix="_onco")
    refused = run(capsys, "run", plan, "--from-sdtm", folder, "--out", tmp_path / "out")
    require_refusal(refused, "none of TU, TR and RS is here", "--table RS=", "rs_onco.csv, tr_onco.csv, tu_onco.csv")
    assert not (tmp_path / "out").exists()
    named = [part for name in ("DM", "TU", "TR", "RS") for part in ("--table", f"{name}={name.lower()}_onco.csv")]
    made = run(capsys, "run", plan, "--from-sdtm", folder, "--out", tmp_path / "out", *named, "--json")
    assert json.loads(made.out)["subjects"] == 2
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert sorted(manifest["inputs"]) == ["dm_onco.csv", "rs_onco.csv", "tr_onco.csv", "tu_onco.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("images", "--from-sdtm", "in"), ("give either STUDIES",)),
        ((), ("give either STUDIES",)),
        (("images", "--table", "RS=rs.csv"), ("belong to --from-sdtm",)),
        (("--from-sdtm", "in", "--table", "RS"), ("is not NAME=FILE",)),
        (("--from-sdtm", "in", "--table", "AE=ae.csv"), ("none of the datasets that are read",)),
        (("--from-sdtm", "in", "--table", "RS=none.csv"), ("no such table for RS",)),
        (("--from-sdtm", "nowhere"), ("no folder with SDTM tables",)),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    capsys: Capture, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    tables(tmp_path / "in")
    given = [tmp_path / part if part in ("in", "images", "nowhere") else part for part in arguments]
    require_refusal(run(capsys, "run", protocol(tmp_path), *given, "--out", tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_labels_of_arms_come_from_a_table_of_their_own(capsys: Capture, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("code,label\nA,B\nB,A\n", encoding="utf-8")
    out = tmp_path / "out"
    run(capsys, "run", protocol(tmp_path), "--from-sdtm", tables(tmp_path / "in"), "--arms", labels, "--out", out)
    with (out / "endpoints.csv").open(encoding="utf-8") as file:
        assert [row["arm"] for row in csv.DictReader(file)] == ["B", "A"]


def test_figures_and_tables_are_made_of_such_a_run_and_the_tables_alone_say_what_to_do(
    capsys: Capture, tmp_path: Path
) -> None:
    folder, out = tables(tmp_path / "in"), tmp_path / "out"
    assert run(capsys, "run", protocol(tmp_path), "--from-sdtm", folder, "--out", out).code == 0
    best = {one["subject"]["id"]: one["endpoints"]["best"]["response"] for one in results_of(out)}
    swimmer = run(capsys, "figure", "swimmer", out, "--out", tmp_path / "s.svg", "--json")
    assert json.loads(swimmer.out)["specification"]["n"] == len(best)
    table = run(capsys, "table", "orr", out, "--out", tmp_path / "t.html", "--json")
    assert f"(n = {len(best)})" in json.dumps(json.loads(table.out)["specification"]["columns"])
    for verb, name in (("figure", "waterfall"), ("table", "pfs")):
        target = tmp_path / "refused.html"
        refused = run(capsys, verb, name, folder, "--out", target)
        require_refusal(refused, "TU, TR, RS of SDTM", "trialimg run PROTOCOL --from-sdtm")
        assert not target.exists()


def results_of(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "results.json").read_text(encoding="utf-8"))["subjects"]
    return found
