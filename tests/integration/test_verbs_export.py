"""`trialimg export`: from a finished run to datasets that pass every check, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.results import trial_result
from tests.integration.verbs import require_refusal, run
from trialimg.core.digest import canonical_json, file_digest
from trialimg.services.document import document
from trialimg.services.xport import read_xport

Capture = pytest.CaptureFixture[str]
STAMP = ("--created", "2026-11-22")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a run leaves, without its report."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "results.json").write_bytes(canonical_json(document(trial_result(key_images=False))) + b"\n")
    outputs = {"results.json": file_digest(folder / "results.json")}
    (folder / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    return folder


def test_all_datasets_of_a_run_pass_every_check(capsys: Capture, finished: Path, tmp_path: Path) -> None:
    made = run(capsys, "export", "all", finished, "--out", tmp_path, *STAMP, "--json")
    answer = json.loads(made.out)
    assert (made.code, answer["findings"]) == (0, [])
    assert answer["records"]["ADSL"] == answer["records"]["DM"] == 12
    names = {Path(name).name for name in answer["files"]}
    assert {"tu.xpt", "tu.json", "tu.csv", "tu.parquet", "define-sdtm.xml", "define-adam.xml"} <= names
    assert {"reviewers-guide.md", "reviewers-guide.html", "tables.R", "tables.sas", "cdisc-manifest.json"} <= names
    checked = run(capsys, "export", "check", tmp_path, "--json")
    assert (checked.code, json.loads(checked.out)["findings"]) == (0, [])
    assert json.loads(checked.out)["checks"] == 66


def test_a_spoilt_dataset_is_found_and_ends_in_1(capsys: Capture, finished: Path, tmp_path: Path) -> None:
    run(capsys, "export", "sdtm", finished, "--out", tmp_path, "--format", "csv", *STAMP)
    (tmp_path / "cdisc-manifest.json").unlink()
    text = (tmp_path / "tr.csv").read_text()
    (tmp_path / "tr.csv").write_text(
        text.replace("LDIAM,Longest Diameter,41.2,mm,41.2,41.2", "LDIAM,Longest Diameter,41.2,mm,41.2,14.2")
    )
    checked = run(capsys, "export", "check", tmp_path, "--json")
    found = json.loads(checked.out)["findings"]
    assert checked.code == 1
    assert {one["rule"] for one in found} == {"TI-C019", "TI-C040"}
    assert all({"rule", "dataset", "record", "variable", "value"} <= one.keys() for one in found)
    printed = run(capsys, "export", "check", tmp_path)
    assert printed.code == 1
    assert "TI-C019 error: TR" in printed.out


def test_the_same_run_and_moment_give_the_same_bytes(capsys: Capture, finished: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        run(capsys, "export", "all", finished, "--out", tmp_path / name, *STAMP)
    first = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}


@pytest.mark.parametrize(
    ("what", "there", "absent"),
    [
        ("sdtm", {"tr.json", "define-sdtm.xml"}, {"adtr.json", "define-adam.xml", "tr.xpt"}),
        ("adam", {"adtr.json", "define-adam.xml"}, {"tr.json", "define-sdtm.xml"}),
        ("define", {"define-sdtm.xml", "define-adam.xml", "reviewers-guide.html"}, {"tr.json", "tr.xpt"}),
    ],
)
def test_only_what_was_asked_for_is_written(
    capsys: Capture, finished: Path, tmp_path: Path, what: str, there: set[str], absent: set[str]
) -> None:
    answer = run(capsys, "export", what, finished, "--out", tmp_path, "--format", "json", *STAMP)
    names = {path.name for path in tmp_path.iterdir()}
    assert answer.code == 0
    assert there <= names
    assert not absent & names


def test_the_sponsors_demographics_take_the_place_of_what_is_unknown(
    capsys: Capture, finished: Path, tmp_path: Path
) -> None:
    run(capsys, "export", "sdtm", finished, "--out", tmp_path, "--format", "csv", *STAMP)
    dm = (tmp_path / "dm.csv").read_text()
    assert ",U,UNKNOWN," in dm
    own = dm.replace(",U,UNKNOWN,", ",F,ASIAN,").replace(",ZZZ", ",CHN")
    (tmp_path / "sponsor.txt").write_text(own)
    again = tmp_path / "again"
    answer = run(capsys, "export", "all", finished, "--out", again, "--dm", tmp_path / "sponsor.txt", *STAMP, "--json")
    assert json.loads(answer.out)["findings"] == []
    sexes = {row[_at(again / "adsl.xpt", "SEX")] for row in read_xport((again / "adsl.xpt").read_bytes(), "").rows}
    assert sexes == {"F"}


def _at(path: Path, name: str) -> int:
    return [variable.name for variable in read_xport(path.read_bytes(), path.name).variables].index(name)


def test_the_checks_can_be_listed(capsys: Capture) -> None:
    answer = run(capsys, "export", "check", ".", "--rules", "--json")
    rules = json.loads(answer.out)
    assert [rule["rule"] for rule in rules] == [f"TI-C{number:03d}" for number in range(1, 67)]


def test_what_cannot_be_exported_is_refused(capsys: Capture, finished: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    require_refusal(run(capsys, "export", "all", tmp_path, *out), "no finished run here")
    require_refusal(run(capsys, "export", "all", finished, *out, "--format", "xls"), "'xls' is none of xpt")
    require_refusal(run(capsys, "export", "all", finished, *out, "--dm", tmp_path / "none.csv"), "none.csv")
    (tmp_path / "dm.csv").write_text("USUBJID\nX\n")
    require_refusal(run(capsys, "export", "all", finished, *out, "--dm", tmp_path / "dm.csv"), "has no STUDYID")
    require_refusal(run(capsys, "export", "check", tmp_path / "none"), "no folder with datasets")
    assert not (tmp_path / "out").exists()
