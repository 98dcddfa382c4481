"""Processes that share each batch, one device each, so that they come to the weights of one."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from trialimg.core.errors import ModelError

__all__ = ["ALONE", "Team", "teamed"]

_PATIENCE = timedelta(minutes=10)
"""A member that is not heard of for so long has failed, and the others end."""


@dataclass(frozen=True)
class Team:
    """One member's place among those that share each batch."""

    number: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """The first member keeps checkpoints and reports."""
        return self.number == 0

    def device(self, kind: str) -> str:
        """The member's own device of a kind."""
        return f"cuda:{self.number}" if kind == "cuda" and self.size > 1 else kind

    def part_of(self, batch: int, examples: int) -> range | list[int]:
        """Which of some examples are the member's: its share of every batch, in their order."""
        share = batch // self.size
        return [number for number in range(examples) if number % batch // share == self.number]

    def joined(self, network: nn.Module) -> nn.Module:
        """The network, its gradients averaged over all members."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def mean(self, value: float) -> float:
        """Over all members."""
        if self.size == 1:
            return value
        total = torch.tensor(value, device=f"cuda:{self.number}" if distributed.get_backend() == "nccl" else "cpu")
        distributed.all_reduce(total)
        return float(total) / self.size


ALONE = Team()
Work = Callable[[Team], Path]


def teamed(work: Work, silent: Work, size: int, kind: str) -> Path:
    """What the first member answers, this process; the others are processes of their own.

    Parameters
    ----------
    work
        Done by the first member.
    silent
        Done by the others; sent to them, so nothing in it may be bound to this process.
    kind
        Of device: `cpu` or `cuda`, one for each member.

    Raises
    ------
    ModelError
        If there are not as many devices.
    """
    if size == 1:
        return work(ALONE)
    if kind == "mps" or (kind == "cuda" and torch.cuda.device_count() < size):
        there = torch.cuda.device_count() if kind == "cuda" else 1
        raise ModelError(f"{size} processes need {size} devices; there are {there} of the kind {kind}")
    with tempfile.TemporaryDirectory() as folder, _others(partial(_member, silent, kind, Path(folder)), size):
        return _member(work, kind, Path(folder), Team(0, size))


@contextmanager
def _others(work: Work, size: int) -> Iterator[None]:
    """All members but the first; ended with the first, however it ends."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(Team(number, size),)) for number in range(1, size)]
    for process in processes:
        process.start()
    try:
        yield
        for process in processes:
            process.join(_PATIENCE.total_seconds())
    finally:
        for process in processes:
            process.kill()


def _member(work: Work, kind: str, meeting: Path, team: Team) -> Path:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # members are on one machine
    distributed.init_process_group(
        "nccl" if kind == "cuda" else "gloo", f"file://{meeting / 'members'}",
        timeout=_PATIENCE, world_size=team.size, rank=team.number,
    )  # fmt: skip
    try:
        return work(team)
    finally:
        distributed.destroy_process_group()
