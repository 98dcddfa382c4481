"""`trialimg segment`: the lesion that a prompt points at, as a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.measure import print_lesions
from trialimg.cli.model_choice import ALLOW_UNLICENSED, DEVICE, MODEL_DIGEST, ModelChoice
from trialimg.cli.output import json_option, print_json
from trialimg.cli.prompts import POINT, TWO_POINTS, prompt_of
from trialimg.cli.segment_evidence import Asked, evidence, print_evidence
from trialimg.core.errors import TrialimgError
from trialimg.core.prompts import PointLps, Prompt

if TYPE_CHECKING:
    from trialimg.imaging.measure import LesionMeasurement
    from trialimg.services.ports import Segmenter

__all__ = ["segment"]

_FILE = click.Path(path_type=Path)
Points = tuple[PointLps, ...]


@dataclass(frozen=True)
class _Drawn:
    """What the reader drew."""

    line: Points | None
    short_axis: Points | None
    point: Points | None
    box: Points | None


@click.command("segment")
@click.argument("image", type=_FILE)
@gathered(
    "drawn", _Drawn,
    click.option("--line", type=TWO_POINTS, help="The long axis as a reader drew it."),
    click.option("--short-axis", type=TWO_POINTS, help="The short axis across --line, where the reader drew it too."),
    click.option("--point", type=POINT, help="A click in the lesion."),
    click.option("--box", type=TWO_POINTS, help="Two opposite corners of a box around the lesion."),
)  # fmt: skip
@gathered(
    "choice", ModelChoice,
    click.option(
        "--model", default="classical", show_default=True, metavar="NAME_OR_PATH",
        help="A segmenter by name (see `trialimg model list`), the path of a model, or a server's https address.",
    ),
    MODEL_DIGEST, ALLOW_UNLICENSED, DEVICE,
)  # fmt: skip
@gathered(
    "asked", Asked,
    click.option("--uncertainty", is_flag=True, help="Ask several times, and say how far the answers lie apart."),
    click.option("--explain", type=_FILE, metavar="DIR", help="Folder for maps: what it rests on, and entropy."),
    click.option(
        "--explain-by", type=click.Choice(["occlusion", "gradient"]), default="occlusion", show_default=True,
        help="How the map is made.",
    ),
)  # fmt: skip
@click.option("--out", type=_FILE, required=True, help="Mask to write: .nii.gz, .nii, .nrrd, .mha.")
@json_option
def segment(image: Path, drawn: _Drawn, choice: ModelChoice, asked: Asked, out: Path, as_json: bool) -> None:
    """Segment the lesion in IMAGE that one prompt points at (LPS mm); label 1 on the grid of the image.

    IMAGE is a folder with one DICOM series, NIfTI, NRRD or MetaImage.
    """
    from trialimg import bootstrap
    from trialimg.imaging.measure import measure_all

    prompt = prompt_of(drawn.line, drawn.point, drawn.box, short_axis=drawn.short_axis)
    segmenter = choice.segmenter()
    volume = bootstrap.open_image(image)
    found = segmenter.segment(volume, prompt)
    if found.is_empty:
        raise TrialimgError(f"{image}: {segmenter.name} finds no lesion at this prompt; no mask is written")
    lesions = measure_all(found)
    facts = evidence(segmenter, volume, prompt, asked)
    bootstrap.save_mask(found, out)
    if as_json:
        print_json({"mask": str(out), "voxels": int(found.array.sum()), **_answer(segmenter, prompt, lesions), **facts})
    else:
        print_lesions(lesions, {})
        click.echo(f"{segmenter.name} {segmenter.version}: {out}")
        if segmenter.model_digest:
            click.echo(f"model: {segmenter.model_digest}")
            click.echo(f"licence: {getattr(segmenter, 'licence', '') or 'none is stated'}")
        print_evidence(facts)


def _answer(segmenter: Segmenter, prompt: Prompt, lesions: tuple[LesionMeasurement, ...]) -> dict[str, Any]:
    return {
        "prompt": {type(prompt).__name__.removesuffix("Prompt").lower(): prompt},
        "segmenter": {
            "name": segmenter.name,
            "version": segmenter.version,
            "model_digest": segmenter.model_digest,
            "parameters": segmenter.parameters(),
        },
        "lesions": lesions,
    }
