"""A small ledger and its bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.ledger import Ledger, small_ledger


@pytest.fixture
def ledger() -> Ledger:
    return small_ledger()


@pytest.fixture
def bundle(ledger, tmp_path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.dcm").write_bytes(b"voxels")
    return ledger.write(folder)
