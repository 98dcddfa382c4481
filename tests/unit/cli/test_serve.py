"""The first start of a demonstration, before anything is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialimg.cli import main


def test_a_demonstration_that_was_interrupted_is_not_served_without_its_cases(capsys, tmp_path: Path) -> None:
    (tmp_path / "demo-accounts.json").write_text("{}")
    with pytest.raises(SystemExit) as ending:
        main(["serve", "--demo", "--home", str(tmp_path)])
    assert ending.value.code == 2
    assert "was interrupted; remove the folder and start again" in capsys.readouterr().err
