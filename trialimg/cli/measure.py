"""`trialimg measure`: diameters and volume of every lesion in a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trialimg.imaging.measure import LesionMeasurement

__all__ = ["measure", "print_lesions"]

_FILE = click.Path(path_type=Path)


@click.command("measure")
@click.argument("mask", type=_FILE)
@click.option("--image", type=_FILE, help="Image that the mask was drawn on; an RTSTRUCT needs it.")
@click.option("--region", metavar="NAME", help="The one region to measure, where the mask names its regions.")
@json_option
def measure(mask: Path, image: Path | None, region: str | None, as_json: bool) -> None:
    """RECIST diameters, volume and extent of each label of a MASK.

    MASK is NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT. Lengths are in mm, end points in LPS mm.
    """
    from trialimg import bootstrap
    from trialimg.imaging.measure import measure_all

    drawn_on = bootstrap.open_image(image) if image is not None else None
    regions = bootstrap.open_mask(mask, drawn_on, region=region)
    lesions = measure_all(regions)
    if as_json:
        print_json({"lesions": lesions})
    else:
        print_lesions(lesions, dict(regions.names))


def print_lesions(lesions: Sequence[LesionMeasurement], names: Mapping[int, str]) -> None:
    """A table for a person, one line a lesion, and what its flags mean."""
    from rich.console import Console
    from rich.table import Table

    from trialimg.imaging.measure import FLAGS

    table = Table()
    for heading in ("Lesion", "Long axis mm", "Short axis mm", "Volume ml", "Slice", "Flags"):
        table.add_column(heading, justify="left" if heading in ("Lesion", "Flags") else "right")
    for lesion in lesions:
        table.add_row(
            names.get(lesion.label, str(lesion.label)),
            f"{lesion.long_axis_mm:.1f}",
            f"{lesion.short_axis_mm:.1f}",
            f"{lesion.volume_ml:.3f}",
            str(lesion.slice_index),
            ", ".join(lesion.flags),
        )
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for flag in sorted({flag for lesion in lesions for flag in lesion.flags}):
        console.print(f"{flag}: {FLAGS[flag]}")
