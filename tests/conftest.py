"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of real images and reference answers; the test skips where it is absent."""
    folder = Path(os.environ.get("TRIALIMG_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set TRIALIMG_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT
