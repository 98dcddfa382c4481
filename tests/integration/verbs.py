"""A small image with a bright egg in it, as files, and the command run on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from trialimg.cli import main
from trialimg.volume import Geometry, Mask, Volume

GRID = Geometry((48, 40, 20), (1.0, 1.0, 2.5), (-24.0, -20.0, 50.0))
CENTRE = (2.0, 1.0, 75.0)
SEMI_MM = (11.3, 7.2, 8.1)


@dataclass(frozen=True)
class Answer:
    """What a run of the command left."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    """One call of the command."""
    with pytest.raises(SystemExit) as ending:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert isinstance(ending.value.code, int)
    return Answer(ending.value.code, out, err)


def egg() -> Mask:
    """An ellipsoid."""
    k, j, i = np.indices(GRID.shape)
    offset = (GRID.to_lps(np.stack([i, j, k], axis=-1)) - CENTRE) / SEMI_MM
    return Mask((np.linalg.norm(offset, axis=-1) <= 1).astype(np.uint8), GRID)


def write_pair(folder: Path) -> tuple[Path, Path]:
    """The image and its mask as NRRD."""
    mask = egg()
    noise = np.random.default_rng(1).normal(0, 12, GRID.shape)
    image = Volume((np.where(mask.array > 0, 45.0, -90.0) + noise).astype(np.float32), GRID)
    paths = folder / "image.nrrd", folder / "mask.nrrd"
    for path, item in zip(paths, (image, mask), strict=True):
        sitk.WriteImage(item.to_sitk(), str(path))
    return paths


def require_refusal(answer: Answer, *words: str) -> None:
    """Exit code 2, nothing on stdout, and an error line that says certain words."""
    assert (answer.code, answer.out) == (2, "")
    last = answer.err.splitlines()[-1]
    assert last.startswith("trialimg: error: ")
    assert [word for word in words if word not in last] == []
