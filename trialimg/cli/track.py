"""`trialimg track`: the lesions of a baseline image followed into later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trialimg.services.ports import Segmenter
    from trialimg.services.track import Followed, Study, Tracked, TrackRules

__all__ = ["track"]

_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class _Images:
    """The files of all studies, in order of time."""

    base_image: Path
    base_mask: Path
    follow_image: Path
    follow_mask: Path | None
    then: tuple[Path, ...]
    modality: str

    def studies(self) -> list[Study]:
        named = [("baseline", self.base_image, self.base_mask), ("follow", self.follow_image, self.follow_mask)]
        named += [(f"follow{number}", image, None) for number, image in enumerate(self.then, start=2)]
        return [_study(name, image, mask, self.modality) for name, image, mask in named]


@click.command("track")
@gathered(
    "images", _Images,
    click.argument("base_image", type=_FILE),
    click.argument("base_mask", type=_FILE),
    click.argument("follow_image", type=_FILE),
    click.argument("follow_mask", type=_FILE, required=False),
    click.option(
        "--then", "then", type=_FILE, multiple=True, metavar="IMAGE",
        help="A later image, in which the lesions are found again; may be given several times, in order of time.",
    ),
    click.option("--modality", default="CT", show_default=True, help="Of images that do not say it (NIfTI, NRRD)."),
)  # fmt: skip
@click.option(
    "--model", default="classical", show_default=True, metavar="NAME_OR_PATH",
    help="Segmenter that finds a lesion again where there is no mask.",
)  # fmt: skip
@click.option(
    "--local", type=click.Choice(["warp", "shift"]), default="warp", show_default=True,
    help="How the surroundings of each lesion are aligned beyond the body.",
)  # fmt: skip
@click.option("--out", type=_FILE, help="Folder for the masks, one label a lesion, and links.json; made if absent.")
@json_option
def track(images: _Images, model: str, local: str, out: Path | None, as_json: bool) -> None:
    """Follow the lesions of BASE_MASK from BASE_IMAGE into FOLLOW_IMAGE.

    With FOLLOW_MASK its regions are linked with the lesions; without, each lesion is carried over and found again.
    Links are proposals, and so are the places that may be new lesions: nothing is confirmed or counted here.
    """
    from trialimg import bootstrap
    from trialimg.services.track import TrackRules
    from trialimg.services.track import track as followed

    studies = images.studies()
    segmenter = bootstrap.segmenter(model)
    if out is not None:
        bootstrap.make_folder(out)
    rules = TrackRules(deformable=local == "warp")
    found = followed(studies, segmenter, rules)
    answer = _answer(found, studies, segmenter, rules)
    if out is not None:
        answer["masks"] = _write(found, studies, answer, out)
    if as_json:
        print_json(answer)
    else:
        _print(found, [study.name for study in studies])


def _study(name: str, image: Path, mask: Path | None, modality: str) -> Study:
    from dataclasses import replace

    from trialimg import bootstrap
    from trialimg.services.track import Study
    from trialimg.volume import Unit

    volume = bootstrap.open_image(image)
    if volume.modality == "OT" and modality:
        unit = Unit.HU if modality == "CT" else volume.unit
        volume = replace(volume, modality=modality, unit=unit)
    return Study(name, volume, bootstrap.open_mask(mask, volume) if mask is not None else None)


def _answer(found: Tracked, studies: Sequence[Study], segmenter: Segmenter, rules: TrackRules) -> dict[str, Any]:
    return {
        "studies": [study.name for study in studies],
        "modalities": {study.name: study.image.modality for study in studies},
        "lesions": [_lesion(lesion) for lesion in found.lesions],
        "links": found.links,
        "new_lesion_candidates": found.candidates,
        "alignments": found.alignments,
        "warnings": found.warnings,
        "rules": rules,
        "segmenter": {"name": segmenter.name, "version": segmenter.version, "parameters": segmenter.parameters()},
    }


def _lesion(lesion: Followed) -> dict[str, Any]:
    return {
        "id": lesion.id,
        "label": lesion.label,
        "split_from": lesion.split_from,
        "merged_into": lesion.merged_into,
        "seen": {
            name: {
                "long_axis_mm": seen.measurement.long_axis_mm,
                "short_axis_mm": seen.measurement.short_axis_mm,
                "volume_ml": seen.measurement.volume_ml,
                "slice_index": seen.measurement.slice_index,
                "flags": seen.measurement.flags,
                "centre_lps_mm": seen.centre_lps_mm,
                "expected_lps_mm": seen.expected_lps_mm,
                "displacement_mm": seen.displacement_mm,
            }
            for name, seen in lesion.sightings.items()
        },
    }


def _write(found: Tracked, studies: Sequence[Study], answer: dict[str, Any], out: Path) -> dict[str, str]:
    """The masks and the links, into a folder; the masks by study."""
    import json

    from trialimg import bootstrap
    from trialimg.cli.respond_output import write_whole
    from trialimg.core.digest import plain

    masks = {study.name: out / f"{study.name}.nii.gz" for study in studies}
    for study in studies:
        bootstrap.save_mask(found.mask(study.name, study.image.geometry), masks[study.name])
    text = json.dumps(plain(answer), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(out / "links.json", text + "\n")
    return {name: str(path) for name, path in masks.items()}


def _print(found: Tracked, names: Sequence[str]) -> None:
    """One line a lesion, its long axis at each study; then what became of which, and what to look at."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("Lesion")
    for name in names:
        table.add_column(f"{name} mm", justify="right")
    for lesion in found.lesions:
        cells = [lesion.sightings.get(name) for name in names]
        table.add_row(lesion.id, *("" if one is None else f"{one.measurement.long_axis_mm:.1f}" for one in cells))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for study, links in found.links.items():
        for link in links:
            sides = " + ".join(link.earlier) or "nothing", " + ".join(link.later) or "nothing"
            console.print(f"{study}: {link.kind.value} {sides[0]} -> {sides[1]} (score {link.score:.2f})")
    for study, places in found.candidates.items():
        for place in places:
            at = ", ".join(f"{x:.0f}" for x in place.centre_lps_mm)
            console.print(f"{study}: new? at ({at}) mm LPS, {place.diameter_mm:.0f} mm (score {place.score:.2f})")
    for warning in found.warnings:
        console.print(f"note: {warning}")
