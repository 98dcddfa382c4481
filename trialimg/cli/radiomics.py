"""`trialimg radiomics`: the radiomic features of one region."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from trialimg.cli.output import json_option, print_json

__all__ = ["radiomics"]

_FILE = click.Path(path_type=Path)


@click.command("radiomics")
@click.argument("image", type=_FILE)
@click.argument("mask", type=_FILE)
@click.option("--label", type=click.IntRange(1), help="Label of the region; default: that of the settings, or 1.")
@click.option("--region", metavar="NAME", help="Name of the region, where the mask names its regions.")
@click.option("--settings", type=_FILE, help="pyradiomics parameter file, YAML or JSON; default: its defaults.")
@json_option
def radiomics(
    image: Path, mask: Path, label: int | None, region: str | None, settings: Path | None, as_json: bool
) -> None:
    """Radiomic features of one label of MASK in IMAGE, named and computed as pyradiomics does.

    IMAGE is a folder with one DICOM series, NIfTI, NRRD or MetaImage; MASK may also be DICOM SEG or RTSTRUCT.
    """
    from trialimg import bootstrap
    from trialimg.radiomics.settings import RadiomicsSettings

    chosen = bootstrap.radiomics_settings(settings) if settings is not None else RadiomicsSettings()
    if label is not None:
        chosen = replace(chosen, label=label)
    extractor = bootstrap.feature_extractor(chosen)
    volume = bootstrap.open_image(image)
    features = extractor.extract(volume, bootstrap.open_mask(mask, volume, region=region), chosen.label)
    if as_json:
        print_json({"features": features, "settings": extractor.parameters()})
        return
    width = max(map(len, features), default=0)
    for name, value in features.items():
        click.echo(f"{name:{width}}  {value:.6g}")
    click.echo(f"{len(features)} features of label {chosen.label}, {extractor.name} {extractor.version}")
