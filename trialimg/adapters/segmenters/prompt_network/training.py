"""How the network learns: seeded, logged, and resumed to the same weights after a kill."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset, Subset

from trialimg.adapters.segmenters.prompt_network.recipe import Schedule
from trialimg.adapters.segmenters.prompt_network.team import ALONE, Team

__all__ = ["Trainer", "dice_and_entropy"]

Pair = tuple[torch.Tensor, torch.Tensor]
_CHECKPOINT = "checkpoint.pt"
_CURVE = "curve.csv"


class Trainer:
    """Weights, their average and the optimiser, from one iteration to the next."""

    def __init__(
        self, network: nn.Module, schedule: Schedule, folder: Path, *, device: str, team: Team = ALONE
    ) -> None:
        self.device, self.team = team.device(device), team
        self.network = network.to(self.device)
        self.schedule, self.folder = schedule, folder
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=schedule.weight_decay)
        self.averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.iteration = 0
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> bool:
        """Go on from the last checkpoint of the folder, if there is one."""
        path = self.folder / _CHECKPOINT
        if not path.is_file():
            return False
        kept = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.averaged = kept["averaged"]
        self.iteration = int(kept["iteration"])
        return True

    def run(
        self, examples: Callable[[int, int], Dataset[Pair]], *, workers: int, report: Callable[[int], None]
    ) -> None:
        """Learn until the schedule ends; of each batch, the team's member takes its part.

        Parameters
        ----------
        examples
            From the number of the first example and a count to the examples.
        report
            Called after each iteration with its number.
        """
        batch = self.schedule.batch
        left = examples(self.iteration * batch, (self.schedule.iterations - self.iteration) * batch)
        mine = Subset(left, self.team.part_of(batch, (self.schedule.iterations - self.iteration) * batch))
        loader: DataLoader[Pair] = DataLoader(
            mine, batch // self.team.size, num_workers=workers, worker_init_fn=_one_thread
        )
        self.network.train()
        learner = self.team.joined(self.network)
        losses: list[float] = []  # of this run since the last checkpoint
        for given, truth in loader:
            losses.append(self._step(learner, given.to(self.device), truth.to(self.device)))
            self.iteration += 1
            report(self.iteration)
            if self.iteration % self.schedule.keep_every == 0 or self.iteration == self.schedule.iterations:
                mean = self.team.mean(sum(losses) / len(losses))
                if self.team.leads:
                    self._keep(mean)
                losses = []

    def _step(self, learner: nn.Module, given: torch.Tensor, truth: torch.Tensor) -> float:
        rate = self.schedule.rate_at(self.iteration)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(given.device.type, dtype=torch.bfloat16, enabled=given.device.type != "mps"):
            odds = learner(given)
        loss = dice_and_entropy(odds.float(), truth)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        memory = min(self.schedule.average, (self.iteration + 1) / (self.iteration + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.averaged[name].lerp_(value, 1 - memory)

    def _keep(self, loss: float) -> None:
        state: Mapping[str, Any] = {
            "network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(),
            "averaged": self.averaged, "iteration": self.iteration,
        }  # fmt: skip
        part = self.folder / f"{_CHECKPOINT}.part"
        torch.save(state, part)
        part.replace(self.folder / _CHECKPOINT)
        with (self.folder / _CURVE).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([self.iteration, f"{loss:.5f}"])


def dice_and_entropy(odds: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss of each example plus cross-entropy of each voxel, averaged."""
    chance = torch.sigmoid(odds)
    both = (chance * truth).sum(dim=(1, 2, 3, 4))
    dice = (2 * both + 1) / (chance.sum(dim=(1, 2, 3, 4)) + truth.sum(dim=(1, 2, 3, 4)) + 1)
    return (1 - dice).mean() + binary_cross_entropy_with_logits(odds, truth)


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
