"""`trialimg train`: the prompt network from a recipe, or taught on with a user's own lesions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.model_choice import DEVICE
from trialimg.cli.output import json_option, print_json

__all__ = ["train"]

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class _Training:
    """What is learnt from, and how it is carried out."""

    data: tuple[Path, ...]
    out: Path
    seed: int | None
    device: str
    workers: int
    processes: int


@click.command("train")
@click.argument("config", type=_PATH)
@click.option("--finetune", type=_PATH, metavar="DATASET", help="Teach the weights on with the lesions of a data set.")
@click.option("--start", type=_PATH, help="Folder of weights that --finetune starts from, instead of the shipped ones.")
@click.option("--fold", type=click.IntRange(min=0), help="Leave the subjects of this fold out, counted from 0.")
@gathered(
    "way", _Training,
    click.option("--data", type=_PATH, multiple=True, help="Folder that the recipe's paths count from; repeatable."),
    click.option(
        "--out", type=_PATH, required=True, help="Folder of checkpoints, curves and weights; a rerun goes on there."
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Instead of the recipe's."),
    DEVICE,
    click.option(
        "--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Processes that make examples."
    ),
    click.option(
        "--processes", type=click.IntRange(min=1), default=1, show_default=True,
        help="Processes that share each batch, one GPU each.",
    ),
)  # fmt: skip
@json_option
def train(
    config: Path, finetune: Path | None, start: Path | None, fold: int | None, way: _Training, as_json: bool
) -> None:
    """Train the prompt network by the recipe CONFIG.

    With --finetune, only the recipe's fine-tuning is carried out, on a data set as `trialimg evaluate segment` takes
    it: nnU-Net's raw layout, or a CSV of image,mask with files, DICOM series, DICOM SEG or RTSTRUCT.
    """
    from trialimg import bootstrap
    from trialimg.cli.progress import progress_bars

    if finetune is not None and fold is not None:
        raise click.UsageError("--fold belongs to the recipe's own data, not to --finetune")
    if start is not None and finetune is None:
        raise click.UsageError("--start goes with --finetune")
    training = bootstrap.Training(way.out, way.data, way.device, way.workers, way.seed, way.processes)
    with progress_bars() as tell:
        if finetune is not None:
            folder = bootstrap.finetune_network(finetune, config, training, start=start, tell=tell)
        else:
            folder = bootstrap.train_network(config, training, fold=fold, tell=tell)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    if as_json:
        print_json({"folder": str(folder), "weights_digest": card["weights_digest"]})
    else:
        click.echo(f"{folder}: {card['weights_digest']}")
        click.echo(f"use it: trialimg segment IMAGE --line ... --model {folder} --out MASK")
