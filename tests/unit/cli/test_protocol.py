"""`trialimg protocol`: exit codes, one fault a line, one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.protocol.texts import VALID, broken
from trialimg.cli import main
from trialimg.protocol.criteria import Criterion
from trialimg.protocol.load import load_protocol, read_protocol
from trialimg.protocol.schema import schema_text

BROKEN = broken("readers: 2", "readers: 3\n  ordr: randomised", broken("arms: [A, B]\nsites", "arms: [A]\nsites"))


def written(folder: Path, text: str) -> Path:
    file = folder / "trial.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ending:
        main(["protocol", *arguments])
    assert isinstance(ending.value.code, int)
    return ending.value.code


def test_check_says_in_one_line_that_a_file_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, VALID)
    assert code("check", str(file)) == 0
    out, err = capsys.readouterr()
    assert out == f"{file}: valid, T-1 version 1.0, {load_protocol(file).digest}\n"
    assert err == ""


def test_check_lists_every_fault_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, BROKEN)
    assert code("check", str(file)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{file}:22:3: reading.readers: a case has 1 or 2 readers, not 3 [out_of_range]",
        f"{file}:23:3: reading.ordr: there is no key 'ordr' here; did you mean 'order'? [unknown_key]",
        f"{file}:30:21: statistics.compare_arms[1]: 'B' is not an arm; the arms are A [unknown_arm]",
        f"trialimg: error: {file}: 3 faults",
    ]


def test_check_as_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, BROKEN)
    assert code("check", str(file), "--json") == 2
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert err == ""
    assert answer["valid"] is False
    assert [(row["line"], row["column"], row["key"], row["code"]) for row in answer["faults"]] == [
        (22, 3, "reading.readers", "out_of_range"),
        (23, 3, "reading.ordr", "unknown_key"),
        (30, 21, "statistics.compare_arms[1]", "unknown_arm"),
    ]
    assert code("check", str(written(tmp_path, VALID)), "--json") == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True


def test_check_notes_what_this_installation_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trialimg.protocol.criteria.built_criteria", lambda: (Criterion.RECIST_1_1,))
    text = broken("segmenter: classical", "segmenter: clasical", broken("criterion: recist11", "criterion: gcig"))
    file = written(tmp_path, text)
    assert code("check", str(file)) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "note: gcig is not built yet" in err
    assert "note: no segmenter 'clasical' is installed here; installed: classical, ellipsoid, monai_bundle" in err


def test_check_notes_a_criterion_that_a_run_from_images_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, broken("criterion: recist11", "criterion: gcig"))
    assert code("check", str(file)) == 0
    assert "note: response.criterion gcig needs CA-125 (ca125), which images do not show" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "absent.yaml"
    assert code("check", str(file)) == 2
    assert code("show", str(file)) == 2
    assert capsys.readouterr().err == f"trialimg: error: {file}: cannot be read: No such file or directory\n" * 2


def test_show_prints_a_protocol_that_reads_back_with_the_digest_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code("show", str(written(tmp_path, VALID))) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"# {read_protocol(out).digest}"
    assert "  too_small_below_mm: 5\n" in out


def test_show_as_json_names_the_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code("show", str(written(tmp_path, VALID)), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["digest"] == read_protocol(VALID).digest
    assert answer["protocol"]["tracking"]["registration"] == "affine"


def test_show_refuses_a_broken_file_without_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code("show", str(written(tmp_path, BROKEN))) == 2
    assert capsys.readouterr().out == ""


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("schema") == 0
    assert capsys.readouterr().out == schema_text()
