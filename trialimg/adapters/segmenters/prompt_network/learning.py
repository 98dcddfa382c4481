"""From a recipe and its images to a folder of weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from trialimg.adapters.segmenters.bundle_network import device_for
from trialimg.adapters.segmenters.prompt_network.channels import CHANNELS
from trialimg.adapters.segmenters.prompt_network.examples import Case, Examples, Scan
from trialimg.adapters.segmenters.prompt_network.network import PromptUNet
from trialimg.adapters.segmenters.prompt_network.recipe import Recipe, Schedule
from trialimg.adapters.segmenters.prompt_network.shipped import CARD, WEIGHTS, Shipped
from trialimg.adapters.segmenters.prompt_network.team import Team, teamed
from trialimg.adapters.segmenters.prompt_network.training import Trainer
from trialimg.core.digest import digest_of
from trialimg.core.errors import ModelError

__all__ = ["Material", "Run", "learn"]

Tell = Callable[[str, int, int], None]
"""Name of the stage, iterations done, iterations to do."""


@dataclass(frozen=True, eq=False)
class Material:
    """Images in memory."""

    backgrounds: Sequence[Scan]
    cases: Sequence[Case]


@dataclass(frozen=True)
class Run:
    """Where and how a recipe is carried out."""

    out: Path
    """Each stage keeps its checkpoint and curve in a folder of its own below; a later call goes on from there."""
    stage: str = "finetuned"
    """Name of the second stage's folder, e.g. ``fold-2``."""
    start: Path | None = None
    """Weights to start from instead of chance; their widths count, not the recipe's."""
    device: str = "auto"
    workers: int = 1
    """Processes that make examples; the weights do not depend on their number."""
    processes: int = 1
    """Processes that share each batch, one device each; what they learn is what one would, up to rounding."""


def learn(recipe: Recipe, material: Material, run: Run, *, facts: Mapping[str, Any], tell: Tell) -> Path:
    """Carry out a recipe; the folder with weights and card.

    Parameters
    ----------
    facts
        What else the card is to say: data, subjects, attribution.

    Raises
    ------
    ModelError
        If the devices are not to be had, a batch cannot be shared evenly, or the weights to start from do not fit.
    """
    for schedule in (recipe.pretraining, recipe.finetuning):
        if schedule and schedule.batch % run.processes:
            raise ModelError(f"a batch of {schedule.batch} cannot be shared evenly by {run.processes} processes")
    learnt = partial(_learnt, recipe, material, run, facts)
    return teamed(partial(learnt, tell), partial(learnt, _silent), run.processes, device_for(run.device))


def _learnt(recipe: Recipe, material: Material, run: Run, facts: Mapping[str, Any], tell: Tell, team: Team) -> Path:
    torch.manual_seed(recipe.seed)
    start = Shipped.at(run.start) if run.start else None
    widths = start.widths if start else recipe.widths
    network = PromptUNet(CHANNELS, widths)
    if start:
        network.load_state_dict({name: value.float() for name, value in load(start.bytes()).items()})
    folder = run.out
    if recipe.pretraining:
        folder = run.out / "pretrained"
        synthetic = _Stage(recipe.pretraining, Material(material.backgrounds, ()), 0.0, recipe.seed)
        network.load_state_dict(_taught(network, synthetic, folder, run, tell, team))
    if recipe.finetuning:
        folder = run.out / run.stage
        mixed = _Stage(recipe.finetuning, material, recipe.real_share, recipe.seed + 1)
        network.load_state_dict(_taught(network, mixed, folder, run, tell, team))
    if team.leads:
        _write(network, folder, {**facts, "recipe": asdict(recipe), "network": {"widths": list(widths)}})
    return folder


def _silent(_: str, __: int, ___: int) -> None:
    """Only the first of a team tells how far it is."""


@dataclass(frozen=True, eq=False)
class _Stage:
    schedule: Schedule
    material: Material
    real_share: float
    seed: int

    def examples(self, first: int, count: int) -> Examples:
        return Examples(
            self.material.backgrounds,
            self.material.cases,
            self.real_share,
            self.seed,
            first,
            count,
            self.schedule.prompts,
        )


def _taught(
    network: PromptUNet, stage: _Stage, folder: Path, run: Run, tell: Tell, team: Team
) -> dict[str, torch.Tensor]:
    """The averaged weights at the end of a stage."""
    trainer = Trainer(network, stage.schedule, folder, device=device_for(run.device), team=team)
    trainer.resume()

    def report(done: int) -> None:
        tell(folder.name, done, stage.schedule.iterations)

    if trainer.iteration < stage.schedule.iterations:
        trainer.run(stage.examples, workers=run.workers, report=report)
    network.to("cpu")
    return {name: value.cpu() for name, value in trainer.averaged.items()}


def _write(network: PromptUNet, folder: Path, facts: Mapping[str, Any]) -> None:
    """Weights in half precision, and their card."""
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    data = save(tensors)
    (folder / WEIGHTS).write_bytes(data)
    card = {"name": "trialimg-prompt", "weights_digest": digest_of(data), "weights_bytes": len(data), **facts}
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
