"""The shipped `sample_data/` is whole, and is what the generator makes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from trialimg import bootstrap

ARGUMENTS = {"subjects": 10, "timepoints": 4, "seed": 2024}
"""The command in sample_data/README.md."""
LARGEST_BYTES = 15_000_000
BY_HAND = {"README.md", ".gitattributes"}


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def shipped(root: Path) -> dict[str, str]:
    return digests(root / "sample_data")


def test_digest_list_matches_every_file(root, shipped):
    lines = (root / "sample_data" / "DIGESTS.sha256").read_text().splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    assert listed == {name: digest for name, digest in shipped.items() if name not in {*BY_HAND, "DIGESTS.sha256"}}


def test_it_stays_small(root, shipped):
    assert sum((root / "sample_data" / name).stat().st_size for name in shipped) <= LARGEST_BYTES


def test_readme_names_the_command_that_the_tests_run(root):
    text = (root / "sample_data" / "README.md").read_text()
    assert (
        "trialimg sample --out sample_data --subjects {subjects} --timepoints {timepoints} --seed {seed}".format(
            **ARGUMENTS
        )
        in text
    )


@pytest.mark.slow
def test_generator_makes_it_again_byte_for_byte(shipped, tmp_path):
    bootstrap.write_sample(tmp_path / "again", **ARGUMENTS)
    assert digests(tmp_path / "again") == {name: digest for name, digest in shipped.items() if name not in BY_HAND}
